//! `migrate` on a cloud with the objects of the guide: its configuration imports all objects and replaces none.

pub(crate) mod existing;
mod inputs;
mod state;

use std::fs;
use std::path::Path;
use std::process::Command;

use gitlabspot_acceptance_tests::{Engine, Plan, Stage, Workspace, provider_binary};
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::{Value, json};

use self::existing::{GUIDE_GROUP, Group, bucket, node_group, user};
use crate::runner_release::GUIDE;
use crate::runner_release::adoption::helm::{Chart, Helm, pods_and_replica_sets};

/// The eksctl file of the guide.
const EKSCTL: &str = include_str!("../../../testdata/migrate/eksctl/guide.yaml");
const USER: &str = "gitlab-runner-cache";
/// Actions of a `removed` block that does not destroy.
const FORGET: [&str; 1] = ["forget"];

/// Runs `migrate` and returns its exit code, standard output and standard error.
fn migrate(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(provider_binary()).arg("migrate").args(arguments).env_clear().output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The configuration that `migrate` wrote, and its report.
struct Migration {
    workspace: Workspace,
    report: String,
}

impl Migration {
    /// Writes the inputs, migrates them and initializes the result. Arguments that begin with `@` are names of input
    /// files.
    async fn of(stage: &Stage, inputs: &[(&str, &str)], arguments: &[&str], variables: Value) -> Self {
        let folder = stage.folder().join("inputs");
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in inputs {
            fs::write(folder.join(name), text).unwrap();
        }
        let path = |argument: &&str| match argument.strip_prefix('@') {
            Some(name) => folder.join(name).display().to_string(),
            None => (*argument).to_owned(),
        };
        let out = stage.folder().join("migrated").display().to_string();
        let mut given: Vec<String> = arguments.iter().map(path).collect();
        given.extend(["--out".to_owned(), out.clone()]);
        let given: Vec<&str> = given.iter().map(String::as_str).collect();
        let (code, printed, report) = migrate(&given);
        assert_eq!(code, Some(0), "{report}");
        assert!(printed.contains("main.tf"), "{printed}");
        let again = migrate(&given);
        assert_eq!(again.0, Some(1));
        assert!(again.2.contains("exists already. Nothing was written"), "{}", again.2);

        let names = ["main.tf", "imports.tf", "variables.tf"];
        let texts = names.map(|name| fs::read_to_string(Path::new(&out).join(name)).unwrap_or_default());
        let files: Vec<(&str, &str)> = names.into_iter().zip(texts.iter().map(String::as_str)).collect();
        let workspace = stage.files(&files).await;
        workspace.set(&variables);
        let formatted = workspace.run(&["fmt", "-check", "-diff"]).await;
        assert_eq!(formatted.code, Some(0), "{formatted}");
        workspace.validate().await;
        Self { workspace, report }
    }

    /// Asserts that a plan imports all of `addresses`, creates `new`, and does not replace or delete.
    async fn plan(&self, addresses: &[&str], new: &[&str]) -> Plan {
        let plan = self.workspace.plan().await;
        for address in addresses {
            let change = plan.change(address);
            assert!(change["importing"].is_object(), "{address}: {}", plan.output());
        }
        let (_, rest) = self.report.split_once("## What the first plan changes\n").unwrap();
        let announced = rest.split("\n## ").next().unwrap();
        for (address, actions) in plan.changes().into_iter().filter(|(_, actions)| *actions != FORGET) {
            assert!(announced.contains(&format!("`{address}`")), "{address} is not announced: {announced}");
            let expected = if new.contains(&address.as_str()) { "create" } else { "update" };
            assert_eq!(actions, [expected], "{address}: {}", plan.output());
        }
        plan
    }
}

const GROUP: &str = "gitlabspot_node_group.build_8vcpu_16gb_32gb_1b";
const BUCKET: &str = "gitlabspot_cache_bucket.cache";
const CREDENTIALS: &str = "gitlabspot_runner_credentials.cache";
const RELEASE: &str = "gitlabspot_runner_release.gitlab_runner";

/// M1: the two files of the guide with a bucket and a user. Everything is imported, nothing is replaced, the pods of
/// the manager remain, and the plan after the apply is empty.
#[tokio::test]
async fn guide_is_migrated_without_replacement() {
    let stage = Stage::new("migrate/guide", Engine::opentofu()).await;
    migrate_guide(&stage).await;
}

/// M1: the same with Terraform.
#[tokio::test]
async fn guide_is_migrated_without_replacement_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    let stage = Stage::new("migrate/guide_terraform", engine).await;
    migrate_guide(&stage).await;
}

