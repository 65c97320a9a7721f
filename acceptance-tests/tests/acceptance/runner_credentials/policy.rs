//! Permissions of the runner with the credentials: sufficient for its cache, and no others.
//!
//! The local S3 evaluates the policies of the caller for every request, including presigned ones, as do IAM, STS, EKS
//! and EC2. The manager presigns URLs for `PUT` and `GET` of one object, and helper containers of its jobs use them.
//! The tests use the same object keys and headers as the S3 adapter of the runner.

use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{
    AccelerateConfiguration, BucketCannedAcl, BucketVersioningStatus, ObjectCannedAcl, PublicAccessBlockConfiguration,
    ServerSideEncryption, Tag, Tagging, VersioningConfiguration,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gitlabspot_acceptance_tests::{Account, Stage, Workspace};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, pair, staged};

const SERVICE_ACCOUNT: &str = "gitlab-runner";
const KEY: &str = "arn:aws:kms:af-south-1:111122223333:key/11111111-2222-3333-4444-555555555555";
const OTHER_KEY: &str = "arn:aws:kms:af-south-1:111122223333:key/99999999-2222-3333-4444-555555555555";

/// A workspace with a bucket, and credentials for it.
async fn cache(test: &str, variables: Value) -> (Stage, Workspace) {
    let (stage, workspace) = staged(&format!("policy_{test}"), "cache", variables).await;
    stage.namespace.create().await;
    (stage, workspace)
}

/// A runner with credentials for the cache only.
struct Runner<'a> {
    account: &'a Account,
    bucket: String,
    credentials: SharedCredentialsProvider,
    s3: aws_sdk_s3::Client,
}

impl<'a> Runner<'a> {
    fn new(stage: &'a Stage, credentials: Credentials) -> Self {
        let credentials = SharedCredentialsProvider::new(credentials);
        let config = stage.account.s3().config().to_builder().credentials_provider(credentials.clone()).build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        Self { account: &stage.account, bucket: stage.namespace.name().to_owned(), credentials, s3 }
    }

    /// A runner with the key in the Secret.
    async fn of_secret(stage: &'a Stage) -> Self {
        let (id, secret) = pair(stage).await;
        Self::new(stage, Credentials::new(id, secret, None, None, "the Secret"))
    }

    /// A runner in a pod of a service account with a role.
    async fn of_pod(stage: &'a Stage, namespace: &str, service_account: &str) -> Option<Self> {
        let account = &stage.account;
        let issuer = issuer(account).await;
        let claims = json!({
            "iss": issuer, "aud": ["sts.amazonaws.com"], "sub": format!("system:serviceaccount:{namespace}:{service_account}"),
        });
        let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let role = account.iam().get_role().role_name(NAME).send().await.unwrap().role.unwrap().arn;
        let assume = account.sts().assume_role_with_web_identity().role_arn(role).role_session_name("runner");
        let session = assume.web_identity_token(token).send().await;
        let session = session.ok()?.credentials.unwrap();
        let (id, secret) = (session.access_key_id, session.secret_access_key);
        Some(Self::new(stage, Credentials::new(id, secret, Some(session.session_token), None, "a web identity")))
    }

    async fn presigned(&self, method: &str, key: &str) -> PresignedRequest {
        let lifetime = PresigningConfig::expires_in(std::time::Duration::from_secs(600)).unwrap();
        let (s3, bucket) = (&self.s3, &self.bucket);
        match method {
            "PUT" => s3.put_object().bucket(bucket).key(key).metadata("cachekey", "main").presigned(lifetime).await,
            "GET" => return s3.get_object().bucket(bucket).key(key).presigned(lifetime).await.unwrap(),
            _ => return s3.head_object().bucket(bucket).key(key).presigned(lifetime).await.unwrap(),
        }
        .unwrap()
    }

    /// Sends a presigned request, as a helper without credentials does. Returns status and content.
    async fn helper(&self, method: &str, key: &str, body: &str) -> (u16, String) {
        send(&self.presigned(method, key).await, body)
    }

