//! Scenarios: operations as Terraform Core requests them, on an API server in memory, with a clock that tests set.

use gitlabspot_clients::aws::AwsSettings;
use gitlabspot_clients::kubernetes::KubernetesSettings;
use gitlabspot_testing::kubernetes::{Cluster, Fault};
use serde_json::{Value as Json, json};
use tfplugin::framework::{Diagnostics, Raw};

use super::WarmCapacityResource;
use super::private::Private;
use crate::testing::{Stage, summaries};

type Config = Vec<(&'static str, Raw)>;

const DEPLOYMENT: &str = "deployments ci/warm";
const CRON_JOB: &str = "cronjobs ci/warm";
const CLASS: &str = "priorityclasses gitlabspot-placeholder-minus-10";
const NAMESPACE: &str = "namespaces ci";

/// A stage at noon, when no period of a schedule is in progress.
fn stage(cluster: &Cluster) -> Stage {
    let stage = Stage::with_cluster(
        WarmCapacityResource,
        AwsSettings::default(),
        KubernetesSettings::default(),
        Some(cluster.client()),
    );
    stage.at("2026-01-15T12:00:00Z");
    stage
}

fn object<const N: usize>(attributes: [(&str, Raw); N]) -> Raw {
    Raw::Map(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn config(more: &[(&'static str, Raw)]) -> Config {
    let pod = object([
        ("cpu", "2".into()),
        ("memory", "8Gi".into()),
        ("ephemeral_storage", Raw::Null),
        ("node_selector", object([("intent", "build".into())])),
        ("tolerations", Raw::Null),
    ]);
    let base = [("name", "warm".into()), ("namespace", "ci".into()), ("pods", 2.into()), ("pod", pod)];
    let kept = base.into_iter().filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
    kept.chain(more.iter().cloned()).collect()
}

fn schedule(start: &str, end: &str, zone: &str) -> (&'static str, Raw) {
    let schedule = object([("start", start.into()), ("end", end.into()), ("time_zone", zone.into())]);
    ("schedule", schedule)
}

/// A schedule of eight hours at night, when clocks may change.
fn nights() -> Config {
    config(&[schedule("0 22 * * *", "0 6 * * *", "Europe/Berlin")])
}

impl Stage {
    /// Sets the clock, in UTC.
    fn at(&self, time: &str) {
        self.clock.set_time_of_day(time.parse::<jiff::Timestamp>().unwrap().into());
    }
}

/// Name and length of the only Job.
fn job(cluster: &Cluster) -> (String, i64) {
    let [job] = cluster.objects_of("jobs").try_into().unwrap();
    let length = cluster.get(&job)["spec"]["activeDeadlineSeconds"].as_i64().unwrap();
    (job, length)
}

/// Name of the Job of the period with this start.
fn job_of(start: &str) -> String {
    format!("jobs ci/warm-{}", start.parse::<jiff::Timestamp>().unwrap().as_second() / 60)
}

/// A fault that rejects applies of this kind of object.
fn refused(apply: &'static str) -> Fault {
    Fault::Error(apply, 422, "Invalid", "spec: Invalid value")
}

#[tokio::test]
async fn placeholders_are_applied_after_their_class_and_deleted_before_it() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.apply_wholly(&config(&[])).await;
    assert_eq!(stage.state.get("id"), "ci/warm".into());
    assert_eq!(stage.state.get("priority_class_name"), "gitlabspot-placeholder-minus-10".into());
    // The last apply removes the mark of an unfinished create.
    let applied = [CLASS, DEPLOYMENT, DEPLOYMENT].map(|object| format!("APPLY {object}"));
    assert_eq!(cluster.writes(), applied);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.writes(), [DEPLOYMENT, CLASS].map(|object| format!("DELETE {object}")));
    assert_eq!(cluster.objects(), [NAMESPACE]);
}

#[tokio::test]
async fn old_workload_is_deleted_before_the_new_one_is_created() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.at("2026-01-15T23:00:00Z");
    stage.apply_wholly(&config(&[])).await;
    cluster.writes();
    stage.apply_wholly(&nights()).await;
    let job = job_of("2026-01-15T21:00:00Z");
    let applied = [CLASS, CRON_JOB, job.as_str()].map(|object| format!("APPLY {object}"));
    assert_eq!(cluster.writes(), [[format!("DELETE {DEPLOYMENT}")].as_slice(), applied.as_slice()].concat());
    stage.apply_wholly(&config(&[])).await;
    assert_eq!(cluster.objects(), [DEPLOYMENT, NAMESPACE, CLASS]);
}

/// In the night when an hour is skipped the period is an hour shorter, and in the night when one is repeated an hour
/// longer.
#[tokio::test]
async fn remaining_time_of_a_period_across_a_clock_change() {
    for (now, start, left) in [
        ("2026-01-15T23:00:00Z", "2026-01-15T21:00:00Z", 6 * 3600),
        ("2026-03-28T23:00:00Z", "2026-03-28T21:00:00Z", 5 * 3600),
        ("2026-10-24T23:00:00Z", "2026-10-24T20:00:00Z", 6 * 3600),
        ("2026-10-24T20:00:01Z", "2026-10-24T20:00:00Z", 9 * 3600 - 1),
    ] {
        let cluster = Cluster::with_namespace("ci");
        let mut stage = stage(&cluster);
        stage.at(now);
        stage.apply_wholly(&nights()).await;
        assert_eq!(job(&cluster), (job_of(start), left), "{now}");
        // A Job of the CronJob has the length of a night without a clock change.
        assert_eq!(cluster.get(CRON_JOB)["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"], 8 * 3600);
        assert_eq!(stage.destroy().await, Diagnostics::new());
        assert_eq!(cluster.objects(), [NAMESPACE]);
    }
}

#[tokio::test]
async fn running_job_is_kept_while_it_matches() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.at("2026-01-15T12:00:00Z");
    stage.apply_wholly(&nights()).await;
    assert_eq!(cluster.objects_of("jobs"), [""; 0]);

    // A Job of the CronJob, with a copy of the annotations.
    let mut own = cluster.get(CRON_JOB)["spec"]["jobTemplate"].clone();
    own["apiVersion"] = json!("batch/v1");
    own["kind"] = json!("Job");
    own["status"] = json!({ "active": 2 });
    own["metadata"]["name"] = json!("warm-1");
    own["metadata"]["namespace"] = json!("ci");
    cluster.put(own);
    let own = cluster.get("jobs ci/warm-1");
    stage.at("2026-01-15T22:00:00Z");
    let timeouts = object([("create", "1m".into()), ("update", Raw::Null), ("delete", Raw::Null)]);
    let with_timeouts: Config = nights().into_iter().chain([("timeouts", timeouts)]).collect();
    stage.apply_wholly(&with_timeouts).await;
    assert_eq!((cluster.objects_of("jobs"), cluster.get("jobs ci/warm-1")), (vec!["jobs ci/warm-1".to_owned()], own));

    // Changed placeholders need a new Job, for the remaining time.
    let three: Config = nights().into_iter().filter(|(name, _)| *name != "pods").chain([("pods", 3.into())]).collect();
    stage.apply_wholly(&three).await;
    assert_eq!(job(&cluster), (job_of("2026-01-15T21:00:00Z"), 7 * 3600));

    // A finished Job is deleted before a new one with the same name is created.
    let failed = json!([{ "type": "Failed", "status": "True" }]);
    cluster.change(&job_of("2026-01-15T21:00:00Z"), |job| job["status"] = json!({ "conditions": failed }));
    stage.at("2026-01-16T00:00:00Z");
    stage.apply_wholly(&nights()).await;
    assert_eq!(job(&cluster), (job_of("2026-01-15T21:00:00Z"), 5 * 3600));

    // The Job is deleted if the new schedule has no current period.
    stage.apply_wholly(&config(&[schedule("0 8 * * *", "0 18 * * *", "Europe/Berlin")])).await;
    assert_eq!(cluster.objects_of("jobs"), [""; 0]);
}

#[tokio::test]
async fn failed_start_of_a_period_is_repeated_by_the_next_apply() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.at("2026-01-15T12:00:00Z");
    stage.apply_wholly(&nights()).await;
    stage.at("2026-01-15T23:00:00Z");
    cluster.inject(refused("APPLY jobs"));
    let three: Config = nights().into_iter().filter(|(name, _)| *name != "pods").chain([("pods", 3.into())]).collect();
    assert_eq!(summaries(&stage.apply(&three).await), ["Placeholders were not created"]);
    assert_eq!(cluster.get(CRON_JOB)["spec"]["jobTemplate"]["spec"]["parallelism"], 3);

    cluster.recover();
    assert_eq!(stage.differences(&three).await, ["manifest"]);
    assert_eq!(summaries(&stage.refresh().await), ["Placeholders of the current period are missing"]);
    stage.apply_wholly(&three).await;
    assert_eq!(job(&cluster), (job_of("2026-01-15T21:00:00Z"), 6 * 3600));
}

