"""EKS access entries, which moto does not have: kept and shown; the API server asks nobody."""

from collections import defaultdict

from moto.core.utils import utcnow
from moto.iam.models import iam_backends

from .eks import EksRequest, in_use, invalid, not_found

_entries: dict[tuple[str, str, str], dict[str, dict]] = defaultdict(dict)


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
    iam = iam_backends[request.account]["aws"]
    known = {role.arn for role in iam.roles.values()} | {user.arn for user in iam.users.values()}
    if principal not in known:
        raise invalid("The specified principalArn is invalid: invalid principal")
    now = utcnow()
    entries[principal] = {
        "clusterName": request.cluster.name,
        "principalArn": principal,
        "kubernetesGroups": asked.get("kubernetesGroups", []),
        "accessEntryArn": request.arn("access-entry", request.cluster.name, principal),
        "createdAt": now,
        "modifiedAt": now,
        "tags": dict(asked.get("tags", {})),
        "username": asked.get("username", principal),
        "type": asked.get("type", "STANDARD"),
    }
    return {"accessEntry": entries[principal]}


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