    /// Asserts that the runner can write and read a cache, and that a missing cache is not found.
    async fn caches(&self, directory: &str) {
        let object = format!("{directory}project/42/main cache-1-protected");
        assert_eq!(self.helper("PUT", &object, "first").await.0, 200, "{object}");
        assert_eq!(self.helper("PUT", &object, "archive").await.0, 200, "{object}");
        assert_eq!(self.helper("HEAD", &object, "").await, (200, String::new()));
        assert_eq!(self.helper("GET", &object, "").await, (200, "archive".to_owned()));
        // A missing cache must be reported as not found, because the runner handles another status as an error.
        let missing = format!("{directory}project/42/none");
        assert_eq!(self.helper("GET", &missing, "").await.0, 404);
        assert_eq!(self.helper("HEAD", &missing, "").await.0, 404);
        let (s3, bucket) = (&self.s3, &self.bucket);
        let version = s3.get_object().bucket(bucket).key(&object).version_id("null").send().await;
        assert_eq!(status(version), 200, "the version of an object");
        assert_eq!(status(s3.list_objects_v2().bucket(bucket).prefix(directory).send().await), 200);
        assert_eq!(status(s3.delete_object().bucket(bucket).key(&object).send().await), 200);
    }

    /// Calls that a cache does not need, with their status.
    async fn forbidden_calls(&self, elsewhere: &[&str]) -> Vec<(String, u16)> {
        let mut done = Vec::new();
        let mut note = |what: &str, status: u16| done.push((what.to_owned(), status));
        for key in elsewhere {
            for method in ["PUT", "GET", "HEAD"] {
                note(&format!("{method} {key}"), self.helper(method, key, "x").await.0);
            }
            note(&format!("DELETE {key}"), status(self.s3.delete_object().bucket(&self.bucket).key(*key).send().await));
        }
        let (s3, bucket, other) = (&self.s3, self.bucket.as_str(), other_bucket(&self.bucket));
        note("PutObject elsewhere", status(s3.put_object().bucket(&other).key("project/1/a").send().await));
        note("GetObject elsewhere", status(s3.get_object().bucket(&other).key("project/1/a").send().await));
        note("ListObjectsV2 elsewhere", status(s3.list_objects_v2().bucket(&other).send().await));
        note("DeleteBucket elsewhere", status(s3.delete_bucket().bucket(&other).send().await));
        note("CreateBucket", status(s3.create_bucket().bucket(format!("{other}-2")).send().await));
        note("ListBuckets", status(s3.list_buckets().send().await));
        note("DeleteBucket", status(s3.delete_bucket().bucket(bucket).send().await));
        note("GetBucketLocation", status(s3.get_bucket_location().bucket(bucket).send().await));
        note("GetBucketPolicy", status(s3.get_bucket_policy().bucket(bucket).send().await));
        note("PutBucketPolicy", status(s3.put_bucket_policy().bucket(bucket).policy("{}").send().await));
        note("DeleteBucketPolicy", status(s3.delete_bucket_policy().bucket(bucket).send().await));
        note("PutBucketAcl", status(s3.put_bucket_acl().bucket(bucket).acl(BucketCannedAcl::PublicRead).send().await));
        let open = PublicAccessBlockConfiguration::builder().block_public_policy(false).build();
        let open = s3.put_public_access_block().bucket(bucket).public_access_block_configuration(open);
        note("PutPublicAccessBlock", status(open.send().await));
        note("DeleteBucketLifecycle", status(s3.delete_bucket_lifecycle().bucket(bucket).send().await));
        note("DeleteBucketEncryption", status(s3.delete_bucket_encryption().bucket(bucket).send().await));
        let tags = Tagging::builder().tag_set(Tag::builder().key("a").value("b").build().unwrap()).build().unwrap();
        note("PutBucketTagging", status(s3.put_bucket_tagging().bucket(bucket).tagging(tags.clone()).send().await));
        let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
        let versions = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versions);
        note("PutBucketVersioning", status(versions.send().await));
        let faster = AccelerateConfiguration::builder().status("Enabled".into()).build();
        let faster = s3.put_bucket_accelerate_configuration().bucket(bucket).accelerate_configuration(faster);
        note("PutBucketAccelerateConfiguration", status(faster.send().await));
        note("ListObjectVersions", status(s3.list_object_versions().bucket(bucket).send().await));
        let object = "project/1/a";
        let multipart = s3.create_multipart_upload().bucket(&other).key(object);
        note("CreateMultipartUpload elsewhere", status(multipart.send().await));
        let acl = s3.put_object_acl().bucket(bucket).key(object).acl(ObjectCannedAcl::PublicRead);
        note("PutObjectAcl", status(acl.send().await));
        let tagging = s3.put_object_tagging().bucket(bucket).key(object).tagging(tags);
        note("PutObjectTagging", status(tagging.send().await));
        let version = s3.delete_object().bucket(bucket).key(object).version_id("null");
        note("DeleteObjectVersion", status(version.send().await));
        self.forbidden_calls_beyond_s3(&mut note).await;
        done
    }

    async fn forbidden_calls_beyond_s3(&self, note: &mut impl FnMut(&str, u16)) {
        let iam = self.account.iam().config().to_builder().credentials_provider(self.credentials.clone()).build();
        let iam = aws_sdk_iam::Client::from_conf(iam);
        note("ListUsers", status(iam.list_users().send().await));
        note("CreateAccessKey", status(iam.create_access_key().user_name(NAME).send().await));
        let document = json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] }).to_string();
        let put = iam.put_user_policy().user_name(NAME).policy_name("more").policy_document(&document);
        note("PutUserPolicy", status(put.send().await));
        let put = iam.put_role_policy().role_name(NAME).policy_name("more").policy_document(&document);
        note("PutRolePolicy", status(put.send().await));
        let sts = self.account.sts().config().to_builder().credentials_provider(self.credentials.clone()).build();
        let role = format!("arn:aws:iam::{}:role/any", self.account.id());
        let assume = aws_sdk_sts::Client::from_conf(sts).assume_role().role_arn(role).role_session_name("runner");
        note("AssumeRole", status(assume.send().await));
        let eks = self.account.eks().config().to_builder().credentials_provider(self.credentials.clone()).build();
        note("ListClusters", status(aws_sdk_eks::Client::from_conf(eks).list_clusters().send().await));
        let ec2 = self.account.ec2().config().to_builder().credentials_provider(self.credentials.clone()).build();
        note("DescribeInstances", status(aws_sdk_ec2::Client::from_conf(ec2).describe_instances().send().await));
    }
}

