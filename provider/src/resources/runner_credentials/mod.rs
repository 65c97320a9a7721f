//! `gitlabspot_runner_credentials`: the credentials with which the runner accesses the cache bucket.
//!
//! In mode `access_key` these are an IAM user with a policy and an access key. The secret access key is only written to
//! a Kubernetes Secret; the state contains the ID of the key and a fingerprint. In the modes `irsa` and `pod_identity`
//! they are an IAM role for the runner's service account.
//!
//! * create: in mode `access_key` the namespace, then the user with the tag of an unfinished create, its policy and its
//!   key. When AWS accepts the key, it is written to the Secret. In the other modes the role with that tag, its policy
//!   and the binding of the service account. The tag is removed last. The next create continues an interrupted one,
//!   which it identifies by the tag.
//! * read: principal, policy, keys and Secret concurrently. A problem with the key is recorded as the reason for a
//!   rotation.
//! * update: tags, permissions boundary, policy, trust policy and metadata of the Secret in place. Another key is a
//!   rotation. Another mode or service account is a new grant, which supersedes the old one; the old grant is revoked
//!   when no pod uses it.
//! * delete: superseded grants, then Secret, keys, policy and user, or association, policy and role. The namespace is
//!   deleted if this resource created it and it is empty.
//! * import: `NAMESPACE/SECRET:USER`, or `NAMESPACE/SERVICE_ACCOUNT:role/ROLE`.
//!
//! The journal in the private state contains all grants. Operations change one grant at a time through a recorder,
//! which records the journal and the state that is derived from it after each step.

mod access_key;
mod access_method;
mod error;
mod flatten;
mod iam_role;
mod iam_user;
mod identity;
mod import;
mod inline_policy;
mod journal;
mod key_grant;
pub mod list;
mod manifests;
mod model;
mod name;
mod partial;
mod plan;
mod pod_identity;
mod policy;
mod principal;
mod private;
mod read;
mod recorder;
mod revocation;
mod role_grant;
mod rotation;
mod schema;
mod superseded;
mod switch;
#[cfg(test)]
mod tests;
mod trust;
mod update;
mod validate;

use std::time::Duration;

use gitlabspot_clients::{ClientError, Clients};
use tfplugin::framework::wait::Wait;
use tfplugin::framework::{
    Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update,
};
use tokio::sync::OnceCell;

use self::access_method::AccessMethod;
use self::error::{During, Fault, Remains, Step};
use self::identity::{Identity, reserved_names};
use self::journal::Journal;
use self::model::Desired;
use self::principal::Principal;
use self::private::Private;
use self::recorder::Recorder;
pub use self::schema::RunnerCredentials;
use crate::cluster::Home;
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::iam::Iam;
use crate::partition;
use crate::provider_tags::ProviderTags;
use crate::reservations::{Reservation, Reservations};
use crate::steps::Fault as _;

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
    // A change of the mode is an update, but its user or role is another one.
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
        // An unknown region is no error here: the operation that needs it reports it.
        let partition = data.clients.region().await.ok().map(partition::name);
        plan::complete(plan, partition, &data.tags, context.clock.time_of_day());
        plan::tell_apart(&plan.planned).map_or(Ok(()), |refusal| Err(refusal.into()))
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let limit = Timeouts::create(&operation.planned.timeouts, TIMEOUT);
        let session = Session::connect(context, &operation.private, limit).await?;
        let created = session.create(operation).await;
        session.home.keep(&mut operation.private.cluster);
        Ok(created.map_err(|error| error.of_create(Remains::Tainted))?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.private, TIMEOUT).await?;
        let read = session.read(operation).await;
        session.home.keep(&mut operation.private.cluster);
        Ok(read?)
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let limit = Timeouts::update(&operation.planned.timeouts, TIMEOUT);
        let session = Session::connect(context, &operation.private, limit).await?;
        let updated = session.update(operation).await;
        session.home.keep(&mut operation.private.cluster);
        Ok(updated?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<RunnerCredentials, Private>,
    ) -> Result<(), Diagnostics> {
        let limit = Timeouts::delete(&operation.state.timeouts, TIMEOUT);
        let session = Session { is_destroy: true, ..Session::connect(context, &operation.private, limit).await? };
        let deleted = session.delete(operation).await;
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
    iam: Iam<'a>,
    sts: &'a aws_sdk_sts::Client,
    eks: &'a aws_sdk_eks::Client,
    region: &'a str,
    tags: &'a ProviderTags,
    reservations: &'a Reservations,
    home: Home,
    /// Timeout of the operation.
    limit: Duration,
    is_destroy: bool,
    /// OIDC issuer of the cluster, after the first read.
    issuer: OnceCell<String>,
}

