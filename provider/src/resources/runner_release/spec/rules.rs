//! The minimal permissions of the manager for the features that its configuration enables.

use gitlabspot_runner_config::version::RunnerVersion;
use serde::Serialize;
use toml::{Table, Value};

/// From this version on, the runner passes the scripts of a job without a ConfigMap.
const WITHOUT_CONFIG_MAPS: RunnerVersion = RunnerVersion::new(15, 8);

/// The priority class that the runner creates if it does not exist.
const PAUSE_PODS: &str = "gitlab-runner-idle-capacity";

/// One rule of a Role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub api_groups: Vec<String>,
    pub resources: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
    pub verbs: Vec<String>,
}

impl Rule {
    fn new(group: &str, resources: &[&str], verbs: &[&str]) -> Self {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            api_groups: owned(&[group]),
            resources: owned(resources),
            resource_names: Vec::new(),
            verbs: owned(verbs),
        }
    }
}

/// The permissions that a configuration requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub rules: Vec<Rule>,
    /// Whether jobs run in namespaces that are not known in advance.
    pub cluster_wide: bool,
    /// Whether the runner creates the priority class of its pause pods, which is cluster-scoped.
    pub priority_classes: bool,
}

/// Returns the permissions for a configuration. Source: the table of permissions in the documentation of the Kubernetes
/// executor; for ConfigMaps before 15.8, `executors/kubernetes/kubernetes.go` of v15.0.0 to v15.7.0.
pub fn needed(runner: &Table, version: RunnerVersion) -> Needed {
    let empty = Table::new();
    let kubernetes = runner.get("kubernetes").and_then(Value::as_table).unwrap_or(&empty);
    let flag = |name: &str| kubernetes.get(name).and_then(Value::as_bool);
    let text = |name: &str| kubernetes.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let feature = |name: &str| feature_flag(runner, name);
    let attach = !feature("FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY");
    let logs = attach || feature("FF_KUBERNETES_HONOR_ENTRYPOINT") || feature("FF_WAIT_FOR_POD_TO_BE_REACHABLE");
    let suspend = feature("FF_SUSPENDABLE_ENVIRONMENTS");
    let per_job = flag("namespace_per_job") == Some(true);
    let autoscaler = kubernetes.get("autoscaler").and_then(Value::as_table);

    let mut rules = vec![
        Rule::new("", &["pods"], &["create", "delete", "get", "list", "watch"]),
        Rule::new("", &["pods/exec"], &["create", "delete", "get", "patch"]),
        Rule::new("", &["secrets"], &["create", "delete", "get", "update"]),
        Rule::new("", &["serviceaccounts"], &["get"]),
        Rule::new("", &["services"], &["create", "get"]),
    ];
    if attach {
        rules.push(Rule::new("", &["pods/attach"], &["create", "delete", "get", "patch"]));
    }
    if logs {
        rules.push(Rule::new("", &["pods/log"], &["get", "list"]));
    }
    let warnings = flag("print_pod_warning_events") != Some(false);
    match (warnings, feature("FF_PRINT_POD_EVENTS")) {
        (true, true) => rules.push(Rule::new("", &["events"], &["list", "watch"])),
        (true, false) => rules.push(Rule::new("", &["events"], &["list"])),
        (false, true) => rules.push(Rule::new("", &["events"], &["watch"])),
        (false, false) => {}
    }
    match (per_job, suspend) {
        (true, true) => rules.push(Rule::new("", &["namespaces"], &["create", "delete", "get"])),
        (true, false) => rules.push(Rule::new("", &["namespaces"], &["create", "delete"])),
        (false, true) => rules.push(Rule::new("", &["namespaces"], &["get"])),
        (false, false) => {}
    }
    // Only the attach strategy stores scripts in a ConfigMap.
    if suspend || attach && version < WITHOUT_CONFIG_MAPS {
        rules.push(Rule::new("", &["configmaps"], &["create", "delete", "get", "update"]));
    }
    if suspend {
        rules.push(Rule::new("", &["persistentvolumeclaims"], &["create", "delete"]));
    }
    if flag("pod_disruption_budget") == Some(true) {
        rules.push(Rule::new("policy", &["poddisruptionbudgets"], &["create", "get"]));
    }
    if autoscaler.is_some() {
        rules.push(Rule::new("apps", &["deployments"], &["create", "delete", "get", "list", "update"]));
    }
    Needed {
        rules,
        cluster_wide: per_job || text("namespace_overwrite_allowed"),
        priority_classes: autoscaler.is_some_and(|autoscaler| {
            let name = autoscaler.get("pause_pod_priority_class_name").and_then(Value::as_str);
            matches!(name, None | Some("" | PAUSE_PODS))
        }),
    }
}