/// The warning is not shown at once, because the CronJob may still start the Job; not shortly before the end of the
/// period; and not in the additional hour of a period in which clocks are set back, because a Job of the CronJob has
/// ended by then.
#[tokio::test]
async fn a_period_without_its_job_is_missed() {
    let missing = ["Placeholders of the current period are missing"];
    for (applied, looked, is_missed) in [
        ("2026-01-15T12:00:00Z", "2026-01-15T20:00:00Z", false),
        ("2026-01-15T12:00:00Z", "2026-01-15T21:05:00Z", false),
        ("2026-01-15T12:00:00Z", "2026-01-15T21:05:01Z", true),
        ("2026-01-15T12:00:00Z", "2026-01-16T04:54:59Z", true),
        ("2026-01-15T12:00:00Z", "2026-01-16T04:55:00Z", false),
        ("2026-10-24T12:00:00Z", "2026-10-25T03:54:59Z", true),
        ("2026-10-24T12:00:00Z", "2026-10-25T04:30:00Z", false),
        ("2026-01-15T23:00:00Z", "2026-01-16T00:00:00Z", false),
    ] {
        let cluster = Cluster::with_namespace("ci");
        let mut stage = stage(&cluster);
        stage.at(applied);
        stage.apply_wholly(&nights()).await;
        stage.at(looked);
        let diagnostics = stage.refresh().await;
        assert_eq!(summaries(&diagnostics), missing[..usize::from(is_missed)], "{looked}");
        let changes: &[&str] = if is_missed { &["manifest"] } else { &[] };
        assert_eq!(stage.differences(&nights()).await, changes, "{looked}");
        if is_missed {
            stage.apply_wholly(&nights()).await;
            assert_eq!(cluster.objects_of("jobs").len(), 1);
        }
    }
}

