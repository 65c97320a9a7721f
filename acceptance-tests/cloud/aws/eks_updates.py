"""Updates of node groups, which take several reads to complete.

moto applies a configuration update at once, returns an ID that no other call accepts, and has neither
DescribeUpdate nor UpdateNodegroupVersion. On AWS the node group is UPDATING during an update, a second
update is rejected, and a failed update does not change the group.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random

from . import eks_nodegroup_checks as checks
from . import eks_nodegroup_labels
from . import eks_nodegroup_parts as parts
from . import eks_nodegroup_templates as templates
from . import eks_nodegroup_types as types
from . import plans
from .eks import EksRequest, in_use, invalid, not_found
from .eks_nodegroups import NodeGroup, find


@dataclass
class Update:
    group: NodeGroup
    type: str
    params: list[dict]
    token: str | None
    apply: Callable[[], None]
    id: str = field(default_factory=lambda: str(mock_random.uuid4()))
    status: str = "InProgress"
    errors: list[dict] = field(default_factory=list)
    created_at: object = field(default_factory=utcnow)

    def __post_init__(self):
        self._plan = plans.take(self.group.account, "update", self.group.name)
        self._polls_left = self._plan.polls

    def observe(self) -> None:
        """Counts a read of the update or of its node group."""
        if self.status != "InProgress":
            return
        if self._polls_left > 0:
            self._polls_left -= 1
            return
        self.status, self.errors = self._plan.status, self._plan.errors
        self.group.status = "ACTIVE"
        if self.status == "Successful":
            self.apply()
            self.group.modified_at = utcnow()

    def shown(self) -> dict:
        return {
            "id": self.id,
            "status": self.status,
            "type": self.type,
            "params": self.params,
            "createdAt": self.created_at,
            "errors": self.errors,
        }


def _begin(request: EksRequest, type: str, prepare) -> dict:
    """Starts an update. `prepare` checks the request and returns its params and its effect."""
    group = find(request)
    token = request.body.get("clientRequestToken")
    for update in group.updates.values():
        if token and update.token == token:
            return {"update": update.shown()}
    checks.check_cluster(
        request.cluster, {"clusterName": group.cluster, "nodegroupName": group.name}
    )
    if group.status not in ("ACTIVE", "DEGRADED"):
        raise in_use(
            "Nodegroup cannot be updated as it is currently not in Active State",
            clusterName=group.cluster,
            nodegroupName=group.name,
        )
    params, apply = prepare(request, group)
    update = Update(group, type, params, token, apply)
    group.updates[update.id] = update
    group.status = "UPDATING"
    return {"update": update.shown()}


def update_nodegroup_config(request: EksRequest) -> dict:
    return _begin(request, "ConfigUpdate", _config)


def _config(request: EksRequest, group: NodeGroup):
    asked, names = request.body, {"clusterName": group.cluster, "nodegroupName": group.name}
    labels, taints = asked.get("labels") or {}, asked.get("taints") or {}
    scaling = parts.scaling_of(group) | (asked.get("scalingConfig") or {})
    checks.check_scaling(scaling, names)
    added = labels.get("addOrUpdateLabels", {})
    eks_nodegroup_labels.check_labels(added, names)
    eks_nodegroup_labels.check_taints(taints.get("addOrUpdateTaints", []), names)
    if both := set(added) & set(labels.get("removeLabels", [])):
        raise invalid(f"Labels {sorted(both)} are both added and removed", **names)
    new_taints = {_taint_key(taint): taint for taint in taints.get("addOrUpdateTaints", [])}
    old_taints = {_taint_key(taint) for taint in taints.get("removeTaints", [])}
    if both := set(new_taints) & old_taints:
        raise invalid(f"Taints {sorted(both)} are both added and removed", **names)

    def apply() -> None:
        for key in labels.get("removeLabels", []):
            group.labels.pop(key, None)
        group.labels.update(added)
        kept = {_taint_key(taint): taint for taint in group.taints}
        kept = {key: taint for key, taint in kept.items() if key not in old_taints} | new_taints
        group.taints = list(kept.values())
        if "scalingConfig" in asked:
            group.scaling = scaling
            if (asg := parts.find_asg(group)) is not None:
                parts.resize(asg, scaling)
        group.update_config = asked.get("updateConfig") or group.update_config
        group.node_repair_config = asked.get("nodeRepairConfig") or group.node_repair_config

    params = [
        {"type": type, "value": json.dumps(value)}
        for type, value in (
            ("LabelsToAdd", added),
            ("LabelsToRemove", labels.get("removeLabels")),
            ("TaintsToAdd", taints.get("addOrUpdateTaints")),
            ("TaintsToRemove", taints.get("removeTaints")),
            ("MinSize", (asked.get("scalingConfig") or {}).get("minSize")),
            ("MaxSize", (asked.get("scalingConfig") or {}).get("maxSize")),
            ("DesiredSize", (asked.get("scalingConfig") or {}).get("desiredSize")),
        )
        if value not in (None, {}, [])
    ]
    return params, apply


def _taint_key(taint: dict) -> tuple[str, str]:
    """Returns the key of a taint. A node has one taint per key and effect."""
    return taint["key"], taint["effect"]


def update_nodegroup_version(request: EksRequest) -> dict:
    return _begin(request, "VersionUpdate", _version)


def _version(request: EksRequest, group: NodeGroup):
    asked, names = request.body, {"clusterName": group.cluster, "nodegroupName": group.name}
    template = templates.check(request, group.ami_type, names)
    if template is not None:
        templates.check_same(template, group, names)
        types.check_types(request, group.asked, template, names)
    version, release = _versions(request, group, template, names)
    renewed = template is not None and template != group.launch_template
    # Copied now, because the template may change before the update ends.
    data = templates.data_of_nodes(request, group.asked, template) if renewed else None

    def apply() -> None:
        group.version, group.release_version = version, release
        if group.image:
            group.asked = {**group.asked, "amiType": "CUSTOM"}
        group.launch_template = template or group.launch_template
        if renewed:
            parts.renew(group, data)

    params = [
        {"type": "Version", "value": version},
        {"type": "ReleaseVersion", "value": release},
    ]
    if template is not None:
        params.append({"type": "LaunchTemplateVersion", "value": template["version"]})
    return params, apply


def _versions(
    request: EksRequest, group: NodeGroup, template: dict | None, names: dict
) -> tuple[str, str]:
    """Returns version and release of the nodes after the update."""
    asked = request.body
    if template is None and group.image:
        message = "Launch template details can't be null for Custom ami type node group"
        raise invalid(message, **names)
    image = templates.image_of(request, template)
    if image:
        return group.version, image
    if group.image:
        # The error is documented, the message is an assumption.
        message = "The launch template of a Custom ami type node group must specify an image id"
        raise invalid(message, **names)
    version, release = checks.check_version(
        request.cluster, group.version, asked.get("version"), asked.get("releaseVersion"), names
    )
    checks.check_no_downgrade(group, version, release, names)
    return version, release


def _group(request: EksRequest) -> NodeGroup:
    if "nodegroupName" not in request.query:
        raise invalid("the local cloud knows updates of node groups only")
    return find(request, request.query["nodegroupName"])


def describe_update(request: EksRequest) -> dict:
    group = _group(request)
    update = group.updates.get(request.path[3])
    if update is None:
        raise not_found(f"No update found for ID: {request.path[3]}")
    update.observe()
    return {"update": update.shown()}


def list_updates(request: EksRequest) -> dict:
    ids, token = request.page(list(_group(request).updates))
    return {"updateIds": ids, "nextToken": token}


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        update_nodegroup_config,
        update_nodegroup_version,
        describe_update,
        list_updates,
    )
}
