use std::fs;
use std::path::Path;

use tfplugin::framework::Raw;
use tfplugin::framework::schema::Object;

use super::super::schema::RunnerRelease;
use super::*;

const PLACE: Place<'_> = Place { name: "gitlab-runner", namespace: "gitlab-runner", runner_version: None };

/// Returns the release that the attributes describe.
fn resolved(attributes: &Map<String, Json>, token: Option<TokenKind>) -> Result<ReleaseSpec, String> {
    let mut attributes = attributes.clone();
    for (name, value) in [("name", PLACE.name), ("namespace", PLACE.namespace)] {
        attributes.insert(name.to_owned(), value.into());
    }
    let model = RunnerRelease::from_raw(Raw::from(&Json::Object(attributes))).map_err(|error| format!("{error:?}"))?;
    let typed = super::super::settings::of(&model.unwrap()).map_err(|error| format!("{error:?}"))?;
    let given = Given { typed, values: &[], token, ..Given::default() };
    Ok(spec::resolve(given).map_err(|error| format!("{error:#?}"))?.spec)
}

/// Sorts fields, because objects have no order.
fn sorted(value: Json) -> Json {
    let Json::Object(fields) = value else { return value };
    let fields: std::collections::BTreeMap<_, _> =
        fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
    Json::Object(fields.into_iter().collect())
}

/// Returns the parts of a release that determine its objects.
fn parts(spec: &ReleaseSpec) -> Vec<String> {
    let mut pod = spec.pod.clone();
    // Attributes do not keep the order of variables: they are sorted by name.
    let mut env = pod.env.clone();
    for (name, value) in spec.settings.extra_env.iter().flatten() {
        env.push(json!({ "name": name, "value": value }));
    }
    for (name, from) in spec.settings.extra_env_from.iter().flatten() {
        env.push(json!({ "name": name, "valueFrom": from }));
    }
    env.sort_by_key(|variable| variable["name"].to_string());
    pod.env = env;
    pod.security_context = sorted(pod.security_context);
    pod.pod_security_context = sorted(pod.pod_security_context);
    vec![
        format!("{:#?}", spec.config),
        format!("{pod:#?}"),
        format!("{:#?}", spec.start),
        format!("{:#?}", spec.roles),
        format!("{:#?}", spec.service_account),
        format!("{:#?} {:#?} {:#?}", spec.metrics, spec.service, spec.service_monitor),
        format!("{:#?} {:#?}", spec.session_server, spec.cache_secret_name),
        format!("{:#?} {:#?}", spec.pre_entrypoint_script, spec.config_maps),
        spec.gitlab_url.clone(),
    ]
}

/// Checks that the release of the attributes is the same as the release of the file.
fn check(name: &str, text: &str) {
    let Ok(release) = release(&[text], PLACE) else {
        let given = Given { values: &[text], ..Given::default() };
        let refused = spec::resolve(given).map(|_| ()).is_err();
        assert!(refused, "{name} is a release, and is not translated");
        return;
    };
    let typed = RunnerReleaseSettings::default();
    let given = Given { typed, values: &[text], token: release.token, ..Given::default() };
    let expected = spec::resolve(given).unwrap().spec;
    let found = resolved(&release.attributes, release.token).unwrap_or_else(|error| panic!("{name}: {error}"));
    for (found, expected) in parts(&found).iter().zip(parts(&expected)) {
        assert_eq!(found, &expected, "{name}: {:#?}", release.attributes);
    }
}

#[test]
fn attributes_and_values_files_give_the_same_objects() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/resources/runner_release/testdata/values");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 40);
    for file in files {
        check(&file.display().to_string(), &fs::read_to_string(&file).unwrap());
    }
}

