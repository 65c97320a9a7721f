//! Reads a release, also for an import.

use futures::stream::{self, StreamExt, TryStreamExt};
use gitlabspot_clients::kubernetes::{self, KubernetesError};
use serde_json::Value as Json;
use tfplugin::framework::Read;

use super::error::{Error, Fault};
use super::expand::Manifest;
use super::manifests::RELEASE_NAMESPACE;
use super::model::{Desired, Observed};
use super::private::Private;
use super::schema::RunnerRelease;
use super::secret_hashes::SecretHashes;
use super::{Session, adoption, flatten, last_applied, live, running_version};
use crate::denied_reads::DeniedReads;
use crate::objects::{During as _, ShowsObjects as _, Step};

/// Maximum number of concurrent requests.
const AT_A_TIME: usize = 8;

/// Kinds of the objects in the namespace of a release.
pub(super) const KINDS: [(&str, &str); 12] = [
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "Deployment"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("networking.k8s.io/v1", "Ingress"),
    ("policy/v1", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
];

/// Kinds of the objects in other namespaces: those of jobs and of Prometheus.
pub(super) const ELSEWHERE: [(&str, &str); 4] = [
    ("monitoring.coreos.com/v1", "PodMonitor"),
    ("monitoring.coreos.com/v1", "ServiceMonitor"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
];

/// Kinds of the cluster-scoped objects.
pub(super) const CLUSTER_KINDS: [&str; 2] = ["ClusterRole", "ClusterRoleBinding"];

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<RunnerRelease, Private>) -> Result<(), Error> {
        let recorded = if operation.importing {
            self.recall(operation).await?
        } else {
            let [namespace, name] = operation.state.namespace_and_name();
            self.observe_again(&mut operation.private, namespace, name).await.during(Step::Read, self)?;
            operation.state.manifest()
        };
        let [namespace, _] = operation.state.namespace_and_name();
        let observed = self.observe(&recorded, namespace, &mut operation.private).await?;
        operation.private.adoption.note_outdated(&observed.outdated);
        operation.diagnostics.extend(observed.objects.denied.warning("release"));
        flatten::flatten(&mut operation.state, &recorded, &observed, &operation.private);
        if operation.state.manifest().is_empty() && !self.made_namespace(&operation.state).await {
            operation.gone();
        }
        Ok(())
    }

    async fn observe(&self, recorded: &Manifest, namespace: &str, private: &mut Private) -> Result<Observed, Error> {
        let mut objects = self.observe_objects(recorded, &mut private.objects).await?;
        let outdated = match &private.hashes {
            Some(hashes) => self.outdated(hashes, namespace, &mut objects.denied).await.during(Step::Read, self)?,
            None => Vec::new(),
        };
        Ok(Observed { objects, outdated })
    }

    /// Whether the namespace that the release created still exists, for instance after an interrupted destroy.
    async fn made_namespace(&self, state: &RunnerRelease) -> bool {
        match self.own_namespace(state) {
            Some(namespace) => namespace.is_created_here().await.unwrap_or(false),
            None => false,
        }
    }

    /// Returns the Secrets in use that changed since the manager was started with them.
    async fn outdated(
        &self,
        hashes: &SecretHashes,
        namespace: &str,
        denied: &mut DeniedReads,
    ) -> Result<Vec<String>, KubernetesError> {
        let now = live::readable_fingerprints(&self.client, hashes, namespace, hashes.secrets(), denied).await?;
        Ok(now.into_iter().filter(|(name, now)| !hashes.is_same(name, now)).map(|(name, _)| name).collect())
    }

    /// Returns the objects that were applied last, and restores the attributes if the ConfigMap contains them.
    async fn recall(&self, operation: &mut Read<RunnerRelease, Private>) -> Result<Manifest, Error> {
        let [namespace, name] = operation.state.namespace_and_name().map(str::to_owned);
        let found = self.observe_import(operation, &namespace, &name).await.during(Step::Read, self)?;
        if found.is_empty() {
            return Err(Fault::NothingToImport { namespace, name }.into());
        }
        if let Some(deployment) = found.iter().find(|object| object["kind"] == "Deployment") {
            running_version::note(deployment, &mut operation.private);
        }
        let annotation = found.iter().find_map(|object| {
            object
                .pointer("/metadata/annotations")?
                .get(last_applied::ANNOTATION)?
                .as_str()
                .and_then(last_applied::read)
        });
        if let Some((model, config)) = annotation
            && let Some(mut desired) = self.recalled(&model, &config, operation).await
        {
            adoption::resume(&mut desired, &operation.private);
            let mut hashes = SecretHashes::stored_or_new(&operation.private);
            let names = super::manifests::used_secrets(&desired.spec);
            let secrets = live::fingerprints(&self.client, &hashes, &namespace, names).await;
            let secrets = secrets.during(Step::Read, self)?;
            hashes.record_objects(&secrets, &desired.objects(&secrets)?);
            hashes.store(&mut operation.private);
            operation.state = model;
            desired.describe(&mut operation.state)?;
            return Ok(desired.manifest);
        }
        // The defaults of the schema, so that the first plan shows no change of them.
        operation.state.wait = true.into();
        operation.state.create_namespace = false.into();
        adoption::import_incomplete(&mut operation.private);
        Ok(live::skeletons(&found))
    }

    async fn recalled(
        &self,
        model: &RunnerRelease,
        config: &RunnerRelease,
        operation: &mut Read<RunnerRelease, Private>,
    ) -> Option<Desired> {
        let existing = self.existing(model, config, &mut operation.private).await.ok()?;
        Desired::of(&running_version::kept(model, &operation.private), config, existing).ok()
    }

    /// Lists cluster-scoped objects; returns none if the credentials are not allowed to list them.
    pub(super) async fn list_of_cluster(&self, kind: &str, labels: &str) -> Result<Vec<Json>, KubernetesError> {
        self.list_visible("rbac.authorization.k8s.io/v1", kind, None, labels).await
    }

    async fn list_visible(
        &self,
        api_version: &str,
        kind: &str,
        namespace: Option<&str>,
        labels: &str,
    ) -> Result<Vec<Json>, KubernetesError> {
        match kubernetes::list(&self.client, api_version, kind, namespace, labels).await {
            Err(KubernetesError::Forbidden { .. }) => Ok(Vec::new()),
            found => found,
        }
    }

    /// Returns all objects of this release, in its namespace and elsewhere, that the credentials can list.
    pub(super) async fn ours(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let labels = format!("app.kubernetes.io/managed-by=gitlabspot,release={release}");
        // Releases in several namespaces can have the same name: the label identifies the namespace of the release.
        let elsewhere = format!("{labels},{RELEASE_NAMESPACE}={namespace}");
        let of_cluster = CLUSTER_KINDS.map(|kind| ("rbac.authorization.k8s.io/v1", kind));
        let wide = of_cluster.into_iter().chain(ELSEWHERE).map(|kind| (kind, None, elsewhere.as_str()));
        let all = wide.chain(KINDS.map(|kind| (kind, Some(namespace), labels.as_str())));
        let looks: Vec<_> = all
            .map(|((api_version, kind), namespace, labels)| self.list_visible(api_version, kind, namespace, labels))
            .collect();
        let lists: Vec<Vec<Json>> = stream::iter(looks).buffered(AT_A_TIME).try_collect().await?;
        let mut found: Vec<Json> = lists.into_iter().flatten().collect();
        // Omits objects in this namespace of a release of the same name in another namespace.
        found.retain(|object| live::other_release(object, namespace, release).is_none());
        Ok(found)
    }

    /// Returns the Deployments of this release, regardless of their names.
    pub(super) async fn managers(&self, namespace: &str, release: &str) -> Result<Vec<Json>, KubernetesError> {
        let labels = format!("app.kubernetes.io/managed-by=gitlabspot,release={release}");
        self.list_visible("apps/v1", "Deployment", Some(namespace), &labels).await
    }

    /// Lists objects of one kind in all namespaces, or in this one if the credentials are not allowed to list all.
    pub(super) async fn list_everywhere(
        &self,
        (api_version, kind): (&str, &str),
        namespace: &str,
        labels: &str,
    ) -> Result<Vec<Json>, KubernetesError> {
        match kubernetes::list(&self.client, api_version, kind, None, labels).await {
            Err(KubernetesError::Forbidden { .. }) => {
                kubernetes::list(&self.client, api_version, kind, Some(namespace), labels).await
            }
            found => found,
        }
    }
}
