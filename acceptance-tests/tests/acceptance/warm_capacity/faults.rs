//! What an API server, and the network before it, can do wrong.

use gitlabspot_acceptance_tests::{KubernetesFault, KubernetesProxy, until};
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;

use super::scheduled::{now, period};
use super::{ADDRESS, NAME, Scene, quota_of};

/// Everything that may happen to one request, one after the other.
fn everything(proxy: &KubernetesProxy, method: &str, part: &str) {
    proxy.inject(KubernetesFault::too_many(method, part, 1));
    proxy.inject(KubernetesFault::error(method, part, 503, "ServiceUnavailable", "later"));
    proxy.inject(KubernetesFault::page(method, part, 502));
    proxy.inject(KubernetesFault::unauthorized(method, part));
    proxy.inject(KubernetesFault::drop_before(method, part));
    proxy.inject(KubernetesFault::drop_after(method, part));
}

/// How it was answered in the end, after it had been sent again for each of these, and once for each.
fn answered_after_everything(proxy: &KubernetesProxy, method: &str, part: &str) -> u16 {
    let sent: Vec<_> = proxy.calls_of(method, part).into_iter().map(|call| call.status).take(7).collect();
    let (last, failed) = sent.split_last().unwrap();
    assert_eq!(failed, [Some(429), Some(503), Some(502), Some(401), None, None], "{method} {part}");
    last.unwrap()
}

/// W19: each request of a create, an update and a destroy fails in every way, and is sent again each time, in both shapes.
#[tokio::test]
async fn requests_that_fail_are_sent_again() {
    let mut scene = Scene::new("faults", json!({})).await;
    scene.workspace = scene.workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "20");
    let proxy = scene.stage.kubernetes_faults();
    let class = format!("/priorityclasses/{}?", scene.class());
    let (deployment, cron_job, job) = (format!("/deployments/{NAME}?"), format!("/cronjobs/{NAME}?"), "/jobs/warm-");
    for place in [&class, &deployment] {
        everything(proxy, "PATCH", place);
    }
    scene.workspace.apply().await;
    for place in [&class, &deployment] {
        // What took effect before its answer was lost is there already.
        assert_eq!(answered_after_everything(proxy, "PATCH", place), 200);
    }
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;

    proxy.forget();
    let schedule = period(now() - 3600, now() + 3600);
    scene.workspace.set(&json!({ "schedule": schedule }));
    let requests = [("DELETE", deployment.as_str()), ("PATCH", &cron_job), ("PATCH", job)];
    for (method, place) in requests {
        everything(proxy, method, place);
    }
    scene.workspace.apply().await;
    for (method, place) in &requests[1..] {
        assert_eq!(answered_after_everything(proxy, method, place), 200);
    }
    // It was gone before the answer came, or nearly.
    assert!([200, 404, 409].contains(&answered_after_everything(proxy, "DELETE", &deployment)));
    scene.workspace.assert_stable().await;
    scene.until_placeholders(&[scene.running(), scene.running()]).await;
    assert_eq!(scene.names_of_jobs().await.len(), 1);

    proxy.forget();
    for place in [&class, &cron_job] {
        everything(proxy, "DELETE", place);
    }
    scene.destroy().await;
    for place in [&class, &cron_job] {
        assert!([200, 404, 409].contains(&answered_after_everything(proxy, "DELETE", place)));
    }
}

/// W19: a page that says 404 is nobody's word for it that placeholders are gone.
#[tokio::test]
async fn a_page_that_says_404_is_no_absence() {
    let scene = Scene::new("page", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let proxy = scene.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::page("GET", "/apis/", 404).times(0));
    let said = scene.workspace.try_plan().await.unwrap_err().failed();
    assert!(said.contains("Cannot read the warm capacity") && said.contains("a page of its own"), "{said}");
    let said = scene.workspace.run(&["destroy", "-refresh=false", "-auto-approve"]).await.failed();
    assert!(said.contains("The remaining objects are kept in the state"), "{said}");
    assert!(scene.workspace.state().await.contains(ADDRESS));
    proxy.forget();
    scene.workspace.assert_stable().await;
    scene.destroy().await;
}

