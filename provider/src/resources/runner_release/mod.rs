//! `gitlabspot_runner_release`: the GitLab Runner's manager on Kubernetes.
//!
//! The mapping from the configuration to Kubernetes objects is pure. A plan contains the objects as they will be
//! applied, and the state contains them as observed.
//!
//! * plan: every object, validated with a dry run if the cluster can be reached.
//! * create: check that no object belongs to another owner, apply object by object, wait for the rollout. Each object
//!   is recorded in the state before its request.
//! * read: every object; drift of managed fields and deleted objects show in `manifest`.
//! * update: apply all objects, wait for the rollout, delete objects that are no longer desired.
//! * delete: delete the Deployment and wait for its pods: those that registered themselves unregister from GitLab. Then
//!   delete the other objects, roles last.
//! * import: `namespace/name`, also of a release that Helm installed: the next apply adopts its objects.

mod adoption;
mod apply;
mod create;
mod dry_run;
mod dynamic;
mod error;
mod existing;
mod expand;
mod flatten;
pub mod from_values;
mod last_applied;
pub mod list;
mod live;
pub mod manifests;
mod model;
mod plan;
mod private;
mod read;
mod removal;
mod running_version;
mod schema;
mod secret_hashes;
pub mod settings;
pub mod spec;
#[cfg(test)]
mod tests;
mod update;
mod validate;
pub mod values;
pub mod version;
mod wait;

use serde_json::Value as Json;
use tfplugin::framework::{Context, Create, Delete, Diagnostic, Diagnostics, Import, Plan, Read, Resource, Update};

use self::private::Private;
pub use self::schema::RunnerRelease;
use crate::configured::Data;
use crate::identity::ObjectIdentity;
use crate::objects::{self, Kind, Objects};
use crate::steps::Remains;

/// The resource `gitlabspot_runner_release`.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunnerReleaseResource;

impl Resource for RunnerReleaseResource {
    type Data = Data;
    type Model = RunnerRelease;
    type Private = Private;
    type Identity = ObjectIdentity;
    const TYPE_NAME: &'static str = "gitlabspot_runner_release";
    /// In version 0 `config`, `cache` and `affinity` were typed objects.
    const VERSION: i64 = 1;
    const DESCRIPTION: &'static str = "Manages a GitLab Runner on Kubernetes: the objects of the official Helm \
         chart, with every key of the runner's configuration as an attribute that is validated at plan.\n\n\
         Values files of the chart are supported. The objects have the names, labels and selector of the chart, and \
         are applied with server-side apply. The plan shows every object and validates it with a dry run on the \
         cluster. Changes by others are shown and reverted. No Helm release is recorded.";

    fn validate(&self, config: &RunnerRelease, diagnostics: &mut Diagnostics) {
        validate::validate(config, diagnostics);
    }

    async fn plan(&self, context: &Context<Data>, plan: &mut Plan<RunnerRelease, Private>) -> Result<(), Diagnostics> {
        dynamic::settle(plan);
        let existing = existing::look(context, &plan.planned, &plan.config, &plan.private).await;
        if let Some(warning) = existing.warning(plan.planned.namespace.as_str().unwrap_or_default()) {
            plan.warn(warning);
        }
        match plan::complete(plan, existing)? {
            Some(desired) => dry_run::check(context, plan, &desired).await,
            None => Ok(()),
        }
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.planned, &mut operation.private.objects).await?;
        Ok(session.create(operation).await.map_err(|error| error.of_create(Remains::Incomplete))?)
    }

    async fn read(
        &self,
        context: &Context<Data>,
        operation: &mut Read<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state, &mut operation.private.objects).await {
            Ok(session) => session.read(operation).await?,
            Err(error) => operation.diagnostics.extend(error.in_read(&KIND)?),
        }
        Ok(())
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        let session = Session::connect(context, &operation.planned, &mut operation.private.objects).await?;
        Ok(session.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<RunnerRelease, Private>,
    ) -> Result<(), Diagnostics> {
        match Session::connect(context, &operation.state, &mut operation.private.objects).await {
            Ok(session) => session.delete(operation).await?,
            Err(error) => operation.warn(error.in_delete(&KIND)?),
        }
        Ok(())
    }

    fn upgrade(&self, _: i64, state: Json) -> Result<Json, Diagnostics> {
        Ok(dynamic::upgrade(state))
    }

    async fn import(
        &self,
        context: &Context<Data>,
        from: Import<ObjectIdentity>,
    ) -> Result<RunnerRelease, Diagnostics> {
        let (id, cluster_name) = ObjectIdentity::imported(context, from).await?;
        match id.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(RunnerRelease {
                    namespace: namespace.into(),
                    name: name.into(),
                    id: id.as_str().into(),
                    cluster_name,
                    ..RunnerRelease::default()
                })
            }
            _ => Err(invalid_id(&id).into()),
        }
    }

    fn identity(&self, _: &Context<Data>, state: &RunnerRelease, private: &Private) -> Option<ObjectIdentity> {
        Some(ObjectIdentity::of(&state.namespace, &state.name, private.objects.cluster.as_ref()))
    }
}

fn invalid_id(id: &str) -> Diagnostic {
    Diagnostic::error(
        "Invalid import ID",
        format!("{id:?} is not namespace/name. Import with both, for example \"gitlab-runner/gitlab-runner\"."),
    )
}

/// Texts and functions with which the `objects` module handles a release.
static KIND: Kind = Kind {
    cannot_apply: "Cannot apply the runner release",
    cannot_read: "Cannot read the runner release",
    cannot_remove: "Cannot remove the runner release",
    noun: "release",
    not_own: "was not created by this provider",
    if_exists: "Choose another name for the release, import the release if Helm installed it, or delete the existing \
                object.",
    to_rename: ", for example with `name` or `fullname_override`",
    if_no_namespace: "Create it first, or set create_namespace = true.",
    is_own: live::is_ours,
    shown: |asked, answer| flatten::flatten_object(asked, answer, None, &[]),
    pods: Some(|deployment| format!("app={}", deployment.name)),
};

impl Objects for RunnerReleaseResource {
    const KIND: &'static Kind = &KIND;
}

/// Clients and settings of one operation on a release.
type Session<'a> = objects::Session<'a, RunnerReleaseResource>;
