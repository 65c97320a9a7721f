//! The attributes of the `provider` block, named as in the aws and kubernetes providers.

use crate::framework::value::{List, Map, Value};
use crate::framework::{Object, Set};

/// The `provider "gitlabspot"` block.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Config {
    /// AWS region, for instance `af-south-1`. Otherwise from `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile.
    #[attr(optional)]
    pub region: Value<String>,
    /// Name of a profile in the shared configuration files. Goes before keys in the environment. Otherwise from
    /// `AWS_PROFILE`.
    #[attr(optional)]
    pub profile: Value<String>,
    /// Access key id. Otherwise from `AWS_ACCESS_KEY_ID`, or the rest of the standard credential chain: profiles, SSO,
    /// credential process, web identity, container and instance roles.
    #[attr(optional)]
    pub access_key: Value<String>,
    /// Secret access key. Otherwise from `AWS_SECRET_ACCESS_KEY`.
    #[attr(optional, sensitive)]
    pub secret_key: Value<String>,
    /// Session token of temporary credentials. Otherwise from `AWS_SESSION_TOKEN`.
    #[attr(optional, sensitive)]
    pub token: Value<String>,
    /// Paths of shared configuration files. Otherwise from `AWS_CONFIG_FILE`, or `~/.aws/config`.
    #[attr(optional)]
    pub shared_config_files: Value<List<String>>,
    /// Paths of shared credentials files. Otherwise from `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`.
    #[attr(optional)]
    pub shared_credentials_files: Value<List<String>>,
    /// A role to assume with the credentials found otherwise. It is assumed again before its session ends.
    #[attr(optional)]
    pub assume_role: Value<AssumeRole>,
    /// A role to assume with a token of an OpenID Connect provider. Takes the place of all other credentials.
    #[attr(optional)]
    pub assume_role_with_web_identity: Value<AssumeRoleWithWebIdentity>,
    /// URLs of services, in place of the public ones. Otherwise from `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL`.
    /// Calls for the credentials of a role, a profile's too, go to `sts`.
    #[attr(optional)]
    pub endpoints: Value<Endpoints>,
    /// Address buckets as `https://endpoint/bucket` rather than `https://bucket.endpoint`.
    #[attr(optional)]
    pub s3_use_path_style: Value<bool>,
    /// Use FIPS endpoints, for STS as well. Otherwise from `AWS_USE_FIPS_ENDPOINT`.
    #[attr(optional)]
    pub use_fips_endpoint: Value<bool>,
    /// Use dual-stack endpoints. Otherwise from `AWS_USE_DUALSTACK_ENDPOINT`.
    #[attr(optional)]
    pub use_dualstack_endpoint: Value<bool>,
    /// How often a failed call is tried again, at most 100. Otherwise from `AWS_MAX_ATTEMPTS`, less one, or 10.
    #[attr(optional)]
    pub max_retries: Value<i64>,
    /// `standard` or `adaptive`: the latter also slows down by itself when AWS throttles. Otherwise from `AWS_RETRY_MODE`.
    #[attr(optional)]
    pub retry_mode: Value<String>,
    /// URL of a proxy for plain HTTP. Otherwise from `HTTP_PROXY`.
    #[attr(optional)]
    pub http_proxy: Value<String>,
    /// URL of a proxy for HTTPS. Otherwise from `HTTPS_PROXY`.
    #[attr(optional)]
    pub https_proxy: Value<String>,
    /// Hosts, domains (`.example.com`), addresses and networks that are reached without a proxy, separated by commas.
    /// Otherwise from `NO_PROXY`. This machine and the addresses of instance and container credentials always are.
    #[attr(optional)]
    pub no_proxy: Value<String>,
    /// Path of a PEM file with certificate authorities, in place of the system's. Otherwise from `AWS_CA_BUNDLE`.
    #[attr(optional)]
    pub custom_ca_bundle: Value<String>,
    /// Tags for every AWS resource that this provider makes. A resource's own tags win.
    #[attr(optional)]
    pub default_tags: Value<Map<String>>,
    /// Tags that others put on the resources: never shown as a difference, never removed.
    #[attr(optional)]
    pub ignore_tags: Value<IgnoreTags>,
    /// The only accounts in which anything may be done. Checked once, before the first call of a run. Not together with
    /// `forbidden_account_ids`.
    #[attr(optional)]
    pub allowed_account_ids: Value<Set<String>>,
    /// Accounts in which nothing may be done. Checked once, before the first call of a run.
    #[attr(optional)]
    pub forbidden_account_ids: Value<Set<String>>,
    /// How to reach the Kubernetes cluster: see [Connecting to Kubernetes](#connecting-to-kubernetes).
    #[attr(optional)]
    pub kubernetes: Value<Kubernetes>,
}

/// A role to assume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AssumeRole {
    /// ARN of the role.
    #[attr(required)]
    pub role_arn: Value<String>,
    /// Name of the session.
    #[attr(optional)]
    pub session_name: Value<String>,
    /// External id that the role's trust policy asks for.
    #[attr(optional)]
    pub external_id: Value<String>,
    /// How long the session lasts, for instance `"1h"`.
    #[attr(optional)]
    pub duration: Value<String>,
    /// Policy in JSON that narrows the session.
    #[attr(optional)]
    pub policy: Value<String>,
    /// ARNs of managed policies that narrow the session.
    #[attr(optional)]
    pub policy_arns: Value<Set<String>>,
    /// Tags of the session.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// Source identity of the session.
    #[attr(optional)]
    pub source_identity: Value<String>,
}

