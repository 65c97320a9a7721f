//! The plan reports objects that the cluster would refuse, before anything is applied.

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

/// A workspace with a release and further attributes.
async fn release(stage: &Stage, attributes: &str) -> Workspace {
    let workspace = stage.testdata("runner_release/typed", with_token(stage, "runner_token", "glrt-x")).await;
    add(&workspace, attributes);
    workspace
}

fn add(workspace: &Workspace, attributes: &str) {
    let text = format!("resource \"gitlabspot_runner_release\" \"runner\" {{\n  {attributes}\n}}\n");
    workspace.write("attributes_override.tf", &text);
}

/// Asserts that the plan is refused with these texts at this attribute, and that nothing was created.
async fn assert_refused(stage: &Stage, workspace: &Workspace, attribute: &str, texts: &[&str]) {
    let before = stage.namespace.objects().await;
    let printed = workspace.try_plan().await.unwrap_err().prose();
    for text in texts.iter().chain(&["Not accepted by the cluster", "Nothing was changed"]) {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    assert!(printed.contains(&format!("{attribute} =")), "{attribute} in {printed}");
    assert_eq!(stage.namespace.objects().await, before);
}

/// Only the server detects a mount without a volume. A plan that is not refused can be applied.
#[tokio::test]
async fn dry_run_refuses_invalid_values_at_plan() {
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
    stage.assert_nothing_remains().await;
}

/// A quota and an admission policy refuse the objects.
#[tokio::test]
async fn dry_run_checks_quotas_and_policies() {
    let stage = Stage::new("runner_release/policy", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    let quotas = stage.kubernetes.api::<ResourceQuota>(namespace);
    let quota = json!({ "metadata": { "name": "few" }, "spec": { "hard": { "services": "0" } } });
    create(&quotas, quota).await;
    // A quota applies only after its controller has read it.
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
    // The policy applies only after the API server has read it.
    let mut printed = workspace.try_plan().await;
    while printed.is_ok() {
        printed = workspace.try_plan().await;
    }
    assert_refused(&stage, &workspace, "service", &[&object, "say whose it is"]).await;
    add(&workspace, "create_namespace = false\n  service = { enabled = true, annotations = { team = \"ci\" } }");
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    bindings.delete(namespace, &DeleteParams::default()).await.unwrap();
    policies.delete(namespace, &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// A destroy succeeds if an object could not be created again.
#[tokio::test]
async fn refused_repair_does_not_prevent_destroy() {
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
    let printed = workspace.try_apply().await.failed();
    assert!(
        printed.contains("Cannot apply the runner release") && printed.contains("exceeded quota: few"),
        "{printed}"
    );
    workspace.destroy().await;
    quotas.delete("few", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// The error names the values file if the attribute is not set.
#[tokio::test]
async fn dry_run_error_names_the_values_file() {
    let stage = Stage::new("runner_release/dry_run_values", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    workspace.write(
        "values.yaml",
        "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\nvolumeMounts: [{ name: not-there, mountPath: /x }]\n",
    );
    assert_refused(&stage, &workspace, "values", &["Not found: \"not-there\""]).await;
}

/// If the cluster does not respond, the plan is the same, without a warning. A token that the cluster rejects is a
/// warning.
#[tokio::test]
async fn unreachable_cluster_does_not_change_the_plan() {
    let stage = Stage::new("runner_release/no_dry_run", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = release(&stage, "cluster_name = null").await;
    let elsewhere = |kubernetes: Value| {
        let provider = json!({ "provider": { "gitlabspot": { "kubernetes": kubernetes } } });
        workspace.write("provider_override.tf.json", &provider.to_string());
    };
    let wrong = "cluster_name = null\n  volume_mounts = [{ name = \"not-there\", mount_path = \"/x\" }]";
    add(&workspace, wrong);
    // No server listens at the first host. The second rejects the token.
    let proxy = stage.kubernetes_faults();
    for (host, authority) in [("https://127.0.0.1:9".to_owned(), None), (proxy.host(), Some(proxy.authority()))] {
        elsewhere(json!({ "host": host, "token": "x", "cluster_ca_certificate": &authority }));
        let plan = workspace.plan().await;
        assert_eq!(plan.changes(), BTreeMap::from([(ADDRESS.to_owned(), vec!["create".to_owned()])]));
        let printed = plan.output().prose();
        let is_refused =
            printed.contains("Warning: Plan not validated on the cluster") && printed.contains("401 Unauthorized");
        assert_eq!((printed.contains("Warning"), is_refused), (authority.is_some(), authority.is_some()), "{printed}");
    }
    let config_maps = stage.kubernetes.api::<ConfigMap>(stage.namespace.name());
    assert!(config_maps.get_opt(NAME).await.unwrap().is_none());
}

/// The API server returns an internal error for objects with wrong types. They are refused by the plan with the path of
/// the wrong field, and nothing is applied.
#[tokio::test]
async fn wrong_types_are_refused_at_plan() {
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
                let printed = output.prose();
                assert!(printed.contains(field) && printed.contains(reason) || field.is_empty(), "{values}: {printed}");
                assert!(printed.contains("values ="), "{values}: {printed}");
            }
            Ok(plan) => panic!("{values}: {}", plan.output()),
        }
    }
    assert_eq!(stage.namespace.objects().await, [""; 0]);
}

/// The error has the attribute if it is the source of the value.
#[tokio::test]
async fn wrong_type_names_the_attribute() {
    let stage = Stage::new("runner_release/shape_of_attribute", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = release(&stage, "create_namespace = false").await;
    add(&workspace, "create_namespace = false\n  volumes = [{ name = \"a\", emptyDir = { sizeLimit = \"big\" } }]");
    let texts = ["spec.template.spec.volumes[", "\"big\" is not a quantity"];
    assert_refused(&stage, &workspace, "volumes", &texts).await;
}

/// A dry run that times out is a warning with the objects that were not validated.
#[tokio::test]
async fn skipped_dry_run_is_a_warning() {
    let stage = Stage::new("runner_release/slow_trial", Engine::opentofu()).await;
    stage.namespace.create().await;
    let proxy = stage.kubernetes_faults();
    let workspace = release(&stage, "create_namespace = false").await;
    proxy.inject(KubernetesFault::delay("PATCH", "/deployments/", Duration::from_secs(40)));
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    let deployment =
        format!("The cluster did not answer for Deployment {}/{NAME} within 30 seconds", stage.namespace.name());
    assert!(
        printed.contains("Plan not completely validated on the cluster") && printed.contains(&deployment),
        "{printed}"
    );
    assert_eq!(plan.changes(), BTreeMap::from([(ADDRESS.to_owned(), vec!["create".to_owned()])]));
}

/// A job namespace that does not exist is reported before anything is created.
#[tokio::test]
async fn missing_job_namespace_is_refused_at_plan() {
    let stage = Stage::new("runner_release/job_namespace", Engine::opentofu()).await;
    stage.namespace.create().await;
    let workspace = stage.testdata("runner_release/values", variables(&stage)).await;
    workspace.write(
        "values.yaml",
        "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\nrbac: {create: true}\nrunners:\n  config: |\n    [[runners]]\n      \
         [runners.kubernetes]\n        namespace = \"not-there\"\n",
    );
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("The namespace not-there of Role not-there/"), "{printed}");
    assert!(printed.contains("Nothing was created"), "{printed}");
    assert_eq!(stage.namespace.objects().await, [""; 0]);
}
