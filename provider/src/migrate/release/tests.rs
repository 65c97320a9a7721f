use super::*;
use crate::migrate::tests::expected;

const GUIDE: &str = include_str!("../../resources/runner_release/testdata/guide-values.yaml");

fn input(text: &str) -> Input {
    let file = File { name: "values.yaml".to_owned(), text: text.to_owned() };
    Input { files: vec![file], name: NAME.to_owned(), namespace: NAME.to_owned(), runner_version: None }
}

/// The HCL and the report for a values file.
fn migrated(text: &str, links: &Links) -> (String, String) {
    let mut project = Project::default();
    parse(input(text)).unwrap().write(links, &mut project);
    let files = project.files();
    let hcl = files.iter().filter(|(name, _)| *name != "migrate.md").map(|(_, text)| text.as_str()).collect();
    (hcl, files.iter().find(|(name, _)| *name == "migrate.md").unwrap().1.clone())
}

#[test]
fn values_of_the_guide_become_attributes() {
    let (hcl, report) = migrated(GUIDE, &Links::default());
    let (_, release) = hcl.split_once("\n# The import keeps the version").unwrap();
    let expected = expected("release/testdata/guide.tf");
    assert_eq!(format!("# The import keeps the version{release}"), expected);
    assert!(report.contains("values.yaml:6, `runnerRegistrationToken`: left out."), "{report}");
    assert!(!report.contains("XXXXX") && !report.contains("no counterpart"), "{report}");
}

#[test]
fn other_resources_are_referenced() {
    let links = Links {
        bucket: Some(("your-cache-bucket".to_owned(), "gitlabspot_cache_bucket.c".to_owned())),
        credentials: Some(("gitlab-runner-s3-access".to_owned(), "gitlabspot_runner_credentials.c".to_owned())),
    };
    let (hcl, _) = migrated(GUIDE, &links);
    assert!(hcl.contains("bucket_name         = gitlabspot_cache_bucket.c.bucket\n"), "{hcl}");
    assert!(hcl.contains("cache_secret_name = gitlabspot_runner_credentials.c.secret_name\n"), "{hcl}");
    assert!(hcl.contains("credentials = gitlabspot_runner_credentials.c.secret_hash\n"), "{hcl}");
}

#[test]
fn secrets_are_omitted_and_named() {
    let text = "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-very-secret-0\nsentryDsn: https://very-secret-1@sentry.io/1\n\
        extraEnv: {DB_PASSWORD: very-secret-2, MODE: fast}\npreEntrypointScript: |\n  export VAULT_TOKEN=very-secret-3\n  true\n\
        runners:\n  config: |\n    [[runners]]\n      environment = [\"A=b\", \"NPM_TOKEN=very-secret-4\"]\n      \
        pre_build_script = \"git clone https://me:very-secret-5@example.com/x\"\n      [runners.cache]\n        Type = \"s3\"\n        \
        [runners.cache.s3]\n          ServerAddress = \"s3.amazonaws.com\"\n          AccessKey = \"very-secret-6\"\n          SecretKey = \"very-secret-7\"\n          BucketName = \"b\"\n      \
        [runners.kubernetes]\n        [[runners.kubernetes.services]]\n          name = \"db\"\n          environment = [\"POSTGRES_PASSWORD=very-secret-8\"]\n";
    let (hcl, report) = migrated(text, &Links::default());
    assert!(!hcl.contains("very-secret") && !report.contains("very-secret"), "{hcl}\n{report}");
    for line in [
        "MODE        = \"fast\"",
        "environment = [\"A=b\", \"NPM_TOKEN=${var.gitlab_runner_config_environment_npm_token}\"]",
        "runner_token_wo         = var.runner_token",
        "sentry_dsn = var.gitlab_runner_sentry_dsn",
        "access_key     = var.gitlab_runner_config_cache_s3_access_key",
        "pre_entrypoint_script = var.gitlab_runner_pre_entrypoint_script",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    for line in [
        "values.yaml:2, `runnerToken`",
        "values.yaml:4, `DB_PASSWORD`",
        "values.yaml:11, `NPM_TOKEN`",
        "values.yaml:18, `SecretKey`",
        "`POSTGRES_PASSWORD`",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn several_runners_are_several_releases() {
    let text = "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-0123456789\nconcurrent: 4\nrunners:\n  configOverride: |\n    \
        concurrent = 7\n    [[runners]]\n      name = \"small\"\n      executor = \"kubernetes\"\n      token = \"glrt-very-secret\"\n      \
        [runners.kubernetes]\n        cpu_request = \"1\"\n    [[runners]]\n      name = \"Large Jobs\"\n      executor = \"kubernetes\"\n      \
        [runners.kubernetes]\n        cpu_request = \"8\"\n    [[runners]]\n      executor = \"kubernetes\"\n";
    let (hcl, report) = migrated(text, &Links::default());
    for line in [
        "resource \"gitlabspot_runner_release\" \"gitlab_runner\"",
        "resource \"gitlabspot_runner_release\" \"gitlab_runner_large_jobs\"",
        "resource \"gitlabspot_runner_release\" \"gitlab_runner_3\"",
        "name                    = \"gitlab-runner-large-jobs\"",
        "runner_token_wo         = var.runner_token_gitlab_runner_large_jobs",
        "cpu_request = \"8\"",
        "concurrent = 7",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    assert_eq!(hcl.matches("import {").count(), 1);
    assert!(!hcl.contains("very-secret") && !report.contains("very-secret"));
    assert!(report.contains("`gitlabspot_runner_release.gitlab_runner_3` is created"), "{report}");
}

#[test]
fn keys_without_effect_are_listed_by_line() {
    let text = "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-0123456789\nreplicaz: 2\nrunners:\n  builds: {cpuRequests: '1'}\n";
    let (_, report) = migrated(text, &Links::default());
    assert!(report.contains("values.yaml:3: replicaz:"), "{report}");
    assert!(report.contains("values.yaml:5, `runners.builds.cpuRequests`: charts before 0.53 read it."), "{report}");
    assert!(!report.contains("stored in the plan"), "{report}");
}

#[test]
fn invalid_values_files_are_refused() {
    for (text, why) in [
        ("- a\n", "values.yaml: Not a values file: this is a list"),
        ("a: [", "not valid YAML"),
        (
            "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-0123456789\nreplicas: two\n",
            "values.yaml: Invalid value in a values file: line 3: replicas",
        ),
        ("runnerToken: glrt-0123456789\n", "Missing or invalid GitLab URL"),
        ("one: {gitlabUrl: x}\ntwo: {gitlabUrl: y}\n", "values of several runners"),
    ] {
        let message = parse(input(text)).unwrap_err().to_string();
        assert!(message.contains(why), "{text:?}: {message}");
        assert!(!message.contains("0123456789"), "{message}");
    }
}
