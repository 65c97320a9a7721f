"""What a managed node group is made of in IAM, EC2 and Auto Scaling.

EKS checks the role and the subnets when it is asked, and makes a launch template, an Auto Scaling
Group with five tags of its own and, for remote access, a security group.
"""

import json

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from .eks import EksRequest, invalid


def check_role(account: str, arn: str, names: dict) -> None:
    """The role exists and trusts EC2."""
    roles = iam_backends[account]["aws"].roles.values()
    role = next((role for role in roles if role.arn == arn), None)
    if role is None:
        raise invalid(
            f"The role with name {arn.split('/')[-1]} cannot be found. (Service: "
            "AmazonIdentityManagement; Status Code: 404; Error Code: NoSuchEntity)",
            **names,
        )
    if not _trusts_ec2(role.assume_role_policy_document):
        raise invalid(
            "Following required service principals [ec2.amazonaws.com] were not found in the "
            f"trust relationships of nodeRole role {arn}",
            **names,
        )


def _trusts_ec2(document: str) -> bool:
    statements = json.loads(document).get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else []
        services = [services] if isinstance(services, str) else services
        if statement.get("Effect") == "Allow" and "ec2.amazonaws.com" in services:
            return True
    return False


def check_subnets(request: EksRequest, subnet_ids: list[str], vpc_id: str, names: dict) -> None:
    """Every subnet exists and is in the cluster's VPC."""
    ec2 = ec2_backends[request.account][request.region]
    subnets = {id: subnet for zone in ec2.subnets.values() for id, subnet in zone.items()}
    for subnet_id in subnet_ids:
        if subnet_id not in subnets:
            raise invalid(
                f"The subnet ID '{subnet_id}' does not exist (Service: Ec2, Status Code: 400, "
                "Error Code: InvalidSubnetID.NotFound)",
                **names,
            )
        if subnets[subnet_id].vpc_id != vpc_id:
            raise invalid(
                f"Subnet {subnet_id} is not in the VPC of the cluster, {vpc_id}", **names
            )


def check_launch_template(request: EksRequest, asked: dict, names: dict) -> dict | None:
    """The request's launch template with id, name and version; None when it has none."""
    template = asked.get("launchTemplate")
    if template is None:
        return None
    if "id" in template and "name" in template:
        raise invalid("Either provide launch template ID or launch template name", **names)
    if "diskSize" in asked:
        raise invalid("Disk size must be specified within the launch template.", **names)
    if "remoteAccess" in asked:
        raise invalid(
            "Remote access configuration cannot be specified with a launch template.", **names
        )
    ec2 = ec2_backends[request.account][request.region]
    found = next(
        (
            known
            for known in ec2.launch_templates.values()
            if template.get("id") == known.id or template.get("name") == known.name
        ),
        None,
    )
    if found is None:
        asked_for = template.get("id") or template.get("name")
        raise invalid(f"Launch template {asked_for} cannot be found", **names)
    version = template.get("version") or str(found.default_version_number)
    return {"id": found.id, "name": found.name, "version": version}


def create(group) -> None:
    """Makes a new node group's parts; their sizes are told, no instances run."""
    ec2 = ec2_backends[group.account][group.region]
    instance_types = group.asked.get("instanceTypes") or ["t3.medium"]
    template = ec2.create_launch_template(
        name=f"eks-{group.uuid}",
        description="",
        template_data={"InstanceType": instance_types[0]},
        tag_spec={
            "launch-template": {
                "eks:cluster-name": group.cluster,
                "eks:nodegroup-name": group.name,
            }
        },
    )
    subnets = [ec2.get_subnet(subnet_id) for subnet_id in group.asked["subnets"]]
    asg = autoscaling_backends[group.account][group.region].create_auto_scaling_group(
        name=group.asg_name,
        availability_zones=sorted({subnet.availability_zone for subnet in subnets}),
        desired_capacity=0,
        max_size=group.scaling["maxSize"],
        min_size=0,
        launch_config_name=None,
        launch_template=None,
        mixed_instances_policy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": template.id, "Version": "1"},
                "Overrides": [{"InstanceType": kind} for kind in instance_types],
            },
            "InstancesDistribution": {
                "OnDemandAllocationStrategy": "prioritized",
                "OnDemandBaseCapacity": 0,
                "OnDemandPercentageAboveBaseCapacity": 0 if group.is_spot else 100,
                "SpotAllocationStrategy": "price-capacity-optimized",
            },
        },
        capacity_rebalance=group.is_spot,
        vpc_zone_identifier=",".join(group.asked["subnets"]),
        default_cooldown=300,
        health_check_period=15,
        health_check_type="EC2",
        load_balancers=[],
        target_group_arns=[],
        placement_group=None,
        termination_policies=["AllocationStrategy", "OldestLaunchTemplate", "OldestInstance"],
        tags=_own_tags(group),
    )
    resize(asg, group.scaling)
    if group.asked.get("remoteAccess"):
        ec2.create_security_group(
            name=_remote_access_name(group),
            description="Security group for all nodes in the nodeGroup to allow SSH access",
            vpc_id=subnets[0].vpc_id,
        )


def _own_tags(group) -> list[dict]:
    """The five tags that EKS puts on the Auto Scaling Group; the group's own tags stay off it."""
    tags = {
        "eks:cluster-name": group.cluster,
        "eks:nodegroup-name": group.name,
        f"kubernetes.io/cluster/{group.cluster}": "owned",
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{group.cluster}": "owned",
    }
    return [
        {
            "Key": key,
            "Value": value,
            "ResourceId": group.asg_name,
            "ResourceType": "auto-scaling-group",
            "PropagateAtLaunch": True,
        }
        for key, value in tags.items()
    ]


def resize(asg, scaling: dict) -> None:
    asg.min_size, asg.max_size = scaling["minSize"], scaling["maxSize"]
    asg.desired_capacity = scaling["desiredSize"]


def find_asg(group):
    """The node group's Auto Scaling Group; None when somebody deleted it."""
    backend = autoscaling_backends[group.account][group.region]
    return backend.autoscaling_groups.get(group.asg_name)


def scaling_of(group) -> dict:
    """As configured, but with the desired size that the Auto Scaling Group has now."""
    asg = find_asg(group)
    wanted = group.scaling["desiredSize"] if asg is None else asg.desired_capacity
    return {**group.scaling, "desiredSize": wanted}


def resources_of(group) -> dict:
    resources: dict = {"autoScalingGroups": [{"name": group.asg_name}]}
    if (security_group := _remote_access_group(group)) is not None:
        resources["remoteAccessSecurityGroup"] = security_group.id
    return resources


def _remote_access_name(group) -> str:
    return f"eks-remoteAccess-{group.uuid}"


def _remote_access_group(group):
    ec2 = ec2_backends[group.account][group.region]
    name = _remote_access_name(group)
    for groups in ec2.groups.values():
        for security_group in groups.values():
            if security_group.name == name:
                return security_group
    return None


def remove(group) -> None:
    """With a node group go its Auto Scaling Group, its launch template and its security group."""
    autoscaling_backends[group.account][group.region].autoscaling_groups.pop(group.asg_name, None)
    ec2 = ec2_backends[group.account][group.region]
    if (security_group := _remote_access_group(group)) is not None:
        ec2.delete_security_group(group_id=security_group.id, name=None)
    name = f"eks-{group.uuid}"
    if name in ec2.launch_template_name_to_ids:  # unless somebody deleted it by hand
        ec2.delete_launch_template(name, None)