#[test]
fn every_kind_of_key_is_translated() {
    for text in [
        include_str!("../testdata/guide-values.yaml"),
        "gitlabUrl: https://gitlab.com\nrunnerToken: glrt-x\nconcurrent: 4\nlogFormat: json\nshutdown_timeout: 30\n\
         envVars: [{name: B, value: '2'}, {name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]\n\
         resources: {limits: {cpu: 1, memory: 1Gi}}\naffinity: {podAntiAffinity: \
         {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: \
         {matchLabels: {myApp: x}}}]}}\nvolumes: [{name: v, emptyDir: {sizeLimit: 1Gi}}]\nvolumeMounts: [{name: v, \
         mountPath: /v}]\ntolerations: [{key: a, operator: Exists}]\nhpa: {minReplicas: 1, maxReplicas: 2, metrics: \
         [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}\n\
         runners: {name: r, config: \"[[runners]]\\n\"}\n",
        "gitlabUrl: https://gitlab.com\nrunnerToken: glrt-x\nimage: {registry: example.com, image: mirror/runner, tag: \
         alpine-v18.11.0}\nsecurityContext: {runAsUser: 5}\npodSecurityContext: {fsGroup: 7}\nrbac: {create: true, rules: \
         [{resources: [pods], verbs: [get]}]}\nrunners: {privileged: true}\n",
    ] {
        check(text, text);
        assert!(release(&[text], PLACE).unwrap().lost.is_empty());
    }
}

#[test]
fn job_namespace_is_an_attribute() {
    let found = release(&["gitlabUrl: https://x\nrunners: {jobNamespace: jobs}\n"], PLACE).unwrap();
    assert_eq!((found.attributes.get("job_namespace"), found.attributes.get("config")), (Some(&json!("jobs")), None));
    check("jobNamespace", "gitlabUrl: https://x\nrbac: {create: true}\nrunners: {jobNamespace: jobs}\n");
    let text = "gitlabUrl: https://x\nrunners: {jobNamespace: a, config: \"[[runners]]\\n[runners.kubernetes]\\nnamespace = 'b'\"}\n";
    let other = release(&[text], PLACE).unwrap();
    assert_eq!(other.attributes["config"], json!({ "kubernetes": { "namespace": "b" } }));
}

/// Returns the release, with the keys of its tasks.
fn with_tasks(text: &str, runner_version: Option<&str>) -> (Release, Vec<String>) {
    let release = release(&[text], Place { runner_version, ..PLACE }).unwrap();
    let keys = release.tasks.iter().map(|(key, _)| key.clone()).collect();
    (release, keys)
}

const OLDER: &str = "gitlabUrl: https://x\nrunners:\n  privileged: true\n  image: alpine\n  locked: false\n  nodeSelector: {a: b}\n  \
                     cache: {cacheType: s3, s3BucketName: b, s3CacheInsecure: false}\n  builds: {cpuLimit: 1}\nrunnerToken: glrt-x\n";

#[test]
fn keys_of_older_charts_are_translated_for_them() {
    let (release, tasks) = with_tasks(OLDER, Some("15.11.0"));
    assert_eq!(
        release.attributes["config"],
        json!({
            "cache": { "type": "s3", "s3": { "bucket_name": "b" } },
            "kubernetes": { "cpu_limit": "1", "image": "alpine", "privileged": true },
        })
    );
    assert_eq!(tasks, ["runners.nodeSelector"]);
    assert!(release.tasks[0].1.contains("set `kubernetes.node_selector` in `config`."), "{:?}", release.tasks);
}

#[test]
fn keys_of_older_charts_take_precedence_over_the_configuration() {
    let text = "gitlabUrl: https://x\nrunnerToken: glrt-x\nenvVars: [{name: KUBERNETES_CPU_LIMIT, value: '3'}]\nrunners:\n  image: a\n  \
                builds: {cpuLimit: '1'}\n  config: |\n    [[runners]]\n    [runners.kubernetes]\n    image = 'b'\n";
    let (release, _) = with_tasks(text, Some("15.11.0"));
    assert_eq!(release.attributes["config"], json!({ "kubernetes": { "cpu_limit": "3", "image": "a" } }));
}

