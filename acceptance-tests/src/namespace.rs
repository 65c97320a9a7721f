//! A Kubernetes namespace for one test.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace as Object;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use crate::Kubernetes;
use crate::cloud::unique;
use crate::until_slow;

/// Time in which pods end, even on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A namespace with a name that no other test uses. It exists only after the test or the provider has created it.
#[derive(Clone, Debug)]
pub struct Namespace {
    name: String,
    kubernetes: Kubernetes,
}

impl Namespace {
    pub(crate) fn new(test: &str, kubernetes: Kubernetes) -> Self {
        Self { name: unique(test), kubernetes }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates it, for tests in which it exists before the provider runs.
    ///
    /// # Panics
    ///
    /// If the cluster returns an error.
    pub async fn create(&self) {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.name } });
        let object = serde_json::from_value(object).expect("a namespace");
        self.api().create(&PostParams::default(), &object).await.expect("a namespace can be made");
    }

    /// Whether it exists.
    ///
    /// # Panics
    ///
    /// If the cluster does not respond.
    pub async fn exists(&self) -> bool {
        self.api().get_opt(&self.name).await.expect("the cluster answers").is_some()
    }

    /// The objects in it, as [`Kubernetes::objects`] returns them.
    pub async fn objects(&self) -> Vec<String> {
        self.kubernetes.objects(&self.name).await
    }

    /// Waits until it has no objects. The garbage collector deletes pods some time after their owners.
    ///
    /// # Panics
    ///
    /// If objects remain after 30 seconds.
    pub async fn assert_empty(&self) {
        let is_empty = async || self.objects().await.is_empty();
        let left = async || format!("nothing is left in the namespace {}: {:?}", self.name, self.objects().await);
        until_slow(TIMEOUT, is_empty, left).await;
    }

    /// Deletes it with all objects, without waiting. Succeeds if it does not exist.
    pub(crate) async fn delete(name: &str, kubernetes: &Kubernetes) {
        let api: Api<Object> = Api::all(kubernetes.client());
        if let Err(error) = api.delete(name, &DeleteParams::default()).await
            && !matches!(&error, kube::Error::Api(status) if status.code == 404)
        {
            eprintln!("namespace {name}: {error}");
        }
    }

    fn api(&self) -> Api<Object> {
        Api::all(self.kubernetes.client())
    }
}
