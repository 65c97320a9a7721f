//! Connections to EKS clusters by name.

use std::fs;

use aws_sdk_eks::Client;
use gitlabspot_acceptance_tests::{Call, Cloud, Engine, Fault, Stage, until};
use serde_json::json;

use super::{ADDRESS, Fixture, assert_printed};

/// Factor by which the clock of a provider is faster than that of this machine.
const SPEED: i64 = 100;

fn by_name(fixture: &Fixture) -> serde_json::Value {
    json!({ "cluster_name": fixture.stage.account.cluster() })
}

/// EKS tokens that the cluster has verified.
fn reviews(fixture: &Fixture) -> Vec<Call> {
    fixture.stage.account.calls_of("authenticator", "TokenReview")
}

/// K20: the cluster name of the provider and that of the resource connect to the same cluster. Each plan and each apply
/// calls DescribeCluster once.
#[tokio::test]
async fn cluster_name_of_provider_or_resource() {
    let fixture = Fixture::new("eks", &json!({})).await;
    fixture.connect(&by_name(&fixture));
    fixture.workspace.apply().await;
    let asked = || fixture.stage.account.calls_of("eks", "DescribeCluster").len();
    assert_eq!(asked(), 1, "there was nothing to look at while planning");
    fixture.assert_found().await;
    assert_eq!(asked(), 2);
    assert!(reviews(&fixture).iter().all(|review| review.status == Some(200)), "{:?}", reviews(&fixture));
    fixture.workspace.assert_import(ADDRESS, &format!("{}/probe", fixture.stage.namespace.name()), &[]).await;
    fixture.destroy().await;

    // The cluster name of the resource takes precedence over all settings of the provider block.
    let elsewhere = json!({ "host": "https://127.0.0.1:1", "token": "t", "tls_server_name": "prod.example.com" });
    fixture.connect(&elsewhere);
    fixture.workspace.set(&by_name(&fixture));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// K21: an apply that takes longer than a token is valid creates another token before the 14 minutes end.
#[tokio::test]
async fn token_is_renewed_before_it_expires() {
    let fixture = Fixture::new("eks_renewal", &json!({})).await;
    fixture.connect(&by_name(&fixture));
    fixture.without_pods().await;
    // Twenty minutes of the provider's clock take twelve seconds.
    fixture.workspace.set(&json!({ "create_timeout": "20m" }));
    let hurried = fixture.workspace.clone().with_environment("GITLABSPOT_CLOCK_SPEED", &SPEED.to_string());
    assert_printed(&hurried.try_apply().await.failed(), &["0 of 1 pods are created"]);

    let mut dates: Vec<String> =
        reviews(&fixture).iter().map(|review| review.parameters["date"].as_str().unwrap().to_owned()).collect();
    dates.dedup();
    let [first, second] = dates.as_slice() else { panic!("two tokens, not {dates:?}") };
    let moment = |text: &str| jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).unwrap();
    let apart = moment(second).duration_since(moment(first)).as_secs();
    assert!(apart >= 12 * 60 / SPEED, "{apart} s between {first} and {second}");
    assert!(reviews(&fixture).iter().all(|review| review.status == Some(200)));
    fixture.with_pods().await;
    fixture.workspace.apply().await;
    fixture.destroy().await;
}

/// K22: a token that the cluster no longer accepts is renewed once during an apply.
#[tokio::test]
async fn token_is_renewed_after_401() {
    let fixture = Fixture::new("eks_401", &json!({})).await;
    let proxy = fixture.stage.kubernetes_faults();
    fixture.connect(&by_name(&fixture));
    fixture.without_pods().await;
    let running = fixture.workspace.begin_apply();
    until("the wait for pods", async || {
        proxy.calls_of("GET", "/pods").len() + proxy.calls_of("GET", "/deployments/").len() > 8
    })
    .await;
    proxy.expire_tokens();
    let before = proxy.calls().len();
    until("another token", async || proxy.calls().iter().any(|call| call.token == 2 && call.status == Some(200))).await;
    fixture.with_pods().await;
    let _ = running.output().await.succeeded();
    let refused: Vec<_> = proxy.calls()[before..].iter().filter(|call| call.status == Some(401)).cloned().collect();
    assert_eq!(refused.iter().map(|call| call.token).collect::<Vec<_>>(), [1], "{refused:?}");
    fixture.assert_found().await;
    fixture.destroy().await;
}

