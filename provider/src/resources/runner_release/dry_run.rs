//! Validates a plan with a dry run: the cluster's validation, quotas and policies reject it before anything is applied.
//!
//! The dry run is optional. Without access to the cluster, or without permission to write to it, the plan is the same.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::value::known_map;
use tfplugin::framework::{Attribute, AttributePath, Context, Diagnostic, Diagnostics, Object, Plan, Raw, Severity};
use tokio::time::{Instant, timeout, timeout_at};

use super::Session;
use super::live::{get_all, is_ours, other_release};
use super::manifests::Fingerprints;
use super::model::Desired;
use super::private::Private;
use super::schema::{ATTRIBUTES, RunnerRelease};
use crate::configured::Data;
use crate::errors::sentence;
use crate::objects::owner::Owner;
use crate::objects::{Applied, ObjectSet, is_complete_workload, mutation, namespace};
use crate::steps::Fault as _;

/// Time limit for the first answer of the cluster. It is short for plans that run without access to the cluster.
const REACHED: Duration = Duration::from_secs(5);

/// Time limit of the whole dry run.
const DONE: Duration = Duration::from_secs(30);

/// Maximum number of concurrent requests.
const AT_A_TIME: usize = 8;

/// Validates the objects of the plan on the cluster.
///
/// # Errors
/// The objects that the cluster rejects, each at the attribute that sets the rejected field.
pub(super) async fn check(
    context: &Context<Data>,
    plan: &mut Plan<RunnerRelease, Private>,
    desired: &Desired,
) -> Result<(), Diagnostics> {
    if plan.planned.cluster_name.is_unknown() {
        return Ok(());
    }
    let before = plan.prior.as_ref().and_then(|prior| known_map(&prior.manifest)).unwrap_or_default();
    let adopts = plan.private.adoption.claims_all();
    let owner = plan.private.objects.owner.clone().filter(|_| plan.prior.is_some());
    let set = ObjectSet { before: &before, after: &desired.manifest, adopts, owner, is_new: false };
    let objects = objects(desired, &set)?;
    if objects.is_empty() {
        return Ok(());
    }
    let session = match timeout(REACHED, reached(context, plan, desired)).await {
        Ok(Ok(Some(session))) => session,
        // The cluster does not accept the credentials, so that an apply would fail too.
        Ok(Err(error)) => {
            let text =
                format!("{} It is not known whether the cluster accepts the plan.", sentence(&error.to_string()));
            plan.warn(Diagnostic::warning("Plan not validated on the cluster", text));
            return Ok(());
        }
        Ok(Ok(None)) | Err(_) => return Ok(()),
    };
    let Tried { refused, found, unanswered, accepted } = session.try_out(objects, &set, plan.prior.is_none()).await;
    // The private state contains the ID of a resource that this one replaces. Only the apply returns an error for it:
    // hosts plan again before a create, and with an error they would lose the deposed object of create_before_destroy.
    let is_other =
        |object: &&Json| Owner::on(object).is_some_and(|it| Some(&it) != plan.private.objects.owner.as_ref());
    let names = &desired.spec.names;
    let is_of_release =
        |object: &&Json| is_ours(object) && other_release(object, &names.namespace, &names.release).is_none();
    if let Some(object) =
        found.iter().filter(is_other).filter(is_of_release).find(|object| is_complete_workload(object))
    {
        let fault = session.of_other(object);
        let text = format!("{fault} The apply fails unless it destroys that resource as well.");
        plan.warn(Diagnostic::warning(fault.summary(), text));
    }
    let is_begun = found.iter().any(is_ours);
    if !unanswered.is_empty() {
        let text = format!(
            "The cluster did not answer for {} within {} seconds. An apply may still be rejected.",
            unanswered.join(", "),
            DONE.as_secs()
        );
        plan.warn(Diagnostic::warning("Plan not completely validated on the cluster", text));
    }
    let changes: Vec<_> = accepted.into_iter().map(|it| (it.place, it.asked, it.made)).collect();
    if let Some(warning) = mutation::admission_warning(&changes) {
        plan.warn(warning);
    }
    let config = plan.config.clone().into_raw_object();
    let found = refused.iter().map(|error| diagnostic(error, desired, &config));
    if plan.changed && plan.prior.is_some() || plan.prior.is_none() && !is_begun {
        let found: Diagnostics = found.collect();
        return if found.is_empty() { Ok(()) } else { Err(found) };
    }
    // The configuration was accepted before, or its create has begun. Hosts also plan before a destroy: an error would
    // prevent it.
    found.for_each(|found| plan.warn(Diagnostic { severity: Severity::Warning, ..found }));
    Ok(())
}

