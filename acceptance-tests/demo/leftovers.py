"""Lists all objects in AWS and Kubernetes, to compare them before and after the demo."""

import json
import urllib.request
from dataclasses import dataclass

from cloud.kubernetes import Kubernetes

# Resources that the cluster creates and deletes itself.
EPHEMERAL = {"events", "leases", "endpoints", "endpointslices"}


@dataclass(frozen=True)
class Inventory:
    aws: frozenset[str]
    kubernetes: frozenset[str]

    @classmethod
    def of(cls, cloud: dict) -> "Inventory":
        return cls(_aws(cloud["aws"]), _kubernetes(Kubernetes.of(cloud["kubernetes"])))

    def beyond(self, before: "Inventory") -> list[str]:
        return sorted((self.aws - before.aws) | (self.kubernetes - before.kubernetes))


def _aws(aws: dict) -> frozenset[str]:
    url = f"{aws['control']}/leftovers?account={aws['account']}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = json.load(answer)
    return frozenset(f"AWS {kind} {name}" for kind, names in found.items() for name in names)


def _kubernetes(cluster: Kubernetes) -> frozenset[str]:
    groups = ["/api/v1"]
    groups += [f"/apis/{group['preferredVersion']['groupVersion']}" for group in cluster.get("/apis")["groups"]]
    found = set()
    for group in groups:
        for kind in cluster.get(group)["resources"]:
            name = kind["name"]
            if "/" in name or "list" not in kind["verbs"] or name in EPHEMERAL:
                continue
            for item in cluster.get(f"{group}/{name}")["items"]:
                metadata = item["metadata"]
                where = f"{metadata['namespace']}/" if "namespace" in metadata else ""
                found.add(f"Kubernetes {name} {where}{metadata['name']}")
    return frozenset(found)
