//! Namespaces that reject some pods.

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::api::{Api, Patch, PatchParams, PostParams};
use serde_json::json;

use super::Fixture;

impl Fixture {
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

/// L17: the Pod Security Standard `restricted` admits the manager with its defaults, and jobs with the necessary
/// settings.
#[tokio::test]
async fn pod_security_restricted_admits_manager_and_jobs() {
    let fixture = Fixture::authenticated("admission_restricted", json!({ "restricted_jobs": true })).await;
    fixture.enforce("restricted").await;
    fixture.runs_a_job().await;
}

/// L17: `baseline` admits jobs with their defaults.
#[tokio::test]
async fn pod_security_baseline_admits_jobs() {
    let fixture = Fixture::registered("admission_baseline", json!({})).await;
    fixture.enforce("baseline").await;
    fixture.runs_a_job().await;
}

/// L18: the error of a quota that rejects the pods of the manager has the reason from the ReplicaSet, and the next
/// apply succeeds.
#[tokio::test]
async fn quota_that_rejects_pods_is_explained() {
    let fixture = Fixture::authenticated("admission_quota", json!({ "create_timeout": "10s" })).await;
    let quotas = fixture.stage.kubernetes.api::<ResourceQuota>(fixture.stage.namespace.name());
    let quota = json!({ "metadata": { "name": "limits" }, "spec": { "hard": { "limits.memory": "1Gi" } } });
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("failed quota: limits: must specify limits.memory"), "{printed}");
    fixture.workspace.set(&json!({
        "resources": { "limits": { "memory": "256Mi" }, "requests": { "memory": "64Mi" } }, "create_timeout": null,
    }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    quotas.delete("limits", &kube::api::DeleteParams::default()).await.unwrap();
    fixture.destroy().await;
}
