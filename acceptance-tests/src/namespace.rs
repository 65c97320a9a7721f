//! A namespace of a test's own.

use std::time::Duration;

use k8s_openapi::api::core::v1::Namespace as Object;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use crate::Kubernetes;
use crate::cloud::unique;
use crate::until_slow;

/// What pods may take to end on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The name of a namespace that no other test uses. It does not exist before somebody makes it: often the provider.
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

    /// Makes it, for tests in which the user did.
    ///
    /// # Panics
    ///
    /// When the cluster refuses.
    pub async fn create(&self) {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.name } });
        let object = serde_json::from_value(object).expect("a namespace");
        self.api().create(&PostParams::default(), &object).await.expect("a namespace can be made");
    }

    /// Whether it exists.
    ///
    /// # Panics
    ///
    /// When the cluster does not answer.
    pub async fn exists(&self) -> bool {
        self.api().get_opt(&self.name).await.expect("the cluster answers").is_some()
    }

    /// What is in it, as [`Kubernetes::objects`] tells.
    pub async fn objects(&self) -> Vec<String> {
        self.kubernetes.objects(&self.name).await
    }

    /// Waits until there is nothing of the provider's in it: a deleted object may take its pods with it a moment later.
    ///
    /// # Panics
    ///
    /// When something is still there after a while.
    pub async fn assert_empty(&self) {
        let is_empty = async || self.objects().await.is_empty();
        let left = async || format!("nothing is left in the namespace {}: {:?}", self.name, self.objects().await);
        until_slow(TIMEOUT, is_empty, left).await;
    }

    /// Deletes it with all that is in it, without waiting. Whether it exists does not matter.
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