/// W19: credentials that are not taken, even when they are new; nothing is made.
#[tokio::test]
async fn credentials_that_are_never_taken() {
    let scene = Scene::new("unauthorized", json!({})).await;
    let proxy = scene.stage.kubernetes_faults();
    proxy.inject(KubernetesFault::unauthorized("*", "/").times(0));
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("does not accept the credentials (401 Unauthorized)"), "{said}");
    assert!(said.contains("Nothing was changed"), "{said}");
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    proxy.forget();
    assert_eq!(scene.stage.namespace.objects().await, [""; 0]);
    assert!(!scene.has_class().await);
}

/// W20: the API server dies while pods are waited for: the apply fails in time, and the next goes on. A cluster that does
/// not answer is not one that is gone: neither plan nor destroy forgets what is in it.
#[tokio::test]
async fn an_api_server_that_dies() {
    let mut scene = Scene::new("dead", json!({ "pods": 1 })).await;
    scene.workspace = scene.workspace.with_environment("GITLABSPOT_CLOCK_SPEED", "10");
    let proxy = scene.stage.kubernetes_faults();
    scene.workspace.apply().await;
    let quota = quota_of(&scene.stage, 1).await;
    scene.workspace.set(&json!({ "pods": 2 }));
    proxy.forget();
    let running = scene.workspace.begin_apply();
    scene.until_waiting(proxy, "deployments").await;
    proxy.go_down().await;
    let said = running.output().await.failed();
    assert!(said.contains("Placeholders were not created") && said.contains("cannot be reached"), "{said}");
    assert!(!said.contains("timed out after"), "waited on: {said}");

    let said = scene.workspace.try_plan().await.unwrap_err().failed();
    assert!(said.contains("cannot be reached") && said.contains("The state was not changed"), "{said}");
    for options in [&["destroy", "-auto-approve"][..], &["destroy", "-refresh=false", "-auto-approve"]] {
        let said = scene.workspace.run(options).await.failed();
        assert!(said.contains("cannot be reached"), "{said}");
        assert!(scene.workspace.state().await.contains(ADDRESS));
    }
    proxy.come_back();
    quota.lift().await;
    scene.grows_to_two().await;
}

/// W21: a namespace that is being deleted: nothing is made in it, whether this is seen before or in between; a destroy in
/// it ends.
#[tokio::test]
async fn a_namespace_that_is_being_deleted() {
    let scene = Scene::new("terminating", json!({ "pods": 1 })).await;
    let (stage, namespace) = (&scene.stage, scene.stage.namespace.name());
    let held = json!({ "metadata": { "name": "held", "finalizers": ["local-cloud/held"] } });
    let maps = stage.kubernetes.api::<ConfigMap>(namespace);
    maps.create(&PostParams::default(), &serde_json::from_value(held).unwrap()).await.unwrap();
    let other = scene.workspace.twin();
    other.set(&json!({ "name": "other" }));
    other.apply().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    namespaces.delete(namespace, &DeleteParams::default()).await.unwrap();

    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("cannot be created while the namespace is being deleted"), "{said}");
    assert!(said.contains("Nothing was changed") && !scene.workspace.state().await.contains(ADDRESS), "{said}");

    // It began between look and create.
    let proxy = stage.kubernetes_faults();
    let not_yet = |namespace: &mut serde_json::Value| namespace["status"]["phase"] = "Active".into();
    proxy.inject(KubernetesFault::changed("GET", &format!("/api/v1/namespaces/{namespace}?"), not_yet).times(0));
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains("cannot be created while the namespace is being deleted"), "{said}");
    assert!(said.contains("What was created before is in the state"), "{said}");
    proxy.forget();
    scene.workspace.destroy().await;
    other.destroy().await;
    assert!(!scene.has_class().await);

    let free = json!({ "metadata": { "finalizers": null } });
    maps.patch("held", &PatchParams::default(), &Patch::Merge(free)).await.unwrap();
    until("the namespace is gone", async || !stage.namespace.exists().await).await;
}
