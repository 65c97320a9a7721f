//! Behaviour in which the server must be as strict as a real one.

use super::*;

const CONFIG_MAPS: &str = "/api/v1/namespaces/ci/configmaps";

fn send(cluster: &Cluster, method: &str, uri: &str, body: Json) -> (u16, Json) {
    let head = http::Request::builder().method(method).uri(uri).header("content-type", "application/apply-patch+yaml");
    let (status, text) = cluster.answer(&head.body(()).unwrap().into_parts().0, body);
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn config_map(labels: &Json) -> Json {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a", "namespace": "ci", "labels": labels } })
}

fn apply(cluster: &Cluster, manager: &str, object: Json) -> (u16, Json) {
    send(cluster, "PATCH", &format!("{CONFIG_MAPS}/a?fieldManager={manager}"), object)
}

#[test]
fn objects_need_their_namespace() {
    let cluster = Cluster::default();
    let (status, body) = apply(&cluster, "ours", config_map(&Json::Null));
    assert_eq!((status, &body["message"]), (404, &json!("namespaces \"ci\" not found")));
    assert_eq!(cluster.objects(), [""; 0]);
    assert_eq!(send(&cluster, "GET", CONFIG_MAPS, Json::Null).1["items"], json!([]));
    assert_eq!(cluster.requests(), ["APPLY configmaps ci/a", "LIST configmaps ci"]);
}

#[test]
fn managers_remove_their_own_fields_alone() {
    let cluster = Cluster::with_namespace("ci");
    apply(&cluster, "ours", config_map(&json!({ "one": "1", "two": "1", "both": "1" })));
    apply(&cluster, "theirs", config_map(&json!({ "theirs": "1", "both": "1" })));
    let (_, applied) = apply(&cluster, "ours", config_map(&json!({ "one": "2" })));
    assert_eq!(applied["metadata"]["labels"], json!({ "one": "2", "theirs": "1", "both": "1" }));
    let managers = applied["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(managers.iter().map(|entry| &entry["manager"]).collect::<Vec<_>>(), ["theirs", "ours"]);
}

#[test]
fn versions_change_with_the_object() {
    let cluster = Cluster::with_namespace("ci");
    let (_, first) = apply(&cluster, "ours", config_map(&json!({ "a": "1" })));
    assert_eq!(apply(&cluster, "ours", config_map(&json!({ "a": "1" }))), (200, first.clone()));
    cluster.change("configmaps ci/a", |object| object["data"] = json!({ "by": "hand" }));
    let mut exact = config_map(&json!({ "a": "1" }));
    exact["metadata"]["resourceVersion"] = first["metadata"]["resourceVersion"].clone();
    let (status, body) = apply(&cluster, "ours", exact);
    assert_eq!((status, &body["reason"]), (409, &json!("Conflict")));
    let other = json!({ "preconditions": { "uid": "other" } });
    assert_eq!(send(&cluster, "DELETE", &format!("{CONFIG_MAPS}/a"), other).0, 409);
}

#[test]
fn lists_are_of_a_namespace_and_selected() {
    let cluster = Cluster::with_namespace("ci");
    cluster.put(config_map(&json!({ "a.b/c": "1" })));
    for (selector, count) in [("a.b/c%3D1,a.b/c", 1), ("a.b/c%3D2", 0), ("d", 0)] {
        let (_, list) = send(&cluster, "GET", &format!("/api/v1/configmaps?labelSelector={selector}"), Json::Null);
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{selector}");
    }
    let (_, elsewhere) = send(&cluster, "GET", "/api/v1/namespaces/c/configmaps", Json::Null);
    assert_eq!(elsewhere["items"], json!([]));
}

#[test]
fn owners_take_what_they_own_with_them() {
    let cluster = Cluster::with_namespace("ci");
    cluster.put(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p", "namespace": "ci" } }));
    let mut owned = config_map(&Json::Null);
    owned["metadata"]["ownerReferences"] = json!([{ "uid": cluster.get("pods ci/p")["metadata"]["uid"] }]);
    cluster.put(owned.clone());
    send(&cluster, "DELETE", "/api/v1/namespaces/ci/pods/p", Json::Null);
    assert_eq!(cluster.objects(), ["namespaces ci"]);
    cluster.put(owned);
    send(&cluster, "DELETE", "/api/v1/namespaces/ci", Json::Null);
    assert_eq!(cluster.objects(), [""; 0]);
}

#[test]
fn permissions_are_told_as_the_server_does() {
    let cluster = Cluster::default();
    cluster.inject(Fault::Hidden(&["roles"]));
    let (status, body) = send(&cluster, "GET", "/apis/rbac.authorization.k8s.io/v1/namespaces/ci/roles/r", Json::Null);
    let expected = "roles.rbac.authorization.k8s.io \"r\" is forbidden: User \"ci\" cannot get resource \"roles\" in API \
                    group \"rbac.authorization.k8s.io\" in the namespace \"ci\"";
    assert_eq!((status, body["message"].as_str().unwrap()), (403, expected));
}
