//! Namespaces that do not admit every pod.

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use super::Scene;

impl Scene {
    async fn enforce(&self, standard: &str) {
        let labels = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": standard } } });
        let namespaces: Api<Namespace> = Api::all(self.stage.kubernetes.client());
        let name = self.stage.namespace.name();
        namespaces.patch(name, &PatchParams::default(), &Patch::Merge(&labels)).await.unwrap();
    }

    async fn runs_a_job(&self) {
        self.workspace.apply().await;
        let job = self.job_under_way().await;
        self.let_go().await;
        self.until_succeeded(job).await;
        self.destroy().await;
    }
}

/// L17: the Pod Security Standard `restricted` admits the manager as it is by default, and jobs that are told so.
#[tokio::test]
async fn restricted() {
    let scene = Scene::authenticated("admission_restricted", json!({ "restricted_jobs": true })).await;
    scene.enforce("restricted").await;
    scene.runs_a_job().await;
}

/// L17: `baseline` admits jobs as they are by default.
#[tokio::test]
async fn baseline() {
    let scene = Scene::registered("admission_baseline", json!({})).await;
    scene.enforce("baseline").await;
    scene.runs_a_job().await;
}

/// L18: a quota that rejects the manager's pods: the error has the `ReplicaSet`'s reason, and the next apply goes on.
#[tokio::test]
async fn a_quota_that_rejects_pods() {
    let scene = Scene::authenticated("admission_quota", json!({ "create_timeout": "10s" })).await;
    let quotas = scene.stage.kubernetes.api::<ResourceQuota>(scene.stage.namespace.name());
    let quota = json!({ "metadata": { "name": "limits" }, "spec": { "hard": { "limits.memory": "1Gi" } } });
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("failed quota: limits: must specify limits.memory"), "{said}");
    scene.workspace.set(&json!({
        "resources": { "limits": { "memory": "256Mi" }, "requests": { "memory": "64Mi" } }, "create_timeout": null,
    }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    quotas.delete("limits", &kube::api::DeleteParams::default()).await.unwrap();
    scene.destroy().await;
}
