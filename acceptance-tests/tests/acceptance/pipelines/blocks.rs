//! Options and blocks of the engines for the whole stack: `-target`, `-refresh-only`, `moved`, `removed`, `import`,
//! `-replace`.

use std::fs;

use aws_sdk_eks::types::UpdateLabelsPayload;
use gitlabspot_acceptance_tests::{Engine, Stage, Workspace, until};
use serde_json::Value;

use super::{ADDRESSES, all, complete};
use crate::complete::{BUCKET, NODES};

const MODULE: &str = "module.runner_stack";
const MOVED: &str = "module.moved";

const APPLY: [&str; 3] = ["apply", "-input=false", "-auto-approve"];

async fn run_whole_stack(engine: Engine) {
    let (stage, workspace) = complete("blocks", engine).await;
    target(&workspace).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    refresh_only(&stage, &workspace).await;
    let moved = move_all(&workspace).await;
    let ids = remove_all(&stage, &workspace).await;
    import_all(&workspace, &moved, &ids).await;
    replace_all(&stage, &workspace).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

#[tokio::test]
async fn with_opentofu() {
    run_whole_stack(Engine::opentofu()).await;
}

#[tokio::test]
async fn with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    run_whole_stack(engine).await;
}

async fn run(workspace: &Workspace, options: &[&str]) {
    let _ = workspace.run(&[&APPLY, options].concat()).await.succeeded();
}

/// Creates only the bucket.
async fn target(workspace: &Workspace) {
    let option = format!("-target={BUCKET}");
    assert_eq!(workspace.plan_with(&[&option]).await.changes(), all(&[BUCKET], &["create"]));
    run(workspace, &[&option]).await;
    assert_eq!(workspace.state().await.addresses(), [BUCKET]);
}

/// Changes by others are shown and recorded in the state, and reverted by the next apply.
async fn refresh_only(stage: &Stage, workspace: &Workspace) {
    let (eks, cluster) = (stage.account.eks(), stage.account.cluster());
    let labels = UpdateLabelsPayload::builder().add_or_update_labels("intent", "other").build();
    let name = "build-8vcpu-16gb-32gb-1b";
    let update = eks.update_nodegroup_config().cluster_name(cluster).nodegroup_name(name).labels(labels);
    update.send().await.unwrap();
    until("EKS has changed the label", async || {
        let group = eks.describe_nodegroup().cluster_name(cluster).nodegroup_name(name).send().await.unwrap();
        group.nodegroup().unwrap().labels().unwrap()["intent"] == "other"
    })
    .await;
    let plan = workspace.plan_with(&["-refresh-only"]).await;
    let drift: Vec<&str> = plan.json()["resource_drift"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|drift| drift["address"].as_str())
        .collect();
    assert_eq!((drift, plan.changes().len()), (vec![NODES], 0), "{}", plan.output());
    let before = stage.account.changes();
    let _ = workspace.refresh().await;
    assert_eq!(stage.account.changes(), before);
    assert_eq!(workspace.state().await.resource(NODES)["labels"]["intent"], "other");
    assert_eq!(workspace.plan().await.changes()[NODES], ["update"]);
    workspace.apply().await;
    workspace.assert_stable().await;
}

/// Renames the module with all resources. Returns the configuration with the new name.
async fn move_all(workspace: &Workspace) -> Vec<(&'static str, String)> {
    let configuration = ["main.tf", "outputs.tf"].map(|file| {
        let text = fs::read_to_string(workspace.folder().join(file)).unwrap();
        (file, text.replace("module \"runner_stack\"", "module \"moved\"").replace(MODULE, MOVED))
    });
    write(workspace, &configuration);
    workspace.write("blocks.tf", &format!("moved {{\n  from = {MODULE}\n  to   = {MOVED}\n}}\n"));
    workspace.init().await;
    let plan = workspace.plan().await;
    assert!(plan.changes().is_empty(), "{}", plan.output());
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.write("blocks.tf", "");
    workspace.assert_stable().await;
    assert_eq!(workspace.state().await.addresses(), ADDRESSES.map(moved));
    configuration.into()
}

fn moved(address: &str) -> String {
    address.replace(MODULE, MOVED)
}

fn write(workspace: &Workspace, configuration: &[(&str, String)]) {
    for (file, text) in configuration {
        workspace.write(file, text);
    }
}

/// Removes all resources from the state without deleting objects. Returns their IDs.
async fn remove_all(stage: &Stage, workspace: &Workspace) -> Vec<Value> {
    let state = workspace.state().await;
    let ids = ADDRESSES.map(|address| state.resource(&moved(address))["id"].clone());
    let main = fs::read_to_string(workspace.folder().join("main.tf")).unwrap();
    let (head, _) = main.split_once("module \"").unwrap();
    let block = format!("removed {{\n  from = {MOVED}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n");
    write(workspace, &[("main.tf", head.to_owned()), ("outputs.tf", String::new())]);
    workspace.write("blocks.tf", &block);
    let (left, objects) = (stage.account.leftovers(), stage.namespace.objects().await);
    workspace.apply().await;
    assert!(workspace.state().await.addresses().is_empty());
    assert_eq!((stage.account.leftovers(), stage.namespace.objects().await), (left, objects));
    ids.into()
}

/// Imports all resources. Only attributes that AWS and Kubernetes do not store are changed.
async fn import_all(workspace: &Workspace, configuration: &[(&str, String)], ids: &[Value]) {
    let block = |(address, id): (&&str, &Value)| format!("import {{\n  to = {}\n  id = {id}\n}}\n", moved(address));
    write(workspace, configuration);
    workspace.write("blocks.tf", &ADDRESSES.iter().zip(ids).map(block).collect::<String>());
    let plan = workspace.plan().await;
    for address in ADDRESSES {
        assert!(!plan.change(&moved(address))["importing"].is_null(), "{}", plan.output());
    }
    assert!(plan.changes().values().all(|actions| actions == &["update"]), "{:?}", plan.changes());
    let _ = workspace.try_apply_plan().await.succeeded();
    workspace.write("blocks.tf", "");
    workspace.assert_stable().await;
}

/// Deletes and creates all resources in one run.
async fn replace_all(stage: &Stage, workspace: &Workspace) {
    let options = ADDRESSES.map(|address| format!("-replace={}", moved(address)));
    let options = options.each_ref().map(String::as_str);
    let addresses = ADDRESSES.map(moved);
    let addresses = addresses.each_ref().map(String::as_str);
    assert_eq!(workspace.plan_with(&options).await.changes(), all(&addresses, &["delete", "create"]));
    let before = stage.account.calls_of("eks", "CreateNodegroup").len();
    run(workspace, &options).await;
    assert_eq!(stage.account.calls_of("eks", "CreateNodegroup").len(), before + 1);
    workspace.assert_stable().await;
}
