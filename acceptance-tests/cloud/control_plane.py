"""A Kubernetes control plane: etcd, API server, controllers, scheduler, kwok.

kwok simulates all nodes except the real one (node/). It sets nodes to ready and their pods to running, according to the
Stage files in kwok/.
"""

import base64
import json
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path

from . import certificates
from .node.plan import Node
from .node.settings import API_SERVICE
from .node.settings import LABEL as REAL_NODE
from .layout import HERE, Layout, tool
from .processes import Child, answers, free_port

SERVICE_CIDR = "10.96.0.0/16"
# An address for documentation, because no client connects to the advertised address of the API server.
ADVERTISED = "192.0.2.1"


@dataclass
class ControlPlane:
    """Settings of the control plane. They are chosen before it starts, because DescribeCluster returns them."""

    layout: Layout
    port: int
    admin_token: str

    @classmethod
    def plan(cls, layout: Layout) -> "ControlPlane":
        layout.kubernetes.mkdir(mode=0o700)
        certificates.make(layout.kubernetes, API_SERVICE)
        plane = cls(layout, free_port(), secrets.token_hex(24))
        plane._write_tokens()
        plane._write_kubeconfig(layout.kubeconfig)
        return plane

    @property
    def host(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        return self.layout.kubernetes / "ca.crt"

    def describe(self) -> dict:
        """Returns the `kubernetes` part of cloud.json."""
        return {
            "host": self.host,
            "ca_file": str(self.ca_file),
            "client_certificate_file": str(self.layout.kubernetes / "admin.crt"),
            "client_key_file": str(self.layout.kubernetes / "admin.key"),
            "admin_token": self.admin_token,
            "kubeconfig": str(self.layout.kubeconfig),
        }

    def start(self, launch, authenticator: str, node: Node | None) -> None:
        """Starts all processes with `launch(name, command)`, each when the previous one is ready."""
        etcd = self._start_etcd(launch)
        self._start_apiserver(launch, etcd, authenticator, node)
        config = str(self.layout.kubeconfig)
        as_admin = [
            f"--kubeconfig={config}",
            f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}",
            "--leader-elect=false",
            "--secure-port=0",
        ]
        key = self.layout.kubernetes / "service-account.key"
        launch(
            "kube-controller-manager",
            [
                tool("kube-controller-manager"),
                *as_admin,
                f"--service-account-private-key-file={key}",
                f"--root-ca-file={self.ca_file}",
                # The omitted controllers manage cloud providers and networks, which do not exist here.
                "--controllers=*,-nodeipam,-route,-service-lb-controller,"
                "-cloud-node-lifecycle-controller",
            ],
        )
        launch("kube-scheduler", [tool("kube-scheduler"), *as_admin])
        self._start_kwok(launch)

    def _start_etcd(self, launch) -> str:
        clients, peers = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        child: Child = launch(
            "etcd",
            [
                tool("etcd"),
                f"--data-dir={self.layout.etcd}",
                f"--listen-client-urls={clients}",
                f"--advertise-client-urls={clients}",
                f"--listen-peer-urls={peers}",
                f"--initial-advertise-peer-urls={peers}",
                f"--initial-cluster=default={peers}",
                "--unsafe-no-fsync",  # its data is deleted with the cloud
                "--log-level=warn",
            ],
        )
        child.wait_until(answers(f"{clients}/health"))
        return clients

    def _start_apiserver(self, launch, etcd: str, authenticator: str, node: Node | None) -> None:
        files = self.layout.kubernetes
        to_node = [f"--egress-selector-config-file={node.egress_selector}"] if node else []
        webhook = files / "authenticator.kubeconfig"
        webhook.write_text(json.dumps(_kubeconfig(authenticator)))
        child: Child = launch(
            "kube-apiserver",
            [
                tool("kube-apiserver"),
                f"--etcd-servers={etcd}",
                "--bind-address=127.0.0.1",
                f"--secure-port={self.port}",
                f"--advertise-address={ADVERTISED}",
                "--endpoint-reconciler-type=none",
                f"--tls-cert-file={files / 'apiserver.crt'}",
                f"--tls-private-key-file={files / 'apiserver.key'}",
                f"--client-ca-file={self.ca_file}",
                f"--service-account-key-file={files / 'service-account.key'}",
                f"--service-account-signing-key-file={files / 'service-account.key'}",
                f"--service-account-issuer={self.host}",
                f"--service-cluster-ip-range={SERVICE_CIDR}",
                f"--token-auth-file={files / 'tokens.csv'}",
                f"--authentication-token-webhook-config-file={webhook}",
                "--authentication-token-webhook-version=v1",
                # Short, so that a token that was just rejected or has expired is reviewed again.
                "--authentication-token-webhook-cache-ttl=2s",
                "--authorization-mode=RBAC",
                "--allow-privileged=true",  # docker-in-docker requires it
                # For logs, exec and attach, because names of nodes cannot be resolved.
                "--kubelet-preferred-address-types=InternalIP",
                f"--kubelet-client-certificate={files / 'admin.crt'}",
                f"--kubelet-client-key={files / 'admin.key'}",
                *to_node,
            ],
        )
        child.wait_until(answers(f"{self.host}/readyz", context=self.trust()))

    def _start_kwok(self, launch) -> None:
        address = f"127.0.0.1:{free_port()}"
        stages = sorted((HERE / "kwok").glob("*.yaml"))
        child: Child = launch(
            "kwok",
            [
                tool("kwok"),
                f"--kubeconfig={self.layout.kubeconfig}",
                f"--manage-nodes-with-label-selector=!{REAL_NODE}",
                f"--server-address={address}",
                "--node-lease-duration-seconds=40",
                *(f"--config={stage}" for stage in stages),
            ],
        )
        child.wait_until(answers(f"http://{address}/healthz"))

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def _write_tokens(self) -> None:
        tokens = self.layout.kubernetes / "tokens.csv"
        tokens.touch(mode=0o600)
        tokens.write_text(f'{self.admin_token},admin,admin,"system:masters"\n')

    def _write_kubeconfig(self, path: Path) -> None:
        path.touch(mode=0o600)
        ca = base64.b64encode(self.ca_file.read_bytes()).decode()
        config = _kubeconfig(self.host, token=self.admin_token, certificate_authority_data=ca)
        path.write_text(json.dumps(config, indent=2))


def _kubeconfig(server: str, token: str | None = None, **cluster) -> dict:
    """Returns a kubeconfig as data. It is written as JSON, which is valid YAML."""
    cluster = {key.replace("_", "-"): value for key, value in cluster.items()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "local", "user": {"token": token} if token else {}}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": "local"}}],
        "current-context": "local",
    }
