"""The states of node groups, and their Auto Scaling Groups."""

from .local_aws import AwsTest

PLACE = {"clusterName": "prod", "nodegroupName": "build"}


class NodeGroupTest(AwsTest):
    def setUp(self):
        super().setUp()
        self.eks = self.client("eks")

    def create(self, **changes) -> dict:
        return self.eks.create_nodegroup(**self.node_group(**changes))["nodegroup"]

    def statuses(self, count: int) -> list[str]:
        return [self.eks.describe_nodegroup(**PLACE)["nodegroup"]["status"] for _ in range(count)]

    def active(self, **changes) -> dict:
        self.make_role()
        self.create(**changes)
        self.statuses(2)
        return self.eks.describe_nodegroup(**PLACE)["nodegroup"]


class States(NodeGroupTest):
    def test_creating_becomes_active_after_two_describes(self):
        self.make_role()
        self.assertEqual(self.create()["status"], "CREATING")
        self.assertEqual(self.statuses(4), ["CREATING", "CREATING", "ACTIVE", "ACTIVE"])

    def test_response_has_request_and_defaults(self):
        group = self.active(
            capacityType="SPOT", labels={"a": "b"}, nodeRepairConfig={"enabled": True}
        )
        name = group["resources"]["autoScalingGroups"][0]["name"]
        self.assertRegex(name, r"^eks-build-[0-9a-f-]{36}$")
        for varying in ("nodegroupArn", "createdAt", "modifiedAt", "resources", "subnets"):
            del group[varying]
        self.assertEqual(
            group,
            {
                "nodegroupName": "build",
                "clusterName": "prod",
                "version": "1.36",
                "releaseVersion": "1.36.0-20251103",
                "status": "ACTIVE",
                "capacityType": "SPOT",
                "scalingConfig": {"minSize": 0, "maxSize": 5, "desiredSize": 0},
                "instanceTypes": ["t3.medium"],
                "amiType": "AL2023_x86_64_STANDARD",
                "nodeRole": f"arn:aws:iam::{self.account}:role/node",
                "labels": {"a": "b"},
                "diskSize": 20,
                "health": {"issues": []},
                "updateConfig": {"maxUnavailable": 1},
                "nodeRepairConfig": {"enabled": True},
                "tags": {},
            },
        )

    def test_auto_scaling_group_has_five_tags_and_the_sizes(self):
        wanted = {"minSize": 1, "maxSize": 4, "desiredSize": 2}
        name = self.active(scalingConfig=wanted)["resources"]["autoScalingGroups"][0]["name"]
        groups = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
        group = groups["AutoScalingGroups"][0]
        self.assertEqual([group[k] for k in ("MinSize", "MaxSize", "DesiredCapacity")], [1, 4, 2])
        self.assertEqual(
            {tag["Key"]: tag["Value"] for tag in group["Tags"]},
            {
                "eks:cluster-name": "prod",
                "eks:nodegroup-name": "build",
                "kubernetes.io/cluster/prod": "owned",
                "k8s.io/cluster-autoscaler/enabled": "true",
                "k8s.io/cluster-autoscaler/prod": "owned",
            },
        )

    def test_size_of_the_auto_scaling_group_is_the_desired_size(self):
        name = self.active()["resources"]["autoScalingGroups"][0]["name"]
        autoscaling = self.client("autoscaling")
        autoscaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=3)
        shown = self.eks.describe_nodegroup(**PLACE)["nodegroup"]["scalingConfig"]
        self.assertEqual(shown, {"minSize": 0, "maxSize": 5, "desiredSize": 3})
        code, _ = self.refused(
            autoscaling.set_desired_capacity, AutoScalingGroupName=name, DesiredCapacity=6
        )
        self.assertEqual(code, "ValidationError")

    def test_the_same_token_is_the_same_create(self):
        self.make_role()
        first = self.create(clientRequestToken="one")
        self.assertEqual(
            self.create(clientRequestToken="one")["nodegroupArn"], first["nodegroupArn"]
        )
        arguments = self.node_group(clientRequestToken="two")
        code, _ = self.refused(self.eks.create_nodegroup, **arguments)
        self.assertEqual(code, "ResourceInUseException")

    def test_invalid_requests_are_refused(self):
        def refusal(**changes) -> str:
            code, message = self.refused(self.eks.create_nodegroup, **self.node_group(**changes))
            self.assertEqual(code, "InvalidParameterException")
            return message

        self.assertIn("role with name node cannot be found", refusal())
        self.make_role()
        cluster_role = self.furnished["cluster_role_arn"]
        self.assertIn("[ec2.amazonaws.com] were not found", refusal(nodeRole=cluster_role))
        self.assertIn("'subnet-0' does not exist", refusal(subnets=["subnet-0"]))
        sizes = {"minSize": 2, "maxSize": 5, "desiredSize": 1}
        self.assertIn("can't be greater than desired size 1", refusal(scalingConfig=sizes))
        sizes = {"minSize": 0, "maxSize": 5, "desiredSize": 6}
        self.assertIn("can't be greater than max size 5", refusal(scalingConfig=sizes))
        self.assertIn("greater than the cluster's version", refusal(version="1.99"))
        other = "Allowed release version is 1.36.0-20251103"
        self.assertIn(other, refusal(version="1.36", releaseVersion="1.35.1-1"))
        self.assertIn(other, refusal(releaseVersion="1.35.1-1"))

    def test_invalid_labels_are_refused(self):
        self.make_role()

        def refusal(**changes) -> str:
            code, message = self.refused(self.eks.create_nodegroup, **self.node_group(**changes))
            self.assertEqual(code, "InvalidParameterException")
            return message

        self.assertIn("length between 1 and 63", refusal(labels={"a": ""}))
        self.assertIn("length between 1 and 63", refusal(labels={f"{'a' * 62}.io/b": "c"}))
        taint = {"key": f"{'a' * 62}.io/b", "effect": "NO_SCHEDULE"}
        self.assertIn("taintKey", refusal(taints=[taint]))
        for key in ("node-role.kubernetes.io/build", "k8s.io/x", "eks.amazonaws.com/x"):
            self.assertIn("reserved prefixes", refusal(labels={key: "true"}))
        self.create(labels={"node.kubernetes.io/x": "a", "kubernetes.io/os": "linux"})

    def test_instance_types_unsupported_by_the_ami_are_refused(self):
        self.make_role()

        def refusal(**changes) -> str:
            code, message = self.refused(self.eks.create_nodegroup, **self.node_group(**changes))
            self.assertEqual(code, "InvalidParameterException")
            return message

        wrong = "is not a valid instance type for requested amiType"
        for kind in ("g4dn.2xlarge", "inf1.2xlarge", "m1.xlarge", "m6g.large"):
            self.assertIn(f"[{kind}] {wrong}", refusal(instanceTypes=["c5.large", kind]))
        arm = {"amiType": "AL2023_ARM_64_STANDARD"}
        for kind in ("a1.2xlarge", "g5g.2xlarge", "c5.large"):
            self.assertIn(f"[{kind}] {wrong}", refusal(instanceTypes=[kind], **arm))
        self.create(instanceTypes=["m6g.large"], **arm)
        gpu = {"instanceTypes": ["g4dn.2xlarge"], "amiType": "AL2023_x86_64_NVIDIA"}
        self.create(nodegroupName="gpu", **gpu)

    def test_instance_types_beside_a_template_are_refused(self):
        self.make_role()
        ec2 = self.client("ec2")
        data = {"InstanceType": "c5.large"}
        ec2.create_launch_template(LaunchTemplateName="builds", LaunchTemplateData=data)
        template = {"launchTemplate": {"name": "builds"}}
        arguments = self.node_group(instanceTypes=["c5.large"], **template)
        _, message = self.refused(self.eks.create_nodegroup, **arguments)
        self.assertIn("Cannot specify instance types in launch template and API request", message)
        self.assertNotIn("instanceTypes", self.create(**template))

    def test_planned_failure_has_its_issues(self):
        self.make_role()
        issue = {
            "code": "AsgInstanceLaunchFailures",
            "message": "none left",
            "resourceIds": ["eks-x"],
        }
        plan = {"on": "create", "status": "CREATE_FAILED", "issues": [issue], "polls": 0}
        self.post("nodegroup-plan", {"account": self.account, **plan})
        self.create()
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual((group["status"], group["health"]["issues"]), ("CREATE_FAILED", [issue]))

    def test_delete_deletes_the_parts(self):
        self.active(remoteAccess={"ec2SshKey": "ssh"})
        kinds = {
            "node_groups",
            "auto_scaling_groups",
            "launch_templates",
            "security_groups",
            "roles",
        }
        self.assertEqual(set(self.get("leftovers")), kinds)
        self.eks.delete_nodegroup(**PLACE)
        self.assertEqual(self.statuses(2), ["DELETING", "DELETING"])
        code, _ = self.refused(self.eks.describe_nodegroup, **PLACE)
        self.assertEqual(code, "ResourceNotFoundException")
        self.assertEqual(self.get("leftovers"), {"roles": ["node"]})

    def test_planned_deletion_failure_keeps_the_group(self):
        self.active()
        plan = {"on": "delete", "status": "DELETE_FAILED", "polls": 0}
        self.post("nodegroup-plan", {"account": self.account, **plan})
        self.eks.delete_nodegroup(**PLACE)
        self.assertEqual(self.statuses(2), ["DELETE_FAILED", "DELETE_FAILED"])

    def test_missing_cluster(self):
        code, _ = self.refused(self.eks.list_nodegroups, clusterName="other")
        self.assertEqual(code, "ResourceNotFoundException")


