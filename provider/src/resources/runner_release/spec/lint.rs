//! Checks that need more than one part of a release.

use serde_json::Value as Json;
use tfplugin::framework::{AttributePath, Diagnostic};
use toml::{Table, Value};

use super::super::schema::RunnerReleaseSettings;
use super::TokenKind;
use super::rules::feature_flag;

/// A scale-up from zero takes two to four minutes until the node is ready.
const SCALE_UP_SECONDS: i64 = 240;

/// Default of `poll_timeout` in the runner.
const DEFAULT_POLL_TIMEOUT: i64 = 180;

pub(super) fn runner(runner: &Table, settings: &RunnerReleaseSettings) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    if runner.contains_key("token") {
        findings.push(
            Diagnostic::error(
                "Token in the runner's configuration",
                "The configuration contains a token, \
             which would be stored in the plan, the state and a ConfigMap. Remove it and set runner_token_wo, or \
             token_secret_name for an existing Secret.",
            )
            .at(AttributePath::of("config")),
        );
    }
    let empty = Table::new();
    let kubernetes = runner.get("kubernetes").and_then(Value::as_table).unwrap_or(&empty);
    if settings.build_nodes.is_some() {
        let timeout = kubernetes.get("poll_timeout").and_then(Value::as_integer);
        if timeout.unwrap_or(DEFAULT_POLL_TIMEOUT) < SCALE_UP_SECONDS {
            findings.push(
                Diagnostic::warning(
                    "Jobs may time out before a node is ready",
                    format!(
                        "poll_timeout is {} s, but a node group that is scaled to 0 needs two to four minutes for its \
                     first node. A job fails before it starts. Set poll_timeout to 300 or more.",
                        timeout.unwrap_or(DEFAULT_POLL_TIMEOUT)
                    ),
                )
                .at(AttributePath::dotted("config.kubernetes.poll_timeout")),
            );
        }
    }
    if kubernetes.contains_key("pod_spec") && !feature_flag(runner, "FF_USE_ADVANCED_POD_SPEC_CONFIGURATION") {
        findings.push(Diagnostic::warning("Pod patches not enabled", "pod_spec has no effect without the feature flag FF_USE_ADVANCED_POD_SPEC_CONFIGURATION. Set it to true in \
             feature_flags.").at(AttributePath::dotted("config.kubernetes.pod_spec")));
    }
    findings.extend(cache(runner.get("cache").and_then(Value::as_table).unwrap_or(&empty), settings));
    findings
}

fn cache(cache: &Table, settings: &RunnerReleaseSettings) -> Vec<Diagnostic> {
    let s3 = cache.get("s3").and_then(Value::as_table);
    let has = |name: &str| s3.and_then(|s3| s3.get(name)).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    let mut findings = Vec::new();
    if has("AccessKey") && settings.cache_secret_name.is_some() {
        findings.push(
            Diagnostic::error(
                "Duplicate key",
                "Both `cache_secret_name` and the configuration contain \
            credentials of the cache. Keep `cache_secret_name`.",
            )
            .at(AttributePath::of("cache_secret_name")),
        );
    }
    if has("AccessKey") && !has("ServerAddress") && !has("AuthenticationType") {
        findings.push(
            Diagnostic::error(
                "Cache credentials would be ignored",
                "Without server_address the runner \
             ignores access_key and secret_key, and uses the AWS credential chain of its pod. Set server_address = \
             \"s3.amazonaws.com\", or authentication_type = \"access-key\".",
            )
            .at(AttributePath::dotted("config.cache.s3.server_address")),
        );
    }
    if has("SecretKey") {
        findings.push(
            Diagnostic::warning(
                "Secret in the runner's configuration",
                "secret_key is stored in the plan, the state and a ConfigMap. Store both keys in a Secret, for example \
                 with gitlabspot_runner_credentials, and set cache_secret_name to its name.",
            )
            .at(AttributePath::dotted("config.cache.s3.secret_key")),
        );
    }
    if s3.is_some() && settings.cache_secret_name.is_some() && !has("ServerAddress") && !has("AuthenticationType") {
        findings.push(
            Diagnostic::warning(
                "Cache credentials may be ignored",
                "Without server_address or \
             authentication_type the runner ignores the keys in the Secret. Set authentication_type = \"access-key\" \
             in the s3 section of the cache.",
            )
            .at(AttributePath::of("cache_secret_name")),
        );
    }
    findings
}

