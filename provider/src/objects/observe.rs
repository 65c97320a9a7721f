//! Reads the recorded objects.

use gitlabspot_clients::kubernetes::ObjectRef;
use serde_json::Value as Json;

use super::apply::is_workload_kind;
use super::error::{During as _, Error, Step};
use super::manifest::{Manifest, text};
use super::owner::Owner;
use super::requests::places;
use super::{Objects, Private, Session};
use crate::denied_reads::{DeniedReads, get_readable};

/// The recorded objects as observed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Observed {
    /// Objects that exist.
    objects: Vec<(ObjectRef, Json)>,
    /// Objects that the identity is not allowed to read.
    pub(crate) denied: DeniedReads,
}

impl<R: Objects> Session<'_, R> {
    /// Reads the recorded objects. If the private state has no owner, it gets that of the workload.
    pub(crate) async fn observe_objects(&self, recorded: &Manifest, private: &mut Private) -> Result<Observed, Error> {
        let (found, denied) = get_readable(&self.client, places(recorded)).await.during(Step::Read, self)?;
        let objects = found.into_iter().filter_map(|(place, object)| Some((place, object?))).collect();
        let observed = Observed { objects, denied };
        private.owner = Owner::of_or_found(private.owner.as_ref(), observed.workload());
        Ok(observed)
    }
}

impl Observed {
    /// The object that creates the pods.
    pub(crate) fn workload(&self) -> Option<&Json> {
        self.objects.iter().find(|(place, _)| is_workload_kind(&place.kind)).map(|(_, object)| object)
    }

    /// Keeps only some of the objects. The others are treated as if they did not exist.
    pub(crate) fn retain(&mut self, is_kept: impl Fn(&Json) -> bool) {
        self.objects.retain(|(_, object)| is_kept(object));
    }

    /// The objects for the state. `shown` returns the fields of a recorded object with their observed values. Objects
    /// that the identity is not allowed to read stay as recorded.
    pub(crate) fn manifest(
        &self,
        recorded: &Manifest,
        private: &Private,
        shown: impl Fn(&Json, &Json) -> Json,
    ) -> Manifest {
        let observed = self.objects.iter().filter_map(|(place, object)| {
            let key = place.to_string();
            let recorded: Json = serde_json::from_str(recorded.get(&key)?).unwrap_or_default();
            Some((key, text(&private.mutations.reconciled(place, shown(&recorded, object)))))
        });
        let denied = recorded.iter().filter(|(key, _)| self.denied.has(key));
        observed.chain(denied.map(|(key, text)| (key.clone(), text.clone()))).collect()
    }
}
