//! Tables for the docs page, from the catalogue and from the list of the chart's keys.

use std::fmt::Write as _;

use gitlabspot_runner_config::catalogue::{GLOBAL, Kind, RUNNER, Table, entries};
use gitlabspot_runner_config::version::RunnerVersion;

use super::values::{KEYS, MapsTo};

/// Every key of config.toml: HCL path, TOML path, type, first version, meaning.
pub fn config_keys() -> String {
    let mut text = String::new();
    for (title, prefix, table) in [("Global section", "", &GLOBAL), ("`config`: `[[runners]]`", "runners.", &RUNNER)] {
        section(&mut text, title, prefix, table);
    }
    text
}

fn section(text: &mut String, title: &str, prefix: &str, table: &'static Table) {
    let _ =
        writeln!(text, "### {title}\n\n| attribute | in config.toml | type | since | meaning |\n|---|---|---|---|---|");
    for entry in entries(table) {
        let since = match entry.key.until {
            Some((last, _)) => format!("to {last}"),
            None if entry.since == RunnerVersion::ANY => String::new(),
            None => entry.since.to_string(),
        };
        let secret = if entry.key.sensitive { " Sensitive." } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | `{prefix}{}` | {} | {since} | {}{secret} |",
            entry.hcl_path,
            entry.toml_path,
            hcl_type(entry.key.kind),
            entry.key.about
        );
    }
    text.push('\n');
}

fn hcl_type(kind: Kind) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Choice(choice) => format!("string: {}", choice.of.join(", ")),
        Kind::Integer | Kind::Float => "number".to_owned(),
        Kind::Flag => "bool".to_owned(),
        Kind::Duration => "duration".to_owned(),
        Kind::Timestamp => "RFC 3339 time".to_owned(),
        Kind::Texts => "list of string".to_owned(),
        Kind::Choices(choice) | Kind::ChoiceOrChoices(choice) => format!("list of string: {}", choice.of.join(", ")),
        Kind::Integers | Kind::Floats => "list of number".to_owned(),
        Kind::TextMap => "map of string".to_owned(),
        Kind::FlagMap => "map of bool".to_owned(),
        Kind::IntegerMap => "map of number".to_owned(),
        Kind::Table(_) => "object".to_owned(),
        Kind::Tables(_) => "list of object".to_owned(),
    }
}

/// Every key of the chart's values: what becomes of it, or why not.
pub fn values_keys() -> String {
    let mut text = "| key of the chart | here |\n|---|---|\n".to_owned();
    for key in KEYS {
        let here = match key.maps_to {
            MapsTo::Attribute(to) | MapsTo::Global(to) => format!("`{to}`"),
            MapsTo::Special(what) => what.to_owned(),
            MapsTo::Nothing(why) => format!("no effect: {why}"),
            MapsTo::Older(to) => {
                format!("no effect: older charts read it; in `runners.config` it is `{to}` below `[[runners]]`")
            }
        };
        let _ = writeln!(text, "| `{}` | {here} |", key.path);
    }
    text
}

/// What remains to be done after an apply that was killed.
pub const KILLED: &str = "\
The state is written when an operation ends. If the first apply is killed, there is no state, and some objects may exist. \
The next apply continues with these objects and deletes those that it does not require any more, including those in the \
namespace of the jobs and cluster-scoped ones, if it is allowed to list them. A destroy instead of that apply does not know \
the objects: apply once before it, or import the release by `namespace/name` and destroy it then. A namespace that the \
killed apply created may remain.";

/// Where the objects differ from what chart 0.86.0 makes of the same values, on purpose.
pub const DIFFERENCES: &[&str] = &[
    "With an authentication token and runner 18.10 or newer, config.toml is complete and refers to the token as \
     `$CI_SERVER_TOKEN`. Nothing is registered or verified at start, and `REGISTER_LOCKED` and `RUNNER_TAG_LIST` are not set.",
    "A pod that registered itself unregisters when it is terminated, after its last job. The preStop hook of the chart \
     unregisters before the jobs have finished.",
    "A container that restarts in the same pod keeps its registration while GitLab knows it.",
    "A startup probe waits for the registration and `preEntrypointScript`, for up to 10 minutes. A pod that is not registered \
     is not ready. The readiness probe runs every 10 seconds without an initial delay, so that a working manager is ready at \
     once; with the chart the first probe runs after 60 seconds.",
    "The default security context of the pod has the seccomp profile `RuntimeDefault`, which a namespace with the Pod Security \
     Standard `restricted` requires.",
    "The liveness probe only fails if the manager does not run or GitLab does not know the runner any more. The probe of the \
     chart also fails if GitLab cannot be reached.",
    "`checksum/secrets` covers every Secret in use, including those of the cache, of certificates and existing ones. That of \
     the chart only covers the Secret that the chart creates.",
    "`checksum/service-account` covers the annotations of the service account, so that a change of its IAM role replaces the \
     pods.",
    "An existing token Secret requires one of its two keys. The chart waits forever if one of them is missing.",
    "The Role contains the permissions that the configuration requires. That of the chart allows everything in the core group \
     and nothing else.",
    "The names of a ClusterRole and its binding start with the namespace, so that releases with the same name in two \
     namespaces do not conflict.",
    "`SESSION_SERVER_ADDRESS` is only set if the session server requires it.",
    "The metrics port only exists if metrics are enabled.",
    "ServiceMonitor and PodMonitor select the namespace of the manager. A monitor that cannot find anything is an error.",
    "The ServiceMonitor selects its Service by `app` and `release`, as the Service selects its pods, and not by the version of \
     the chart.",
    "The unused volume `runner-secrets` does not exist, and the volume of the certificates follows the configuration directory \
     if the pod runs as root.",
    "The Ingress has a namespace and labels, and requires an enabled session server.",
    "The autoscaler uses autoscaling/v2, has labels, and requires at least one metric.",
    "`job_namespace` is part of config.toml, not of `KUBERNETES_NAMESPACE`.",
    "The objects have the label `app.kubernetes.io/managed-by: gitlabspot`.",
    "The scripts are those of this provider, and the ConfigMap has four additional files for them: `check-registration`, \
     `check-started`, `export-secrets` and `settings`. The configuration files contain the same keys, sorted.",
    "Without `image.tag` the image is that of `runner_version`, by default 19.3.0. The image of the chart is that of its \
     version, 18.9.0.",
];

