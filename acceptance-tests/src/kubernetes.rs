//! The cluster as tests access it.

use std::fmt::Debug;
use std::path::Path;

use k8s_openapi::NamespaceResourceScope;
use kube::api::{Api, DynamicObject, ListParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::{Discovery, verbs};
use kube::{Client, Config, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A client of the local cluster.
#[derive(Clone)]
pub struct Kubernetes {
    client: Client,
}

/// Kinds of objects that controllers create and delete at any time.
const EPHEMERAL: [&str; 4] = ["Event", "Lease", "Endpoints", "EndpointSlice"];

/// Objects that the controller manager creates in every namespace.
const FURNITURE: [&str; 2] = ["ConfigMap/kube-root-ca.crt", "ServiceAccount/default"];

impl Kubernetes {
    pub(crate) async fn connect(kubeconfig: &Path) -> Self {
        let file = Kubeconfig::read_from(kubeconfig).expect("the cloud's kubeconfig can be read");
        let options = KubeConfigOptions::default();
        let mut config = Config::from_custom_kubeconfig(file, &options).await.expect("the cloud's kubeconfig is one");
        // `kube` uses HTTPS_PROXY of the environment, and the cluster is on loopback.
        config.proxy_url = None;
        Self { client: Client::try_from(config).expect("the cluster's client can be made") }
    }

    /// The underlying client.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// API of one kind in a namespace.
    pub fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client(), namespace)
    }

    /// Reads an object that must exist.
    ///
    /// # Panics
    ///
    /// If it does not exist.
    pub async fn get<K>(&self, namespace: &str, name: &str) -> K
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
    {
        let found = self.api::<K>(namespace).get(name).await;
        found.unwrap_or_else(|error| panic!("{} {namespace}/{name}: {error}", K::kind(&())))
    }

    /// All objects in a namespace as `Kind/name`, sorted, without those that Kubernetes creates by itself.
    ///
    /// # Panics
    ///
    /// If the cluster does not respond.
    pub async fn objects(&self, namespace: &str) -> Vec<String> {
        let found = self.find(namespace).await.unwrap_or_else(|error| panic!("the local cluster: {error}"));
        let mut names: Vec<String> = found.into_iter().map(|(name, _)| name).collect();
        names.retain(|name| !FURNITURE.contains(&name.as_str()));
        names.sort();
        names.dedup();
        names
    }

    /// All objects in a namespace with their contents, as evidence.
    pub(crate) async fn dump(&self, namespace: &str) -> Value {
        match self.find(namespace).await {
            Ok(found) => found.into_iter().map(|(name, object)| (name, serde_json::json!(object))).collect(),
            Err(error) => error.to_string().into(),
        }
    }

    async fn find(&self, namespace: &str) -> Result<Vec<(String, DynamicObject)>, kube::Error> {
        let mut found = Vec::new();
        for group in Discovery::new(self.client()).run_aggregated().await?.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let listable = capabilities.supports_operation(verbs::LIST);
                let namespaced = capabilities.scope == kube::discovery::Scope::Namespaced;
                if !listable || !namespaced || EPHEMERAL.contains(&resource.kind.as_str()) {
                    continue;
                }
                let api: Api<DynamicObject> = Api::namespaced_with(self.client(), namespace, &resource);
                for object in api.list(&ListParams::default()).await? {
                    let name = object.metadata.name.clone().unwrap_or_default();
                    found.push((format!("{}/{name}", resource.kind), object));
                }
            }
        }
        Ok(found)
    }
}

impl Debug for Kubernetes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Kubernetes").finish_non_exhaustive()
    }
}
