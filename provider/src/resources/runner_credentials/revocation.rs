//! Taking away what was granted: Secret, keys, policy, user or role, namespace.

use std::time::Duration;

use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Value};

use super::error::Error;
use super::key_grant::{IN_STATE, aws, kubernetes};
use super::memory::{Book, Memory};
use super::model::Desired;
use super::principal::{DeleteFailure, Principal};
use super::schema::RunnerCredentials;
use super::{Session, access_key, inline_policy};
use crate::namespace::Removal;

impl Session<'_> {
    /// Removes everything, in the order in which nobody is left with half of it: Secret, keys, policy, user.
    pub(super) async fn revoke_key(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
    ) -> Result<Vec<Diagnostic>, Error> {
        let mut warnings = Vec::new();
        if let Some(cluster) = self.cluster_if_any(desired, &mut warnings).await? {
            warnings.extend(self.delete_secret(&cluster, desired, state).await?);
        }
        state.secret_hash = Value::Null;
        book.write(state, memory);
        let user = &desired.settings.name;
        memory.retire_outgoing();
        let unclear = memory.unclear.as_ref().map(|key| key.id.clone());
        let keys: Vec<String> =
            state.access_key_id.known().cloned().into_iter().chain(memory.retiring.clone()).chain(unclear).collect();
        for key in &keys {
            let deleted = access_key::delete(self.context, self.iam, user, key).await;
            deleted.map_err(|e| aws(format!("Deleting the access key {key}"), WaitError::Failed(e), IN_STATE))?;
        }
        memory.retiring.clear();
        memory.unclear = None;
        state.access_key_id = Value::Null;
        state.created_at = Value::Null;
        state.rotates_at = Value::Null;
        book.write(state, memory);
        Box::pin(self.revoke_principal(Principal::User, user, &keys)).await?;
        state.user_arn = Value::Null;
        Ok(warnings)
    }

    /// Deletes the Secret, unless others have put another one in its place.
    async fn delete_secret(
        &self,
        cluster: &kube::Client,
        desired: &Desired,
        state: &RunnerCredentials,
    ) -> Result<Option<Diagnostic>, Error> {
        let place = &desired.place;
        let read = place.read(cluster).await;
        let Some(found) = read.map_err(|source| kubernetes("Reading the Secret", source, IN_STATE))? else {
            return Ok(None);
        };
        let key = found.pair.as_ref().map(|pair| pair.id.as_str());
        if found.user() != Some(&place.user) && (key.is_none() || key != state.access_key_id.as_str()) {
            let text = format!(
                "The Secret {}/{} was created by someone else in place of the one that this resource wrote, and was \
                 kept.",
                place.namespace, place.name
            );
            return Ok(Some(Diagnostic::warning("Secret kept", text)));
        }
        let deleted = place.delete(cluster).await;
        deleted.map(|()| None).map_err(|source| kubernetes("Deleting the Secret", source, IN_STATE))
    }

    /// Removes user or role, whose keys in `gone` are deleted.
    pub(super) async fn revoke_principal(
        &self,
        principal: Principal,
        name: &str,
        gone: &[String],
    ) -> Result<(), Error> {
        let what = format!("the IAM {} {name}", principal.label());
        let deleted = inline_policy::delete(self.context, self.iam, principal, name).await;
        deleted.map_err(|source| aws(format!("Deleting the policy of {what}"), source, IN_STATE))?;
        Box::pin(principal.delete(self.context, self.iam, name, gone)).await.map_err(|failure| match failure {
            DeleteFailure::InTheWay(obstacles) => {
                Error::InTheWay { principal, name: name.to_owned(), obstacles, left: IN_STATE.to_owned() }
            }
            DeleteFailure::Call(source) => aws(format!("Deleting {what}"), source, IN_STATE),
        })
    }

    /// Removes the namespace if it was made here and is empty; what keeps it is told.
    pub(super) async fn remove_namespace(
        &self,
        desired: &Desired,
        limit: Duration,
    ) -> Result<Option<Diagnostic>, Error> {
        let Some(cluster) = self.cluster_if_any(desired, &mut Vec::new()).await? else { return Ok(None) };
        let namespace = self.namespace(&cluster, desired);
        let kept = |detail: String| {
            let detail = format!("The namespace {} was created by this resource and is kept: {detail}", namespace.name);
            Some(Diagnostic::warning("Namespace kept", detail))
        };
        match namespace.remove(self.context, limit).await {
            Ok(Removal::Done) => Ok(None),
            Ok(Removal::InUse(content)) => Ok(kept(format!("it contains other objects ({}).", content.join(", ")))),
            Ok(Removal::Unsure(error)) => Ok(kept(format!("not all of its objects can be listed ({error})."))),
            Err(source) => {
                Err(Error::Wait { doing: "Removing the namespace".to_owned(), source, left: IN_STATE.to_owned() })
            }
        }
    }
}
