//! Create, read, import and update of every attribute.

use std::collections::BTreeMap;

use gitlabspot_acceptance_tests::{Account, Engine, Stage, Workspace};
use serde_json::{Value, json};

use super::{ADDRESS, SPEED, TEMPLATE, asg, asg_tags};

const NAME: &str = "every";

/// Attributes that AWS does not store: an option of updates, and which tags of the Auto Scaling Group are managed.
const UNREADABLE: [&str; 3] = ["force_update_version", "asg_tags", "asg_tags_all"];

/// A workspace with every attribute, two subnets, and a security group for remote access. Returns the security group.
async fn every(test: &str, variables: Value) -> (Stage, Workspace, String) {
    let stage = Stage::new(&format!("node_group/{test}"), Engine::opentofu()).await;
    let subnets: Vec<&String> = stage.account.subnet_ids().values().take(2).collect();
    let vpc = stage.account.ec2().describe_subnets().subnet_ids(subnets[0]).send().await.unwrap();
    let vpc = vpc.subnets()[0].vpc_id().unwrap();
    let group = stage.account.ec2().create_security_group().group_name("bastion").description("ssh").vpc_id(vpc);
    let group = group.send().await.unwrap().group_id.unwrap();
    let given = json!({ "subnet_ids": subnets, "source_security_group_ids": [group] });
    let workspace = stage.testdata("node_group/every_attribute", given).await;
    workspace.set(&variables);
    (stage, workspace.with_environment("GITLABSPOT_CLOCK_SPEED", SPEED), group)
}

async fn end(stage: &Stage, workspace: &Workspace, security_group: &str) {
    workspace.destroy().await;
    stage.account.ec2().delete_security_group().group_id(security_group).send().await.unwrap();
    stage.assert_nothing_remains().await;
}

async fn node_group(account: &Account) -> aws_sdk_eks::types::Nodegroup {
    let request = account.eks().describe_nodegroup().cluster_name("prod").nodegroup_name(NAME);
    request.send().await.unwrap().nodegroup.unwrap()
}

