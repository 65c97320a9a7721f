//! Releases that Helm installed from the official chart become ours in place.

use std::fmt::Debug;

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::Resource;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{ADDRESS, NAME, files, id, with_token};

/// How a version of Helm writes objects: under the same name, in two ways.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Helm {
    Three,
    Four,
}

impl Helm {
    /// An object as Helm leaves it, with the labels and annotations that the chart and Helm itself give it.
    async fn install<K>(self, stage: &Stage, name: &str, object: Value)
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug + Serialize,
    {
        let namespace = stage.namespace.name();
        let mut object = object;
        object["apiVersion"] = json!(K::api_version(&()));
        object["kind"] = json!(K::kind(&()));
        object["metadata"] = json!({
            "name": name,
            "namespace": namespace,
            "labels": {
                "app": NAME, "chart": "gitlab-runner-0.86.0", "release": NAME, "heritage": "Helm",
                "app.kubernetes.io/managed-by": "Helm",
            },
            "annotations": {
                "meta.helm.sh/release-name": NAME, "meta.helm.sh/release-namespace": namespace,
            },
        });
        let object: K = serde_json::from_value(object).unwrap();
        let api = stage.kubernetes.api::<K>(namespace);
        match self {
            Self::Three => {
                let parameters = PostParams { field_manager: Some("helm".to_owned()), ..PostParams::default() };
                api.create(&parameters, &object).await.map(drop).unwrap();
            }
            Self::Four => {
                api.patch(name, &PatchParams::apply("helm"), &Patch::Apply(&object)).await.map(drop).unwrap();
            }
        }
    }

    /// What chart 0.86.0 makes, in short, with an object of `extraObjects` and two revisions of the record.
    pub(crate) async fn install_release(self, stage: &Stage) {
        stage.namespace.create().await;
        self.install::<ServiceAccount>(stage, NAME, json!({})).await;
        self.install::<Secret>(
            stage,
            NAME,
            json!({
                "type": "Opaque", "data": { "runner-token": "Z2xydC1vbGQ=", "runner-registration-token": "" },
            }),
        )
        .await;
        self.install::<ConfigMap>(stage, NAME, json!({
            "data": { "entrypoint": "#!/bin/bash\n", "of-the-chart-alone": "x", "config.toml": "concurrent = 10\n" },
        }))
        .await;
        self.install::<ConfigMap>(stage, "extra", json!({ "data": { "a": "b" } })).await;
        self.install::<Role>(
            stage,
            NAME,
            json!({
                "rules": [{ "apiGroups": [""], "resources": ["*"], "verbs": ["*"] }],
            }),
        )
        .await;
        self.install::<RoleBinding>(
            stage,
            NAME,
            json!({
                "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": NAME },
                "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": stage.namespace.name() }],
            }),
        )
        .await;
        let container = json!({
            "name": NAME, "image": "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v18.9.0",
            "env": [{ "name": "CI_SERVER_URL", "value": "https://gitlab.com/" }, { "name": "OF_THE_CHART", "value": "1" }],
        });
        self.install::<Deployment>(
            stage,
            NAME,
            json!({ "spec": {
            "replicas": 1,
            "selector": { "matchLabels": { "app": NAME } },
            "template": {
                "metadata": { "labels": { "app": NAME, "release": NAME, "heritage": "Helm" } },
                "spec": {
                    "serviceAccountName": NAME, "containers": [container],
                    "volumes": [{ "name": "runner-secrets", "emptyDir": { "medium": "Memory" } }],
                },
            },
        } }),
        )
        .await;
        for revision in ["1", "2"] {
            let record: Secret = serde_json::from_value(json!({
                "metadata": {
                    "name": format!("sh.helm.release.v1.{NAME}.v{revision}"),
                    "labels": { "name": NAME, "owner": "helm", "status": "deployed", "version": revision },
                },
                "type": "helm.sh/release.v1",
                "data": { "release": "e30=" },
            }))
            .unwrap();
            let secrets = stage.kubernetes.api::<Secret>(stage.namespace.name());
            secrets.create(&PostParams::default(), &record).await.unwrap();
        }
    }
}

