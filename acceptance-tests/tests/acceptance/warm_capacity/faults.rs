//! Faults of the API server and of the network.

use gitlabspot_acceptance_tests::{KubernetesFault, KubernetesProxy, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::scheduled::{now, period};
use super::{ADDRESS, Fixture, NAME, quota_of};

/// Injects every fault of a request, one for each attempt.
fn everything(proxy: &KubernetesProxy, method: &str, part: &str) {
    proxy.inject(KubernetesFault::too_many(method, part, 1));
    proxy.inject(KubernetesFault::error(method, part, 503, "ServiceUnavailable", "later"));
    proxy.inject(KubernetesFault::page(method, part, 502));
    proxy.inject(KubernetesFault::unauthorized(method, part));
    proxy.inject(KubernetesFault::drop_before(method, part));
    proxy.inject(KubernetesFault::drop_after(method, part));
}

/// Asserts that the request was retried once after every fault. Returns the final status.
fn retried_after_every_fault(proxy: &KubernetesProxy, method: &str, part: &str) -> u16 {
    let sent: Vec<_> = proxy.calls_of(method, part).into_iter().map(|call| call.status).take(7).collect();
    let (last, failed) = sent.split_last().unwrap();
    assert_eq!(failed, [Some(429), Some(503), Some(502), Some(401), None, None], "{method} {part}");
    last.unwrap()
}

/// W19: each request of a create, an update and a destroy fails with every fault and is retried each time, for both
/// workloads.
#[tokio::test]
async fn failed_requests_are_retried() {
    let mut fixture = Fixture::new("faults", json!({})).await;
    fixture.workspace = fixture.workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "20");
    let proxy = fixture.stage.kubernetes_faults();
    let class = format!("/priorityclasses/{}?", fixture.class());
    let (deployment, cron_job, job) = (format!("/deployments/{NAME}?"), format!("/cronjobs/{NAME}?"), "/jobs/warm-");
    for place in [&class, &deployment] {
        everything(proxy, "PATCH", place);
    }
    fixture.workspace.apply().await;
    for place in [&class, &deployment] {
        // The object exists already, because the request took effect before its response was lost.
        assert_eq!(retried_after_every_fault(proxy, "PATCH", place), 200);
    }
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;

    proxy.forget();
    let schedule = period(now() - 3600, now() + 3600);
    fixture.workspace.set(&json!({ "schedule": schedule }));
    let requests = [("DELETE", deployment.as_str()), ("PATCH", &cron_job), ("PATCH", job)];
    for (method, place) in requests {
        everything(proxy, method, place);
    }
    fixture.workspace.apply().await;
    for (method, place) in &requests[1..] {
        assert_eq!(retried_after_every_fault(proxy, method, place), 200);
    }
    // The object is deleted or being deleted when the request is retried.
    assert!([200, 404, 409].contains(&retried_after_every_fault(proxy, "DELETE", &deployment)));
    fixture.workspace.assert_stable().await;
    fixture.until_placeholders(&[fixture.running(), fixture.running()]).await;
    assert_eq!(fixture.names_of_jobs().await.len(), 1);

    proxy.forget();
    for place in [&class, &cron_job] {
        everything(proxy, "DELETE", place);
    }
    fixture.destroy().await;
    for place in [&class, &cron_job] {
        assert!([200, 404, 409].contains(&retried_after_every_fault(proxy, "DELETE", place)));
    }
}

/// W19: an HTML page with status 404 does not mean that the objects do not exist.
#[tokio::test]
async fn not_found_page_is_not_absence() {
    let fixture = Fixture::new("page", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let proxy = fixture.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::page("GET", "/apis/", 404).times(0));
    let printed = fixture.workspace.try_plan().await.unwrap_err().failed();
    assert!(printed.contains("Cannot read the warm capacity") && printed.contains("a page of its own"), "{printed}");
    let printed = fixture.workspace.run(&["destroy", "-refresh=false", "-auto-approve"]).await.failed();
    assert!(printed.contains("The remaining objects are kept in the state"), "{printed}");
    assert!(fixture.workspace.state().await.contains(ADDRESS));
    proxy.forget();
    fixture.workspace.assert_stable().await;
    fixture.destroy().await;
}

