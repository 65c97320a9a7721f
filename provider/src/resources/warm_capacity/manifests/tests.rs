//! The complete objects.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::super::expand::objects;
use super::super::model::Desired;
use super::super::schedule::Schedule;
use super::*;

fn desired(schedule: Option<Schedule>) -> Desired {
    Desired {
        name: "warm".to_owned(),
        namespace: "ci".to_owned(),
        pods: 2,
        requests: [("cpu", "2".to_owned()), ("memory", "8Gi".to_owned())].into(),
        node_selector: [("intent".to_owned(), "build".to_owned())].into(),
        tolerations: vec![json!({ "key": "build", "operator": "Exists" })],
        schedule,
        priority: -10,
        image: "registry.k8s.io/pause:3.10".to_owned(),
    }
}

fn working_hours() -> Schedule {
    Schedule::new("0 8 * * MON-FRI", "0 18 * * MON-FRI", "Africa/Johannesburg").unwrap()
}

fn labels() -> Json {
    json!({
        "app.kubernetes.io/name": "gitlabspot-warm-capacity",
        "app.kubernetes.io/instance": "warm",
        "app.kubernetes.io/managed-by": "gitlabspot",
    })
}

fn pod() -> Json {
    json!({
        "metadata": { "labels": labels() },
        "spec": {
            "priorityClassName": "gitlabspot-placeholder-minus-10",
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "nodeSelector": { "intent": "build" },
            "tolerations": [{ "key": "build", "operator": "Exists" }],
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65535, "runAsGroup": 65535,
                "seccompProfile": { "type": "RuntimeDefault" },
            },
            "containers": [{
                "name": "placeholder",
                "image": "registry.k8s.io/pause:3.10",
                "resources": { "requests": { "cpu": "2", "memory": "8Gi" } },
                "securityContext": {
                    "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] },
                },
            }],
        },
    })
}

#[test]
fn always() {
    let [class, deployment] = objects(&desired(None)).try_into().unwrap();
    assert_eq!(
        class,
        json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {
                "name": "gitlabspot-placeholder-minus-10",
                "labels": {
                    "app.kubernetes.io/name": "gitlabspot-warm-capacity", "app.kubernetes.io/managed-by": "gitlabspot",
                },
            },
            "value": -10, "globalDefault": false, "preemptionPolicy": "Never",
            "description": "Placeholder pods that reserve capacity for CI jobs and are preempted by them.",
        })
    );
    assert_eq!(
        deployment,
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": { "name": "warm", "namespace": "ci", "labels": labels() },
            "spec": {
                "replicas": 2, "revisionHistoryLimit": 0, "strategy": { "type": "Recreate" },
                "progressDeadlineSeconds": 2_147_483_647,
                "selector": { "matchLabels": {
                    "app.kubernetes.io/name": "gitlabspot-warm-capacity", "app.kubernetes.io/instance": "warm",
                } },
                "template": pod(),
            },
        })
    );
    assert!(is_warm_capacity(&deployment) && is_warm_capacity(&class));
}

fn job_spec(seconds: u64) -> Json {
    let mut template = pod();
    template["spec"]["restartPolicy"] = json!("Never");
    json!({
        "parallelism": 2, "completions": 2_147_483_647, "activeDeadlineSeconds": seconds, "ttlSecondsAfterFinished": 0,
        "backoffLimit": 2_147_483_647,
        "podFailurePolicy": {
            "rules": [{ "action": "Ignore", "onPodConditions": [{ "type": "DisruptionTarget", "status": "True" }] }],
        },
        "template": template,
    })
}

#[test]
fn in_periods() {
    let schedule = working_hours();
    let desired = desired(Some(schedule.clone()));
    let [_, cron_job] = objects(&desired).try_into().unwrap();
    let fingerprint = job::fingerprint(&desired, &schedule);
    assert_eq!(
        cron_job,
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": {
                "name": "warm", "namespace": "ci", "labels": labels(),
                "annotations": { "gitlabspot.io/period-end": "0 18 * * MON-FRI" },
            },
            "spec": {
                "schedule": "0 8 * * MON-FRI", "timeZone": "Africa/Johannesburg", "suspend": false,
                "startingDeadlineSeconds": 300, "concurrencyPolicy": "Replace",
                "successfulJobsHistoryLimit": 0, "failedJobsHistoryLimit": 0,
                "jobTemplate": {
                    "metadata": { "labels": labels(), "annotations": { "gitlabspot.io/placeholders": fingerprint } },
                    "spec": job_spec(36_000),
                },
            },
        })
    );
}

#[test]
fn remaining_time_of_a_period() {
    let schedule = working_hours();
    let desired = desired(Some(schedule.clone()));
    let now: jiff::Timestamp = "2026-01-02T15:00:00Z".parse().unwrap();
    let period = schedule.current(now.into()).unwrap();
    let cron_job = json!({ "metadata": { "uid": "u" } });
    let job = job::current(&desired, &schedule, period, Duration::from_secs(3600), &cron_job);
    let start: jiff::Timestamp = "2026-01-02T06:00:00Z".parse().unwrap();
    assert_eq!(
        job,
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {
                "name": format!("warm-{}", start.as_second() / 60), "namespace": "ci", "labels": labels(),
                "annotations": { "gitlabspot.io/placeholders": job::fingerprint(&desired, &schedule) },
                "ownerReferences": [{
                    "apiVersion": "batch/v1", "kind": "CronJob", "name": "warm", "uid": "u",
                    "controller": true, "blockOwnerDeletion": true,
                }],
            },
            "spec": job_spec(3600),
        })
    );
}

#[test]
fn a_fingerprint_changes_with_pods_and_periods() {
    let schedule = working_hours();
    let one = job::fingerprint(&desired(None), &schedule);
    assert_eq!(one.len(), 16);
    assert_ne!(one, job::fingerprint(&Desired { pods: 3, ..desired(None) }, &schedule));
    let friday = Schedule::new("0 8 * * MON-FRI", "0 18 * * FRI,MON-THU,SAT", "Africa/Johannesburg").unwrap();
    assert_eq!(friday.length, schedule.length);
    assert_ne!(one, job::fingerprint(&desired(None), &friday));
}
