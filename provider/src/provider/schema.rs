//! The attributes of the `provider` block, named as in the aws and kubernetes providers.

use tfplugin::framework::value::{List, Map, Secret, Value};
use tfplugin::framework::{Object, Set};

/// The `provider "gitlabspot"` block.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Config {
    /// AWS region, for example `af-south-1`. Defaults to `AWS_REGION`, `AWS_DEFAULT_REGION` or the region of the
    /// profile.
    #[attr(optional)]
    pub region: Value<String>,
    /// Name of a profile in the shared configuration files. It takes precedence over keys in the environment. Defaults
    /// to `AWS_PROFILE`.
    #[attr(optional)]
    pub profile: Value<String>,
    /// Access key ID. Defaults to `AWS_ACCESS_KEY_ID`, then to the rest of the standard credential chain: profiles,
    /// SSO, credential process, web identity, container and instance roles.
    #[attr(optional)]
    pub access_key: Value<String>,
    /// Secret access key. Defaults to `AWS_SECRET_ACCESS_KEY`.
    #[attr(optional, sensitive)]
    pub secret_key: Value<Secret>,
    /// Session token of temporary credentials. Defaults to `AWS_SESSION_TOKEN`.
    #[attr(optional, sensitive)]
    pub token: Value<Secret>,
    /// Paths of shared configuration files. Defaults to `AWS_CONFIG_FILE`, or `~/.aws/config`.
    #[attr(optional)]
    pub shared_config_files: Value<List<String>>,
    /// Paths of shared credentials files. Defaults to `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/credentials`.
    #[attr(optional)]
    pub shared_credentials_files: Value<List<String>>,
    /// IAM role to assume with the credentials of the other attributes or of the environment. The session is renewed
    /// before it expires. Defaults to none.
    #[attr(optional)]
    pub assume_role: Value<AssumeRole>,
    /// IAM role to assume with a token of an OpenID Connect provider. It replaces all other credentials. Defaults to
    /// none.
    #[attr(optional)]
    pub assume_role_with_web_identity: Value<AssumeRoleWithWebIdentity>,
    /// Custom endpoint URLs of AWS services. Default to `AWS_ENDPOINT_URL_<SERVICE>` and `AWS_ENDPOINT_URL`. The
    /// endpoint of `sts` is also used to obtain the credentials of a role, including that of a profile.
    #[attr(optional)]
    pub endpoints: Value<Endpoints>,
    /// Whether buckets are addressed as `https://endpoint/bucket` instead of `https://bucket.endpoint`. Defaults to
    /// `false`.
    #[attr(optional)]
    pub s3_use_path_style: Value<bool>,
    /// Whether FIPS endpoints are used, including that of STS. Defaults to `AWS_USE_FIPS_ENDPOINT`.
    #[attr(optional)]
    pub use_fips_endpoint: Value<bool>,
    /// Whether dual-stack endpoints are used. Defaults to `AWS_USE_DUALSTACK_ENDPOINT`.
    #[attr(optional)]
    pub use_dualstack_endpoint: Value<bool>,
    /// Maximum number of retries of a failed call, at most 100. Defaults to `AWS_MAX_ATTEMPTS` minus one, or 10.
    #[attr(optional)]
    pub max_retries: Value<i64>,
    /// Retry mode: `standard` or `adaptive`. The latter also limits the request rate when AWS throttles. Defaults to
    /// `AWS_RETRY_MODE`, or `standard`.
    #[attr(optional)]
    pub retry_mode: Value<String>,
    /// URL of the proxy for HTTP requests. Defaults to `HTTP_PROXY`.
    #[attr(optional)]
    pub http_proxy: Value<String>,
    /// URL of the proxy for HTTPS requests. Defaults to `HTTPS_PROXY`.
    #[attr(optional)]
    pub https_proxy: Value<String>,
    /// Comma-separated hosts, domains (`.example.com`), IP addresses and networks that are reached without a proxy.
    /// Defaults to `NO_PROXY`. The local machine and the addresses of instance and container credentials are never
    /// reached through a proxy.
    #[attr(optional)]
    pub no_proxy: Value<String>,
    /// Path of a PEM file with certificate authorities, which replace those of the system. Defaults to `AWS_CA_BUNDLE`.
    #[attr(optional)]
    pub custom_ca_bundle: Value<String>,
    /// Tags of all AWS resources that this provider manages. Tags of a resource take precedence. Defaults to none.
    #[attr(optional)]
    pub default_tags: Value<Map<String>>,
    /// Tags that the provider ignores: they are neither shown as a difference nor removed. Defaults to none.
    #[attr(optional)]
    pub ignore_tags: Value<IgnoreTags>,
    /// IDs of the AWS accounts in which the provider is allowed to work. Checked once per run, before the first call.
    /// Conflicts with `forbidden_account_ids`. Defaults to all accounts.
    #[attr(optional)]
    pub allowed_account_ids: Value<Set<String>>,
    /// IDs of the AWS accounts in which the provider is not allowed to work. Checked once per run, before the first
    /// call. Conflicts with `allowed_account_ids`. Defaults to none.
    #[attr(optional)]
    pub forbidden_account_ids: Value<Set<String>>,
    /// Connection to the Kubernetes cluster: see [Connecting to Kubernetes](#connecting-to-kubernetes). Defaults to the
    /// `KUBE_*` environment variables, then to the cluster of the pod.
    #[attr(optional)]
    pub kubernetes: Value<Kubernetes>,
}