/// Nothing of Helm is left on an object of ours.
fn assert_ours(metadata: &ObjectMeta) {
    assert_eq!(metadata.labels.as_ref().unwrap()["app.kubernetes.io/managed-by"], "gitlabspot");
    let annotations = metadata.annotations.iter().flatten();
    assert!(annotations.into_iter().all(|(name, _)| !name.starts_with("meta.helm.sh/")), "{metadata:?}");
    let managers = metadata.managed_fields.iter().flatten().filter_map(|entry| entry.manager.as_deref());
    assert!(managers.into_iter().all(|manager| manager != "helm"), "{metadata:?}");
}

async fn adopts(stage: &Stage, helm: Helm, by_block: bool) {
    helm.install_release(stage).await;
    let namespace = stage.namespace.name();
    let before: Deployment = stage.kubernetes.get(namespace, NAME).await;
    let workspace = stage.testdata("runner_release/typed", with_token(stage, "runner_token", "glrt-new")).await;
    if by_block {
        workspace.write("import.tf", &format!("import {{\n  to = {ADDRESS}\n  id = {:?}\n}}\n", id(stage)));
    } else {
        let said = workspace.try_import(ADDRESS, &id(stage)).await.succeeded();
        assert!(said.prose().contains("was installed by Helm"), "{said}");
    }
    assert_eq!(workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    let said = workspace.apply().await.prose();
    assert!(said.contains(&format!("ConfigMap {namespace}/extra. Nothing manages it now")), "{said}");
    workspace.assert_stable().await;

    let after: Deployment = stage.kubernetes.get(namespace, NAME).await;
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(after.metadata.generation, before.metadata.generation.map(|generation| generation + 1));
    assert_ours(&after.metadata);
    let template = json!(after.spec.template).to_string();
    assert!(!template.contains("OF_THE_CHART") && !template.contains("\"runner-secrets\""), "{template}");
    assert!(!files(stage).await.contains_key("of-the-chart-alone"));
    let secrets = stage.kubernetes.api::<Secret>(namespace);
    let names: Vec<String> =
        secrets.list(&ListParams::default()).await.unwrap().into_iter().filter_map(|s| s.metadata.name).collect();
    assert_eq!(names, [NAME]);
    assert_ours(&secrets.get(NAME).await.unwrap().metadata);
    assert_ours(&stage.kubernetes.get::<ConfigMap>(namespace, NAME).await.metadata);
    assert_ours(&stage.kubernetes.get::<Role>(namespace, NAME).await.metadata);

    workspace.destroy().await;
    let config_maps = stage.kubernetes.api::<ConfigMap>(namespace);
    config_maps.delete("extra", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_left().await;
}

/// R3: a release of Helm 3 is taken over in place, and what only the chart had really disappears.
#[tokio::test]
async fn a_release_of_helm_3_is_adopted() {
    let stage = Stage::new("runner_release/helm_3", Engine::opentofu()).await;
    adopts(&stage, Helm::Three, false).await;
}

/// R3: the same with server-side applied objects of Helm 4, by an import block.
#[tokio::test]
async fn a_release_of_helm_4_is_adopted() {
    let stage = Stage::new("runner_release/helm_4", Engine::opentofu()).await;
    adopts(&stage, Helm::Four, true).await;
}

/// R3: an import that was never applied leaves everything to Helm.
#[tokio::test]
async fn an_import_alone_changes_nothing() {
    let stage = Stage::new("runner_release/helm_left", Engine::opentofu()).await;
    Helm::Three.install_release(&stage).await;
    let before: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    let workspace = stage.testdata("runner_release/typed", with_token(&stage, "runner_token", "glrt-new")).await;
    let _ = workspace.try_import(ADDRESS, &id(&stage)).await.succeeded();
    let said = workspace.destroy().await.prose();
    assert!(said.contains("Release of Helm was not removed"), "{said}");
    let after: Deployment = stage.kubernetes.get(stage.namespace.name(), NAME).await;
    assert_eq!((after.metadata.uid, after.spec), (before.metadata.uid, before.spec));
    assert!(!workspace.state().await.contains(ADDRESS));
}