#[tokio::test]
async fn unrecorded_objects_are_deleted_as_well() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.at("2026-01-15T23:00:00Z");
    stage.apply_wholly(&config(&[])).await;
    let before = stage.state.clone();
    // A run that created the other workload, with another priority, and was killed before its state was written.
    let other: Config = nights().into_iter().chain([("priority", (-9).into())]).collect();
    stage.apply_wholly(&other).await;
    stage.state = before;
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects(), [NAMESPACE]);
}

#[tokio::test]
async fn pods_that_are_not_made_are_an_error_after_five_minutes() {
    let cluster = Cluster::with_namespace("ci");
    cluster.inject(Fault::NoNewPods(Json::Null));
    let mut stage = stage(&cluster);
    let began = stage.clock.passed();
    let diagnostics = stage.apply(&config(&[])).await;
    assert_eq!(summaries(&diagnostics), ["Placeholders were not created"]);
    assert!(diagnostics.iter().next().unwrap().detail.contains("0 of 2 pods are created"));
    assert_eq!((stage.clock.passed() - began).as_secs(), 300);
    // Both objects are in the state, so that a destroy deletes them.
    assert_eq!(stage.state.get("manifest").as_map().unwrap().len(), 2);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects(), [NAMESPACE]);
}

#[tokio::test]
async fn rejected_pods_of_a_job_are_reported_with_the_reason() {
    let cluster = Cluster::with_namespace("ci");
    cluster.inject(Fault::NoNewPods(Json::Null));
    let mut stage = stage(&cluster);
    stage.at("2026-01-15T23:00:00Z");
    let diagnostics = stage.apply(&nights()).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("are created; see its events for details"), "{detail}");
    let (job, _) = job(&cluster);
    cluster.put(json!({
        "apiVersion": "v1", "kind": "Event", "reason": "FailedCreate", "lastTimestamp": "2026-01-15T23:00:01Z",
        "metadata": { "name": "one", "namespace": "ci" },
        "involvedObject": { "kind": "Job", "uid": cluster.get(&job)["metadata"]["uid"] },
        "message": "Error creating: pods \"warm-1-\" is forbidden: exceeded quota: none",
    }));
    let diagnostics = stage.apply(&nights()).await;
    assert_eq!(summaries(&diagnostics), ["Placeholders were not created"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("is forbidden: exceeded quota: none"), "{detail}");
}

