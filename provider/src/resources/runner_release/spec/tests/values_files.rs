//! Typical values files. The first line of each one contains its outcome.

use super::*;

/// The outcome of a file.
enum Comes<'a> {
    /// There is no warning about its keys.
    Quietly,
    /// One warning about its keys contains all of these texts.
    Warned(&'a [&'a str]),
    /// One error contains all of these texts.
    Refused(&'a [&'a str]),
}

use Comes::{Quietly, Refused, Warned};
use TokenKind::{Authentication, Registration};

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("../../testdata/values/", $name, ".yaml"))
    };
}

fn resolved(text: &'static str, existing_secret: Option<TokenKind>) -> Result<Resolved, Vec<Diagnostic>> {
    resolve(Given {
        typed: RunnerReleaseSettings::default(),
        values: &[text],
        token: None,
        existing_secret,
        is_migration: false,
    })
}

#[test]
fn each_file_has_the_outcome_of_its_first_line() {
    let legacy = "charts before 0.53 read it";
    let unknown = "does not have this key and ignores it";
    for (text, existing, comes) in [
        (file!("01-secret-with-registration-token"), Some(Registration), Quietly),
        (file!("02-secret-with-tags"), Some(Registration), Quietly),
        (
            file!("02-secret-with-tags"),
            Some(Authentication),
            Warned(&["line 5, runners.tags", "line 6, runners.runUntagged", "line 7, runners.locked"]),
        ),
        (file!("03-empty-legacy-maps"), None, Quietly),
        (
            file!("04-filled-legacy-builds"),
            None,
            Warned(&["memory_request in [runners.kubernetes]", "helper_cpu_limit", legacy]),
        ),
        (file!("05-legacy-cache-keys"), None, Warned(&["Type in [runners.cache]", "BucketName in [runners.cache.s3]"])),
        (
            file!("06-legacy-runner-keys"),
            None,
            Warned(&[
                "pull_policy",
                "node_selector",
                "poll_timeout",
                "output_limit in [[runners]]",
                "request_concurrency",
                "clone_url",
                "service_account",
            ]),
        ),
        (file!("07-image-as-text"), None, Quietly),
        (
            file!("08-pod-fields-in-container-context"),
            None,
            Warned(&["line 5, securityContext.fsGroup", "podSecurityContext"]),
        ),
        (file!("09-umbrella"), None, Quietly),
        (file!("10-umbrella-alias"), None, Quietly),
        (file!("11-log-level-warn"), None, Quietly),
        (file!("12-environment-cache"), None, Quietly),
        (file!("13-environment-executor"), None, Quietly),
        (file!("14-tag-of-chart"), None, Quietly),
        (file!("15-template-of-values"), None, Quietly),
        (file!("16-merge-key"), None, Quietly),
        (file!("17-yaml-1-1"), None, Quietly),
        (file!("18-quoted-numbers"), None, Quietly),
        (file!("19-newer-chart"), None, Warned(&["line 7, runners.cache.disableGlobalCredentialsExport"])),
        (file!("20-config-override"), None, Refused(&["2 [[runners]] sections", "gitlabspot_runner_release for each"])),
        (
            file!("21-globals-in-config"),
            None,
            Warned(&["line 6, concurrent", "line 7, listen_address", "metrics.enabled"]),
        ),
        (file!("22-url-with-slash"), None, Quietly),
        (file!("23-url-in-config-alone"), None, Quietly),
        (
            file!("24-privileged-beside-config"),
            None,
            Warned(&["line 5, runners.privileged", "so that jobs are not privileged"]),
        ),
        (
            file!("25-registration-token-as-runner-token"),
            None,
            Refused(&["registration token", "registration_token_wo"]),
        ),
        (
            file!("26-authentication-token-as-registration-token"),
            None,
            Warned(&["line 3, runnerRegistrationToken", "authentication token"]),
        ),
        (file!("27-service-without-metrics"), None, Warned(&["line 5, service.enabled"])),
        (file!("28-monitor-without-service"), None, Warned(&["line 7, metrics.serviceMonitor.enabled"])),
        (file!("29-hpa-of-old-api"), None, Refused(&["metricName", "averageValue"])),
        (file!("30-pod-security-policy"), None, Warned(&["line 7, rbac.podSecurityPolicy.enabled", "1.25"])),
        (file!("31-rbac-of-old-charts"), None, Quietly),
        (file!("32-never-a-key"), None, Warned(&["line 4, persistentVolumes", "line 7, logging", unknown])),
        (file!("33-misspelt"), None, Warned(&["line 4, unregisterRunner", "Did you mean unregisterRunners?", unknown])),
        (
            file!("34-config-at-top-level"),
            None,
            Warned(&["line 4, tags", "runners.tags", "line 5, config", "runners.config"]),
        ),
        (
            file!("35-key-of-one-level-up"),
            None,
            Warned(&["line 8, ", "environment belongs to [[runners]]", "output_limit belongs to [[runners]]"]),
        ),
        (file!("36-annotations-as-list"), None, Refused(&["line 8: ", "pod_annotations is a list"])),
        (file!("37-empty-text"), None, Quietly),
        (file!("38-tags-as-list"), None, Quietly),
        (file!("39-encrypted"), None, Refused(&["SOPS"])),
        (
            file!("40-secret-and-token"),
            Some(Registration),
            Warned(&["runnerRegistrationToken", "runners.secret is used"]),
        ),
    ] {
        let title = text.lines().next().unwrap();
        match (comes, resolved(text, existing)) {
            (Refused(parts), Err(errors)) => {
                assert_eq!(errors.len(), 1, "{title}: {errors:#?}");
                assert!(title.contains("error"), "{title}");
                for part in parts {
                    assert!(errors[0].detail.contains(part), "{title}: no {part:?} in {}", errors[0].detail);
                }
            }
            (comes, Ok(resolved)) => {
                assert!(title.starts_with("# passes"), "{title}");
                let about_parts = |finding: &&Diagnostic| finding.summary == "Settings of a values file have no effect";
                let warnings: Vec<&str> =
                    resolved.warnings.iter().filter(about_parts).map(|one| one.detail.as_str()).collect();
                match comes {
                    Quietly => assert_eq!(warnings, [""; 0], "{title}"),
                    Warned(parts) => {
                        assert_eq!(warnings.len(), 1, "{title}: {warnings:?}");
                        for part in parts {
                            assert!(warnings[0].contains(part), "{title}: no {part:?} in {}", warnings[0]);
                        }
                    }
                    Refused(_) => unreachable!("{title} passes"),
                }
            }
            (_, Err(errors)) => unreachable!("{title}: {errors:#?}"),
        }
    }
}