/// Returns an error for options that only a registration with a registration token can set.
pub(super) fn registration(kind: TokenKind, settings: &RunnerReleaseSettings) -> Vec<Diagnostic> {
    let (TokenKind::Authentication, Some(given)) = (kind, &settings.registration) else { return Vec::new() };
    let reserved = [
        ("tag_list", given.tag_list.as_ref().is_some_and(|tags| !tags.is_empty())),
        ("run_untagged", given.run_untagged.is_some()),
        ("locked", given.locked.is_some()),
        ("access_level", given.access_level.is_some()),
        ("maximum_timeout", given.maximum_timeout.is_some()),
    ];
    let reserved: Vec<&str> = reserved.into_iter().filter_map(|(name, is_set)| is_set.then_some(name)).collect();
    if reserved.is_empty() {
        return Vec::new();
    }
    vec![
        Diagnostic::error(
            "Option is reserved with an authentication token",
            format!(
                "{} cannot be set here: the runner of an authentication token (glrt-...) was created in GitLab, which \
             stores these settings. Set them in GitLab and remove them here.",
                reserved.join(", ")
            ),
        )
        .at(AttributePath::of("registration")),
    ]
}

pub(super) fn objects(settings: &RunnerReleaseSettings) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let on = |enabled: Option<Option<bool>>| enabled.flatten() == Some(true);
    let metrics = on(settings.metrics.as_ref().map(|metrics| metrics.enabled));
    let service = on(settings.service.as_ref().map(|service| service.enabled));
    let service_monitor = on(settings.service_monitor.as_ref().map(|monitor| monitor.enabled));
    let pod_monitor = on(settings.pod_monitor.as_ref().map(|monitor| monitor.enabled));
    let mut needs = |name: &'static str, what: &str| {
        findings.push(
            Diagnostic::error(
                "Nothing to scrape",
                format!("{name} is enabled without {what}, so that there is nothing to scrape. Enable {what} as well."),
            )
            .at(AttributePath::of(name)),
        );
    };
    if service && !metrics {
        needs("service", "metrics");
    }
    if service_monitor && !(metrics && service) {
        needs("service_monitor", if metrics { "service" } else { "metrics" });
    }
    if pod_monitor && !metrics {
        needs("pod_monitor", "metrics");
    }
    if let Some(hpa) = &settings.hpa {
        if hpa.metrics.as_ref().is_none_or(Vec::is_empty) {
            findings.push(
                Diagnostic::error(
                    "Missing autoscaler metrics",
                    "hpa requires at least one metric. Specify it in metrics.",
                )
                .at(AttributePath::dotted("hpa.metrics")),
            );
        }
        findings
            .extend(hpa.metrics.iter().flatten().enumerate().filter_map(|(index, metric)| of_old_api(index, metric)));
        if hpa.max_replicas.is_some_and(|max| max < hpa.min_replicas.unwrap_or(1)) {
            findings.push(
                Diagnostic::error("Invalid autoscaler bounds", "max_replicas is less than min_replicas.")
                    .at(AttributePath::dotted("hpa.max_replicas")),
            );
        }
    }
    if let Some(budget) = &settings.pod_disruption_budget
        && budget.min_available.is_some() == budget.max_unavailable.is_some()
    {
        findings.push(
            Diagnostic::error("Invalid disruption budget", "Set exactly one of min_available and max_unavailable.")
                .at(AttributePath::of("pod_disruption_budget")),
        );
    }
    findings
}

/// Returns an error for a metric in the form of `autoscaling/v2beta1`, which Kubernetes 1.25 removed.
fn of_old_api(index: usize, metric: &Json) -> Option<Diagnostic> {
    let kind = metric.get("type")?.as_str()?;
    let field = format!("{}{}", kind.get(..1)?.to_lowercase(), kind.get(1..)?);
    let source = metric.get(&field)?;
    let old = ["metricName", "metricSelector", "targetAverageValue", "targetValue", "targetAverageUtilization"];
    let found: Vec<&str> = old.into_iter().filter(|name| source.get(name).is_some()).collect();
    if found.is_empty() {
        return None;
    }
    let name = source.get("metricName").or(source.get("name")).and_then(Json::as_str).unwrap_or("NAME");
    let named = if kind == "Resource" { format!("name: {name}") } else { format!("metric: {{ name: {name} }}") };
    let target = match source.get("targetAverageUtilization") {
        Some(percent) => format!("{{ type: Utilization, averageUtilization: {percent} }}"),
        None => {
            let amount = source.get("targetAverageValue").or(source.get("targetValue")).map(Json::to_string);
            format!("{{ type: AverageValue, averageValue: {} }}", amount.unwrap_or_else(|| "AMOUNT".to_owned()))
        }
    };
    Some(Diagnostic::error("Metric of a removed API", format!(
            "metrics[{index}] contains {}, which Kubernetes removed with autoscaling/v2beta1. Use {field}: {{ {named}, \
             target: {target} }}.",
            found.join(" and ")
        )).at(AttributePath::dotted("hpa.metrics")))
}
