//! `examples/adopt`: the provider adopts objects that a reader of the guide created manually.

use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::json;

use crate::migrate::existing::{GUIDE_GROUP, RULE, bucket, node_group, user};
use crate::runner_release::GUIDE;
use crate::runner_release::adoption::helm::{Chart, Helm};

const USER: &str = "gitlab-runner-cache";

/// Existing objects are imported without recreation: the access key and the pods are the same, and the next plan is
/// empty.
#[tokio::test]
async fn imports_existing_resources_without_replacement() {
    let stage = Stage::new("adopt/by_hand", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    let (role, template) = node_group(&stage, &GUIDE_GROUP).await;
    bucket(&stage).await;
    stage.namespace.create().await;
    Helm::Three.install(&stage, Chart::guide(&stage, stage.gitlab.url())).await;
    let key = user(&stage, USER).await;
    let before: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let variables = json!({
        "node_role_arn": role, "launch_template_id": template, "cache_bucket": namespace, "iam_user": USER,
        "namespace": namespace,
        "values_file": "values.yaml",
    });
    let workspace = stage.example("adopt", variables).await;
    workspace.write("values.yaml", &GUIDE.replace("https://gitlab.com/", stage.gitlab.url()));

    stage.account.forget();
    let addresses = [
        "gitlabspot_cache_bucket.cache",
        "gitlabspot_node_group.build",
        "gitlabspot_runner_credentials.cache",
        "gitlabspot_runner_release.runner",
    ];
    let plan = workspace.plan().await;
    for address in addresses {
        let change = plan.change(address);
        assert!(change["importing"].is_object(), "{address}: {}", plan.output());
        let actions = change["actions"].as_array().unwrap();
        assert!(actions.iter().all(|action| ["no-op", "update"].contains(&action.as_str().unwrap())), "{change}");
    }
    workspace.apply().await;
    workspace.assert_stable().await;

    let made: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let anew = ["CreateNodegroup", "CreateBucket", "CreateUser", "CreateAccessKey", "CreateRole", "DeleteAccessKey"];
    assert!(made.iter().all(|call| !anew.contains(&call.as_str())), "{made:?}");
    let state = workspace.state().await;
    assert_eq!(state.resource("gitlabspot_runner_credentials.cache")["access_key_id"], key);
    let group = state.resource("gitlabspot_node_group.build");
    assert_eq!(group["launch_template"]["id"], template);
    assert_eq!(group["suspend_az_rebalance"], true);
    let tags = &group["asg_tags_all"];
    assert_eq!(tags["k8s.io/cluster-autoscaler/node-template/label/intent"], "build", "{tags}");
    assert_eq!(tags["k8s.io/cluster-autoscaler/node-template/taint/buildInstance"], "true:NoSchedule", "{tags}");
    let after: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(after.spec.template, before.spec.template, "the manager's pods stay");
    let rules = stage.account.s3().get_bucket_lifecycle_configuration().bucket(namespace).send().await.unwrap();
    assert!(rules.rules().iter().any(|rule| rule.id() == Some(RULE)), "the rule of others is gone: {rules:?}");
}
