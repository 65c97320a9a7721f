use serde_json::json;
use tfplugin::framework::AttributePath;

use super::*;
use crate::catalogue::RUNNER;
use crate::version::RunnerVersion;

const RELEASE: Release<'_> =
    Release { name: "gitlab-runner", namespace: "ci", values: None, app_version: "19.3.0", chart_version: "0.86.0" };

fn place(major: u16, minor: u16) -> Place {
    Place::strict(AttributePath::of("config_toml"), RunnerVersion::new(major, minor))
}

fn details(text: &str) -> Vec<String> {
    from_text(text, RELEASE, &place(19, 3))
        .map(|_| Vec::new())
        .unwrap_or_else(|findings| findings.into_iter().map(|f| f.detail).collect())
}

/// Reads the text as `runners.config` of a values file.
fn template(text: &str, first_line: Option<usize>) -> Result<Text, Vec<String>> {
    let place = Place { rules: Rules::Template, first_line, ..place(19, 3) };
    from_text(text, RELEASE, &place).map_err(|found| found.into_iter().map(|found| found.detail).collect())
}

fn runner(text: &str) -> toml::Table {
    template(text, None).unwrap().config.runner
}

#[test]
fn misspelt_keys_are_refused_with_a_suggestion() {
    let found = details(
        "[[runners]]\nlimits = 3\n[runners.kubernetes]\ncpu_requests = \"2\"\n[runners.docker]\nimage = \"x\"\n",
    );
    assert_eq!(
        found,
        [
            "line 5: runners.docker belongs to another executor, but this resource only supports the Kubernetes executor.",
            "line 4: GitLab Runner does not have the key runners.kubernetes.cpu_requests, and ignores it. Did you mean \"cpu_request\"?",
            "line 2: GitLab Runner does not have the key runners.limits, and ignores it. Did you mean \"limit\"?",
        ]
    );
    assert_eq!(
        details("[[runners]]\nconcurrent = 1\n[runners.kubernetes]\noutput_limit = 1\ntags = []\n"),
        [
            "line 2: concurrent belongs to the global section, above [[runners]]; here the runner ignores it.",
            "line 4: output_limit belongs to [[runners]]; here the runner ignores it.",
            "line 5: tags is set in GitLab, or with registration.tag_list and the like; the runner ignores it here.",
        ]
    );
}

#[test]
fn other_executor_is_a_single_error() {
    assert_eq!(
        details("[[runners]]\nexecutor = \"docker\"\n[runners.docker]\nimage = \"x\"\n[runners.machine]\n"),
        [
            "line 2: runners.executor is \"docker\", but this resource only supports the Kubernetes executor. Set it to \"kubernetes\", or remove the key."
        ]
    );
}

#[test]
fn template_keys_without_effect_are_warnings() {
    let text = "concurrent = 4\nnothing = 1\n[[runners]]\nprepare_timeouts = 1\ntoken = \"glrt-secret\"\nprepare_timeout = \"1m\"\n[runners.kubernetes]\nenvironment = []\n[runners.docker]\n";
    let read = template(text, Some(11)).unwrap();
    assert_eq!(read.config.runner, toml::toml! { prepare_timeout = "1m" kubernetes = {} });
    let remarks: Vec<String> = read
        .remarks
        .iter()
        .map(|remark| format!("{:?} {}: {}", remark.line.unwrap(), remark.key, remark.text))
        .collect();
    assert_eq!(
        remarks,
        [
            "11 concurrent: registration ignores keys before [[runners]]. The key of the values file is concurrent.",
            "12 nothing: GitLab Runner does not have the key nothing, and ignores it.",
            "19 runners.docker: runners.docker belongs to another executor, but this resource only supports the Kubernetes executor.",
            "18 runners.kubernetes.environment: environment belongs to [[runners]]; here the runner ignores it.",
            "14 runners.prepare_timeouts: GitLab Runner does not have the key runners.prepare_timeouts, and ignores it. Did you mean \"prepare_timeout\"?",
            "15 runners.token: the token of the configuration is not used, and is stored in the plan and the state with the values. Remove it. The token is runner_token_wo, or that of the Secret token_secret_name.",
        ]
    );
    assert_eq!(template("[[runners]]\nx = 1\n", None).unwrap().remarks[0].line, None);
}

