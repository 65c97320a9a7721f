//! Tests of the test library and the local cloud.

use gitlabspot_acceptance_tests::{Cloud, Engine, Fault, KubernetesFault, KubernetesProxy, Stage};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;

#[tokio::test]
async fn accounts_are_isolated() {
    let cloud = Cloud::running();
    let (one, other) = (cloud.account(), cloud.account());
    let role = one.iam().create_user().user_name("only-here").send().await.unwrap();
    assert_eq!(role.user().unwrap().user_name(), "only-here");
    assert_eq!(one.leftovers()["users"], ["only-here"]);
    assert!(other.leftovers().is_empty());
    assert_eq!(one.calls_of("iam", "CreateUser").len(), 1);
    assert!(other.calls_of("iam", "CreateUser").is_empty());
    one.iam().delete_user().user_name("only-here").send().await.unwrap();
    assert!(one.leftovers().is_empty());
}

#[tokio::test]
async fn account_has_a_cluster_with_a_real_api_server() {
    let cloud = Cloud::running();
    let account = cloud.account();
    let cluster = account.eks().describe_cluster().name(account.cluster()).send().await.unwrap();
    assert_eq!(cluster.cluster().unwrap().endpoint(), Some(cloud.kubernetes_host()));
    assert_eq!(account.subnet_ids().keys().collect::<Vec<_>>(), ["af-south-1a", "af-south-1b", "af-south-1c"]);
}

#[tokio::test]
async fn fault_affects_one_account_and_is_logged() {
    let cloud = Cloud::running();
    let account = cloud.account();
    account.inject(Fault::throttle("sts", "GetCallerIdentity"));
    let identity = account.sts().get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some(account.id()));
    let calls = account.calls_of("sts", "GetCallerIdentity");
    let outcomes: Vec<_> = calls.iter().map(|call| (call.status, call.error.as_deref())).collect();
    assert_eq!(outcomes, [(Some(400), Some("Throttling")), (Some(200), None)]);
}

/// A client that uses the proxy and does not retry.
async fn client_of(proxy: &KubernetesProxy, token: &str) -> kube::Client {
    let file: Kubeconfig = serde_json::from_value(proxy.kubeconfig(&json!({ "token": token }))).unwrap();
    let mut config = kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.unwrap();
    config.default_retry = false;
    kube::Client::try_from(config).unwrap()
}

fn code<T>(result: Result<T, kube::Error>) -> Option<u16> {
    match result {
        Err(kube::Error::Api(status)) => Some(status.code),
        _ => None,
    }
}

#[tokio::test]
async fn api_server_proxy_injects_faults() {
    let stage = Stage::new("harness/proxy", Engine::opentofu()).await;
    let (proxy, token) = (stage.kubernetes_faults(), Cloud::running().kubernetes_token().to_owned());
    let cluster = stage.account.eks().describe_cluster().name(stage.account.cluster()).send().await.unwrap();
    assert_eq!(cluster.cluster().unwrap().endpoint(), Some(proxy.host().as_str()));
    stage.namespace.create().await;
    let client = client_of(proxy, &token).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, stage.namespace.name());
    let map = |name: &str| serde_json::from_value(json!({ "metadata": { "name": name } })).unwrap();
    let make = async |name: &str| maps.create(&PostParams::default(), &map(name)).await;
    let exists = async |name: &str| maps.get_opt(name).await.unwrap().is_some();

    make("untouched").await.unwrap();
    proxy.inject(KubernetesFault::drop_before("POST", "/configmaps"));
    assert!(make("before").await.is_err() && !exists("before").await);
    proxy.inject(KubernetesFault::drop_after("POST", "/configmaps"));
    assert!(make("after").await.is_err() && exists("after").await);
    proxy.inject(KubernetesFault::cut("POST", "/configmaps"));
    assert!(make("cut").await.is_err() && exists("cut").await);
    proxy.inject(KubernetesFault::too_many("GET", "/configmaps/after", 1).after(1));
    assert!(exists("after").await);
    assert_eq!(code(maps.get("after").await), Some(429));
    proxy.inject(KubernetesFault::page("GET", "/configmaps/after", 502));
    assert!(maps.get("after").await.is_err());
    proxy.inject(KubernetesFault::changed("GET", "/configmaps/after", |map| map["data"] = json!({ "a": "b" })));
    assert_eq!(maps.get("after").await.unwrap().data.unwrap()["a"], "b");
    assert_eq!(maps.get("after").await.unwrap().data, None);

    proxy.expire_tokens();
    assert_eq!(code(maps.get("after").await), Some(401));
    let last = proxy.calls().pop().unwrap();
    assert_eq!((last.token, last.status, last.short()), (1, Some(401), "GET configmaps/after".to_owned()));
    assert!(!format!("{:?}", proxy.calls()).contains(&token), "a token is in the log");
    let change = format!("POST {}/configmaps", stage.namespace.name());
    assert_eq!(proxy.changes(), [change.clone(), change], "one is untouched, and one's answer was cut");

    proxy.go_down().await;
    assert!(maps.get("after").await.is_err());
    proxy.come_back();
    let again = client_of(proxy, &token).await;
    assert!(again.list_api_groups().await.is_err(), "the token is none any more");
}
