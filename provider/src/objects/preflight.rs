//! Checks before any change: the owners of the existing objects, and whether they are being deleted.

use std::time::Instant;

use gitlabspot_clients::kubernetes::ObjectRef;
use serde_json::Value as Json;

use super::apply::is_workload;
use super::manifest::Manifest;
use super::owner::{Owner, is_of_other, is_unfinished};
use super::requests::{get_all, until_ended};
use super::{During as _, Error, Fault, Objects, Reason, Session, Step};

/// What is recorded of the objects before the operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Prior<'a> {
    /// A create. An ID in its private state is not used: it may be that of the resource that this one replaces.
    Create,
    /// An update: the ID in private state, and the objects in the state.
    Update { owner: Option<&'a Owner>, manifest: &'a Manifest },
}

/// The objects of one apply.
pub(crate) struct Preflight<'a, F> {
    pub(crate) places: Vec<ObjectRef>,
    pub(crate) prior: Prior<'a>,
    /// Existing workloads of the resource with names that are not desired.
    pub(crate) workloads: Vec<Json>,
    /// Returns an error for an existing object that is not in the state and must not be adopted.
    pub(crate) refuse: F,
}

impl<R: Objects> Session<'_, R> {
    /// Checks the existing objects, and waits until those that are being deleted no longer exist. Returns the ID for
    /// the objects.
    pub(crate) async fn preflight<E: From<Error>>(
        &self,
        preflight: Preflight<'_, impl Fn(&ObjectRef, &Json) -> Result<(), E>>,
        deadline: Instant,
    ) -> Result<Owner, E> {
        let Preflight { places, prior, workloads, refuse } = preflight;
        let found = get_all(&self.client, places).await.during(Step::Check, self)?;
        let found: Vec<_> = found.into_iter().filter_map(|(place, object)| Some((place, object?))).collect();
        for (place, object) in &found {
            if !matches!(prior, Prior::Update { manifest, .. } if manifest.contains_key(&place.to_string())) {
                refuse(place, object)?;
            }
        }
        let own = || found.iter().map(|(_, object)| object).filter(|object| (R::KIND.is_own)(object));
        let (owner, others) = match prior {
            Prior::Create => (Owner::new(), own().chain(&workloads).find(|object| is_complete_workload(object))),
            Prior::Update { owner, .. } => {
                let owner = Owner::of_or_found(owner, own().find(|object| Owner::on(object).is_some()));
                let owner = owner.unwrap_or_else(Owner::new);
                let other = own().find(|object| is_of_other(object, Some(&owner)));
                (owner, other)
            }
        };
        if let Some(object) = others {
            return Err(Error::from(self.of_other(object)).into());
        }
        let ended = until_ended(&self.client, &found, || self.wait(deadline)).await;
        ended.map_err(|ending| Error::from(self.fault(Reason::Ending(ending))))?;
        Ok(owner)
    }

    /// The fault for an object of another resource.
    pub(crate) fn of_other(&self, object: &Json) -> Fault {
        self.fault(Reason::OfOther(ObjectRef::of(object).map(|place| place.to_string()).unwrap_or_default()))
    }
}

/// Whether an object is the workload of a completed create. The objects of a create that was killed are completed by
/// the next create.
pub(crate) fn is_complete_workload(object: &Json) -> bool {
    is_workload(object) && !is_unfinished(object)
}
