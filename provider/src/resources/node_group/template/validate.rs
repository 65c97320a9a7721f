//! Validates the attribute `template` without any request.

use tfplugin::framework::{AttributePath, Diagnostics, Set, Value};

use super::schema::{Kubelet, Metadata, Template};
use super::user_data::{Family, Problem, compose};
use super::{kubelet, parts, volumes};
use crate::resources::node_group::schema::NodeGroup;
use crate::resources::node_group::validate::given;
use crate::tags;

/// Checks the attribute `template`. Unknown values are assumed to be valid.
pub(in super::super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(template) = &config.template else { return };
    let path = AttributePath::of("template");
    let others = [
        ("launch_template", given(&config.launch_template), "Use only one of them."),
        ("disk_size", given(&config.disk_size), "Set root_volume of the template instead."),
        ("remote_access", given(&config.remote_access), "Set key_name and security_group_ids of the template instead."),
    ];
    for (name, is_given, advice) in others {
        if is_given == Some(true) {
            diagnostics.error(
                name,
                "Conflicting arguments",
                format!("EKS only accepts {name} for node groups without a template. {advice}"),
            );
        }
    }
    let family = Family::of(config.ami_type.as_str());
    if family == Family::Custom {
        let text = "A custom AMI (ami_type \"CUSTOM\") is set in a custom launch template: use launch_template.";
        diagnostics.error(path.clone(), "Conflicting arguments", text);
        return;
    }
    // An unknown AMI type can be of any family. For volumes, Amazon Linux 2 has the fewest restrictions.
    let family = if config.ami_type.is_unknown() { None } else { Some(family) };
    volumes::check(template, family.unwrap_or(Family::AmazonLinux2), &path, diagnostics);
    metadata(&template.metadata, &path.attribute("metadata"), diagnostics);
    groups(&template.security_group_ids, &path.attribute("security_group_ids"), diagnostics);
    instance_store(template, family, &path, diagnostics);
    mirrors(template, family, &path.attribute("registry_mirrors"), diagnostics);
    settings(&template.kubelet, family, &path.attribute("kubelet"), diagnostics);
    user_data(template, family, &path.attribute("user_data"), diagnostics);
    instance_tags(template, &path.attribute("instance_tags"), diagnostics);
}

fn metadata(metadata: &Value<Metadata>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let Value::Known(metadata) = metadata else { return };
    if let Some(tokens) = metadata.http_tokens.as_str()
        && !["required", "optional"].contains(&tokens)
    {
        let text = format!("{tokens:?} is not supported. Use \"required\" or \"optional\".");
        diagnostics.error(path.attribute("http_tokens"), "Invalid metadata options", text);
    }
    let Some(limit) = metadata.hop_limit.known().copied() else { return };
    if !(1..=64).contains(&limit) {
        let text = format!("The hop limit {limit} is not between 1 and 64.");
        diagnostics.error(path.attribute("hop_limit"), "Invalid metadata options", text);
    }
    let contradiction = match metadata.pods {
        Value::Known(true) if limit < 2 => "Pods need a hop limit of at least 2.",
        Value::Known(false) if limit > 1 => "With a hop limit above 1, pods can reach the service.",
        _ => return,
    };
    diagnostics.error(
        path.attribute("pods"),
        "Conflicting arguments",
        format!("{contradiction} Omit hop_limit or pods."),
    );
}

fn groups(groups: &Value<Set<String>>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    for id in groups.known().into_iter().flat_map(Set::iter).filter_map(Value::as_str) {
        if !id.starts_with("sg-") {
            let text = format!("{id:?} is not a security group ID, which begins with \"sg-\".");
            diagnostics.error(path.clone(), "Invalid security group ID", text);
        }
    }
}

