"""EKS managed node groups, from their creation to their deletion.

Unlike AWS, moto makes them ACTIVE at once, deletes them at once, ignores the request token, checks
neither role nor subnets nor sizes, has a version of 2021, ignores updateConfig and nodeRepairConfig,
adds a remoteAccess that was not requested, and returns an Auto Scaling Group that does not exist.
"""

from dataclasses import dataclass, field

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from . import eks_access
from . import eks_nodegroup_checks as checks
from . import eks_nodegroup_labels as labels
from . import eks_nodegroup_parts as parts
from . import eks_nodegroup_subnets as subnets
from . import eks_nodegroup_templates as templates
from . import eks_nodegroup_types as types
from . import plans
from .eks import EksRequest, in_use, not_found


@dataclass
class NodeGroup:
    name: str
    cluster: str
    account: str
    region: str
    arn: str
    uuid: str
    token: str | None
    version: str
    release_version: str
    scaling: dict
    asked: dict
    labels: dict
    taints: list
    tags: dict
    update_config: dict
    node_repair_config: dict | None
    status: str = "CREATING"
    issues: list = field(default_factory=list)
    updates: dict = field(default_factory=dict)
    created_at: object = field(default_factory=utcnow)
    modified_at: object = field(default_factory=utcnow)
    launch_template: dict | None = None
    _plan: plans.Plan | None = None
    _polls_left: int = 0

    @property
    def asg_name(self) -> str:
        return f"eks-{self.name}-{self.uuid}"

    @property
    def ami_type(self) -> str:
        return self.asked.get("amiType", types.DEFAULT_AMI_TYPE)

    @property
    def image(self) -> str | None:
        """The custom AMI of the nodes; None for an AMI of EKS."""
        return self.release_version if self.release_version.startswith("ami-") else None

    @property
    def is_spot(self) -> bool:
        return self.asked.get("capacityType") == "SPOT"

    @property
    def busy_update(self):
        return next((u for u in self.updates.values() if u.status == "InProgress"), None)

    def begin(self, on: str, status: str) -> None:
        """Begins a transitional state, which ends according to the plan."""
        self._plan = plans.take(self.account, on, self.name)
        self.status, self._polls_left = status, self._plan.polls

    def observe(self) -> None:
        """Counts a read. After the planned number of reads a transitional state ends as planned."""
        if self.status not in ("CREATING", "DELETING"):
            return
        if self._polls_left > 0:
            self._polls_left -= 1
            return
        self.status, self.issues = self._plan.status, self._plan.issues
        if self.status == "ACTIVE" and (issue := self._obstacle()) is not None:
            self.status, self.issues = "CREATE_FAILED", [issue]

    def _obstacle(self) -> dict | None:
        """Returns the issue of its subnets, or the reason why its first nodes do not join."""
        if wrong := subnets.without_public_addresses(self):
            message = f"One or more Amazon EC2 Subnets of {wrong} for node group {self.name} does not "
            message += "automatically assign public IP addresses to instances launched into it."
            code = "Ec2SubnetInvalidConfiguration"
            return {"code": code, "message": message, "resourceIds": wrong}
        role = self.asked["nodeRole"]
        if self.scaling["desiredSize"] == 0:
            return None
        if not eks_access.can_join(self.account, self.region, self.cluster, role):
            message = "Instances failed to join the kubernetes cluster"
            return {"code": "NodeCreationFailure", "message": message, "resourceIds": ["i-1"]}
        return None

    def shown(self) -> dict:
        asked, status, issues = self.asked, self.status, self.issues
        planned = plans.health(self.account, self.name)
        if planned is not None and status == "ACTIVE":
            status, issues = planned.status, planned.issues
        view = {
            "nodegroupName": self.name,
            "nodegroupArn": self.arn,
            "clusterName": self.cluster,
            "version": self.version,
            "releaseVersion": self.release_version,
            "createdAt": self.created_at,
            "modifiedAt": self.modified_at,
            "status": status,
            "capacityType": asked.get("capacityType", "ON_DEMAND"),
            "scalingConfig": parts.scaling_of(self),
            "subnets": asked["subnets"],
            "amiType": self.ami_type,
            "nodeRole": asked["nodeRole"],
            "labels": self.labels,
            "health": {"issues": issues},
            "updateConfig": self.update_config,
            "tags": self.tags,
        }
        if self.taints:
            view["taints"] = self.taints
        if "remoteAccess" in asked:
            view["remoteAccess"] = asked["remoteAccess"]
        if self.node_repair_config is not None:
            view["nodeRepairConfig"] = self.node_repair_config
        if self.launch_template is None:
            view["diskSize"] = asked.get("diskSize", templates.DEFAULT_DISK_SIZE)
            view["instanceTypes"] = asked.get("instanceTypes", [templates.DEFAULT_INSTANCE_TYPE])
        else:
            view["launchTemplate"] = self.launch_template
            if "instanceTypes" in asked:
                view["instanceTypes"] = asked["instanceTypes"]
        # An assumption: the response contains no resources before they exist.
        if self.status != "CREATING":
            view["resources"] = parts.resources_of(self)
        return view


