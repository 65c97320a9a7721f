//! Migration of states of hashicorp/aws and hashicorp/helm.

use gitlabspot_acceptance_tests::{Engine, Stage};
use serde_json::{Value, json};

use super::existing::{GUIDE_GROUP, bucket, node_group, user};
use super::{BUCKET, CREDENTIALS, FORGET, Migration, USER};
use crate::runner_release::GUIDE;
use crate::runner_release::adoption::helm::{Chart, Helm, pods_and_replica_sets};

const GROUP: &str = "gitlabspot_node_group.build";
const RELEASE: &str = "gitlabspot_runner_release.gitlab_runner";

/// M5: objects of other providers in a state are imported and removed from the state. Nothing is replaced or destroyed,
/// and the pods of the manager remain.
#[tokio::test]
async fn state_of_other_providers_is_imported() {
    imports_state(&Stage::new("migrate/state", Engine::opentofu()).await, "registry.opentofu.org").await;
}

/// M5: the same with Terraform.
#[tokio::test]
async fn state_of_other_providers_is_imported_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    imports_state(&Stage::new("migrate/state_terraform", engine).await, "registry.terraform.io").await;
}

async fn imports_state(stage: &Stage, registry: &str) {
    let (role, template) = node_group(stage, &GUIDE_GROUP).await;
    bucket(stage).await;
    stage.namespace.create().await;
    Helm::Three.install(stage, Chart::guide(stage, stage.gitlab.url())).await;
    let key = user(stage, USER).await;
    let pods = pods_and_replica_sets(stage).await;
    let state = state(stage, registry, &role, &template, &key);
    let managed_by_others = state["resources"].as_array().unwrap().len();
    let state = state.to_string();
    let inputs = [("terraform.tfstate", state.as_str())];
    let variables = json!({ "registration_token": "XXXXX" });
    // The state has the bucket, which the values of the guide do not name.
    let arguments = ["--state", "@terraform.tfstate", "--bucket", stage.namespace.name()];
    let migration = Migration::of(stage, &inputs, &arguments, variables).await;
    let workspace = &migration.workspace;
    workspace.write("terraform.tfstate", &state);
    stage.add_other_providers();
    workspace.init().await;

    let plan = migration.plan(&[GROUP, BUCKET, CREDENTIALS, RELEASE], &[]).await;
    let text = plan.output().prose();
    assert!(text.contains("its pods are preserved"), "{text}");
    let forgotten = plan.changes().into_iter().filter(|(_, actions)| *actions == FORGET).count();
    assert_eq!(forgotten, managed_by_others, "{text}");
    let group = plan.change(GROUP);
    for same in ["labels", "taints", "tags", "instance_types", "launch_template", "node_role_arn", "subnet_ids"] {
        assert_eq!(group["before"][same], group["after"][same], "{same}");
    }
    workspace.apply().await;
    workspace.assert_stable().await;
    assert_eq!(pods_and_replica_sets(stage).await, pods);
    let state = workspace.state().await;
    assert_eq!(state.resource(CREDENTIALS)["access_key_id"], key);
    assert!(state.addresses().iter().all(|address| address.starts_with("gitlabspot_")), "{:?}", state.addresses());
}

/// A state in the format of the other providers.
fn state(stage: &Stage, registry: &str, role: &str, template: &str, key: &str) -> Value {
    let account = &stage.account;
    let (bucket, cluster) = (stage.namespace.name(), account.cluster());
    let mut labels = json!({});
    for (name, value) in GUIDE_GROUP.labels {
        labels[*name] = (*value).into();
    }
    labels["alpha.eksctl.io/cluster-name"] = cluster.into();
    labels["alpha.eksctl.io/nodegroup-name"] = GUIDE_GROUP.name.into();
    let mut tags = json!({
        "alpha.eksctl.io/cluster-name": cluster, "alpha.eksctl.io/eksctl-version": "0.230.0",
        "alpha.eksctl.io/nodegroup-name": GUIDE_GROUP.name, "alpha.eksctl.io/nodegroup-type": "managed",
        "eksctl.cluster.k8s.io/v1alpha1/cluster-name": cluster,
    });
    for (name, value) in GUIDE_GROUP.tags {
        tags[*name] = (*value).into();
    }
    let arn = format!("arn:aws:eks:{}:{}:nodegroup/{cluster}/{}/1", account.region(), account.id(), GUIDE_GROUP.name);
    let group = json!({
        "arn": arn, "ami_type": "AL2023_x86_64_STANDARD", "capacity_type": "SPOT", "cluster_name": cluster, "disk_size": 0,
        "instance_types": GUIDE_GROUP.types, "labels": labels, "node_group_name": GUIDE_GROUP.name, "node_role_arn": role,
        "launch_template": [{ "id": template, "name": "x", "version": "1" }],
        "scaling_config": [{ "desired_size": 0, "max_size": 5, "min_size": 0 }],
        "subnet_ids": [account.subnet_ids()["af-south-1b"]], "tags": {}, "tags_all": tags,
        "taint": [{ "key": "buildInstance", "value": "true", "effect": "NO_SCHEDULE" }],
        "update_config": [{ "max_unavailable": 1, "max_unavailable_percentage": 0 }],
    });
    let values = GUIDE.replace("https://gitlab.com/", stage.gitlab.url());
    let helm = json!({
        "name": "gitlab-runner", "namespace": bucket, "chart": "gitlab-runner", "values": [values],
        "metadata": [{ "app_version": "18.9.0" }], "set": [],
    });
    let lifecycle = json!({ "bucket": bucket, "rule": [{
        "id": "delete_files_older_than_60_days", "status": "Enabled", "filter": [{ "prefix": "project/" }],
        "expiration": [{ "days": 60 }],
    }] });
    let secret = json!({
        "metadata": [{ "name": "gitlab-runner-s3-access", "namespace": bucket }],
        "data": { "accesskey": key, "secretkey": "very-secret" },
    });
    let resource = |kind: &str, name: &str, attributes: Value| {
        let provider = kind.split('_').next().unwrap();
        json!({
            "mode": "managed", "type": kind, "name": name, "provider": format!("provider[\"{registry}/hashicorp/{provider}\"]"),
            "instances": [{ "schema_version": 0, "attributes": attributes }],
        })
    };
    json!({ "version": 4, "terraform_version": "1.11.0", "serial": 7, "lineage": "migrated", "outputs": {}, "resources": [
        resource("aws_eks_node_group", "build", group),
        resource("helm_release", "runner", helm),
        resource("aws_s3_bucket", "cache", json!({ "bucket": bucket, "region": account.region() })),
        resource("aws_s3_bucket_lifecycle_configuration", "cache", lifecycle),
        resource("aws_iam_user", "cache", json!({ "name": USER, "path": "/" })),
        resource("aws_iam_access_key", "cache", json!({ "id": key, "user": USER, "secret": "very-secret" })),
        resource("kubernetes_secret", "cache", secret),
    ] })
}
