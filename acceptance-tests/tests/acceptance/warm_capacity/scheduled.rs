//! Placeholder pods with a schedule: a CronJob.

use std::time::Duration;

use gitlabspot_acceptance_tests::until_slow;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, Fixture, NAME, pending, run_job, until};

/// Maximum wait for the start or the end of a period.
const A_PERIOD: Duration = Duration::from_secs(180);

/// Seconds since 1970 by the clock of the machine.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

/// A cron expression for this time of every day, in UTC.
fn daily(second: i64) -> String {
    format!("{} {} * * *", second / 60 % 60, second / 3600 % 24)
}

/// A daily period.
pub(crate) fn period(start: i64, end: i64) -> Value {
    json!({ "start": daily(start), "end": daily(end) })
}

/// The first full minute after this number of seconds, in seconds since 1970.
pub(crate) fn minute_after(seconds: i64) -> i64 {
    (now() + seconds + 59) / 60 * 60
}

impl Fixture {
    async fn jobs(&self) -> Vec<Job> {
        let jobs = self.stage.kubernetes.api::<Job>(self.stage.namespace.name());
        jobs.list(&ListParams::default()).await.unwrap().items
    }

    pub(super) async fn names_of_jobs(&self) -> Vec<String> {
        self.jobs().await.into_iter().map(|job| job.metadata.name.unwrap()).collect()
    }

    async fn cron_job(&self) -> Value {
        let cron_job: CronJob = self.stage.kubernetes.get(self.stage.namespace.name(), NAME).await;
        serde_json::to_value(cron_job).unwrap()
    }
}