/// K23: the error for an AWS identity without an access entry names the missing entry, after two tokens and a check
/// whether the cluster was replaced.
#[tokio::test]
async fn aws_identity_without_access_entry_is_explained() {
    let fixture = Fixture::new("eks_no_access", &json!({})).await;
    fixture.connect(&by_name(&fixture));
    fixture
        .stage
        .account
        .inject(Fault::error("authenticator", "TokenReview", 401, "Unauthorized", "no access entry").times(0));
    let printed = fixture.workspace.try_apply().await.failed();
    assert_printed(
        &printed,
        &["(401 Unauthorized)", "with cluster_name, the AWS identity needs an access entry of the EKS cluster."],
    );
    assert_eq!(fixture.stage.account.calls_of("eks", "DescribeCluster").len(), 2);
    fixture.assert_nothing_remains().await;
}

/// K24: AWS credentials that expire before the token is created are reported as expired, and not as a timeout of the
/// cluster.
#[tokio::test]
async fn expired_credentials_are_not_reported_as_a_timeout() {
    let fixture = Fixture::new("eks_credentials", &json!({})).await;
    fixture.connect(&by_name(&fixture));
    let folder = fixture.stage.folder();
    let environment = fixture.stage.account.environment();
    let value = |name: &str| &environment.iter().find(|(found, _)| *found == name).unwrap().1;
    let script = folder.join("process.sh");
    // The script takes the key from the environment, because files of a test must not have secrets.
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
    let workspace = fixture
        .workspace
        .clone()
        .with_environment("GIVEN_ID", value("AWS_ACCESS_KEY_ID"))
        .with_environment("GIVEN_SECRET", value("AWS_SECRET_ACCESS_KEY"))
        .with_environment("AWS_ACCESS_KEY_ID", "")
        .with_environment("AWS_SECRET_ACCESS_KEY", "")
        .with_environment("AWS_CONFIG_FILE", &config.display().to_string());
    let printed = workspace.try_apply().await.failed();
    assert_printed(&printed, &["no token for the EKS cluster \"prod\" can be created:"]);
    assert!(!printed.contains("cannot be reached"), "{printed}");
    fixture.assert_nothing_remains().await;
}

/// Deletes the cluster in EKS. The API server of the test remains.
async fn delete_cluster(eks: &Client) {
    eks.delete_cluster().name("prod").send().await.unwrap();
}

/// K25: the error for a cluster that does not exist names the region.
#[tokio::test]
async fn missing_cluster_names_the_region() {
    let fixture = Fixture::new("eks_none", &json!({ "cluster_name": "staging" })).await;
    let printed = fixture.workspace.try_apply().await.failed();
    assert_printed(
        &printed,
        &[
            "Error: EKS cluster not found",
            "The EKS cluster \"staging\" does not exist in region af-south-1: check cluster_name, the provider's \
             region and the account.",
        ],
    );
    fixture.assert_nothing_remains().await;
}

/// K26: a destroy succeeds with a warning if the cluster of the resource does not exist according to EKS, with the
/// cluster name of the provider and that of the resource.
#[tokio::test]
async fn destroy_succeeds_after_the_cluster_was_deleted() {
    for way in ["provider", "resource"] {
        let fixture = Fixture::new(&format!("eks_gone_{way}"), &json!({})).await;
        match way {
            "provider" => fixture.connect(&by_name(&fixture)),
            _ => fixture.workspace.set(&by_name(&fixture)),
        }
        fixture.workspace.apply().await;
        let arn = format!("arn:aws:eks:af-south-1:{}:cluster/prod", fixture.stage.account.id());
        // An error that is not from EKS does not mean that the cluster does not exist.
        fixture.stage.account.inject(Fault::page("eks", "DescribeCluster", 404).times(0));
        let printed = fixture.workspace.try_destroy().await.failed();
        assert!(printed.contains("Error: AWS call failed"), "{printed}");
        fixture.stage.account.forget();
        delete_cluster(&fixture.stage.account.eks()).await;
        let printed = fixture.workspace.destroy().await.prose();
        assert_printed(
            &printed,
            &[
                "Warning: Cluster no longer exists",
                &format!("The EKS cluster {arn} no longer exists. The warm capacity was deleted with it"),
            ],
        );
        assert!(!fixture.workspace.state().await.contains(ADDRESS));
        fixture.sweep().await;
        fixture.assert_nothing_remains().await;
    }
}