async fn migrate_guide(stage: &Stage) {
    let namespace = stage.namespace.name();
    node_group(stage, &GUIDE_GROUP).await;
    bucket(stage).await;
    stage.namespace.create().await;
    let values = GUIDE.replace("https://gitlab.com/", stage.gitlab.url());
    Helm::Three.install(stage, Chart::guide(stage, stage.gitlab.url())).await;
    let key = user(stage, USER).await;
    let before: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let pods = pods_and_replica_sets(stage).await;
    let arguments = [
        "--eksctl",
        "@eksctl.yaml",
        "--values",
        "@values.yaml",
        "--bucket",
        namespace,
        "--user",
        USER,
        "--cluster",
        stage.account.cluster(),
        "--namespace",
        namespace,
    ];
    let inputs = [("eksctl.yaml", EKSCTL), ("values.yaml", values.as_str())];
    let migration = Migration::of(stage, &inputs, &arguments, json!({ "registration_token": "XXXXX" })).await;
    assert!(!fs::read_to_string(migration.workspace.folder().join("main.tf")).unwrap().contains("XXXXX"));

    stage.account.forget();
    let plan = migration.plan(&[GROUP, BUCKET, CREDENTIALS, RELEASE], &[]).await;
    let message = plan.output().prose();
    assert!(message.contains("its pods are preserved") && !message.contains("Values of the Helm release"), "{message}");
    let group = plan.change(GROUP);
    for same in ["labels", "taints", "instance_types", "launch_template", "node_role_arn", "subnet_ids", "max_size"] {
        assert_eq!(group["before"][same], group["after"][same], "{same}");
    }
    migration.workspace.apply().await;
    migration.workspace.assert_stable().await;

    let made: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let anew = ["CreateNodegroup", "CreateBucket", "CreateUser", "CreateAccessKey", "CreateRole", "DeleteAccessKey"];
    assert!(made.iter().all(|call| !anew.contains(&call.as_str())), "{made:?}");
    let after: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    assert_eq!(after.metadata.uid, before.metadata.uid);
    assert_eq!(after.spec.template, before.spec.template, "the manager's pods stay");
    assert_eq!(pods_and_replica_sets(stage).await, pods);
    let state = migration.workspace.state().await;
    assert_eq!(state.resource(CREDENTIALS)["access_key_id"], key);
    assert_eq!(state.resource(GROUP)["tags"], Value::Null, "what eksctl tagged is ignored");
    assert_eq!(
        state.resource(GROUP)["asg_tags_all"]["k8s.io/cluster-autoscaler/node-template/taint/buildInstance"],
        "true:NoSchedule"
    );
}

/// M2: a complete cluster configuration with several node groups and all forms of taints and tags, without a user.
#[tokio::test]
async fn several_node_groups_are_migrated() {
    let stage = Stage::new("migrate/groups", Engine::opentofu()).await;
    let groups = [
        Group {
            name: "spot",
            types: &["m5.large", "m5a.large", "m5d.large"],
            sizes: (0, 4, 0),
            zones: &["af-south-1a", "af-south-1b"],
            labels: &[("role", "build")],
            taints: &[("ci", "true", "NO_SCHEDULE"), ("only", "", "NO_EXECUTE")],
            tags: &[("team", "ci"), ("cost", "42"), ("k8s.io/cluster-autoscaler/node-template/label/role", "build")],
            ..GUIDE_GROUP
        },
        Group {
            name: "steady",
            is_spot: false,
            types: &["m5.large"],
            sizes: (1, 1, 1),
            zones: &["af-south-1a", "af-south-1b", "af-south-1c"],
            labels: &[],
            taints: &[("tools", "yes", "PREFER_NO_SCHEDULE")],
            tags: &[("team", "ci")],
            ..GUIDE_GROUP
        },
        Group {
            name: "image",
            is_spot: false,
            types: &["m5.large"],
            sizes: (1, 3, 2),
            zones: &["af-south-1a", "af-south-1b", "af-south-1c"],
            labels: &[],
            taints: &[],
            tags: &[("team", "ci")],
            image: Some("ami-0123456789abcdef0"),
        },
    ];
    let addresses = groups.map(|group| format!("gitlabspot_node_group.{}", group.name));
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    for group in &groups {
        node_group(&stage, group).await;
    }
    let eksctl = include_str!("../../../testdata/migrate/eksctl/several.yaml");
    let migration = Migration::of(&stage, &[("eksctl.yaml", eksctl)], &["--eksctl", "@eksctl.yaml"], json!({})).await;
    let plan = migration.plan(&addresses, &[]).await;
    for address in addresses {
        let group = plan.change(address);
        for same in ["labels", "taints", "instance_types", "min_size", "max_size", "capacity_type", "ami_type"] {
            assert_eq!(group["before"][same], group["after"][same], "{address} {same}");
        }
    }
    migration.workspace.apply().await;
    migration.workspace.assert_stable().await;
}

/// M3: two `[[runners]]` become two releases. The Helm release is imported, and the other release is created.
#[tokio::test]
async fn several_runners_become_several_releases() {
    let stage = Stage::new("migrate/runners", Engine::opentofu()).await;
    let namespace = stage.namespace.name();
    stage.namespace.create().await;
    Helm::Four.install(&stage, Chart::guide(&stage, stage.gitlab.url())).await;
    let pods = pods_and_replica_sets(&stage).await;
    let values = GUIDE.replace("https://gitlab.com/", stage.gitlab.url()).replace(
        "\nrbac:\n",
        "    [[runners]]\n      name = \"Large jobs\"\n      [runners.kubernetes]\n        namespace = \"{{.Release.Namespace}}\"\n        \
         cpu_request = \"8\"\n\nrbac:\n",
    );
    let arguments = ["--values", "@values.yaml", "--namespace", namespace, "--cluster", stage.account.cluster()];
    let variables =
        json!({ "registration_token": "XXXXX", "registration_token_gitlab_runner_large_jobs": "GR1348941other" });
    let arguments = [&arguments[..], &["--region", stage.account.region()]].concat();
    let migration = Migration::of(&stage, &[("values.yaml", &values)], &arguments, variables).await;
    let new = "gitlabspot_runner_release.gitlab_runner_large_jobs";
    let plan = migration.plan(&[RELEASE], &[new]).await;
    let message = plan.output().prose();
    assert!(message.contains("its pods are preserved"), "{message}");
    migration.workspace.apply().await;
    migration.workspace.assert_stable().await;
    let after = pods_and_replica_sets(&stage).await;
    assert!(pods.iter().all(|(name, uid)| after.get(name) == Some(uid)), "{pods:?} {after:?}");
    let large = migration.workspace.state().await.resource(new).clone();
    assert!(large["config_toml_rendered"].as_str().unwrap().contains("cpu_request = \"8\""), "{large}");
}