/// N2: a group with every attribute is created, and imported by ID and by identity. All attributes that can be read
/// have the applied value.
#[tokio::test]
async fn every_attribute_is_created_and_imported() {
    let (stage, workspace, security_group) = every("every_attribute", json!({})).await;
    workspace.apply().await;
    workspace.assert_stable().await;

    let creates = stage.account.calls_of("eks", "CreateNodegroup");
    let [call] = creates.as_slice() else { panic!("not one create: {creates:?}") };
    let mut sent = call.parameters.clone();
    for key in ["clientRequestToken", "clusters", "nodeRole", "subnets", "tags"] {
        sent.as_object_mut().unwrap().remove(key);
    }
    let mut taints = sent["taints"].as_array().unwrap().clone();
    taints.sort_by_key(|taint| taint["key"].to_string());
    sent["taints"] = taints.into();
    assert_eq!(
        sent,
        json!({
            "nodegroupName": NAME,
            "capacityType": "ON_DEMAND",
            "instanceTypes": ["c5.2xlarge", "c5a.2xlarge", "c5d.2xlarge"],
            "scalingConfig": { "minSize": 1, "maxSize": 5, "desiredSize": 2 },
            "labels": { "intent": "build", "example.org/pool": "large" },
            "taints": [
                { "key": "build", "value": "true", "effect": "NO_SCHEDULE" },
                { "key": "hard", "value": "x", "effect": "NO_EXECUTE" },
                { "key": "soft", "effect": "PREFER_NO_SCHEDULE" },
            ],
            "remoteAccess": { "ec2SshKey": "your-ssh-key", "sourceSecurityGroups": [security_group] },
            "amiType": "AL2023_x86_64_STANDARD",
            "diskSize": 50,
            "version": "1.33",
            "releaseVersion": "1.33.0-20251103",
            "updateConfig": { "maxUnavailablePercentage": 50, "updateStrategy": "MINIMAL" },
            "nodeRepairConfig": { "enabled": true },
        })
    );

    let tags = asg_tags(&stage.account).await;
    let template = |kind: &str| {
        let prefix = format!("{TEMPLATE}/{kind}/");
        tags.iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(&prefix)?, value.as_str())))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(
        template("autoscaling-options"),
        BTreeMap::from([
            ("ignoredaemonsetsutilization", "true"),
            ("scaledowngpuutilizationthreshold", "0.5"),
            ("scaledownunneededtime", "5m"),
            ("scaledownunreadytime", "20m"),
            ("scaledownutilizationthreshold", "0.65"),
        ])
    );
    assert_eq!(template("resources"), BTreeMap::from([("ephemeral-storage", "100G"), ("example.org/license", "4")]));
    assert_eq!(
        template("taint"),
        BTreeMap::from([("build", "true:NoSchedule"), ("hard", "x:NoExecute"), ("soft", ":PreferNoSchedule")])
    );
    let group = asg(&stage.account).await;
    let passed_on = |key: &str| group.tags().iter().find(|tag| tag.key() == Some(key)).unwrap().propagate_at_launch();
    assert_eq!((passed_on("cost-center"), passed_on(&format!("{TEMPLATE}/label/intent"))), (Some(true), Some(false)));

    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &UNREADABLE).await;
    let identity = format!(r#"{{ cluster_name = "prod", name = "{NAME}" }}"#);
    workspace.assert_import_by_identity(ADDRESS, &identity, &UNREADABLE).await;
    let identity = format!(
        r#"{{ cluster_name = "prod", name = "{NAME}", region = "af-south-1", account_id = "{}" }}"#,
        stage.account.id()
    );
    workspace.assert_import_by_identity(ADDRESS, &identity, &UNREADABLE).await;
    let elsewhere = [
        (r#"region = "eu-west-1""#, "The identity has the region eu-west-1, but the provider uses af-south-1"),
        (r#"account_id = "999999999999""#, "The identity has the account 999999999999, but the provider's credentials"),
    ];
    for (place, wanted) in elsewhere {
        let identity = format!(r#"{{ cluster_name = "prod", name = "{NAME}", {place} }}"#);
        let printed = workspace.refused_import_by_identity(ADDRESS, &identity).await;
        assert!(printed.contains(wanted), "{printed}");
    }
    end(&stage, &workspace, &security_group).await;
}

/// N36: numbers keep their digits, taints that differ only in unknown values are distinct, and a label is partly
/// unknown.
#[tokio::test]
async fn unknown_values_and_exact_numbers_are_planned() {
    let (stage, workspace) = super::guide("not_known_yet", json!({})).await;
    let data = "resource \"terraform_data\" \"key\" {\n  for_each = toset([\"a\", \"b\"])\n  input = each.key\n}\n";
    workspace.write("data.tf", data);
    let more = r#"
        resource "gitlabspot_node_group" "build" {
          labels     = { intent = "key-${terraform_data.key["a"].output}" }
          taints     = [for it in terraform_data.key : { key = it.output, value = "true", effect = "NoSchedule" }]
          autoscaler = { options = { scale_down_utilization_threshold = 2 / 3 } }
        }
    "#;
    workspace.write("more_override.tf", more);
    workspace.apply().await;
    workspace.assert_stable().await;
    let group = super::node_group(&stage.account).await.unwrap();
    assert_eq!((group.taints().len(), group.labels.unwrap()["intent"].as_str()), (2, "key-a"));
    workspace.set(&json!({ "max_size": 2.5 }));
    let printed = workspace.try_apply().await.failed();
    assert!(printed.contains("The value must be a whole number, but is a fraction."), "{printed}");
    workspace.set(&json!({ "max_size": 5 }));
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
}

/// All attributes that can be updated in place are updated by one apply: role, then version, then the rest, each with a
/// wait, and tags last.
#[tokio::test]
async fn updates_in_place_in_order() {
    let (stage, workspace, security_group) = every("every_change", json!({})).await;
    workspace.apply().await;
    let role = node_group(&stage.account).await.node_role.unwrap();
    stage.account.forget();
    workspace.set(&json!({
        "sizes": { "min": 0, "max": 9, "desired": 2 },
        "labels": { "intent": "test" },
        "taints": [{ "key": "build", "value": "yes", "effect": "NoSchedule" }],
        "additional_policy_arns": ["arn:aws:iam::aws:policy/AmazonS3FullAccess"],
        "permissions_boundary": null,
        "addon_policies": [
            "auto_scaler", "cert_manager", "external_dns", "image_builder", "efs", "aws_load_balancer_controller", "xray",
            "cloud_watch",
        ],
        "versions": { "kubernetes": "1.34", "release": "1.34.0-20251103" },
        "update_config": { "max_unavailable": 2 },
        "node_repair": false,
        "autoscaler": { "options": { "scale_down_unneeded_time": "15m" } },
        "asg_tags": { "cost-center": "builds" },
        "suspend_az_rebalance": false,
        "tags": { "cost": "2" },
    }));
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    workspace.apply().await;
    assert_eq!(
        stage.account.changes(),
        [
            vec!["DeleteRolePermissionsBoundary", "UntagRole", "TagRole"],
            vec!["AttachRolePolicy"; 9],
            vec!["PutRolePolicy"; 4],
            vec!["DetachRolePolicy"; 2],
            vec!["DeleteRolePolicy", "ResumeProcesses", "UpdateNodegroupVersion", "UpdateNodegroupConfig"],
            vec!["UntagResource", "TagResource", "DeleteTags", "CreateOrUpdateTags"],
        ]
        .concat()
    );
    // Each update is observed as successful before the next one starts.
    let calls: Vec<String> = stage.account.calls().into_iter().map(|call| call.action).collect();
    let at = |action: &str| calls.iter().position(|call| call == action).unwrap();
    for (update, next) in
        [("UpdateNodegroupVersion", "UpdateNodegroupConfig"), ("UpdateNodegroupConfig", "TagResource")]
    {
        assert!(calls[at(update)..at(next)].contains(&"DescribeUpdate".to_owned()), "{calls:?}");
    }
    let version = &stage.account.calls_of("eks", "UpdateNodegroupVersion")[0].parameters;
    assert_eq!(
        (&version["version"], &version["releaseVersion"], &version["force"]),
        (&json!("1.34"), &json!("1.34.0-20251103"), &json!(true))
    );
    let config = &stage.account.calls_of("eks", "UpdateNodegroupConfig")[0].parameters;
    assert_eq!(
        config["taints"],
        json!({
            "addOrUpdateTaints": [{ "key": "build", "value": "yes", "effect": "NO_SCHEDULE" }],
            "removeTaints": config["taints"]["removeTaints"],
        })
    );
    let removed = config["taints"]["removeTaints"].as_array().unwrap();
    let mut removed: Vec<String> = removed.iter().map(|taint| taint["key"].to_string()).collect();
    removed.sort();
    assert_eq!(removed, [r#""hard""#, r#""soft""#]);
    assert_eq!(config["scalingConfig"], json!({ "minSize": 0, "maxSize": 9 }));
    assert_eq!(config["updateConfig"], json!({ "maxUnavailable": 2, "updateStrategy": "MINIMAL" }));
    assert_eq!(config["nodeRepairConfig"], json!({ "enabled": false }));

    let group = node_group(&stage.account).await;
    assert_eq!((group.version(), group.node_role()), (Some("1.34"), Some(role.as_str())));
    let tags = group.tags.unwrap();
    let tags: BTreeMap<&str, &str> = tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!((tags.get("cost"), tags.get("stage"), tags.get("team")), (Some(&"2"), None, Some(&"ci")));
    assert!(asg(&stage.account).await.suspended_processes().is_empty());
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &UNREADABLE).await;
    end(&stage, &workspace, &security_group).await;
}

/// Tags of others are preserved and are not drift. An import omits ignored tags.
#[tokio::test]
async fn tags_of_others_are_preserved() {
    let (stage, workspace, security_group) = every("tags_of_others", json!({})).await;
    workspace.apply().await;
    let arn = node_group(&stage.account).await.nodegroup_arn.unwrap();
    let request = stage.account.eks().tag_resource().resource_arn(&arn);
    request.tags("last-seen", "today").tags("backup:plan", "daily").send().await.unwrap();
    workspace.assert_stable().await;
    workspace.assert_import(ADDRESS, &format!("prod:{NAME}"), &UNREADABLE).await;
    stage.account.eks().tag_resource().resource_arn(&arn).tags("theirs", "x").send().await.unwrap();
    workspace.assert_stable().await;
    // A managed tag that others changed is restored.
    stage.account.eks().tag_resource().resource_arn(&arn).tags("cost", "9").tags("team", "other").send().await.unwrap();
    assert_eq!(workspace.plan().await.changes()[ADDRESS], ["update"]);
    stage.account.forget();
    workspace.apply().await;
    workspace.assert_stable().await;
    let changes = stage.account.changes();
    assert!(changes.iter().any(|change| change == "TagResource"), "{changes:?}");
    assert!(!changes.iter().any(|change| change.contains("Nodegroup")), "{changes:?}");
    let tags = node_group(&stage.account).await.tags.unwrap();
    let found = ["cost", "team", "theirs", "last-seen", "backup:plan"].map(|key| tags[key].as_str());
    assert_eq!(found, ["1", "ci", "x", "today", "daily"]);
    end(&stage, &workspace, &security_group).await;
}
