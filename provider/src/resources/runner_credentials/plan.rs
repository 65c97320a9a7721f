//! Completes the plan: computed attributes, replacements and rotation.

use std::time::{Duration, SystemTime};

use tfplugin::framework::value::Map;
use tfplugin::framework::{Diagnostic, Plan, Value};

use super::access_method::{AccessMethod, Mode};
use super::import;
use super::journal::Journal;
use super::model::policy_of;
use super::partial;
use super::principal::Principal;
use super::private::Private;
use super::schema::RunnerCredentials;
use crate::names::needs_another_name;
use crate::policy_document::{equivalent, parse, text};
use crate::provider_tags::ProviderTags;
use crate::{tags, timestamp};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Completes a plan. `partition` is `None` while the provider does not know its region.
pub(super) fn complete(
    plan: &mut Plan<RunnerCredentials, Private>,
    partition: Option<&str>,
    tags: &ProviderTags,
    now: SystemTime,
) {
    let journal = plan.private.journal.clone();
    if let Some(prior) = plan.prior.clone() {
        replacements(plan, &prior, &journal);
        derive(&mut plan.planned, Some(&prior), partition, tags);
        if is_kept(&plan.planned, &prior) {
            kept(plan, &prior, &journal, now);
        } else {
            granted_anew(&mut plan.planned);
        }
    } else {
        derive(&mut plan.planned, None, partition, tags);
        granted_anew(&mut plan.planned);
        plan.planned.superseded = Value::Known(Vec::new());
    }
}

/// Returns an error for tag keys that differ only in case, which IAM does not distinguish. Tags of the provider block
/// are not known in the validation.
pub(super) fn tell_apart(planned: &RunnerCredentials) -> Option<Diagnostic> {
    let (one, other) = tags::alike(&planned.tags_all)?;
    let text = format!(
        "IAM ignores case in tag keys, so {one:?} and {other:?} are the same key. Write it the same way in tags and in \
         the provider's default_tags, or remove one of them."
    );
    Some(Diagnostic::error("Duplicate tag", text).at("tags"))
}

/// Whether the grant stays the same.
fn is_kept(planned: &RunnerCredentials, prior: &RunnerCredentials) -> bool {
    let is_known = match Mode::of(&planned.mode) {
        None => false,
        Some(Mode::AccessKey) => true,
        Some(Mode::Irsa | Mode::PodIdentity) => !planned.service_account.is_unknown(),
    };
    is_known && !AccessMethod::of(prior).requires_switch_to(&AccessMethod::of(planned))
}

/// Requires a replacement for changes beyond those that the schema marks.
fn replacements(plan: &mut Plan<RunnerCredentials, Private>, prior: &RunnerCredentials, journal: &Journal) {
    let planned = &plan.planned;
    // An import ID may omit the cluster, so that the first plan after an import may add its name.
    let is_other_cluster = planned.cluster_name != prior.cluster_name && !journal.is_imported;
    if needs_another_name(&prior.name, &prior.name_prefix, &planned.name_prefix) {
        plan.require_replace("name_prefix");
    }
    if is_other_cluster {
        plan.require_replace("cluster_name");
    }
}

/// Sets the attributes that are derived from the configuration: in the plan, and in the apply when all values are
/// known.
pub(super) fn derive(
    model: &mut RunnerCredentials,
    prior: Option<&RunnerCredentials>,
    partition: Option<&str>,
    tags: &ProviderTags,
) {
    model.tags_all = tags.all(&model.tags);
    model.policy_json = match policy_of(model, partition) {
        None => Value::Unknown,
        Some(document) => {
            // An equivalent document keeps its text, so that formatting is not a change.
            let before = prior.and_then(|prior| prior.policy_json.as_str());
            let same = before.filter(|before| parse(before).is_some_and(|before| equivalent(&before, &document)));
            same.map_or_else(|| text(&document), str::to_owned).into()
        }
    };
    identify(model);
}

pub(super) fn identify(model: &mut RunnerCredentials) {
    model.id = id(model);
}

fn id(model: &RunnerCredentials) -> Value<String> {
    let Some(principal) = Mode::of(&model.mode).map(Mode::principal) else { return Value::Unknown };
    let object = match principal {
        Principal::User => &model.secret_name,
        Principal::Role => &model.service_account,
    };
    let parts = [&model.namespace, object, &model.name].map(Value::as_str);
    let [Some(namespace), Some(object), Some(name)] = parts else { return Value::Unknown };
    import::id(None, (namespace, object), (principal, name)).into()
}

