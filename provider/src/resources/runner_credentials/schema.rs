//! The attributes of `gitlabspot_runner_credentials`: schema, type of the state, and documentation for users.

use tfplugin::framework::value::{List, Map};
use tfplugin::framework::{Object, Timeouts, Value};

/// Credentials, as in configuration, plan and state.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCredentials {
    /// How the runner authenticates: `access_key` (access key of an IAM user in a Kubernetes Secret), `irsa` (IAM role
    /// for the service account) or `pod_identity` (IAM role with EKS Pod Identity). A change of `mode` or
    /// `service_account` grants the new credentials first. The old credentials are revoked once no pod of the namespace
    /// uses them: see `superseded`.
    #[attr(required)]
    pub mode: Value<String>,
    /// Name of the cache bucket.
    #[attr(required)]
    pub bucket: Value<String>,
    /// Path of the runner's cache (`[runners.cache] Path`). The policy only allows objects below this path. Leading and
    /// trailing slashes are ignored, as the runner ignores them.
    #[attr(optional, default = "")]
    pub cache_path: Value<String>,
    /// ARN of the customer managed KMS key that encrypts the bucket. The policy then allows its use. Defaults to
    /// none.
    #[attr(optional)]
    pub kms_key_arn: Value<String>,
    /// Permissions: `least_privilege` (put, get and delete objects below `cache_path`, list the bucket), `full` (nearly
    /// all actions on this bucket), or a policy document in JSON.
    #[attr(optional, default = "least_privilege")]
    pub policy: Value<String>,
    /// Name of the IAM user or role. Defaults to a generated name. After an interrupted apply, the next apply continues
    /// with the user or role that was created.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Prefix of a generated name. Defaults to `gitlab-runner-cache-`. The suffix has twelve characters. It is derived
    /// from the Secret or service account that uses the credentials, or random if that name already exists. A prefix
    /// that the current name does not start with replaces the resource. Conflicts with `name`.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// Path of the IAM user or role, for example `/ci/`.
    #[attr(optional, default = "/", replace)]
    pub path: Value<String>,
    /// ARN of the policy that is the permissions boundary of the IAM user or role. Defaults to none.
    #[attr(optional)]
    pub permissions_boundary: Value<String>,
    /// Name of the EKS cluster of the Secret and the service account. Defaults to the provider's `kubernetes` settings.
    /// The modes `irsa` and `pod_identity` require a cluster name here or in the provider. A change replaces the
    /// resource.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Namespace of the runner's manager.
    #[attr(required, replace)]
    pub namespace: Value<String>,
    /// Whether the namespace is created if it does not exist. A namespace that this resource created is deleted with
    /// it, unless it contains other objects: it is then kept, with a warning that lists them.
    #[attr(optional, default = false)]
    pub create_namespace: Value<bool>,
    /// Name of the Secret for the access key, with the keys `accesskey` and `secretkey`. Only used in mode
    /// `access_key`.
    #[attr(optional, default = "gitlab-runner-s3-access", replace)]
    pub secret_name: Value<String>,
    /// Labels of the Secret. Other labels are kept. Defaults to none.
    #[attr(optional)]
    pub secret_labels: Value<Map<String>>,
    /// Annotations of the Secret. Other annotations are kept. Defaults to none.
    #[attr(optional)]
    pub secret_annotations: Value<Map<String>>,
    /// Name of the service account of the runner's manager. Required in the modes `irsa` and `pod_identity`. A change
    /// grants the new credentials first, as a change of `mode` does.
    #[attr(optional)]
    pub service_account: Value<String>,
    /// Maximum age of the access key in days. The first plan after that time shows the rotation. Defaults to no
    /// rotation. Only used in mode `access_key`.
    #[attr(optional)]
    pub rotate_after_days: Value<i64>,
    /// Arbitrary string. A change rotates the access key. Defaults to none.
    #[attr(optional)]
    pub rotation_trigger: Value<String>,
    /// Tags of the IAM user or role, in addition to the `default_tags` of the provider. Defaults to none.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// All managed tags: `tags` and the `default_tags` of the provider.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// Timeouts of the operations. Each defaults to 10 minutes.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// `NAMESPACE/SECRET:USER` in mode `access_key`, otherwise `NAMESPACE/SERVICE_ACCOUNT:role/ROLE`.
    #[attr(computed)]
    pub id: Value<String>,
    /// ID of the access key; null in the other modes. The secret access key is only stored in the Kubernetes Secret.
    #[attr(computed)]
    pub access_key_id: Value<String>,
    /// Creation time of the access key, in RFC 3339 format; null in the other modes.
    #[attr(computed)]
    pub created_at: Value<String>,
    /// Time from which the access key is rotated, in RFC 3339 format; null without `rotate_after_days`.
    #[attr(computed)]
    pub rotates_at: Value<String>,
    /// ARN of the IAM user; null in the other modes.
    #[attr(computed)]
    pub user_arn: Value<String>,
    /// ARN of the IAM role; null in mode `access_key`.
    #[attr(computed)]
    pub role_arn: Value<String>,
    /// Policy document that is attached to the IAM user or role.
    #[attr(computed)]
    pub policy_json: Value<String>,
    /// Trust policy of the IAM role; null in mode `access_key`.
    #[attr(computed)]
    pub trust_policy_json: Value<String>,
    /// Earlier credentials, and the access key before a rotation, that pods still use. When no pod uses them any more,
    /// the next plan shows their revocation and the apply revokes them. If the identity in use is not allowed to list
    /// pods, a warning is shown and they are kept. A destroy revokes them in any case.
    #[attr(computed)]
    pub superseded: Value<List<String>>,
    /// Hash that changes whenever the key in the Secret changes, for `restart_on` of `gitlabspot_runner_release`. It
    /// does not reveal the key. Null without a key.
    #[attr(computed)]
    pub secret_hash: Value<String>,
    /// Annotations that the service account requires, for `service_account.annotations` of `gitlabspot_runner_release`.
    /// Empty except in mode `irsa`.
    #[attr(computed)]
    pub service_account_annotations: Value<Map<String>>,
}
