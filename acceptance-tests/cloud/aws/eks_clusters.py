"""EKS clusters, which all are the local control plane.

moto returns an endpoint that does not exist, a certificate authority that is not a certificate, the same
OIDC issuer for all clusters, and only the part of the VPC configuration that the request contained.
"""

import base64
import secrets
from pathlib import Path

from moto.ec2.models import ec2_backends
from moto.eks import models
from moto.eks.models import eks_backends

from .eks import EksRequest, invalid

# Version of the local control plane. EKS versions consist of major and minor.
VERSION = "1.36"
PLATFORM_VERSION = "eks.1"


class Endpoint:
    """Address and certificate authority of the control plane, set when the process starts."""

    url = "https://127.0.0.1:1"
    authority = ""

    @classmethod
    def set(cls, url: str, ca_file: Path) -> None:
        cls.url = url
        cls.authority = base64.b64encode(ca_file.read_bytes()).decode()


def set_endpoint(account: str, url: str) -> int:
    """Sets another endpoint for the account's clusters, such as a proxy. Returns the number of clusters."""
    found = [c for backend in eks_backends[account].values() for c in backend.clusters.values()]
    for cluster in found:
        cluster.endpoint = url
    return len(found)


def set_status(account: str, status: str, refusals: int) -> int:
    """Sets the status of the account's clusters until they have rejected this number of changes of
    node groups. Returns the number of clusters."""
    found = [c for backend in eks_backends[account].values() for c in backend.clusters.values()]
    for cluster in found:
        cluster.status, cluster.refusals_left = status, refusals
    return len(found)


def create_cluster(request: EksRequest) -> dict:
    asked = request.body
    cluster = request.backend.create_cluster(
        name=asked["name"],
        version=asked.get("version", VERSION),
        role_arn=asked["roleArn"],
        resources_vpc_config=_vpc_config(request, asked["resourcesVpcConfig"]),
        kubernetes_network_config=asked.get("kubernetesNetworkConfig"),
        logging=asked.get("logging"),
        client_request_token=asked.get("clientRequestToken"),
        tags=asked.get("tags"),
        encryption_config=asked.get("encryptionConfig"),
    )
    issuer = f"https://oidc.eks.{request.region}.amazonaws.com/id/{secrets.token_hex(16).upper()}"
    cluster.identity = {"oidc": {"issuer": issuer}}
    cluster.endpoint = Endpoint.url
    cluster.certificate_authority = {"data": Endpoint.authority}
    cluster.platformVersion = PLATFORM_VERSION
    return {"cluster": cluster}


def _vpc_config(request: EksRequest, asked: dict) -> dict:
    ec2 = ec2_backends[request.account][request.region]
    known = {subnet_id for subnets in ec2.subnets.values() for subnet_id in subnets}
    for subnet_id in asked.get("subnetIds", []):
        if subnet_id not in known:
            raise invalid(f"The subnet ID '{subnet_id}' does not exist")
    vpc_id = ec2.get_subnet(asked["subnetIds"][0]).vpc_id
    group = ec2.create_security_group(
        name=f"eks-cluster-sg-{request.body['name']}-{secrets.randbelow(10**9)}",
        description="EKS created security group",
        vpc_id=vpc_id,
    )
    return {
        "subnetIds": asked["subnetIds"],
        "securityGroupIds": asked.get("securityGroupIds", []),
        "clusterSecurityGroupId": group.id,
        "vpcId": vpc_id,
        "endpointPublicAccess": asked.get("endpointPublicAccess", True),
        "endpointPrivateAccess": asked.get("endpointPrivateAccess", False),
        "publicAccessCidrs": asked.get("publicAccessCidrs", ["0.0.0.0/0"]),
    }


def delete_cluster(request: EksRequest) -> dict:
    cluster = request.cluster
    models.validate_safe_to_delete(cluster)
    ec2 = ec2_backends[request.account][request.region]
    ec2.delete_security_group(
        group_id=cluster.resources_vpc_config["clusterSecurityGroupId"], name=None
    )
    return {"cluster": request.backend.delete_cluster(name=cluster.name)}


OPERATIONS = {"create_cluster": create_cluster, "delete_cluster": delete_cluster}
