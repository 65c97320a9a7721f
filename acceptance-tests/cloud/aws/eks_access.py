"""EKS access entries, which moto does not have. They are stored, but the API server does not evaluate them.

EKS creates an entry for the role of a managed node group, and keeps it after group and role are deleted
(aws/containers-roadmap#2631, terraform-aws-modules/terraform-aws-eks#3329). An entry is bound to the
unique ID of the role: a new role with the same ARN has no entry, and its nodes do not join.
"""

import secrets
from collections import defaultdict

from moto.core.utils import utcnow
from moto.eks.models import eks_backends
from moto.iam.models import iam_backends

from .eks import EksRequest, in_use, invalid, not_found

_entries: dict[tuple[str, str, str], dict[str, dict]] = defaultdict(dict)
# Unique ID of the principal of an entry, by ARN of the entry.
_bound_to: dict[str, str] = {}
# Entries of roles with the tag of roles that the provider creates for node groups.
_of_provider: set[str] = set()
MARK = "gitlabspot/owner"


def clear(account: str | None) -> None:
    for place in list(_entries):
        if account in (None, place[0]):
            del _entries[place]


def _of_cluster(request: EksRequest) -> dict[str, dict]:
    return _entries[request.account, request.region, request.cluster.name]


def _principal(request: EksRequest) -> str:
    return "/".join(request.path[3:])


def _find(request: EksRequest) -> dict:
    entry = _of_cluster(request).get(_principal(request))
    if entry is None:
        raise not_found(f"The specified principalArn could not be found: {_principal(request)}")
    return entry


def create_access_entry(request: EksRequest) -> dict:
    asked, entries = request.body, _of_cluster(request)
    principal = asked["principalArn"]
    if principal in entries:
        raise in_use("The specified access entry resource is already in use on this cluster.")
    if _unique_id(request.account, principal) is None:
        raise invalid("The specified principalArn is invalid: invalid principal")
    entries[principal] = _entry(request, principal, asked)
    return {"accessEntry": entries[principal]}


def _entry(request: EksRequest, principal: str, asked: dict) -> dict:
    cluster, now = request.cluster.name, utcnow()
    arn = request.arn("access-entry", cluster, principal, secrets.token_hex(16))
    _bound_to[arn] = _unique_id(request.account, principal)
    if _is_marked(request.account, principal):
        _of_provider.add(arn)
    return {
        "clusterName": cluster,
        "principalArn": principal,
        "kubernetesGroups": asked.get("kubernetesGroups", []),
        "accessEntryArn": arn,
        "createdAt": now,
        "modifiedAt": now,
        "tags": dict(asked.get("tags", {})),
        "username": asked.get("username", principal),
        "type": asked.get("type", "STANDARD"),
    }


def _principals(account: str) -> list:
    iam = iam_backends[account]["aws"]
    return [*iam.roles.values(), *iam.users.values()]


def _unique_id(account: str, arn: str) -> str | None:
    return next((known.id for known in _principals(account) if known.arn == arn), None)


def _is_marked(account: str, arn: str) -> bool:
    role = next((known for known in _principals(account) if known.arn == arn), None)
    tags = getattr(role, "tags", None) or []
    return any(tag["Key"] == MARK for tag in tags)


def admit_nodes(request: EksRequest, role: str) -> None:
    """Creates the entry for the role of a new node group, as EKS does, unless its ARN has one."""
    entries = _of_cluster(request)
    if role not in entries:
        username = "system:node:{{EC2PrivateDNSName}}"
        asked = {"type": "EC2_LINUX", "kubernetesGroups": ["system:nodes"], "username": username}
        entries[role] = _entry(request, role, asked)


def can_join(account: str, region: str, cluster: str, role: str) -> bool:
    """Whether the entry of a node group's role is bound to the role that exists now."""
    entry = _entries[account, region, cluster].get(role)
    return entry is not None and _bound_to[entry["accessEntryArn"]] == _unique_id(account, role)


def node_access(account: str) -> dict[str, bool]:
    return {
        f"{cluster.name}/{group.name}": can_join(account, region, cluster.name, group.asked["nodeRole"])
        for region, backend in eks_backends[account].items()
        for cluster in backend.clusters.values()
        for group in cluster.nodegroups.values()
        if group.status != "GONE"
    }


def left_by_roles_of_provider(account: str) -> list[str]:
    """Returns entries of deleted roles that the provider had created for node groups."""
    ids = {known.id for known in _principals(account)}
    return [
        entry["accessEntryArn"]
        for place, entries in _entries.items()
        for entry in entries.values()
        if place[0] == account
        and entry["accessEntryArn"] in _of_provider
        and _bound_to[entry["accessEntryArn"]] not in ids
    ]


def describe_access_entry(request: EksRequest) -> dict:
    return {"accessEntry": _find(request)}


def delete_access_entry(request: EksRequest) -> dict:
    _find(request)
    del _of_cluster(request)[_principal(request)]
    return {}


def list_access_entries(request: EksRequest) -> dict:
    principals, token = request.page(list(_of_cluster(request)))
    return {"accessEntries": principals, "nextToken": token}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        create_access_entry,
        describe_access_entry,
        delete_access_entry,
        list_access_entries,
    )
}
