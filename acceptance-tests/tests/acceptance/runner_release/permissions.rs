//! The documented permissions in the cluster are sufficient, and each of them is necessary.

use std::collections::BTreeSet;

use gitlabspot_acceptance_tests::{Engine, KubernetesCall, Restricted, Stage, Workspace, roles};
use k8s_openapi::api::rbac::v1::{ClusterRole, PolicyRule, Role};
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, id, variables};

const ROLES: &str = include_str!("../../../../docs/permissions/runner-release.yaml");
const PLAN: &str = include_str!("../../../../docs/permissions/plan/kubernetes.yaml");

/// Number of rules at the end of each role that are those of the manager: an identity can only grant its own
/// permissions.
const GRANTS: usize = 7;

/// The documented role with this suffix of its name.
fn role(end: &str) -> Value {
    let is_one = |role: &Value| role["metadata"]["name"].as_str().unwrap().ends_with(end);
    roles(ROLES).into_iter().find(is_one).unwrap()
}

/// Removes the manager's permissions from a role.
fn without_grants(mut role: Value) -> Value {
    let rules = role["rules"].as_array_mut().unwrap();
    rules.truncate(rules.len() - GRANTS);
    role
}

/// A workspace with a release, and a service account with these roles.
async fn of(test: &str, roles: &[Value], more: Value) -> (Stage, Workspace, Restricted) {
    let stage = Stage::new(&format!("runner_release/{test}"), Engine::opentofu()).await;
    if more["create_namespace"] != true {
        stage.namespace.create().await;
    }
    stage.kubernetes_faults();
    let restricted = stage.restricted(roles).await;
    let mut all = variables(&stage);
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let workspace = stage.testdata("runner_release/restricted", all).await;
    workspace.write("provider_override.tf.json", &restricted.provider());
    (stage, workspace, restricted)
}

/// Creates, reads and imports a release, fails once, and adds an autoscaler.
async fn create_update_import(stage: &Stage, workspace: &Workspace) {
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &id(stage), &[]).await;
    workspace.set(&json!({ "image_missing": true }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("ImagePullBackOff"), "{printed}");
    workspace.set(&json!({ "image_missing": false, "autoscaled": true }));
    workspace.apply().await;
    workspace.assert_stable().await;
}

/// A verb on a resource of an API group, such as `get apps/deployments`.
type Right = String;

fn right(verb: &str, group: &str, resource: &str) -> Right {
    format!("{verb} {group}/{resource}")
}

/// Permissions that a request needs. Empty for requests that are always allowed.
fn permissions_of(call: &KubernetesCall) -> Vec<Right> {
    let parts: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let (group, below) = match parts.as_slice() {
        ["api", _, below @ ..] => ("", below),
        ["apis", group, _, below @ ..] => (*group, below),
        _ => return Vec::new(),
    };
    let (resource, name) = match below {
        ["namespaces", _, resource, _, subresource] => (format!("{resource}/{subresource}"), true),
        ["namespaces", _, resource, rest @ ..] => ((*resource).to_owned(), !rest.is_empty()),
        [resource, rest @ ..] => ((*resource).to_owned(), !rest.is_empty()),
        [] => return Vec::new(),
    };
    let verbs = match (call.method.as_str(), name) {
        ("GET", true) => vec!["get"],
        ("GET", false) => vec!["list"],
        // Server-side apply of an object that does not exist creates it, also in a dry run.
        ("PATCH", _) if call.status == Some(201) => vec!["patch", "create"],
        ("PATCH", _) => vec!["patch"],
        ("DELETE", _) => vec!["delete"],
        other => unreachable!("{other:?}: {call:?}"),
    };
    verbs.into_iter().map(|verb| right(verb, group, &resource)).collect()
}

fn of_rules(rules: &[PolicyRule]) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in rules {
        for group in rule.api_groups.iter().flatten() {
            for resource in rule.resources.iter().flatten() {
                rights.extend(rule.verbs.iter().map(|verb| right(verb, group, resource)));
            }
        }
    }
    rights
}

/// Name of the release's ClusterRole.
fn of_cluster(stage: &Stage) -> String {
    format!("{}-{NAME}", stage.namespace.name())
}

/// Permissions in the roles of the release.
async fn granted(stage: &Stage) -> BTreeSet<Right> {
    let labels = ListParams::default().labels(&format!("release={NAME},app.kubernetes.io/managed-by=gitlabspot"));
    let roles = stage.kubernetes.api::<Role>(stage.namespace.name()).list(&labels).await.unwrap();
    let everywhere = Api::<ClusterRole>::all(stage.kubernetes.client()).get_opt(&of_cluster(stage)).await.unwrap();
    let rules = roles.items.into_iter().filter_map(|role| role.rules).chain(everywhere.and_then(|role| role.rules));
    rules.flat_map(|rules| of_rules(&rules)).collect()
}

/// Whether a request lists a kind in the whole cluster, for objects of a release in other namespaces. Objects that the
/// identity is not allowed to list are ignored.
fn is_wide(call: &KubernetesCall) -> bool {
    call.method == "GET" && !call.path.contains("/namespaces/")
}

