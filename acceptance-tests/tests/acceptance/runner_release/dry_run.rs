//! What the cluster would refuse is told by the plan, before anything is applied.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use gitlabspot_acceptance_tests::{Engine, KubernetesFault, Stage, Workspace};
use k8s_openapi::api::admissionregistration::v1::{ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding};
use k8s_openapi::api::core::v1::{ConfigMap, ResourceQuota, Service};
use kube::api::{Api, DeleteParams, PostParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{ADDRESS, NAME, generation, variables, with_token};

async fn create<K: Clone + DeserializeOwned + Serialize + Debug>(api: &Api<K>, object: Value) {
    api.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.map(drop).unwrap();
}

/// A release with further attributes.
async fn release(stage: &Stage, attributes: &str) -> Workspace {
    let workspace = stage.testdata("runner_release/typed", with_token(stage, "runner_token", "glrt-x")).await;
    add(&workspace, attributes);
    workspace
}

fn add(workspace: &Workspace, attributes: &str) {
    let text = format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  {attributes}\n}}\n");
    workspace.write("attributes_override.tf", &text);
}

/// The plan is refused with all of these, at this attribute, and nothing has come of it.
async fn assert_refused(stage: &Stage, workspace: &Workspace, attribute: &str, texts: &[&str]) {
    let before = stage.namespace.objects().await;
    let said = workspace.try_plan().await.unwrap_err().prose();
    for text in texts.iter().chain(&["Not accepted by the cluster", "Nothing was changed"]) {
        assert!(said.contains(text), "{text} in {said}");
    }
    assert!(said.contains(&format!("{attribute} =")), "{attribute} in {said}");
    assert_eq!(stage.namespace.objects().await, before);
}

/// Only the server knows that a mount has no volume; a plan that is not refused is applied as ever.
#[tokio::test]
async fn an_invalid_value_is_refused_by_the_plan() {
    let stage = Stage::new("runner_release/dry_run", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    let wrong = "create_namespace = false\n  volume_mounts = [{ name = \"not-there\", mount_path = \"/x\" }]";
    add(&workspace, wrong);
    let object = format!("Deployment {}/{NAME} was rejected", stage.namespace.name());
    assert_refused(&stage, &workspace, "volume_mounts", &[&object, "Not found: \"not-there\""]).await;
    assert_eq!(stage.namespace.objects().await, [""; 0]);

    add(&workspace, "create_namespace = false");
    workspace.apply().await;
    workspace.assert_stable().await;
    let before = generation(&stage).await;
    add(&workspace, wrong);
    assert_refused(&stage, &workspace, "volume_mounts", &[&object]).await;
    assert_eq!(generation(&stage).await, before);
    add(&workspace, "create_namespace = false");
    workspace.destroy().await;
    stage.assert_nothing_left().await;
}

/// A quota and a policy of the cluster say no.
#[tokio::test]
async fn quotas_and_policies_are_asked() {
    let stage = Stage::new("runner_release/policy", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    let quotas = stage.kubernetes.api::<ResourceQuota>(namespace);
    let quota = json!({ "metadata": { "name": "few" }, "spec": { "hard": { "services": "0" } } });
    create(&quotas, quota).await;
    // A quota counts from when its controller has seen it.
    while quotas.get("few").await.unwrap().status.and_then(|status| status.hard).is_none() {
        tokio::task::yield_now().await;
    }
    let object = format!("Service {namespace}/{NAME} was rejected");
    assert_refused(&stage, &workspace, "service", &[&object, "exceeded quota: few"]).await;
    quotas.delete("few", &DeleteParams::default()).await.unwrap();

    let policies: Api<ValidatingAdmissionPolicy> = Api::all(stage.kubernetes.client());
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(stage.kubernetes.client());
    create(&policies, json!({
        "metadata": { "name": namespace },
        "spec": {
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["services"],
            }] },
            "validations": [{ "expression": "has(object.metadata.annotations)", "message": "say whose it is" }],
            "matchConditions": [{ "name": "here", "expression": format!("object.metadata.namespace == '{namespace}'") }],
        },
    }))
    .await;
    let rule = json!({ "metadata": { "name": namespace }, "spec": { "policyName": namespace, "validationActions": ["Deny"] } });
    create(&bindings, rule).await;
    // The policy counts from when the server has read it.
    let mut said = workspace.try_plan().await;
    while said.is_ok() {
        said = workspace.try_plan().await;
    }
    assert_refused(&stage, &workspace, "service", &[&object, "say whose it is"]).await;
    add(&workspace, "create_namespace = false\n  service = { enabled = true, annotations = { team = \"ci\" } }");
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    bindings.delete(namespace, &DeleteParams::default()).await.unwrap();
    policies.delete(namespace, &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_left().await;
}