#[test]
fn values_have_the_meaning_of_helm() {
    let spec = |text, existing| resolved(text, existing).unwrap().spec;
    let first = spec(file!("01-secret-with-registration-token"), Some(Registration));
    assert_eq!(
        (first.token.name.as_str(), first.token.kind, first.token.owned),
        ("runner-secret", Registration, false)
    );
    let Start::Register(registration) = spec(file!("02-secret-with-tags"), Some(Registration)).start else {
        unreachable!()
    };
    assert_eq!(
        (registration.tag_list, registration.run_untagged, registration.locked),
        (vec!["spot".to_owned(), "linux".to_owned()], true, false)
    );
    assert_eq!(spec(file!("05-legacy-cache-keys"), None).cache_secret_name.as_deref(), Some("s3access"));
    let image = spec(file!("07-image-as-text"), None);
    assert_eq!(image.pod.image, "registry.example.com/gitlab-runner:alpine-v19.3.0");
    let contexts = spec(file!("08-pod-fields-in-container-context"), None).pod;
    assert_eq!(
        contexts.pod_security_context,
        json!({ "runAsUser": 100, "fsGroup": 65533, "supplementalGroups": [1000] })
    );
    assert_eq!(contexts.security_context["runAsUser"], 100);
    assert_eq!(spec(file!("09-umbrella"), None).config.global["concurrent"].as_integer(), Some(4));
    assert_eq!(spec(file!("11-log-level-warn"), None).config.global["log_level"].as_str(), Some("warn"));
    let environment = spec(file!("12-environment-cache"), None).config.runner;
    assert_eq!(environment["cache"]["s3"]["BucketName"].as_str(), Some("example-cache"));
    assert_eq!(environment["kubernetes"]["privileged"].as_bool(), Some(true));
    assert_eq!(
        spec(file!("14-tag-of-chart"), None).pod.image,
        "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v19.3.0"
    );
    let template = spec(file!("15-template-of-values"), None).config.runner;
    assert_eq!(template["clone_url"].as_str(), Some("https://gitlab.example.com/"));
    assert_eq!(template["request_concurrency"].as_integer(), Some(6));
    assert_eq!(
        json!(spec(file!("16-merge-key"), None).settings.resources),
        json!({ "requests": { "cpu": "50m", "memory": "64Mi" }, "limits": { "memory": "256Mi" } })
    );
    let yaml = spec(file!("17-yaml-1-1"), None);
    assert_eq!(yaml.settings.volumes.as_ref().unwrap()[0]["secret"]["defaultMode"], 256);
    assert_eq!(yaml.settings.volume_mounts.as_ref().unwrap()[0]["readOnly"], true);
    assert!(yaml.roles.is_some());
    assert_eq!(spec(file!("23-url-in-config-alone"), None).gitlab_url, "https://gitlab.example.com/");
    assert_eq!(spec(file!("24-privileged-beside-config"), None).config.runner["kubernetes"].get("privileged"), None);
    let token = spec(file!("26-authentication-token-as-registration-token"), None);
    assert_eq!((token.token.kind, token.start), (Authentication, Start::WholeConfig));
    assert_eq!(spec(file!("27-service-without-metrics"), None).service, None);
    assert_eq!(spec(file!("28-monitor-without-service"), None).service_monitor, None);
    let rules = spec(file!("31-rbac-of-old-charts"), None).roles.unwrap().rules;
    assert_eq!((rules.len(), rules[0].resources.len(), rules[0].verbs.len()), (1, 3, 6));
    let Start::Register(registration) = spec(file!("38-tags-as-list"), None).start else { unreachable!() };
    assert_eq!(registration.tag_list, ["spot", "linux"]);
    let secret = resolved(file!("40-secret-and-token"), Some(Registration)).unwrap();
    assert!(secret.token.is_none() && !secret.spec.token.owned);
}