/// Asserts that no request was denied (except cluster-wide lists if `is_narrow`), and that every verb of every rule was
/// needed, for a request or to grant it.
fn assert_exact(roles: &[Value], calls: &[KubernetesCall], granted: &BTreeSet<Right>, is_narrow: bool) {
    let is_known = |call: &KubernetesCall| is_narrow && is_wide(call);
    let other: Vec<_> = calls.iter().filter(|call| call.status == Some(403) && !is_known(call)).collect();
    assert!(other.is_empty(), "{other:?}");
    let mut needed = granted.clone();
    needed.extend(calls.iter().flat_map(permissions_of));
    for role in roles {
        let rules: Vec<PolicyRule> = serde_json::from_value(role["rules"].clone()).unwrap();
        let mut idle = of_rules(&rules);
        idle.remove(&right("list", "*", "*"));
        idle.retain(|right| !needed.contains(right));
        assert_eq!(idle, BTreeSet::new(), "nothing needed these of {}", role["metadata"]["name"]);
        let rights = of_rules(&rules[rules.len() - GRANTS..]);
        assert_eq!(rights, *granted, "the last rules are those of the manager's role");
    }
}

/// R27: for an identity with the permissions of `docs/permissions/plan` and without access to Secrets, one warning has
/// the missing permissions, and the plan is that of an administrator. With fewer permissions it is the same.
#[tokio::test]
async fn plan_needs_only_read_permissions() {
    let (stage, workspace, restricted) = of("plan", &roles(PLAN), json!({})).await;
    let provider = restricted.provider();
    workspace.write("provider_override.tf.json", "{}");
    workspace.apply().await;
    workspace.write("provider_override.tf.json", &provider);
    stage.kubernetes_faults().forget();
    let plan = workspace.plan().await;
    assert!(plan.is_empty(), "{}", plan.output());
    let printed = plan.output().prose();
    let namespace = stage.namespace.name();
    assert_eq!(printed.matches("Warning: Missing permissions to read the release").count(), 1, "{printed}");
    let missing = format!("permissions are missing: - get secrets in the namespace {namespace} The roles and");
    assert!(printed.contains(&missing), "{printed}");
    let rights: BTreeSet<Right> = stage.kubernetes_faults().calls().iter().flat_map(permissions_of).collect();
    assert!(rights.contains(&right("get", "rbac.authorization.k8s.io", "roles")), "{rights:?}");

    let roles = stage.kubernetes.api::<Role>(namespace);
    roles.delete(NAME, &DeleteParams::default()).await.unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.write("provider_override.tf.json", "{}");
    workspace.apply().await;
    workspace.destroy().await;
    restricted.remove().await;
    let mut left = stage.namespace.objects().await;
    left.retain(|name| !name.ends_with("/provider"));
    assert_eq!(left, [""; 0]);
}

/// R19: in an existing namespace, the documented Role is sufficient from create to destroy, and each of its permissions
/// is needed.
#[tokio::test]
async fn documented_role_is_sufficient() {
    let role = role("-release");
    let (stage, workspace, restricted) = of("permissions", std::slice::from_ref(&role), json!({})).await;
    create_update_import(&stage, &workspace).await;
    let granted = granted(&stage).await;
    workspace.destroy().await;
    assert_exact(&[role], &stage.kubernetes_faults().calls(), &granted, true);
    restricted.remove().await;
    let mut left = stage.namespace.objects().await;
    left.retain(|object| !object.ends_with("/provider"));
    assert_eq!(left, [""; 0]);
}

/// R19: to create a namespace, the ClusterRole is sufficient. Without its second rule, the namespace remains, with a
/// warning.
#[tokio::test]
async fn documented_cluster_role_is_sufficient() {
    for lists in [true, false] {
        let mut role = role("-and-namespace");
        if !lists {
            let _ = role["rules"].as_array_mut().unwrap().remove(1);
        }
        let test = format!("permissions_namespace_{lists}");
        let more = json!({ "create_namespace": true });
        let (stage, workspace, restricted) = of(&test, std::slice::from_ref(&role), more).await;
        create_update_import(&stage, &workspace).await;
        let granted = granted(&stage).await;
        let printed = workspace.destroy().await.prose();
        if lists {
            assert_exact(&[role], &stage.kubernetes_faults().calls(), &granted, false);
            assert!(!printed.contains("Warning") && !stage.namespace.exists().await, "{printed}");
        } else {
            assert!(
                printed.contains("Namespace kept") && printed.contains("its objects could not all be listed"),
                "{printed}"
            );
            assert_eq!(stage.namespace.objects().await, [""; 0]);
        }
        restricted.remove().await;
    }
}

/// R19: for cluster-wide roles of the release, both documented roles together are sufficient.
#[tokio::test]
async fn documented_roles_are_sufficient_for_cluster_wide_access() {
    let both = [without_grants(role("-release")), role("-cluster-wide")];
    let more = json!({ "rbac": { "cluster_wide": true } });
    let (stage, workspace, restricted) = of("permissions_cluster", &both, more).await;
    create_update_import(&stage, &workspace).await;
    let granted = granted(&stage).await;
    workspace.destroy().await;
    assert_exact(&both[1..], &stage.kubernetes_faults().calls(), &granted, true);
    assert_eq!(Api::<ClusterRole>::all(stage.kubernetes.client()).get_opt(&of_cluster(&stage)).await.unwrap(), None);
    restricted.remove().await;
}

/// R19: the plan refuses an identity without the permissions of the manager. It can create a release without roles.
#[tokio::test]
async fn missing_permissions_to_grant_are_refused_at_plan() {
    let role = without_grants(role("-release"));
    let (stage, workspace, restricted) = of("permissions_grants", &[role], json!({})).await;
    let printed = workspace.try_plan().await.unwrap_err().failed();
    let named = format!("Role {}/{NAME} was rejected", stage.namespace.name());
    assert!(printed.contains(&named) && printed.contains("RBAC permissions not currently held"), "{printed}");
    workspace.set(&json!({ "rbac": { "create": false } }));
    workspace.apply().await;
    workspace.assert_stable().await;
    workspace.destroy().await;
    restricted.remove().await;
}
