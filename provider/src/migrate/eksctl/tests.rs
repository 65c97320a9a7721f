use super::*;
use crate::migrate::hcl::Value;
use crate::migrate::tests::expected;

/// What is written of a file, and the report.
fn migrated(text: &str) -> (String, String) {
    let mut project = Project::default();
    migrate("cluster.yaml", text, &mut project).unwrap();
    let files = project.files();
    let of =
        |name: &str| files.iter().find(|(file, _)| *file == name).map(|(_, text)| text.clone()).unwrap_or_default();
    let main = of("main.tf");
    let resources = main.find("\nresource ").or_else(|| main.find("\n# The import")).unwrap_or(main.len());
    let start = main.find("\n# The import").map_or(resources, |at| at.min(resources));
    (format!("{}{}", of("variables.tf"), main.get(start + 1..).unwrap_or_default()), of("migrate.md"))
}

fn refused(text: &str) -> String {
    migrate("cluster.yaml", text, &mut Project::default()).unwrap_err().to_string()
}

#[test]
fn node_group_of_the_guide_is_migrated() {
    let (hcl, report) = migrated(include_str!("testdata/guide.yaml"));
    assert_eq!(hcl, expected("eksctl/testdata/guide.tf"));
    for line in [
        "cluster.yaml:32, `managedNodeGroups[0].iam.withAddonPolicies.externalDNS`: part of the role",
        "cluster.yaml:34, `managedNodeGroups[0].ssh.publicKeyName`: part of the launch template eksctl-CLUSTER-nodegroup-build",
        "tags for the cluster autoscaler (4) are removed from the node group",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert!(!report.contains("no counterpart"), "{report}");
}

#[test]
fn every_form_of_taints_and_tags_is_read() {
    let of = |taints: &str, tags: &str| {
        let text = format!(
            "metadata: {{name: prod, region: eu-west-1}}\nmanagedNodeGroups:\n- name: a\n  instanceType: m5.large\n  taints: {taints}\n  tags: {tags}\n"
        );
        migrated(&text).0
    };
    let expected =
        of("[{key: x, value: 'true', effect: NoSchedule}, {key: z, effect: NoExecute}]", "{team: ci, count: '3'}");
    assert!(expected.contains("key    = \"x\"\n      value  = \"true\"\n      effect = \"NoSchedule\""), "{expected}");
    assert!(expected.contains("tags = {\n    team  = \"ci\"\n    count = \"3\"\n  }"), "{expected}");
    for taints in [
        "{x: 'true:NoSchedule', z: NoExecute}",
        "{x: 'true:NO_SCHEDULE', z: ':NoExecute'}",
        "['x=true:NoSchedule', 'z:NoExecute']",
        "[{key: x, value: true, effect: NO_SCHEDULE}, {key: z, value: null, effect: NO_EXECUTE}]",
    ] {
        assert_eq!(of(taints, "{team: ci, count: 3}"), expected, "{taints}");
    }
    for tags in ["[team=ci, count=3]", "[{key: team, value: ci}, {Key: count, Value: 3}]"] {
        assert_eq!(of("{x: 'true:NoSchedule', z: NoExecute}", tags), expected, "{tags}");
    }
}

#[test]
fn missing_keys_have_the_defaults_of_eksctl() {
    let (hcl, report) =
        migrated("metadata: {name: prod}\nmanagedNodeGroups:\n- name: a\n  desiredCapacity: 3\n  ssh: {allow: true}\n");
    for line in [
        "capacity_type  = \"ON_DEMAND\"",
        "instance_types = [\"m5.large\"]",
        "min_size       = 3",
        "max_size       = 3",
        "name = \"eksctl-prod-nodegroup-a\"",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    for line in [
        "cluster.yaml:4, `managedNodeGroups[0].desiredCapacity`: minSize or maxSize is missing.",
        "eksctl uses m5.large",
        "the file has no zones",
        "cluster.yaml:5, `managedNodeGroups[0].ssh.allow`",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn values_only_known_to_aws_become_variables() {
    let (hcl, report) = migrated(
        "managedNodeGroups:\n- name: a\n  instanceSelector: {vCPUs: 8}\n  subnets: [private-one]\n  spot: yes\n\
         - name: b\n  launchTemplate: {id: lt-1, version: 3}\n  subnets: [subnet-1]\n  iam: {instanceRoleARN: 'arn:aws:iam::1:role/x'}\n",
    );
    for line in [
        "variable \"cluster_name\"",
        "variable \"a_instance_types\"",
        "variable \"b_instance_types\"",
        "instance_types = var.a_instance_types",
        "name = \"eksctl-${var.cluster_name}-nodegroup-a\"",
        "\"alpha.eksctl.io/cluster-name\"   = var.cluster_name",
        "id      = \"lt-1\"\n    version = \"3\"",
        "subnet_ids     = [\"subnet-1\"]",
        "node_role_arn = \"arn:aws:iam::1:role/x\"",
    ] {
        assert!(hcl.contains(line), "{line}: {hcl}");
    }
    for line in
        ["`managedNodeGroups[0].instanceSelector`", "gitlabspot_spot_instance_types", "`managedNodeGroups[0].subnets`"]
    {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn unsupported_keys_are_listed_with_their_lines() {
    let (_, report) = migrated(
        "metadata: {name: prod}\nvpc: {id: x}\nnonsense: 1\nmanagedNodeGroups:\n- name: a\n  instanceType: m5.large\n  maxPodPerNode: 5\n  asgSuspendProcesses: [AZRebalance]\n  \
         maxPrice: 1\n  nodeRepairConfig: {enabled: true, maxUnhealthyNodeThresholdCount: 1}\n  volumeType: gp3\n",
    );
    for line in [
        "cluster.yaml:2, `vpc`: it belongs to the cluster",
        "cluster.yaml:3, `nonsense`: this version of the provider does not know this key of eksctl",
        "cluster.yaml:7, `managedNodeGroups[0].maxPodPerNode`: this version of the provider does not know this key of managed groups. Did you mean \"maxPodsPerNode\"?",
        "cluster.yaml:8, `managedNodeGroups[0].asgSuspendProcesses`",
        "cluster.yaml:9, `managedNodeGroups[0].maxPrice`",
        "cluster.yaml:10, `managedNodeGroups[0].nodeRepairConfig.maxUnhealthyNodeThresholdCount`: the import keeps it",
        "cluster.yaml:11, `managedNodeGroups[0].volumeType`: part of the launch template eksctl-prod-nodegroup-a",
        "template.root_volume.type",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn groups_with_a_capacity_block_are_left_out() {
    let (hcl, report) = migrated(
        "metadata: {name: prod}\nmanagedNodeGroups:\n- name: a\n  instanceType: p5.48xlarge\n  \
         instanceMarketOptions: {marketType: capacity-block}\n",
    );
    assert_eq!(hcl, "");
    let line = "cluster.yaml:5, `managedNodeGroups[0].instanceMarketOptions`: a has a capacity block";
    assert!(report.contains(line), "{report}");
}

/// EKS has CUSTOM for these groups: any other type would replace them.
#[test]
fn groups_with_an_image_of_their_own_have_no_ami_type() {
    let of = |keys: &str| {
        let group = "name: a, instanceType: m5.large, amiFamily: AmazonLinux2023";
        migrated(&format!("metadata: {{name: prod}}\nmanagedNodeGroups: [{{{group}{keys}}}]\n")).0
    };
    assert!(of("").contains("ami_type = \"AL2023_x86_64_STANDARD\""), "{}", of(""));
    for keys in [", ami: ami-0123456789abcdef0", ", launchTemplate: {id: lt-0123456789abcdef0}"] {
        assert!(!of(keys).contains("ami_type"), "{}", of(keys));
    }
}

#[test]
fn self_managed_groups_are_explained() {
    let (hcl, report) = migrated(
        "metadata: {name: prod}\nnodeGroups:\n- name: old\n  minSize: 0\n  maxSize: 3\n  instancesDistribution: {instanceTypes: [m5.large, m5a.large], \
         onDemandPercentageAboveBaseCapacity: 0, maxPrice: 0.2}\n  taints: {a: 'b:NoSchedule'}\n  kubeletExtraConfig: {}\n",
    );
    assert_eq!(hcl, "");
    for line in [
        "cluster.yaml:3, `nodeGroups[0]`: old is a self-managed group: an Auto Scaling Group that eksctl created",
        "`nodeGroups[0].instancesDistribution.maxPrice`",
        "`nodeGroups[0].kubeletExtraConfig`: part of the self-managed group old. Equivalent in a managed group: template.kubelet.",
        "## A managed group in place of old",
        "capacity_type  = \"SPOT\"",
        "instance_types = [\"m5.large\", \"m5a.large\"]",
        "effect = \"NoSchedule\"",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
}

#[test]
fn files_of_other_tools_are_refused() {
    for (text, why) in [
        ("", "it is empty"),
        ("- a\n", "it is not a map"),
        ("a: [", "not valid YAML"),
        ("kind: Pod\nmanagedNodeGroups: []\n", "its kind is \"Pod\""),
        (
            "metadata: {name: x}\n",
            "is not a configuration file of eksctl: it has neither managedNodeGroups nor nodeGroups",
        ),
        ("kind: ClusterConfig\nautoModeConfig: {enabled: true}\n", "cluster.yaml has no node groups"),
        ("gitlabUrl: x\nrunners: {}\n", "Give it with --values"),
        ("managedNodeGroups: {}\n", "cluster.yaml:1: managedNodeGroups: it must be a list"),
        ("managedNodeGroups: [a]\n", "managedNodeGroups[0]: it must be a map"),
        ("managedNodeGroups:\n- spot: true\n", "managedNodeGroups[0]: the group has no name"),
        (
            "managedNodeGroups:\n- name: a\n  minSize: two\n",
            "cluster.yaml:3: managedNodeGroups[0].minSize: it must be a whole",
        ),
        (
            "managedNodeGroups:\n- name: a\n  minSize: 3\n  maxSize: 1\n",
            "minSize = 3 and maxSize = 1 are not in this order.",
        ),
        (
            "managedNodeGroups:\n- name: a\n  maxSize: 1\n",
            "minSize = 2 and maxSize = 1 are not in this order, with eksctl's default for the one that is missing",
        ),
        ("managedNodeGroups:\nnodeGroups: []\n", "has no node groups"),
        (
            "managedNodeGroups:\n- name: a\n  instanceType: ${TYPE}\n",
            "cluster.yaml:3: managedNodeGroups[0].instanceType: \"${TYPE}\" is a placeholder",
        ),
        ("managedNodeGroups:\n- name: a\n  minSize: $MIN\n", "\"$MIN\" is a placeholder"),
        ("managedNodeGroups:\n- name: 'a-{{ env }}'\n", "is a placeholder"),
        ("managedNodeGroups:\n- name: a\n  taints: [{key: a, effect: Never}]\n", "is no effect of a taint"),
        ("managedNodeGroups:\n- name: a\n  taints: {a: b}\n", "it must end with :NoSchedule"),
        ("managedNodeGroups:\n- name: a\n  labels: [a]\n", "it must be a map of texts"),
    ] {
        let message = refused(text);
        assert!(message.contains(why), "{text:?}: {message}");
    }
    let mut project = Project::default();
    project.cluster.name = Some("other".to_owned());
    let text = "metadata: {name: prod}\nmanagedNodeGroups: [{name: a}]\n";
    let message = migrate("cluster.yaml", text, &mut project).unwrap_err().to_string();
    assert!(message.contains("the file has \"prod\", and the options have \"other\""), "{message}");
}

#[test]
fn placeholders_of_name_and_region_are_unknown_values() {
    let text =
        "metadata: {name: '${CLUSTER}', region: $REGION}\nmanagedNodeGroups: [{name: a, tags: {price: 'a ${b}'}}]\n";
    let (hcl, _) = migrated(text);
    assert!(hcl.contains("cluster_name   = var.cluster_name"), "{hcl}");
    assert!(hcl.contains("price = \"a $${b}\""), "{hcl}");
    let mut project = Project::default();
    project.cluster.name = Some("prod".to_owned());
    migrate("cluster.yaml", text, &mut project).unwrap();
    assert_eq!(project.cluster.name.as_deref(), Some("prod"));
}

#[test]
fn suggested_groups_have_tags_and_ami_type() {
    let (_, report) = migrated(
        "metadata: {name: prod, tags: {all: x}}\nnodeGroups:\n- name: old\n  amiFamily: WindowsServer2022FullContainer\n  tags: {team: ci, \
         k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage: 100G}\n  privateNetworking: true\n  volumeSize: 50\n  \
         subnets: [private-a]\n  maxPodsPerNode: 30\n  classicLoadBalancerNames: [a]\n",
    );
    for line in [
        "  ami_type       = \"WINDOWS_FULL_2022_x86_64\"",
        "  tags = {\n    all  = \"x\"\n    team = \"ci\"\n  }",
        "ephemeral-storage = \"100G\"",
        "size = 50",
        "# Set subnet_ids or availability_zones as well",
        "`nodeGroups[0].privateNetworking`: part of the self-managed group old. Equivalent in a managed group: private subnets in subnet_ids.",
        "`nodeGroups[0].maxPodsPerNode`: part of the self-managed group old. Equivalent in a managed group: template.kubelet.max_pods.",
        "`nodeGroups[0].classicLoadBalancerNames`: part of the self-managed group old. A managed group has no equivalent.",
        "--cluster prod --name old",
    ] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert!(!report.contains("amiFamily") && !report.contains("volumeSize"), "{report}");
}

#[test]
fn keys_of_the_table_are_unique() {
    let mut paths = keys::paths();
    let count = paths.len();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), count);
}

#[test]
fn region_is_derived_from_zones() {
    let mut project = Project::default();
    migrate("a", "managedNodeGroups: [{name: a, availabilityZones: [us-gov-west-1a]}]", &mut project).unwrap();
    assert_eq!(project.region.as_deref(), Some("us-gov-west-1"));
    assert_eq!(project.cluster().value(), Value::expression("var.cluster_name"));
}