/// Sets the attributes that a new grant determines to unknown, and those that its mode does not have to null.
fn granted_anew(model: &mut RunnerCredentials) {
    let mode = Mode::of(&model.mode);
    let only_in = |here: bool| if mode.is_none() || here { Value::Unknown } else { Value::Null };
    let key = only_in(mode == Some(Mode::AccessKey));
    model.user_arn = key.clone();
    model.access_key_id = key.clone();
    model.created_at = key.clone();
    model.secret_hash = key.clone();
    model.rotates_at = if model.rotate_after_days.is_null() { Value::Null } else { key };
    model.role_arn = only_in(mode.is_some_and(|mode| mode != Mode::AccessKey));
    model.service_account_annotations = match mode {
        None | Some(Mode::Irsa) => Value::Unknown,
        Some(_) => Value::Known(Map::new()),
    };
    model.trust_policy_json = model.role_arn.clone();
    // Which grants are superseded is known when the new one is complete.
    model.superseded = Value::Unknown;
}

/// Completes the plan of an unchanged grant: its attributes keep their values, unless it is repaired or the key
/// rotated.
fn kept(plan: &mut Plan<RunnerCredentials, Private>, prior: &RunnerCredentials, journal: &Journal, now: SystemTime) {
    let planned = &mut plan.planned;
    *planned = partial::done(prior, planned);
    if let Some(trust) = &journal.findings.trust {
        planned.trust_policy_json = trust.as_str().into();
    }
    let used = journal.describe(prior, |is_idle| !is_idle);
    planned.superseded = Value::Known(used.into_iter().map(Value::from).collect());
    let idle = journal.describe(prior, |is_idle| is_idle);
    if !idle.is_empty() {
        let mut roles = journal.others().filter(|grant| grant.method.principal() == Principal::Role);
        // The revocation of a grant to the role removes its statement from the trust policy.
        if !planned.role_arn.is_null() && roles.any(|grant| grant.is_idle) {
            planned.trust_policy_json = Value::Unknown;
        }
        plan.warn(Diagnostic::warning(
            "Old credentials will be revoked",
            format!("The apply revokes credentials that no pod of the namespace uses any longer: {}.", idle.join("; ")),
        ));
    }
    if let Some(reason) = &journal.findings.unbound {
        plan.warn(Diagnostic::warning("Role trust will be repaired", reason.clone()));
    }
    let planned = &mut plan.planned;
    if Mode::of(&planned.mode) != Some(Mode::AccessKey) {
        return;
    }
    planned.rotates_at = rotates_at(planned);
    if let Some(reason) = rotation(prior, planned, journal, now) {
        planned.access_key_id = Value::Unknown;
        planned.created_at = Value::Unknown;
        planned.secret_hash = Value::Unknown;
        planned.superseded = Value::Unknown;
        if !planned.rotate_after_days.is_null() {
            planned.rotates_at = Value::Unknown;
        }
        plan.warn(Diagnostic::warning(
            "Access key will be replaced",
            format!(
                "{reason}. A new key is created and written to the Secret. Runners use it after a restart (restart_on \
                 of gitlabspot_runner_release). The old key remains valid until no pod uses it any longer \
                 (superseded). A later apply then deactivates and deletes it."
            ),
        ));
    } else if let retiring = journal.current().retiring
        && !retiring.is_empty()
    {
        // Without a difference there would be no update that can delete them.
        planned.rotates_at = Value::Unknown;
        plan.warn(Diagnostic::warning(
            "Old access keys will be deleted",
            format!("The apply deletes access keys that an earlier apply could not delete: {}.", retiring.join(", ")),
        ));
    }
}

/// Returns why the key must be replaced, if it must.
fn rotation(
    prior: &RunnerCredentials,
    planned: &RunnerCredentials,
    journal: &Journal,
    now: SystemTime,
) -> Option<String> {
    if let Some(reason) = &journal.findings.rotation {
        return Some(reason.clone());
    }
    if prior.access_key_id.is_null() || prior.secret_hash.is_null() {
        return Some("No key is in use".to_owned());
    }
    // An import cannot read the trigger of the current key.
    if planned.rotation_trigger != prior.rotation_trigger && !(journal.is_imported && prior.rotation_trigger.is_null())
    {
        return Some("The value of rotation_trigger has changed".to_owned());
    }
    // With an unchanged `rotate_after_days` the read decides, so that the time between plan and apply does not matter.
    let is_due = planned.rotate_after_days != prior.rotate_after_days
        && planned.rotates_at.as_str().and_then(timestamp::parse).is_some_and(|due| due <= now);
    is_due.then(|| "The key is older than rotate_after_days".to_owned())
}

