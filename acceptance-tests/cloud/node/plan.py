"""The node, for the supervisor."""

import json
import secrets
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from ..kubernetes import Kubernetes
from ..layout import TOOLS, Layout
from ..processes import Child
from .settings import ADDRESS, LABEL, NAME, Settings, egress_selector

# Seconds in which the process on the machine can end the node and remove its cgroups.
GRACE = 20


@dataclass(frozen=True)
class Node:
    """Settings of the node. They are chosen before it starts, because the API server needs its address."""

    directory: Path
    settings: Settings

    @classmethod
    def plan(cls, layout: Layout, api_port: int, open_ports: tuple[int, ...]) -> "Node":
        shutil.rmtree(layout.node, ignore_errors=True)
        layout.node.mkdir(mode=0o700)
        (layout.node / "logs").mkdir()
        settings = Settings(
            secrets.token_hex(6), str(layout.node), str(TOOLS), api_port, open_ports
        )
        settings.write(layout.node / "settings.json")
        node = cls(layout.node, settings)
        node.egress_selector.write_text(json.dumps(egress_selector(settings)))
        return node

    @property
    def egress_selector(self) -> Path:
        return self.directory / "egress-selector.json"

    def start(self, launch_python, layout: Layout) -> Child:
        """Begins to start the node. `wait` waits until it has started."""
        for file in (layout.kubeconfig, layout.kubernetes / "ca.crt"):
            name = "ca.crt" if file.name == "ca.crt" else "kubeconfig"
            shutil.copyfile(file, self.directory / name)
        settings_file = str(self.directory / "settings.json")
        return launch_python(
            "node", "cloud.node.outside", settings_file, death_signal=signal.SIGTERM, grace=GRACE
        )

    def wait(self, child: Child, kubernetes: Kubernetes) -> None:
        def ready() -> str | None:
            nodes = kubernetes.request("GET", f"/api/v1/nodes?fieldSelector=metadata.name={NAME}")
            conditions = [
                condition
                for node in nodes["items"]
                for condition in node["status"].get("conditions", [])
                if condition["type"] == "Ready"
            ]
            if any(condition["status"] == "True" for condition in conditions):
                return None
            return conditions[0]["message"] if conditions else "it has not registered"

        child.wait_until(ready, seconds=120)

    def describe(self) -> dict:
        """Returns the `node` part of cloud.json."""
        return {"name": NAME, "label": LABEL, "address": ADDRESS}