/// A role to assume.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AssumeRole {
    /// ARN of the role.
    #[attr(required)]
    pub role_arn: Value<String>,
    /// Name of the session. Defaults to `gitlabspot`.
    #[attr(optional)]
    pub session_name: Value<String>,
    /// External ID that the role's trust policy requires. Defaults to none.
    #[attr(optional)]
    pub external_id: Value<String>,
    /// Duration of the session, for example `"1h"`. Defaults to the default of STS, one hour.
    #[attr(optional)]
    pub duration: Value<String>,
    /// Session policy in JSON, which limits the permissions of the session. Defaults to none.
    #[attr(optional)]
    pub policy: Value<String>,
    /// ARNs of managed policies, which limit the permissions of the session. Defaults to none.
    #[attr(optional)]
    pub policy_arns: Value<Set<String>>,
    /// Tags of the session. Defaults to none.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// Source identity of the session. Defaults to none.
    #[attr(optional)]
    pub source_identity: Value<String>,
}

/// A role to assume with a web identity.
#[derive(Clone, Default, PartialEq, Object)]
pub struct AssumeRoleWithWebIdentity {
    /// ARN of the role. Defaults to `AWS_ROLE_ARN`.
    #[attr(optional)]
    pub role_arn: Value<String>,
    /// Name of the session. Defaults to `AWS_ROLE_SESSION_NAME`, or `gitlabspot`.
    #[attr(optional)]
    pub session_name: Value<String>,
    /// Value of the token. Conflicts with `web_identity_token_file`. By default the token is read from the file.
    #[attr(optional, sensitive)]
    pub web_identity_token: Value<Secret>,
    /// Path of the file with the token. Defaults to `AWS_WEB_IDENTITY_TOKEN_FILE`.
    #[attr(optional)]
    pub web_identity_token_file: Value<String>,
    /// Duration of the session, for example `"1h"`. Defaults to the default of STS, one hour.
    #[attr(optional)]
    pub duration: Value<String>,
}

/// URLs of services.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Endpoints {
    /// URL of EC2 Auto Scaling. Defaults to `AWS_ENDPOINT_URL_AUTO_SCALING` or `AWS_ENDPOINT_URL`, otherwise to the
    /// endpoint of AWS.
    #[attr(optional)]
    pub autoscaling: Value<String>,
    /// URL of EC2. Defaults to `AWS_ENDPOINT_URL_EC2` or `AWS_ENDPOINT_URL`, otherwise to the endpoint of AWS.
    #[attr(optional)]
    pub ec2: Value<String>,
    /// URL of EKS. Defaults to `AWS_ENDPOINT_URL_EKS` or `AWS_ENDPOINT_URL`, otherwise to the endpoint of AWS.
    #[attr(optional)]
    pub eks: Value<String>,
    /// URL of IAM. Defaults to `AWS_ENDPOINT_URL_IAM` or `AWS_ENDPOINT_URL`, otherwise to the endpoint of AWS.
    #[attr(optional)]
    pub iam: Value<String>,
    /// URL of S3. Defaults to `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, otherwise to the endpoint of AWS.
    #[attr(optional)]
    pub s3: Value<String>,
    /// URL of STS. Defaults to `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`, otherwise to the endpoint of AWS.
    #[attr(optional)]
    pub sts: Value<String>,
}

