//! Adoption in place of releases that Helm installed from the official chart.

pub(crate) mod helm;

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Engine, KubernetesFault, Stage, Workspace, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use self::helm::{Chart, Helm, pods_and_replica_sets};
use super::{ADDRESS, GUIDE, NAME, files, generation, id, replica_sets, variables, with_token};

/// Asserts that an object is managed, without labels, annotations and field managers of Helm.
fn assert_ours(metadata: &ObjectMeta) {
    assert_eq!(metadata.labels.as_ref().unwrap()["app.kubernetes.io/managed-by"], "gitlabspot");
    let annotations = metadata.annotations.iter().flatten();
    assert!(annotations.into_iter().all(|(name, _)| !name.starts_with("meta.helm.sh/")), "{metadata:?}");
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.manager.as_deref());
    assert!(managers.into_iter().all(|manager| manager != "helm"), "{metadata:?}");
}

/// An object like those in `extraObjects` of the chart.
fn extra(stage: &Stage) -> Value {
    let metadata = json!({ "name": "extra", "namespace": stage.namespace.name() });
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { "a": "b" } })
}

/// Installs a chart and waits for its pod. Returns the UIDs of pods and ReplicaSets.
async fn installed(stage: &Stage, helm: Helm, chart: Chart) -> BTreeMap<String, String> {
    stage.namespace.create().await;
    helm.install(stage, chart).await;
    until("the chart's pod runs", async || {
        let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
        deployment.status.and_then(|status| status.available_replicas) == Some(1)
    })
    .await;
    pods_and_replica_sets(stage).await
}

/// The pod template in the API.
async fn template(stage: &Stage) -> Value {
    let deployment: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    json!(deployment.spec.template)
}

/// Whether the pod template has parts that only the chart adds.
fn leftovers(template: &Value) -> [bool; 3] {
    let container = &template["spec"]["containers"][0];
    let is_named = |list: &Value, name: &str| list.as_array().unwrap().iter().any(|item| item["name"] == name);
    [
        container["lifecycle"].is_object(),
        is_named(&container["env"], "SESSION_SERVER_ADDRESS"),
        is_named(&template["spec"]["volumes"], "runner-secrets"),
    ]
}

async fn import(stage: &Stage, workspace: &Workspace, by_block: bool) {
    if by_block {
        workspace.write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  id = {:?}\n}}\n", id(stage)));
    } else {
        let printed = workspace.try_import(ADDRESS, &id(stage)).await.succeeded();
        assert!(
            printed.prose().contains("was installed by Helm from the chart gitlab-runner 0.86.0 (18.9.0)"),
            "{printed}"
        );
    }
}

async fn records(stage: &Stage) -> Vec<String> {
    let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
    let all = secrets.list(&ListParams::default()).await.unwrap();
    all.into_iter().filter_map(|secret| secret.metadata.name).filter(|name| name.starts_with("sh.helm")).collect()
}

async fn assert_adopted_without_restart(stage: &Stage, helm: Helm, by_block: bool) {
    let namespace = stage.namespace.name();
    let chart = Chart::guide(stage, "https://gitlab.com/").with(extra(stage));
    let before = installed(stage, helm, chart).await;
    let (found, uid) = (template(stage).await, stage.kubernetes.get::<Deployment>(namespace, NAME).await.metadata.uid);
    let mut given = variables(stage);
    given["runner_version"] = "18.9.0".into();
    let workspace = stage.testdata("runner_release/values", given).await;
    workspace.write("values.yaml", GUIDE);
    import(stage, &workspace, by_block).await;
    let plan = workspace.plan().await;
    assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    let printed = plan.output().prose();
    assert!(printed.contains("its pods are preserved") && !printed.contains("Values of the Helm release"), "{printed}");
    let printed = workspace.apply().await.prose();
    assert!(printed.contains(&format!("ConfigMap {namespace}/extra. They are no longer managed")), "{printed}");
    workspace.assert_stable().await;

    assert_eq!(pods_and_replica_sets(stage).await, before);
    assert_eq!(template(stage).await, found);
    let after: Deployment = stage.kubernetes.get(namespace, NAME).await;
    assert_eq!(after.metadata.uid, uid);
    assert_ours(&after.metadata);
    assert_eq!(records(stage).await, [""; 0]);
    assert_ours(&stage.kubernetes.get::<Secret>(namespace, NAME).await.metadata);
    assert_ours(&stage.kubernetes.get::<ConfigMap>(namespace, NAME).await.metadata);
    assert_ours(&stage.kubernetes.get::<Role>(namespace, NAME).await.metadata);
    assert!(files(stage).await.contains_key("export-secrets"));

    // The first change replaces the chart's pod template, once.
    assert_eq!(leftovers(&template(stage).await), [true; 3]);
    workspace.write("values.yaml", &format!("{GUIDE}\nconcurrent: 4\n"));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replica_sets(stage).await, 2);
    assert_eq!(leftovers(&template(stage).await), [false; 3]);

    workspace.destroy().await;
    let config_maps = stage.kubernetes.api::<ConfigMap>(namespace);
    config_maps.delete("extra", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
}