#[test]
fn all_errors_are_reported_at_once() {
    let text = "runnerToken: GR1348941-x\nrunners:\n  executor: docker\n  config: |\n    [[runners]]\n      shell = 'fish'\n    [[runners]]\nhpa: {minReplicas: 1}\nconcurrent: many\n";
    let typed = typed(json!({ "config": { "nothing": 1 }, "gitlab_url": "gitlab.com" }));
    let given = Given { typed, values: &[text], ..Given::default() };
    let errors = resolve(given).unwrap_err();
    let of_hpa = errors.iter().find(|error| error.detail.contains("hpa")).unwrap();
    assert_eq!(of_hpa.path.steps().len(), 2, "{of_hpa:?}");
    assert!(of_hpa.detail.starts_with("line 8: "), "{of_hpa:?}");
    assert_eq!(errors.len(), 8, "{errors:#?}");
}

fn details(text: &'static str, typed: serde_json::Value, token: Option<TokenKind>) -> (Vec<String>, String) {
    let given = Given { typed: super::typed(typed), values: &[text], token, ..Given::default() };
    match resolve(given) {
        Ok(resolved) => (Vec::new(), resolved.warnings.into_iter().map(|found| found.detail).collect()),
        Err(errors) => (errors.into_iter().map(|found| found.detail).collect(), String::new()),
    }
}