/// The rule for [`Needed::priority_classes`].
pub fn priority_classes() -> Rule {
    Rule::new("scheduling.k8s.io", &["priorityclasses"], &["create", "get"])
}

/// The rule to read the Service of the session server.
pub fn session_server() -> Rule {
    Rule::new("", &["services"], &["get"])
}

/// Whether a feature flag is set in `feature_flags`, or as a variable in `environment`.
pub(super) fn feature_flag(runner: &Table, name: &str) -> bool {
    let flags = runner.get("feature_flags").and_then(|flags| flags.get(name)).and_then(Value::as_bool);
    flags.unwrap_or_else(|| {
        let variables = runner.get("environment").and_then(Value::as_array).into_iter().flatten();
        let mut values = variables.filter_map(|variable| variable.as_str()?.strip_prefix(name)?.strip_prefix('='));
        values.next_back().is_some_and(|value| matches!(value, "true" | "1"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(needed: &Needed) -> Vec<String> {
        needed
            .rules
            .iter()
            .map(|rule| format!("{}/{}: {}", rule.api_groups.join(","), rule.resources.join(","), rule.verbs.join(" ")))
            .collect()
    }

    #[test]
    fn a_plain_runner_needs_pods_and_little_else() {
        let needed = needed(&toml::toml! { kubernetes = { privileged = true } }, RunnerVersion::DEFAULT);
        assert_eq!(
            formatted(&needed),
            [
                "/pods: create delete get list watch",
                "/pods/exec: create delete get patch",
                "/secrets: create delete get update",
                "/serviceaccounts: get",
                "/services: create get",
                "/pods/attach: create delete get patch",
                "/pods/log: get list",
                "/events: list",
            ]
        );
        assert_eq!((needed.cluster_wide, needed.priority_classes), (false, false));
    }

    /// Returns the rules that a configuration adds and removes compared with an empty one, `cluster_wide` and
    /// `priority_classes`.
    fn difference(text: &str) -> (Vec<String>, Vec<String>, bool, bool) {
        let plain = formatted(&needed(&Table::new(), RunnerVersion::DEFAULT));
        let needed = needed(&text.parse().unwrap(), RunnerVersion::DEFAULT);
        let with = formatted(&needed);
        let beyond = |one: &[String], other: &[String]| {
            one.iter().filter(|rule| !other.contains(rule)).cloned().collect::<Vec<_>>()
        };
        (beyond(&with, &plain), beyond(&plain, &with), needed.cluster_wide, needed.priority_classes)
    }

    #[test]
    fn each_feature_grants_its_permissions_only() {
        let legacy = "FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY";
        let (attach, log) = ("/pods/attach: create delete get patch", "/pods/log: get list");
        let cases: &[(&str, &[&str], &[&str])] = &[
            ("kubernetes = { print_pod_warning_events = true }", &[], &[]),
            ("kubernetes = { print_pod_warning_events = false }", &[], &["/events: list"]),
            ("feature_flags = { FF_PRINT_POD_EVENTS = true }", &["/events: list watch"], &["/events: list"]),
            ("environment = [\"FF_PRINT_POD_EVENTS=true\"]", &["/events: list watch"], &["/events: list"]),
            (&format!("feature_flags = {{ {legacy} = true }}"), &[], &[attach, log]),
            (&format!("feature_flags = {{ {legacy} = true, FF_KUBERNETES_HONOR_ENTRYPOINT = true }}"), &[], &[attach]),
            (&format!("feature_flags = {{ {legacy} = true, FF_WAIT_FOR_POD_TO_BE_REACHABLE = true }}"), &[], &[attach]),
            (
                "feature_flags = { FF_SUSPENDABLE_ENVIRONMENTS = true }",
                &[
                    "/namespaces: get",
                    "/configmaps: create delete get update",
                    "/persistentvolumeclaims: create delete",
                ],
                &[],
            ),
            ("kubernetes = { pod_disruption_budget = true }", &["policy/poddisruptionbudgets: create get"], &[]),
            ("kubernetes = { pod_disruption_budget = false }", &[], &[]),
            (
                "kubernetes = { autoscaler = { pause_pod_priority_class_name = \"idle\" } }",
                &["apps/deployments: create delete get list update"],
                &[],
            ),
            // Settings of pods require no permissions in addition to those for pods.
            ("kubernetes = { services = [{ name = \"postgres\" }] }", &[], &[]),
            ("kubernetes = { pull_policy = [\"always\"], allowed_pull_policies = [\"always\"] }", &[], &[]),
            (
                "kubernetes = { image_pull_secrets = [\"registry\"], use_service_account_image_pull_secrets = true }",
                &[],
                &[],
            ),
            ("kubernetes = { init_permissions_container_security_context = { run_as_user = 0 } }", &[], &[]),
            ("kubernetes = { service_account = \"jobs\", service_account_overwrite_allowed = \".*\" }", &[], &[]),
            ("kubernetes = { bearer_token_overwrite_allowed = true }", &[], &[]),
            ("kubernetes = { volumes = { pvc = [{ name = \"a\" }], secret = [{ name = \"b\" }] } }", &[], &[]),
            ("kubernetes = { pod_spec = [{ name = \"a\", patch = \"{}\" }] }", &[], &[]),
            (
                "kubernetes = { privileged = true, priority_class_name = \"jobs\", runtime_class_name = \"kata\" }",
                &[],
                &[],
            ),
        ];
        for (text, more, less) in cases {
            let expected = (owned(more), owned(less), false, false);
            assert_eq!(difference(text), expected, "{text}");
        }
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn cluster_scoped_kinds_have_no_namespace() {
        let namespaces = owned(&["/namespaces: create delete"]);
        let deployments = owned(&["apps/deployments: create delete get list update"]);
        let none = Vec::<String>::new;
        for (text, expected) in [
            ("kubernetes = { namespace_per_job = true }", (namespaces, none(), true, false)),
            ("kubernetes = { namespace_overwrite_allowed = \"ci-.*\" }", (none(), none(), true, false)),
            ("kubernetes = { autoscaler = { max_pause_pods = 1 } }", (deployments, none(), false, true)),
        ] {
            assert_eq!(difference(text), expected, "{text}");
        }
        let both = "feature_flags = { FF_SUSPENDABLE_ENVIRONMENTS = true }\nkubernetes = { namespace_per_job = true }";
        assert!(difference(both).0.contains(&"/namespaces: create delete get".to_owned()));
    }

    #[test]
    fn a_named_priority_class_need_not_be_made() {
        let config = toml::toml! { kubernetes = { autoscaler = { pause_pod_priority_class_name = "idle" } } };
        assert!(!needed(&config, RunnerVersion::DEFAULT).priority_classes);
        for name in ["", PAUSE_PODS] {
            let text = format!("kubernetes = {{ autoscaler = {{ pause_pod_priority_class_name = {name:?} }} }}");
            assert!(needed(&text.parse().unwrap(), RunnerVersion::DEFAULT).priority_classes, "{name:?}");
        }
    }

    #[test]
    fn scripts_were_in_a_config_map_before_15_8() {
        let config_maps = |version: (u16, u16), flags: &str| {
            let rules = formatted(&needed(&flags.parse().unwrap(), RunnerVersion::new(version.0, version.1)));
            let mut of_config_maps = rules.into_iter().filter(|rule| rule.starts_with("/configmaps"));
            (of_config_maps.next(), of_config_maps.next())
        };
        let right = Some("/configmaps: create delete get update".to_owned());
        for minor in 0..=7 {
            assert_eq!(config_maps((15, minor), ""), (right.clone(), None), "15.{minor}");
        }
        for version in [(15, 8), (15, 11), (16, 0), (17, 0), (18, 0), (18, 10), (19, 3)] {
            assert_eq!(config_maps(version, ""), (None, None), "{version:?}");
        }
        let legacy = "feature_flags = { FF_USE_LEGACY_KUBERNETES_EXECUTION_STRATEGY = true }";
        assert_eq!(config_maps((15, 0), legacy), (None, None));
        let suspendable = "feature_flags = { FF_SUSPENDABLE_ENVIRONMENTS = true }";
        assert_eq!(config_maps((15, 0), suspendable), (right, None));
    }
}
