"""Node groups take what EKS takes from launch templates, and tell in their own what nodes are."""

from .test_launch_templates import TemplateTest, encoded
from .test_nodegroups import PLACE

MIME = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: text/x-shellscript; charset="us-ascii"

#!/bin/bash
echo one

--//--
"""
BUILDS = {"launchTemplate": {"name": "builds"}}


class NodeGroupTest(TemplateTest):
    def setUp(self):
        super().setUp()
        self.eks = self.client("eks")
        self.make_role()

    def group(self, **changes) -> dict:
        """A node group that is ACTIVE."""
        self.eks.create_nodegroup(**self.node_group(**changes))
        return self.look(3)

    def look(self, times: int) -> dict:
        """The node group as the last look shows it: what goes on has ended by the third."""
        return [self.eks.describe_nodegroup(**PLACE)["nodegroup"] for _ in range(times)][-1]

    def update(self, **changes) -> dict:
        return self.eks.update_nodegroup_version(**PLACE, **changes)["update"]

    def says(self, call, **arguments) -> str:
        code, message = self.refused(call, **arguments)
        self.assertEqual(code, "InvalidParameterException")
        return message

    def own(self, group: dict) -> dict:
        """The template that EKS made for a node group."""
        uuid = group["nodegroupArn"].split("/")[-1]
        answer = self.ec2.describe_launch_templates(LaunchTemplateNames=[f"eks-{uuid}"])
        return answer["LaunchTemplates"][0]

    def nodes(self, group: dict) -> dict:
        """What new nodes of a group are like."""
        return self.data("$Default", self.own(group)["LaunchTemplateName"])

    def asg_policy(self, group: dict) -> tuple[str, list[str]]:
        """Version of the launch template, and instance types, of the Auto Scaling Group."""
        name = group["resources"]["autoScalingGroups"][0]["name"]
        answer = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
        policy = answer["AutoScalingGroups"][0]["MixedInstancesPolicy"]["LaunchTemplate"]
        types = [override["InstanceType"] for override in policy["Overrides"]]
        return policy["LaunchTemplateSpecification"]["Version"], types


class Refusals(NodeGroupTest):
    def create_says(self, data: dict, **changes) -> str:
        """The refusal of a new node group from a template with `data`."""
        if not self.ec2.describe_launch_templates()["LaunchTemplates"]:
            self.create()
        version = str(self.add(data=data))
        template = {"launchTemplate": {"name": "builds", "version": version}}
        return self.says(self.eks.create_nodegroup, **self.node_group(**template, **changes))

    def create_takes(self, data: dict, **changes) -> None:
        version = str(self.add(data=data))
        arguments = self.node_group(
            nodegroupName=f"build-{version}",
            launchTemplate={"name": "builds", "version": version},
            **changes,
        )
        self.eks.create_nodegroup(**arguments)

    def test_fields_reserved_by_eks_are_refused(self):
        unsupported = "not supported with the launch template."
        for data, message in (
            (
                {"IamInstanceProfile": {"Name": "node"}},
                "Launch template builds should not specify an instance profile. The noderole",
            ),
            (
                {"NetworkInterfaces": [{"DeviceIndex": 0, "SubnetId": "subnet-1"}]},
                "should not specify subnets in its network interfaces",
            ),
            (
                {"InstanceInitiatedShutdownBehavior": "terminate"},
                f"shutdown behavior is {unsupported}",
            ),
            (
                {"HibernationOptions": {"Configured": True}},
                f"Hibernation options are {unsupported}",
            ),
            (
                {"InstanceMarketOptions": {"MarketType": "spot"}},
                f"Instance market options are {unsupported}",
            ),
        ):
            self.assertIn(message, self.create_says(data))
        self.create_takes({"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1"]}]})

    def test_selection_of_the_template_is_checked(self):
        template = self.create()["LaunchTemplateId"]

        def says(**specification) -> str:
            arguments = self.node_group(launchTemplate=specification)
            return self.says(self.eks.create_nodegroup, **arguments)

        self.assertIn("lt-1 cannot be found", says(id="lt-1"))
        self.assertIn("Either provide", says(id=template, name="builds"))
        self.assertIn("Either provide", says(version="1"))
        missing = "Could not find the specified version 2 for the launch template with ID"
        self.assertIn(missing, says(id=template, version="2"))
        self.add()
        self.ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["2"])
        self.assertIn(missing, says(id=template, version="2"))

    def test_custom_ami(self):
        image = {"ImageId": "ami-12345678"}
        for changes, message in (
            ({"amiType": "AL2023_x86_64_STANDARD"}, "AMI Type other than CUSTOM"),
            ({"version": "1.36"}, "You cannot specify a kubernetes version to use when specifying"),
            ({"releaseVersion": "1.36.0-20251103"}, "You cannot specify a release version to use"),
        ):
            self.assertIn(message, self.create_says(image, **changes))
        self.ec2.delete_launch_template(LaunchTemplateName="builds")
        # How its user data is written is up to the image.
        self.create(data={**image, "UserData": encoded("#!/bin/bash")})
        group = self.group(**BUILDS, amiType="CUSTOM")
        told = (group["amiType"], group["releaseVersion"], group["version"])
        self.assertEqual(told, ("CUSTOM", "ami-12345678", "1.36"))

        null = "Launch template details can't be null for Custom ami type node group"
        self.assertEqual(self.says(self.update), null)
        self.add()
        version = {"launchTemplate": {"name": "builds", "version": "2"}}
        self.assertIn("must specify an image id", self.says(self.update, **version))
        self.add(data={"ImageId": "ami-87654321"})
        version = {"launchTemplate": {"name": "builds", "version": "3"}}
        says = self.says(self.update, **version, version="1.36")
        self.assertIn("You cannot specify a kubernetes version", says)
        self.update(**version)
        self.assertEqual(self.look(3)["releaseVersion"], "ami-87654321")

    def test_user_data_of_amazon_linux(self):
        script = {"UserData": encoded("#!/bin/bash")}
        message = "User data was not in the MIME multipart format."
        self.assertEqual(self.create_says(script), message)
        for kind in ("AL2_x86_64", "AL2023_x86_64_NVIDIA"):
            self.assertEqual(self.create_says(script, amiType=kind), message)
            self.create_takes({"UserData": encoded(MIME)}, amiType=kind)

    def test_user_data_of_bottlerocket(self):
        kind = {"amiType": "BOTTLEROCKET_x86_64"}
        message = "User data was not in the TOML format."
        self.assertEqual(self.create_says({"UserData": encoded(MIME)}, **kind), message)
        for name in ("api-server", "cluster-certificate", "cluster-name"):
            settings = {"UserData": encoded(f'[settings.kubernetes]\n{name} = "x"\n')}
            message = f"User data must not set settings.kubernetes.{name}."
            self.assertEqual(self.create_says(settings, **kind), message)
        self.create_takes({"UserData": encoded("[settings.kubernetes]\nmax-pods = 9\n")}, **kind)

    def test_other_template_is_refused(self):
        self.create()
        self.create("others")
        self.group(**BUILDS)
        says = self.says(self.update, launchTemplate={"name": "others"})
        self.assertIn("launch template id or name differs", says)
        says = self.says(self.update, launchTemplate={"name": "builds", "version": "2"})
        self.assertIn("Could not find the specified version 2", says)
        self.add(data={"InstanceMarketOptions": {"MarketType": "spot"}})
        says = self.says(self.update, launchTemplate={"name": "builds", "version": "2"})
        self.assertIn("Instance market options are not supported", says)

    def test_group_without_a_template(self):
        self.create()
        self.group()
        self.assertIn("made without a launch template", self.says(self.update, **BUILDS))


class OfNodes(NodeGroupTest):
    """What the template that EKS makes says."""

    def test_nodes_without_a_template_of_the_user(self):
        key = {"remoteAccess": {"ec2SshKey": "mine"}}
        group = self.group(instanceTypes=["m5.large", "c5.large"], diskSize=80, **key)
        disk = {"VolumeSize": 80, "DeleteOnTermination": True}
        self.assertEqual(
            self.nodes(group),
            {
                "InstanceType": "m5.large",
                "KeyName": "mine",
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
            },
        )
        tags = {tag["Key"]: tag["Value"] for tag in self.own(group)["Tags"]}
        self.assertEqual(tags, {"eks:cluster-name": "prod", "eks:nodegroup-name": "build"})

    def test_hop_limit_depends_on_the_ami(self):
        for kind, hops in (
            ("AL2_x86_64", 2),
            ("BOTTLEROCKET_x86_64", 2),
            ("AL2023_x86_64_NVIDIA", 1),
        ):
            name = kind.replace("_", "-")
            arguments = self.node_group(nodegroupName=name, amiType=kind)
            nodes = self.nodes(self.eks.create_nodegroup(**arguments)["nodegroup"])
            self.assertEqual(nodes["MetadataOptions"]["HttpPutResponseHopLimit"], hops)
            self.assertEqual(nodes["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"], 20)

    def test_nodes_use_a_copy_of_the_template(self):
        data = {"KeyName": "mine", "UserData": encoded(MIME)}
        self.create(data=data)
        group = self.group(**BUILDS)
        self.assertEqual(self.nodes(group), {"InstanceType": "t3.medium", **data})
        self.assertEqual(self.asg_policy(group), ("1", ["t3.medium"]))
        self.eks.delete_nodegroup(**PLACE)
        for _ in range(2):
            self.eks.describe_nodegroup(**PLACE)
        self.refused(self.eks.describe_nodegroup, **PLACE)
        self.assertEqual(self.only()["LaunchTemplateName"], "builds")

    def test_update_to_another_version(self):
        self.create(data={"InstanceType": "c5.large"})
        group = self.group(**BUILDS)
        self.assertEqual(self.asg_policy(group), ("1", ["c5.large"]))
        self.add(data={"InstanceType": "m5.large"})
        update = self.update(launchTemplate={"name": "builds", "version": "$Latest"})
        self.assertIn({"type": "LaunchTemplateVersion", "value": "2"}, update["params"])
        # What is copied is what the version said when the update began.
        self.assertEqual(self.nodes(group), {"InstanceType": "c5.large"})
        self.ec2.delete_launch_template_versions(LaunchTemplateName="builds", Versions=["2"])
        self.assertEqual(self.look(3)["launchTemplate"]["version"], "2")
        self.assertEqual(self.nodes(group), {"InstanceType": "m5.large"})
        own = self.own(group)
        self.assertEqual([own[f"{which}VersionNumber"] for which in ("Default", "Latest")], [2, 2])
        self.assertEqual(self.asg_policy(group), ("2", ["m5.large"]))

    def test_the_same_version_and_a_failed_update_change_nothing(self):
        self.create()
        group = self.group(**BUILDS)
        self.update(**BUILDS)
        self.look(3)
        self.add(data={"KeyName": "two"})
        plan = {"account": self.account, "on": "update", "status": "Failed", "errors": []}
        self.post("nodegroup-plan", plan)
        self.update(launchTemplate={"name": "builds", "version": "2"})
        self.assertEqual(self.look(3)["launchTemplate"]["version"], "1")
        self.assertEqual(self.own(group)["LatestVersionNumber"], 1)
