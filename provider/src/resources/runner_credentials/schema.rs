//! The attributes of `gitlabspot_runner_credentials`: schema, state type and what users read about them.

use crate::framework::value::{List, Map};
use crate::framework::{Object, Timeouts, Value};

/// The credentials.
#[derive(Clone, Default, PartialEq, Object)]
pub struct RunnerCredentials {
    /// How the runner proves who it is: `access_key` (an IAM user's key in a Kubernetes Secret), `irsa` (an IAM role for
    /// its service account) or `pod_identity` (the same through EKS Pod Identity). When it or `service_account` changes,
    /// the new way is granted first. The old one is revoked at once when no pod of the namespace uses it, and otherwise
    /// as soon as none does: see `superseded`.
    #[attr(required)]
    pub mode: Value<String>,
    /// Name of the cache bucket.
    #[attr(required)]
    pub bucket: Value<String>,
    /// The runner's cache path (`[runners.cache] Path`). Objects elsewhere in the bucket are out of reach. As to the runner,
    /// slashes at its ends mean nothing.
    #[attr(optional, default = "")]
    pub cache_path: Value<String>,
    /// ARN of the KMS key with which the bucket is encrypted, if it is one of your own: the policy then allows its use.
    #[attr(optional)]
    pub kms_key_arn: Value<String>,
    /// What is allowed: `least_privilege` (put, get and delete objects under `cache_path`, list the bucket), `full` (nearly
    /// everything with this one bucket, as guides on the web recommend), or a policy document in JSON, which then stands for
    /// itself.
    #[attr(optional, default = "least_privilege")]
    pub policy: Value<String>,
    /// Name of the user or role. Without it and without `name_prefix` a name is made up. In any case an apply that was
    /// killed is continued by the next one, with the user or role that it had begun.
    #[attr(optional, computed, stable, replace)]
    pub name: Value<String>,
    /// Begin of a name that is completed with twelve characters: they follow from what the credentials are for, and are
    /// random where that name is taken.
    #[attr(optional)]
    pub name_prefix: Value<String>,
    /// IAM path of the user or role, for instance `/ci/`.
    #[attr(optional, default = "/", replace)]
    pub path: Value<String>,
    /// ARN of the policy that bounds the permissions of the user or role.
    #[attr(optional)]
    pub permissions_boundary: Value<String>,
    /// The EKS cluster of Secret and service account, if it is another one than the provider's `kubernetes` names. The modes
    /// `irsa` and `pod_identity` need it in one of the two places. A change replaces the resource.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Namespace of the runner's manager.
    #[attr(required, replace)]
    pub namespace: Value<String>,
    /// Whether to make the namespace if it is missing when the Secret is written. A namespace that this resource made is
    /// removed with it, unless something else is in it: then it stays, with a warning that names what that is.
    #[attr(optional, default = false)]
    pub create_namespace: Value<bool>,
    /// Name of the Secret; its keys are `accesskey` and `secretkey`. Only in mode `access_key`.
    #[attr(optional, default = "gitlab-runner-s3-access", replace)]
    pub secret_name: Value<String>,
    /// Labels of the Secret. Those of others are kept.
    #[attr(optional)]
    pub secret_labels: Value<Map<String>>,
    /// Annotations of the Secret. Those of others are kept.
    #[attr(optional)]
    pub secret_annotations: Value<Map<String>>,
    /// The service account of the runner's manager. Required in the modes `irsa` and `pod_identity`.
    #[attr(optional)]
    pub service_account: Value<String>,
    /// Days after which the access key is replaced, counted from when it was made: the first plan after that shows it.
    #[attr(optional)]
    pub rotate_after_days: Value<i64>,
    /// Any text; when it changes, the access key is replaced.
    #[attr(optional)]
    pub rotation_trigger: Value<String>,
    /// Tags of the user or role.
    #[attr(optional)]
    pub tags: Value<Map<String>>,
    /// The tags together with the provider's `default_tags`.
    #[attr(computed)]
    pub tags_all: Value<Map<String>>,
    /// How long operations may take: 10 minutes each.
    #[attr(optional)]
    pub timeouts: Value<Timeouts>,
    /// `NAMESPACE/SECRET:USER`, or `NAMESPACE/SERVICE_ACCOUNT:role/ROLE`.
    #[attr(computed)]
    pub id: Value<String>,
    /// Id of the access key. Its secret is in the Kubernetes Secret and nowhere else.
    #[attr(computed)]
    pub access_key_id: Value<String>,
    /// When the access key was made, RFC 3339.
    #[attr(computed)]
    pub created_at: Value<String>,
    /// When the access key is to be replaced, RFC 3339; null without `rotate_after_days`.
    #[attr(computed)]
    pub rotates_at: Value<String>,
    /// ARN of the user; null in the other modes.
    #[attr(computed)]
    pub user_arn: Value<String>,
    /// ARN of the role; null in mode `access_key`.
    #[attr(computed)]
    pub role_arn: Value<String>,
    /// The policy document as it is attached.
    #[attr(computed)]
    pub policy_json: Value<String>,
    /// Who may use the role, as a policy document; null in mode `access_key`.
    #[attr(computed)]
    pub trust_policy_json: Value<String>,
    /// Earlier ways to the bucket, and the access key before a rotation, that pods still use. Each plan looks again: when no
    /// pod uses one any more, it plans to revoke it, and the apply does so. Whoever may not list pods is warned, and the
    /// earlier way stays. A destroy revokes them in any case.
    #[attr(computed)]
    pub superseded: Value<List<String>>,
    /// Changes whenever the key in the Secret does, and tells nothing about it; for `restart_on` of
    /// `gitlabspot_runner_release`. Null without a key.
    #[attr(computed)]
    pub secret_hash: Value<String>,
    /// Annotations that the service account needs, for `service_account.annotations` of `gitlabspot_runner_release`; empty
    /// except in mode `irsa`.
    #[attr(computed)]
    pub service_account_annotations: Value<Map<String>>,
}
