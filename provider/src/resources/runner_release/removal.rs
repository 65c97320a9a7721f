//! Deletes objects of a release, and the release itself.

use std::time::{Duration, Instant};

use tfplugin::framework::{Delete, Diagnostic, Timeouts};

use super::apply::{AUTOSCALER, owner};
use super::error::Error;
use super::expand::{Manifest, parsed};
use super::model::Desired;
use super::private::Private;
use super::schema::RunnerRelease;
use super::{Session, live};
use crate::objects::namespace::Namespace;
use crate::objects::owner::{Owner, is_of_other};
use crate::objects::requests::NotDeleted;
use crate::objects::{During as _, ShowsObjects as _, Step, Whose};

/// Default timeout of a destroy, in addition to the grace period of the pods.
const DELETE: Duration = Duration::from_secs(10 * 60);

impl Session<'_> {
    /// Returns objects of this release that no state has: the run that created them was killed right after its request.
    pub(super) async fn strays(
        &self,
        model: &RunnerRelease,
        known: &Manifest,
        whose: Whose<'_>,
    ) -> Result<Manifest, Error> {
        let [namespace, release] = model.namespace_and_name();
        let mut found = self.ours(namespace, release).await.during(Step::Remove, self)?;
        if let Whose::Of(owner) = whose {
            found.retain(|object| !is_of_other(object, owner));
        }
        let mut found = live::skeletons(&found);
        found.retain(|key, _| !known.contains_key(key));
        Ok(found)
    }

    /// Deletes objects that were applied before, or that remain of an interrupted run, and are not desired any more.
    pub(super) async fn clear(
        &self,
        planned: &RunnerRelease,
        desired: &Desired,
        before: Manifest,
        owner: Option<&Owner>,
        end: Instant,
    ) -> Result<(), Error> {
        // A create has no owner here: the objects that remain of an interrupted create have another ID.
        let whose = owner.map_or(Whose::Any, |owner| Whose::Of(Some(owner)));
        let mut left = before;
        left.retain(|key, _| !desired.manifest.contains_key(key));
        left.extend(self.strays(planned, &desired.manifest, whose).await?);
        self.remove(live::places(&left), whose, end + grace(&left)).await?;
        Ok(())
    }

    /// Deletes an autoscaler that is no longer desired, before an apply sets the number of pods: it would change the
    /// number.
    pub(super) async fn remove_autoscaler(
        &self,
        desired: &Desired,
        before: &Manifest,
        owner: Option<&Owner>,
        end: Instant,
    ) -> Result<(), Error> {
        let mut left = before.clone();
        left.retain(|key, _| key.starts_with(AUTOSCALER) && !desired.manifest.contains_key(key));
        self.remove(live::places(&left), Whose::Of(owner), end).await?;
        Ok(())
    }

    pub(super) async fn delete(&self, operation: &mut Delete<RunnerRelease, Private>) -> Result<(), Error> {
        let mut manifest = operation.state.manifest();
        let places = live::places(&manifest);
        let _reservation = self.reserve_for_removal(&places, self.deadline(DELETE)).await?;
        let owner = self.owner(&operation.private.objects, &places).await?;
        let whose = Whose::Of(owner.as_ref());
        manifest.extend(self.strays(&operation.state, &manifest, whose).await?);
        if let Some(warning) = operation.private.adoption.warning_of_delete() {
            operation.warn(warning);
        }
        let deadline = self.deadline(Timeouts::delete(&operation.state.timeouts, grace(&manifest) + DELETE));
        let remaining = self.remove(live::places(&manifest), whose, deadline).await?;
        // Objects without the label of this provider are not managed, and not reported.
        let left: Vec<String> =
            remaining.iter().filter(|left| left.1 == NotDeleted::OfOther).map(|left| left.0.to_string()).collect();
        if !left.is_empty() {
            // The other resource uses the namespace too.
            let detail = format!("{} now belong to another resource and were not deleted.", left.join(", "));
            operation.warn(Diagnostic::warning("Objects of another resource", detail));
            return Ok(());
        }
        self.delete_namespace(operation, deadline).await
    }

    /// Deletes the namespace if this resource created it and it contains no objects of others.
    async fn delete_namespace(
        &self,
        operation: &mut Delete<RunnerRelease, Private>,
        end: Instant,
    ) -> Result<(), Error> {
        if let Some(namespace) = self.own_namespace(&operation.state) {
            let deleted = namespace.delete(self.context, self.context.left(end)).await;
            operation.diagnostics.extend(deleted.during(Step::Remove, self)?);
        }
        Ok(())
    }

    /// Returns the namespace, if this resource creates it.
    pub(super) fn own_namespace<'a>(&'a self, state: &'a RunnerRelease) -> Option<Namespace<'a>> {
        let [name, release] = state.namespace_and_name();
        let is_own = state.create_namespace.or(false);
        is_own.then(|| Namespace { client: &self.client, name, owner: owner(release) })
    }
}

/// Returns the grace period of the manager's pods.
pub(super) fn grace(manifest: &Manifest) -> Duration {
    let seconds = parsed(manifest)
        .find_map(|object| object.pointer("/spec/template/spec/terminationGracePeriodSeconds")?.as_u64());
    // The default of Kubernetes is 30 seconds.
    Duration::from_secs(seconds.unwrap_or(30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_get_their_time() {
        let deployment = r#"{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":3600}}}}"#;
        assert_eq!(grace(&[("x".to_owned(), deployment.to_owned())].into()), Duration::from_secs(3600));
        assert_eq!(grace(&Manifest::new()), Duration::from_secs(30));
    }
}
