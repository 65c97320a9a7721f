//! States of an update that is under way. Each lists all attributes, so that a new one cannot be forgotten.

use super::plan;
use super::schema::RunnerCredentials;

/// The state at the begin of an update: what only the state has takes effect at once, everything else once it is done.
pub(super) fn begun(prior: &RunnerCredentials, planned: &RunnerCredentials) -> RunnerCredentials {
    let mut state = RunnerCredentials {
        mode: prior.mode.clone(),
        bucket: planned.bucket.clone(),
        cache_path: planned.cache_path.clone(),
        kms_key_arn: planned.kms_key_arn.clone(),
        policy: planned.policy.clone(),
        name: planned.name.clone(),
        name_prefix: planned.name_prefix.clone(),
        path: planned.path.clone(),
        permissions_boundary: prior.permissions_boundary.clone(),
        cluster_name: planned.cluster_name.clone(),
        namespace: planned.namespace.clone(),
        create_namespace: planned.create_namespace.clone(),
        secret_name: planned.secret_name.clone(),
        secret_labels: prior.secret_labels.clone(),
        secret_annotations: prior.secret_annotations.clone(),
        service_account: prior.service_account.clone(),
        rotate_after_days: planned.rotate_after_days.clone(),
        rotation_trigger: prior.rotation_trigger.clone(),
        tags: prior.tags.clone(),
        tags_all: prior.tags_all.clone(),
        timeouts: planned.timeouts.clone(),
        id: prior.id.clone(),
        access_key_id: prior.access_key_id.clone(),
        created_at: prior.created_at.clone(),
        rotates_at: planned.rotates_at.clone(),
        user_arn: prior.user_arn.clone(),
        role_arn: prior.role_arn.clone(),
        policy_json: prior.policy_json.clone(),
        trust_policy_json: prior.trust_policy_json.clone(),
        superseded: prior.superseded.clone(),
        secret_hash: prior.secret_hash.clone(),
        service_account_annotations: prior.service_account_annotations.clone(),
    };
    state.rotates_at = plan::rotates_at(&state);
    state
}

/// The state at the end of an update: the plan, with what the update found out.
pub(super) fn done(state: &RunnerCredentials, planned: &RunnerCredentials) -> RunnerCredentials {
    RunnerCredentials {
        mode: planned.mode.clone(),
        bucket: planned.bucket.clone(),
        cache_path: planned.cache_path.clone(),
        kms_key_arn: planned.kms_key_arn.clone(),
        policy: planned.policy.clone(),
        name: planned.name.clone(),
        name_prefix: planned.name_prefix.clone(),
        path: planned.path.clone(),
        permissions_boundary: planned.permissions_boundary.clone(),
        cluster_name: planned.cluster_name.clone(),
        namespace: planned.namespace.clone(),
        create_namespace: planned.create_namespace.clone(),
        secret_name: planned.secret_name.clone(),
        secret_labels: planned.secret_labels.clone(),
        secret_annotations: planned.secret_annotations.clone(),
        service_account: planned.service_account.clone(),
        rotate_after_days: planned.rotate_after_days.clone(),
        rotation_trigger: planned.rotation_trigger.clone(),
        tags: planned.tags.clone(),
        tags_all: planned.tags_all.clone(),
        timeouts: planned.timeouts.clone(),
        id: planned.id.clone(),
        access_key_id: state.access_key_id.clone(),
        created_at: state.created_at.clone(),
        rotates_at: state.rotates_at.clone(),
        user_arn: state.user_arn.clone(),
        role_arn: state.role_arn.clone(),
        policy_json: planned.policy_json.clone(),
        trust_policy_json: state.trust_policy_json.clone(),
        superseded: state.superseded.clone(),
        secret_hash: state.secret_hash.clone(),
        service_account_annotations: state.service_account_annotations.clone(),
    }
}