#[tokio::test]
async fn objects_created_before_an_error_are_recorded() {
    let cluster = Cluster::with_namespace("ci");
    cluster.inject(refused("APPLY deployments"));
    let mut stage = stage(&cluster);
    let diagnostics = stage.apply(&config(&[])).await;
    assert_eq!(summaries(&diagnostics), ["Cannot apply the warm capacity"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("the next apply deletes and recreates it") && detail.contains("untaint"), "{detail}");
    assert_eq!(stage.state.get("manifest").as_map().unwrap().len(), 2, "also what may have been made");
    assert_eq!(cluster.objects(), [NAMESPACE, CLASS]);
    cluster.recover();
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects(), [NAMESPACE]);
}

/// Terraform deletes the objects of a failed create, unless the user untaints the resource. A failed update is
/// continued.
#[tokio::test]
async fn warning_describes_the_next_apply() {
    let cluster = Cluster::with_namespace("ci");
    cluster.inject(refused("APPLY deployments"));
    let mut stage = stage(&cluster);
    assert!(stage.apply(&config(&[])).await.has_errors());
    cluster.recover();
    // The user has untainted the resource.
    stage.apply_wholly(&config(&[])).await;
    cluster.inject(refused("APPLY deployments"));
    let diagnostics = stage.apply(&config(&[("pods", 3.into())])).await;
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("Apply or destroy again when the cause is resolved"), "{detail}");
    cluster.recover();
    stage.apply_wholly(&config(&[("pods", 3.into())])).await;
}

/// Creates a Deployment of another resource with the same class.
fn put_others(cluster: &Cluster) {
    cluster.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "theirs" } }));
    let labels = json!({ "app.kubernetes.io/name": "gitlabspot-warm-capacity" });
    cluster.put(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": "other", "namespace": "theirs", "labels": labels },
        "spec": { "template": { "spec": { "priorityClassName": "gitlabspot-placeholder-minus-10" } } },
    }));
}

#[tokio::test]
async fn priority_class_is_kept_while_in_use() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.apply_wholly(&config(&[])).await;
    put_others(&cluster);
    // Another priority has another class. The previous class still has a user.
    stage.apply_wholly(&config(&[("priority", (-9).into())])).await;
    assert_ne!(cluster.get(CLASS), Json::Null);
    stage.apply_wholly(&config(&[("priority", (-8).into())])).await;
    assert_eq!(cluster.get("priorityclasses gitlabspot-placeholder-minus-9"), Json::Null);
    assert_eq!(stage.destroy().await, Diagnostics::new());
    assert_eq!(cluster.objects(), ["deployments theirs/other", NAMESPACE, "namespaces theirs", CLASS]);
}

#[tokio::test]
async fn priority_class_is_kept_when_other_namespaces_are_forbidden() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.apply_wholly(&config(&[])).await;
    cluster.inject(Fault::OneNamespace);
    assert_eq!(summaries(&stage.destroy().await), ["Priority class was not removed"]);
    assert_eq!(stage.state, Raw::Null);
    assert_eq!(cluster.objects(), [NAMESPACE, CLASS]);
}

#[tokio::test]
async fn deleted_priority_class_is_recreated() {
    // Others delete the class between the two requests of this apply, because it has no users.
    let cluster = Cluster::with_namespace("ci");
    let mut first = stage(&cluster);
    cluster.inject(Fault::After("APPLY deployments", |cluster| cluster.remove(CLASS)));
    first.apply_wholly(&config(&[])).await;
    assert_eq!(cluster.get(CLASS)["value"], -10);

    // Others create placeholders while this destroy deletes the class, which had no users.
    cluster.inject(Fault::After("DELETE priorityclasses", put_others));
    assert_eq!(first.destroy().await, Diagnostics::new());
    assert_eq!(cluster.get(CLASS)["value"], -10);
}

