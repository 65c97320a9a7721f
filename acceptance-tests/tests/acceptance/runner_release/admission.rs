//! Changes of objects by admission are not drift, unlike later changes by others.

use gitlabspot_acceptance_tests::Stage;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};

use super::{NAME, end, generation, replica_sets, typed};

const MIRROR: &str = "mirror.example.com/runner:1";

fn api(stage: &Stage, kind: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("admissionregistration.k8s.io", "v1", kind);
    let mut resource = ApiResource::from_gvk(&kind);
    resource.plural = resource.plural.replace("policys", "policies");
    Api::all_with(stage.kubernetes.client(), &resource)
}

/// Creates an admission policy that replaces the image and adds a toleration.
async fn mutate(stage: &Stage) {
    let name = stage.namespace.name();
    let added = r#"{"key": "added", "operator": "Exists"}"#;
    let patch = format!(
        r#"[JSONPatch{{op: "replace", path: "/spec/template/spec/containers/0/image", value: "{MIRROR}"}},
            JSONPatch{{op: "add", path: "/spec/template/spec/tolerations/-", value: {added}}}]"#
    );
    let is_new = "!object.spec.template.spec.tolerations.exists(it, has(it.key) && it.key == 'added')";
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": { "name": name },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"],
            }] },
            "matchConditions": [
                { "name": "here", "expression": format!("object.metadata.namespace == '{name}'") },
                { "name": "once", "expression": is_new },
            ],
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": { "expression": patch } }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": { "name": name }, "spec": { "policyName": name },
    });
    for (kind, object) in [("MutatingAdmissionPolicy", policy), ("MutatingAdmissionPolicyBinding", binding)] {
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        api(stage, kind).create(&PostParams::default(), &object).await.map(drop).unwrap();
    }
}

/// R25: if a policy replaces the image and adds a toleration, the plan of a change warns about it, the plan after an
/// apply is empty, and nothing restarts. Later manual changes are shown and repaired.
#[tokio::test]
async fn changes_by_admission_are_not_drift() {
    let (stage, workspace) = typed("admission").await;
    workspace.apply().await;
    mutate(&stage).await;
    // The policy applies only after the API server has read it.
    let foretold = async |attributes: &str| {
        let text = format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  {attributes}\n}}\n");
        workspace.write("attributes_override.tf", &text);
        workspace.plan().await.output().to_string().contains("Objects are changed by cluster admission")
    };
    let mut attempt = 0;
    while !foretold(&format!("deployment_labels = {{ attempt = \"{attempt}\" }}")).await {
        attempt += 1;
        assert!(attempt < 20, "no policy");
    }
    let printed = workspace.apply().await;
    assert!(printed.to_string().contains(MIRROR), "{printed}");
    workspace.assert_stable().await;
    let (before, sets) = (generation(&stage).await, replica_sets(&stage).await);

    assert!(foretold("deployment_labels = { another = \"1\" }").await);
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((generation(&stage).await, replica_sets(&stage).await), (before, sets));

    let deployments = stage.kubernetes.api::<Deployment>(stage.namespace.name());
    let existing: Value =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": NAME, "image": "by-hand" }] } } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Strategic(existing)).await.unwrap();
    assert!(!workspace.plan().await.is_empty());
    workspace.apply().await;
    workspace.assert_stable().await;
    let repaired = json!(deployments.get(NAME).await.unwrap());
    assert_eq!(repaired["spec"]["template"]["spec"]["containers"][0]["image"], MIRROR);
    for kind in ["MutatingAdmissionPolicyBinding", "MutatingAdmissionPolicy"] {
        api(&stage, kind).delete(stage.namespace.name(), &DeleteParams::default()).await.map(drop).unwrap();
    }
    end(&stage, &workspace).await;
}