#[test]
fn values_that_the_runner_replaces_are_no_errors() {
    let text = "[[runners]]\n[runners.kubernetes]\ndns_policy = \"ClusterFirst\"\n";
    let read = template(text, Some(4)).unwrap();
    assert_eq!(read.config.runner["kubernetes"], toml::Value::Table(toml::Table::new()));
    assert_eq!(
        read.remarks[0].text,
        "runners.kubernetes.dns_policy is \"ClusterFirst\". Use none, default, cluster-first or \
         cluster-first-with-host-net. GitLab Runner ignores any other string, and uses cluster-first."
    );
    assert!(details(text)[0].contains("dns_policy is \"ClusterFirst\""));
}

#[test]
fn patches_with_unknown_keys_alone_are_left_out() {
    let text = "[[runners]]\n[[runners.kubernetes.pod_spec]]\nspecs = \"x\"\n";
    let read = template(text, None).unwrap();
    assert_eq!(read.config.runner["kubernetes"].get("pod_spec"), None);
    assert_eq!(read.remarks.len(), 1);
    let kept = template(&format!("{text}[[runners.kubernetes.pod_spec]]\nname = \"a\"\n"), None).unwrap();
    assert_eq!(kept.config.runner["kubernetes"]["pod_spec"].as_array().unwrap().len(), 1);
}

#[test]
fn comments_with_expressions_are_read() {
    let read = template("[[runners]]\n# {{ include \"mine\" . }}\nlimit = 1 # {{ $x := 1 }}\n", None).unwrap();
    assert_eq!(read.config.runner["limit"].as_integer(), Some(1));
}

#[test]
fn invalid_template_keys_are_errors() {
    let found = template("[[runners]]\n[runners.kubernetes]\npod_annotations = [\"a: b\"]\n", Some(8)).unwrap_err();
    assert_eq!(
        found,
        [
            "line 10: runners.kubernetes.pod_annotations is a list, but must be a table of strings. Annotations of the pods."
        ]
    );
    let found = template("[[runners]]\n[[runners]]\n", None).unwrap_err();
    assert!(found[0].starts_with("runners.config, line 2: The text has 2 [[runners]] sections"), "{found:?}");
    let found = template("[[runners]]\na = {{ range .Values.x }}\n", None).unwrap_err();
    assert!(found[0].starts_with("runners.config, line 2: {{ range .Values.x }} cannot be evaluated."), "{found:?}");
    let found = template("[[runners]]\n%{ if true }\n", None).unwrap_err();
    assert!(found[0].contains("line 2: the text contains a template directive (%{ ... })"), "{found:?}");
    let found =
        template("[[runners]]\n[runners.kubernetes]\nvolumes = []\n[[runners.kubernetes.volumes.empty_dir]]\n", None)
            .unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    let found = template("[[runners]]\nlimit = 1\nlimit = 2\n", None).unwrap_err();
    assert!(found[0].starts_with("runners.config, line 3: limit is set twice."), "{found:?}");
}

#[test]
fn empty_text_counts_as_unset() {
    assert_eq!(
        runner("[[runners]]\nshell = \"\"\nunhealthy_interval = \"\"\n[runners.kubernetes]\nimage = \"\"\n"),
        toml::toml! { kubernetes = { image = "" } }
    );
}

#[test]
fn misplaced_key_is_named() {
    let found = details(
        "[[runners]]\n[runners.kubernetes]\n[runners.kubernetes.pod_annotations]\na = \"b\"\npull_policy = [\"always\"]\n",
    );
    assert_eq!(
        found,
        [
            "line 3: runners.kubernetes.pod_annotations.pull_policy is a list, but runners.kubernetes.pod_annotations is a table of strings. In TOML every key after [runners.kubernetes.pod_annotations] belongs to that table. Move keys of other tables before it."
        ]
    );
}

#[test]
fn wrong_types_are_refused() {
    let found = details(
        "[[runners]]\nunhealthy_interval = \"5 min\"\nenvironment = \"A=1\"\n[runners.cache]\nType = \"s4\"\n[runners.kubernetes]\npoll_timeout = \"300\"\nhost_aliases = [1]\n[runners.kubernetes.retry_limits]\nx = \"y\"\n",
    );
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(
        found.iter().any(|f| f.contains("runners.kubernetes.poll_timeout is a string, but must be a whole number."))
    );
    assert!(found.iter().any(|f| f.contains("runners.cache.Type is \"s4\". Use s3, gcs or azure.")));
}

