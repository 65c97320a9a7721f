"""Sets up an account with the objects that a user has before using the provider, and lists objects that remain."""

import json

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.eks.models import eks_backends
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from . import eks_access, eks_nodegroup_parts, eks_pod_identity
from .eks_clusters import create_cluster

REGION = "af-south-1"
ZONES = "abc"
CLUSTER_POLICY = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"

# Names and IDs of the objects of the set-up, of all types, by account. They are not listed as remaining.
_furnished: dict[str, set[str]] = {}
# Objects that tests have created, by account.
_made_by_others: dict[str, set[str]] = {}


class BadAccount(Exception):
    """The request for an account is invalid, for the reason in the message."""


class _Request:
    """The part of an EksRequest that the creation of a cluster reads."""

    def __init__(self, account: str, region: str, body: dict):
        self.account, self.region, self.body = account, region, body
        self.backend = eks_backends[account][region]


def furnish(asked: dict) -> dict:
    """Creates a VPC with a subnet per zone, an EKS cluster and a user, unless they exist.

    `asked`: account (12 digits), cluster ("prod"), region ("af-south-1"). Returns all names and IDs,
    and an access key of the account.
    """
    account = asked.get("account", "")
    if not (account.isdigit() and len(account) == 12):
        raise BadAccount("account: 12 digits, please")
    name, region = asked.get("cluster", "prod"), asked.get("region", REGION)
    made = _furnished.setdefault(account, set())
    backend = eks_backends[account][region]
    if name not in backend.clusters:
        made.update(_make_cluster(account, region, name))
    cluster = backend.clusters[name]
    key = _make_user(account)
    made.add("administrator")
    ec2 = ec2_backends[account][region]
    subnets = [ec2.get_subnet(subnet) for subnet in cluster.resources_vpc_config["subnetIds"]]
    return {
        "account": account,
        "region": region,
        "access_key_id": key.access_key_id,
        "secret_access_key": key.secret_access_key,
        "cluster": name,
        "cluster_arn": cluster.arn,
        "cluster_role_arn": cluster.role_arn,
        "vpc_id": cluster.resources_vpc_config["vpcId"],
        "subnet_ids": {subnet.availability_zone: subnet.id for subnet in subnets},
    }


def _make_cluster(account: str, region: str, name: str) -> set[str]:
    ec2, iam = ec2_backends[account][region], iam_backends[account]["aws"]
    vpc = ec2.create_vpc("10.0.0.0/16")
    subnets = [
        ec2.create_subnet(
            vpc_id=vpc.id,
            cidr_block=f"10.0.{index * 32}.0/19",
            availability_zone=f"{region}{zone}",
            tags={"subnet": {f"kubernetes.io/cluster/{name}": "shared"}},
        )
        for index, zone in enumerate(ZONES)
    ]
    role = f"{name}-{region}-cluster"
    iam.create_role(
        role_name=role,
        assume_role_policy_document=_trust("eks.amazonaws.com"),
        path="/",
        permissions_boundary=None,
        description="Allows EKS to manage the cluster",
        tags=[],
        max_session_duration=3600,
    )
    iam.attach_role_policy(CLUSTER_POLICY, role)
    body = {
        "name": name,
        "roleArn": iam.get_role(role).arn,
        "resourcesVpcConfig": {"subnetIds": [subnet.id for subnet in subnets]},
    }
    cluster = create_cluster(_Request(account, region, body))["cluster"]
    return {role, name, cluster.resources_vpc_config["clusterSecurityGroupId"]}


def _make_user(account: str):
    """Creates the administrator who runs the configuration. Returns an access key."""
    iam = iam_backends[account]["aws"]
    if "administrator" not in iam.users:
        iam.create_user(region_name="us-east-1", user_name="administrator")
        return iam.create_access_key("administrator")
    return iam.list_access_keys("administrator")[0]


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def leftovers(account: str, of_provider: bool = False) -> dict[str, list[str]]:
    """Returns all objects of an account in all regions, except those of the set-up.

    Types without objects are omitted, so that the result for an empty account is {}. With `of_provider`
    objects of others are omitted, and parts of node groups that exist.
    """
    found = _settled(lambda: _found(account))
    made = set(_furnished.get(account, ()))
    if of_provider:
        made |= _made_by_others.get(account, set()) | _settled(lambda: _parts_of_node_groups(account))
    left = {kind: sorted(set(names) - made) for kind, names in found.items()}
    return {kind: names for kind, names in left.items() if names}


def watch_others(account: str, work):
    """Runs the request of another client than the provider, and notes the objects that it creates."""
    before = {name for names in leftovers(account).values() for name in names}
    try:
        return work()
    finally:
        after = {name for names in leftovers(account).values() for name in names}
        _made_by_others.setdefault(account, set()).update(after - before)


def _settled(look):
    """Repeats a read during which the data changed, because the models of moto have no locks."""
    while True:
        try:
            return look()
        except RuntimeError:
            continue


def _parts_of_node_groups(account: str) -> set[str]:
    parts: set[str] = set()
    for backend in eks_backends[account].values():
        for cluster in backend.clusters.values():
            for group in cluster.nodegroups.values():
                if group.status != "GONE":
                    parts |= eks_nodegroup_parts.names_of(group)
    return parts


def _found(account: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for region, backend in eks_backends[account].items():
        for cluster in backend.clusters.values():
            _add(found, "clusters", cluster.name)
            for group in cluster.nodegroups.values():
                if group.status != "GONE":
                    _add(found, "node_groups", f"{cluster.name}/{group.name}")
        for association in eks_pod_identity.associations(account, region).values():
            _add(found, "pod_identity_associations", association["associationId"])
    for arn in eks_access.left_by_roles_of_provider(account):
        _add(found, "access_entries", arn)
    for backend in autoscaling_backends[account].values():
        for name in backend.autoscaling_groups:
            _add(found, "auto_scaling_groups", name)
    for backend in ec2_backends[account].values():
        for template in backend.launch_templates.values():
            _add(found, "launch_templates", template.name)
        for groups in backend.groups.values():
            for group in groups.values():
                if group.name != "default":
                    _add(found, "security_groups", group.id)
    for name in s3_backends[account]["aws"].buckets:
        _add(found, "buckets", name)
    iam = iam_backends[account]["aws"]
    for user in iam.users.values():
        _add(found, "users", user.name)
        if user.name not in _furnished.get(account, ()):
            for key in user.access_keys:
                _add(found, "access_keys", key.access_key_id)
    for role in iam.roles.values():
        _add(found, "roles", role.name)
    for profile in iam.instance_profiles.values():
        _add(found, "instance_profiles", profile.name)
    for policy in iam.managed_policies.values():
        if f":{account}:" in policy.arn:
            _add(found, "policies", policy.arn)
    for arn in iam.open_id_providers:
        _add(found, "open_id_connect_providers", arn)
    return found


def _add(found: dict[str, list[str]], kind: str, name: str) -> None:
    found.setdefault(kind, []).append(name)