/// Returns the objects that the plan changes. The content of Secrets is not sent before an apply.
fn objects(desired: &Desired, set: &ObjectSet<'_>) -> Result<Vec<Json>, Diagnostics> {
    let mut objects = desired.objects(&Fingerprints::new())?;
    objects.extend(desired.secret().map(|secret| {
        let mut secret = secret.redacted();
        secret.as_object_mut().map(|fields| fields.remove("data"));
        secret
    }));
    objects.retain(|object| {
        let key = ObjectRef::of(object).map(|place| place.to_string()).unwrap_or_default();
        set.before.get(&key) != set.after.get(&key)
    });
    Ok(objects)
}

/// Returns the session if the cluster answers and has the namespace, or an error if it does not accept the credentials.
async fn reached<'a>(
    context: &'a Context<Data>,
    plan: &Plan<RunnerRelease, Private>,
    desired: &Desired,
) -> Result<Option<Session<'a>>, KubernetesError> {
    let Ok(session) = Session::connect(context, &plan.planned, &mut plan.private.objects.clone()).await else {
        return Ok(None);
    };
    Ok(match kubernetes::get(&session.client, &namespace::place(&desired.spec.names.namespace)).await {
        // In a namespace that is being deleted every create fails; an apply waits until it is deleted.
        Ok(found) => found.filter(|found| found["status"]["phase"] != "Terminating").map(|_| session),
        // Credentials without permission to read namespaces may still be allowed to use this one.
        Err(KubernetesError::Forbidden { .. }) => Some(session),
        Err(error @ KubernetesError::Unauthorized { .. }) => return Err(error),
        Err(_) => None,
    })
}

/// Result of a dry run.
#[derive(Debug, Default)]
struct Tried {
    refused: Vec<KubernetesError>,
    /// Existing objects, for a create.
    found: Vec<Json>,
    /// Accepted objects, with the fields as the cluster would store them.
    accepted: Vec<Applied>,
    /// Objects for which the cluster did not answer in time.
    unanswered: Vec<String>,
}

impl Session<'_> {
    /// Applies the objects in a dry run.
    async fn try_out(&self, mut objects: Vec<Json>, set: &ObjectSet<'_>, is_create: bool) -> Tried {
        let end = Instant::now() + DONE;
        let mut there = Vec::new();
        if is_create {
            // Objects that exist are not tried: they have to be deleted first, or the apply reports their owner.
            let places: Vec<ObjectRef> = objects.iter().filter_map(|object| ObjectRef::of(object).ok()).collect();
            let names = places.iter().map(ToString::to_string).collect();
            let found = match timeout_at(end, get_all(&self.client, places)).await {
                Ok(Ok(found)) => found,
                Ok(Err(_)) => return Tried::default(),
                Err(_) => return Tried { unanswered: names, ..Tried::default() },
            };
            let new: Vec<ObjectRef> =
                found.iter().filter(|(_, object)| object.is_none()).map(|(place, _)| place.clone()).collect();
            there.extend(found.into_iter().filter_map(|(_, object)| object));
            objects.retain(|object| ObjectRef::of(object).is_ok_and(|place| new.contains(&place)));
        }
        let name = |object: &Json| ObjectRef::of(object).map(|place| place.to_string()).unwrap_or_default();
        // If the time limit is exceeded, the answers until then are used.
        let mut unanswered: BTreeMap<usize, String> = objects.iter().map(name).enumerate().collect();
        let (mut refused, mut accepted) = (BTreeMap::new(), BTreeMap::new());
        let mut answers = stream::iter(objects.into_iter().enumerate())
            .map(async |(index, object)| (index, set.try_out(self, &object).await))
            .buffer_unordered(AT_A_TIME)
            .boxed();
        while let Ok(Some((index, answer))) = timeout_at(end, answers.next()).await {
            match answer {
                Ok(applied) => _ = accepted.insert(index, applied),
                Err(error) if is_refusal(&error) => _ = refused.insert(index, error),
                Err(error) if error.is_outcome_unknown() => continue,
                Err(_) => {}
            }
            unanswered.remove(&index);
        }
        Tried {
            refused: refused.into_values().collect(),
            found: there,
            accepted: accepted.into_values().collect(),
            unanswered: unanswered.into_values().collect(),
        }
    }
}