#[tokio::test]
async fn both_workloads_are_imported() {
    for given in [config(&[]), nights()] {
        let cluster = Cluster::with_namespace("ci");
        let mut first = stage(&cluster);
        first.at("2026-01-15T12:00:00Z");
        first.apply_wholly(&given).await;
        let mut second = stage(&cluster);
        assert_eq!(second.import("ci/warm").await, Diagnostics::new());
        assert_eq!(second.state, first.state);
        assert_eq!(second.changes(&given).await, [""; 0]);
    }
    let mut stage = stage(&Cluster::with_namespace("ci"));
    assert_eq!(summaries(&stage.import("ci/warm").await), ["Warm capacity not found"]);
    for wrong in ["warm", "/warm", "ci/", "a/b/c", ":ci/warm", "a b/c"] {
        assert_eq!(summaries(&stage.import(wrong).await), ["Invalid import ID"], "{wrong}");
    }
}

#[tokio::test]
async fn deleted_objects_are_recreated() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.apply_wholly(&config(&[])).await;
    cluster.remove(DEPLOYMENT);
    cluster.remove(CLASS);
    assert_eq!(stage.refresh().await, Diagnostics::new());
    assert_eq!(stage.state, Raw::Null);
}

#[tokio::test]
async fn create_refuses_objects_of_another_resource() {
    for config in [config(&[]), nights()] {
        let cluster = Cluster::with_namespace("ci");
        let mut first = stage(&cluster);
        first.at("2026-01-15T23:00:00Z");
        first.apply_wholly(&config).await;
        let mut second = stage(&cluster);
        second.private = first.private.clone();
        let diagnostics = second.apply(&config).await;
        assert_eq!(summaries(&diagnostics), ["Object already exists"]);
        assert!(diagnostics.iter().next().unwrap().detail.contains("add a `moved` block"), "{diagnostics:?}");
        assert_eq!(first.changes(&config).await, [""; 0]);
        // A state of a version without owners.
        first.change_private(|private: &mut Private| private.objects.owner = None);
        first.apply_wholly(&config).await;
        assert_eq!(first.destroy().await, Diagnostics::new());
        assert_eq!(cluster.objects(), [NAMESPACE]);
    }
}

#[tokio::test]
async fn tainted_release_is_adopted_and_not_deleted() {
    let (cluster, config) = (Cluster::with_namespace("ci"), config(&[]));
    let mut first = stage(&cluster);
    cluster.inject(Fault::NoNewPods(Json::Null));
    assert_eq!(summaries(&first.apply(&config).await), ["Placeholders were not created"]);
    cluster.recover();
    let mut second = stage(&cluster);
    second.apply_wholly(&config).await;
    let made = cluster.objects();
    assert_eq!(summaries(&first.destroy().await), ["Placeholders were not removed"]);
    assert_eq!(cluster.objects(), made);
    assert_eq!(second.changes(&config).await, [""; 0]);
    assert_eq!(second.destroy().await, Diagnostics::new());
}

#[tokio::test]
async fn second_resource_with_the_same_name_in_one_run_is_an_error() {
    let cluster = Cluster::with_namespace("ci");
    let mut first = stage(&cluster);
    let mut second = first.beside(WarmCapacityResource);
    let config = config(&[]);
    let (one, other) = tokio::join!(first.apply(&config), second.apply(&config));
    let mut reported = [summaries(&one).concat(), summaries(&other).concat()];
    reported.sort();
    assert_eq!(reported, ["", "Object already exists"]);
    let mut stage = if first.state == Raw::Null { second } else { first };
    assert_eq!(stage.changes(&config).await, [""; 0]);
}

/// A refresh by an identity that cannot read cluster-scoped objects.
#[tokio::test]
async fn unreadable_objects_are_kept_in_the_state() {
    let cluster = Cluster::with_namespace("ci");
    let mut stage = stage(&cluster);
    stage.apply_wholly(&config(&[])).await;
    let before = stage.state.clone();
    cluster.inject(Fault::Hidden(&["priorityclasses"]));
    let diagnostics = stage.refresh().await;
    assert_eq!(summaries(&diagnostics), ["Missing permissions to read the warm capacity"]);
    let detail = &diagnostics.iter().next().unwrap().detail;
    assert!(detail.contains("- get priorityclasses.scheduling.k8s.io in the whole cluster"), "{detail}");
    assert_eq!(stage.state, before);
    assert_eq!(stage.differences(&config(&[])).await, [""; 0]);
}