/// 200, or the HTTP status of the error.
fn status<T, E>(result: Result<T, SdkError<E>>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(error) => error.raw_response().map_or(0, |response| response.status().as_u16()),
    }
}

fn send(request: &PresignedRequest, body: &str) -> (u16, String) {
    let mut built = ureq::http::Request::builder().method(request.method()).uri(request.uri());
    for (name, value) in request.headers() {
        built = built.header(name, value);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let answer = match request.method() {
        "PUT" => agent.run(built.header("content-type", "application/octet-stream").body(body).unwrap()),
        _ => agent.run(built.body(()).unwrap()),
    };
    let mut answer = answer.unwrap();
    (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
}

fn other_bucket(bucket: &str) -> String {
    format!("{}-x", &bucket[..bucket.len().min(60)])
}

/// Creates another bucket in the account, with an object.
async fn make_other_bucket(stage: &Stage) {
    let (s3, bucket) = (stage.account.s3(), other_bucket(stage.namespace.name()));
    let location = aws_sdk_s3::types::CreateBucketConfiguration::builder();
    let location = location.location_constraint(stage.account.region().into()).build();
    s3.create_bucket().bucket(&bucket).create_bucket_configuration(location).send().await.unwrap();
    s3.put_object().bucket(&bucket).key("project/1/a").send().await.unwrap();
}

async fn destroy_and_verify(stage: &Stage, workspace: &Workspace) {
    let (s3, bucket) = (stage.account.s3(), other_bucket(stage.namespace.name()));
    s3.delete_object().bucket(&bucket).key("project/1/a").send().await.unwrap();
    s3.delete_bucket().bucket(&bucket).send().await.unwrap();
    workspace.assert_stable().await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

async fn issuer(account: &Account) -> String {
    let cluster = account.eks().describe_cluster().name(account.cluster()).send().await.unwrap().cluster.unwrap();
    cluster.identity.unwrap().oidc.unwrap().issuer.unwrap()
}

/// Asserts that all calls except these were denied.
fn assert_only(done: &[(String, u16)], allowed: &[&str]) {
    let passed: Vec<_> = done.iter().filter(|(_, status)| *status != 403).collect();
    let names: Vec<&str> = passed.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(names, allowed, "{passed:?}");
}

/// C15: with `least_privilege` the runner can use its cache, with every cache path, and do nothing else.
#[tokio::test]
async fn least_privilege_policy_allows_only_the_cache() {
    let (stage, workspace) = cache("least_privilege", json!({})).await;
    make_other_bucket(&stage).await;
    workspace.apply().await;
    let runner = Runner::of_secret(&stage).await;
    for directory in ["", "runner/t1_abc/"] {
        runner.caches(directory).await;
    }
    assert_only(&runner.forbidden_calls(&[]).await, &[]);

    // The runner reduces each path to one directory. Sibling directories belong to others.
    let paths = [("ci/linux", "ci/linux/"), ("/ci//linux/", "ci/linux/"), ("ci", "ci/")];
    for (cache_path, directory) in paths {
        workspace.set(&json!({ "cache_path": cache_path }));
        workspace.apply().await;
        let runner = Runner::of_secret(&stage).await;
        runner.caches(directory).await;
        runner.caches(&format!("{directory}runner/t1_abc/")).await;
        assert_only(&runner.forbidden_calls(&["project/42/a", "cix/project/42/a", "ci-linux/a", "a"]).await, &[]);
    }
    destroy_and_verify(&stage, &workspace).await;
}

/// C15: with `full`, nearly all calls are allowed on the bucket, as in the guide, and none on other buckets.
#[tokio::test]
async fn full_policy_is_limited_to_the_bucket() {
    let (stage, workspace) = cache("full", json!({ "policy": "full" })).await;
    make_other_bucket(&stage).await;
    workspace.apply().await;
    let runner = Runner::of_secret(&stage).await;
    runner.caches("").await;
    let allowed = [
        "ListBuckets",
        "GetBucketLocation",
        "GetBucketPolicy",
        "DeleteBucketEncryption",
        "PutBucketTagging",
        "PutBucketVersioning",
        "ListObjectVersions",
        "PutObjectTagging",
        "DeleteObjectVersion",
    ];
    assert_only(&runner.forbidden_calls(&[]).await, &allowed);
    workspace.apply().await;
    destroy_and_verify(&stage, &workspace).await;
}

/// C15: a bucket with a KMS key refuses a runner that is not allowed to use the key, and accepts one that is. No other
/// key is allowed.
#[tokio::test]
async fn policy_includes_the_kms_key() {
    let (stage, workspace) = cache("kms", json!({ "bucket_key": KEY, "cache_path": "ci" })).await;
    make_other_bucket(&stage).await;
    workspace.apply().await;
    let object = "ci/project/42/main";
    assert_eq!(Runner::of_secret(&stage).await.helper("PUT", object, "x").await.0, 403);
    for policy in ["least_privilege", "full"] {
        workspace.set(&json!({ "kms_key_arn": KEY, "policy": policy }));
        workspace.apply().await;
        let runner = Runner::of_secret(&stage).await;
        runner.caches("ci/").await;
        // With `ServerSideEncryption = "KMS"`, the runner sends the key with each upload.
        for (key, expected) in [(KEY, 200), (OTHER_KEY, 403)] {
            let put = runner.s3.put_object().bucket(&runner.bucket).key(object).ssekms_key_id(key);
            let put = put.server_side_encryption(ServerSideEncryption::AwsKms).send().await;
            assert_eq!(status(put), expected, "{policy}: {key}");
        }
        assert_eq!(runner.helper("GET", object, "").await.0, 200);
    }
    destroy_and_verify(&stage, &workspace).await;
}

/// C15: the same with a role, for a pod of the service account and no other pod.
#[tokio::test]
async fn role_policy_is_limited_to_the_service_account() {
    let role = json!({ "mode": "irsa", "service_account": SERVICE_ACCOUNT, "cache_path": "ci" });
    let (stage, workspace) = cache("irsa", role).await;
    make_other_bucket(&stage).await;
    let issuer = issuer(&stage.account).await;
    let provider =
        stage.account.iam().create_open_id_connect_provider().url(issuer).client_id_list("sts.amazonaws.com");
    let provider = provider.send().await.unwrap().open_id_connect_provider_arn.unwrap();
    workspace.apply().await;
    let namespace = stage.namespace.name();
    let runner = Runner::of_pod(&stage, namespace, SERVICE_ACCOUNT).await.unwrap();
    runner.caches("ci/").await;
    assert_only(&runner.forbidden_calls(&["project/42/a"]).await, &[]);
    for (namespace, service_account) in
        [(namespace, "default"), ("other", SERVICE_ACCOUNT), (namespace, "gitlab-runner-x")]
    {
        assert!(Runner::of_pod(&stage, namespace, service_account).await.is_none(), "{namespace}/{service_account}");
    }
    let policy = workspace.state().await.resource(ADDRESS)["policy_json"].clone();

    // EKS provides the credentials of Pod Identity to pods, which the local cloud does not simulate. The policy of the
    // role is the same, and only EKS can assume the role.
    workspace.set(&json!({ "mode": "pod_identity" }));
    workspace.apply().await;
    assert_eq!(workspace.state().await.resource(ADDRESS)["policy_json"], policy);
    assert!(Runner::of_pod(&stage, namespace, SERVICE_ACCOUNT).await.is_none());
    stage.account.iam().delete_open_id_connect_provider().open_id_connect_provider_arn(provider).send().await.unwrap();
    destroy_and_verify(&stage, &workspace).await;
}