fn instance_store(template: &Template, family: Option<Family>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let Some(strategy) = template.instance_store.as_str() else { return };
    let path = path.attribute("instance_store");
    if strategy != "raid0" {
        let text = format!("{strategy:?} is not supported for local disks. Use \"raid0\", or omit it.");
        diagnostics.error(path, "Invalid local disk strategy", text);
    } else if family.is_some_and(|family| !family.has_settings()) {
        diagnostics.error(path, OTHER_AMI, other_ami("instance_store"));
    }
}

const OTHER_AMI: &str = "Not supported by this AMI type";

fn other_ami(attribute: &str) -> String {
    format!("{attribute} is supported by Amazon Linux 2023 and Bottlerocket. With other AMI types use user_data.")
}

fn mirrors(template: &Template, family: Option<Family>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let Value::Known(mirrors) = &template.registry_mirrors else { return };
    if !mirrors.is_empty() && family.is_some_and(|family| !family.has_settings()) {
        diagnostics.error(path.clone(), OTHER_AMI, other_ami("registry_mirrors"));
    }
    for (host, urls) in mirrors {
        let path = path.key(host);
        if !is_host(host) {
            let text = format!(
                "{host:?} is not the host of a registry, for example \"docker.io\" or \"registry.example.com:5000\"."
            );
            diagnostics.error(path.clone(), "Invalid registry mirror", text);
        }
        let urls = match urls {
            Value::Known(urls) if !urls.is_empty() => urls,
            Value::Unknown => continue,
            _ => {
                diagnostics.error(path, "Invalid registry mirror", "Specify at least one mirror.");
                continue;
            }
        };
        for (index, url) in urls.iter().enumerate() {
            let Some(url) = url.as_str() else { continue };
            let parsed = url::Url::parse(url).ok().filter(|parsed| ["http", "https"].contains(&parsed.scheme()));
            // The URL is written into a shell script and into TOML.
            if parsed.is_none_or(|parsed| !parsed.has_host()) || url.contains(['\'', '"', '\\', '\n']) {
                let text = format!("{url:?} is not a URL, for example \"https://mirror.example.com\".");
                diagnostics.error(path.index(index), "Invalid registry mirror", text);
            }
        }
    }
}

/// Whether a text is a host with or without a port. It becomes the name of a directory, so that other characters are
/// not allowed.
fn is_host(host: &str) -> bool {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b".-:".contains(&byte);
    host == "_default" || (host.starts_with(|first: char| first.is_ascii_alphanumeric()) && host.bytes().all(valid))
}

