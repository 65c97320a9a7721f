//! Placeholders that are kept in periods: a CronJob.

use std::time::Duration;

use gitlabspot_acceptance_tests::until_at_last;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use super::{ADDRESS, NAME, Scene, pending, run_job, until};

/// What a test waits for the start or the end of a period.
const A_PERIOD: Duration = Duration::from_secs(180);

/// Seconds since 1970, by the clock that the provider sees.
pub(crate) fn now() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_secs().try_into().unwrap()
}

/// A cron expression of every day at this time, in UTC.
fn daily(second: i64) -> String {
    format!("{} {} * * *", second / 60 % 60, second / 3600 % 24)
}

/// A period of every day.
pub(crate) fn period(start: i64, end: i64) -> Value {
    json!({ "start": daily(start), "end": daily(end) })
}

/// The next full minute that is at least this far away.
pub(crate) fn minute_after(seconds: i64) -> i64 {
    (now() + seconds + 59) / 60 * 60
}

impl Scene {
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

/// W5: outside of its periods there is a CronJob with the right fields, and nothing else.
#[tokio::test]
async fn outside_of_a_period_there_are_no_placeholders() {
    let (start, end) = (now() + 6 * 3600, now() + 16 * 3600);
    let scene = Scene::new("outside", json!({ "schedule": period(start, end) })).await;
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!(scene.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);
    let spec = scene.cron_job().await["spec"].clone();
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
    scene.workspace.assert_import(ADDRESS, &scene.id(), &[]).await;

    // A change outside of a period starts none either.
    scene.workspace.set(&json!({ "pods": 1 }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!(scene.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);

    let edited = json!({ "spec": { "suspend": true, "timeZone": "Europe/Berlin" } });
    let cron_jobs = scene.stage.kubernetes.api::<CronJob>(scene.stage.namespace.name());
    cron_jobs.patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    let plan = scene.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"][format!("CronJob {}", scene.id())].as_str().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    assert_eq!((&shown["spec"]["suspend"], &shown["spec"]["timeZone"]), (&json!(true), &json!("Europe/Berlin")));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!(scene.cron_job().await["spec"]["timeZone"], "UTC");
    scene.destroy().await;
}

/// W6: an apply within a period starts what is left of it at once; at the end of the period no failed Job is left.
#[tokio::test]
async fn a_period_under_way_starts_at_once_and_leaves_no_failed_job() {
    let scene = Scene::new("under_way", json!({})).await;
    let (begin, end) = (now(), minute_after(30));
    let start = begin / 60 * 60 - 3600;
    scene.workspace.set(&json!({ "schedule": period(start, end) }));
    scene.workspace.apply().await;
    let jobs = scene.jobs().await;
    let [job] = jobs.as_slice() else { panic!("one Job, not {jobs:?}") };
    // As the CronJob would have called it, so that there are never two for one period.
    assert_eq!(job.metadata.name, Some(format!("{NAME}-{}", start / 60)));
    let deadline = job.spec.as_ref().unwrap().active_deadline_seconds.unwrap();
    assert!((1..=end - begin).contains(&deadline), "{deadline} s for an end in {} s", end - begin);
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    scene.workspace.assert_stable().await;

    // Also a placeholder of a Job gives way at once, and the Job goes on.
    run_job(&scene.stage, &scene.node, "job").await;
    scene.until_placeholders(&[pending(), scene.running()]).await;

    until_at_last(A_PERIOD, async || scene.jobs().await.is_empty(), async || format!("{:?}", scene.jobs().await)).await;
    assert!(now() >= end - 1, "the Job ended {} s before the period", end - now());
    scene.until_placeholders(&[]).await;
    assert_eq!(scene.stage.namespace.objects().await, [format!("CronJob/{NAME}"), "Pod/job".to_owned()]);
    scene.workspace.assert_stable().await;

    let pods = scene.stage.kubernetes.api::<Pod>(scene.stage.namespace.name());
    pods.delete("job", &DeleteParams::default()).await.unwrap();
    scene.destroy().await;
}

/// W26: jobs preempt placeholders of one period more often than there are placeholders. Each one that ends has succeeded, as
/// the pause image exits with 0; its Job goes on, and replaces it each time without a delay that grows.
#[tokio::test]
async fn a_job_outlives_more_preemptions_than_it_has_placeholders() {
    let schedule = period(now() - 3600, now() + 3600);
    let scene = Scene::new("preempted", json!({ "schedule": schedule })).await;
    scene.workspace.apply().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    let [before] = scene.jobs().await.try_into().unwrap();
    let pods = scene.stage.kubernetes.api::<Pod>(scene.stage.namespace.name());
    for count in 1..=4 {
        let name = format!("job-{count}");
        run_job(&scene.stage, &scene.node, &name).await;
        scene.until_placeholders(&[pending(), scene.running()]).await;
        pods.delete(&name, &DeleteParams::default()).await.unwrap();
        scene.until_placeholders(&[scene.running(), scene.running()]).await;
    }
    let [after] = scene.jobs().await.try_into().unwrap();
    assert_eq!(after.metadata.uid, before.metadata.uid);
    let status = after.status.unwrap();
    assert_eq!((status.succeeded, status.failed.unwrap_or(0)), (Some(4), 0));
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W7: the CronJob starts a period on time by itself; an apply that changes placeholders replaces them, and one that does
/// not leaves them alone.
#[tokio::test]
async fn a_period_starts_on_time_by_itself() {
    let scene = Scene::new("on_time", json!({ "pods": 1 })).await;
    let start = minute_after(15);
    scene.workspace.set(&json!({ "schedule": period(start, start + 3600) }));
    scene.workspace.apply().await;
    assert_eq!(scene.names_of_jobs().await, [""; 0]);
    let name = format!("{NAME}-{}", start / 60);
    // It is called after the minute for which it was started.
    let is_there = async || scene.names_of_jobs().await == [name.clone()];
    until_at_last(A_PERIOD, is_there, async || format!("{:?}", scene.names_of_jobs().await)).await;
    scene.until_placeholders(&[scene.running()]).await;
    let uid = scene.jobs().await[0].metadata.uid.clone();

    // What says how, and not what, leaves the Job alone.
    scene.workspace.set(&json!({ "create_timeout": "1m" }));
    scene.workspace.apply().await;
    assert_eq!(scene.jobs().await[0].metadata.uid, uid);

    scene.workspace.set(&json!({ "pods": 2 }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    let jobs = scene.jobs().await;
    let [job] = jobs.as_slice() else { panic!("one Job, not {jobs:?}") };
    assert_eq!((job.metadata.name.as_deref(), job.metadata.uid == uid), (Some(name.as_str()), false));
    assert!(job.spec.as_ref().unwrap().active_deadline_seconds.unwrap() <= start + 3600 - now() + 60);

    // The period is moved away: it ends now.
    scene.workspace.set(&json!({ "schedule": period(start + 7200, start + 10_800) }));
    scene.workspace.apply().await;
    scene.until_placeholders(&[]).await;
    scene.destroy().await;
}

/// W8: from always to periods and back, nothing of the other is left, and there is never room asked for twice.
#[tokio::test]
async fn one_shape_leaves_nothing_of_the_other() {
    let scene = Scene::new("shapes", json!({})).await;
    scene.workspace.apply().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;

    let schedule = period(now() - 3600, now() + 3600);
    scene.workspace.set(&json!({ "schedule": schedule }));
    assert_eq!(scene.workspace.plan().await.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    let deployments = scene.stage.kubernetes.api::<Deployment>(scene.stage.namespace.name());
    assert_eq!(deployments.list(&ListParams::default()).await.unwrap().items, []);
    assert_eq!(scene.jobs().await.len(), 1);
    scene.workspace.assert_import(ADDRESS, &scene.id(), &[]).await;

    scene.workspace.set(&json!({ "schedule": null }));
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    assert_eq!(scene.jobs().await, []);
    let cron_jobs = scene.stage.kubernetes.api::<CronJob>(scene.stage.namespace.name());
    assert_eq!(cron_jobs.list(&ListParams::default()).await.unwrap().items, []);

    // A destroy within a period takes its Job along.
    scene.workspace.set(&json!({ "schedule": schedule }));
    scene.workspace.apply().await;
    until(async || scene.jobs().await.len() == 1, async || format!("{:?}", scene.names_of_jobs().await)).await;
    scene.destroy().await;
}

/// W25: the Job of a period under way that was deleted or changed by hand is missed, with a warning and a plan, and there
/// again after the next apply, for what is left of the period; outside of periods nothing is missed.
#[tokio::test]
async fn a_job_that_was_deleted_by_hand_is_started_again() {
    let schedule = period(now() - 3600, now() + 3600);
    let scene = Scene::new("deleted_job", json!({ "schedule": schedule, "pods": 1 })).await;
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    let jobs = scene.stage.kubernetes.api::<Job>(scene.stage.namespace.name());
    let [name] = scene.names_of_jobs().await.try_into().unwrap();
    let missing = "Placeholders of the current period are missing";
    for is_deleted in [true, false] {
        if is_deleted {
            jobs.delete(&name, &DeleteParams::background()).await.unwrap();
            until(async || scene.jobs().await.is_empty(), async || format!("{:?}", scene.jobs().await)).await;
        } else {
            let suspended = Patch::Merge(json!({ "spec": { "suspend": true } }));
            jobs.patch(&name, &PatchParams::default(), &suspended).await.unwrap();
        }
        scene.until_placeholders(&[]).await;
        let plan = scene.workspace.plan().await;
        assert_eq!(plan.changes(), [(ADDRESS.to_owned(), vec!["update".to_owned()])].into());
        let said = plan.output().prose();
        let whose = format!("No Job holds the 1 placeholders of {}", scene.id());
        assert!(said.contains(missing) && said.contains(&whose), "{said}");
        assert!(scene.workspace.try_apply_plan().await.succeeded().prose().contains("Apply complete"));
        scene.workspace.assert_stable().await;
        scene.until_placeholders(&[scene.running()]).await;
        let [job] = scene.jobs().await.try_into().unwrap();
        let deadline = job.spec.unwrap().active_deadline_seconds.unwrap();
        assert!((3000..=3660).contains(&deadline), "{deadline} s for an hour that is left");
    }

    // A period that is over, or has hardly begun, misses nothing.
    for (start, end) in [(now() + 7200, now() + 10_800), (now() / 60 * 60, now() + 3600)] {
        scene.workspace.set(&json!({ "schedule": period(start, end) }));
        scene.workspace.apply().await;
        for name in scene.names_of_jobs().await {
            jobs.delete(&name, &DeleteParams::background()).await.unwrap();
        }
        assert!(scene.workspace.plan().await.is_empty());
    }
    scene.destroy().await;
}
