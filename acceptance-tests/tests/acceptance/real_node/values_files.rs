//! Managers with typical values files for Helm.

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{ListParams, PostParams};
use serde_json::{Value, json};

use super::{Fixture, is_ready, name};

macro_rules! files {
    ($($name:literal),+) => {
        [$(($name, include_str!(concat!(
            "../../../../provider/src/resources/runner_release/testdata/values/", $name, ".yaml"
        )))),+]
    };
}

/// L21: managers start with files for each kind of token, with variables of a registration and of the chart, and with
/// pod fields in the context of the container. Each is Ready, and those with a registration token have registered.
#[tokio::test]
async fn managers_with_values_files_become_ready() {
    let files = files!(
        "01-secret-with-registration-token",
        "08-pod-fields-in-container-context",
        "12-environment-cache",
        "13-environment-executor",
        "26-authentication-token-as-registration-token",
        "38-tags-as-list"
    );
    let named: Value = files
        .iter()
        .map(|(name, text)| (format!("file-{}", &name[..2]), json!(text)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let fixture = Fixture::new("values_files", "values_files", json!({ "files": named })).await;
    let secret = json!({
        "metadata": { "name": "runner-secret" },
        "stringData": { "runner-registration-token": "GR1348941AAAAbbbbCCCCdd" },
    });
    let secrets = fixture.stage.kubernetes.api::<Secret>(fixture.stage.namespace.name());
    secrets.create(&PostParams::default(), &serde_json::from_value(secret).unwrap()).await.unwrap();

    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let pods: Vec<Pod> = fixture.pods().list(&ListParams::default()).await.unwrap().items;
    assert_eq!(pods.len(), files.len());
    for pod in &pods {
        assert!(is_ready(pod), "{}", name(pod));
    }
    assert_eq!(fixture.calls_of("POST", "/runners"), 2, "one for each registration token");
    let of_13 = pods.iter().find(|pod| name(pod).starts_with("file-13")).unwrap();
    let container = &of_13.spec.as_ref().unwrap().containers[0].name;
    let printed = fixture.run(&name(of_13), container, &["sh", "-c", "echo $A"]).await;
    assert!(printed.starts_with("one/two"), "{printed}");
    secrets.delete("runner-secret", &Default::default()).await.unwrap();
    fixture.destroy().await;
}
