use serde_json::json;

use super::super::catalogue::RUNNER;
use super::super::finding::attribute;
use super::super::version::RunnerVersion;
use super::*;

const RELEASE: Release<'_> = Release { name: "gitlab-runner", namespace: "ci", job_namespace: None };

fn place(major: u16, minor: u16) -> Place {
    Place { path: attribute("config_toml"), version: RunnerVersion::new(major, minor) }
}

fn details(text: &str) -> Vec<String> {
    from_text(text, RELEASE, GlobalKeys::Allowed, &place(19, 3))
        .map(|_| Vec::new())
        .unwrap_or_else(|findings| findings.into_iter().map(|f| f.detail).collect())
}

fn runner(text: &str) -> toml::Table {
    from_text(text, RELEASE, GlobalKeys::Refused, &place(19, 4)).unwrap().runner
}

#[test]
fn misspelt_keys_are_refused_with_the_nearest_name() {
    let found = details(
        "[[runners]]\nlimits = 3\n[runners.kubernetes]\ncpu_requests = \"2\"\n[runners.docker]\nimage = \"x\"\n",
    );
    assert_eq!(
        found,
        [
            "runners.docker belongs to another executor. This resource runs jobs with the Kubernetes executor only; remove it.",
            "GitLab Runner knows no key runners.kubernetes.cpu_requests, and would ignore it without a word. Did you mean \"cpu_request\"?",
            "GitLab Runner knows no key runners.limits, and would ignore it without a word. Did you mean \"limit\"?",
        ]
    );
}

#[test]
fn wrong_types_are_refused() {
    let found = details(
        "[[runners]]\nunhealthy_interval = \"5 min\"\nenvironment = \"A=1\"\n[runners.cache]\nType = \"s4\"\n[runners.kubernetes]\npoll_timeout = \"300\"\nhost_aliases = [1]\n[runners.kubernetes.retry_limits]\nx = \"y\"\n",
    );
    assert_eq!(found.len(), 6, "{found:#?}");
    assert!(found.iter().any(|f| f.starts_with("runners.kubernetes.poll_timeout must be a whole number, not string.")));
    assert!(found.iter().any(|f| f.starts_with("runners.cache.Type is \"s4\". Use s3, gcs or azure.")));
}

#[test]
fn keys_newer_than_the_runner_are_refused() {
    let text = "[[runners]]\nprepare_timeout = \"1m\"\n";
    let found = from_text(text, RELEASE, GlobalKeys::Allowed, &place(18, 9)).unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(
        found[0].detail.starts_with("runners.prepare_timeout came with GitLab Runner 19.0, but the runner is 18.9")
    );
    assert!(from_text(text, RELEASE, GlobalKeys::Allowed, &place(19, 0)).is_ok());
    let old = "[[runners]]\npre_clone_script = \"x\"\n[runners.kubernetes]\nterminationGracePeriodSeconds = 5\n";
    assert!(from_text(old, RELEASE, GlobalKeys::Allowed, &place(16, 11)).is_ok());
    let found = from_text(old, RELEASE, GlobalKeys::Allowed, &place(17, 0)).unwrap_err();
    assert_eq!(
        found[1].detail,
        "runners.pre_clone_script had its last effect with GitLab Runner 16.11; the runner is 17.0, which ignores it without \
         a word. Write pre_get_sources_script instead."
    );
}

#[test]
fn letter_case_is_brought_in_order() {
    let config = runner("[[runners]]\n[runners.cache]\ntype = \"s3\"\n[runners.cache.S3]\nbucketname = \"b\"\n");
    assert_eq!(config, toml::toml! { cache = { Type = "s3", s3 = { BucketName = "b" } } });
}