/// W19: credentials that are rejected before and after a renewal are an error, and nothing is created.
#[tokio::test]
async fn rejected_credentials_are_an_error() {
    let fixture = Fixture::new("unauthorized", json!({})).await;
    let proxy = fixture.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::unauthorized("*", "/").times(0));
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("does not accept the credentials (401 Unauthorized)"), "{printed}");
    assert!(printed.contains("Nothing was changed"), "{printed}");
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    proxy.forget();
    assert_eq!(fixture.stage.namespace.objects().await, [""; 0]);
    assert!(!fixture.has_class().await);
}

/// W20: if the API server stops during the wait for pods, the apply fails in time, and the next one continues. A
/// cluster that does not respond is not treated as deleted: neither plan nor destroy removes its objects from the
/// state.
#[tokio::test]
async fn api_server_outage_ends_the_apply() {
    let mut fixture = Fixture::new("dead", json!({ "pods": 1 })).await;
    fixture.workspace = fixture.workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "10");
    let proxy = fixture.stage.kubernetes_faults();
    fixture.workspace.apply().await;
    let quota = quota_of(&fixture.stage, 1).await;
    fixture.workspace.set(&json!({ "pods": 2 }));
    proxy.forget();
    let running = fixture.workspace.begin_apply();
    fixture.until_waiting(proxy, "deployments").await;
    proxy.go_down().await;
    let printed = running.output().await.failed();
    assert!(printed.contains("Placeholders were not created") && printed.contains("cannot be reached"), "{printed}");
    assert!(!printed.contains("timed out after"), "waited on: {printed}");

    let printed = fixture.workspace.try_plan().await.unwrap_err().failed();
    assert!(printed.contains("cannot be reached") && printed.contains("The state was not changed"), "{printed}");
    for options in [&["destroy", "-auto-approve"][..], &["destroy", "-refresh=false", "-auto-approve"]] {
        let printed = fixture.workspace.run(options).await.failed();
        assert!(printed.contains("cannot be reached"), "{printed}");
        assert!(fixture.workspace.state().await.contains(ADDRESS));
    }
    proxy.come_back();
    quota.lift().await;
    fixture.grows_to_two().await;
}

/// W21: in a namespace that is being deleted nothing is created, whether the deletion starts before or during the
/// apply. A destroy in it succeeds.
#[tokio::test]
async fn terminating_namespace_is_refused() {
    let fixture = Fixture::new("terminating", json!({ "pods": 1 })).await;
    let (stage, namespace) = (&fixture.stage, fixture.stage.namespace.name());
    let held = json!({ "metadata": { "name": "held", "finalizers": ["local-cloud/held"] } });
    let maps = stage.kubernetes.api::<ConfigMap>(namespace);
    maps.create(&PostParams::default(), &serde_json::from_value(held).unwrap()).await.unwrap();
    let other = fixture.workspace.twin();
    other.set(&json!({ "name": "other" }));
    other.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(namespace, &DeleteParams::default()).await.unwrap();

    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("cannot be created while the namespace is being deleted"), "{printed}");
    assert!(printed.contains("Nothing was changed") && !fixture.workspace.state().await.contains(ADDRESS), "{printed}");

    // The deletion starts between the read and the create.
    let proxy = stage.kubernetes_faults();
    let not_yet = |namespace: &mut serde_json::Value| namespace["status"]["phase"] = "Active".into();
    proxy.inject(KubernetesFault::changed("GET", &format!("/api/v1/namespaces/{namespace}?"), not_yet).times(0));
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains("cannot be created while the namespace is being deleted"), "{printed}");
    assert!(printed.contains("The objects that were created are in the state"), "{printed}");
    proxy.forget();
    fixture.workspace.destroy().await;
    other.destroy().await;
    assert!(!fixture.has_class().await);

    let free = json!({ "metadata": { "finalizers": null } });
    maps.patch("held", &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
}