/// Returns the time from which the key is rotated.
pub(super) fn rotates_at(model: &RunnerCredentials) -> Value<String> {
    let days = match &model.rotate_after_days {
        Value::Known(days) => u32::try_from(*days).unwrap_or(0),
        Value::Null => return Value::Null,
        Value::Unknown => return Value::Unknown,
    };
    match model.created_at.as_str().and_then(timestamp::parse) {
        Some(created) => timestamp::format(created + DAY * days).into(),
        None if model.created_at.is_unknown() => Value::Unknown,
        None => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::super::journal::Findings;
    use super::*;

    fn model() -> RunnerCredentials {
        RunnerCredentials {
            mode: "access_key".into(),
            bucket: "ci-cache".into(),
            cache_path: "".into(),
            policy: "least_privilege".into(),
            name: "runner".into(),
            namespace: "ci".into(),
            secret_name: "cache".into(),
            service_account: "runner-sa".into(),
            access_key_id: "AKIA1".into(),
            secret_hash: "abc".into(),
            created_at: "2026-01-01T00:00:00Z".into(),
            ..RunnerCredentials::default()
        }
    }

    fn at(text: &str) -> SystemTime {
        timestamp::parse(text).unwrap()
    }

    #[test]
    fn ids_are_import_ids() {
        assert_eq!(id(&model()), "ci/cache:runner".into());
        assert_eq!(id(&RunnerCredentials { mode: "irsa".into(), ..model() }), "ci/runner-sa:role/runner".into());
        assert_eq!(id(&RunnerCredentials { name: Value::Unknown, ..model() }), Value::Unknown);
    }

    #[test]
    fn reasons_for_another_key() {
        let now = at("2026-02-01T00:00:00Z");
        let why = |prior: &RunnerCredentials, planned: &RunnerCredentials, journal: &Journal| {
            let planned = RunnerCredentials { rotates_at: rotates_at(planned), ..planned.clone() };
            rotation(prior, &planned, journal, now)
        };
        let none = Journal::default();
        assert_eq!(why(&model(), &model(), &none), None);
        let findings = Findings { rotation: Some("The Secret was deleted".to_owned()), ..Findings::default() };
        let due = Journal { findings, ..Journal::default() };
        assert_eq!(why(&model(), &model(), &due), Some("The Secret was deleted".to_owned()));
        let triggered = RunnerCredentials { rotation_trigger: "2".into(), ..model() };
        assert!(why(&model(), &triggered, &none).is_some());
        assert_eq!(why(&model(), &triggered, &Journal { is_imported: true, ..Journal::default() }), None);
        let monthly = RunnerCredentials { rotate_after_days: 31.into(), ..model() };
        assert!(why(&model(), &monthly, &none).is_some());
        assert_eq!(why(&model(), &RunnerCredentials { rotate_after_days: 32.into(), ..model() }, &none), None);
        // The read finds an unchanged limit that has passed, so that plan and apply agree.
        assert_eq!(why(&monthly, &monthly, &none), None);
        assert!(why(&RunnerCredentials { secret_hash: Value::Null, ..model() }, &model(), &none).is_some());
    }

    #[test]
    fn equivalent_policy_is_unchanged() {
        let tags = ProviderTags { default: Some(std::collections::BTreeMap::new()), ..ProviderTags::default() };
        let mut given = model();
        given.policy =
            r#"{"Version": "2012-10-17", "Statement": [{"Effect":"Allow","Action":["s3:*"],"Resource":"*"}]}"#.into();
        let before = r#"{"Statement":{"Action":"s3:*","Effect":"Allow","Resource":"*"},"Version":"2012-10-17"}"#;
        let prior = RunnerCredentials { policy_json: before.into(), ..model() };
        derive(&mut given, Some(&prior), None, &tags);
        assert_eq!(given.policy_json, before.into());
    }
}