/// A role to assume with a web identity.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AssumeRoleWithWebIdentity {
    /// ARN of the role. Otherwise from `AWS_ROLE_ARN`.
    #[attr(optional)]
    pub role_arn: Value<String>,
    /// Name of the session. Otherwise from `AWS_ROLE_SESSION_NAME`.
    #[attr(optional)]
    pub session_name: Value<String>,
    /// The token itself.
    #[attr(optional, sensitive)]
    pub web_identity_token: Value<String>,
    /// Path of a file with the token. Otherwise from `AWS_WEB_IDENTITY_TOKEN_FILE`.
    #[attr(optional)]
    pub web_identity_token_file: Value<String>,
    /// How long the session lasts, for instance `"1h"`.
    #[attr(optional)]
    pub duration: Value<String>,
}

/// URLs of services.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Endpoints {
    /// URL of EC2 Auto Scaling.
    #[attr(optional)]
    pub autoscaling: Value<String>,
    /// URL of EC2.
    #[attr(optional)]
    pub ec2: Value<String>,
    /// URL of EKS.
    #[attr(optional)]
    pub eks: Value<String>,
    /// URL of IAM.
    #[attr(optional)]
    pub iam: Value<String>,
    /// URL of S3.
    #[attr(optional)]
    pub s3: Value<String>,
    /// URL of STS.
    #[attr(optional)]
    pub sts: Value<String>,
}

/// Tags that are not ours.
#[derive(Clone, Default, PartialEq, Object)]
pub struct IgnoreTags {
    /// Keys.
    #[attr(optional)]
    pub keys: Value<Set<String>>,
    /// Beginnings of keys.
    #[attr(optional)]
    pub key_prefixes: Value<Set<String>>,
}

/// How to reach the cluster: `cluster_name` of an EKS cluster, kubeconfig files, `host` with credentials, or nothing at
/// all inside a pod.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Kubernetes {
    /// Name of an EKS cluster in the provider's account and region. Its address is looked up when it is first needed, and
    /// tokens are made from the AWS credentials. Excludes every other address and identity.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Path of a kubeconfig file. Otherwise from `KUBE_CONFIG_PATH`. `~/` is the home directory.
    #[attr(optional)]
    pub config_path: Value<String>,
    /// Paths of kubeconfig files, the first that says something being right. Otherwise from `KUBE_CONFIG_PATHS`, separated
    /// by colons.
    #[attr(optional)]
    pub config_paths: Value<List<String>>,
    /// Context of the kubeconfig. Otherwise from `KUBE_CTX`, or the current one.
    #[attr(optional)]
    pub config_context: Value<String>,
    /// User of the kubeconfig in place of the context's. Otherwise from `KUBE_CTX_AUTH_INFO`.
    #[attr(optional)]
    pub config_context_auth_info: Value<String>,
    /// Cluster of the kubeconfig in place of the context's. Otherwise from `KUBE_CTX_CLUSTER`.
    #[attr(optional)]
    pub config_context_cluster: Value<String>,
    /// URL of the API server, in place of the kubeconfig's. Otherwise from `KUBE_HOST`.
    #[attr(optional)]
    pub host: Value<String>,
    /// Bearer token, in place of the kubeconfig's user. Otherwise from `KUBE_TOKEN`.
    #[attr(optional, sensitive)]
    pub token: Value<String>,
    /// PEM certificate of the cluster's authority. Otherwise from `KUBE_CLUSTER_CA_CERT_DATA`. EKS and kubeconfig files have
    /// it in base64: use `base64decode`.
    #[attr(optional)]
    pub cluster_ca_certificate: Value<String>,
    /// PEM client certificate, with `client_key`. Otherwise from `KUBE_CLIENT_CERT_DATA`.
    #[attr(optional)]
    pub client_certificate: Value<String>,
    /// PEM key of the client certificate. Otherwise from `KUBE_CLIENT_KEY_DATA`.
    #[attr(optional, sensitive)]
    pub client_key: Value<String>,
    /// Do not verify the server's certificate: whoever is in between can then read and change everything. Otherwise from
    /// `KUBE_INSECURE`.
    #[attr(optional)]
    pub insecure: Value<bool>,
    /// Name in the server's certificate, where it is not that of the address. Otherwise from `KUBE_TLS_SERVER_NAME`.
    #[attr(optional)]
    pub tls_server_name: Value<String>,
    /// URL of a proxy to the API server: `http`, `https` or `socks5`. Otherwise from `KUBE_PROXY_URL`, or `HTTPS_PROXY` with
    /// the exceptions of `NO_PROXY`.
    #[attr(optional)]
    pub proxy_url: Value<String>,
    /// A command that prints credentials, as kubectl runs it. Excludes `token`.
    #[attr(optional)]
    pub exec: Value<Exec>,
}

/// A command that prints an ExecCredential.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Exec {
    /// `client.authentication.k8s.io/v1` or `client.authentication.k8s.io/v1beta1`.
    #[attr(required)]
    pub api_version: Value<String>,
    /// The command.
    #[attr(required)]
    pub command: Value<String>,
    /// Its arguments.
    #[attr(optional)]
    pub args: Value<List<String>>,
    /// Further environment variables for it.
    #[attr(optional)]
    pub env: Value<Map<String>>,
}