impl<'a> Session<'a> {
    async fn connect(context: &'a Context<Data>, private: &Private, limit: Duration) -> Result<Self, Diagnostics> {
        let Data { clients, tags, reservations } = context.data()?.as_ref();
        Ok(Self {
            context,
            clients,
            iam: Iam { context, client: clients.iam().await.or_diagnostics()? },
            sts: clients.sts().await.or_diagnostics()?,
            eks: clients.eks().await.or_diagnostics()?,
            region: clients.region().await.or_diagnostics()?,
            tags,
            reservations,
            home: Home::of(private.cluster.as_ref()),
            limit,
            is_destroy: false,
            issuer: OnceCell::new(),
        })
    }

    async fn create(&self, operation: &mut Create<RunnerCredentials, Private>) -> error::Result<()> {
        let mut planned = operation.planned.clone();
        let is_named = planned.name.known().is_some();
        if !is_named {
            self.derive_name(&mut planned, operation).await?;
        }
        let granted = self.grant_new(&mut planned, operation).await;
        let (desired, _reservation) = match granted {
            // Others, or with create_before_destroy the object to replace, have the derived name: use a random one.
            Err(error) if !is_named && matches!(*error.fault, Fault::Exists { .. } | Fault::Reserved(_)) => {
                planned.name = name::random(&planned).into();
                self.grant_new(&mut planned, operation).await?
            }
            granted => granted?,
        };
        let (principal, name) = (desired.method.principal(), &desired.settings.name);
        let visible = principal.wait_until_visible(self.iam, name).await;
        visible.during(Step::AwaitPrincipal, Remains::Recorded)?;
        // Only a warning, because everything exists. While the tag remains, a create of this name continues with it.
        if let Err(error) = principal.finish(self.iam, name).await {
            let text = format!(
                "The tag gitlabspot/unfinished of {name} could not be removed: {error}. A later apply removes it."
            );
            operation.diagnostics.push(Diagnostic::warning("Cleanup tag not removed", text));
        }
        Ok(())
    }

    async fn grant_new(
        &self,
        planned: &mut RunnerCredentials,
        operation: &mut Create<RunnerCredentials, Private>,
    ) -> error::Result<(Desired, Reservation)> {
        plan::derive(planned, None, Some(partition::name(self.region)), self.tags);
        let method = AccessMethod::of(planned);
        let desired = Desired::of(planned, method.clone());
        let reservation =
            self.reservations.for_create(reserved_names(&desired), Wait::new(self.context, self.limit)).await;
        let reservation = reservation.map_err(Fault::Reserved)?;
        let mut recorder = Recorder::new(operation, partial::granting(planned), Journal::new(method));
        self.grant(&mut recorder, &desired).await?;
        Ok((desired, reservation))
    }

    /// Creates everything that the access method requires.
    async fn grant(&self, recorder: &mut Recorder<'_>, desired: &Desired) -> error::Result<()> {
        match desired.method.principal() {
            Principal::User => self.grant_key(recorder, desired).await,
            Principal::Role => self.grant_role(recorder, desired).await,
        }
    }

    async fn delete(&self, operation: &mut Delete<RunnerCredentials, Private>) -> error::Result<()> {
        let state = operation.state.clone();
        let journal = operation.private.journal.clone().or_of(&state);
        let desired = Desired::of(&state, journal.current.clone());
        let reservation =
            self.reservations.for_delete(reserved_names(&desired), Wait::new(self.context, self.limit)).await;
        let _reservation = reservation.map_err(Fault::Reserved)?;
        let recorder = &mut Recorder::new(operation, state, journal);
        self.revoke_superseded(recorder).await?;
        // A create that failed because others have a principal of this name may have recorded a state. That principal
        // is not deleted.
        if self.is_managed(&recorder.grant, &desired.settings.name).await? {
            match desired.method.principal() {
                Principal::User => self.revoke_key(recorder, &desired).await?,
                Principal::Role => self.revoke_role(recorder, &desired).await?,
            }
        }
        if desired.create_namespace {
            self.delete_namespace(recorder, &desired).await?;
        }
        Ok(())
    }

    async fn connect_to(&self, desired: &Desired) -> Result<kube::Client, ClientError> {
        self.home.connect(self.clients, desired.cluster_name.as_deref()).await
    }

    async fn cluster(&self, desired: &Desired, remains: Remains) -> error::Result<kube::Client> {
        self.connect_to(desired).await.map_err(|source| Fault::Client(source).leaving(remains))
    }
}
