//! Values of `helm_release`.

use super::*;

const VALUES: &str = "gitlabUrl: https://gitlab.com/\ntolerations:\n  - {key: a, operator: Exists}\n";

fn helm(changes: &Json) -> Json {
    let mut attributes = json!({
        "name": "runner", "namespace": "ci", "chart": "gitlab-runner", "values": [VALUES],
        "metadata": [{ "app_version": "17.6.0", "chart": "gitlab-runner" }], "set": [], "set_sensitive": [],
    });
    for (name, value) in changes.as_object().unwrap() {
        attributes[name] = value.clone();
    }
    resource("", "helm_release", "r", &[(Json::Null, attributes)])
}

/// Blocks of `set`: names with values and types.
fn set(blocks: &[(&str, &str, &str)]) -> Json {
    blocks.iter().map(|(name, value, kind)| json!({ "name": name, "value": value, "type": kind })).collect()
}

#[test]
fn set_has_the_syntax_of_helm() {
    let blocks = set(&[
        ("tolerations[0].effect", "NoSchedule", ""),
        ("tolerations[1].key", "b", ""),
        ("tolerations[1].operator", "Exists", "auto"),
        ("imagePullSecrets", "{x,y}", ""),
        ("hostAliases", "{}", ""),
        (r"podAnnotations.a\.b/c", r"1\,2", ""),
        ("podAnnotations.d", "true", "string"),
        ("podLabels.e", "007", ""),
        ("nodeSelector", "\n  f: g", "literal"),
        ("podAnnotations.h", "i", "literal"),
        ("concurrent", "12", ""),
    ]);
    let list = json!([{ "name": "configMaps.x", "value": null }, { "name": "runners.tags", "value": ["a", "b"] }]);
    let postrender = json!([{ "binary_path": "./patch.sh" }]);
    let changes = json!({ "set": blocks, "set_list": list, "set_wo_revision": 2, "postrender": postrender });
    let resources = vec![helm(&changes)];
    let (hcl, report) = migrated(&state(resources), &Arguments::default());
    for text in [
        "key      = \"a\"\n      operator = \"Exists\"\n      effect   = \"NoSchedule\"\n",
        "key      = \"b\"\n      operator = \"Exists\"\n",
        "image_pull_secrets = [\"x\", \"y\"]",
        "\"a.b/c\" = \"1,2\"\n    d       = \"true\"",
        "e = \"007\"",
        "f = \"g\"",
        "concurrent              = 12",
    ] {
        assert!(hcl.contains(text), "{text}: {hcl}");
    }
    assert!(!hcl.contains("host_aliases") && !hcl.contains("config_maps"), "{hcl}");
    for line in [
        "`helm_release.r`: the value of set \"podAnnotations.h\" is left out: with the type `literal` its name is one key",
        "`helm_release.r`: the values of `set_wo` are not in the state.",
        "`helm_release.r`: `postrender` changes the objects of the chart.",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn sensitive_values_of_variables_become_variables() {
    let named = set(&[("envVars[0].name", "HTTP_PROXY", ""), ("extraEnv.B", "very-secret", "")]);
    let sensitive = set(&[("envVars[0].value", "very-secret", ""), ("nodeSelector.c", "very-secret", "")]);
    let mut release = helm(&json!({ "set": named, "set_sensitive": sensitive }));
    release["instances"][0]["sensitive_attributes"] = json!([
        [{ "type": "get_attr", "value": "set_sensitive" }],
        [
            { "type": "get_attr", "value": "set" },
            { "type": "index", "value": { "value": 1, "type": "number" } },
            { "type": "get_attr", "value": "value" },
        ],
    ]);
    let (hcl, report) = migrated(&state(vec![release]), &Arguments::default());
    for text in ["HTTP_PROXY = var.runner_extra_env_http_proxy", "variable \"runner_extra_env_b\" {"] {
        assert!(hcl.contains(text), "{text}: {hcl}");
    }
    assert!(report.contains("the value of set_sensitive \"nodeSelector.c\" is left out."), "{report}");
    assert!(!format!("{hcl}{report}").contains("very-secret") && !hcl.contains("left-out"), "{hcl}");
}

#[test]
fn version_of_the_chart_is_kept_without_a_tag() {
    for (image, expected) in [
        (
            "{registry: r.example.com, image: m/gitlab-runner}",
            "image                   = \"r.example.com/m/gitlab-runner:alpine-v17.6.0\"",
        ),
        ("{registry: r.example.com, image: m/gitlab-runner, tag: \"\"}", "runner_version          = \"17.6.0\""),
        ("{tag: alpine-v17.9.1}", "runner_version          = \"17.9.1\""),
        ("gitlab/gitlab-runner:alpine-v18.0.0", "image                   = \"gitlab/gitlab-runner:alpine-v18.0.0\""),
    ] {
        let values = format!("{VALUES}image: {image}\n");
        let (hcl, _) = migrated(&state(vec![helm(&json!({ "values": [values] }))]), &Arguments::default());
        assert!(hcl.contains(expected), "{image}: {hcl}");
        assert!(!hcl.contains("19.3.0"), "{image}: {hcl}");
    }
    // The option is for an image whose tag does not have the version.
    let arguments = Arguments { runner_version: Some("18.1.0".to_owned()), ..Arguments::default() };
    let values = format!("{VALUES}image: {{tag: custom}}\n");
    let (hcl, _) = migrated(&state(vec![helm(&json!({ "values": [values] }))]), &arguments);
    assert!(hcl.contains("runner_version          = \"18.1.0\""), "{hcl}");
}

#[test]
fn chart_is_recognised_by_its_metadata() {
    for (chart, metadata, is_chart) in [
        ("./charts/ci", json!({ "chart": "gitlab-runner", "app_version": "17.6.0" }), true),
        ("oci://registry.gitlab.com/gitlab-org/charts/gitlab-runner", json!([]), true),
        ("gitlab-runner-0.71.0.tgz", Json::Null, true),
        ("gitlab-runner", json!([{ "chart": "another" }]), false),
    ] {
        let resources = vec![
            helm(&json!({ "chart": chart, "metadata": metadata })),
            resource("", "aws_eks_node_group", "build", &[(Json::Null, node_group("build"))]),
        ];
        let (hcl, _) = migrated(&state(resources), &Arguments::default());
        assert_eq!(hcl.contains("gitlabspot_runner_release"), is_chart, "{chart}: {hcl}");
    }
}

#[test]
fn values_files_belong_to_the_release_of_the_state() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("v.yaml");
    fs::write(&file, VALUES).unwrap();
    let arguments = Arguments { values: vec![file], ..Arguments::default() };
    let set = set(&[("tolerations[0].key", "b", "")]);
    let mut hidden = helm(&json!({ "set": set }));
    hidden["instances"][0]["sensitive_attributes"] = json!([[{ "type": "get_attr", "value": "values" }]]);
    let (hcl, report) = migrated(&state(vec![hidden.clone()]), &arguments);
    for text in [
        "id = \"ci/runner\"",
        "from = helm_release.r\n",
        "= \"17.6.0\"",
        "key      = \"b\"\n      operator = \"Exists\"",
    ] {
        assert!(hcl.contains(text), "{text}: {hcl}");
    }
    assert!(!report.contains("marked as sensitive"), "{report}");
    // Options can name another release.
    let other = Arguments { release: Some("x".to_owned()), ..arguments.clone() };
    let error = of_text(&state(vec![hidden]).to_string(), &other).unwrap_err().to_string();
    assert!(error.contains("has nothing to migrate"), "{error}");
    // The state has the values of this release, which is not migrated twice.
    let same = Arguments { release: Some("runner".to_owned()), namespace: Some("ci".to_owned()), ..arguments };
    let (hcl, report) = migrated(&state(vec![helm(&json!({}))]), &same);
    assert_eq!(hcl.matches("resource \"gitlabspot_runner_release\"").count(), 1, "{hcl}");
    assert!(report.contains("--values is not used: the state has the values of the release ci/runner."), "{report}");
}

#[test]
fn errors_name_the_block_of_the_release() {
    let resources = vec![helm(&json!({ "set": set(&[("hostAliases", "x", "")]) }))];
    let message = refused(&state(resources).to_string());
    assert_eq!(message, "helm_release.r set: Invalid value in a values file: hostAliases must be a list.");
}
