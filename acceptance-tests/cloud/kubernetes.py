"""A small client for the API server, and the objects of a new cluster."""

import json
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path

from .layout import HERE

FIELD_MANAGER = "local-cloud"
ATTEMPTS = 40

# The node for all pods except those of builds. It has no taints, and capacity for many concurrent tests.
SYSTEM_NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "system",
        "labels": {
            "kubernetes.io/arch": "amd64",
            "kubernetes.io/hostname": "system",
            "kubernetes.io/os": "linux",
            "node.kubernetes.io/instance-type": "m6i.16xlarge",
            "topology.kubernetes.io/region": "af-south-1",
            "topology.kubernetes.io/zone": "af-south-1a",
        },
    },
    "status": {
        "capacity": {"cpu": "64", "memory": "256Gi", "pods": "250"},
        "allocatable": {"cpu": "64", "memory": "256Gi", "pods": "250"},
    },
}


class Kubernetes:
    def __init__(self, host: str, token: str, ca_file: Path | str):
        self.host, self._token = host, token
        self._context = ssl.create_default_context(cafile=str(ca_file))

    @classmethod
    def of(cls, description: dict) -> "Kubernetes":
        """Creates a client from the `kubernetes` part of cloud.json."""
        return cls(description["host"], description["admin_token"], description["ca_file"])

    def request(self, method: str, path: str, body=None, content_type="application/json"):
        """Returns the response as data. Errors: HTTPError of urllib, with the Status object as its body."""
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = content_type
        request = urllib.request.Request(self.host + path, data, headers, method=method)
        for attempt in range(ATTEMPTS):
            try:
                with urllib.request.urlopen(request, timeout=30, context=self._context) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                # A server that has just started returns 429 while a storage is not ready.
                if error.code != 429 or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.5)

    def get(self, path: str):
        return self.request("GET", path)

    def apply(self, path: str, body: dict):
        """Creates or updates an object with server-side apply."""
        query = f"?fieldManager={FIELD_MANAGER}&force=true"
        return self.request("PATCH", path + query, body, "application/apply-patch+yaml")


def furnish(cluster: Kubernetes, seconds: float = 30) -> None:
    """Creates the system node of a new cluster and the custom resources of the Prometheus operator."""
    node = f"/api/v1/nodes/{SYSTEM_NODE['metadata']['name']}"
    # Created with its capacity, as by a kubelet, because a later update could conflict with that of kwok.
    cluster.request("POST", "/api/v1/nodes", SYSTEM_NODE)
    definitions = [
        json.loads(path.read_text()) for path in sorted((HERE / "manifests").glob("*.json"))
    ]
    for definition in definitions:
        path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
        cluster.apply(path + definition["metadata"]["name"], definition)

    deadline = time.monotonic() + seconds
    while waiting := _not_ready(cluster, node, definitions):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the cluster was not ready after {seconds:.0f} s: {waiting}")
        time.sleep(0.1)


def _not_ready(cluster: Kubernetes, node: str, definitions: list[dict]) -> str | None:
    conditions = cluster.get(node).get("status", {}).get("conditions", [])
    if not any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
        return "the system node is not Ready"
    if not _exists(cluster, "/api/v1/namespaces/default/serviceaccounts/default"):
        return "the controller manager has made no service account"
    for definition in definitions:
        spec = definition["spec"]
        group, plural = spec["group"], spec["names"]["plural"]
        if not _exists(cluster, f"/apis/{group}/{spec['versions'][0]['name']}/{plural}"):
            return f"{plural}.{group} is not served"
    return None


def _exists(cluster: Kubernetes, path: str) -> bool:
    try:
        cluster.get(path)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return False
        raise
    return True
