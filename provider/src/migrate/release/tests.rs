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
        "values.yaml:3, `sentryDsn`",
        "values.yaml:4, `DB_PASSWORD`",
        "values.yaml:5, `preEntrypointScript`",
        "values.yaml:11, `NPM_TOKEN`",
        "values.yaml:18, `SecretKey`",
        "values.yaml:18: Secret in the runner's configuration: secret_key is stored",
        "values.yaml:23, `POSTGRES_PASSWORD`",
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
    for line in [
        "`gitlabspot_runner_release.gitlab_runner_3` is created: a release has one [[runners]], and the values have 3.",
        "create a runner in GitLab for `gitlabspot_runner_release.gitlab_runner_large_jobs`, and set the variable \
         runner_token_gitlab_runner_large_jobs to its authentication token.",
        "values.yaml:10, `token`: left out. The runner reads the token of the release",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert_eq!(report.matches("to the token of the release").count(), 1, "{report}");
}

#[test]
fn keys_without_effect_are_listed_by_line() {
    let text = "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-0123456789\nreplicaz: 2\nrunners:\n  builds: {cpuRequests: '1'}\n";
    let (_, report) = migrated(text, &Links::default());
    assert!(report.contains("values.yaml:3, `replicaz`:"), "{report}");
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
        ("gitlabUrl: gitlab.com\nrunnerToken: glrt-0123456789\n", "must start with https://"),
        ("apiVersion: v1\nkind: ConfigMap\n", "values.yaml: Not a values file: it is a manifest of kind ConfigMap"),
        ("one: {gitlabUrl: x}\ntwo: {gitlabUrl: y}\n", "values of several runners"),
    ] {
        let message = parse(input(text)).unwrap_err().to_string();
        assert!(message.contains(why), "{text:?}: {message}");
        assert!(!message.contains("0123456789"), "{message}");
    }
}

/// The names of the resources with several `[[runners]]`.
fn names(sections: &[&str]) -> Vec<String> {
    let sections: String = sections.iter().map(|name| format!("    [[runners]]\n      name = \"{name}\"\n")).collect();
    let text = format!("gitlabUrl: https://gitlab.com/\nrunners:\n  config: |\n{sections}");
    let (hcl, _) = migrated(&text, &Links::default());
    let name = |line: &str| Some(line.strip_prefix("  name ")?.trim().strip_prefix("= ")?.trim_matches('"').to_owned());
    hcl.lines().filter_map(name).collect()
}

#[test]
fn releases_have_distinct_and_valid_names() {
    assert_eq!(names(&["a", "a", "a"]), ["gitlab-runner", "gitlab-runner-a", "gitlab-runner-a-2"]);
    assert_eq!(names(&["a", "раннер"]), ["gitlab-runner", "gitlab-runner-2"]);
    assert!(names(&["a", &"x".repeat(80)]).iter().all(|name| name.len() <= 53));
}

#[test]
fn new_releases_have_a_token_of_their_own() {
    let text = "gitlabUrl: https://gitlab.com/\nrunners:\n  secret: s\n  config: |\n    [[runners]]\n      name = \"a\"\n    [[runners]]\n      name = \"b\"\n";
    let (hcl, report) = migrated(text, &Links::default());
    assert_eq!(hcl.matches("token_secret_name").count(), 1, "{hcl}");
    assert!(hcl.contains("runner_token_wo         = var.runner_token_gitlab_runner_b\n"), "{hcl}");
    assert!(report.contains("set the variable runner_token_gitlab_runner_b to its authentication token"), "{report}");
}

const SECRETS: &str = r#"gitlabUrl: https://gitlab.com/
runnerRegistrationToken: glrt-very-secret-0
podAnnotations: {token: very-secret-1, note: x}
extraEnv: {DB_PASS: very-secret-2, SLACK_WEBHOOK_URL: 'https://example.com/very-secret-3', SSH_KEY_PATH: /k/id, AUTHOR: ann}
configMaps:
  creds.json: '{"password":"very-secret-4"}'
  plain.txt: hello
runners:
  config: |
    [[runners]]
      environment = ["MYSQL_PWD=very-secret-5", "KEYBOARD=de", "JWT=$OTHER", "AUTH=Basic very-secret-6"]
      pre_build_script = "curl -u admin:very-secret-7 https://example.com"
      post_build_script = "docker login -u ci -p $CI_REGISTRY_PASSWORD"
      [runners.kubernetes.pod_annotations]
        "vault/token" = "very-secret-8"
      [[runners.kubernetes.pod_spec]]
        name = "p"
        patch = '''{"containers":[{"name":"build","env":[{"name":"DB_PASSWORD","value":"very-secret-9"}]}]}'''
      [[runners.kubernetes.services]]
        name = "db"
        command = ["serve", "--password", "very-secret-10"]
      [[runners.kubernetes.container_lifecycle.pre_stop.http_get.http_headers]]
        name = "Authorization"
        value = "very-secret-11"
"#;