#[test]
fn attributes_win_over_tokens_of_files() {
    let url = json!({ "gitlab_url": "https://gitlab.com/" });
    let (errors, warnings) = details("runnerToken: GR1348941-x\n", url.clone(), Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 1, runnerToken: the token of the attribute is used"), "{warnings}");
    let (errors, warnings) = details("runners: {secret: s}\n", url.clone(), Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 1, runners.secret: the token of the attribute is used"), "{warnings}");
    let secret = json!({ "gitlab_url": "https://gitlab.com/", "token_secret_name": "mine" });
    let (errors, warnings) = details("runnerToken: glrt-x\nrunners: {secret: s}\n", secret, None);
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 2, runners.secret: the Secret of token_secret_name is used"), "{warnings}");
    let (errors, warnings) = details("runnerToken: glrt-x\nrunnerRegistrationToken: x\n", url, None);
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 2, runnerRegistrationToken: it has no effect beside"), "{warnings}");
}

#[test]
fn ignored_cache_keys_in_a_file_are_no_errors() {
    let config = "runners:\n  cache: {secretName: s}\n  config: |\n    [[runners]]\n    executor = 'docker'\n    [runners.docker]\n    [runners.cache]\n    Type = 's3'\n    [runners.cache.s3]\n    AccessKey = 'a'\n    SecretKey = 'b'\n";
    let url = json!({ "gitlab_url": "https://gitlab.com/" });
    let (errors, warnings) = details(config, url, Some(Authentication));
    assert_eq!(errors, [""; 0]);
    for part in
        ["line 5, runners.executor", "line 6, runners.docker", "Without server_address", "Keep `cache_secret_name`"]
    {
        assert!(warnings.contains(part), "{part}: {warnings}");
    }
}

/// Returns the namespace of jobs, the namespace of the Role, and the details of the warnings.
fn job_namespaces(text: &'static str) -> (Option<String>, Option<String>, String) {
    let typed = super::typed(json!({ "gitlab_url": "https://gitlab.com/" }));
    let given = Given { typed, values: &[text], token: Some(Authentication), ..Given::default() };
    let Resolved { spec, warnings, .. } = resolve(given).unwrap();
    let jobs = spec.config.runner["kubernetes"].get("namespace").and_then(toml::Value::as_str).map(str::to_owned);
    let details: Vec<_> = warnings.into_iter().map(|found| found.detail).collect();
    (jobs, spec.roles.map(|roles| roles.namespace), details.join("\n"))
}

#[test]
fn job_namespace_is_used_as_by_the_chart() {
    let both = |name: &str| (Some(name.to_owned()), Some(name.to_owned()));
    let (jobs, role, warnings) = job_namespaces("rbac: {create: true}\nrunners: {jobNamespace: jobs}\n");
    assert_eq!(((jobs, role), warnings.as_str()), (both("jobs"), ""), "the default of runners.config refers to it");
    let (jobs, role, warnings) = job_namespaces(
        "rbac: {create: true}\nrunners:\n  jobNamespace: jobs\n  config: |\n    [[runners]]\n    [runners.kubernetes]\n    namespace = '{{ default .Release.Namespace .Values.runners.jobNamespace }}'\n",
    );
    assert_eq!(((jobs, role), warnings.as_str()), (both("jobs"), ""));
    let (jobs, role, warnings) = job_namespaces(
        "rbac: {create: true}\nrunners:\n  jobNamespace: jobs\n  config: |\n    [[runners]]\n    limit = 3\n",
    );
    assert_eq!((jobs, role), both("gitlab-runner"), "the chart sets KUBERNETES_NAMESPACE for such a text");
    assert!(warnings.contains("line 3, runners.jobNamespace: jobs run in gitlab-runner"), "{warnings}");
}

#[test]
fn cache_keys_in_variables_are_no_errors() {
    let url = json!({ "gitlab_url": "https://gitlab.com/" });
    let text = "extraEnv:\n  CACHE_TYPE: s3\n  CACHE_S3_ACCESS_KEY: a\n  CACHE_S3_SECRET_KEY: b\n";
    let (errors, warnings) = details(text, url.clone(), Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 3, extraEnv.CACHE_S3_ACCESS_KEY: Without server_address"), "{warnings}");
    let text = "runners: {cache: {secretName: s}}\nenvVars:\n- {name: CACHE_S3_ACCESS_KEY, value: a}\n- {name: CACHE_S3_SERVER_ADDRESS, value: s3.amazonaws.com}\n";
    let (errors, warnings) = details(text, url, Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 2, envVars: Both `cache_secret_name` and"), "{warnings}");
}

#[test]
fn placeholders_are_no_addresses() {
    for (url, is_placeholder) in
        [("${gitlab_url}", true), ("<your-url>", true), ("$GITLAB_URL", true), ("GITLAB_URL", false), ("%URL%", true)]
    {
        let typed = json!({ "gitlab_url": url });
        let (errors, _) = details("concurrent: 1\n", typed, Some(Authentication));
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].contains("is a placeholder"), is_placeholder, "{errors:?}");
        assert_eq!(errors[0].contains("https://"), !is_placeholder || errors[0].contains("such as"), "{errors:?}");
    }
}

#[test]
fn kind_of_an_unread_secret_is_not_claimed() {
    let warnings = |existing| -> String {
        let resolved = resolved(file!("02-secret-with-tags"), existing).unwrap();
        resolved.warnings.into_iter().map(|found| found.detail).collect()
    };
    let unread = warnings(None);
    assert!(unread.contains("line 5, runners.tags: with a registration token in the Secret "), "{unread}");
    assert!(
        warnings(Some(Authentication)).contains("line 5, runners.tags: it has no effect with an authentication token")
    );
}

#[test]
fn account_of_the_chart_is_used() {
    let url = json!({ "gitlab_url": "https://gitlab.com/" });
    let text = "rbac:\n  create: true\n  serviceAccountName: mine\n";
    let (errors, warnings) = details(text, url.clone(), Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(warnings.contains("line 3, rbac.serviceAccountName: "), "{warnings}");
    let text = "rbac:\n  create: true\n  generatedServiceAccountName: mine\nserviceAccount: {create: true}\n";
    let (_, warnings) = details(text, url.clone(), Some(Authentication));
    assert!(warnings.contains("line 3, rbac.generatedServiceAccountName: "), "{warnings}");
    let account = |text: &'static str| {
        let typed = super::typed(json!({ "gitlab_url": "https://x" }));
        let given = Given { typed, values: &[text], token: Some(Authentication), ..Given::default() };
        resolve(given).unwrap().spec.service_account.name
    };
    assert_eq!(account(text), "gitlab-runner");
    let text = "rbac: {create: true, generatedServiceAccountName: mine}\n";
    assert_eq!(details(text, url, Some(Authentication)).1, "");
    assert_eq!(account(text), "mine");
}

#[test]
fn values_of_several_runners_are_an_error() {
    let text = "small:\n  gitlabUrl: https://gitlab.com/\nlarge:\n  gitlabUrl: https://gitlab.com/\n";
    let (errors, _) = details(text, json!({}), Some(Authentication));
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("several runners: large and small") && errors[0].contains("[\"large\"]"), "{errors:?}");
}

#[test]
fn session_server_is_omitted_as_by_the_chart() {
    let url = json!({ "gitlab_url": "https://gitlab.com/" });
    let text = "replicas: 2\nsessionServer:\n  enabled: true\n  publicIP: 192.0.2.1\n";
    let (errors, warnings) = details(text, url, Some(Authentication));
    assert_eq!(errors, [""; 0]);
    assert!(
        warnings.contains("line 3, sessionServer.enabled: the chart does not create a session server"),
        "{warnings}"
    );
    let typed = json!({ "gitlab_url": "https://gitlab.com/", "session_server": { "enabled": true } });
    assert_eq!(details("replicas: 2\n", typed, Some(Authentication)).0.len(), 1);
}