#[test]
fn choices_are_what_the_runner_takes() {
    let text = "log_level = \"WARN\"\nlog_format = \"\"\n[[runners]]\nshell = \"\"\nprepare_timeout = \"\"\n\
                [runners.cache.s3]\nServerSideEncryption = \"aws:kms\"\nAuthenticationType = \"IAM\"\n\
                [runners.kubernetes]\npull_policy = [\"always\", \"\"]\n\
                [runners.kubernetes.build_container_security_context]\nproc_mount = \"unmasked\"\n";
    let config = from_text(text, RELEASE, GlobalKeys::Allowed, &place(19, 3)).unwrap();
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
            "log_format is \"JSON\". Use runner, text or json.",
            "runners.cache.Type is \"S3\". Use s3, gcs or azure.",
            "runners.executor is \"docker\", but jobs run with the Kubernetes executor only. Write \"kubernetes\", or leave \
             the key out.",
            "runners.kubernetes.allowed_pull_policies[1] is \"IfNotPresent\". Use never, if-not-present or always.",
            "runners.kubernetes.dns_policy is \"Cluster-First\". Use none, default, cluster-first or \
             cluster-first-with-host-net.",
        ]
    );
}

#[test]
fn one_runners_section() {
    assert!(details("[[runners]]\n[[runners]]\n")[0].contains("2 [[runners]] sections"));
    assert!(details("concurrent = 1\n")[0].contains("no [[runners]] section"));
    assert!(details("[runners]\nname = \"x\"\n")[0].contains("must be written [[runners]]"));
}

#[test]
fn global_options_only_where_they_are_allowed() {
    let text = "concurrent = 4\n[[runners]]\n";
    let config = from_text(text, RELEASE, GlobalKeys::Allowed, &place(19, 3)).unwrap();
    assert_eq!(config.global, toml::toml! { concurrent = 4 });
    let refused = from_text(text, RELEASE, GlobalKeys::Refused, &place(19, 3)).unwrap_err();
    assert!(refused[0].detail.contains("Set it with the attribute `concurrent`"), "{refused:?}");
}

#[test]
fn syntax_errors_tell_the_line_but_not_the_text() {
    let found = details("[[runners]]\ntoken = glrt-secret\n");
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("line 2: "), "{found:?}");
    assert!(!found[0].contains("secret"), "{found:?}");
}

#[test]
fn hcl_is_converted_and_checked_at_its_paths() {
    let version = RunnerVersion::new(19, 3);
    let object = json!({
        "tls_ca_file": "/ca.crt",
        "limit": null,
        "cache": { "type": "s3", "s3": { "bucket_name": "b", "server_side_encryption_key_id": "k" } },
        "kubernetes": { "cpu_request": 2, "poll_timeout": "300", "privileged": true, "pull_policy": ["always"] },
    });
    assert_eq!(
        from_hcl(&object, &RUNNER, version, attribute("config")).unwrap(),
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
    let found = from_hcl(&wrong, &RUNNER, version, attribute("config")).unwrap_err();
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.contains("Did you mean \"mount_path\"?"));
    use super::super::finding::PathStep::{Attribute, Index};
    let names = ["config", "kubernetes", "volumes", "empty_dir"].map(|name| Attribute(name.to_owned()));
    let path: Vec<_> = names.into_iter().chain([Index(1), Attribute("mount".to_owned())]).collect();
    assert_eq!(found[0].path, path);
}

fn source(name: &'static str, runner: toml::Table) -> Source {
    Source { name, config: Config { runner, ..Config::default() } }
}

#[test]
fn sources_that_agree_are_merged() {
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
fn sources_that_disagree_are_both_named() {
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
            "runners.environment.A is given by `config` and by `docker_in_docker`, with different values. Keep one of them.",
            "runners.kubernetes.image is given by `config` and by `docker_in_docker`, with different values. Keep one of them.",
        ]
    );
    assert!(found.iter().all(|f| f.path == attribute("docker_in_docker")));
}

#[test]
fn typed_sources_win_over_values() {
    let values =
        Config { runner: toml::toml! { limit = 1 environment = ["A=1", "B=1"] name = "v" }, ..Config::default() };
    let merged = merge(&[values], &[source("config", toml::toml! { limit = 2 environment = ["B=2"] })]);
    assert_eq!(merged.unwrap().runner, toml::toml! { limit = 2 environment = ["A=1", "B=2"] name = "v" });
}

mod round_trip;
