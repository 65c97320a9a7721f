//! Tables for the docs page, from the catalogue and from the list of the chart's keys.

use std::fmt::Write as _;

use super::catalogue::{GLOBAL, Kind, RUNNER, Table, entries};
use super::values::{Becomes, KEYS};
use super::version::RunnerVersion;

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
        let here = match key.becomes {
            Becomes::Attribute(to) => shown(to),
            Becomes::Global(to) => format!("`{to}`"),
            Becomes::Special(what) => what.to_owned(),
            Becomes::Nothing(why) => format!("no effect: {why}"),
            Becomes::Older(to) => {
                format!("no effect: older charts read it; in `runners.config` it is `{to}` below `[[runners]]`")
            }
        };
        let _ = writeln!(text, "| `{}` | {here} |", key.path);
    }
    text
}

/// An attribute as users write it.
fn shown(to: &str) -> String {
    match to {
        // Terraform has a block of this name of its own.
        "lifecycle" => "`container_lifecycle`".to_owned(),
        _ if to.starts_with("image_parts.") => "part of `image`".to_owned(),
        _ => format!("`{to}`"),
    }
}

/// What remains to be done after the worst.
pub const KILLED: &str = "\
A state is written when an operation ends. A first apply that is killed outright has none, while some objects are there \
already. The next apply takes them over, and removes those that it does not want any more, also in the jobs' namespace and \
of the whole cluster, as far as it may list them. A destroy in its place knows of nothing to remove: apply once before it, \
or import the release by `namespace/name` and destroy it then. A namespace that the killed run made may be left then.";

/// Where the objects differ from what chart 0.86.0 makes of the same values, on purpose.
pub const DIFFERENCES: &[&str] = &[
    "With an authentication token and runner 18.10 or newer, config.toml is complete and refers to the token by \
     `$CI_SERVER_TOKEN`; nothing is registered or verified at start, and `REGISTER_LOCKED` and `RUNNER_TAG_LIST` are \
     not in the environment.",
    "A pod that registered itself unregisters when it ends, after its last job; the chart's preStop hook does so before the \
     jobs have ended.",
    "A container that starts again in the same pod keeps its registration, as long as GitLab knows it.",
    "A startup probe waits for the registration and `preEntrypointScript`, for 10 minutes at most. A pod that has not \
     registered is not ready, and the readiness probe, each 10 seconds from the start, makes a manager that works ready at \
     once; the chart's first success comes after 60 seconds.",
    "The pod's default security context has the seccomp profile `RuntimeDefault`, without which a namespace that enforces \
     the Pod Security Standard `restricted` rejects the pod.",
    "The liveness probe fails only when the manager does not run or GitLab no longer knows the runner; the chart's also \
     fails when GitLab is away.",
    "`checksum/secrets` covers every Secret in use, the cache's, the certificates' and foreign ones included; the chart's \
     never changes for a Secret that it did not make.",
    "`checksum/service-account` covers the annotations of the service account, so that pods are replaced when its IAM role is \
     another one.",
    "A foreign token Secret needs one of its two keys; the chart waits for ever when either is missing.",
    "The Role holds what the configuration needs; the chart's allows everything in the core group and nothing beyond it.",
    "A ClusterRole and its binding have the namespace before their name, so that releases of one name in two namespaces do \
     not meet.",
    "`SESSION_SERVER_ADDRESS` is there only when a session server needs it.",
    "The metrics port is there only when metrics are enabled.",
    "ServiceMonitor and PodMonitor look in the manager's namespace, and an attribute for a monitor that could find nothing is an error.",
    "The ServiceMonitor selects its Service by `app` and `release`, as the Service does its pods, and not by the chart's version.",
    "The unused volume `runner-secrets` is not there, and the certificates' volume follows the configuration folder when \
     the pod runs as root.",
    "The Ingress has namespace and labels, and belongs to an enabled session server.",
    "The autoscaler is always autoscaling/v2, has labels, and needs at least one metric.",
    "`job_namespace` is written to config.toml, never to `KUBERNETES_NAMESPACE`.",
    "Objects carry `app.kubernetes.io/managed-by: gitlabspot`.",
    "The scripts are this provider's own, and the ConfigMap has four more files for them: `check-registration`, \
     `check-started`, `export-secrets` and `settings`. The files of the configuration hold the same keys, sorted.",
    "Without `image.tag` it is the image of `runner_version`, 19.3.0 by default; the chart's is that of its own version, \
     18.9.0.",
];

/// How a release of Helm becomes ours.
pub const ADOPTION: &str = "\
`tofu import`, or an `import` block, of a release that Helm 3 or 4 installed from the official chart makes nothing anew. \
The import changes nothing; the apply after it takes over the fields that Helm wrote, removes what only the chart has, \
Helm's annotations and its records, and names what else the release brought, such as `extraObjects`, which it leaves as \
it is. From then on Helm does not know the release.

The manager's pods stay when nothing changes for the manager that runs in them: the plan compares the pod, the keys of \
config.toml, the options of the registration, the files of the ConfigMap and the token with what the configuration asks \
for, and says either that the pods stay or in which fields they differ. For them to stay, give what Helm was given \
(`helm get values` tells it, and the plan names the keys of which the configuration has nothing) and, as \
`runner_version`, the version that runs, which the chart chose by its own. The \
following is no difference, because a running manager knows nothing of it:

- the checksums of the chart, its labels `chart` and `heritage`, and a first value of `restart_on`; of a service account \
whose annotations are the same, their checksum;
- the preStop hook `unregister --all-runners`: it acts when the pod ends;
- the variable `SESSION_SERVER_ADDRESS` without a value, the variables that only the registration reads \
(`REGISTER_LOCKED`, `RUNNER_TAG_LIST`, `KUBERNETES_NAMESPACE`), the volume `runner-secrets`, the port of metrics that are \
off, and `optional` for the token's Secret;
- the startup probe, times of the readiness probe where both have their defaults, and the default seccomp profile;
- a `runner_name` where the release had none, spelling and order, and what others than Helm wrote into the pod.

Such a pod template is kept as it was found, with the annotation `gitlabspot.io/stands-for` on the Deployment, and is \
looked after like any other. Its scripts are ours already: they serve a container that starts again in the same pod. The \
first change that needs new pods, of the configuration, a token, a Secret in use or `restart_on`, replaces the whole \
template by this provider's, once. A kept preStop hook acts a last time then, and takes the runner of the ending pod out \
of GitLab before its last jobs have ended, as at every stop of a pod under Helm. A release with a session server gets new \
pods in any case.";

#[cfg(test)]
mod tests {
    use super::super::schema::RunnerRelease;
    use super::*;
    use crate::framework::Object;
    use crate::framework::schema::Kind as AttributeKind;

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
