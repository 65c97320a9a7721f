//! Fields that others own: shown and taken back where they are changed, named where the plan has not shown it.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, NAME, Scene};

impl Scene {
    fn deployments(&self) -> Api<Deployment> {
        self.stage.kubernetes.api(self.stage.namespace.name())
    }

    /// Has another manager apply this number of pods.
    async fn scale_as(&self, manager: &str, replicas: Option<i32>) {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME }, "spec": { "replicas": replicas },
        });
        let parameters = PatchParams::apply(manager).force();
        self.deployments().patch(NAME, &parameters, &Patch::Apply(&object)).await.map(drop).unwrap();
    }

    async fn replicas(&self) -> Option<i32> {
        self.deployments().get(NAME).await.unwrap().spec.replicas
    }

    /// Who owns the number of pods.
    async fn owners(&self) -> Vec<String> {
        let entries = self.deployments().get(NAME).await.unwrap().metadata.managed_fields.unwrap();
        let owning = entries.into_iter().filter(|entry| json!(entry.fields_v1)["f:spec"].get("f:replicas").is_some());
        owning.filter_map(|entry| entry.manager).collect()
    }
}

/// W24: a field that another manager has taken with another value is shown, and taken back.
#[tokio::test]
async fn a_field_that_was_taken_is_shown_and_taken_back() {
    let scene = Scene::new("taken", json!({})).await;
    scene.workspace.apply().await;
    scene.scale_as("keda", Some(0)).await;
    assert_eq!(scene.owners().await, ["keda"]);
    let plan = scene.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"][format!("Deployment {}", scene.id())].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(shown).unwrap()["spec"]["replicas"], 0);
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!((scene.owners().await, scene.replicas().await), (vec!["gitlabspot".to_owned()], Some(2)));
    scene.destroy().await;
}

/// W24: a field that another manager applies with the same value, or changes after the plan, is not taken: the conflict
/// names field and manager, and the state has what is there.
#[tokio::test]
async fn a_field_of_another_manager_is_named_and_not_taken() {
    let scene = Scene::new("conflict", json!({})).await;
    scene.workspace.apply().await;
    scene.scale_as("keda", Some(2)).await;
    scene.workspace.assert_stable().await;
    let key = format!("Deployment {}", scene.id());
    let manifest = scene.workspace.state().await.resource(ADDRESS)["manifest"].clone();
    scene.workspace.set(&json!({ "pods": 1 }));
    for _ in 0..2 {
        let said = scene.workspace.try_apply().await.failed();
        let hint = "manage it either with that tool or with this configuration";
        for text in [&key, ".spec.replicas (\"keda\")", hint] {
            assert!(said.contains(text), "{text} in {said}");
        }
        assert_eq!(scene.replicas().await, Some(2));
        assert_eq!(scene.workspace.state().await.resource(ADDRESS)["manifest"][&key], manifest[&key]);
    }

    // The other lets go of it. Then it comes between plan and apply.
    let nothing = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME } });
    let let_go = Patch::Apply(&nothing);
    scene.deployments().patch(NAME, &PatchParams::apply("keda"), &let_go).await.map(drop).unwrap();
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    scene.workspace.set(&json!({ "pods": 2, "priority": scene.priority - 1 }));
    let _ = scene.workspace.plan().await;
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "placeholder", "image": "other" }] } } } });
    let by_hand = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    scene.deployments().patch(NAME, &by_hand, &Patch::Strategic(&image)).await.unwrap();
    let said = scene.workspace.try_apply_plan().await.failed();
    let field = ".spec.template.spec.containers[name=\"placeholder\"].image (\"kubectl-edit\")";
    assert!(said.contains(field), "{said}");
    assert_eq!(scene.replicas().await, Some(1));

    // Now it is shown, and repaired; of the priority that came to nothing, nothing is left.
    scene.workspace.apply().await;
    scene.workspace.assert_stable().await;
    assert_eq!(scene.replicas().await, Some(2));
    scene.destroy().await;
    assert_eq!(scene.classes().await, [""; 0]);
}

/// W10: a priority class, or a CronJob, that others have made: untouched, and nothing is made beside it.
#[tokio::test]
async fn objects_of_others_are_refused() {
    let scene = Scene::new("strangers", json!({})).await;
    let classes: Api<PriorityClass> = Api::all(scene.stage.kubernetes.client());
    let theirs = json!({ "metadata": { "name": scene.class() }, "value": 5 });
    classes.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let said = scene.workspace.try_apply().await.failed();
    let hint = "Choose another name, or delete the existing object.";
    assert!(said.contains(&format!("PriorityClass {} already exists", scene.class())) && said.contains(hint), "{said}");
    assert_eq!(classes.get(&scene.class()).await.unwrap().value, Some(5));
    classes.delete(&scene.class(), &DeleteParams::default()).await.unwrap();

    let pod = json!({ "restartPolicy": "Never", "containers": [{ "name": "a", "image": "a" }] });
    let theirs = json!({
        "metadata": { "name": NAME },
        "spec": { "schedule": "0 0 1 1 *", "jobTemplate": { "spec": { "template": { "spec": pod } } } },
    });
    let cron_jobs = scene.stage.kubernetes.api::<CronJob>(scene.stage.namespace.name());
    cron_jobs.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    scene.workspace.set(&json!({ "schedule": period(now() + 7200, now() + 10_800) }));
    let said = scene.workspace.try_apply().await.failed();
    assert!(said.contains(&format!("CronJob {} already exists", scene.id())), "{said}");
    assert!(!scene.workspace.state().await.contains(ADDRESS) && !scene.has_class().await);

    // Placeholders of the other shape are made beside it, and removed without it.
    scene.workspace.set(&json!({ "schedule": null, "pods": 1 }));
    scene.workspace.apply().await;
    scene.workspace.destroy().await;
    assert_eq!(scene.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);
    assert!(!scene.has_class().await);
}

/// W10: placeholders that are not labelled as ours any more are left when they are destroyed, with a warning.
#[tokio::test]
async fn what_others_have_taken_charge_of_is_left_with_a_warning() {
    let scene = Scene::new("given_away", json!({ "pods": 1 })).await;
    scene.workspace.apply().await;
    let edited = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": "argo" } } });
    scene.deployments().patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    let said = scene.workspace.destroy().await;
    assert!(said.prose().contains(&format!("Deployment {} was not deleted", scene.id())), "{said}");
    assert!(!scene.workspace.state().await.contains(ADDRESS));
    assert_eq!(scene.replicas().await, Some(1));
    // Its pods still need their priority class.
    assert!(scene.has_class().await);
    scene.deployments().delete(NAME, &DeleteParams::default()).await.unwrap();
    Api::<PriorityClass>::all(scene.stage.kubernetes.client())
        .delete(&scene.class(), &DeleteParams::default())
        .await
        .unwrap();
}
