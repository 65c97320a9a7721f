"""Checks whether this machine can run the node."""

import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from .images import BUSYBOX_BINARY, PROGRAMS
from .settings import CGROUPS, CONTROLLERS

TOOLS = (
    "kubelet",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "cni/bridge",
    "cni/host-local",
    "pause",
    "gitlab-runner",
)

# The first steps of the node, which run in separate namespaces.
TRIAL = """
set -e
mount -t tmpfs tmpfs "$1"
mkdir "$1/lower" "$1/upper" "$1/work" "$1/merged"
mount -t overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" overlay "$1/merged"
ip link add trial type bridge
"""


def missing(tools: Path) -> str | None:
    """Returns why the node cannot run here, as the end of a sentence; None if it can."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return f"it needs Linux on x86_64, and this is {platform.system()} on {platform.machine()}"
    if os.geteuid() != 0:
        return "it needs root, for namespaces, mounts and cgroups"
    if absent := [name for name in TOOLS if not (tools / "bin" / name).exists()]:
        return f"its programs are not built ({', '.join(absent)}): run `make tools`"
    if absent := [str(path) for path in (BUSYBOX_BINARY, *PROGRAMS) if not path.exists()]:
        return f"its images are made of {', '.join(absent)}, which this machine does not have"
    if absent := [name for name in ("ip", "mount", "unshare") if shutil.which(name) is None]:
        return f"it needs {', '.join(absent)} on PATH"
    if absent := [name for name in CONTROLLERS if not os.access(CGROUPS / name, os.W_OK)]:
        return f"it needs version 1 of these cgroups, to write to: {', '.join(absent)}"
    return _trial()


def _trial() -> str | None:
    with tempfile.TemporaryDirectory() as directory:
        command = ["unshare", "--mount", "--pid", "--net", "--fork", "--propagation", "private"]
        tried = subprocess.run(
            [*command, "sh", "-c", TRIAL, "sh", directory], capture_output=True, text=True
        )
    if tried.returncode == 0:
        return None
    return f"namespaces, overlays or bridges are refused here ({tried.stderr.strip()})"