#[test]
fn keys_of_older_charts_are_tasks_or_without_effect() {
    let (unknown, tasks) = with_tasks(OLDER, None);
    let keys = [
        "builds.cpuLimit",
        "cache.cacheType",
        "cache.s3BucketName",
        "cache.s3CacheInsecure",
        "image",
        "nodeSelector",
        "privileged",
    ];
    let mut sorted = tasks;
    sorted.sort();
    assert_eq!(sorted, keys.map(|key| format!("runners.{key}")));
    assert!(
        unknown.tasks.iter().all(|(_, text)| text.contains("`--runner-version` sets the version")),
        "{:?}",
        unknown.tasks
    );
    assert_eq!(unknown.attributes.get("config"), None);
    let (newer, tasks) = with_tasks(OLDER, Some("16.0.0"));
    assert_eq!((tasks.len(), newer.attributes.get("config")), (0, None));
    let warnings: Vec<_> = newer.warnings.iter().flat_map(|one| one.detail.lines()).collect();
    assert_eq!(warnings.iter().filter(|line| line.contains("charts before 0.53 read it")).count(), 7, "{warnings:?}");
}

#[test]
fn options_of_a_registration_are_tasks_without_a_token() {
    let text = "gitlabUrl: https://x\nrunners: {secret: s, tags: 'a,b', locked: false}\n";
    let (release, tasks) = with_tasks(text, None);
    assert_eq!(tasks, ["runners.tags", "runners.locked"]);
    assert!(release.tasks[0].1.contains("set `tag_list = [\"a\",\"b\"]` in `registration`"), "{:?}", release.tasks);
    assert!(
        release.tasks[0].1.starts_with("it is left out") && release.tasks[0].1.contains("If the Secret s contains")
    );
    assert_eq!(release.warnings.len(), 0, "{:?}", release.warnings);
    let (release, _) = with_tasks("gitlabUrl: https://x\nrunnerRegistrationToken: ''\nrunners: {tags: a}\n", None);
    assert!(release.tasks[0].1.contains("`registration_token_wo` instead of"), "{:?}", release.tasks);
    let (release, tasks) = with_tasks("gitlabUrl: https://x\nrunnerToken: glrt-x\nrunners: {tags: a}\n", None);
    assert_eq!((tasks.len(), release.warnings.len()), (0, 1), "{:?}", release.warnings);
}

#[test]
fn images_without_a_version_are_tasks() {
    let text = "gitlabUrl: https://x\nimage: {registry: r.example.com, image: m/gitlab-runner}\n";
    let (release, tasks) = with_tasks(text, None);
    assert_eq!(release.attributes["image"], "r.example.com/m/gitlab-runner:alpine-v19.3.0");
    assert_eq!(tasks, ["image"]);
    let (release, tasks) = with_tasks(text, Some("17.6.0"));
    assert_eq!(release.attributes["image"], "r.example.com/m/gitlab-runner:alpine-v17.6.0");
    assert_eq!(tasks, [""; 0]);
    for text in ["gitlabUrl: https://x\n", "gitlabUrl: https://x\nimage: {registry: r, tag: alpine-v18.0.0}\n"] {
        assert_eq!(with_tasks(text, None).1, [""; 0], "{text}");
    }
    let (old, tasks) = with_tasks("gitlabUrl: https://x\nimage: {tag: alpine-v13.5.0}\n", None);
    assert_eq!(old.attributes["image"], "registry.gitlab.com/gitlab-org/gitlab-runner:alpine-v13.5.0");
    assert_eq!((old.attributes.get("runner_version"), tasks), (None, vec!["image".to_owned()]));
    assert!(resolved(&old.attributes, old.token).is_ok());
}

#[test]
fn the_guide_in_attributes() {
    let release = release(&[include_str!("../testdata/guide-values.yaml")], PLACE).unwrap();
    assert_eq!((release.token, release.token_key), (Some(TokenKind::Registration), Some("runnerRegistrationToken")));
    assert_eq!(release.attributes["docker_in_docker"], json!({ "image": "docker:19.03.12", "tls": true }));
    assert_eq!(release.attributes["cache_secret_name"], "gitlab-runner-s3-access");
    let config = &release.attributes["config"];
    assert_eq!(config["kubernetes"]["node_tolerations"], json!({ "buildInstance=true": "NoSchedule" }));
    assert_eq!(config.get("environment"), None);
    assert_eq!(config["kubernetes"].get("namespace"), None);
    assert!(!json!(release.attributes).to_string().contains("XXXXX"));
}
