//! The cluster is made by the run that deploys onto it, and nothing is known of it while planning.

use std::fs;
use std::sync::Arc;

use aws_sdk_eks::Client;
use aws_sdk_eks::types::VpcConfigRequest;
use gitlabspot_acceptance_tests::{Cloud, Engine, Proxy, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{ADDRESS, Scene, host};

const CLUSTER: &str = "terraform_data.cluster";

/// Makes and removes the cluster `made` for whoever asks, as often as it may; the address.
async fn maker(eks: Client, subnets: Vec<String>, makes: Arc<Semaphore>) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut order = String::new();
            stream.read_line(&mut order).await.unwrap();
            match order.trim() {
                "create" => {
                    makes.acquire().await.unwrap().forget();
                    let vpc = VpcConfigRequest::builder().set_subnet_ids(Some(subnets.clone())).build();
                    let role = "arn:aws:iam::123456789012:role/cluster";
                    eks.create_cluster().name("made").role_arn(role).resources_vpc_config(vpc).send().await.unwrap();
                }
                _ => _ = eks.delete_cluster().name("made").send().await.unwrap(),
            }
            stream.write_all(b"done\n").await.unwrap();
        }
    });
    json!({ "host": address.ip().to_string(), "port": address.port().to_string() })
}

async fn scene(way: &str, engine: Engine) -> Scene {
    let cloud = Cloud::running();
    let nowhere = json!({ "host": "127.0.0.1", "port": "1" });
    let variables = json!({ "way": way, "kubernetes": host(&cloud), "maker": nowhere });
    let mut scene = Scene::of("in_one_run", &format!("in_one_run_{}_{way}", engine.name()), variables, engine).await;
    with_maker(&scene, &Arc::new(Semaphore::new(1))).await;
    // For whoever falls back to them.
    scene.workspace = scene
        .workspace
        .with_environment("KUBE_HOST", "https://127.0.0.1:1")
        .with_environment("KUBE_TOKEN", "nobody")
        .with_environment("KUBE_CLUSTER_CA_CERT_DATA", &cloud.kubernetes_authority());
    scene
}

async fn with_maker(scene: &Scene, makes: &Arc<Semaphore>) {
    let subnets = scene.stage.account.subnet_ids().values().cloned().collect();
    let maker = maker(scene.stage.account.eks(), subnets, Arc::clone(makes)).await;
    scene.workspace.set(&json!({ "maker": maker }));
}

/// One run makes the cluster and deploys onto it, the next finds nothing to do, and one run destroys both, in order.
async fn lives(way: &str, engine: Engine) {
    let scene = scene(way, engine).await;
    let trap = Proxy::to_loopback().await;
    let trapped = scene
        .workspace
        .clone()
        .with_environment("KUBE_HOST", &trap.url())
        .with_environment("KUBE_PROXY_URL", &trap.url());
    let plan = trapped.plan().await;
    let create = vec!["create".to_owned()];
    assert_eq!(plan.changes(), [(CLUSTER.to_owned(), create.clone()), (ADDRESS.to_owned(), create)].into());
    assert_eq!(trap.asked(), [""; 0]);
    assert!(scene.stage.account.calls_of("eks", ".*").is_empty());
    assert!(scene.stage.account.calls_of("authenticator", ".*").is_empty());

    let _ = scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let _ = scene.workspace.destroy().await;
    assert_eq!(scene.workspace.state().await.addresses(), [""; 0]);
    scene.assert_nothing_left().await;
}

/// K28: by the resource's cluster_name.
#[tokio::test]
async fn by_the_resources_cluster_name() {
    lives("resource", Engine::opentofu()).await;
}

/// K28: by the provider's cluster_name.
#[tokio::test]
async fn by_the_providers_cluster_name() {
    lives("provider", Engine::opentofu()).await;
}

/// K28: by the provider's host and token.
#[tokio::test]
async fn by_the_providers_host() {
    lives("host", Engine::opentofu()).await;
}

/// K28: by the resource's cluster_name, and then by the provider's, with Terraform.
#[tokio::test]
async fn with_terraform() {
    for way in ["resource", "provider"] {
        let Some(terraform) = Engine::terraform() else { return };
        lives(way, terraform).await;
    }
}

/// K28: one run replaces the cluster by another one of the same name, elsewhere, and what was on it.
#[tokio::test]
async fn that_replaces_the_cluster() {
    let makes = Arc::new(Semaphore::new(1));
    let nowhere = json!({ "maker": { "host": "127.0.0.1", "port": "1" } });
    let scene = Scene::of("replaced", "in_one_run_replaced", nowhere, Engine::opentofu()).await;
    with_maker(&scene, &makes).await;
    let _ = scene.workspace.apply().await;
    let proxy = scene.stage.kubernetes_faults();
    let replace = |address: &str| format!("-replace={address}");
    let (cluster, probe) = (replace(CLUSTER), replace(ADDRESS));
    let running = scene.workspace.begin(&["apply", "-input=false", "-auto-approve", &cluster, &probe]);
    let eks = scene.stage.account.eks();
    until("the old cluster is gone", async || eks.describe_cluster().name("made").send().await.is_err()).await;
    assert_ne!(proxy.changes(), [""; 0]);
    proxy.go_down().await;
    makes.add_permits(1);
    let _ = running.output().await.succeeded();
    scene.workspace.assert_stable().await;
    let _ = scene.workspace.destroy().await;
    scene.assert_nothing_left().await;
}

/// K29: what exists already is not looked for while the way to it is unknown, and neither is anything else.
#[tokio::test]
async fn what_exists_waits_for_the_way_to_it() {
    let scene = Scene::new("unknown", &json!({})).await;
    scene.connect(&scene.host());
    scene.workspace.apply().await;
    let trap = Proxy::to_loopback().await;
    let kubeconfig = scene.stage.folder().join("trap");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "trap",
        "contexts": [{ "name": "trap", "context": { "cluster": "trap", "user": "trap" } }],
        "clusters": [{ "name": "trap", "cluster": { "server": trap.url() } }],
        "users": [{ "name": "trap", "user": { "token": "t" } }],
    });
    fs::write(&kubeconfig, config.to_string()).unwrap();
    let trapped = scene
        .workspace
        .clone()
        .with_environment("KUBE_HOST", &trap.url())
        .with_environment("KUBE_CONFIG_PATH", &kubeconfig.display().to_string());
    let unknown = "${terraform_data.later.output}";
    for settings in [
        json!({ "host": unknown, "token": "t" }),
        json!({ "host": trap.url(), "token": unknown }),
        json!({ "cluster_name": unknown }),
        json!({ "config_path": unknown }),
        json!({ "config_paths": [kubeconfig.display().to_string(), unknown] }),
        json!({ "config_path": kubeconfig.display().to_string(), "config_context": unknown }),
        json!({ "host": trap.url(), "proxy_url": unknown }),
    ] {
        scene.connect(&settings);
        scene.workspace.write("later.tf", "resource \"terraform_data\" \"later\" {\n  input = \"x\"\n}\n");
        let plan = trapped.plan().await;
        assert_eq!(
            plan.changes(),
            [("terraform_data.later".to_owned(), vec!["create".to_owned()])].into(),
            "{settings}"
        );
        assert_eq!(trap.asked(), [""; 0], "{settings}");
    }
    scene.workspace.write("later.tf", "");
    scene.connect(&scene.host());
    scene.destroy().await;
}