/// Who plans to destroy is not kept from it by what could not be made again.
#[tokio::test]
async fn a_refused_repair_lets_destroy_end() {
    let stage = Stage::new("runner_release/refused_repair", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    workspace.apply().await;
    let quotas = stage.kubernetes.api::<ResourceQuota>(namespace);
    create(&quotas, json!({ "metadata": { "name": "few" }, "spec": { "hard": { "services": "0" } } })).await;
    while quotas.get("few").await.unwrap().status.and_then(|status| status.hard).is_none() {
        tokio::task::yield_now().await;
    }
    stage.kubernetes.api::<Service>(namespace).delete(NAME, &DeleteParams::default()).await.unwrap();
    let plan = workspace.plan().await;
    assert!(plan.output().prose().contains("exceeded quota: few"), "{}", plan.output());
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("Cannot apply the runner release") && said.contains("exceeded quota: few"), "{said}");
    workspace.destroy().await;
    quotas.delete("few", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_left().await;
}

/// The values file is to blame where no attribute is given.
#[tokio::test]
async fn a_values_file_is_named() {
    let stage = Stage::new("runner_release/dry_run_values", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    workspace.write(
        "values.yaml",
        "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\nvolumeMounts: [{ name: not-there, mountPath: /x }]\n",
    );
    assert_refused(&stage, &workspace, "values", &["Not found: \"not-there\""]).await;
}

/// Without a cluster that answers a plan is the same, and says nothing. That the cluster does not accept the token is told.
#[tokio::test]
async fn a_plan_without_a_way_to_the_cluster_is_the_same() {
    let stage = Stage::new("runner_release/no_dry_run", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = release(&stage, "cluster_name = null").await;
    let elsewhere = |kubernetes: Value| {
        let provider = json!({ "provider": { "gitlabspot": { "kubernetes": kubernetes } } });
        workspace.write("provider_override.tf.json", &provider.to_string());
    };
    let wrong = "cluster_name = null\n  volume_mounts = [{ name = \"not-there\", mount_path = \"/x\" }]";
    add(&workspace, wrong);
    // Nobody listens at the first; the second takes no such token.
    let proxy = stage.kubernetes_faults();
    for (host, authority) in [("https://127.0.0.1:9".to_owned(), None), (proxy.host(), Some(proxy.authority()))] {
        elsewhere(json!({ "host": host, "token": "x", "cluster_ca_certificate": &authority }));
        let plan = workspace.plan().await;
        assert_eq!(plan.changes(), BTreeMap::from([(ADDRESS.to_owned(), vec!["create".to_owned()])]));
        let said = plan.output().prose();
        let is_refused =
            said.contains("Warning: Plan not validated on the cluster") && said.contains("401 Unauthorized");
        assert_eq!((said.contains("Warning"), is_refused), (authority.is_some(), authority.is_some()), "{said}");
    }
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    assert!(config_maps.get_opt(NAME).await.unwrap().is_none());
}

/// The API server answers objects of a wrong shape as if it were in trouble itself. They are refused at once, where they
/// come from, and nothing is applied.
#[tokio::test]
async fn a_wrong_shape_is_refused_by_the_plan() {
    let stage = Stage::new("runner_release/shapes", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    let usual = "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\n";
    for (values, field, reason) in [
        ("securityContext: {runAsUsr: 999}", "securityContext.runAsUsr", "this field does not exist"),
        ("tolerations: [{operatr: Exists}]", "spec.template.spec.tolerations[0].operatr", "this field does not exist"),
        ("affinity: {nodeAffinty: {}}", "spec.template.spec.affinity.nodeAffinty", "this field does not exist"),
        ("resources: {limits: {cpu: lots}}", "resources.limits.cpu", "\"lots\" is not a quantity"),
        ("podLabels: {team: {name: ci}}", "", "was rejected"),
    ] {
        workspace.write("values.yaml", &format!("{usual}{values}\n"));
        match workspace.try_plan().await {
            Err(output) => {
                let said = output.prose();
                assert!(said.contains(field) && said.contains(reason) || field.is_empty(), "{values}: {said}");
                assert!(said.contains("values ="), "{values}: {said}");
            }
            Ok(plan) => panic!("{values}: {}", plan.output()),
        }
    }
    assert_eq!(stage.namespace.objects().await, [""; 0]);
}

/// An attribute is named where it is the one that is given.
#[tokio::test]
async fn a_wrong_shape_of_an_attribute() {
    let stage = Stage::new("runner_release/shape_of_attribute", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    add(&workspace, "create_namespace = false\n  volumes = [{ name = \"a\", emptyDir = { sizeLimit = \"big\" } }]");
    let texts = ["spec.template.spec.volumes[", "\"big\" is not a quantity"];
    assert_refused(&stage, &workspace, "volumes", &texts).await;
}

/// A cluster that is too slow is no reason for silence: what it did not say is told.
#[tokio::test]
async fn what_was_not_tried_out_is_told() {
    let stage = Stage::new("runner_release/slow_trial", Engine::opentofu()).await;
    stage.namespace.create().await;
    let proxy = stage.kubernetes_faults();
    let workspace = release(&stage, "create_namespace = false").await;
    proxy.inject(KubernetesFault::delay("PATCH", "/deployments/", Duration::from_secs(40)));
    let plan = workspace.plan().await;
    let said = plan.output().prose();
    let deployment =
        format!("The cluster did not answer for Deployment {}/{NAME} within 30 seconds", stage.namespace.name());
    assert!(said.contains("Plan not completely validated on the cluster") && said.contains(&deployment), "{said}");
    assert_eq!(plan.changes(), BTreeMap::from([(ADDRESS.to_owned(), vec!["create".to_owned()])]));
}

/// A namespace of jobs that is not there is found before anything is created.
#[tokio::test]
async fn a_missing_namespace_of_jobs() {
    let stage = Stage::new("runner_release/job_namespace", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    workspace.write(
        "values.yaml",
        "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\nrbac: {create: true}\nrunners:\n  config: |\n    [[runners]]\n      \
         [runners.kubernetes]\n        namespace = \"not-there\"\n",
    );
    let said = workspace.try_apply().await.failed();
    assert!(said.contains("The namespace not-there of Role not-there/"), "{said}");
    assert!(said.contains("Nothing was created"), "{said}");
    assert_eq!(stage.namespace.objects().await, [""; 0]);
}
