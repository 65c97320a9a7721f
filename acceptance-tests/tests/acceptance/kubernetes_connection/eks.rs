//! EKS clusters by name.

use std::fs;

use aws_sdk_eks::Client;
use gitlabspot_acceptance_tests::{Call, Cloud, Engine, Fault, Stage, until};
use serde_json::json;

use super::{ADDRESS, Scene, assert_said};

/// How much faster than this machine's a provider's clock runs that is in a hurry.
const SPEED: i64 = 100;

fn by_name(scene: &Scene) -> serde_json::Value {
    json!({ "cluster_name": scene.stage.account.cluster() })
}

/// The EKS tokens that the cluster looked at.
fn reviews(scene: &Scene) -> Vec<Call> {
    scene.stage.account.calls_of("authenticator", "TokenReview")
}

/// K20: the name of the provider and that of the resource lead to the same; EKS is asked once for each plan, each apply.
#[tokio::test]
async fn by_the_provider_or_by_the_resource() {
    let scene = Scene::new("eks", &json!({})).await;
    scene.connect(&by_name(&scene));
    scene.workspace.apply().await;
    let asked = || scene.stage.account.calls_of("eks", "DescribeCluster").len();
    assert_eq!(asked(), 1, "there was nothing to look at while planning");
    scene.assert_found().await;
    assert_eq!(asked(), 2);
    assert!(reviews(&scene).iter().all(|review| review.status == Some(200)), "{:?}", reviews(&scene));
    scene.workspace.assert_import(ADDRESS, &format!("{}/probe", scene.stage.namespace.name()), &[]).await;
    scene.destroy().await;

    // The resource's own name goes before all that the provider is told of another cluster.
    let elsewhere = json!({ "host": "https://127.0.0.1:1", "token": "t", "tls_server_name": "prod.example.com" });
    scene.connect(&elsewhere);
    scene.workspace.set(&by_name(&scene));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// K21: in an apply that takes longer than a token lives, another one is made before its 14 minutes are over.
#[tokio::test]
async fn a_token_is_made_again_in_time() {
    let scene = Scene::new("eks_renewal", &json!({})).await;
    scene.connect(&by_name(&scene));
    scene.without_pods().await;
    // Twenty minutes by the provider's clock, in twelve seconds.
    scene.workspace.set(&json!({ "create_timeout": "20m" }));
    let hurried = scene.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", &SPEED.to_string());
    assert_said(&hurried.try_apply().await.failed(), &["0 of 1 pods are created"]);

    let mut dates: Vec<String> =
        reviews(&scene).iter().map(|review| review.parameters["date"].as_str().unwrap().to_owned()).collect();
    dates.dedup();
    let [first, second] = dates.as_slice() else { panic!("two tokens, not {dates:?}") };
    let moment = |text: &str| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).unwrap();
    let apart = moment(second).duration_since(moment(first)).as_secs();
    assert!(apart >= 12 * 60 / SPEED, "{apart} s between {first} and {second}");
    assert!(reviews(&scene).iter().all(|review| review.status == Some(200)));
    scene.with_pods().await;
    scene.workspace.apply().await;
    scene.destroy().await;
}

/// K22: a token that the cluster does not take any more is replaced once, in the middle of an apply.
#[tokio::test]
async fn a_token_is_made_again_after_401() {
    let scene = Scene::new("eks_401", &json!({})).await;
    let proxy = scene.stage.kubernetes_faults();
    scene.connect(&by_name(&scene));
    scene.without_pods().await;
    let running = scene.workspace.begin_apply();
    until("the wait for pods", async || {
        proxy.calls_of("GET", "/pods").len() + proxy.calls_of("GET", "/deployments/").len() > 8
    })
    .await;
    proxy.expire_tokens();
    let before = proxy.calls().len();
    until("another token", async || proxy.calls().iter().any(|call| call.token == 2 && call.status == Some(200))).await;
    scene.with_pods().await;
    let _ = running.output().await.succeeded();
    let refused: Vec<_> = proxy.calls()[before..].iter().filter(|call| call.status == Some(401)).cloned().collect();
    assert_eq!(refused.iter().map(|call| call.token).collect::<Vec<_>>(), [1], "{refused:?}");
    scene.assert_found().await;
    scene.destroy().await;
}

