"""Tags of EKS resources. moto only has those of clusters."""

from .eks import EksRequest, not_found
from .eks_pod_identity import associations


def _tags(request: EksRequest) -> dict:
    """Returns the tags of the resource with the ARN in the path."""
    arn = "/".join(request.path[1:])
    for cluster in request.backend.clusters.values():
        if cluster.arn == arn:
            return cluster.tags
        for group in cluster.nodegroups.values():
            if group.arn == arn and group.status != "GONE":
                return group.tags
    for association in associations(request.account, request.region).values():
        if association["associationArn"] == arn:
            return association["tags"]
    raise not_found("Resource was not found")


def tag_resource(request: EksRequest) -> dict:
    _tags(request).update(request.body["tags"])
    return {}


def untag_resource(request: EksRequest) -> dict:
    tags = _tags(request)
    for key in request.every("tagKeys"):
        tags.pop(key, None)
    return {}


def list_tags_for_resource(request: EksRequest) -> dict:
    return {"tags": _tags(request)}


OPERATIONS = {
    operation.__name__: operation
    for operation in (tag_resource, untag_resource, list_tags_for_resource)
}
