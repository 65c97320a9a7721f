mod releases;
mod ties;

use std::fs;

use serde_json::{Value as Json, json};

use super::*;
use crate::migrate::tests::expected;
use crate::migrate::{Cause, migrate};

/// The HCL and the report for a state.
fn migrated(state: &Json, arguments: &Arguments) -> (String, String) {
    let files = of_text(&state.to_string(), arguments).unwrap().files();
    let hcl = files.iter().filter(|(name, _)| *name != "migrate.md").map(|(_, text)| text.as_str()).collect();
    (hcl, files.iter().find(|(name, _)| *name == "migrate.md").unwrap().1.clone())
}

fn of_text(text: &str, arguments: &Arguments) -> Result<Project, Cause> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("terraform.tfstate");
    fs::write(&path, text).unwrap();
    migrate(&Arguments { state: Some(path), ..arguments.clone() })
}

fn refused(text: &str) -> String {
    of_text(text, &Arguments::default()).unwrap_err().to_string()
}

fn resource(module: &str, kind: &str, name: &str, instances: &[(Json, Json)]) -> Json {
    let instances: Vec<Json> = instances
        .iter()
        .map(|(key, attributes)| json!({ "index_key": key, "attributes": attributes, "sensitive_attributes": [] }))
        .collect();
    let mut resource =
        json!({ "mode": "managed", "type": kind, "name": name, "provider": "x", "instances": instances });
    if !module.is_empty() {
        resource["module"] = module.into();
    }
    resource
}

fn state(resources: Vec<Json>) -> Json {
    json!({ "version": 4, "terraform_version": "1.12.0", "serial": 1, "lineage": "x", "resources": resources })
}

fn node_group(name: &str) -> Json {
    json!({
        "arn": format!("arn:aws:eks:eu-west-1:123456789012:nodegroup/prod/{name}/1"),
        "ami_type": "AL2023_x86_64_STANDARD", "capacity_type": "SPOT", "cluster_name": "prod", "disk_size": 0,
        "force_update_version": null, "instance_types": ["m5.large", "m5a.large"], "labels": { "intent": "build" },
        "launch_template": [{ "id": "lt-1", "name": "nodes", "version": "3" }], "node_group_name": name,
        "node_role_arn": "arn:aws:iam::123456789012:role/nodes", "remote_access": [],
        "scaling_config": [{ "desired_size": 2, "max_size": 5, "min_size": 0 }], "subnet_ids": ["subnet-b", "subnet-a"],
        "resources": [{ "autoscaling_groups": [{ "name": format!("eks-{name}") }] }],
        "tags": {}, "tags_all": { "team": "ci" }, "taint": [{ "key": "ci", "value": "true", "effect": "NO_SCHEDULE" }],
        "update_config": [{ "max_unavailable": 0, "max_unavailable_percentage": 33 }], "node_repair_config": [{ "enabled": true }],
    })
}