#[test]
fn keys_newer_than_the_runner_are_refused() {
    let text = "[[runners]]\nprepare_timeout = \"1m\"\n";
    let found = from_text(text, RELEASE, &place(18, 9)).unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.starts_with(
        "line 2: runners.prepare_timeout was introduced in GitLab Runner 19.0, and runner 18.9 ignores it."
    ));
    assert!(from_text(text, RELEASE, &place(19, 0)).is_ok());
    let old = "[[runners]]\npre_clone_script = \"x\"\n[runners.kubernetes]\nterminationGracePeriodSeconds = 5\n";
    assert!(from_text(old, RELEASE, &place(16, 11)).is_ok());
    let found = from_text(old, RELEASE, &place(17, 0)).unwrap_err();
    assert_eq!(
        found[1].detail,
        "line 2: runners.pre_clone_script had its last effect in GitLab Runner 16.11, and runner 17.0 ignores it. Use pre_get_sources_script instead."
    );
}

#[test]
fn letter_case_of_keys_is_normalised() {
    let config = runner("[[runners]]\n[runners.cache]\ntype = \"s3\"\n[runners.cache.S3]\nbucketname = \"b\"\n");
    assert_eq!(config, toml::toml! { cache = { Type = "s3", s3 = { BucketName = "b" } } });
}

#[test]
fn choices_are_checked_as_in_gitlab_runner() {
    let text = "log_level = \"WARN\"\nlog_format = \"\"\n[[runners]]\nshell = \"\"\nprepare_timeout = \"\"\n\
                [runners.cache.s3]\nServerSideEncryption = \"aws:kms\"\nAuthenticationType = \"IAM\"\n\
                [runners.kubernetes]\npull_policy = [\"always\", \"\"]\n\
                [runners.kubernetes.build_container_security_context]\nproc_mount = \"unmasked\"\n";
    let config = from_text(text, RELEASE, &place(19, 3)).unwrap().config;
    assert_eq!(config.global, toml::toml! { log_level = "warn" });
    assert_eq!(
        config.runner,
        toml::toml! {
            cache = { s3 = { ServerSideEncryption = "aws:kms", AuthenticationType = "iam" } }
            [kubernetes]
            pull_policy = ["always", ""]
            build_container_security_context = { proc_mount = "Unmasked" }
        }
    );
    let found = details(
        "log_format = \"JSON\"\n[[runners]]\nexecutor = \"docker\"\n[runners.cache]\nType = \"S3\"\n[runners.kubernetes]\n\
         dns_policy = \"Cluster-First\"\nallowed_pull_policies = [\"always\", \"IfNotPresent\"]\n",
    );
    assert_eq!(
        found,
        [
            "line 1: log_format is \"JSON\". Use runner, text or json.",
            "line 5: runners.cache.Type is \"S3\". Use s3, gcs or azure.",
            "line 3: runners.executor is \"docker\", but this resource only supports the Kubernetes executor. Set it to \"kubernetes\", or remove the key.",
            "line 8: runners.kubernetes.allowed_pull_policies[1] is \"IfNotPresent\". Use never, if-not-present or always.",
            "line 7: runners.kubernetes.dns_policy is \"Cluster-First\". Use none, default, cluster-first or \
             cluster-first-with-host-net. GitLab Runner ignores any other string, and uses cluster-first.",
        ]
    );
}

#[test]
fn exactly_one_runners_section_is_allowed() {
    assert!(details("[[runners]]\n[[runners]]\n")[0].contains("2 [[runners]] sections"));
    assert!(details("concurrent = 1\n")[0].contains("not have a [[runners]] section"));
    assert!(details("[runners]\nname = \"x\"\n")[0].contains("must be written [[runners]]"));
}