/// Whether an apply would fail too. Missing permissions, namespaces and kinds may be created by the same run.
fn is_refusal(error: &KubernetesError) -> bool {
    match error {
        KubernetesError::Conflict { .. } | KubernetesError::Denied { .. } => true,
        // Some admission webhooks do not support dry runs.
        KubernetesError::Invalid { fields, .. } => {
            !fields.iter().any(|field| field.reason.contains("does not support dry run"))
        }
        // The object is too large.
        KubernetesError::Api { code, .. } => *code == 413,
        _ => false,
    }
}

fn diagnostic(
    error: &KubernetesError,
    desired: &Desired,
    config: &std::collections::BTreeMap<String, Raw>,
) -> Diagnostic {
    let detail = format!(
        "{} Nothing was changed. To destroy the release, revert the configuration, or use -refresh=false.",
        sentence(&error.to_string())
    );
    let (place, field) = match error {
        KubernetesError::Conflict { object, conflicts } => {
            (Some(object), conflicts.first().map_or("", |conflict| &conflict.field))
        }
        KubernetesError::Invalid { object, fields } => (Some(object), fields.first().map_or("", named_field)),
        KubernetesError::Denied { object, .. } => (Some(object), ""),
        _ => (None, ""),
    };
    let summary = match error {
        KubernetesError::Conflict { .. } => "Field of another manager",
        _ => "Not accepted by the cluster",
    };
    let attribute = place.and_then(|place| attribute(place, field, &desired.spec.names.full));
    let is_given = |name: &str| config.get(name).is_some_and(|value| !value.is_null());
    let attribute = attribute
        .map(|name| if !is_given(&name) && is_given("values") { "values".to_owned() } else { name.into_owned() });
    let path = attribute.map_or_else(AttributePath::default, AttributePath::of);
    Diagnostic::error(summary, detail).at(path)
}

/// Returns the field that an error refers to, also if only its message contains the field.
fn named_field(field: &kubernetes::InvalidField) -> &str {
    if !field.field.is_empty() {
        return &field.field;
    }
    let unknown = field.reason.split_once("unknown field \"").and_then(|(_, rest)| rest.split('"').next());
    unknown
        .or_else(|| field.reason.split_once("): .").and_then(|(_, rest)| rest.split(": ").next()))
        .unwrap_or_default()
}

/// Returns the attribute that sets a field of an object, by the marks in the schema.
pub(super) fn attribute(place: &ObjectRef, field: &str, manager: &str) -> Option<Cow<'static, str>> {
    let is_marked: &dyn Fn(&Attribute) -> bool = match place.kind.as_str() {
        "Deployment" => {
            let (plain, first) = without_indexes(field.trim_start_matches('.'));
            if plain.starts_with("spec.template.spec.containers")
                && first.is_some_and(|index| !["0", manager].contains(&index) && index != format!("name=\"{manager}\""))
            {
                return Some("extra_containers".into());
            }
            let is_within = move |prefix: &str| {
                plain.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            };
            &move |attribute| attribute.marks("deployment").any(&is_within)
        }
        _ => &|attribute| attribute.marks("object").any(|mark| is_made(place, mark)),
    };
    ATTRIBUTES.iter().find(|attribute| is_marked(attribute)).map(|attribute| attribute.name.clone())
}