/// K23: an AWS identity that the cluster does not know is told what it lacks, after two tokens and a look whether the cluster
/// was replaced.
#[tokio::test]
async fn an_identity_that_the_cluster_does_not_know() {
    let scene = Scene::new("eks_no_access", &json!({})).await;
    scene.connect(&by_name(&scene));
    scene
        .stage
        .account
        .inject(Fault::error("authenticator", "TokenReview", 401, "Unauthorized", "no access entry").times(0));
    let said = scene.workspace.try_apply().await.failed();
    assert_said(
        &said,
        &["(401 Unauthorized)", "with cluster_name, the AWS identity needs an access entry of the EKS cluster."],
    );
    assert_eq!(scene.stage.account.calls_of("eks", "DescribeCluster").len(), 2);
    scene.assert_nothing_left().await;
}

/// K24: AWS credentials that last for the first call and not for the token are told as that, not as a silent cluster.
#[tokio::test]
async fn credentials_that_end_before_the_token_is_made() {
    let scene = Scene::new("eks_credentials", &json!({})).await;
    scene.connect(&by_name(&scene));
    let folder = scene.stage.folder();
    let environment = scene.stage.account.environment();
    let value = |name: &str| &environment.iter().find(|(found, _)| *found == name).unwrap().1;
    let script = folder.join("process.sh");
    // The key comes from the environment: no file of a test has a secret.
    fs::write(
        &script,
        format!(
            "[ -e {0}/given ] && {{ echo 'the session has ended' >&2; exit 1; }}\n: >{0}/given\n\
             printf '{{\"Version\":1,\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\"}}' \"$GIVEN_ID\" \"$GIVEN_SECRET\"\n",
            folder.display()
        ),
    )
    .unwrap();
    let config = folder.join("aws-config");
    fs::write(&config, format!("[default]\ncredential_process = /bin/sh {}\n", script.display())).unwrap();
    let workspace = scene
        .workspace
        .clone()
        .with_environment("GIVEN_ID", value("AWS_ACCESS_KEY_ID"))
        .with_environment("GIVEN_SECRET", value("AWS_SECRET_ACCESS_KEY"))
        .with_environment("AWS_ACCESS_KEY_ID", "")
        .with_environment("AWS_SECRET_ACCESS_KEY", "")
        .with_environment("AWS_CONFIG_FILE", &config.display().to_string());
    let said = workspace.try_apply().await.failed();
    assert_said(&said, &["no token for the EKS cluster \"prod\" can be created:"]);
    assert!(!said.contains("cannot be reached"), "{said}");
    scene.assert_nothing_left().await;
}

/// Deletes the cluster, to EKS.
async fn delete_cluster(eks: &Client) {
    eks.delete_cluster().name("prod").send().await.unwrap();
}

/// K25: a cluster that is not there for an apply is told with the region that was looked in.
#[tokio::test]
async fn a_cluster_that_was_never_there() {
    let scene = Scene::new("eks_none", &json!({ "cluster_name": "staging" })).await;
    let said = scene.workspace.try_apply().await.failed();
    assert_said(
        &said,
        &[
            "Error: EKS cluster not found",
            "The EKS cluster \"staging\" does not exist in region af-south-1: check cluster_name, the provider's \
             region and the account.",
        ],
    );
    scene.assert_nothing_left().await;
}

/// K26: a destroy ends, with a warning, when EKS itself says that the resource's cluster is gone; by the provider's name
/// and by the resource's.
#[tokio::test]
async fn a_cluster_that_is_gone_lets_a_destroy_end() {
    for way in ["provider", "resource"] {
        let scene = Scene::new(&format!("eks_gone_{way}"), &json!({})).await;
        match way {
            "provider" => scene.connect(&by_name(&scene)),
            _ => scene.workspace.set(&by_name(&scene)),
        }
        scene.workspace.apply().await;
        let arn = format!("arn:aws:eks:af-south-1:{}:cluster/prod", scene.stage.account.id());
        // Only what EKS says counts.
        scene.stage.account.inject(Fault::page("eks", "DescribeCluster", 404).times(0));
        let said = scene.workspace.try_destroy().await.failed();
        assert!(said.contains("Error: AWS call failed"), "{said}");
        scene.stage.account.forget();
        delete_cluster(&scene.stage.account.eks()).await;
        let said = scene.workspace.destroy().await.prose();
        assert_said(
            &said,
            &[
                "Warning: Cluster no longer exists",
                &format!("The EKS cluster {arn} no longer exists. The warm capacity was deleted with it"),
            ],
        );
        assert!(!scene.workspace.state().await.contains(ADDRESS));
        scene.sweep().await;
        scene.assert_nothing_left().await;
    }
}

