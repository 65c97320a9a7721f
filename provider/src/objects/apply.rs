//! Applies the objects of a resource one by one. Each is recorded in the state before its request.

use gitlabspot_clients::kubernetes::{KubernetesError, ObjectRef};
use serde_json::Value as Json;

use super::claim::Claim;
use super::manifest::{Manifest, restore};
use super::owner::{self, Owner};
use super::requests;
use super::{During as _, Error, Kind, Objects, Private, Session, ShowsObjects, Step};
use crate::steps::{Operation, Progress};

/// Fields for internal use, which plans do not show. An apply may take them over although no plan has shown them.
const HIDDEN: [&str; 4] = [
    ".metadata.annotations.gitlabspot.io/last-applied",
    ".spec.template.metadata.annotations.checksum/secrets",
    owner::HIDDEN[0],
    owner::HIDDEN[1],
];

/// Whether an object creates pods. A resource has one workload, and its ID decides to which resource the objects
/// belong.
pub(crate) fn is_workload(object: &Json) -> bool {
    object["kind"].as_str().is_some_and(is_workload_kind)
}

/// Whether objects of a kind create pods.
pub(super) fn is_workload_kind(kind: &str) -> bool {
    ["Deployment", "CronJob"].contains(&kind)
}

/// Whether several resources share the object, so that none is its owner: all warm capacity of one priority uses one
/// PriorityClass.
fn is_shared(object: &Json) -> bool {
    object["kind"] == "PriorityClass"
}

/// The objects of a resource, and what determines which fields of other managers an apply may take over.
#[derive(Clone, Debug)]
pub(crate) struct ObjectSet<'a> {
    /// The objects in the state.
    pub(crate) before: &'a Manifest,
    /// The objects in the plan.
    pub(crate) after: &'a Manifest,
    /// Whether an import takes over all fields of the objects.
    pub(crate) adopts: bool,
    /// ID of the resource. `None` in a dry run of a resource that does not have one yet.
    pub(crate) owner: Option<Owner>,
    /// Whether the objects belong to a create that has not completed.
    pub(crate) is_new: bool,
}

/// An object that was applied.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) place: ObjectRef,
    /// The object in the plan.
    pub(crate) asked: Json,
    /// The same fields with the values of the API server's answer.
    pub(crate) made: Json,
    /// The complete answer.
    pub(crate) answer: Json,
}

impl ObjectSet<'_> {
    /// Applies an object.
    pub(crate) async fn apply<R: Objects>(
        &self,
        session: &Session<'_, R>,
        object: &Json,
    ) -> Result<Applied, KubernetesError> {
        let shown = self.shown(object)?;
        let answer = requests::apply(&session.client, &self.stamped(object), self.claim(&shown)).await?;
        Applied::of(object, shown.1, answer, R::KIND)
    }

    /// Applies an object in a dry run, which changes nothing.
    pub(crate) async fn try_out<R: Objects>(
        &self,
        session: &Session<'_, R>,
        object: &Json,
    ) -> Result<Applied, KubernetesError> {
        let shown = self.shown(object)?;
        let answer = requests::try_out(&session.client, &self.stamped(object), self.claim(&shown)).await?;
        Applied::of(object, shown.1, answer, R::KIND)
    }

    fn stamped(&self, object: &Json) -> Json {
        match &self.owner {
            Some(owner) if self.is_new && is_workload(object) => owner.stamp_unfinished(object),
            Some(owner) if !is_shared(object) => owner.stamp(object),
            _ => object.clone(),
        }
    }

    /// The object in the state and in the plan; null where it is missing.
    fn shown(&self, object: &Json) -> Result<(Json, Json), KubernetesError> {
        let key = ObjectRef::of(object)?.to_string();
        let of = |manifest: &Manifest| {
            manifest.get(&key).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        Ok((of(self.before), of(self.after)))
    }

    fn claim<'a>(&self, (before, after): &'a (Json, Json)) -> Claim<'a> {
        if self.adopts { Claim::Everything } else { Claim::Shown { before, after, hidden: &HIDDEN } }
    }
}

impl Applied {
    fn of(object: &Json, asked: Json, answer: Json, kind: &Kind) -> Result<Self, KubernetesError> {
        let made = (kind.shown)(&asked, &answer);
        Ok(Self { place: ObjectRef::of(object)?, asked, made, answer })
    }
}

/// An operation that applies objects.
pub(crate) trait Applies: Operation<Model: ShowsObjects, Private: AsMut<Private>> {}

impl<O: Operation<Model: ShowsObjects, Private: AsMut<Private>>> Applies for O {}

/// An apply of a set of objects. It records each object before its request, so that no object is missing in the state
/// if the process is killed in between.
pub(crate) struct Applying<'a, 'o, R, O: Operation> {
    session: &'a Session<'a, R>,
    set: &'a ObjectSet<'a>,
    /// The objects that are recorded so far.
    manifest: Manifest,
    pub(crate) progress: &'a mut Progress<'o, O>,
}

impl<'a, 'o, R: Objects, O: Applies> Applying<'a, 'o, R, O> {
    pub(crate) fn new(session: &'a Session<'a, R>, set: &'a ObjectSet<'a>, progress: &'a mut Progress<'o, O>) -> Self {
        // Set before the first request: the next plan then shows a rollout that an interrupted apply did not wait for.
        progress.operation.private().as_mut().is_applying = true;
        Self { session, set, manifest: progress.state.manifest(), progress }
    }

    /// Records an object and applies it. Returns the answer of the API server.
    pub(crate) async fn object(&mut self, object: &Json) -> Result<Json, Error> {
        let key = ObjectRef::of(object).during(Step::Apply, self.session)?.to_string();
        if let Some(text) = self.set.after.get(&key) {
            self.manifest.insert(key, text.clone());
            self.progress.done(|state| state.show(&self.manifest));
        }
        let applied = if self.set.is_new && is_workload(object) {
            self.session.apply_new_workload(self.set, object).await?
        } else {
            let applied = self.set.apply(self.session, object).await;
            if let Err(KubernetesError::Conflict { object, .. }) = &applied
                && !self.set.is_new
            {
                // A conflict changes nothing. The state must not show fields of other managers as if they were applied.
                restore(&mut self.manifest, self.set.before, &object.to_string());
                self.progress.done(|state| state.show(&self.manifest));
            }
            applied.during(Step::Apply, self.session)?
        };
        let private = self.progress.operation.private().as_mut();
        private.mutations.note(&applied.place, &applied.asked, applied.made);
        Ok(applied.answer)
    }
}