fn everything() -> Json {
    let values = "gitlabUrl: https://gitlab.com/\nrunners:\n  cache: {secretName: cache-key}\n  config: |\n    [[runners]]\n      \
        [runners.cache]\n        Type = \"s3\"\n        Path = \"ci\"\n        Shared = true\n        [runners.cache.s3]\n          BucketName = \"my-cache\"\n          \
        BucketLocation = \"eu-west-1\"\n";
    let helm = json!({
        "name": "runner", "namespace": "ci", "chart": "gitlab-runner", "values": [values],
        "metadata": [{ "app_version": "18.9.0", "chart": "gitlab-runner", "values": "glrt-very-secret" }],
        "set": [{ "name": "concurrent", "value": "4", "type": "" }, { "name": "podAnnotations.a\\.b/c", "value": "1", "type": "string" }],
        "set_sensitive": [{ "name": "runnerToken", "value": "glrt-very-secret" }, { "name": "sentryDsn", "value": "very-secret" }],
    });
    state(vec![
        resource("", "aws_eks_node_group", "build", &[(Json::Null, node_group("build"))]),
        resource(
            "module.nodes[\"eu.1\"]",
            "aws_eks_node_group",
            "of",
            &[("a".into(), node_group("of-a")), ("b".into(), node_group("of-b"))],
        ),
        resource("", "helm_release", "runner", &[(0.into(), helm)]),
        resource("", "helm_release", "other", &[(Json::Null, json!({ "chart": "nginx", "name": "n" }))]),
        resource(
            "",
            "aws_s3_bucket",
            "cache",
            &[(
                Json::Null,
                json!({ "bucket": "my-cache", "force_destroy": true, "tags_all": {}, "region": "eu-west-1" }),
            )],
        ),
        resource("", "aws_s3_bucket", "logs", &[(Json::Null, json!({ "bucket": "logs" }))]),
        resource(
            "",
            "aws_s3_bucket_lifecycle_configuration",
            "cache",
            &[(
                Json::Null,
                json!({ "bucket": "my-cache", "rule": [{
                    "status": "Enabled", "filter": [{ "prefix": "ci/project/" }], "expiration": [{ "days": 30 }],
                    "noncurrent_version_expiration": [{ "noncurrent_days": 7 }],
                }] }),
            )],
        ),
        resource(
            "",
            "aws_s3_bucket_versioning",
            "cache",
            &[(Json::Null, json!({ "bucket": "my-cache", "versioning_configuration": [{ "status": "Enabled" }] }))],
        ),
        resource("", "aws_iam_user", "cache", &[(Json::Null, json!({ "name": "cache", "path": "/ci/" }))]),
        resource(
            "",
            "aws_iam_access_key",
            "cache",
            &[(Json::Null, json!({ "id": "AKIAEXAMPLE", "user": "cache", "secret": "very-secret" }))],
        ),
        resource(
            "",
            "kubernetes_secret",
            "cache",
            &[(
                Json::Null,
                json!({
                    "metadata": [{ "name": "cache-key", "namespace": "ci" }],
                    "data": { "accesskey": "AKIAEXAMPLE", "secretkey": "very-secret" },
                }),
            )],
        ),
        resource("", "aws_iam_user_policy", "cache", &[(Json::Null, json!({ "user": "cache" }))]),
        resource(
            "",
            "aws_autoscaling_group_tag",
            "label",
            &[
                ("x".into(), json!({ "autoscaling_group_name": "eks-build" })),
                ("y".into(), json!({ "autoscaling_group_name": "eks-of-a" })),
            ],
        ),
    ])
}

