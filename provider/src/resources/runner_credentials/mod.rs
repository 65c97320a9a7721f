//! `gitlabspot_runner_credentials`: what the runner needs to use the cache bucket.
//!
//! In mode `access_key` an IAM user with a policy and a key, whose secret goes from IAM into a Kubernetes Secret and
//! nowhere else: the state has the key's id and a fingerprint. In the modes `irsa` and `pod_identity` an IAM role for the
//! runner's service account.
//!
//! * create: cluster and namespace first, then user or role with the mark of a create under way, policy, key, proof that
//!   AWS knows the key, Secret; at last the mark is taken away. A create that was interrupted is continued by that mark.
//! * read: user, policy, keys and Secret at once. What is wrong with the key becomes the reason for another one.
//! * update: tags, boundary, policy, trust, Secret each in place; another key by rotation; another mode or service account
//!   by granting the new way and revoking the old one as soon as no pod uses it.
//! * delete: what is superseded and still there, then Secret, keys, policy, user; the namespace when it was made here and
//!   is empty.
//! * import: `NAMESPACE/SECRET:USER`, or `NAMESPACE/SERVICE_ACCOUNT:role/ROLE`.

mod access_key;
mod access_method;
mod adjust;
mod error;
mod flatten;
mod iam_role;
mod iam_user;
mod identity;
mod import;
mod inline_policy;
mod key_grant;
pub mod list;
mod manifests;
mod memory;
mod model;
mod name;
mod partial;
mod plan;
mod pod_identity;
mod policy;
mod principal;
mod private;
mod revocation;
mod role_grant;
mod rotation;
mod schema;
mod superseded;
mod switch;
#[cfg(test)]
mod tests;
mod trust;
mod validate;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use gitlabspot_clients::{ClientError, Clients};
use tfplugin::framework::wait::{Wait, WaitError};
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update, Value,
};
use tokio::sync::OnceCell;

use self::access_method::AccessMethod;
use self::access_method::Mode;
use self::error::Error;
use self::identity::{Identity, turn_names};
use self::key_grant::aws;
use self::memory::{Beside, Book, Memory};
use self::model::Desired;
use self::private::Private;
pub use self::schema::RunnerCredentials;
use self::superseded::Candidates;
use crate::cluster::Home;
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::partition;
use crate::provider_tags::ProviderTags;
use crate::turns::{Turn, Turns};

const TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// The resource `gitlabspot_runner_credentials`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunnerCredentialsResource;

impl Resource for RunnerCredentialsResource {
    type Data = Data;
    type Model = RunnerCredentials;
    type Private = Private;
    type Identity = Identity;
    const TYPE_NAME: &'static str = "gitlabspot_runner_credentials";
    // Another mode is another user or role.
    const IDENTITY_MAY_CHANGE: bool = true;
    const DESCRIPTION: &'static str = "Manages the credentials with which the runner accesses the cache \
         bucket: an IAM user whose access key is stored in a Kubernetes Secret, or an IAM role for the runner's \
         service account.\n\n\
         The secret access key is only written to the Kubernetes Secret. It is not part of the state, plans, logs \
         or diagnostics. If the Secret is deleted or changed by others, the plan shows a new key.";

    fn validate(&self, config: &RunnerCredentials, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(
        &self,
        context: &Context<Data>,
        plan: &mut Plan<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let data = context.data()?;
        // What is wrong with the settings is said by the operation that needs them.
        let partition = data.clients.region().await.ok().map(partition::name);
        plan::complete(plan, partition, &data.tags, context.clock.time_of_day());
        plan::tell_apart(&plan.planned).map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.private).await?;
        let created = Box::pin(session.create(operation)).await;
        operation.diagnostics.extend(session.warnings());
        session.home.keep(&mut operation.private.cluster);
        Ok(created.map_err(Error::of_create)?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.private).await?;
        let read = Box::pin(session.read(operation)).await;
        session.home.keep(&mut operation.private.cluster);
        Ok(read?)
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.private).await?;
        let updated = Box::pin(session.update(operation)).await;
        operation.diagnostics.extend(session.warnings());
        session.home.keep(&mut operation.private.cluster);
        Ok(updated?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session { is_ending: true, ..Session::connect(context, &operation.private).await? };
        let deleted = Box::pin(session.delete(operation)).await;
        session.home.keep(&mut operation.private.cluster);
        Ok(deleted?)
    }

    async fn import(&self, context: &Context<Data>, from: Import<Identity>) -> Result<RunnerCredentials, Diagnostics> {
        identity::import(context, from).await
    }

