//! `examples/modules`, and the configurations that use the modules: one runner, runners of three sizes, and Terragrunt.

use std::fs;
use std::path::Path;

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use kube::api::Api;
use serde_json::{Value, json};

const STACK: &str = "modules/runner-stack";

/// Name of each size, vCPUs of its nodes, and CPU request of a job.
const SIZES: [(&str, u64, &str); 3] = [("small", 2, "500m"), ("medium", 8, "2"), ("large", 16, "14")];

#[tokio::test]
async fn module_tests_with_mocks_pass_in_opentofu() {
    module_tests_with_mocks_pass_in(Engine::opentofu()).await;
}

#[tokio::test]
async fn module_tests_with_mocks_pass_in_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    module_tests_with_mocks_pass_in(engine).await;
}

/// Runs the tests of the module, which send no requests.
async fn module_tests_with_mocks_pass_in(engine: Engine) {
    // Two of the tests are in a file that only OpenTofu reads.
    let passed = if engine == Engine::opentofu() { 28 } else { 26 };
    let stage = Stage::new(&format!("modules/mocks_{}", engine.name()), engine).await;
    let workspace = stage.example(STACK, json!({})).await;
    let output = workspace.run(&["test"]).await.succeeded();
    assert!(output.prose().contains(&format!("{passed} passed, 0 failed")), "{output}");
    assert!(stage.account.calls().is_empty());
}

/// The code blocks of the READMEs are valid as one configuration. Git sources are replaced by local paths.
#[tokio::test]
async fn readmes_are_valid() {
    let stage = Stage::new("modules/readmes", Engine::opentofu()).await;
    let workspace = stage.example("sizes", json!({})).await;
    let mut blocks = String::new();
    for readme in
        ["modules/runner-stack", "modules/runner-stack/modules/build-nodes", "modules/runner-stack/modules/runner"]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(readme).join("README.md");
        let text = fs::read_to_string(path).unwrap();
        let of_file = text.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.extend(of_file.map(str::to_owned));
    }
    let git = "git::https://github.com/gitlabspot/terraform-provider-gitlabspot.git//examples/";
    let text = blocks.replace(git, "../").replace("?ref=v0.1.0", "");
    assert_eq!(text.matches("source ").count(), 3, "{text}");
    workspace.write("main.tf", &text);
    workspace.write("outputs.tf", README_REST);
    workspace.init().await;
    workspace.validate().await;
}

/// Declarations that the code blocks need in addition to the variables of `examples/sizes`.
const README_REST: &str = r#"
terraform {
  required_providers {
    gitlabspot = { source = "gitlabspot/gitlabspot" }
  }
}
resource "gitlabspot_cache_bucket" "shared" {}
variable "runner_token" {
  type      = string
  ephemeral = true
}
"#;

