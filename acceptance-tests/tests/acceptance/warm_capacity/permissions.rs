//! With no more rights than the docs say.

use base64::Engine as _;
use gitlabspot_acceptance_tests::Stage;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::api::{Api, DeleteParams, PostParams};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{Scene, pending};

const ROLES: &str = include_str!("../../../../docs/permissions/warm-capacity.yaml");
const USER: &str = "provider";

fn object<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).unwrap()
}

/// A service account with the documented roles: its token. `name` is that of what belongs to the whole cluster.
async fn restricted(stage: &Stage, name: &str) -> String {
    let namespace = stage.namespace.name();
    let [role, cluster_role]: [Value; 2] = serde_yaml_ng::Deserializer::from_str(ROLES)
        .map(|document| Value::deserialize(document).unwrap())
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let create = PostParams::default();
    let client = stage.kubernetes.client();
    let meta = json!({ "name": USER });
    let subjects = json!([{ "kind": "ServiceAccount", "name": USER, "namespace": namespace }]);
    let accounts = stage.kubernetes.api::<ServiceAccount>(namespace);
    accounts.create(&create, &object(json!({ "metadata": meta }))).await.unwrap();
    let role: Role = object(json!({ "metadata": meta, "rules": role["rules"] }));
    stage.kubernetes.api::<Role>(namespace).create(&create, &role).await.unwrap();
    let cluster_role: ClusterRole = object(json!({ "metadata": { "name": name }, "rules": cluster_role["rules"] }));
    Api::<ClusterRole>::all(client.clone()).create(&create, &cluster_role).await.unwrap();
    let reference =
        |kind: &str, name: &str| json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name });
    let binding: RoleBinding =
        object(json!({ "metadata": meta, "subjects": subjects, "roleRef": reference("Role", USER) }));
    stage.kubernetes.api::<RoleBinding>(namespace).create(&create, &binding).await.unwrap();
    let binding: ClusterRoleBinding = object(
        json!({ "metadata": { "name": name }, "subjects": subjects, "roleRef": reference("ClusterRole", name) }),
    );
    Api::<ClusterRoleBinding>::all(client).create(&create, &binding).await.unwrap();
    let request: TokenRequest = object(json!({ "spec": { "audiences": [] } }));
    accounts.create_token_request(USER, &create, &request).await.unwrap().status.unwrap().token.unwrap()
}

/// W18: the documented roles are enough for both shapes, from create to destroy.
#[tokio::test]
async fn the_documented_roles_are_enough() {
    let scene = Scene::new("permissions", json!({})).await;
    let (stage, name) = (&scene.stage, scene.node.name());
    let token = restricted(stage, name).await;
    let cluster = stage.account.eks().describe_cluster().name(stage.account.cluster()).send().await.unwrap();
    let cluster = cluster.cluster.unwrap();
    let authority = cluster.certificate_authority.unwrap().data.unwrap();
    let authority = base64::engine::general_purpose::STANDARD.decode(authority).unwrap();
    let kubernetes = json!({
        "host": cluster.endpoint.unwrap(), "token": token, "cluster_ca_certificate": String::from_utf8(authority).unwrap(),
    });
    scene.workspace.write(
        "provider_override.tf.json",
        &json!({ "provider": { "gitlabspot": { "kubernetes": kubernetes } } }).to_string(),
    );

    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    let mut pod = super::pod(&scene.node);
    pod["node_selector"] = json!({ "no-such": "node" });
    let schedule = period(now() - 3600, now() + 3600);
    scene.workspace.set(&json!({ "schedule": schedule, "pod": pod, "priority": scene.priority - 1 }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[pending(), pending()]).await;
    assert!(!scene.has_class().await);
    let said = scene.workspace.destroy().await;
    assert!(!said.prose().contains("Priority class was not removed"), "{said}");

    let gone = DeleteParams::default();
    Api::<ClusterRoleBinding>::all(stage.kubernetes.client()).delete(name, &gone).await.unwrap();
    Api::<ClusterRole>::all(stage.kubernetes.client()).delete(name, &gone).await.unwrap();
    let mut left = stage.namespace.objects().await;
    left.retain(|object| !object.ends_with(&format!("/{USER}")));
    assert_eq!(left, [""; 0]);
}
