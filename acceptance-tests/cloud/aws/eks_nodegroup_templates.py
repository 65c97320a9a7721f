"""Launch templates of node groups: the settings that EKS uses of the user's template, and its own template.

According to the EKS user guide, "Customize managed nodes with launch templates". EKS checks the user
data only during the creation of the node group, and reports Ec2LaunchTemplateInvalidConfiguration as an
issue. Here the request is rejected at once, with the same text.
"""

import base64
import email
import tomllib
from copy import deepcopy

from moto.ec2.exceptions import InvalidLaunchTemplateVersionNotFound
from moto.ec2.models import ec2_backends
from moto.ec2.models.launch_templates import LaunchTemplateVersion

from .eks import EksRequest, invalid
from .eks_nodegroup_types import DEFAULT_AMI_TYPE, template_data

DEFAULT_INSTANCE_TYPE = "t3.medium"
DEFAULT_DISK_SIZE = 20
# Settings of a Bottlerocket node in [settings.kubernetes] that EKS sets itself.
OF_EKS = ("api-server", "cluster-certificate", "cluster-name")

# Settings that EKS determines itself, by their name in the template. The first and the last message are
# those of EKS, the others an assumption.
REFUSED = {
    "IamInstanceProfile": "Launch template {name} should not specify an instance profile. The "
    "noderole in your request will be used to construct an instance profile.",
    "InstanceInitiatedShutdownBehavior": "Instance initiated shutdown behavior is not supported "
    "with the launch template.",
    "HibernationOptions": "Hibernation options are not supported with the launch template.",
    "InstanceMarketOptions": "Instance market options are not supported with the launch template.",
}


def check(request: EksRequest, ami_type: str, names: dict) -> dict | None:
    """Returns the launch template of the request with ID, name and version; None if it has none."""
    asked = request.body
    template = asked.get("launchTemplate")
    if template is None:
        return None
    if ("id" in template) == ("name" in template):
        raise invalid(
            "Either provide launch template ID or launch template name in the request.", **names
        )
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
    try:
        version = found.get_version(template.get("version") or "$Default")
    except InvalidLaunchTemplateVersionNotFound as error:
        raise invalid(
            f"{error.message} (Service: Ec2, Status Code: 400, Error Code: {error.code})", **names
        ) from None
    _check_data(version, asked, ami_type, names)
    return {"id": found.id, "name": found.name, "version": str(version.number)}


def check_same(template: dict, group, names: dict) -> None:
    """Checks that an update uses the template of the group. Only its version may change."""
    if group.launch_template is None:
        raise invalid(
            "Cannot update a node group that was made without a launch template to use one",
            **names,
        )
    if template["id"] != group.launch_template["id"]:
        raise invalid(
            "You cannot update a node group to another launch template: launch template id or name "
            "differs",
            **names,
        )


def _check_data(
    version: LaunchTemplateVersion, asked: dict, ami_type: str, names: dict
) -> None:
    data = version.data
    for field, message in REFUSED.items():
        if field in data:
            raise invalid(message.format(name=version.template.name), **names)
    if any("SubnetId" in interface for interface in data.get("NetworkInterfaces", [])):
        raise invalid(
            "Launch template should not specify subnets in its network interfaces. The subnets in "
            "your request will be used.",
            **names,
        )
    if "ImageId" in data:
        _check_beside_image(asked, names)
    elif data.get("UserData"):
        _check_user_data(base64.b64decode(str(data["UserData"])), ami_type, names)


def _check_beside_image(asked: dict, names: dict) -> None:
    if asked.get("amiType", "CUSTOM") != "CUSTOM":
        raise invalid(
            "You cannot specify an AMI Type other than CUSTOM, when specifying an image id in your "
            "launch template.",
            **names,
        )
    # The message for a release is an assumption, after that for a version.
    for field, what in (("version", "kubernetes version"), ("releaseVersion", "release version")):
        if field in asked:
            raise invalid(
                f"You cannot specify a {what} to use when specifying an image id to use within the "
                "launch template.",
                **names,
            )


def _check_user_data(data: bytes, ami_type: str, names: dict) -> None:
    """Checks user data that EKS merges with its own, on an AMI of EKS."""
    if ami_type.startswith("AL2") and not email.message_from_bytes(data).is_multipart():
        raise invalid("User data was not in the MIME multipart format.", **names)
    if ami_type.startswith("BOTTLEROCKET"):
        try:
            settings = tomllib.loads(data.decode()).get("settings")
        except ValueError:
            raise invalid("User data was not in the TOML format.", **names) from None
        kubernetes = settings.get("kubernetes") if isinstance(settings, dict) else None
        for name in OF_EKS:
            if isinstance(kubernetes, dict) and name in kubernetes:
                raise invalid(f"User data must not set settings.kubernetes.{name}.", **names)


def image_of(request: EksRequest, template: dict | None) -> str | None:
    """Returns the AMI in the user's template."""
    return template_data(request, template).get("ImageId") if template else None


def data_of_nodes(request: EksRequest, asked: dict, template: dict | None) -> dict:
    """Returns the data of the template of EKS: a copy of the user's template, or the settings of the group."""
    kinds = asked.get("instanceTypes") or [DEFAULT_INSTANCE_TYPE]
    if template is not None:
        return {"InstanceType": kinds[0], **deepcopy(template_data(request, template))}
    ami_type = asked.get("amiType", DEFAULT_AMI_TYPE)
    disk = {"VolumeSize": asked.get("diskSize", DEFAULT_DISK_SIZE), "DeleteOnTermination": True}
    data = {
        "InstanceType": kinds[0],
        "MetadataOptions": {
            "HttpTokens": "required",
            "HttpPutResponseHopLimit": 1 if ami_type.startswith("AL2023") else 2,
        },
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
    }
    if key := asked.get("remoteAccess", {}).get("ec2SshKey"):
        data["KeyName"] = key
    return data