class Access(NodeGroupTest):
    """Access of nodes to the cluster."""

    def test_access_entry_belongs_to_the_role_and_not_to_its_name(self):
        self.active()
        entry = {"clusterName": "prod", "principalArn": f"arn:aws:iam::{self.account}:role/node"}
        made = self.eks.describe_access_entry(**entry)["accessEntry"]
        self.assertEqual((made["type"], made["kubernetesGroups"]), ("EC2_LINUX", ["system:nodes"]))
        self.assertEqual(self.get("node-access"), {"prod/build": True})
        self.eks.delete_nodegroup(**PLACE)
        self.statuses(2)
        self.refused(self.eks.describe_nodegroup, **PLACE)
        self.client("iam").delete_role(RoleName="node")
        self.make_role()
        self.create(scalingConfig={"minSize": 1, "maxSize": 5, "desiredSize": 1})
        self.assertEqual(self.get("node-access"), {"prod/build": False})
        self.statuses(2)
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual(group["status"], "CREATE_FAILED")
        self.assertEqual(group["health"]["issues"][0]["code"], "NodeCreationFailure")

    def test_public_subnet_needs_public_addresses(self):
        ec2 = self.client("ec2")
        vpc, zone = self.furnished["vpc_id"], "af-south-1a"
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(
            RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
        )
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.224.0/24", AvailabilityZone=zone)
        subnet = subnet["Subnet"]["SubnetId"]
        self.make_role()
        self.create(subnets=[subnet], nodegroupName="private")
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        self.create(subnets=[subnet])
        self.statuses(2)
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual(group["health"]["issues"][0]["code"], "Ec2SubnetInvalidConfiguration")
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        self.create(subnets=[subnet], nodegroupName="public")


