//! Operations on the Kubernetes objects of one resource.
//!
//! An operation opens a [`Session`]. It checks the existing objects ([`preflight`]), applies object by object and
//! records each before its request ([`apply`]), and deletes objects that are no longer desired in a fixed order
//! ([`removal`]). Concurrent creates of the same objects do not overwrite each other ([`concurrent`]). The differences
//! between the resources are in their [`Kind`].

mod apply;
pub(crate) mod claim;
mod concurrent;
mod error;
pub(crate) mod manifest;
mod model;
pub(crate) mod mutation;
pub(crate) mod namespace;
mod observe;
pub(crate) mod owner;
mod preflight;
mod private;
mod removal;
pub(crate) mod requests;
pub(crate) mod status;

use std::marker::PhantomData;
use std::time::{Duration, Instant};

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::Context;
use tfplugin::framework::wait::Wait;

pub(crate) use self::apply::{Applied, Applies, Applying, ObjectSet, is_workload};
use self::claim::Claim;
use self::error::Subject;
pub(crate) use self::error::{During, Error, Fault, Reason, Step};
pub(crate) use self::model::{Attributes, ShowsObjects, replace_if_moved};
use self::namespace::{Failure, Namespace};
pub(crate) use self::observe::Observed;
pub(crate) use self::preflight::{Preflight, Prior, is_complete_workload};
pub(crate) use self::private::Private;
pub(crate) use self::removal::Whose;
use crate::cluster;
use crate::configured::Data;
use crate::reservations::{self, Reservation, Reservations};

/// A kind of resource that consists of Kubernetes objects.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Summary of an apply that failed.
    pub(crate) cannot_apply: &'static str,
    /// Summary of a read that failed.
    pub(crate) cannot_read: &'static str,
    /// Summary of a removal that failed.
    pub(crate) cannot_remove: &'static str,
    /// The resource in sentences: "release".
    pub(crate) noun: &'static str,
    /// Why an existing object is not part of the resource: "was not created by this provider".
    pub(crate) not_own: &'static str,
    /// Advice about an existing object that this provider did not create.
    pub(crate) if_exists: &'static str,
    /// Attributes that give two resources different names, as the end of a sentence.
    pub(crate) to_rename: &'static str,
    /// Advice if the namespace does not exist.
    pub(crate) if_no_namespace: &'static str,
    /// Whether an object is part of a resource of this kind, by its labels.
    pub(crate) is_own: fn(&Json) -> bool,
    /// The fields of an object that the plan shows, with the values of the answer to its apply.
    pub(crate) shown: fn(&Json, &Json) -> Json,
    /// Label selector of the pods of a Deployment. Its removal waits until they no longer exist.
    pub(crate) pods: Option<fn(&ObjectRef) -> String>,
}

/// A resource that consists of Kubernetes objects.
pub(crate) trait Objects {
    const KIND: &'static Kind;
}

/// The cluster of one operation on a resource `R`, which adds its own operations to it.
pub(crate) struct Session<'a, R> {
    pub(crate) context: &'a Context<Data>,
    pub(crate) client: kube::Client,
    subject: Subject,
    /// The `cluster_name` of the resource.
    cluster_name: Option<String>,
    resource: PhantomData<fn() -> R>,
}

impl<R> Session<'_, R> {
    /// The ID of the resource.
    pub(crate) fn id(&self) -> String {
        self.subject.id.clone()
    }

    pub(crate) fn fault(&self, reason: Reason) -> Fault {
        Fault::Objects(self.subject.clone(), reason)
    }
}

impl<'a, R: Objects> Session<'a, R> {
    /// Connects to the cluster of the resource, which is the same one in all operations.
    pub(crate) async fn connect(
        context: &'a Context<Data>,
        model: &impl ShowsObjects,
        private: &mut Private,
    ) -> Result<Self, Error> {
        let data = context.data().map_err(Fault::Configuration)?;
        let Attributes { cluster_name, .. } = model.attributes();
        let client = cluster::connect(&data.clients, cluster_name, &mut private.cluster).await;
        let [namespace, name] = model.namespace_and_name();
        Ok(Self {
            context,
            client: client.map_err(Fault::Client)?,
            subject: Subject { kind: R::KIND, id: format!("{namespace}/{name}") },
            cluster_name: cluster_name.known().cloned(),
            resource: PhantomData,
        })
    }