    fn identity(&self, _: &Context<Data>, state: &RunnerCredentials, private: &Private) -> Option<Identity> {
        Identity::of(state, private)
    }
}

/// Clients and settings of one operation.
struct Session<'a> {
    context: &'a Context<Data>,
    clients: &'a Clients,
    iam: &'a aws_sdk_iam::Client,
    sts: &'a aws_sdk_sts::Client,
    eks: &'a aws_sdk_eks::Client,
    region: &'a str,
    tags: &'a ProviderTags,
    turns: &'a Turns,
    home: Home,
    /// It is a destroy.
    is_ending: bool,
    /// The cluster's OIDC issuer, once it was asked for.
    issuer: OnceCell<String>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl<'a> Session<'a> {
    async fn connect(context: &'a Context<Data>, private: &Private) -> Result<Self, Diagnostics> {
        let Data { clients, tags, turns } = context.data()?.as_ref();
        Ok(Self {
            context,
            clients,
            iam: clients.iam().await.or_diagnostics()?,
            sts: clients.sts().await.or_diagnostics()?,
            eks: clients.eks().await.or_diagnostics()?,
            region: clients.region().await.or_diagnostics()?,
            tags,
            turns,
            home: Home::of(private.cluster.as_ref()),
            is_ending: false,
            issuer: OnceCell::new(),
            warnings: Mutex::default(),
        })
    }

    /// For what is no failure.
    fn warn(&self, warning: Diagnostic) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(warning);
    }

    fn warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn create(&self, operation: &mut Create<RunnerCredentials, Private>) -> Result<(), Error> {
        let limit = Timeouts::create(&operation.planned.timeouts, TIMEOUT);
        let mut planned = operation.planned.clone();
        let is_named = planned.name.known().is_some();
        if !is_named {
            Box::pin(self.make_up_name(&mut planned, operation, limit)).await?;
        }
        let granted = Box::pin(self.grant_anew(&mut planned, operation, limit)).await;
        let (desired, _turn) = match granted {
            // Of others, or of what this one takes the place of: any other name will do.
            Err(Error::Exists { .. } | Error::Taken { .. }) if !is_named => {
                planned.name = name::random(&planned).into();
                Box::pin(self.grant_anew(&mut planned, operation, limit)).await?
            }
            granted => granted?,
        };
        let (principal, name) = (desired.mode.principal(), &desired.settings.name);
        let shown = principal.wait_until_visible(self.context, self.iam, name).await;
        shown.map_err(|source| aws("Waiting until IAM shows the created objects", source, key_grant::IN_STATE))?;
        // Not an error: everything is there. The mark alone would let another create of this name continue with it.
        if let Err(error) = principal.finish(self.context, self.iam, name).await {
            let text =
                format!("The tag gitlabspot/unfinished of {} could not be removed: {error}.", desired.settings.name);
            operation.diagnostics.push(Diagnostic::warning("Cleanup tag not removed", text));
        }
        Ok(())
    }

    async fn grant_anew(
        &self,
        planned: &mut RunnerCredentials,
        operation: &mut Create<RunnerCredentials, Private>,
        limit: Duration,
    ) -> Result<(Desired, Turn), Error> {
        plan::derive(planned, None, Some(partition::name(self.region)), self.tags);
        let desired = Desired::of(planned);
        let turn = self.turns.make(turn_names(&desired), Wait::new(self.context, limit)).await;
        let turn = turn.map_err(|source| Error::Taken { source })?;
        let (mut state, mut memory) = (bare(planned), Memory::default());
        Box::pin(self.grant(&desired, &mut state, &mut memory, operation, limit)).await?;
        Ok((desired, turn))
    }

    /// Everything that the mode needs.
    async fn grant(
        &self,
        desired: &Desired,
        state: &mut RunnerCredentials,
        memory: &mut Memory,
        book: &mut dyn Book,
        limit: Duration,
    ) -> Result<(), Error> {
        match desired.mode {
            Mode::AccessKey => Box::pin(self.grant_key(desired, state, memory, book, limit)).await,
            Mode::Irsa | Mode::PodIdentity => Box::pin(self.grant_role(desired, state, memory, book)).await,
        }
    }

    async fn update(&self, operation: &mut Update<RunnerCredentials, Private>) -> Result<(), Error> {
        let limit = Timeouts::update(&operation.planned.timeouts, TIMEOUT);
        let mut prior = operation.prior.clone();
        self.tags.spare(&mut prior.tags_all);
        let mut planned = operation.planned.clone();
        plan::derive(&mut planned, Some(&prior), Some(partition::name(self.region)), self.tags);
        let mut memory = operation.private.memory.clone();
        memory.is_imported = false;
        let mut state = partial::begun(&prior, &planned);
        operation.write(&state, &memory);
        let settled = if AccessMethod::of(&prior).requires_switch_to(&AccessMethod::of(&planned)) {
            let both = (&prior, &planned);
            Box::pin(self.switch(both, &mut state, &mut memory, operation, limit)).await
        } else {
            Box::pin(self.adjust(&prior, &planned, &mut state, &mut memory, operation, limit)).await?;
            let settled = Box::pin(self.settle(Candidates::Idle, &mut state, &mut memory, operation)).await;
            if std::mem::take(&mut memory.is_marked) {
                self.unmark_switch(AccessMethod::of(&planned).principal(), planned.name.as_str().unwrap_or_default())
                    .await;
            }
            settled
        };
        let done = partial::done(&state, &planned);
        match settled {
            Ok(warnings) => operation.diagnostics.extend(warnings),
            // All but this was done.
            Err(error @ Error::UsedAgain { .. }) => {
                operation.write(&done, &memory);
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        operation.write(&done, &memory);
        Ok(())
    }

    async fn delete(&self, operation: &mut Delete<RunnerCredentials, Private>) -> Result<(), Error> {
        let limit = Timeouts::delete(&operation.state.timeouts, TIMEOUT);
        let mut state = operation.state.clone();
        let mut memory = operation.private.memory.clone();
        let turn = self.turns.remove(turn_names(&Desired::of(&state)), Wait::new(self.context, limit)).await;
        let _turn = turn.map_err(|source| Error::Taken { source })?;
        let beside = Box::pin(self.revoke_all_beside(&mut state, &mut memory, operation)).await?;
        operation.diagnostics.extend(beside);
        let desired = Desired::of(&state);
        // Also a create that was refused, because others have a user or role of this name, may have left a state.
        let is_ours = Box::pin(self.is_ours(&Beside::of(&state, &memory), &desired.settings.name)).await?;
        match desired.mode {
            _ if !is_ours => {}
            Mode::AccessKey => {
                let warnings = Box::pin(self.revoke_key(&desired, &mut state, &mut memory, operation)).await?;
                operation.diagnostics.extend(warnings);
                operation.write(&state, &memory);
            }
            Mode::Irsa | Mode::PodIdentity => Box::pin(self.revoke_role(&desired, &mut state)).await?,
        }
        if desired.create_namespace {
            operation.diagnostics.extend(self.remove_namespace(&desired, limit).await?);
        }
        Ok(())
    }

    async fn cluster(&self, desired: &Desired, left: &str) -> Result<kube::Client, Error> {
        let connected = self.home.connect(self.clients, desired.cluster_name.as_deref()).await;
        connected.map_err(|source| Error::Client { source: source.into(), left: left.to_owned() })
    }

    /// For deleting: `None`, and a warning, where it is certain that the cluster itself is gone, and all in it.
    async fn cluster_if_any(
        &self,
        desired: &Desired,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Option<kube::Client>, Error> {
        match self.home.connect(self.clients, desired.cluster_name.as_deref()).await {
            Ok(client) => Ok(Some(client)),
            Err(error @ ClientError::ClusterGone { .. }) => {
                let text = format!("The Secret was deleted with its cluster: {error}.");
                warnings.push(Diagnostic::warning("Cluster no longer exists", text));
                Ok(None)
            }
            Err(source) => Err(Error::Client { source: source.into(), left: key_grant::IN_STATE.to_owned() }),
        }
    }
}

/// The planned state with nothing granted yet.
fn bare(planned: &RunnerCredentials) -> RunnerCredentials {
    RunnerCredentials {
        access_key_id: Value::Null,
        created_at: Value::Null,
        rotates_at: Value::Null,
        secret_hash: Value::Null,
        user_arn: Value::Null,
        role_arn: Value::Null,
        policy_json: Value::Null,
        trust_policy_json: Value::Null,
        superseded: Value::Known(Vec::new()),
        service_account_annotations: Value::Known(std::collections::BTreeMap::new()),
        ..planned.clone()
    }
}

/// An error of a read.
fn unread(what: &str, error: gitlabspot_clients::aws::AwsError) -> Error {
    aws(format!("Reading {what}"), WaitError::Failed(error), "The state was not changed.")
}
