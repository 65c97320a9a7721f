"""EKS Pod Identity associations, which moto does not have."""

from collections import defaultdict

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random

from . import lag
from .eks import EksRequest, in_use, invalid, not_found

_associations: dict[tuple[str, str], dict[str, dict]] = defaultdict(dict)


def associations(account: str, region: str) -> dict[str, dict]:
    """Returns the associations by ID."""
    return _associations[account, region]


def clear(account: str | None) -> None:
    for place in list(_associations):
        if account in (None, place[0]):
            del _associations[place]


def create_pod_identity_association(request: EksRequest) -> dict:
    cluster, asked = request.cluster.name, request.body
    token = asked.get("clientRequestToken")
    known = associations(request.account, request.region)
    for association in known.values():
        place = (
            association["clusterName"],
            association["namespace"],
            association["serviceAccount"],
        )
        if place == (cluster, asked["namespace"], asked["serviceAccount"]):
            if token and association["_token"] == token:
                return {"association": _shown(association)}
            # A service account has at most one association.
            raise in_use(f"Association already exists: {association['associationId']}")
    _check_role(request, asked["roleArn"])
    identity = "a-" + mock_random.get_random_string(17).lower()
    now = utcnow()
    known[identity] = {
        "clusterName": cluster,
        "namespace": asked["namespace"],
        "serviceAccount": asked["serviceAccount"],
        "roleArn": asked["roleArn"],
        "associationArn": request.arn("podidentityassociation", cluster, identity),
        "associationId": identity,
        "tags": dict(asked.get("tags", {})),
        "createdAt": now,
        "modifiedAt": now,
        "disableSessionTags": asked.get("disableSessionTags", False),
        "_token": token,
    }
    return {"association": _shown(known[identity])}


def _check_role(request: EksRequest, arn: str) -> None:
    roles = iam_backends[request.account]["aws"].roles.values()
    if not any(role.arn == arn for role in roles):
        raise invalid("Role provided in the request does not exist")


def _find(request: EksRequest) -> dict:
    cluster, identity = request.cluster.name, request.path[3]
    association = associations(request.account, request.region).get(identity)
    if association is None or association["clusterName"] != cluster:
        raise not_found(f"No association found for {identity} in cluster {cluster}")
    return association


def _shown(association: dict) -> dict:
    return {name: value for name, value in association.items() if not name.startswith("_")}


def describe_pod_identity_association(request: EksRequest) -> dict:
    return {"association": _shown(_find(request))}


def update_pod_identity_association(request: EksRequest) -> dict:
    association = _find(request)
    if role := request.body.get("roleArn"):
        _check_role(request, role)
        association["roleArn"] = role
    association["modifiedAt"] = utcnow()
    return {"association": _shown(association)}


def delete_pod_identity_association(request: EksRequest) -> dict:
    association = _find(request)
    del associations(request.account, request.region)[association["associationId"]]
    lag.deleted(request.account, "association", request.region, association)
    return {"association": _shown(association)}


def list_pod_identity_associations(request: EksRequest) -> dict:
    cluster = request.cluster.name
    # Deleted associations are before existing ones, as the worst case of a list.
    gone = lag.still_shown(request.account, "association", request.region)
    known = {association["associationId"]: association for association in gone}
    found = {
        identity: association
        for identity, association in (known | associations(request.account, request.region)).items()
        if association["clusterName"] == cluster
        and request.query.get("namespace") in (None, association["namespace"])
        and request.query.get("serviceAccount") in (None, association["serviceAccount"])
    }
    identities, token = request.page(list(found))
    # A summary does not contain role and tags.
    summary = ("clusterName", "namespace", "serviceAccount", "associationArn", "associationId")
    return {
        "associations": [
            {name: found[identity][name] for name in summary} for identity in identities
        ],
        "nextToken": token,
    }


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        create_pod_identity_association,
        describe_pod_identity_association,
        update_pod_identity_association,
        delete_pod_identity_association,
        list_pod_identity_associations,
    )
}