#[test]
fn secrets_are_recognised_in_every_part() {
    let (hcl, report) = migrated(SECRETS, &Links::default());
    assert!(!hcl.contains("very-secret") && !report.contains("very-secret"), "{hcl}\n{report}");
    for line in [
        "AUTHOR            = \"ann\"",
        "SSH_KEY_PATH      = \"/k/id\"",
        "\"MYSQL_PWD=${var.gitlab_runner_config_environment_mysql_pwd}\"",
        "\"KEYBOARD=de\"",
        "\"JWT=$OTHER\"",
        "post_build_script = \"docker login -u ci -p $CI_REGISTRY_PASSWORD\"",
        "\"plain.txt\"  = \"hello\"",
        "note  = \"x\"",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    for line in [
        "values.yaml:2, `runnerRegistrationToken`",
        "values.yaml:3, `token`",
        "values.yaml:4, `DB_PASS`",
        "values.yaml:4, `SLACK_WEBHOOK_URL`",
        "values.yaml:6, `creds.json`",
        "values.yaml:11, `MYSQL_PWD`",
        "values.yaml:11, `AUTH`",
        "values.yaml:12, `pre_build_script`",
        "values.yaml:15, `vault/token`",
        "values.yaml:18, `patch`",
        "values.yaml:21, `password`",
        "values.yaml:24, `Authorization`",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn url_of_gitlab_can_be_a_variable() {
    for text in ["concurrent: 2\n", "gitlabUrl: ${gitlab_url}\n", "runners: {config: '[[runners]]'}\n", ""] {
        let (hcl, report) = migrated(text, &Links::default());
        assert!(hcl.contains("= var.gitlab_url\n") && hcl.contains("variable \"gitlab_url\" {"), "{hcl}");
        assert!(report.contains("set the variable gitlab_url to the URL of GitLab"), "{report}");
        assert!(!hcl.contains("invalid") && !report.contains("invalid"), "{hcl}\n{report}");
    }
    let text = "runners: {config: \"[[runners]]\\nurl = 'https://gitlab.com'\"}\n";
    let (hcl, report) = migrated(text, &Links::default());
    assert!(hcl.contains("= \"https://gitlab.com\"") && !report.contains("gitlab_url"), "{hcl}");
}

#[test]
fn manifests_of_other_tools_are_read() {
    let text = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: runner\n  namespace: ci\nspec:\n  valuesFrom: [{kind: Secret}]\n  values:\n    \
        gitlabUrl: https://gitlab.com/\n    runnerToken: glrt-very-secret\n    replicaz: 2\n";
    let (hcl, report) = migrated(text, &Links::default());
    assert!(hcl.contains("= \"https://gitlab.com/\"") && !hcl.contains("very-secret"), "{hcl}");
    for line in [
        "values.yaml:10, `runnerToken`",
        "values.yaml:11, `replicaz`:",
        "further values in spec.valuesFrom, which are not read",
        "Run migrate with --release runner --namespace ci.",
        "the HelmRelease applies the release again, and reverts the changes of the provider: suspend it",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn sections_with_conditions_are_split() {
    let text = "gitlabUrl: https://gitlab.com/\nlarge: true\nsmall: false\nrunners:\n  config: |\n    [[runners]]\n      name = \"a\"\n      \
        {{ if .Values.large }}\n      limit = 2\n      {{ end }}\n    [[runners]]\n      name = \"b\"\n      limitz = 1\n    \
        {{ if .Values.small }}\n    [[runners]]\n      name = \"c\"\n    {{ end }}\n";
    let (hcl, report) = migrated(text, &Links::default());
    assert_eq!(hcl.matches("resource \"gitlabspot_runner_release\"").count(), 2, "{hcl}");
    assert_eq!(hcl.matches("limit = 2").count(), 1, "{hcl}");
    assert!(report.contains("the condition of 1 [[runners]] does not hold"), "{report}");
    assert!(report.contains("values.yaml:13, `runners.limitz`"), "{report}");
}

const REMARKS: &str = r#"gitlabUrl: https://gitlab.com/
namespace: other
extraObjects: [{kind: ConfigMap}]
runners:
  config: |
    [[runners]]
      [runners.kubernetes]
        image = "x"
        [[runners.kubernetes.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution]]
          weight = 1
          [runners.kubernetes.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution.preference]
            [[runners.kubernetes.affinity.node_affinity.preferred_during_scheduling_ignored_during_execution.preference.match_expressions]]
              key = "a"
              operator = "Gt"
              values = ["1"]
        [[runners.kubernetes.pod_spec]]
          name = "p"
          patch = "{}"
"#;

#[test]
fn remarks_have_file_and_line() {
    let (_, report) = migrated(REMARKS, &Links::default());
    for line in [
        "values.yaml:2, `namespace`: the objects are in the namespace of this key",
        "as --namespace",
        "values.yaml:3, `extraObjects`: left out. The objects stay in the cluster",
        "values.yaml:16: Pod patches not enabled: pod_spec has no effect",
        "can replace affinity in `config`. This",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert!(!report.contains("placeholders"), "{report}");
    assert!(!migrated("gitlab-runner: {install: true}\n", &Links::default()).1.contains("install"), "{report}");
    let set = "{\"gitlabUrl\":\"https://gitlab.com\",\"replicaz\":2,\"sentryDsn\":\"https://x@y/1\"}";
    let (_, report) = migrated(set, &Links::default());
    assert!(report.contains("values.yaml, `replicaz`:") && report.contains("values.yaml, `sentryDsn`"), "{report}");
}
