"""Addresses of the node, and the configuration files of its programs."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "real"
LABEL = "gitlabspot.io/real-node"

# Addresses in the network namespace of the node, so that they can be the same in all clouds.
ADDRESS = "10.244.0.1"
POD_NETWORK = "10.244.0.0/16"
FIRST_POD = "10.244.0.10"
BRIDGE = "cni0"
# A bridge without a fixed MAC address uses the lowest one of its ports, which changes when pods start and end. Every
# change stalls connections of other pods for half a minute.
BRIDGE_MAC = "0a:58:0a:f4:00:01"
KUBELET_PORT = 10250
# The first address of the service range of the cluster, at which pods access the API server.
API_SERVICE = "10.96.0.1"

CGROUP_PREFIX = "gitlabspot-node-"
CGROUPS = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")

# Directory of the node in its mount namespace. It is short, because addresses of sockets are limited to 108 bytes.
INSIDE = Path("/run/node")


@dataclass(frozen=True)
class Settings:
    """Settings for both sides of the node."""

    # ID in the names of the cgroup and of the socket for connections of the API server.
    id: str
    directory: str
    tools: str
    api_port: int
    # Loopback ports of the machine that pods can access at the address of the node.
    open_ports: tuple[int, ...]

    @property
    def egress_socket(self) -> str:
        """An abstract socket, which needs no path and does not remain after its process has ended."""
        return f"@{self.id}"

    @property
    def cgroup(self) -> str:
        return f"{CGROUP_PREFIX}{self.id}"

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def read(cls, path: Path) -> "Settings":
        fields = json.loads(path.read_text())
        return cls(**{**fields, "open_ports": tuple(fields["open_ports"])})


def egress_selector(settings: Settings) -> dict:
    """Returns the configuration with which the API server connects to kubelets and pods through the relay."""
    return {
        "apiVersion": "apiserver.k8s.io/v1beta1",
        "kind": "EgressSelectorConfiguration",
        "egressSelections": [
            {
                "name": "cluster",
                "connection": {
                    "proxyProtocol": "HTTPConnect",
                    "transport": {"uds": {"udsName": settings.egress_socket}},
                },
            }
        ],
    }


def kubelet(settings: Settings) -> dict:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": ADDRESS,
        "port": KUBELET_PORT,
        "healthzPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": False},
            "x509": {"clientCAFile": f"{INSIDE}/ca.crt"},
        },
        "authorization": {"mode": "AlwaysAllow"},
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{settings.cgroup}",
        "enforceNodeAllocatable": ["none"],
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{INSIDE}/containerd.sock",
        "oomScoreAdj": 0,
        "podLogsDir": f"{INSIDE}/kubelet/pod-logs",
        "volumePluginDir": f"{INSIDE}/kubelet/volume-plugins",
        "resolvConf": f"{INSIDE}/resolv.conf",
        "registerWithTaints": [{"key": LABEL, "value": "true", "effect": "NoSchedule"}],
        # Disk and memory are those of the machine, and tests must not depend on their usage.
        "evictionHard": {
            signal: "0%"
            for signal in (
                "memory.available",
                "nodefs.available",
                "nodefs.inodesFree",
                "imagefs.available",
                "imagefs.inodesFree",
            )
        },
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
    }


def containerd() -> str:
    """Returns TOML. Some machines do not allow lowering the OOM score of a process, hence `restrict`."""
    return f"""\
version = 3
root = "{INSIDE}/containerd/root"
state = "{INSIDE}/containerd/state"

[grpc]
address = "{INSIDE}/containerd.sock"

[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = "registry.k8s.io/pause:3.10"

[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ["{INSIDE}/tools/cni"]
conf_dir = "{INSIDE}/cni"
use_internal_loopback = true

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
runtime_path = "{INSIDE}/tools/containerd-shim-runc-v2"

[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = "{INSIDE}/tools/runc"
Root = "{INSIDE}/containerd/runc"
SystemdCgroup = false
"""


def network() -> dict:
    """Returns the CNI configuration: pods with addresses on a bridge. Only the relay connects to the outside."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": False,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": f"{INSIDE}/cni-data",
                    "ranges": [[{"subnet": POD_NETWORK, "rangeStart": FIRST_POD, "gateway": ADDRESS}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }
