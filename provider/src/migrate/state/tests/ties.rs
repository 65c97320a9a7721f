//! Which buckets and users of a state are migrated.

use super::*;

fn bucket(name: &str) -> Json {
    resource("", "aws_s3_bucket", name, &[(Json::Null, json!({ "bucket": name, "region": "eu-west-1" }))])
}

fn expiring(bucket: &str, days: i64) -> Json {
    let rule = json!({ "status": "Enabled", "filter": [], "expiration": [{ "days": days }] });
    let rules = json!({ "bucket": bucket, "rule": [rule] });
    resource("", "aws_s3_bucket_lifecycle_configuration", bucket, &[(Json::Null, rules)])
}

/// A user with its access key, whose ID is derived from its name.
fn user(name: &str) -> Vec<Json> {
    vec![
        resource("", "aws_iam_user", name, &[(Json::Null, json!({ "name": name, "path": "/" }))]),
        resource("", "aws_iam_access_key", name, &[(Json::Null, json!({ "id": format!("AKIA{name}"), "user": name }))]),
    ]
}

fn policy(user: &str, resource_of_statement: &str) -> Json {
    let text = json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": resource_of_statement }] });
    let attributes = json!({ "user": user, "policy": text.to_string() });
    resource("", "aws_iam_user_policy", user, &[(Json::Null, attributes)])
}

fn secret(namespace: &str, name: &str, user: &str) -> Json {
    let attributes = json!({
        "metadata": [{ "name": name, "namespace": namespace }], "data": { "accesskey": format!("AKIA{user}") },
    });
    resource("", "kubernetes_secret", user, &[(Json::Null, attributes)])
}

/// A release, whose cache has this bucket and this Secret.
fn release(namespace: &str, bucket: Option<&str>, secret: Option<&str>) -> Json {
    let mut values = "gitlabUrl: https://gitlab.com/\nrunners:\n".to_owned();
    if let Some(secret) = secret {
        values.push_str(&format!("  cache: {{secretName: {secret}}}\n"));
    }
    values.push_str(
        "  config: |\n    [[runners]]\n      [runners.cache]\n        Type = \"s3\"\n        Path = \"ci\"\n",
    );
    if let Some(bucket) = bucket {
        values.push_str(&format!("        [runners.cache.s3]\n          BucketName = \"{bucket}\"\n"));
    }
    let helm = json!({ "name": "runner", "namespace": namespace, "chart": "gitlab-runner", "values": [values] });
    resource("", "helm_release", namespace, &[(Json::Null, helm)])
}

fn named(bucket: Option<&str>, user: Option<&str>) -> Arguments {
    Arguments { bucket: bucket.map(str::to_owned), user: user.map(str::to_owned), ..Arguments::default() }
}

/// The IDs of the imports.
fn imported(hcl: &str) -> Vec<&str> {
    hcl.lines().filter_map(|line| line.strip_prefix("  id = \"")?.strip_suffix('"')).collect()
}

#[test]
fn buckets_and_users_of_a_cache_are_migrated() {
    let two = || vec![bucket("logs"), expiring("logs", 365), bucket("cache"), expiring("cache", 14)];
    let arn = "arn:aws:s3:::cache/*";
    for (case, resources, arguments, expected) in [
        (
            "values",
            [two(), vec![release("ci", Some("cache"), None)]].concat(),
            named(None, None),
            vec!["cache", "ci/runner"],
        ),
        ("nothing", [two(), vec![release("ci", None, None)]].concat(), named(None, None), vec!["ci/runner"]),
        (
            "option",
            [two(), vec![release("ci", None, None)]].concat(),
            named(Some("logs"), None),
            vec!["logs", "ci/runner"],
        ),
        (
            "policy",
            [two(), user("key"), vec![policy("key", arn)]].concat(),
            named(None, None),
            vec!["cache", "gitlab-runner/gitlab-runner-s3-access:key"],
        ),
        (
            "only expiring",
            vec![bucket("data"), bucket("cache"), expiring("cache", 14), release("ci", None, None)],
            named(None, None),
            vec!["cache", "ci/runner"],
        ),
        (
            "only expiring, and a cache in MinIO",
            vec![
                bucket("data"),
                bucket("logs"),
                expiring("logs", 14),
                release("ci", Some("cache\"\n          ServerAddress = \"minio:9000"), None),
            ],
            named(None, None),
            vec!["ci/runner"],
        ),
        // The bucket that the values name was created by hand.
        (
            "elsewhere",
            vec![bucket("logs"), expiring("logs", 14), release("ci", Some("other"), None)],
            named(None, None),
            vec!["ci/runner"],
        ),
        (
            "key of something else",
            [two(), user("mail"), vec![policy("mail", "*"), release("ci", Some("cache"), None)]].concat(),
            named(None, None),
            vec!["cache", "ci/runner"],
        ),
        (
            "user of the option",
            [two(), user("one"), user("two"), vec![release("ci", Some("cache"), None)]].concat(),
            named(None, Some("two")),
            vec!["cache", "ci/gitlab-runner-s3-access:two", "ci/runner"],
        ),
        (
            "user without a key in the state",
            vec![bucket("cache"), user("two").remove(0)],
            named(None, Some("two")),
            vec!["gitlab-runner/gitlab-runner-s3-access:two"],
        ),
        (
            "user that is not in the state",
            vec![bucket("cache"), release("ci", Some("cache"), Some("s3"))],
            named(None, Some("by-hand")),
            vec!["cache", "ci/s3:by-hand", "ci/runner"],
        ),
        (
            "bucket that is not in the state",
            [user("key"), vec![release("ci", Some("by-hand"), Some("s3")), secret("ci", "s3", "key")]].concat(),
            named(Some("by-hand"), None),
            vec!["by-hand", "ci/s3:key", "ci/runner"],
        ),
        // Each option names what the state has: nothing is added twice.
        (
            "both options",
            [two(), user("key"), vec![release("ci", Some("cache"), Some("s3")), secret("ci", "s3", "key")]].concat(),
            named(Some("cache"), Some("key")),
            vec!["cache", "ci/s3:key", "ci/runner"],
        ),
    ] {
        let (hcl, report) = migrated(&state(resources), &arguments);
        assert_eq!(imported(&hcl), expected, "{case}: {hcl}{report}");
    }
}

#[test]
fn what_is_not_of_a_cache_is_listed_with_its_option() {
    let buckets =
        [vec![bucket("a"), expiring("a", 1), bucket("b"), expiring("b", 1)], user("one"), user("two")].concat();
    let resources = [buckets.clone(), vec![release("ci", None, None)]].concat();
    let (_, report) = migrated(&state(resources.clone()), &Arguments::default());
    for line in [
        "`aws_s3_bucket.a`: nothing says that a is a cache",
        "`--bucket b` migrates it.",
        "`aws_iam_access_key.two`: nothing says that the key of two is for the cache. `--user two --bucket NAME` migrates it.",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    // The option that the report names works, and an error says what is missing.
    let (hcl, _) = migrated(&state(resources.clone()), &named(Some("b"), Some("two")));
    assert_eq!(imported(&hcl), ["b", "ci/gitlab-runner-s3-access:two", "ci/runner"]);
    let error = of_text(&state(resources).to_string(), &named(None, Some("two"))).unwrap_err().to_string();
    assert!(error.starts_with("--user needs --bucket: the policy of two is for one bucket"), "{error}");
    assert!(error.contains(" The state has a, b.\n"), "{error}");
    let message = refused(&state(buckets).to_string());
    assert!(
        message.ends_with(
            "`--bucket NAME` migrates one of its buckets (a, b), and `--user NAME` one of its users (one, two)."
        ),
        "{message}"
    );
}

#[test]
fn only_resources_with_a_migrated_object_are_remarked() {
    let role = |name: &str| {
        let arn = format!("arn:aws:iam::123456789012:role/{name}");
        resource("", "aws_iam_role", name, &[(Json::Null, json!({ "arn": arn }))])
    };
    let resources = [
        vec![
            resource("", "aws_eks_node_group", "build", &[(Json::Null, node_group("build"))]),
            role("nodes"),
            role("app"),
        ],
        user("cache"),
        user("mail"),
        vec![bucket("cache"), release("ci", Some("cache"), Some("s3")), secret("ci", "s3", "cache")],
        vec![policy("cache", "arn:aws:s3:::cache"), policy("mail", "*")],
    ];
    let (_, report) = migrated(&state(resources.concat()), &Arguments::default());
    for (address, is_listed) in [
        ("aws_iam_role.nodes", true),
        ("aws_iam_role.app", false),
        ("aws_iam_user_policy.cache", true),
        ("aws_iam_user_policy.mail", false),
    ] {
        assert_eq!(
            report.contains(&format!("`{address}`: stays with its provider.")),
            is_listed,
            "{address}: {report}"
        );
    }
}

#[test]
fn each_release_has_its_own_bucket_and_user() {
    let resources = [
        vec![bucket("a-cache"), bucket("b-cache")],
        user("a"),
        user("b"),
        vec![policy("b", "arn:aws:s3:::b-cache"), secret("a", "s3", "a"), secret("b", "s3", "b")],
        vec![release("a", Some("a-cache"), Some("s3")), release("b", Some("b-cache"), Some("s3"))],
    ];
    let (hcl, report) = migrated(&state(resources.concat()), &Arguments::default());
    assert_eq!(imported(&hcl), ["a-cache", "b-cache", "a/s3:a", "b/s3:b", "a/runner", "b/runner"], "{report}");
    for block in hcl.split("\n\n") {
        assert!(
            !block.contains("namespace   = \"b\"") || block.contains("gitlabspot_cache_bucket.b_cache.bucket"),
            "{hcl}"
        );
    }
    assert!(hcl.contains("bucket      = gitlabspot_cache_bucket.b_cache.bucket\n  namespace   = \"b\""), "{hcl}");
    assert!(hcl.contains("credentials = gitlabspot_runner_credentials.cache_2.secret_hash"), "{hcl}");
    // Another user cannot have the same Secret.
    let again = [vec![bucket("cache"), release("a", Some("cache"), Some("s3")), secret("a", "s3", "a")], user("a")];
    let error = of_text(&state(again.concat()).to_string(), &named(None, Some("x"))).unwrap_err().to_string();
    assert!(
        error.starts_with("--user needs --secret: the Secret s3 in a has the key of a, and not that of x."),
        "{error}"
    );
}

#[test]
fn instances_that_stay_are_not_removed_with_others() {
    let named = |name: &str| (name.into(), json!({ "bucket": name, "region": "eu-west-1" }));
    let resources = vec![
        resource("module.s3[\"x\"]", "aws_s3_bucket", "this", &[named("cache"), named("logs")]),
        resource("module.s3[\"y\"]", "aws_s3_bucket", "other", &[named("cache-2")]),
        resource("module.s3[\"z\"]", "aws_s3_bucket", "other", &[named("data")]),
        release("a", Some("cache"), None),
        release("b", Some("cache-2"), None),
        resource(
            "",
            "aws_autoscaling_group_tag",
            "tag",
            &[
                ("x".into(), json!({ "autoscaling_group_name": "eks-build" })),
                ("y".into(), json!({ "autoscaling_group_name": "another" })),
            ],
        ),
        resource("", "aws_eks_node_group", "build", &[(Json::Null, node_group("build"))]),
    ];
    let (hcl, report) = migrated(&state(resources), &Arguments::default());
    assert!(!hcl.contains("from = module") && !hcl.contains("from = aws_autoscaling_group_tag"), "{hcl}");
    assert!(hcl.contains("from = helm_release.a") && hcl.contains("from = aws_eks_node_group.build"), "{hcl}");
    for line in [
        "remove it from the state with `state rm 'module.s3[\"x\"].aws_s3_bucket.this[\"cache\"]'`",
        "`state rm 'module.s3[\"y\"].aws_s3_bucket.other[\"cache-2\"]'`",
        "`state rm 'aws_autoscaling_group_tag.tag[\"x\"]'`",
        "`aws_autoscaling_group_tag.tag[\"y\"]`: stays with hashicorp/aws",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn other_regions_have_a_provider() {
    let mut far = node_group("far");
    far["arn"] = "arn:aws:eks:us-east-1:123456789012:nodegroup/other/far/1".into();
    far["cluster_name"] = "other".into();
    let in_region = |name: &str, region: &str| {
        let attributes = json!({ "bucket": name, "region": region, "bucket_region": region });
        resource("", "aws_s3_bucket", name, &[(Json::Null, attributes)])
    };
    let resources = vec![
        resource("", "aws_eks_node_group", "n", &[("a".into(), node_group("near")), ("b".into(), far)]),
        in_region("one", "us-east-1"),
        in_region("two", "eu-north-1"),
        in_region("three", "sa-east-1"),
        release("a", Some("one"), None),
        release("b", Some("two"), None),
        release("c", Some("three"), None),
    ];
    let (hcl, report) = migrated(&state(resources), &Arguments::default());
    for (alias, region) in [("us_east_1", "us-east-1"), ("cache", "eu-north-1"), ("sa_east_1", "sa-east-1")] {
        let provider = format!("provider \"gitlabspot\" {{\n  alias  = \"{alias}\"\n  region = \"{region}\"\n}}");
        assert_eq!(hcl.matches(&provider).count(), 1, "{provider}: {hcl}");
    }
    for reference in
        ["= gitlabspot.us_east_1\n  bucket ", "= gitlabspot.cache\n  bucket ", "= gitlabspot.sa_east_1\n  bucket "]
    {
        assert!(hcl.contains(reference), "{reference}: {hcl}");
    }
    assert!(hcl.contains("provider       = gitlabspot.us_east_1\n  cluster_name   = \"other\""), "{hcl}");
    assert!(report.contains("the state has node groups of the clusters other, prod."), "{report}");
}

#[test]
fn former_and_tainted_objects_and_data_are_distinguished() {
    let mut current = resource(
        "",
        "aws_eks_node_group",
        "build",
        &[(Json::Null, node_group("new")), (Json::Null, node_group("old"))],
    );
    current["instances"][0]["status"] = "tainted".into();
    current["instances"][1]["deposed"] = "0a1b2c3d".into();
    let mut data = bucket("data");
    data["mode"] = "data".into();
    let cluster = resource("", "aws_eks_cluster", "this", &[(Json::Null, json!({ "name": "prod" }))]);
    let (hcl, report) = migrated(&state(vec![current.clone(), data, cluster]), &Arguments::default());
    assert_eq!(imported(&hcl), ["prod:new"], "{hcl}");
    assert_eq!(hcl.matches("removed {").count(), 1, "{hcl}");
    assert!(report.contains("`aws_eks_node_group.build`: it is tainted"), "{report}");
    assert!(report.contains("`aws_eks_node_group.build`: the state has a deposed object of it"), "{report}");
    assert!(!report.contains("data"), "{report}");
    // The same state in the format of `show -json`.
    let shown = |attributes: Json| {
        json!({
            "address": "aws_eks_node_group.build", "mode": "managed", "type": "aws_eks_node_group", "name": "build",
            "values": attributes,
        })
    };
    let (mut new, mut old) = (shown(node_group("new")), shown(node_group("old")));
    new["tainted"] = true.into();
    old["deposed_key"] = "0a1b2c3d".into();
    let shown = json!({ "format_version": "1.0", "values": { "root_module": { "resources": [new, old] } } });
    let (hcl, of_shown) = migrated(&shown, &Arguments::default());
    assert_eq!(imported(&hcl), ["prod:new"], "{hcl}");
    assert_eq!(of_shown, report);
}

#[test]
fn region_and_name_of_a_cluster_are_found_without_node_groups() {
    let cluster = json!({ "name": "prod", "arn": "arn:aws:eks:eu-south-1:123456789012:cluster/prod" });
    let resources = vec![
        resource("", "aws_eks_cluster", "this", &[(Json::Null, cluster)]),
        bucket("cache"),
        release("ci", Some("cache"), None),
    ];
    let (hcl, _) = migrated(&state(resources), &Arguments::default());
    for line in [
        "region = \"eu-south-1\"\n\n  kubernetes",
        "cluster_name = \"prod\"",
        "alias  = \"cache\"\n  region = \"eu-west-1\"",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
}
