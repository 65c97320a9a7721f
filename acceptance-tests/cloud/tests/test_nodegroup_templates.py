"""Node groups use the same settings of launch templates as EKS, and describe their nodes in a template of EKS."""

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
        """Creates a node group. Returns it when it is ACTIVE."""
        self.eks.create_nodegroup(**self.node_group(**changes))
        return self.look(3)

    def look(self, times: int) -> dict:
        """Returns the node group after this number of reads. Operations have ended after three."""
        return [self.eks.describe_nodegroup(**PLACE)["nodegroup"] for _ in range(times)][-1]

    def update(self, **changes) -> dict:
        return self.eks.update_nodegroup_version(**PLACE, **changes)["update"]

    def message(self, call, **arguments) -> str:
        code, message = self.refused(call, **arguments)
        self.assertEqual(code, "InvalidParameterException")
        return message

    def own(self, group: dict) -> dict:
        """Returns the template that EKS created for a node group."""
        uuid = group["nodegroupArn"].split("/")[-1]
        answer = self.ec2.describe_launch_templates(LaunchTemplateNames=[f"eks-{uuid}"])
        return answer["LaunchTemplates"][0]

    def nodes(self, group: dict) -> dict:
        """Returns the data of new nodes of a group."""
        return self.data("$Default", self.own(group)["LaunchTemplateName"])

    def asg_policy(self, group: dict) -> tuple[str, list[str]]:
        """Returns the version of the launch template and the instance types of the Auto Scaling Group."""
        name = group["resources"]["autoScalingGroups"][0]["name"]
        answer = self.client("autoscaling").describe_auto_scaling_groups(
            AutoScalingGroupNames=[name]
        )
        policy = answer["AutoScalingGroups"][0]["MixedInstancesPolicy"]["LaunchTemplate"]
        types = [override["InstanceType"] for override in policy["Overrides"]]
        return policy["LaunchTemplateSpecification"]["Version"], types


class Refusals(NodeGroupTest):
    def create_message(self, data: dict, **changes) -> str:
        """Returns the error message for a new node group with a template with `data`."""
        if not self.ec2.describe_launch_templates()["LaunchTemplates"]:
            self.create()
        version = str(self.add(data=data))
        template = {"launchTemplate": {"name": "builds", "version": version}}
        return self.message(self.eks.create_nodegroup, **self.node_group(**template, **changes))

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
            self.assertIn(message, self.create_message(data))
        self.create_takes({"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-1"]}]})

    def test_selection_of_the_template_is_checked(self):
        template = self.create()["LaunchTemplateId"]

        def message(**specification) -> str:
            arguments = self.node_group(launchTemplate=specification)
            return self.message(self.eks.create_nodegroup, **arguments)

        self.assertIn("lt-1 cannot be found", message(id="lt-1"))
        self.assertIn("Either provide", message(id=template, name="builds"))
        self.assertIn("Either provide", message(version="1"))
        missing = "Could not find the specified version 2 for the launch template with ID"
        self.assertIn(missing, message(id=template, version="2"))
        self.add()
        self.ec2.delete_launch_template_versions(LaunchTemplateId=template, Versions=["2"])
        self.assertIn(missing, message(id=template, version="2"))

    def test_custom_ami(self):
        image = {"ImageId": "ami-12345678"}
        for changes, message in (
            ({"amiType": "AL2023_x86_64_STANDARD"}, "AMI Type other than CUSTOM"),
            ({"version": "1.36"}, "You cannot specify a kubernetes version to use when specifying"),
            ({"releaseVersion": "1.36.0-20251103"}, "You cannot specify a release version to use"),
        ):
            self.assertIn(message, self.create_message(image, **changes))
        self.ec2.delete_launch_template(LaunchTemplateName="builds")
        # A custom AMI determines the format of its user data.
        self.create(data={**image, "UserData": encoded("#!/bin/bash")})
        group = self.group(**BUILDS, amiType="CUSTOM")
        observed = (group["amiType"], group["releaseVersion"], group["version"])
        self.assertEqual(observed, ("CUSTOM", "ami-12345678", "1.36"))

        null = "Launch template details can't be null for Custom ami type node group"
        self.assertEqual(self.message(self.update), null)
        self.add()
        version = {"launchTemplate": {"name": "builds", "version": "2"}}
        self.assertIn("must specify an image id", self.message(self.update, **version))
        self.add(data={"ImageId": "ami-87654321"})
        version = {"launchTemplate": {"name": "builds", "version": "3"}}
        message = self.message(self.update, **version, version="1.36")
        self.assertIn("You cannot specify a kubernetes version", message)
        self.update(**version)
        self.assertEqual(self.look(3)["releaseVersion"], "ami-87654321")

    def test_user_data_of_amazon_linux(self):
        script = {"UserData": encoded("#!/bin/bash")}
        message = "User data was not in the MIME multipart format."
        self.assertEqual(self.create_message(script), message)
        for kind in ("AL2_x86_64", "AL2023_x86_64_NVIDIA"):
            self.assertEqual(self.create_message(script, amiType=kind), message)
            self.create_takes({"UserData": encoded(MIME)}, amiType=kind)

    def test_user_data_of_bottlerocket(self):
        kind = {"amiType": "BOTTLEROCKET_x86_64"}
        message = "User data was not in the TOML format."
        self.assertEqual(self.create_message({"UserData": encoded(MIME)}, **kind), message)
        for name in ("api-server", "cluster-certificate", "cluster-name"):
            settings = {"UserData": encoded(f'[settings.kubernetes]\n{name} = "x"\n')}
            message = f"User data must not set settings.kubernetes.{name}."
            self.assertEqual(self.create_message(settings, **kind), message)
        self.create_takes({"UserData": encoded("[settings.kubernetes]\nmax-pods = 9\n")}, **kind)

    def test_other_template_is_refused(self):
        self.create()
        self.create("others")
        self.group(**BUILDS)
        message = self.message(self.update, launchTemplate={"name": "others"})
        self.assertIn("launch template id or name differs", message)
        message = self.message(self.update, launchTemplate={"name": "builds", "version": "2"})
        self.assertIn("Could not find the specified version 2", message)
        self.add(data={"InstanceMarketOptions": {"MarketType": "spot"}})
        message = self.message(self.update, launchTemplate={"name": "builds", "version": "2"})
        self.assertIn("Instance market options are not supported", message)

    def test_group_without_a_template(self):
        self.create()
        self.group()
        self.assertIn("made without a launch template", self.message(self.update, **BUILDS))


class OfNodes(NodeGroupTest):
    """The template that EKS creates."""

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
        # The data of the version at the beginning of the update is copied.
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