/// Instance types selected by vCPUs and memory, a generated bucket name, and defaults for the rest.
#[tokio::test]
async fn basic_stack_applies() {
    let stage = Stage::new("modules/basic", Engine::opentofu()).await;
    let variables = json!({
        "cluster_name": stage.account.cluster(),
        "namespace": stage.namespace.name(),
        "gitlab_url": stage.gitlab.url(),
        "runner_token": "glrt-of-the-basic-stack",
    });
    let workspace = stage.example(&format!("{STACK}/examples/basic"), variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;

    assert_nodes_only_for_jobs(&stage).await;
    assert_manager_is_available(&stage, stage.namespace.name()).await;
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// The jobs select the labels and tolerate the taints of the nodes.
async fn assert_nodes_only_for_jobs(stage: &Stage) {
    let group = stage.account.eks().describe_nodegroup().cluster_name(stage.account.cluster());
    let group = group.nodegroup_name("gitlab-runner").send().await.unwrap().nodegroup.unwrap();
    assert_eq!(group.labels().unwrap()["build-nodes"], "gitlab-runner");
    assert_eq!(group.taints()[0].key(), Some("build-nodes"));
    let configuration: ConfigMap = stage.kubernetes.get(stage.namespace.name(), "gitlab-runner").await;
    let toml = configuration.data.unwrap().into_values().collect::<String>();
    for line in
        [r#""build-nodes=gitlab-runner" = "NoSchedule""#, "poll_timeout = 300", "eks.amazonaws.com/capacityType"]
    {
        assert!(toml.contains(line), "{line} is not in {toml}");
    }
}

async fn assert_manager_is_available(stage: &Stage, namespace: &str) {
    let manager: Deployment = stage.kubernetes.get(namespace, "gitlab-runner").await;
    assert_eq!(manager.status.unwrap().ready_replicas, Some(1), "{namespace}");
}

#[tokio::test]
async fn three_sizes_apply_with_opentofu() {
    three_sizes_apply_with(Engine::opentofu()).await;
}

#[tokio::test]
async fn three_sizes_apply_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    three_sizes_apply_with(engine).await;
}

async fn three_sizes_apply_with(engine: Engine) {
    let stage = Stage::new(&format!("modules/sizes_{}", engine.name()), engine).await;
    let prefix = stage.namespace.name();
    let workspace = stage.example("sizes", sizes(&stage)).await;
    workspace.apply().await;
    workspace.assert_stable().await;

    let state = workspace.state().await;
    for (size, vcpus, cpu) in SIZES {
        let types = state.output("instance_types")[size].as_array().unwrap();
        assert_nodes_have(&stage, &format!("builds-{size}"), types, vcpus).await;
        assert_runner_has(&stage, &format!("{prefix}-{size}"), size, cpu).await;
    }
    // Only one size has warm capacity.
    let placeholders: CronJob = stage.kubernetes.get(&format!("{prefix}-small"), "gitlab-runner-warm").await;
    assert_eq!(placeholders.spec.time_zone.as_deref(), Some("Africa/Johannesburg"));
    let warm = state.addresses().into_iter().filter(|address| address.contains("gitlabspot_warm_capacity"));
    assert_eq!(warm.count(), 1);

    workspace.destroy().await;
    assert_no_size_remains(&stage, prefix).await;
}

fn sizes(stage: &Stage) -> Value {
    json!({
        "cluster_name": stage.account.cluster(),
        "cache_bucket": stage.namespace.name(),
        "namespace_prefix": stage.namespace.name(),
        "gitlab_url": stage.gitlab.url(),
        "runner_tokens": SIZES.iter().map(|(size, ..)| ((*size).to_owned(), json!(format!("glrt-of-{size}")))).collect::<Value>(),
    })
}

async fn assert_nodes_have(stage: &Stage, name: &str, types: &[Value], vcpus: u64) {
    let group = stage.account.eks().describe_nodegroup().cluster_name(stage.account.cluster()).nodegroup_name(name);
    let group = group.send().await.unwrap().nodegroup.unwrap();
    assert_eq!(json!(group.instance_types()), json!(types), "{name}");
    let found = stage.account.ec2().describe_instance_types();
    let wanted = group.instance_types().iter().map(|it| it.as_str().into()).collect();
    let found = found.set_instance_types(Some(wanted)).send().await.unwrap();
    let of_size = |it: &aws_sdk_ec2::types::InstanceTypeInfo| it.v_cpu_info().unwrap().default_v_cpus();
    let all: Vec<_> = found.instance_types().iter().map(of_size).collect();
    assert!(!all.is_empty() && all.iter().all(|it| *it == i32::try_from(vcpus).ok()), "{name}: {all:?}");
}

/// Asserts that a runner has nodes and requests of its own, and the shared cache.
async fn assert_runner_has(stage: &Stage, namespace: &str, size: &str, cpu: &str) {
    assert_manager_is_available(stage, namespace).await;
    let configuration: ConfigMap = stage.kubernetes.get(namespace, "gitlab-runner").await;
    let toml = configuration.data.unwrap().into_values().collect::<String>();
    let lines = [
        format!(r#""build-nodes=builds-{size}" = "NoSchedule""#),
        format!(r#"cpu_request = "{cpu}""#),
        format!(r#"BucketName = "{}""#, stage.namespace.name()),
    ];
    for line in lines {
        assert!(toml.contains(&line), "{line} is not in {toml}");
    }
}

async fn assert_no_size_remains(stage: &Stage, prefix: &str) {
    stage.assert_nothing_remains().await;
    let namespaces: Api<Namespace> = Api::all(stage.kubernetes.client());
    for (size, ..) in SIZES {
        let name = format!("{prefix}-{size}");
        assert!(namespaces.get_opt(&name).await.unwrap().is_none(), "the namespace {name} still exists");
    }
}

/// Terragrunt itself does not run. The units are called as modules, with the same inputs and dependency outputs, and
/// with the provider block that `root.hcl` generates.
#[tokio::test]
async fn terragrunt_units_apply() {
    let stage = Stage::new("modules/terragrunt", Engine::opentofu()).await;
    let prefix = stage.namespace.name();
    let workspace = stage.example("terragrunt", json!({})).await;
    let cluster = format!("\"{}\"", stage.account.cluster());
    let own = |text: String| {
        let text = text.replace("\"prod\"", &cluster).replace("\"ci-", &format!("\"{prefix}-"));
        text.replace("example-runner-cache", prefix)
    };
    workspace.write("provider.tf", &own(generated_provider(&unit(&workspace, "root.hcl"))));
    for name in ["cache", "small", "medium", "large"] {
        let text = unit(&workspace, &format!("{name}/terragrunt.hcl"));
        let call = own(module_call(name, &text));
        let call = call.replace("  namespace  ", &format!("  gitlab_url = \"{}\"\n  namespace  ", stage.gitlab.url()));
        workspace.write(&format!("{name}.tf"), &call);
    }
    workspace.init().await;
    workspace.apply().await;
    workspace.assert_stable().await;
    for (size, _, cpu) in SIZES {
        assert_runner_has(&stage, &format!("{prefix}-{size}"), size, cpu).await;
    }
    workspace.destroy().await;
    assert_no_size_remains(&stage, prefix).await;
}

fn unit(workspace: &Workspace, file: &str) -> String {
    fs::read_to_string(workspace.folder().join(file)).unwrap()
}

/// The file that `root.hcl` generates in the folder of each unit, with the version of the provider.
fn generated_provider(root: &str) -> String {
    let (_, rest) = root.split_once("contents  = <<-EOF\n").unwrap();
    let (contents, _) = rest.split_once("\n  EOF\n").unwrap();
    format!(
        "{contents}\nterraform {{\n  required_providers {{\n    gitlabspot = {{ source = \"gitlabspot/gitlabspot\" }}\n  }}\n}}\n"
    )
}

/// A unit as a module call, with values in place of the functions of Terragrunt.
fn module_call(name: &str, unit: &str) -> String {
    let source = unit.split_once("source = \"").map_or(format!("./{name}"), |(_, rest)| {
        // The source is relative to the folder of the unit.
        rest.split('"').next().unwrap().strip_prefix("../").unwrap().to_owned()
    });
    let (_, inputs) = unit.split_once("\ninputs = {\n").unwrap();
    let (inputs, _) = inputs.rsplit_once("\n}").unwrap();
    let inputs = inputs.replace("dependency.cache.outputs.", "module.cache.");
    let inputs = inputs.replace(&format!("get_env(\"RUNNER_TOKEN_{}\")", name.to_uppercase()), "\"glrt-of-a-unit\"");
    assert!(!inputs.contains("get_env") && !inputs.contains("dependency"), "{inputs}");
    format!("module \"{name}\" {{\n  source = \"{source}\"\n{inputs}\n}}\n")
}

#[test]
fn terragrunt_unit_becomes_a_module_call() {
    let unit = "terraform {\n  source = \"../../modules/a\"\n}\n\ninputs = {\n  b = dependency.cache.outputs.c\n  d = get_env(\"RUNNER_TOKEN_X\")\n}\n";
    let expected = "module \"x\" {\n  source = \"../modules/a\"\n  b = module.cache.c\n  d = \"glrt-of-a-unit\"\n}\n";
    assert_eq!(module_call("x", unit), expected);
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/terragrunt/root.hcl").is_file());
}
