"""Checks of EKS for new and changed node groups that moto does not have."""

import json
import re

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from .eks import EksRequest, invalid, not_now

RELEASE_DATE = "20251103"


def check_cluster(cluster, names: dict) -> None:
    """The cluster is ACTIVE (eksctl-io/eksctl#2244). A status that a test has set ends after the
    number of rejections that the test requested."""
    if cluster.status == "ACTIVE":
        return
    cluster.refusals_left -= 1
    if cluster.refusals_left <= 0:
        cluster.status = "ACTIVE"
    raise not_now(f"Cluster '{cluster.name}' is not in ACTIVE status", **names)


def check_name(name: str, names: dict) -> None:
    if not re.fullmatch(r"[0-9A-Za-z][A-Za-z0-9_-]{0,62}", name):
        raise invalid(
            "The nodegroup name can't be longer than 63 characters, must start with a letter or "
            "digit, and may hold hyphens and underscores.",
            **names,
        )


def check_scaling(scaling: dict, names: dict) -> None:
    """0 <= min <= desired <= max, and max at least 1."""
    low, wanted, high = scaling["minSize"], scaling["desiredSize"], scaling["maxSize"]
    if high < 1:
        raise invalid("Max capacity must be at least 1", **names)
    if low > wanted:
        message = f"Minimum capacity {low} can't be greater than desired size {wanted}"
        raise invalid(message, **names)
    if wanted > high:
        message = f"Desired capacity {wanted} can't be greater than max size {high}"
        raise invalid(message, **names)


def check_version(cluster, usual: str, version: str | None, release: str | None, names: dict):
    """Returns version and release of the nodes: by default `usual` and the newest release. A release
    does not determine the version (crossplane-contrib/provider-aws#1601)."""
    version = version or usual
    if _minor(version) > _minor(cluster.version):
        raise invalid(
            f"Requested Nodegroup version {version} is greater than the cluster's version "
            f"{cluster.version}",
            **names,
        )
    newest = f"{version}.0-{RELEASE_DATE}"
    release = release or newest
    if not release.startswith(f"{version}."):
        raise invalid(
            f"Requested Nodegroup release version {release} is invalid. Allowed release version "
            f"is {newest}",
            **names,
        )
    return version, release


def check_no_downgrade(group, version: str, release: str, names: dict) -> None:
    if (_minor(version), _built(release)) < (_minor(group.version), _built(group.release_version)):
        raise invalid(
            "You cannot roll back a node group to an earlier Kubernetes version or AMI version",
            **names,
        )


def _built(release: str) -> str:
    """Returns the date in a release such as 1.34.0-20251103."""
    return release.rpartition("-")[2]


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


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
            raise invalid(f"Subnet {subnet_id} is not in the VPC of the cluster, {vpc_id}", **names)