/// K27: a wrong region, and a wrong account, never look like a cluster that is gone, nor like one where all is gone.
#[tokio::test]
async fn a_cluster_of_the_same_name_elsewhere_is_another() {
    let scene = Scene::new("eks_elsewhere", &json!({})).await;
    scene.connect(&by_name(&scene));
    scene.workspace.apply().await;
    let account = scene.stage.account.id();
    let arn = format!("arn:aws:eks:af-south-1:{account}:cluster/prod");
    let elsewhere = format!(
        "The EKS cluster \"prod\" does not exist in region eu-west-1 of the AWS account {account}, but this resource \
         is in {arn}: use the region and credentials of that cluster. The state was not changed."
    );
    let abroad = scene.workspace.clone().with_environment("AWS_REGION", "eu-west-1");
    assert_said(&Scene::refusal_in(&abroad).await, &["Error: Connected to a different EKS cluster", &elsewhere]);
    assert_said(&abroad.try_destroy().await.failed(), &[&elsewhere]);
    let destroy = ["destroy", "-refresh=false", "-input=false", "-auto-approve"];
    assert_said(&abroad.run(&destroy).await.failed(), &[&elsewhere]);

    let stranger = Cloud::running().account();
    let strangers = stranger.environment().into_iter();
    let strange = strangers.fold(scene.workspace.clone(), |it, (name, value)| it.with_environment(name, &value));
    let other = format!(
        "This resource is in the EKS cluster {arn}, but the provider is now connected to \
         arn:aws:eks:af-south-1:{}:cluster/prod:",
        stranger.id()
    );
    assert_said(
        &Scene::refusal_in(&strange).await,
        &["Error: Connected to a different EKS cluster", &other, "Nothing was changed."],
    );
    assert_said(&strange.run(&destroy).await.failed(), &[&other]);

    // An imported resource remembers its cluster as well.
    let _ = scene.workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let import = scene.workspace.try_import(ADDRESS, &format!("{}/probe", scene.stage.namespace.name())).await;
    let _ = import.succeeded();
    assert_said(&Scene::refusal_in(&strange).await, &[&other]);
    scene.assert_found().await;
    scene.destroy().await;
}

/// K30: a Secret in a cluster of another region is not one that was deleted, which would rotate the key; with its cluster
/// gone, the user and its key go all the same.
#[tokio::test]
async fn the_secret_of_a_key_is_looked_for_where_it_was() {
    let stage = Stage::new("kubernetes_connection/eks_secret", Engine::opentofu()).await;
    stage.namespace.create().await;
    let variables = json!({ "namespace": stage.namespace.name() });
    let workspace = stage.testdata("runner_credentials/guide", variables).await;
    workspace.apply().await;
    let arn = format!("arn:aws:eks:af-south-1:{}:cluster/prod", stage.account.id());
    let abroad = workspace.clone().with_environment("AWS_REGION", "eu-west-1");
    let elsewhere = format!("but this resource is in {arn}: use the region and credentials of that cluster.");
    assert_said(&Scene::refusal_in(&abroad).await, &[&elsewhere]);
    assert_said(&abroad.try_destroy().await.failed(), &[&elsewhere]);
    assert_eq!(stage.account.calls_of("iam", "CreateAccessKey").len(), 1);
    workspace.assert_stable().await;

    delete_cluster(&stage.account.eks()).await;
    let said = workspace.destroy().await.prose();
    assert_said(&said, &["Warning: Cluster no longer exists", &format!("the EKS cluster {arn} no longer exists.")]);
    assert!(!stage.account.leftovers().contains_key("users"));
    assert_eq!(workspace.state().await.addresses(), [""; 0]);
}
