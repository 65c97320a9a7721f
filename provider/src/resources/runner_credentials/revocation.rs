//! Revokes a grant: deletes Secret, keys, policy and principal. Deletes the namespace.

use gitlabspot_clients::ClientError;
use tfplugin::framework::Diagnostic;

use super::error::{During, Fault, IamObject, Remains, Result, Step};
use super::model::Desired;
use super::principal::{DeleteFailure, Principal};
use super::recorder::Recorder;
use super::{Session, inline_policy};
use crate::steps::Fault as _;

impl Session<'_> {
    /// Deletes Secret, keys, policy and user. The Secret is first, so that it never contains a key that is deleted, and
    /// the user last, because IAM rejects the deletion of a user with keys or policies.
    pub(super) async fn revoke_key(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        match self.connect_to(desired).await {
            Ok(cluster) => self.delete_secret(recorder, desired, &cluster).await?,
            Err(error @ ClientError::ClusterGone { .. }) => {
                let text = format!("The Secret was deleted with its cluster: {error}.");
                recorder.warn(Diagnostic::warning("Cluster no longer exists", text));
            }
            Err(error) => return Err(Fault::Client(error).leaving(Remains::Recorded)),
        }
        recorder.update(|grant| {
            grant.secret_hash = None;
            grant.retire_outgoing();
        });
        let grant = &recorder.grant;
        let keys = grant.key_id().into_iter().chain(grant.retiring.iter().map(String::as_str));
        let keys = keys.chain(grant.unclear.as_ref().map(|key| key.id.as_str()));
        let keys: Vec<String> = keys.map(str::to_owned).collect();
        for key in &keys {
            self.delete_key(&desired.settings.name, key, Remains::Recorded).await?;
        }
        recorder.update(|grant| {
            grant.retiring.clear();
            grant.unclear = None;
            grant.key = None;
        });
        self.revoke_principal(Principal::User, &desired.settings.name, &keys).await?;
        recorder.update(|grant| grant.arn = None);
        Ok(())
    }

    /// Deletes the Secret, unless others have replaced it.
    async fn delete_secret(
        &self,
        recorder: &mut Recorder<'_>,
        desired: &Desired,
        cluster: &kube::Client,
    ) -> Result<()> {
        let place = &desired.place;
        let observed = place.read(cluster).await.during(Step::ReadSecret, Remains::Recorded)?;
        let Some(observed) = observed else { return Ok(()) };
        let key = observed.pair.as_ref().map(|pair| pair.id.as_str());
        if observed.user() != Some(&place.user) && (key.is_none() || key != recorder.grant.key_id()) {
            let text = format!(
                "The Secret {}/{} is not the one that this resource created, and was not deleted. Delete it if it is \
                 not used.",
                place.namespace, place.name
            );
            recorder.warn(Diagnostic::warning("Secret kept", text));
            return Ok(());
        }
        place.delete(cluster).await.during(Step::DeleteSecret, Remains::Recorded)
    }

    /// Deletes the association, the policy and the role.
    pub(super) async fn revoke_role(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        self.unbind_service_account(&recorder.grant, desired).await?;
        self.revoke_principal(Principal::Role, &desired.settings.name, &[]).await?;
        recorder.update(|grant| grant.arn = None);
        Ok(())
    }

    /// Deletes a principal and its policy. `deleted` are keys that IAM may still list.
    pub(super) async fn revoke_principal(&self, principal: Principal, name: &str, deleted: &[String]) -> Result<()> {
        let revoked = inline_policy::delete(self.iam, principal, name).await;
        revoked.during(Step::Delete(IamObject::Policy(principal.id(name))), Remains::Recorded)?;
        match principal.delete(self.iam, name, deleted).await {
            Err(DeleteFailure::InUse(obstacles)) => {
                Err(Fault::InUse { principal, name: name.to_owned(), obstacles }.leaving(Remains::Recorded))
            }
            Err(DeleteFailure::Call(source)) => {
                Err(source).during(Step::Delete(IamObject::Principal(principal.id(name))), Remains::Recorded)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Deletes the namespace if this resource created it and it is empty; warns if it is kept.
    pub(super) async fn delete_namespace(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> Result<()> {
        let cluster = match self.connect_to(desired).await {
            Err(ClientError::ClusterGone { .. }) => return Ok(()),
            connected => connected.map_err(|error| Fault::Client(error).leaving(Remains::Recorded))?,
        };
        let deleted = self.namespace(&cluster, desired).delete(self.context, self.limit).await;
        let step = Step::DeleteNamespace(desired.place.namespace.clone());
        if let Some(warning) = deleted.during(step, Remains::Recorded)? {
            recorder.warn(warning);
        }
        Ok(())
    }
}
