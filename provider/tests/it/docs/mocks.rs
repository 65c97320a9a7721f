//! Defaults of mocks for `tofu test` and `terraform test`, which otherwise generate random strings for computed
//! attributes.

use gitlabspot::provider::Gitlabspot;
use tfplugin::framework::schema::Mode;
use tfplugin::framework::{Provider, Raw, Schema};

use crate::repository::{assert_current, text};

/// The file for Terraform. Its `mock_provider` can refer to a folder with such files.
const FILE: &str = "examples/mocks/gitlabspot.tfmock.hcl";

/// Tests for both, which contain the mocks. OpenTofu rejects a mock of an attribute that the configuration sets, so
/// that these contain only attributes that cannot be configured.
const TESTS: [&str; 6] = [
    "examples/complete/tests/plan.tftest.hcl",
    "examples/complete/tests/apply.tofutest.hcl",
    "examples/modules/runner-stack/tests/plan.tftest.hcl",
    "examples/modules/runner-stack/tests/refusals.tftest.hcl",
    "examples/modules/runner-stack/tests/parts.tftest.hcl",
    "examples/modules/runner-stack/tests/apply.tofutest.hcl",
];

/// Typical values of computed attributes.
const COMPUTED: &[(&str, &[(&str, &str)])] = &[
    (
        "gitlabspot_node_group",
        &[
            ("id", r#""prod:build""#),
            (
                "arn",
                r#""arn:aws:eks:eu-west-1:111122223333:nodegroup/prod/build/00000000-0000-0000-0000-000000000000""#,
            ),
            ("status", r#""ACTIVE""#),
            ("node_role_arn", r#""arn:aws:iam::111122223333:role/build""#),
            ("availability_zones", r#"["eu-west-1a"]"#),
            ("subnet_ids", r#"["subnet-00000000000000000"]"#),
            ("ami_type", r#""AL2023_x86_64_STANDARD""#),
            ("disk_size", "20"),
            ("version", r#""1.33""#),
            ("release_version", r#""1.33.0-20260101""#),
            ("autoscaling_group_names", r#"["eks-build-00000000"]"#),
        ],
    ),
    (
        "gitlabspot_cache_bucket",
        &[
            ("id", r#""runner-cache""#),
            ("arn", r#""arn:aws:s3:::runner-cache""#),
            ("region", r#""eu-west-1""#),
            ("prefix", r#""project/""#),
            ("runner_cache", RUNNER_CACHE),
        ],
    ),
    (
        "gitlabspot_runner_credentials",
        &[
            ("id", r#""gitlab-runner/gitlab-runner-s3-access:runner-cache""#),
            ("name", r#""runner-cache""#),
            ("user_arn", r#""arn:aws:iam::111122223333:user/runner-cache""#),
            ("role_arn", r#""arn:aws:iam::111122223333:role/runner-cache""#),
            ("access_key_id", r#""AKIA0000000000000000""#),
        ],
    ),
    (
        "gitlabspot_runner_release",
        &[("id", r#""gitlab-runner/gitlab-runner""#), ("status", r#""available""#), ("job_pod", JOB_POD)],
    ),
    ("gitlabspot_warm_capacity", &[("id", r#""gitlab-runner/warm""#)]),
    ("gitlabspot_spot_instance_types", &[("names", r#"["c5a.2xlarge", "m5.2xlarge"]"#)]),
];

/// `cache` of a release validates it.
const RUNNER_CACHE: &str = r#"{
      type   = "s3"
      path   = ""
      shared = true
      s3 = {
        server_address  = "s3.amazonaws.com"
        bucket_name     = "runner-cache"
        bucket_location = "eu-west-1"
        insecure        = false
      }
    }"#;

/// Warm capacity validates it.
const JOB_POD: &str = r#"{
      cpu               = "2"
      memory            = "4Gi"
      ephemeral_storage = "10Gi"
      node_selector     = { intent = "build" }
      tolerations       = []
    }"#;

/// A block for each type, with or without the computed attributes that a configuration can set.
fn blocks(with_optional: bool) -> String {
    let registry = Gitlabspot::default().registry();
    let block = |kind, type_name, schema| block(kind, type_name, &schema, with_optional);
    let resources = registry.resources.iter().map(|it| block("mock_resource", it.type_name(), it.schema()));
    let data_sources = registry.data_sources.iter().map(|it| block("mock_data", it.type_name(), it.schema()));
    resources.chain(data_sources).collect::<Vec<_>>().join("\n")
}

fn block(kind: &str, type_name: &str, schema: &Schema, with_optional: bool) -> String {
    let computed = COMPUTED.iter().find(|(name, _)| *name == type_name).map_or(&[][..], |(_, values)| values);
    let mut entries: Vec<(&str, String)> = Vec::new();
    for attribute in &schema.attributes {
        let name = attribute.name.as_ref();
        let is_computed = match attribute.mode {
            Mode::Computed(_) => true,
            Mode::OptionalComputed(_) => with_optional,
            Mode::Required | Mode::Optional => false,
        };
        let value = computed.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned());
        if let Some(value) = value.or_else(|| literal(&attribute.default)).filter(|_| is_computed) {
            entries.push((name, value));
        }
    }
    for (name, _) in computed {
        assert!(schema.attributes.iter().any(|attribute| attribute.name == *name), "{type_name} has no {name}");
    }
    // Aligned as by `tofu fmt`: a multi-line value ends a group.
    let mut text = format!("{kind} \"{type_name}\" {{\n  defaults = {{\n");
    for group in entries.split_inclusive(|(_, value)| value.contains('\n')) {
        let (lines, last) = match group.split_last() {
            Some((last, lines)) if last.1.contains('\n') => (lines, Some(last)),
            _ => (group, None),
        };
        let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        text.extend(lines.iter().map(|(name, value)| format!("    {name:width$} = {value}\n")));
        text.extend(last.map(|(name, value)| format!("    {name} = {value}\n")));
    }
    text + "  }\n}\n"
}

/// A default of the schema in HCL.
fn literal(default: &Raw) -> Option<String> {
    match default {
        Raw::Bool(value) => Some(value.to_string()),
        Raw::Number(value) => Some(value.to_string()),
        Raw::String(value) => Some(format!("{value:?}")),
        _ => None,
    }
}

#[test]
fn mocks_are_current() {
    assert_current(FILE, &blocks(true), "UPDATE_DOCS");
}

#[test]
fn tests_have_the_same_mocks() {
    let indented: String = blocks(false)
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") })
        .collect();
    let head = "mock_provider \"gitlabspot\" {\n";
    for path in TESTS {
        let found = text(path).unwrap();
        let (before, rest) = found.split_once(head).unwrap();
        let (_, after) = rest.split_once("\n}\n").unwrap();
        assert_current(path, &format!("{before}{head}{indented}}}\n{after}"), "UPDATE_DOCS");
    }
}