/// K27: with a wrong region or account, neither the cluster nor its objects are treated as deleted.
#[tokio::test]
async fn wrong_region_or_account_is_not_a_deleted_cluster() {
    let fixture = Fixture::new("eks_elsewhere", &json!({})).await;
    fixture.connect(&by_name(&fixture));
    fixture.workspace.apply().await;
    let account = fixture.stage.account.id();
    let arn = format!("arn:aws:eks:af-south-1:{account}:cluster/prod");
    let elsewhere = format!(
        "The EKS cluster \"prod\" does not exist in region eu-west-1 of the AWS account {account}, but this resource \
         is in {arn}: use the region and credentials of that cluster. The state was not changed."
    );
    let abroad = fixture.workspace.clone().with_environment("AWS_REGION", "eu-west-1");
    assert_printed(&Fixture::refusal_in(&abroad).await, &["Error: Connected to a different EKS cluster", &elsewhere]);
    assert_printed(&abroad.try_destroy().await.failed(), &[&elsewhere]);
    let destroy = ["destroy", "-refresh=false", "-input=false", "-auto-approve"];
    assert_printed(&abroad.run(&destroy).await.failed(), &[&elsewhere]);

    let stranger = Cloud::running().account();
    let strangers = stranger.environment().into_iter();
    let strange = strangers.fold(fixture.workspace.clone(), |it, (name, value)| it.with_environment(name, &value));
    let other = format!(
        "This resource is in the EKS cluster {arn}, but the provider is now connected to \
         arn:aws:eks:af-south-1:{}:cluster/prod:",
        stranger.id()
    );
    assert_printed(
        &Fixture::refusal_in(&strange).await,
        &["Error: Connected to a different EKS cluster", &other, "Nothing was changed."],
    );
    assert_printed(&strange.run(&destroy).await.failed(), &[&other]);

    // The state of an imported resource also has the cluster.
    let _ = fixture.workspace.run(&["state", "rm", ADDRESS]).await.succeeded();
    let import = fixture.workspace.try_import(ADDRESS, &format!("{}/probe", fixture.stage.namespace.name())).await;
    let _ = import.succeeded();
    assert_printed(&Fixture::refusal_in(&strange).await, &[&other]);
    fixture.assert_found().await;
    fixture.destroy().await;
}

/// K30: a cluster with the same name in another region is not treated as one with a deleted Secret, which would rotate
/// the key. User and key are also deleted after their cluster was deleted.
#[tokio::test]
async fn secret_is_read_from_its_recorded_cluster() {
    let stage = Stage::new("kubernetes_connection/eks_secret", Engine::opentofu()).await;
    stage.namespace.create().await;
    let variables = json!({ "namespace": stage.namespace.name() });
    let workspace = stage.testdata("runner_credentials/guide", variables).await;
    workspace.apply().await;
    let arn = format!("arn:aws:eks:af-south-1:{}:cluster/prod", stage.account.id());
    let abroad = workspace.clone().with_environment("AWS_REGION", "eu-west-1");
    let elsewhere = format!("but this resource is in {arn}: use the region and credentials of that cluster.");
    assert_printed(&Fixture::refusal_in(&abroad).await, &[&elsewhere]);
    assert_printed(&abroad.try_destroy().await.failed(), &[&elsewhere]);
    assert_eq!(stage.account.calls_of("iam", "CreateAccessKey").len(), 1);
    workspace.assert_stable().await;

    delete_cluster(&stage.account.eks()).await;
    let printed = workspace.destroy().await.prose();
    assert_printed(
        &printed,
        &["Warning: Cluster no longer exists", &format!("the EKS cluster {arn} no longer exists.")],
    );
    assert!(!stage.account.leftovers().contains_key("users"));
    assert_eq!(workspace.state().await.addresses(), [""; 0]);
}
