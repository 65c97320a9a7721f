//! A run creates the cluster and deploys to it: all connection settings are unknown during the plan.

use std::fs;
use std::sync::Arc;

use aws_sdk_eks::Client;
use aws_sdk_eks::types::VpcConfigRequest;
use gitlabspot_acceptance_tests::{Cloud, Engine, Proxy, until};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::{ADDRESS, Fixture, host};

const CLUSTER: &str = "terraform_data.cluster";

/// A server that creates and deletes the cluster `made`. Creates wait for permits of `makes`. Returns its address.
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

async fn fixture(connection: &str, engine: Engine) -> Fixture {
    let cloud = Cloud::running();
    let nowhere = json!({ "host": "127.0.0.1", "port": "1" });
    let variables = json!({ "way": connection, "kubernetes": host(&cloud), "maker": nowhere });
    let mut fixture =
        Fixture::of("in_one_run", &format!("in_one_run_{}_{connection}", engine.name()), variables, engine).await;
    with_maker(&fixture, &Arc::new(Semaphore::new(1))).await;
    // A provider that uses the environment instead of the block fails.
    fixture.workspace = fixture
        .workspace
        .with_environment("KUBE_HOST", "https://127.0.0.1:1")
        .with_environment("KUBE_TOKEN", "nobody")
        .with_environment("KUBE_CLUSTER_CA_CERT_DATA", &cloud.kubernetes_authority());
    fixture
}

async fn with_maker(fixture: &Fixture, makes: &Arc<Semaphore>) {
    let subnets = fixture.stage.account.subnet_ids().values().cloned().collect();
    let maker = maker(fixture.stage.account.eks(), subnets, Arc::clone(makes)).await;
    fixture.workspace.set(&json!({ "maker": maker }));
}

/// One run creates the cluster and deploys to it, the next plan is empty, and one run destroys both in order.
async fn create_and_destroy(connection: &str, engine: Engine) {
    let fixture = fixture(connection, engine).await;
    let trap = Proxy::to_loopback().await;
    let trapped = fixture
        .workspace
        .clone()
        .with_environment("KUBE_HOST", &trap.url())
        .with_environment("KUBE_PROXY_URL", &trap.url());
    let plan = trapped.plan().await;
    let create = vec!["create".to_owned()];
    assert_eq!(plan.changes(), [(CLUSTER.to_owned(), create.clone()), (ADDRESS.to_owned(), create)].into());
    assert_eq!(trap.asked(), [""; 0]);
    assert!(fixture.stage.account.calls_of("eks", ".*").is_empty());
    assert!(fixture.stage.account.calls_of("authenticator", ".*").is_empty());

    let _ = fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let _ = fixture.workspace.destroy().await;
    assert_eq!(fixture.workspace.state().await.addresses(), [""; 0]);
    fixture.assert_nothing_remains().await;
}

/// K28: cluster and objects in one run, with the `cluster_name` of the resource.
#[tokio::test]
async fn cluster_and_objects_in_one_run_by_cluster_name_of_the_resource() {
    create_and_destroy("resource", Engine::opentofu()).await;
}

/// K28: cluster and objects in one run, with the `cluster_name` of the provider.
#[tokio::test]
async fn cluster_and_objects_in_one_run_by_cluster_name_of_the_provider() {
    create_and_destroy("provider", Engine::opentofu()).await;
}

/// K28: cluster and objects in one run, with `host` and `token` of the provider.
#[tokio::test]
async fn cluster_and_objects_in_one_run_by_host_of_the_provider() {
    create_and_destroy("host", Engine::opentofu()).await;
}

/// K28: cluster and objects in one run, with the `cluster_name` of the resource, then of the provider, in Terraform.
#[tokio::test]
async fn cluster_and_objects_in_one_run_with_terraform() {
    for connection in ["resource", "provider"] {
        let Some(terraform) = Engine::terraform() else { return };
        create_and_destroy(connection, terraform).await;
    }
}

/// K28: one run replaces the cluster by one with the same name at another endpoint, together with its objects.
#[tokio::test]
async fn cluster_and_objects_are_replaced_in_one_run() {
    let makes = Arc::new(Semaphore::new(1));
    let nowhere = json!({ "maker": { "host": "127.0.0.1", "port": "1" } });
    let fixture = Fixture::of("replaced", "in_one_run_replaced", nowhere, Engine::opentofu()).await;
    with_maker(&fixture, &makes).await;
    let _ = fixture.workspace.apply().await;
    let proxy = fixture.stage.kubernetes_faults();
    let replace = |address: &str| format!("-replace={address}");
    let (cluster, probe) = (replace(CLUSTER), replace(ADDRESS));
    let running = fixture.workspace.begin(&["apply", "-input=false", "-auto-approve", &cluster, &probe]);
    let eks = fixture.stage.account.eks();
    until("the old cluster is gone", async || eks.describe_cluster().name("made").send().await.is_err()).await;
    assert_ne!(proxy.changes(), [""; 0]);
    proxy.go_down().await;
    makes.add_permits(1);
    let _ = running.output().await.succeeded();
    fixture.workspace.assert_stable().await;
    let _ = fixture.workspace.destroy().await;
    fixture.assert_nothing_remains().await;
}

/// K29: while connection settings are unknown, existing objects are not read, and no request is sent.
#[tokio::test]
async fn unknown_connection_settings_defer_reads() {
    let fixture = Fixture::new("unknown", &json!({})).await;
    fixture.connect(&fixture.host());
    fixture.workspace.apply().await;
    let trap = Proxy::to_loopback().await;
    let kubeconfig = fixture.stage.folder().join("trap");
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "trap",
        "contexts": [{ "name": "trap", "context": { "cluster": "trap", "user": "trap" } }],
        "clusters": [{ "name": "trap", "cluster": { "server": trap.url() } }],
        "users": [{ "name": "trap", "user": { "token": "t" } }],
    });
    fs::write(&kubeconfig, config.to_string()).unwrap();
    let trapped = fixture
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
        fixture.connect(&settings);
        fixture.workspace.write("later.tf", "resource \"terraform_data\" \"later\" {\n  input = \"x\"\n}\n");
        let plan = trapped.plan().await;
        assert_eq!(
            plan.changes(),
            [("terraform_data.later".to_owned(), vec!["create".to_owned()])].into(),
            "{settings}"
        );
        assert_eq!(trap.asked(), [""; 0], "{settings}");
    }
    fixture.workspace.write("later.tf", "");
    fixture.connect(&fixture.host());
    fixture.destroy().await;
}
