"""The parts of a managed node group in EC2 and Auto Scaling.

EKS creates a launch template, an Auto Scaling Group with five tags of EKS and, for remote access, a
security group. They are deleted with the node group.
"""

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends


def create(group, data: dict) -> None:
    """Creates the parts of a new node group. They have sizes but no instances. `data` is that of the nodes."""
    ec2 = ec2_backends[group.account][group.region]
    template = ec2.create_launch_template(
        name=_template_name(group),
        description="",
        template_data=data,
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
                "Overrides": _overrides(group, data),
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


def _template_name(group) -> str:
    return f"eks-{group.uuid}"


def _overrides(group, data: dict) -> list[dict]:
    kinds = group.asked.get("instanceTypes") or [data["InstanceType"]]
    return [{"InstanceType": kind} for kind in kinds]


def renew(group, data: dict) -> None:
    """Changes the data of new nodes to `data`."""
    ec2 = ec2_backends[group.account][group.region]
    template_id = ec2.launch_template_name_to_ids.get(_template_name(group))
    asg = find_asg(group)
    if template_id is None or asg is None:  # deleted manually
        return
    template = ec2.launch_templates[template_id]
    template.default_version_number = template.create_version(data, "").number
    asg.launch_template_version = str(template.default_version_number)
    policy = asg.mixed_instances_policy["LaunchTemplate"]
    policy["LaunchTemplateSpecification"]["Version"] = asg.launch_template_version
    policy["Overrides"] = _overrides(group, data)


def _own_tags(group) -> list[dict]:
    """Returns the five tags that EKS adds to the Auto Scaling Group. Tags of the node group are not added."""
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
    """Returns the Auto Scaling Group of the node group; None if it was deleted."""
    backend = autoscaling_backends[group.account][group.region]
    return backend.autoscaling_groups.get(group.asg_name)


def scaling_of(group) -> dict:
    """Returns the configured sizes, with the current desired size of the Auto Scaling Group."""
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


def names_of(group) -> set[str]:
    """Returns names and IDs of all parts."""
    names = {group.asg_name, _template_name(group)}
    if (security_group := _remote_access_group(group)) is not None:
        names.add(security_group.id)
    return names


def remove(group) -> None:
    """Deletes the Auto Scaling Group, the launch template and the security group of a node group."""
    autoscaling_backends[group.account][group.region].autoscaling_groups.pop(group.asg_name, None)
    ec2 = ec2_backends[group.account][group.region]
    if (security_group := _remote_access_group(group)) is not None:
        ec2.delete_security_group(group_id=security_group.id, name=None)
    name = _template_name(group)
    if name in ec2.launch_template_name_to_ids:  # unless it was deleted manually
        ec2.delete_launch_template(name, None)