def find(request: EksRequest, name: str | None = None) -> NodeGroup:
    """Returns the node group in the path. A group of which the deletion has ended does not exist.

    Errors: ResourceNotFoundException, for the cluster or for the node group.
    """
    cluster, name = request.cluster, name or request.path[3]
    group = cluster.nodegroups.get(name)
    if group is not None and group.status == "GONE":
        forget(request, group)
        group = None
    if group is None:
        raise not_found(
            f"No node group found for name: {name}.",
            clusterName=cluster.name,
            nodegroupName=name,
        )
    return group


def forget(request: EksRequest, group: NodeGroup) -> None:
    cluster = request.cluster
    del cluster.nodegroups[group.name]
    cluster.nodegroup_count -= 1
    parts.remove(group)


def create_nodegroup(request: EksRequest) -> dict:
    cluster, asked = request.cluster, request.body
    name, token = asked["nodegroupName"], asked.get("clientRequestToken")
    names = {"clusterName": cluster.name, "nodegroupName": name}
    existing = cluster.nodegroups.get(name)
    if existing is not None and existing.status == "GONE":
        forget(request, existing)
    elif existing is not None:
        # A repeated create with the same request token returns the same node group.
        if token and existing.token == token:
            return {"nodegroup": existing.shown()}
        raise in_use(
            f"NodeGroup already exists with name {name} and cluster name {cluster.name}", **names
        )
    checks.check_cluster(cluster, names)
    checks.check_name(name, names)
    # Default sizes of EKS, if the request contains none.
    scaling = {"minSize": 1, "maxSize": 2, "desiredSize": 2} | asked.get("scalingConfig", {})
    checks.check_scaling(scaling, names)
    labels.check_labels(asked.get("labels", {}), names)
    labels.check_taints(asked.get("taints", []), names)
    checks.check_role(request.account, asked["nodeRole"], names)
    checks.check_subnets(request, asked["subnets"], cluster.resources_vpc_config["vpcId"], names)
    template = templates.check(request, asked.get("amiType", types.DEFAULT_AMI_TYPE), names)
    types.check_types(request, asked, template, names)
    version, release = checks.check_version(
        cluster, cluster.version, asked.get("version"), asked.get("releaseVersion"), names
    )
    if image := templates.image_of(request, template):
        # EKS returns a custom AMI instead of the release.
        asked, release = {**asked, "amiType": "CUSTOM"}, image
    uuid = str(mock_random.uuid4())
    group = NodeGroup(
        name=name,
        cluster=cluster.name,
        account=request.account,
        region=request.region,
        arn=request.arn("nodegroup", cluster.name, name, uuid),
        uuid=uuid,
        token=token,
        version=version,
        release_version=release,
        scaling=dict(scaling),
        asked=asked,
        labels=dict(asked.get("labels", {})),
        taints=list(asked.get("taints", [])),
        tags=dict(asked.get("tags", {})),
        update_config=asked.get("updateConfig") or {"maxUnavailable": 1},
        node_repair_config=asked.get("nodeRepairConfig"),
        launch_template=template,
    )
    eks_access.admit_nodes(request, asked["nodeRole"])
    group.begin("create", "CREATING")
    parts.create(group, templates.data_of_nodes(request, asked, template))
    cluster.nodegroups[name] = group
    cluster.nodegroup_count += 1
    return {"nodegroup": group.shown()}


def describe_nodegroup(request: EksRequest) -> dict:
    group = find(request)
    group.observe()
    if group.busy_update is not None:
        group.busy_update.observe()
    return {"nodegroup": find(request).shown()}


def list_nodegroups(request: EksRequest) -> dict:
    names, token = request.page(list(request.cluster.nodegroups))
    return {"nodegroups": names, "nextToken": token}


def delete_nodegroup(request: EksRequest) -> dict:
    group = find(request)
    names = {"clusterName": group.cluster, "nodegroupName": group.name}
    if group.status == "DELETING":
        raise in_use(f"Nodegroup {group.name} is being deleted", **names)
    if group.status == "UPDATING":
        raise in_use("Nodegroup cannot be deleted as it is currently not in Active State", **names)
    group.begin("delete", "DELETING")
    return {"nodegroup": group.shown()}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        create_nodegroup,
        describe_nodegroup,
        list_nodegroups,
        delete_nodegroup,
    )
}
