"""Checks instance types of node groups against their AMI type.

EKS rejects instance types that the AMI does not support (eksctl-io/eksctl#4973, #7754). Without amiType
it uses AL2023_x86_64_STANDARD for all instance types (HHS/simpler-grants-gov#12404).
"""

from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES

from .eks import EksRequest, invalid

DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
ACCELERATORS = (
    "GpuInfo",
    "InferenceAcceleratorInfo",
    "NeuronInfo",
    "FpgaInfo",
    "MediaAcceleratorInfo",
)
# EKS user guide, choosing an instance type. It is an assumption that types of the generation of
# paravirtual machines (c1, m1, m2, t1, ...) are rejected at once, because AL2023 is built for newer
# processors. EKS accepts a1 with AL2023, but no node joins; here it is rejected as well.
NEVER = ("g5g", "mac")


def check_types(request: EksRequest, asked: dict, template: dict | None, names: dict) -> None:
    data = template_data(request, template) if template else {}
    if "ImageId" in data:
        return
    in_template = data.get("InstanceType")
    if in_template and asked.get("instanceTypes"):
        raise invalid("Cannot specify instance types in launch template and API request", **names)
    types = asked.get("instanceTypes") or ([in_template] if in_template else [])
    ami_type = asked.get("amiType", DEFAULT_AMI_TYPE)
    wrong = [kind for kind in types if not _fits(kind, ami_type)]
    if wrong:
        message = f"[{', '.join(wrong)}] is not a valid instance type for requested amiType {ami_type}"
        raise invalid(message, **names)


def template_data(request: EksRequest, template: dict) -> dict:
    """Returns the data of a version of a launch template."""
    ec2 = ec2_backends[request.account][request.region]
    return ec2.launch_templates[template["id"]].get_version(template["version"]).data


def _fits(kind: str, ami_type: str) -> bool:
    described = INSTANCE_TYPES.get(kind)
    if described is None or ami_type == "CUSTOM":
        return True
    architecture = "arm64" if "ARM_64" in ami_type else "x86_64"
    accelerated = any(described.get(name) for name in ACCELERATORS)
    with_drivers = any(word in ami_type for word in ("GPU", "NVIDIA", "NEURON"))
    family = kind.partition(".")[0]
    return (
        architecture in described["ProcessorInfo"]["SupportedArchitectures"]
        and described["SupportedVirtualizationTypes"] == ["hvm"]
        and (with_drivers or not accelerated)
        and family not in NEVER
        and not (family == "a1" and ami_type.startswith("AL2023"))
    )