class Updates(NodeGroupTest):
    def update(self, **changes) -> dict:
        return self.eks.update_nodegroup_config(**PLACE, **changes)["update"]

    def finish(self, update: dict) -> dict:
        while update["status"] == "InProgress":
            update = self.eks.describe_update(
                name="prod", nodegroupName="build", updateId=update["id"]
            )["update"]
        return update

    def test_update_takes_effect_at_its_end(self):
        taint = {"key": "builds", "value": "true", "effect": "NO_SCHEDULE"}
        self.active(labels={"a": "1", "b": "2"}, taints=[taint])
        changed = {**taint, "value": "only"}
        update = self.update(
            labels={"addOrUpdateLabels": {"c": "3"}, "removeLabels": ["a"]},
            taints={"addOrUpdateTaints": [changed]},
            scalingConfig={"maxSize": 7},
            clientRequestToken="one",
        )
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual((group["status"], group["labels"]), ("UPDATING", {"a": "1", "b": "2"}))
        again = self.update(scalingConfig={"maxSize": 7}, clientRequestToken="one")
        self.assertEqual(again["id"], update["id"])
        code, _ = self.refused(self.update, scalingConfig={"maxSize": 8})
        self.assertEqual(code, "ResourceInUseException")
        code, _ = self.refused(self.eks.delete_nodegroup, **PLACE)
        self.assertEqual(code, "ResourceInUseException")

        self.assertEqual(self.finish(update)["status"], "Successful")
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual(
            [group[k] for k in ("status", "labels", "taints", "scalingConfig")],
            [
                "ACTIVE",
                {"b": "2", "c": "3"},
                [changed],
                {"minSize": 0, "maxSize": 7, "desiredSize": 0},
            ],
        )

    def test_failed_update_changes_nothing(self):
        self.active(labels={"a": "1"})
        error = {"errorCode": "NodeCreationFailure", "errorMessage": "no", "resourceIds": ["i-1"]}
        plan = {"on": "update", "status": "Failed", "errors": [error]}
        self.post("nodegroup-plan", {"account": self.account, **plan})
        update = self.finish(self.update(labels={"addOrUpdateLabels": {"a": "2"}}))
        self.assertEqual((update["status"], update["errors"]), ("Failed", [error]))
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual((group["status"], group["labels"]), ("ACTIVE", {"a": "1"}))

    def test_describe_nodegroup_ends_an_update(self):
        self.active()
        self.update(scalingConfig={"maxSize": 6})
        self.assertEqual(self.statuses(3), ["UPDATING", "UPDATING", "ACTIVE"])

    def test_default_version_and_release_of_an_update(self):
        self.active(version="1.35", releaseVersion="1.35.0-20250101")

        def update(**changes) -> dict:
            return self.eks.update_nodegroup_version(**PLACE, **changes)["update"]

        code, message = self.refused(update, releaseVersion="1.36.0-20251103")
        self.assertEqual(code, "InvalidParameterException")
        self.assertIn("Allowed release version is 1.35.0-20251103", message)
        self.finish(update())
        group = self.eks.describe_nodegroup(**PLACE)["nodegroup"]
        self.assertEqual((group["version"], group["releaseVersion"]), ("1.35", "1.35.0-20251103"))
        _, message = self.refused(update, releaseVersion="1.35.0-20250101")
        self.assertIn("cannot roll back", message)

    def test_updating_cluster_refuses_changes(self):
        self.active()
        busy = {"account": self.account, "status": "UPDATING", "refusals": 2}
        self.post("cluster-status", busy)
        self.assertEqual(self.eks.describe_cluster(name="prod")["cluster"]["status"], "UPDATING")
        code, message = self.refused(self.update, scalingConfig={"maxSize": 7})
        self.assertEqual(code, "InvalidRequestException")
        self.assertIn("Cluster 'prod' is not in ACTIVE status", message)
        arguments = self.node_group(nodegroupName="other")
        code, _ = self.refused(self.eks.create_nodegroup, **arguments)
        self.assertEqual(code, "InvalidRequestException")
        self.eks.create_nodegroup(**arguments)

    def test_taint_both_added_and_removed(self):
        self.active()
        taint = {"key": "builds", "value": "true", "effect": "NO_SCHEDULE"}
        both = {"addOrUpdateTaints": [taint], "removeTaints": [taint]}
        code, _ = self.refused(self.update, taints=both)
        self.assertEqual(code, "InvalidParameterException")

    def test_unknown_update(self):
        self.active()
        code, _ = self.refused(
            self.eks.describe_update, name="prod", nodegroupName="build", updateId="none"
        )
        self.assertEqual(code, "ResourceNotFoundException")
