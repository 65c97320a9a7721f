//! Credentials of a pod or container, and of an instance.

use std::collections::BTreeSet;

use gitlabspot_acceptance_tests::{Proxy, Stage, Web};
use hyper::Response;
use serde_json::json;

use super::{NO_KEYS, file, role, search, settings, signers};

/// Header with the lifetime of a metadata session (IMDSv2).
const TTL: &str = "x-aws-ec2-metadata-token-ttl-seconds";

/// Session credentials in the format of metadata services, and their access key ID.
async fn session(stage: &Stage) -> (String, String) {
    let request = stage.account.sts().assume_role().role_arn(role(&stage.account, "ci")).role_session_name("machine");
    let session = request.send().await.unwrap().credentials.unwrap();
    let text = json!({
        "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2100-01-01T00:00:00Z",
        "AccessKeyId": session.access_key_id, "SecretAccessKey": session.secret_access_key,
        "Token": session.session_token,
    });
    (text.to_string(), session.access_key_id)
}

/// EKS Pod Identity: a pod has a URL, and a file with the authorization token. The request does not use a proxy.
#[tokio::test]
async fn credentials_of_eks_pod_identity() {
    let (stage, workspace) = settings("credentials_of_a_pod", json!({})).await;
    let (text, id) = session(&stage).await;
    let agent = Web::start(move |request| {
        let is_pod = request.headers().get("authorization").is_some_and(|token| token == "pod-token");
        (is_pod && request.uri() == "/v1/credentials").then(|| Response::new(text.clone()))
    })
    .await;
    let proxy = Proxy::start(stage.account.endpoint(), None).await;
    workspace.set(&json!({ "http_proxy": proxy.url() }));
    let token = file(&stage, "eks-pod-identity-token", "pod-token");
    let workspace = workspace
        .without_environment(&NO_KEYS)
        .with_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{}/v1/credentials", agent.url()))
        .with_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &token);
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([id]));
    assert_eq!((agent.seen(), proxy.seen()), (vec!["GET /v1/credentials".to_owned()], vec![]));
    stage.assert_nothing_remains().await;
}

/// An instance provides credentials with a session token (IMDSv2), and the region if no setting has one.
#[tokio::test]
async fn credentials_of_an_ec2_instance() {
    let (stage, workspace) = settings("credentials_of_an_instance", json!({})).await;
    let (text, id) = session(&stage).await;
    let service = Web::start(move |request| {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let text = match (request.method().as_str(), request.uri().path()) {
            ("PUT", "/latest/api/token") => {
                let seconds = header(TTL)?;
                return Response::builder().header(TTL, seconds).body("session".to_owned()).ok();
            }
            _ if header("x-aws-ec2-metadata-token") != Some("session") => return None,
            ("GET", "/latest/meta-data/placement/region") => "af-south-1",
            ("GET", "/latest/meta-data/iam/security-credentials/") => "ci",
            ("GET", "/latest/meta-data/iam/security-credentials/ci") => &text,
            _ => return None,
        };
        Some(Response::new(text.to_owned()))
    })
    .await;
    let workspace = workspace
        .without_environment(&NO_KEYS)
        .without_environment(&["AWS_REGION"])
        .with_environment("AWS_EC2_METADATA_DISABLED", "false")
        .with_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT", service.url());
    search(&workspace).await;
    assert_eq!(signers(&stage.account, "ec2"), BTreeSet::from([id]), "{:?}", service.seen());
    stage.assert_nothing_remains().await;
}
