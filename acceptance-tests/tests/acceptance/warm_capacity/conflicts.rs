//! Fields of other field managers: restored if the plan has shown the change, and reported otherwise.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::scheduled::{now, period};
use super::{ADDRESS, Fixture, NAME};

impl Fixture {
    fn deployments(&self) -> Api<Deployment> {
        self.stage.kubernetes.api(self.stage.namespace.name())
    }

    /// Applies a number of pods with another field manager.
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

    /// Field managers of the number of pods.
    async fn owners(&self) -> Vec<String> {
        let entries = self.deployments().get(NAME).await.unwrap().metadata.managed_fields.unwrap();
        let owning = entries.into_iter().filter(|entry| json!(entry.fields_v1)["f:spec"].get("f:replicas").is_some());
        owning.filter_map(|entry| entry.manager).collect()
    }
}

/// W24: a field that another field manager has set to another value is shown and restored.
#[tokio::test]
async fn changed_managed_field_is_repaired_after_a_plan() {
    let fixture = Fixture::new("taken", json!({})).await;
    fixture.workspace.apply().await;
    fixture.scale_as("keda", Some(0)).await;
    assert_eq!(fixture.owners().await, ["keda"]);
    let plan = fixture.workspace.plan().await;
    let shown = plan.change(ADDRESS)["before"]["manifest"][format!("Deployment {}", fixture.id())].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(shown).unwrap()["spec"]["replicas"], 0);
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!((fixture.owners().await, fixture.replicas().await), (vec!["gitlabspot".to_owned()], Some(2)));
    fixture.destroy().await;
}

/// W24: a field that another field manager applies with the same value, or changes after the plan, is not taken. The
/// error has field and manager, and the state has the observed value.
#[tokio::test]
async fn field_of_another_manager_is_named_and_not_taken() {
    let fixture = Fixture::new("conflict", json!({})).await;
    fixture.workspace.apply().await;
    fixture.scale_as("keda", Some(2)).await;
    fixture.workspace.assert_stable().await;
    let key = format!("Deployment {}", fixture.id());
    let manifest = fixture.workspace.state().await.resource(ADDRESS)["manifest"].clone();
    fixture.workspace.set(&json!({ "pods": 1 }));
    for _ in 0..2 {
        let printed = fixture.workspace.try_apply().await.failed();
        let hint = "manage it either with that tool or with this configuration";
        for text in [&key, ".spec.replicas (\"keda\")", hint] {
            assert!(printed.contains(text), "{text} in {printed}");
        }
        assert_eq!(fixture.replicas().await, Some(2));
        assert_eq!(fixture.workspace.state().await.resource(ADDRESS)["manifest"][&key], manifest[&key]);
    }

    // The other field manager gives up the field, and then takes it between plan and apply.
    let nothing = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": NAME } });
    let let_go = Patch::Apply(&nothing);
    fixture.deployments().patch(NAME, &PatchParams::apply("keda"), &let_go).await.map(drop).unwrap();
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    fixture.workspace.set(&json!({ "pods": 2, "priority": fixture.priority - 1 }));
    let _ = fixture.workspace.plan().await;
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "placeholder", "image": "other" }] } } } });
    let existing = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    fixture.deployments().patch(NAME, &existing, &Patch::Strategic(&image)).await.unwrap();
    let printed = fixture.workspace.try_apply_plan().await.failed();
    let field = ".spec.template.spec.containers[name=\"placeholder\"].image (\"kubectl-edit\")";
    assert!(printed.contains(field), "{printed}");
    assert_eq!(fixture.replicas().await, Some(1));

    // The next plan shows and repairs it. No object remains of the priority that was not applied.
    fixture.workspace.apply().await;
    fixture.workspace.assert_stable().await;
    assert_eq!(fixture.replicas().await, Some(2));
    fixture.destroy().await;
    assert_eq!(fixture.classes().await, [""; 0]);
}

/// W10: a priority class or a CronJob of others is not changed, and nothing else is created.
#[tokio::test]
async fn existing_objects_of_others_are_refused() {
    let fixture = Fixture::new("strangers", json!({})).await;
    let classes: Api<PriorityClass> = Api::all(fixture.stage.kubernetes.client());
    let theirs = json!({ "metadata": { "name": fixture.class() }, "value": 5 });
    classes.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    let printed = fixture.workspace.try_apply().await.failed();
    let hint = "Choose another name, or delete the existing object.";
    assert!(
        printed.contains(&format!("PriorityClass {} already exists", fixture.class())) && printed.contains(hint),
        "{printed}"
    );
    assert_eq!(classes.get(&fixture.class()).await.unwrap().value, Some(5));
    classes.delete(&fixture.class(), &DeleteParams::default()).await.unwrap();

    let pod = json!({ "restartPolicy": "Never", "containers": [{ "name": "a", "image": "a" }] });
    let theirs = json!({
        "metadata": { "name": NAME },
        "spec": { "schedule": "0 0 1 1 *", "jobTemplate": { "spec": { "template": { "spec": pod } } } },
    });
    let cron_jobs = fixture.stage.kubernetes.api::<CronJob>(fixture.stage.namespace.name());
    cron_jobs.create(&PostParams::default(), &serde_json::from_value(theirs).unwrap()).await.unwrap();
    fixture.workspace.set(&json!({ "schedule": period(now() + 7200, now() + 10_800) }));
    let printed = fixture.workspace.try_apply().await.failed();
    assert!(printed.contains(&format!("CronJob {} already exists", fixture.id())), "{printed}");
    assert!(!fixture.workspace.state().await.contains(ADDRESS) && !fixture.has_class().await);

    // Placeholder pods of the other workload are created next to it, and deleted without it.
    fixture.workspace.set(&json!({ "schedule": null, "pods": 1 }));
    fixture.workspace.apply().await;
    fixture.workspace.destroy().await;
    assert_eq!(fixture.stage.namespace.objects().await, [format!("CronJob/{NAME}")]);
    assert!(!fixture.has_class().await);
}

/// W10: placeholder pods without the label of the provider are preserved by a destroy, with a warning.
#[tokio::test]
async fn placeholders_without_ownership_label_are_preserved() {
    let fixture = Fixture::new("given_away", json!({ "pods": 1 })).await;
    fixture.workspace.apply().await;
    let edited = json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": "argo" } } });
    fixture.deployments().patch(NAME, &PatchParams::default(), &Patch::Merge(&edited)).await.unwrap();
    let printed = fixture.workspace.destroy().await;
    assert!(printed.prose().contains(&format!("Deployment {} was not deleted", fixture.id())), "{printed}");
    assert!(!fixture.workspace.state().await.contains(ADDRESS));
    assert_eq!(fixture.replicas().await, Some(1));
    // The pods still need their priority class.
    assert!(fixture.has_class().await);
    fixture.deployments().delete(NAME, &DeleteParams::default()).await.unwrap();
    Api::<PriorityClass>::all(fixture.stage.kubernetes.client())
        .delete(&fixture.class(), &DeleteParams::default())
        .await
        .unwrap();
}