fn settings(value: &Value<Kubelet>, family: Option<Family>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let Value::Known(kubelet) = value else { return };
    let settings = kubelet::given(value).unwrap_or_default();
    if !settings.is_empty() && family.is_some_and(|family| !family.has_settings()) {
        diagnostics.error(path.clone(), OTHER_AMI, other_ami("kubelet"));
    }
    if family == Some(Family::Bottlerocket) {
        for attribute in kubelet::not_of_bottlerocket(&settings) {
            diagnostics.error(
                path.attribute(attribute),
                OTHER_AMI,
                "Bottlerocket does not support this setting. Omit it.",
            );
        }
    }
    let bounds: [(&'static str, &Value<i64>, i64, i64); 8] = [
        ("max_pods", &kubelet.max_pods, 1, i64::from(i32::MAX)),
        ("image_gc_high_threshold_percent", &kubelet.image_gc_high_threshold_percent, 0, 100),
        ("image_gc_low_threshold_percent", &kubelet.image_gc_low_threshold_percent, 0, 100),
        ("max_parallel_image_pulls", &kubelet.max_parallel_image_pulls, 1, i64::from(i32::MAX)),
        ("registry_pull_qps", &kubelet.registry_pull_qps, 0, i64::from(i32::MAX)),
        ("registry_burst", &kubelet.registry_burst, 0, i64::from(i32::MAX)),
        ("container_log_max_files", &kubelet.container_log_max_files, 2, i64::from(i32::MAX)),
        ("pod_pids_limit", &kubelet.pod_pids_limit, -1, i64::MAX),
    ];
    for (attribute, value, least, most) in bounds {
        if value.known().is_some_and(|value| !(least..=most).contains(value)) {
            let range = if most == 100 { format!("{least} to {most}") } else { format!("at least {least}") };
            diagnostics.error(
                path.attribute(attribute),
                "Invalid kubelet setting",
                format!("The value must be {range}."),
            );
        }
    }
    if let (Some(low), Some(high)) =
        (kubelet.image_gc_low_threshold_percent.known(), kubelet.image_gc_high_threshold_percent.known())
        && low >= high
    {
        let text = format!("{low} must be less than image_gc_high_threshold_percent, which is {high}.");
        diagnostics.error(path.attribute("image_gc_low_threshold_percent"), "Invalid kubelet setting", text);
    }
    if kubelet.max_parallel_image_pulls.known().is_some_and(|pulls| *pulls > 1)
        && !matches!(kubelet.serialize_image_pulls, Value::Known(false) | Value::Unknown)
    {
        let text = "The kubelet does not start with more than one parallel pull unless serialize_image_pulls is false.";
        diagnostics.error(path.attribute("max_parallel_image_pulls"), "Invalid kubelet setting", text);
    }
    if let Some(policy) = kubelet.cpu_manager_policy.as_str()
        && !["none", "static"].contains(&policy)
    {
        let text = format!("{policy:?} is not supported. Use \"none\" or \"static\".");
        diagnostics.error(path.attribute("cpu_manager_policy"), "Invalid kubelet setting", text);
    }
}

fn user_data(template: &Template, family: Option<Family>, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let (Some(family), Some(parts)) = (family, parts(template)) else { return };
    if template.user_data.as_str().is_some_and(str::is_empty) {
        diagnostics.error(path.clone(), "Invalid user data", "It is empty. Omit it.");
        return;
    }
    match compose(&parts, family) {
        Err(problem @ Problem::SetTwice { .. }) => {
            diagnostics.error(path.clone(), "Conflicting arguments", problem.to_string());
        }
        Err(problem) => diagnostics.error(path.clone(), "Invalid user data", problem.to_string()),
        Ok(_) => {}
    }
}

fn instance_tags(template: &Template, path: &AttributePath, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::new();
    tags::validate(&template.instance_tags, &mut found);
    for problem in found {
        diagnostics.push(problem.at(path.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::RootVolume;
    use super::*;
    use crate::resources::node_group::schema::{LaunchTemplate, RemoteAccess};
    use crate::resources::node_group::validate::tests::minimal;
    use tfplugin::framework::value::Map;

    fn problems(template: Template, ami_type: Value<String>) -> Vec<String> {
        let mut diagnostics = Diagnostics::new();
        check(&NodeGroup { template: Value::Known(template), ami_type, ..minimal() }, &mut diagnostics);
        diagnostics.iter().map(|problem| format!("{}: {}", problem.path, problem.detail)).collect()
    }

    fn on_amazon_linux(template: Template) -> String {
        problems(template, Value::Null).into_iter().next().unwrap_or_default()
    }

    fn with_mirrors(host: &str, url: &str) -> Template {
        let urls = Value::Known(vec![url.into()]);
        Template { registry_mirrors: Value::Known(Map::from([(host.to_owned(), urls)])), ..Template::default() }
    }

    #[test]
    fn attributes_that_conflict_with_a_template() {
        let config = NodeGroup {
            template: Value::Known(Template::default()),
            launch_template: Value::Known(LaunchTemplate::default()),
            disk_size: 50.into(),
            remote_access: Value::Known(RemoteAccess::default()),
            ..minimal()
        };
        let mut diagnostics = Diagnostics::new();
        check(&config, &mut diagnostics);
        let paths: Vec<String> = diagnostics.iter().map(|problem| problem.path.to_string()).collect();
        assert_eq!(paths, ["launch_template", "disk_size", "remote_access"]);
        assert!(problems(Template::default(), "CUSTOM".into())[0].contains("use launch_template"));
    }

    #[test]
    fn metadata_options_do_not_contradict_each_other() {
        let of = |hop_limit: i64, pods: Value<bool>| {
            let metadata = Metadata { hop_limit: hop_limit.into(), pods, ..Metadata::default() };
            on_amazon_linux(Template { metadata: Value::Known(metadata), ..Template::default() })
        };
        assert_eq!((of(3, Value::Null), of(2, true.into()), of(1, false.into())), Default::default());
        assert!(of(1, true.into()).contains("at least 2") && of(2, false.into()).contains("above 1"));
        assert!(of(65, Value::Null).contains("between 1 and 64"));
    }

    #[test]
    fn mirrors_are_hosts_and_urls() {
        for (host, url) in [("docker.io", "https://mirror.example.com"), ("_default", "http://10.0.0.1:5000/v2/x")] {
            assert_eq!(on_amazon_linux(with_mirrors(host, url)), "");
        }
        assert!(on_amazon_linux(with_mirrors("https://docker.io", "https://m")).contains("not the host"));
        assert!(on_amazon_linux(with_mirrors("../etc", "https://m")).contains("not the host"));
        assert!(on_amazon_linux(with_mirrors("docker.io", "mirror.example.com")).contains("not a URL"));
        assert!(on_amazon_linux(with_mirrors("docker.io", "https://m/'; rm")).contains("not a URL"));
    }

    #[test]
    fn settings_belong_to_their_ami() {
        let store = || Template { instance_store: "raid0".into(), ..Template::default() };
        assert_eq!(on_amazon_linux(store()), "");
        assert_eq!(problems(store(), "BOTTLEROCKET_x86_64".into()), [""; 0]);
        assert!(problems(store(), "AL2_x86_64".into())[0].contains("Amazon Linux 2023 and Bottlerocket"));
        assert_eq!(problems(store(), Value::Unknown), [""; 0]);
        let pulls = Kubelet { serialize_image_pulls: false.into(), ..Kubelet::default() };
        let pulls = Template { kubelet: Value::Known(pulls), ..Template::default() };
        assert!(problems(pulls, "BOTTLEROCKET_x86_64".into())[0].starts_with("template.kubelet.serialize_image_pulls"));
    }

    #[test]
    fn a_kubelet_that_would_not_start() {
        let of = |kubelet: Kubelet| on_amazon_linux(Template { kubelet: Value::Known(kubelet), ..Template::default() });
        let thresholds = Kubelet {
            image_gc_high_threshold_percent: 70.into(),
            image_gc_low_threshold_percent: 80.into(),
            ..Kubelet::default()
        };
        assert!(of(thresholds).contains("must be less than"));
        assert!(
            of(Kubelet { max_parallel_image_pulls: 5.into(), ..Kubelet::default() }).contains("serialize_image_pulls")
        );
        assert!(of(Kubelet { container_log_max_files: 1.into(), ..Kubelet::default() }).contains("at least 2"));
    }

    #[test]
    fn user_data_have_the_form_of_their_ami() {
        let of = |text: &str, ami_type: &str| {
            problems(Template { user_data: text.into(), ..Template::default() }, ami_type.into())
                .pop()
                .unwrap_or_default()
        };
        assert_eq!(of("#!/bin/sh\n", "AL2023_x86_64_STANDARD"), "");
        assert!(of("echo", "AL2023_x86_64_STANDARD").contains("a shell script that begins with"));
        assert!(of("#!/bin/sh\n", "BOTTLEROCKET_x86_64").contains("in TOML"));
        assert!(of("", "AL2023_x86_64_STANDARD").contains("empty"));
        let small = Template {
            root_volume: Value::Known(RootVolume { size: 8.into(), ..RootVolume::default() }),
            ..Template::default()
        };
        assert!(on_amazon_linux(small).contains("20 GiB"));
    }
}