/// Tags that the provider ignores.
#[derive(Clone, Default, PartialEq, Object)]
pub struct IgnoreTags {
    /// Keys of the ignored tags. Defaults to none.
    #[attr(optional)]
    pub keys: Value<Set<String>>,
    /// Key prefixes of the ignored tags. Defaults to none.
    #[attr(optional)]
    pub key_prefixes: Value<Set<String>>,
}

/// Connection to the cluster: `cluster_name` of an EKS cluster, kubeconfig files, or `host` with credentials. Empty in
/// a pod of the cluster.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Kubernetes {
    /// Name of an EKS cluster in the provider's account and region. Its endpoint is looked up when it is first needed,
    /// and tokens are created with the AWS credentials. Conflicts with all other endpoints and credentials. Defaults to
    /// none.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Path of a kubeconfig file; `~/` is the home directory. Defaults to `KUBE_CONFIG_PATH`.
    #[attr(optional)]
    pub config_path: Value<String>,
    /// Paths of kubeconfig files. The first file that sets a value takes precedence. Defaults to `KUBE_CONFIG_PATHS`,
    /// whose paths are separated by colons, on Windows by semicolons.
    #[attr(optional)]
    pub config_paths: Value<List<String>>,
    /// Context of the kubeconfig. Defaults to `KUBE_CTX`, or the current context.
    #[attr(optional)]
    pub config_context: Value<String>,
    /// User of the kubeconfig, which replaces the user of the context. Defaults to `KUBE_CTX_AUTH_INFO`.
    #[attr(optional)]
    pub config_context_auth_info: Value<String>,
    /// Cluster of the kubeconfig, which replaces the cluster of the context. Defaults to `KUBE_CTX_CLUSTER`.
    #[attr(optional)]
    pub config_context_cluster: Value<String>,
    /// URL of the API server, which replaces that of the kubeconfig. Defaults to `KUBE_HOST`.
    #[attr(optional)]
    pub host: Value<String>,
    /// Bearer token, which replaces the user of the kubeconfig. Defaults to `KUBE_TOKEN`.
    #[attr(optional, sensitive)]
    pub token: Value<Secret>,
    /// Certificate authority of the cluster in PEM format. Defaults to `KUBE_CLUSTER_CA_CERT_DATA`. EKS and kubeconfig
    /// files contain it in base64: use `base64decode`.
    #[attr(optional)]
    pub cluster_ca_certificate: Value<String>,
    /// Client certificate in PEM format. Requires `client_key`. Defaults to `KUBE_CLIENT_CERT_DATA`.
    #[attr(optional)]
    pub client_certificate: Value<String>,
    /// Key of the client certificate in PEM format. Defaults to `KUBE_CLIENT_KEY_DATA`.
    #[attr(optional, sensitive)]
    pub client_key: Value<Secret>,
    /// Whether the certificate of the server is not verified, which makes the connection vulnerable to interception.
    /// Defaults to `KUBE_INSECURE`, or `false`.
    #[attr(optional)]
    pub insecure: Value<bool>,
    /// Name in the certificate of the server, if it differs from the host. Defaults to `KUBE_TLS_SERVER_NAME`.
    #[attr(optional)]
    pub tls_server_name: Value<String>,
    /// URL of the proxy to the API server: `http`, `https` or `socks5`. Defaults to `KUBE_PROXY_URL`, or `HTTPS_PROXY`
    /// with the exceptions of `NO_PROXY`.
    #[attr(optional)]
    pub proxy_url: Value<String>,
    /// Command that prints credentials, as kubectl runs it. Conflicts with `token`. Defaults to none.
    #[attr(optional)]
    pub exec: Value<Exec>,
}

/// A command that prints an ExecCredential.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Exec {
    /// API version of the ExecCredential: `client.authentication.k8s.io/v1` or `client.authentication.k8s.io/v1beta1`.
    #[attr(required)]
    pub api_version: Value<String>,
    /// Command to run.
    #[attr(required)]
    pub command: Value<String>,
    /// Arguments of the command. Defaults to none.
    #[attr(optional)]
    pub args: Value<List<String>>,
    /// Additional environment variables of the command. Defaults to none.
    #[attr(optional)]
    pub env: Value<Map<String>>,
}