/// How a release of Helm is adopted.
pub const ADOPTION: &str = "\
`tofu import`, or an `import` block, adopts a release that Helm 3 or 4 installed from the official chart. The import does \
not change anything. The next apply takes over the fields that Helm manages, and deletes the objects that only the chart \
has and the annotations and records of Helm. It lists other objects of the release, such as `extraObjects`, and keeps them. \
Helm does not know the release afterwards.

The manager pods are kept if nothing changes for the manager that runs in them: the plan compares the pod, the keys of \
config.toml, the options of the registration, the files of the ConfigMap and the token with the configuration, and shows \
either that the pods are kept or the fields that differ. To keep them, configure the values that the release has (`helm get \
values` shows them, and the plan lists keys that are missing in the configuration) and set `runner_version` to the version \
that runs, which the chart selects. The following differences are ignored, because they do not affect a running manager:

- the checksums of the chart, its labels `chart` and `heritage`, and a first value of `restart_on`; the checksum of a service \
account whose annotations are the same;
- the preStop hook `unregister --all-runners`, which runs when the pod is terminated;
- the variable `SESSION_SERVER_ADDRESS` without a value, the variables that only the registration reads \
(`REGISTER_LOCKED`, `RUNNER_TAG_LIST`, `KUBERNETES_NAMESPACE`), the volume `runner-secrets`, the port of disabled metrics, and \
`optional` of the token Secret;
- the startup probe, settings of the readiness probe if both have their defaults, and the default seccomp profile;
- a `runner_name` if the release has none, spelling and order, and fields of the pod that others than Helm manage.

Such a pod template is preserved, with the annotation `gitlabspot.io/template-hash` on the Deployment, and managed like any other. \
Its scripts are already those of this provider: they are used by a container that restarts in the same pod. The first change that \
requires new pods, of the configuration, a token, a Secret in use or `restart_on`, replaces the complete template. A preserved \
preStop hook then runs a last time, and removes the runner of the terminated pod from GitLab before its last jobs have finished, \
as every termination of a pod under Helm does. The pods of a release with a session server are always replaced.";

#[cfg(test)]
mod tests {
    use super::super::schema::RunnerRelease;
    use super::*;
    use tfplugin::framework::Object;
    use tfplugin::framework::schema::Kind as AttributeKind;

    #[test]
    fn every_key_has_its_line() {
        let config = config_keys();
        assert!(
            config.contains("| `cache.s3.bucket_name` | `runners.cache.s3.BucketName` | string |  | The bucket. |\n")
        );
        assert!(
            config.contains(
                "| `kubernetes.volumes.nfs.server` | `runners.kubernetes.volumes.nfs.server` | string | 19.0 |"
            )
        );
        let keys = entries(&GLOBAL).len() + entries(&RUNNER).len();
        assert_eq!(config.lines().filter(|line| line.starts_with("| `")).count(), keys);
        assert_eq!(values_keys().lines().count(), KEYS.len() + 2);
    }

    /// What is between the first two backticks of the second column, if it is an attribute.
    fn attribute(line: &str) -> Option<&str> {
        let here = line.split(" | ").nth(1)?;
        ["`", "part of `"].iter().find_map(|begin| here.strip_prefix(begin)?.split('`').next())
    }

    #[test]
    fn values_become_attributes_that_exist() {
        let table = values_keys();
        let schema = RunnerRelease::attributes();
        let mut count = 0;
        for line in table.lines().skip(2) {
            let Some(path) = attribute(line) else { continue };
            count += 1;
            if let Some(key) = path.strip_prefix("config.") {
                assert!(entries(&RUNNER).iter().any(|entry| entry.hcl_path == key), "{line}: there is no {key}");
                continue;
            }
            let mut attributes = Some(&schema);
            for name in path.split('.') {
                let among = attributes.unwrap_or_else(|| panic!("{line}: nothing is below"));
                let found = among.iter().find(|attribute| attribute.name == name);
                attributes = match &found.unwrap_or_else(|| panic!("{line}: there is no {name}")).kind {
                    AttributeKind::Nested(_, below) => Some(below),
                    AttributeKind::Plain(_) => None,
                };
            }
        }
        assert!(count > 130, "{count}");
    }

    #[test]
    fn nothing_breaks_a_table() {
        for line in config_keys().lines().filter(|line| line.starts_with("| `")) {
            assert_eq!(line.matches(" | ").count(), 4, "{line}");
        }
        for line in values_keys().lines() {
            assert!(line.matches('|').count() == 3, "{line}");
        }
    }
}