/// R3: a release of Helm 3 is adopted in place without a restart of its pods.
#[tokio::test]
async fn helm_3_release_is_adopted_without_a_restart() {
    let stage = Stage::new("runner_release/helm_3", Engine::opentofu()).await;
    assert_adopted_without_restart(&stage, Helm::Three, false).await;
}

/// R3: the same with the server-side applied objects of Helm 4, and with an import block.
#[tokio::test]
async fn helm_4_release_is_adopted_without_a_restart() {
    let stage = Stage::new("runner_release/helm_4", Engine::opentofu()).await;
    assert_adopted_without_restart(&stage, Helm::Four, true).await;
}

/// R3: adopted pods are managed like others, until another token replaces them.
#[tokio::test]
async fn adopted_pods_are_managed_until_replaced() {
    let stage = Stage::new("runner_release/kept", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    let before = installed(&stage, Helm::Three, Chart::adopted(&stage)).await;
    let deployments = stage.kubernetes.api::<Deployment>(namespace);
    // A change like that of `kubectl annotate`, with a third field manager.
    let noted = json!({ "metadata": { "annotations": { "example.com/note": "1" } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Merge(&noted)).await.unwrap();
    let found = template(&stage).await;
    let mut given = with_token(&stage, "runner_token", "glrt-x");
    given["restart_on"] = json!({ "cache": "1" });
    let workspace = stage.testdata("runner_release/adopted", given).await;
    import(&stage, &workspace, false).await;
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains("its pods are preserved") && !printed.contains("Values of the Helm release"), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((pods_and_replica_sets(&stage).await, template(&stage).await), (before.clone(), found.clone()));

    // A second import has the same attributes.
    workspace.assert_import(ADDRESS, &id(&stage), &[]).await;

    // A manual change.
    let container = json!({ "name": NAME, "image": "example.com/other:1" });
    let edited = json!({ "spec": { "template": { "spec": { "containers": [container] } } } });
    deployments.patch(NAME, &PatchParams::default(), &Patch::Strategic(&edited)).await.unwrap();
    let plan = workspace.plan().await;
    let manifest = &plan.change(ADDRESS)["before"]["manifest"];
    let key = format!("Deployment {namespace}/{NAME}");
    assert!(manifest[&key].as_str().unwrap().contains("example.com/other:1"), "{manifest}");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(template(&stage).await, found);

    // A repaired Secret has the token with which the pods were started, and so has an unchanged token with a new
    // version.
    let secrets = stage.kubernetes.api::<Secret>(namespace);
    let edited = Patch::Merge(json!({ "stringData": { "runner-token": "glrt-wrong" } }));
    secrets.patch(NAME, &PatchParams::default(), &edited).await.unwrap();
    workspace.set(&json!({ "runner_token_version": 2 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(secrets.get(NAME).await.unwrap().data.unwrap()["runner-token"].0, b"glrt-x");
    assert_eq!(template(&stage).await, found);

    // A new token replaces the pods once.
    let sets = replica_sets(&stage).await;
    let count = generation(&stage).await;
    workspace.set(&json!({ "runner_token": "glrt-y", "runner_token_version": 3 }));
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!((replica_sets(&stage).await, generation(&stage).await), (sets + 1, count + 1));
    assert_eq!(leftovers(&template(&stage).await), [false; 3]);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// R3: a changed Secret and values in `restart_on` each replace adopted pods once.
#[tokio::test]
async fn adopted_pods_restart_when_their_secrets_change() {
    for what in ["secret", "restart_on"] {
        let stage = Stage::new(&format!("runner_release/kept_{what}"), Engine::opentofu()).await;
        let before = installed(&stage, Helm::Four, Chart::adopted(&stage)).await;
        let workspace = stage.testdata("runner_release/adopted", with_token(&stage, "runner_token", "glrt-x")).await;
        import(&stage, &workspace, true).await;
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(pods_and_replica_sets(&stage).await, before);
        if what == "secret" {
            let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
            let secret =
                json!({ "metadata": { "name": "gitlab-runner-s3-access" }, "stringData": { "accesskey": "a" } });
            let secret: Secret = serde_json::from_value(secret).unwrap();
            secrets.create(&PostParams::default(), &secret).await.unwrap();
        } else {
            workspace.set(&json!({ "restart_on": { "cache": "2" } }));
        }
        workspace.apply().await;
        workspace.assert_stable().await;
        assert_eq!(replica_sets(&stage).await, 2);
        assert_eq!(leftovers(&template(&stage).await), [false; 3]);
        workspace.destroy().await;
    }
}

/// R3: the plan of a configuration that requires other pods lists the differences, and the apply replaces them once.
#[tokio::test]
async fn differing_configuration_is_named_and_replaces_the_pods() {
    let stage = Stage::new("runner_release/helm_differs", Engine::opentofu()).await;
    let mut chart = Chart::adopted(&stage);
    chart.values["hostname"] = "very-secret".into();
    chart.values["metrics"] = json!({ "enabled": true, "port": 9252 });
    let pod = &mut chart.object("Deployment")["spec"]["template"]["spec"];
    pod["containers"][0]["image"] = "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.9.0".into();
    pod["containers"][0]["env"][4]["value"] = "very-secret".into();
    pod["hostname"] = "of-the-chart".into();
    chart.object("ConfigMap")["data"]["of-the-chart-alone"] = "x".into();
    chart.object("Secret")["data"]["runner-token"] = "Z2xydC1vbGQ=".into();
    let _ = installed(&stage, Helm::Three, chart).await;
    let mut given = with_token(&stage, "runner_token", "glrt-x");
    given["concurrent"] = 4.into();
    given["runner_version"] = "19.3.0".into();
    let workspace = stage.testdata("runner_release/adopted", given).await;
    import(&stage, &workspace, false).await;
    let plan = workspace.plan().await;
    let printed = plan.output().prose();
    for text in [
        "its pods are replaced once",
        "spec.template.spec.containers[gitlab-runner].image (image): \
         registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.9.0 exists, \
         registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v19.3.0 is configured",
        "spec.template.spec.containers[gitlab-runner].env[PASSWORD].value (extra_env)",
        "spec.template.spec.hostname (hostname): of-the-chart exists, nothing is configured",
        "config.toml: concurrent",
        "The chart deploys GitLab Runner 18.9.0 by default: runner_version = \"18.9.0\".",
        "or differ from it: hostname, metrics.enabled, metrics.port. The apply uses",
        "config_maps[\"of-the-chart-alone\"]",
        "the runner's token",
    ] {
        assert!(printed.contains(text), "{text} in {printed}");
    }
    let (_, detail) = printed.split_once("its pods are replaced once").unwrap();
    for text in ["very-secret", "of-the-pod", "glrt-", "checksum", "runner-secrets", "SESSION_SERVER_ADDRESS", "cpu"] {
        assert!(!detail.contains(text), "{text} in {detail}");
    }
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(replica_sets(&stage).await, 2);
    assert_eq!(leftovers(&template(&stage).await), [false; 3]);
    assert!(!files(&stage).await.contains_key("of-the-chart-alone"));
    assert!(!template(&stage).await.to_string().contains("of-the-chart"));
    assert_eq!(records(&stage).await, [""; 0]);
    let state = std::fs::read_to_string(workspace.folder().join("terraform.tfstate")).unwrap();
    assert!(!state.contains("very-secret"));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// R3: the next apply continues an interrupted adoption, and the pods still do not restart.
#[tokio::test]
async fn interrupted_adoption_continues() {
    let stage = Stage::new("runner_release/helm_stops", Engine::opentofu()).await;
    let proxy = stage.kubernetes_faults();
    let before = installed(&stage, Helm::Three, Chart::adopted(&stage)).await;
    let workspace = stage.testdata("runner_release/adopted", with_token(&stage, "runner_token", "glrt-x")).await;
    import(&stage, &workspace, false).await;
    // At this point, ownership was moved and the ConfigMap was applied.
    let path = format!("/deployments/{NAME}?");
    let refused = KubernetesFault::error("PATCH", &path, 403, "Forbidden", "not now");
    proxy.inject(refused.without("dryRun").after(1));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("Cannot apply the runner release") && printed.contains("not now"), "{printed}");
    assert!(files(&stage).await.contains_key("export-secrets"));
    assert_eq!(records(&stage).await.len(), 2);
    let printed = workspace.plan().await.output().prose();
    assert!(printed.contains("its pods are preserved"), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(pods_and_replica_sets(&stage).await, before);
    assert_eq!(records(&stage).await, [""; 0]);
    assert_ours(&stage.kubernetes.get::<Deployment>(stage.namespace.name(), NAME).await.metadata);
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// R3: roles in the namespace of the jobs also belong to the release: they are adopted, and deleted with it.
#[tokio::test]
async fn roles_in_the_job_namespace_are_adopted() {
    let stage = Stage::new("runner_release/helm_jobs", Engine::opentofu()).await;
    let jobs = format!("{}-jobs", stage.namespace.name());
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": jobs } });
    let _ = namespaces.create(&PostParams::default(), &serde_json::from_value(namespace).unwrap()).await.unwrap();
    let mut chart = Chart::adopted(&stage);
    for kind in ["Role", "RoleBinding"] {
        chart.object(kind)["metadata"]["namespace"] = jobs.as_str().into();
    }
    let text = &mut chart.object("ConfigMap")["data"]["config.template.toml"];
    *text = text.as_str().unwrap().replace(&format!("{:?}", stage.namespace.name()), &format!("{jobs:?}")).into();
    let before = installed(&stage, Helm::Three, chart).await;
    let mut given = with_token(&stage, "runner_token", "glrt-x");
    given["job_namespace"] = jobs.as_str().into();
    let workspace = stage.testdata("runner_release/adopted", given).await;
    let printed = workspace.try_import(ADDRESS, &id(&stage)).await.succeeded().prose();
    assert!(printed.contains(&format!("RoleBinding {jobs}/{NAME}")), "{printed}");
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(pods_and_replica_sets(&stage).await, before);
    let role: Role = stage.kubernetes.get(&jobs, NAME).await;
    assert_ours(&role.metadata);

    // After a crash before the state is written, the namespace is searched for the objects.
    let _ = workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let _ = workspace.try_import(ADDRESS, &id(&stage)).await.succeeded();
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    assert_eq!(stage.kubernetes.objects(&jobs).await, [""; 0]);
    let _ = namespaces.delete(&jobs, &DeleteParams::default()).await.unwrap();
}

/// R3: an import without an apply changes nothing of Helm's release.
#[tokio::test]
async fn import_without_apply_changes_nothing() {
    let stage = Stage::new("runner_release/helm_left", Engine::opentofu()).await;
    let _ = installed(&stage, Helm::Three, Chart::adopted(&stage)).await;
    let before: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    let workspace = stage.testdata("runner_release/adopted", with_token(&stage, "runner_token", "glrt-new")).await;
    let _ = workspace.try_import(ADDRESS, &id(&stage)).await.succeeded();
    let printed = workspace.destroy().await.prose();
    assert!(printed.contains("Release managed by Helm was not removed"), "{printed}");
    let after: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    assert_eq!((after.metadata.uid, after.spec), (before.metadata.uid, before.spec));
    assert!(!workspace.state().await.contains(ADDRESS));
}
