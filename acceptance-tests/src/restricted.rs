//! A service account that has the permissions of some roles only.

use base64::Engine as _;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use kube::api::{Api, DeleteParams, PostParams};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{Account, Kubernetes};

/// Namespace of its service account, because the namespace of the test does not exist in all tests.
const HOME: &str = "default";

/// Name of its Role and RoleBinding in the namespace of the test.
const ROLE: &str = "provider";

/// Namespace in the files of `docs/permissions`.
const DOCUMENTED: &str = "gitlab-runner";

/// A service account with Roles in one namespace and with ClusterRoles.
#[derive(Debug)]
pub struct Restricted {
    name: String,
    kubernetes: Kubernetes,
    settings: Value,
}

/// The Roles and ClusterRoles of a file of `docs/permissions`.
///
/// # Panics
///
/// If the text is not YAML.
#[must_use]
pub fn roles(text: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).expect("roles are YAML");
    documents
}

impl Restricted {
    pub(crate) async fn new(roles: &[Value], namespace: &str, account: &Account, kubernetes: &Kubernetes) -> Self {
        let restricted = Self { name: namespace.to_owned(), kubernetes: kubernetes.clone(), settings: Value::Null };
        for role in roles {
            restricted.bind(role, namespace).await;
        }
        let accounts = kubernetes.api::<ServiceAccount>(HOME);
        let service_account = object(json!({ "metadata": { "name": namespace } }));
        accounts.create(&PostParams::default(), &service_account).await.expect("a service account can be made");
        let token = restricted.token().await;
        let cluster = account.eks().describe_cluster().name(account.cluster()).send().await;
        let cluster = cluster.expect("EKS answers").cluster.expect("a cluster");
        let authority = cluster.certificate_authority.and_then(|authority| authority.data).expect("an authority");
        let authority = base64::engine::general_purpose::STANDARD.decode(authority).expect("base64");
        let authority = String::from_utf8(authority).expect("PEM");
        let settings = json!({
            "kubernetes": {
                "host": cluster.endpoint.expect("an endpoint"), "token": token, "cluster_ca_certificate": authority,
            },
        });
        Self { settings, ..restricted }
    }

    /// An override file, in JSON, that configures the provider with this service account.
    #[must_use]
    pub fn provider(&self) -> String {
        json!({ "provider": { "gitlabspot": self.settings } }).to_string()
    }

    async fn bind(&self, role: &Value, namespace: &str) {
        let (client, create) = (self.kubernetes.client(), PostParams::default());
        let subjects = json!([{ "kind": "ServiceAccount", "name": self.name, "namespace": HOME }]);
        let kind = role["kind"].as_str().expect("a role has a kind");
        let name = if kind == "Role" { ROLE } else { &self.name };
        let role = json!({ "metadata": { "name": name }, "rules": in_namespace(&role["rules"], namespace) });
        let binding = json!({
            "metadata": { "name": name }, "subjects": subjects,
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name },
        });
        let made = "the administrator may make roles";
        if kind == "Role" {
            let (roles, bindings) = (self.kubernetes.api::<Role>(namespace), self.kubernetes.api(namespace));
            roles.create(&create, &object(role)).await.expect(made);
            bindings.create(&create, &object::<RoleBinding>(binding)).await.expect(made);
        } else {
            Api::<ClusterRole>::all(client.clone()).create(&create, &object(role)).await.expect(made);
            Api::<ClusterRoleBinding>::all(client).create(&create, &object(binding)).await.expect(made);
        }
    }

    /// Creates another token of the service account.
    ///
    /// # Panics
    ///
    /// If the cluster returns an error.
    pub async fn token(&self) -> String {
        let (create, accounts) = (PostParams::default(), self.kubernetes.api::<ServiceAccount>(HOME));
        let request: TokenRequest = object(json!({ "spec": { "audiences": [] } }));
        let request = accounts.create_token_request(&self.name, &create, &request).await;
        request.ok().and_then(|request| request.status?.token).expect("a token")
    }

    /// Deletes its objects outside the namespace of the test.
    ///
    /// # Panics
    ///
    /// If the cluster returns an error.
    pub async fn remove(self) {
        let (client, gone) = (self.kubernetes.client(), DeleteParams::default());
        let account = self.kubernetes.api::<ServiceAccount>(HOME).delete(&self.name, &gone).await;
        let _ = account.expect("a service account can be deleted");
        for missing in [
            Api::<ClusterRoleBinding>::all(client.clone()).delete(&self.name, &gone).await.err(),
            Api::<ClusterRole>::all(client).delete(&self.name, &gone).await.err(),
        ] {
            let is_none = |error: &kube::Error| matches!(error, kube::Error::Api(status) if status.code == 404);
            assert!(missing.as_ref().is_none_or(is_none), "{missing:?}");
        }
    }
}

/// Replaces the documented namespace by that of the test.
fn in_namespace(rules: &Value, namespace: &str) -> Value {
    let mut rules = rules.clone();
    for rule in rules.as_array_mut().into_iter().flatten() {
        for name in rule["resourceNames"].as_array_mut().into_iter().flatten().filter(|name| **name == DOCUMENTED) {
            *name = namespace.into();
        }
        // `IndexMut` has inserted null for a rule without names.
        if rule["resourceNames"].is_null() {
            rule.as_object_mut().expect("a rule").remove("resourceNames");
        }
    }
    rules
}

fn object<T: DeserializeOwned>(object: Value) -> T {
    serde_json::from_value(object).expect("an object of the cluster")
}