#[test]
fn global_options_are_refused_in_templates() {
    let text = "concurrent = 4\n[[runners]]\n";
    let whole = from_text(text, RELEASE, &place(19, 3)).unwrap();
    assert_eq!(whole.config.global, toml::toml! { concurrent = 4 });
    assert_eq!(template(text, None).unwrap().config.global, toml::Table::new());
    let place = Place { rules: Rules::Override, ..place(19, 3) };
    assert_eq!(from_text(text, RELEASE, &place).unwrap().config.global, toml::toml! { concurrent = 4 });
}

#[test]
fn syntax_errors_name_the_line_without_the_text() {
    let found = details("[[runners]]\ntoken = glrt-secret\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("line 2: "), "{found:?}");
    assert!(!found[0].contains("secret"), "{found:?}");
}

#[test]
fn hcl_is_converted_and_errors_have_its_paths() {
    let version = RunnerVersion::new(19, 3);
    let object = json!({
        "tls_ca_file": "/ca.crt",
        "limit": null,
        "cache": { "type": "s3", "s3": { "bucket_name": "b", "server_side_encryption_key_id": "k" } },
        "kubernetes": { "cpu_request": 2, "poll_timeout": "300", "privileged": true, "pull_policy": ["always"] },
    });
    assert_eq!(
        from_hcl(&object, &RUNNER, version, AttributePath::of("config")).unwrap(),
        toml::toml! {
            tls-ca-file = "/ca.crt"
            [cache]
            Type = "s3"
            s3 = { BucketName = "b", ServerSideEncryptionKeyID = "k" }
            [kubernetes]
            cpu_request = "2"
            poll_timeout = 300
            privileged = true
            pull_policy = ["always"]
        }
    );
    let wrong = json!({ "kubernetes": { "volumes": { "empty_dir": [{ "name": "a" }, { "mount": "/x" }] } } });
    let found = from_hcl(&wrong, &RUNNER, version, AttributePath::of("config")).unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.contains("Did you mean \"mount_path\"?"));
    let path = AttributePath::dotted("config.kubernetes.volumes.empty_dir").index(1).attribute("mount");
    assert_eq!(found[0].path, path);
}

fn source(name: &'static str, runner: toml::Table) -> Source {
    Source { name, config: Config { runner, ..Config::default() } }
}

#[test]
fn equal_values_of_two_sources_are_merged() {
    let merged = merge(
        &[],
        &[
            source(
                "config",
                toml::toml! { environment = ["A=1"] kubernetes = { image = "x", volumes = { empty_dir = [{ name = "a", mount_path = "/a" }] } } },
            ),
            source(
                "docker_in_docker",
                toml::toml! { environment = ["B=2", "A=1"] kubernetes = { image = "x", volumes = { empty_dir = [{ name = "certs", mount_path = "/c" }] } } },
            ),
        ],
    );
    assert_eq!(
        merged.unwrap().runner,
        toml::toml! {
            environment = ["A=1", "B=2"]
            kubernetes = { image = "x", volumes = { empty_dir = [{ name = "a", mount_path = "/a" }, { name = "certs", mount_path = "/c" }] } }
        }
    );
}

#[test]
fn conflicting_sources_are_both_named() {
    let found = merge(
        &[],
        &[
            source("config", toml::toml! { environment = ["A=1"] kubernetes = { image = "x" } }),
            source("docker_in_docker", toml::toml! { environment = ["A=2"] kubernetes = { image = "y" } }),
        ],
    )
    .unwrap_err();
    let details: Vec<&str> = found.iter().map(|f| f.detail.as_str()).collect();
    assert_eq!(
        details,
        [
            "runners.environment.A is set by `config` and by `docker_in_docker`, with different values. Keep one of them.",
            "runners.kubernetes.image is set by `config` and by `docker_in_docker`, with different values. Keep one of them.",
        ]
    );
    assert!(found.iter().all(|f| f.path == AttributePath::of("docker_in_docker")));
}

#[test]
fn attributes_take_precedence_over_values() {
    let values =
        Config { runner: toml::toml! { limit = 1 environment = ["A=1", "B=1"] name = "v" }, ..Config::default() };
    let merged = merge(&[values], &[source("config", toml::toml! { limit = 2 environment = ["B=2"] })]);
    assert_eq!(merged.unwrap().runner, toml::toml! { limit = 2 environment = ["A=1", "B=2"] name = "v" });
}

mod round_trip;
