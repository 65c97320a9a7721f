//! All connections of the provider to a cluster, and errors without a valid one. The tests apply a resource with
//! minimal requirements. An empty plan shows that the provider has read it from the cluster.

mod credentials;
mod eks;
mod exec;
mod in_cluster;
mod in_one_run;
mod kubeconfig;
mod network_proxy;
mod settings;

use gitlabspot_acceptance_tests::{Cloud, Engine, Stage, Workspace};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ResourceQuota;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

const ADDRESS: &str = "gitlabspot_warm_capacity.probe";

struct Fixture {
    workspace: Workspace,
    stage: Stage,
    cloud: Cloud,
    priority: i64,
}

impl Fixture {
    /// A namespace, and a configuration with these settings of the cluster.
    async fn new(test: &str, kubernetes: &Value) -> Self {
        let fixture = Self::of("probe", test, json!({}), Engine::opentofu()).await;
        fixture.connect(kubernetes);
        fixture
    }

    /// A namespace, and this configuration.
    async fn of(case: &str, test: &str, variables: Value, engine: Engine) -> Self {
        let stage = Stage::new(&format!("kubernetes_connection/{test}"), engine).await;
        stage.namespace.create().await;
        let priority = -11 - i64::from(getrandom::u32().unwrap() >> 4);
        let mut all = json!({ "namespace": stage.namespace.name(), "priority": priority });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        let workspace = stage.testdata(&format!("kubernetes_connection/{case}"), all).await;
        Self { workspace, stage, cloud: Cloud::running(), priority }
    }

    /// Sets the cluster of the provider block.
    fn connect(&self, kubernetes: &Value) {
        let provider = json!({ "provider": { "gitlabspot": { "kubernetes": kubernetes } } });
        self.workspace.write("provider.tf.json", &provider.to_string());
    }

    /// Asserts that the resource is read completely.
    async fn assert_found(&self) {
        Self::assert_found_in(&self.workspace).await;
    }

    async fn assert_found_in(workspace: &Workspace) {
        let plan = workspace.plan().await;
        assert!(
            plan.is_empty() && !plan.output().stdout.contains("Warning: Cluster no longer exists"),
            "{}",
            plan.output()
        );
    }

    /// Error of a plan that cannot read the resource.
    async fn refusal(&self) -> String {
        Self::refusal_in(&self.workspace).await
    }

    async fn refusal_in(workspace: &Workspace) -> String {
        let planned = workspace.try_plan().await.map(|plan| plan.output().clone());
        assert!(planned.is_err(), "this should have failed: {planned:?}");
        planned.unwrap_or_else(|output| output).prose()
    }

    /// Prevents pods in the namespace, so that an apply waits for them.
    async fn without_pods(&self) {
        let quota = json!({ "metadata": { "name": "none" }, "spec": { "hard": { "pods": "0" } } });
        self.quotas().create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    }

    async fn with_pods(&self) {
        self.quotas().delete("none", &DeleteParams::default()).await.unwrap();
    }

    fn quotas(&self) -> Api<ResourceQuota> {
        self.stage.kubernetes.api(self.stage.namespace.name())
    }

    async fn destroy(&self) {
        self.workspace.destroy().await;
        self.assert_nothing_remains().await;
    }

    async fn assert_nothing_remains(&self) {
        self.stage.assert_nothing_remains().await;
        assert!(!self.has_class().await);
    }

    /// Deletes the objects that remain in the API server after the cluster was deleted in EKS.
    async fn sweep(&self) {
        let delete = DeleteParams::background();
        let deployments: Api<Deployment> = self.stage.kubernetes.api(self.stage.namespace.name());
        deployments.delete("probe", &delete).await.unwrap();
        self.classes().delete(&self.class(), &delete).await.unwrap();
    }

    async fn has_class(&self) -> bool {
        self.classes().get_opt(&self.class()).await.unwrap().is_some()
    }

    fn classes(&self) -> Api<PriorityClass> {
        Api::all(self.stage.kubernetes.client())
    }

    fn class(&self) -> String {
        format!("gitlabspot-placeholder-minus-{}", -self.priority)
    }

    /// Settings of the cluster without EKS.
    fn host(&self) -> Value {
        host(&self.cloud)
    }
}

fn host(cloud: &Cloud) -> Value {
    json!({
        "host": cloud.kubernetes_host(),
        "token": cloud.kubernetes_token(),
        "cluster_ca_certificate": cloud.kubernetes_authority(),
    })
}

/// Merges settings. A null removes a setting.
fn with(settings: &Value, others: Value) -> Value {
    let mut all = settings.clone();
    all.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

#[track_caller]
fn assert_printed(printed: &str, all: &[&str]) {
    for text in all {
        assert!(printed.contains(text), "{text:?} is not in {printed}");
    }
}
