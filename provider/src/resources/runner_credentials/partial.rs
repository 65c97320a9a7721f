//! States during an operation. All attributes are listed, so that the compiler requires a decision for each new one.

use tfplugin::framework::Value;

use super::schema::RunnerCredentials;

/// The state before anything is granted.
pub(super) fn granting(planned: &RunnerCredentials) -> RunnerCredentials {
    let mut state = compose(planned, planned, &RunnerCredentials::default());
    state.policy_json = Value::Null;
    state
}

/// The state at the beginning of an update. Attributes that only exist in the state are updated at once, all others
/// after their step.
pub(super) fn begun(prior: &RunnerCredentials, planned: &RunnerCredentials) -> RunnerCredentials {
    compose(planned, prior, prior)
}

/// The state at the end of an update: the plan, with the attributes that the grant determines from `state`.
pub(super) fn done(state: &RunnerCredentials, planned: &RunnerCredentials) -> RunnerCredentials {
    compose(planned, planned, state)
}

/// Combines attributes that only exist in the state from `settings`, attributes that calls change from `applied`, and
/// attributes that the grant determines from `granted`.
fn compose(
    settings: &RunnerCredentials,
    applied: &RunnerCredentials,
    granted: &RunnerCredentials,
) -> RunnerCredentials {
    RunnerCredentials {
        bucket: settings.bucket.clone(),
        cache_path: settings.cache_path.clone(),
        kms_key_arn: settings.kms_key_arn.clone(),
        policy: settings.policy.clone(),
        name: settings.name.clone(),
        name_prefix: settings.name_prefix.clone(),
        path: settings.path.clone(),
        cluster_name: settings.cluster_name.clone(),
        namespace: settings.namespace.clone(),
        create_namespace: settings.create_namespace.clone(),
        secret_name: settings.secret_name.clone(),
        rotate_after_days: settings.rotate_after_days.clone(),
        timeouts: settings.timeouts.clone(),
        mode: applied.mode.clone(),
        service_account: applied.service_account.clone(),
        permissions_boundary: applied.permissions_boundary.clone(),
        secret_labels: applied.secret_labels.clone(),
        secret_annotations: applied.secret_annotations.clone(),
        rotation_trigger: applied.rotation_trigger.clone(),
        tags: applied.tags.clone(),
        tags_all: applied.tags_all.clone(),
        id: applied.id.clone(),
        policy_json: applied.policy_json.clone(),
        access_key_id: granted.access_key_id.clone(),
        created_at: granted.created_at.clone(),
        rotates_at: granted.rotates_at.clone(),
        user_arn: granted.user_arn.clone(),
        role_arn: granted.role_arn.clone(),
        trust_policy_json: granted.trust_policy_json.clone(),
        superseded: granted.superseded.clone(),
        secret_hash: granted.secret_hash.clone(),
        service_account_annotations: granted.service_account_annotations.clone(),
    }
}