/// Whether a mark such as `Service` or `Service *-session-server` matches an object.
fn is_made(place: &ObjectRef, mark: &str) -> bool {
    let (kind, suffix) = mark.split_once(" *").unwrap_or((mark, ""));
    place.kind == kind && place.name.ends_with(suffix)
}

/// Returns `a[0].b[c]` as `a.b`, and the text in its first brackets.
fn without_indexes(field: &str) -> (String, Option<&str>) {
    let mut parts = field.split('[');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    let mut first = None;
    for part in parts {
        let (index, rest) = part.split_once(']').unwrap_or((part, ""));
        first = first.or(Some(index));
        plain.push_str(rest);
    }
    (plain, first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlabspot_clients::kubernetes::InvalidField;

    fn deployment() -> ObjectRef {
        super::super::live::deployment("ci", "gitlab-runner")
    }

    #[test]
    fn fields_lead_to_attributes() {
        let of = |field: &str| attribute(&deployment(), field, "gitlab-runner").map(Cow::into_owned);
        assert_eq!(of("spec.template.spec.containers[0].volumeMounts[2].name"), Some("volume_mounts".to_owned()));
        assert_eq!(of("spec.template.spec.containers[0].resources.requests[cpu]"), Some("resources".to_owned()));
        assert_eq!(of("spec.template.spec.containers[1].image"), Some("extra_containers".to_owned()));
        let named = r#".spec.template.spec.containers[name="gitlab-runner"].env[name="A"].value"#;
        assert_eq!(of(named), Some("extra_env".to_owned()));
        assert_eq!(of(".spec.replicas"), Some("replicas".to_owned()));
        assert_eq!(of("spec.template.spec.nodeSelectors"), None);
        assert_eq!(of(""), None);
    }

    #[test]
    fn objects_lead_to_attributes() {
        let of = |kind: &str, name: &str| {
            attribute(&ObjectRef { kind: kind.into(), name: name.into(), ..deployment() }, "", "x").unwrap_or_default()
        };
        for (kind, expected) in [
            ("HorizontalPodAutoscaler", "hpa"),
            ("PodDisruptionBudget", "pod_disruption_budget"),
            ("PodMonitor", "pod_monitor"),
            ("ServiceMonitor", "service_monitor"),
            ("Ingress", "session_server"),
            ("Service", "service"),
            ("ServiceAccount", "service_account"),
            ("Role", "rbac"),
            ("RoleBinding", "rbac"),
            ("ClusterRole", "rbac"),
            ("ClusterRoleBinding", "rbac"),
            ("ConfigMap", ""),
        ] {
            assert_eq!(of(kind, "x"), expected);
        }
        assert_eq!(of("Service", "x-session-server"), "session_server");
    }

    #[test]
    fn messages_name_fields() {
        let of =
            |reason: &str| named_field(&InvalidField { field: String::new(), reason: reason.to_owned() }).to_owned();
        assert_eq!(of("strict decoding error: unknown field \"spec.template.spec.x\""), "spec.template.spec.x");
        assert_eq!(
            of("failed to create typed patch object (ci/r; apps/v1, Kind=Deployment): .spec.template.spec.volumes: \
                duplicate entries for key [name=\"a\"]"),
            "spec.template.spec.volumes"
        );
        assert_eq!(of("something else"), "");
    }

    #[test]
    fn temporary_rejections_are_no_errors() {
        let object = || Box::new(deployment());
        let invalid = |reason: &str| KubernetesError::Invalid {
            object: object(),
            fields: vec![InvalidField { field: String::new(), reason: reason.to_owned() }],
        };
        assert!(is_refusal(&invalid("no")));
        assert!(is_refusal(&KubernetesError::Denied { object: object(), message: String::new() }));
        for passing in [
            invalid("admission webhook \"a\" does not support dry run"),
            KubernetesError::Forbidden { object: object(), message: String::new() },
            KubernetesError::UnknownKind { object: object() },
            KubernetesError::NotFound { object: object(), message: String::new() },
            KubernetesError::Unreachable { object: object(), server: String::new(), reason: String::new() },
        ] {
            assert!(!is_refusal(&passing), "{passing}");
        }
    }
}