/// W5: outside of its periods, a schedule has only a CronJob with the desired fields.
#[tokio::test]
async fn no_placeholders_outside_of_a_period() {
    let (start, end) = (now() + 6 * 3600, now() + 16 * 3600);
    let fixture = Fixture::new("outside", json!({ "schedule": period(start, end) })).await;
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!(fixture.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);
    let spec = fixture.cron_job().await["spec"].clone();
    assert_eq!(
        (&spec["schedule"], &spec["timeZone"], &spec["failedJobsHistoryLimit"], &spec["successfulJobsHistoryLimit"]),
        (&json!(daily(start)), &json!("UTC"), &json!(0), &json!(0))
    );
    let job = &spec["jobTemplate"]["spec"];
    assert_eq!(
        (&job["parallelism"], &job["completions"], &job["activeDeadlineSeconds"], &job["ttlSecondsAfterFinished"]),
        (&json!(2), &json!(i32::MAX), &json!(36_000), &json!(0))
    );
    let rule = json!({
        "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }],
    });
    assert_eq!(job["podFailurePolicy"]["rules"], json!([rule]));
    let pod = &job["template"]["spec"];
    assert_eq!((&pod["automountServiceAccountToken"], &pod["restartPolicy"]), (&json!(false), &json!("Never")));
    fixture.workspace.assert_import(ADDRESS, &fixture.id(), &[]).await;

    // A change outside of a period does not start one.
    fixture.workspace.set(&json!({ "pods": 1 }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!(fixture.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);

    let edited = json!({ "spec": { "suspend": true, "timeZone": "Europe/Berlin" } });
    let cron_jobs = fixture.stage.kubernetes.api::<CronJob>(fixture.stage.namespace.name());
    cron_jobs.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    let plan = fixture.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"][format!("CronJob {}", fixture.id())].as_str().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!((&shown["spec"]["suspend"], &shown["spec"]["timeZone"]), (&json!(true), &json!("Europe/Berlin")));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!(fixture.cron_job().await["spec"]["timeZone"], "UTC");
    fixture.destroy().await;
}

/// W6: an apply within a period starts the rest of it at once. At the end of the period no failed Job remains.
#[tokio::test]
async fn period_in_progress_starts_at_once_and_leaves_no_failed_job() {
    let fixture = Fixture::new("under_way", json!({})).await;
    let (begin, end) = (now(), minute_after(30));
    let start = begin / 60 * 60 - 3600;
    fixture.workspace.set(&json!({ "schedule": period(start, end) }));
    fixture.workspace.apply().await;
    let jobs = fixture.jobs().await;
    let [job] = jobs.as_slice() else { panic!("one Job, not {jobs:?}") };
    // The name that the CronJob would use, so that a period never has two Jobs.
    assert_eq!(job.metadata.name, Some(format!("{NAME}-{}", start / 60)));
    let deadline = job.spec.as_ref().unwrap().active_deadline_seconds.unwrap();
    assert!((1..=end - begin).contains(&deadline), "{deadline} s for an end in {} s", end - begin);
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    fixture.workspace.assert_stable().await;

    // A placeholder pod of a Job is also preempted at once, and the Job continues.
    run_job(&fixture.stage, &fixture.node, "job").await;
    fixture.until_placeholders(&[pending(), fixture.running()]).await;

    until_slow(A_PERIOD, async || fixture.jobs().await.is_empty(), async || format!("{:?}", fixture.jobs().await))
        .await;
    assert!(now() >= end - 1, "the Job ended {} s before the period", end - now());
    fixture.until_placeholders(&[]).await;
    assert_eq!(fixture.stage.namespace.objects().await, [format!("CronJob/{NAME}"), "Pod/job".to_owned()]);
    fixture.workspace.assert_stable().await;

    let pods = fixture.stage.kubernetes.api::<Pod>(fixture.stage.namespace.name());
    pods.delete("job", &DeleteParams::default()).await.unwrap();
    fixture.destroy().await;
}

/// W26: jobs preempt placeholder pods of one period more often than there are placeholders. Each preempted pod has
/// succeeded, because the pause image exits with 0, so that its Job replaces it each time without a growing delay.
#[tokio::test]
async fn job_continues_after_repeated_preemptions() {
    let schedule = period(now() - 3600, now() + 3600);
    let fixture = Fixture::new("preempted", json!({ "schedule": schedule })).await;
    fixture.workspace.apply().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    let [before] = fixture.jobs().await.try_into().unwrap();
    let pods = fixture.stage.kubernetes.api::<Pod>(fixture.stage.namespace.name());
    for count in 1..=4 {
        let name = format!("job-{count}");
        run_job(&fixture.stage, &fixture.node, &name).await;
        fixture.until_placeholders(&[pending(), fixture.running()]).await;
        pods.delete(&name, &DeleteParams::default()).await.unwrap();
        fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    }
    let [after] = fixture.jobs().await.try_into().unwrap();
    assert_eq!(after.metadata.uid, before.metadata.uid);
    let status = after.status.unwrap();
    assert_eq!((status.succeeded, status.failed.unwrap_or(0)), (Some(4), 0));
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W7: the CronJob starts a period on schedule. An apply that changes the pods replaces them, and other applies do not.
#[tokio::test]
async fn period_starts_on_schedule() {
    let fixture = Fixture::new("on_time", json!({ "pods": 1 })).await;
    let start = minute_after(15);
    fixture.workspace.set(&json!({ "schedule": period(start, start + 3600) }));
    fixture.workspace.apply().await;
    assert_eq!(fixture.names_of_jobs().await, [""; 0]);
    let name = format!("{NAME}-{}", start / 60);
    // The name contains the minute for which the Job was started.
    let is_there = async || fixture.names_of_jobs().await == [name.clone()];
    until_slow(A_PERIOD, is_there, async || format!("{:?}", fixture.names_of_jobs().await)).await;
    fixture.until_placeholders(&[fixture.running()]).await;
    let uid = fixture.jobs().await[0].metadata.uid.clone();

    // A timeout is not part of the objects, so that the Job is not changed.
    fixture.workspace.set(&json!({ "create_timeout": "1m" }));
    fixture.workspace.apply().await;
    assert_eq!(fixture.jobs().await[0].metadata.uid, uid);

    fixture.workspace.set(&json!({ "pods": 2 }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    let jobs = fixture.jobs().await;
    let [job] = jobs.as_slice() else { panic!("one Job, not {jobs:?}") };
    assert_eq!((job.metadata.name.as_deref(), job.metadata.uid == uid), (Some(name.as_str()), false));
    assert!(job.spec.as_ref().unwrap().active_deadline_seconds.unwrap() <= start + 3600 - now() + 60);

    // The period is moved to a later time and ends now.
    fixture.workspace.set(&json!({ "schedule": period(start + 7200, start + 10_800) }));
    fixture.workspace.apply().await;
    fixture.until_placeholders(&[]).await;
    fixture.destroy().await;
}

/// W8: a change from no schedule to a schedule and back deletes the other workload, and never reserves capacity twice.
#[tokio::test]
async fn change_of_workload_deletes_the_other() {
    let fixture = Fixture::new("shapes", json!({})).await;
    fixture.workspace.apply().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;

    let schedule = period(now() - 3600, now() + 3600);
    fixture.workspace.set(&json!({ "schedule": schedule }));
    assert_eq!(fixture.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    let deployments = fixture.stage.kubernetes.api::<Deployment>(fixture.stage.namespace.name());
    assert_eq!(deployments.list(&ListParams::default()).await.unwrap().items, []);
    assert_eq!(fixture.jobs().await.len(), 1);
    fixture.workspace.assert_import(ADDRESS, &fixture.id(), &[]).await;

    fixture.workspace.set(&json!({ "schedule": null }));
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    assert_eq!(fixture.jobs().await, []);
    let cron_jobs = fixture.stage.kubernetes.api::<CronJob>(fixture.stage.namespace.name());
    assert_eq!(cron_jobs.list(&ListParams::default()).await.unwrap().items, []);

    // A destroy within a period deletes its Job.
    fixture.workspace.set(&json!({ "schedule": schedule }));
    fixture.workspace.apply().await;
    until(async || fixture.jobs().await.len() == 1, async || format!("{:?}", fixture.names_of_jobs().await)).await;
    fixture.destroy().await;
}

/// W25: if the Job of a period in progress is deleted or changed manually, the plan shows it with a warning, and the
/// next apply creates it again for the rest of the period. Outside of periods no Job is missing.
#[tokio::test]
async fn manually_deleted_job_is_started_again() {
    let schedule = period(now() - 3600, now() + 3600);
    let fixture = Fixture::new("deleted_job", json!({ "schedule": schedule, "pods": 1 })).await;
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    let jobs = fixture.stage.kubernetes.api::<Job>(fixture.stage.namespace.name());
    let [name] = fixture.names_of_jobs().await.try_into().unwrap();
    let missing = "Placeholders of the current period are missing";
    for is_deleted in [true, false] {
        if is_deleted {
            jobs.delete(&name, &DeleteParams::background()).await.unwrap();
            until(async || fixture.jobs().await.is_empty(), async || format!("{:?}", fixture.jobs().await)).await;
        } else {
            let suspended = Patch::Merge(json!({ "spec": { "suspend": true } }));
            jobs.patch(&name, &PatchParams::default(), &suspended).await.unwrap();
        }
        fixture.until_placeholders(&[]).await;
        let plan = fixture.workspace.plan().await;
        assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
        let printed = plan.output().prose();
        let whose = format!("No Job exists for the 1 placeholder pods of {}", fixture.id());
        assert!(printed.contains(missing) && printed.contains(&whose), "{printed}");
        assert!(fixture.workspace.try_apply_plan().await.succeeded().prose().contains("Apply complete"));
        fixture.workspace.assert_stable().await;
        fixture.until_placeholders(&[fixture.running()]).await;
        let [job] = fixture.jobs().await.try_into().unwrap();
        let deadline = job.spec.unwrap().active_deadline_seconds.unwrap();
        assert!((3000..=3660).contains(&deadline), "{deadline} s for an hour that is left");
    }

    // Outside of a period and right after its start, no Job is missing.
    for (start, end) in [(now() + 7200, now() + 10_800), (now() / 60 * 60, now() + 3600)] {
        fixture.workspace.set(&json!({ "schedule": period(start, end) }));
        fixture.workspace.apply().await;
        for name in fixture.names_of_jobs().await {
            jobs.delete(&name, &DeleteParams::background()).await.unwrap();
        }
        assert!(fixture.workspace.plan().await.is_empty());
    }
    fixture.destroy().await;
}
