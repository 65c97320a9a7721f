//! Typical values files for Helm.

use std::collections::BTreeMap;
use std::path::Path;

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::api::{DeleteParams, PostParams};
use serde_json::json;

use super::variables;

const FOLDER: &str = "../provider/src/resources/runner_release/testdata/values";

/// Accepted and refused files, by the name of their release.
fn files() -> [BTreeMap<String, String>; 2] {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let mut found = [BTreeMap::new(), BTreeMap::new()];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let number = path.file_stem().unwrap().to_string_lossy().chars().take(2).collect::<String>();
        let is_refused = text.starts_with("# error");
        assert!(is_refused || text.starts_with("# passes"), "{text}");
        found[usize::from(is_refused)].insert(format!("file-{number}"), text);
    }
    found
}

/// R22: values files that Helm accepts are accepted. Each file of a collection is applied, has an empty second plan and
/// is destroyed, with one warning for files with keys that have no effect. The others are refused together, each with
/// the path of its file.
#[tokio::test]
async fn values_files_of_users_are_applied_as_by_helm() {
    let stage = Stage::new("runner_release/values_files", Engine::opentofu()).await;
    let [passing, refused] = files();
    assert_eq!((passing.len(), refused.len()), (35, 5));
    let namespace = stage.namespace.name();
    let metadata = json!({ "metadata": { "name": namespace } });
    let namespaces = kube::Api::<Namespace>::all(stage.kubernetes.client());
    namespaces.create(&PostParams::default(), &serde_json::from_value(metadata).unwrap()).await.unwrap();
    let secret = json!({
        "metadata": { "name": "runner-secret" },
        "stringData": { "runner-registration-token": "GR1348941AAAAbbbbCCCCdd" },
    });
    let secrets = stage.kubernetes.api::<Secret>(namespace);
    secrets.create(&PostParams::default(), &serde_json::from_value(secret).unwrap()).await.unwrap();

    let mut of_refused = variables(&stage);
    of_refused["files"] = json!(refused);
    let workspace = stage.testdata("runner_release/values_files", of_refused).await;
    let printed = workspace.try_plan().await.unwrap_err();
    assert_eq!(printed.to_string().matches("Error: ").count(), 5, "{printed}");
    for words in
        ["2 [[runners]] sections", "is a registration token", "metricName", "pod_annotations is a list", "SOPS"]
    {
        assert!(printed.prose().contains(words), "{words} in {printed}");
    }

    let mut of_passing = variables(&stage);
    of_passing["files"] = json!(passing);
    workspace.set(&of_passing);
    let printed = workspace.apply().await;
    let warnings = printed.to_string().matches("Settings of a values file have no effect").count();
    assert!(warnings > 0, "{printed}");
    workspace.assert_stable().await;
    let deployments = stage.kubernetes.api::<Deployment>(namespace);
    assert_eq!(deployments.list(&Default::default()).await.unwrap().items.len(), 35);

    workspace.destroy().await;
    secrets.delete("runner-secret", &DeleteParams::default()).await.unwrap();
    stage.assert_nothing_remains().await;
    namespaces.delete(namespace, &DeleteParams::default()).await.unwrap();
}