    /// The time at which an operation with this timeout ends.
    pub(crate) fn deadline(&self, timeout: Duration) -> Instant {
        self.context.clock.now() + timeout
    }

    /// A wait until the deadline.
    pub(crate) fn wait(&self, deadline: Instant) -> Wait {
        Wait::new(self.context, self.context.left(deadline)).every(Duration::from_millis(250), Duration::from_secs(4))
    }

    pub(crate) async fn get(&self, place: &ObjectRef) -> Result<Option<Json>, KubernetesError> {
        kubernetes::get(&self.client, place).await
    }

    /// Reserves the names of the resource and of these objects, so that no other operation of this run creates or
    /// removes them.
    pub(crate) async fn reserve(&self, places: &[ObjectRef], deadline: Instant) -> Result<Reservation, Error> {
        let reserved = self.reservations()?.for_create(self.names(places), self.wait(deadline)).await;
        reserved.map_err(|error| self.fault(Reason::Reserved(error)).into())
    }

    /// Reserves the same names for a removal, as soon as no other operation uses them.
    pub(crate) async fn reserve_for_removal(
        &self,
        places: &[ObjectRef],
        deadline: Instant,
    ) -> Result<Reservation, Error> {
        let reserved = self.reservations()?.for_delete(self.names(places), self.wait(deadline)).await;
        reserved.map_err(|error| self.fault(Reason::Reserved(error)).into())
    }

    fn reservations(&self) -> Result<&Reservations, Error> {
        Ok(&self.context.data().map_err(Fault::Configuration)?.reservations)
    }

    fn names(&self, places: &[ObjectRef]) -> Vec<String> {
        reservations::names(self.cluster_name.as_deref(), &format!("The {}", self.subject), places)
    }

    /// Reserves names for a create and runs its checks. After a rename without `moved`, hosts run the destroy of the
    /// existing objects at the same time, so that the check is repeated for [`owner::PATIENCE`] while `is_passing`
    /// returns `true`.
    pub(crate) async fn begin<T, E, F>(
        &self,
        places: &[ObjectRef],
        deadline: Instant,
        check: impl Fn() -> F,
        is_passing: impl Fn(&E) -> bool,
    ) -> Result<(Reservation, T), E>
    where
        E: From<Error>,
        F: Future<Output = Result<T, E>>,
    {
        let patience = self.deadline(owner::PATIENCE);
        loop {
            let reservation = self.reserve(places, deadline).await?;
            match check().await {
                Err(error) if is_passing(&error) && self.context.clock.now() < patience => {}
                checked => return Ok((reservation, checked?)),
            }
            // The destroy that is waited for has to reserve the same names.
            drop(reservation);
            self.context.clock.sleep(Duration::from_millis(500)).await;
        }
    }

    /// Checks that the namespace exists. With `made_by`, creates a missing namespace with this annotation.
    pub(crate) async fn ensure_namespace(
        &self,
        name: &str,
        made_by: Option<String>,
        deadline: Instant,
    ) -> Result<(), Error> {
        let (creates, owner) = (made_by.is_some(), made_by.unwrap_or_default());
        let namespace = Namespace { client: &self.client, name, owner };
        match namespace.ensure(self.context, creates, self.context.left(deadline)).await {
            // An identity that is not allowed to read namespaces may still be allowed to create objects in this one.
            Ok(_) | Err(Failure::Call(KubernetesError::Forbidden { .. })) => Ok(()),
            Err(Failure::Missing) => Err(self.fault(Reason::NoNamespace(name.to_owned())).into()),
            Err(Failure::Call(source)) => Err(source).during(Step::Check, self),
            Err(Failure::Wait(source)) => {
                Err(self.fault(Reason::NamespaceEnds { namespace: name.to_owned(), source }).into())
            }
        }
    }

    /// Applies an object that is not in the state.
    pub(crate) async fn apply_unrecorded(&self, object: &Json) -> Result<Json, KubernetesError> {
        let claim = Claim::Shown { before: &Json::Null, after: object, hidden: &owner::HIDDEN };
        requests::apply(&self.client, object, claim).await
    }
}