#[test]
fn resources_of_other_providers_are_converted() {
    let (hcl, report) = migrated(&everything(), &Arguments::default());
    assert_eq!(hcl, expected("state/testdata/everything.tf"));
    assert!(!hcl.contains("very-secret") && !report.contains("very-secret"), "{report}");
    for line in [
        "`helm_release.runner[0]`: the value of set_sensitive \"sentryDsn\" is left out.",
        "`aws_iam_access_key.cache`: the secret access key stays in the Secret cache-key.",
        "`aws_s3_bucket.logs`: nothing says that logs is a cache",
        "`aws_iam_user_policy.cache`: stays with its provider.",
        "`aws_autoscaling_group_tag.label[\"x\"]`: the node group manages the tags",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn both_state_formats_give_the_same_result() {
    let pulled = everything();
    let mut modules = vec![];
    let mut root = vec![];
    for resource in pulled["resources"].as_array().unwrap() {
        for instance in resource["instances"].as_array().unwrap() {
            let text = |name: &str| resource[name].as_str().unwrap_or_default();
            let key = match &instance["index_key"] {
                Json::Null => String::new(),
                key => format!("[{key}]"),
            };
            let module = text("module");
            let prefix = if module.is_empty() { String::new() } else { format!("{module}.") };
            let mut shown = json!({
                "address": format!("{prefix}{}.{}{key}", text("type"), text("name")),
                "mode": "managed", "type": text("type"), "name": text("name"), "values": instance["attributes"],
                "sensitive_values": { "secret": true },
            });
            if !instance["index_key"].is_null() {
                shown["index"] = instance["index_key"].clone();
            }
            if module.is_empty() { root.push(shown) } else { modules.push((module.to_owned(), shown)) }
        }
    }
    let child =
        json!({ "address": modules[0].0, "resources": modules.iter().map(|(_, shown)| shown).collect::<Vec<_>>() });
    let shown = json!({
        "format_version": "1.0", "terraform_version": "1.12.0",
        "values": { "root_module": { "resources": root, "child_modules": [child] } },
    });
    let blocks = |state: &Json| {
        let hcl = migrated(state, &Arguments::default()).0;
        let mut blocks: Vec<String> = hcl.split("\n\n").map(|block| block.trim().to_owned()).collect();
        blocks.sort();
        blocks
    };
    assert_eq!(blocks(&shown), blocks(&pulled));
}

#[test]
fn other_settings_are_carried_over() {
    let mut group = node_group("plain");
    group["capacity_type"] = "ON_DEMAND".into();
    group["launch_template"] = json!([]);
    group["disk_size"] = 50.into();
    group["remote_access"] = json!([{ "ec2_ssh_key": "key", "source_security_group_ids": ["sg-2", "sg-1"] }]);
    group["update_config"] = json!([{ "max_unavailable": 1, "max_unavailable_percentage": 0 }]);
    group["node_repair_config"] = json!([]);
    let mut reserved = node_group("reserved");
    reserved["capacity_type"] = "CAPACITY_BLOCK".into();
    let mut of_template = node_group("template");
    of_template["instance_types"] = json!([]);
    let bucket = json!({
        "bucket": "old", "lifecycle_rule": [{ "enabled": true, "prefix": "", "expiration": [{ "days": 9 }] }],
        "versioning": [{ "enabled": false }],
    });
    let encryption = json!({ "bucket": "old", "rule": [{
        "apply_server_side_encryption_by_default": [{ "sse_algorithm": "aws:kms", "kms_master_key_id": "arn:k" }],
        "bucket_key_enabled": true,
    }] });
    let state = state(vec![
        resource(
            "",
            "aws_eks_node_group",
            "g",
            &[("plain".into(), group), ("reserved".into(), reserved), ("template".into(), of_template)],
        ),
        resource("", "aws_s3_bucket", "old", &[(Json::Null, bucket)]),
        resource("", "aws_s3_bucket_server_side_encryption_configuration", "old", &[(Json::Null, encryption)]),
    ]);
    let arguments = Arguments { bucket: Some("old".to_owned()), ..Arguments::default() };
    let (hcl, report) = migrated(&state, &arguments);
    for line in [
        "disk_size     = 50",
        "ec2_ssh_key               = \"key\"",
        "source_security_group_ids = [\"sg-1\", \"sg-2\"]",
        "instance_types = var.g_template_instance_types",
        "expiration_days = 9",
        "prefix          = \"\"",
        "sse_algorithm      = \"aws:kms\"",
        "bucket_key_enabled = true",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    assert!(
        !hcl.contains("reserved") && report.contains("`aws_eks_node_group.g[\"reserved\"]`: capacity_type"),
        "{report}"
    );
    assert!(!hcl.contains("max_unavailable ") && !hcl.contains("node_repair") || hcl.contains("template"), "{hcl}");
}

#[test]
fn sensitive_values_are_not_read() {
    let mut release = everything()["resources"][2].clone();
    release["instances"][0]["sensitive_attributes"] = json!([[{ "type": "get_attr", "value": "values" }]]);
    let state = state(vec![release, resource("", "aws_eks_node_group", "build", &[(Json::Null, node_group("build"))])]);
    let (hcl, report) = migrated(&state, &Arguments::default());
    assert!(!hcl.contains("runner_release"), "{hcl}");
    assert!(report.contains("`helm_release.runner[0]`: `values` is marked as sensitive"), "{report}");
}

#[test]
fn input_that_is_not_a_state_is_refused() {
    for (text, why) in [
        ("", "it is not JSON"),
        ("resource \"x\" {}", "it is not JSON (line 1)"),
        ("{}", "neither the fields of `state pull`"),
        ("{\"version\": 3}", "its version is 3"),
        ("{\"encrypted_data\": \"x\"}", "it is encrypted"),
        ("{\"format_version\": \"1.2\", \"planned_values\": {}}", "it is a plan"),
        ("{\"version\": 4, \"resources\": []}", "has nothing to migrate"),
        (
            "{\"version\": 4, \"resources\": [{\"mode\": \"data\", \"type\": \"aws_eks_node_group\"}]}",
            "has nothing to migrate",
        ),
    ] {
        let message = refused(text);
        assert!(message.contains(why), "{text:?}: {message}");
    }
    let helm = json!({ "name": "r", "namespace": "ci", "chart": "gitlab-runner", "values": ["replicas: two"] });
    let message = refused(&state(vec![resource("", "helm_release", "r", &[(Json::Null, helm)])]).to_string());
    assert!(message.starts_with("helm_release.r values[0]: Invalid value in a values file: line 1"), "{message}");
}
