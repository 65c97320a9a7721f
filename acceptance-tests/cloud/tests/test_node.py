"""The real node: several clouds can have one each, and nothing of it remains after its supervisor has ended."""

import os
import signal
import tempfile
import time
import unittest
from pathlib import Path

from cloud.kubernetes import Kubernetes
from cloud.layout import TOOLS, Layout
from cloud.node import machine
from cloud.node.outside import KEPT
from cloud.node.settings import CGROUPS, CONTROLLERS, NAME, Settings
from cloud.supervisor import start_in_background, stop

POD = {
    "metadata": {"name": "probe"},
    "spec": {
        "nodeName": NAME,
        "terminationGracePeriodSeconds": 0,
        "tolerations": [{"operator": "Exists"}],
        "automountServiceAccountToken": False,
        "containers": [
            {
                "name": "probe",
                "image": "docker.io/library/busybox:1.35",
                "command": ["sleep", "1000"],
            }
        ],
    },
}


class RealNode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if (reason := machine.missing(TOOLS)) is not None:
            raise unittest.SkipTest(f"the local cloud has no real node: {reason}")

    def cloud(self) -> tuple[Layout, dict]:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        layout = Layout(Path(directory.name))
        self.addCleanup(stop, layout)
        return layout, start_in_background(layout)

    def test_two_nodes_and_cleanup_after_a_kill(self):
        (first, described), (second, described_too) = self.cloud(), self.cloud()
        for description in (described, described_too):
            kubernetes = Kubernetes.of(description["kubernetes"])
            kubernetes.request("POST", "/api/v1/namespaces/default/pods", POD)
            _wait("a container runs", lambda: _phase(kubernetes) == "Running")
        self.assertTrue(_cgroups(first) and _processes(first))

        os.kill(described["pid"], signal.SIGKILL)
        _wait("its processes are gone", lambda: not _processes(first))
        _wait("its cgroups are gone", lambda: not _cgroups(first))
        _wait("its files are gone", lambda: {path.name for path in first.node.iterdir()} == set(KEPT))

        self.assertEqual(_phase(Kubernetes.of(described_too["kubernetes"])), "Running")
        stop(second)
        self.assertFalse(_processes(second))
        self.assertFalse(_cgroups(second))


def _phase(kubernetes: Kubernetes) -> str:
    pod = kubernetes.request("GET", "/api/v1/namespaces/default/pods/probe")
    return pod["status"].get("phase", "")


def _cgroups(layout: Layout) -> list[Path]:
    name = Settings.read(layout.node / "settings.json").cgroup
    return [path for path in (CGROUPS / part / name for part in CONTROLLERS) if path.exists()]


def _processes(layout: Layout) -> list[str]:
    """Returns the processes in a cgroup of the node, or with its directory in their arguments."""
    name = Settings.read(layout.node / "settings.json").cgroup
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().replace("\0", " ")
            if name in (process / "cgroup").read_text() or str(layout.root) in command:
                found.append(command)
        except OSError:
            continue
    return found


def _wait(what: str, condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"this never happened: {what}")
        time.sleep(0.1)
