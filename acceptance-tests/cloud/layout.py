"""Where things are in the cloud's directory."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
TOOLS = Path(os.environ.get("GITLABSPOT_TOOLS_DIR") or REPOSITORY / ".tools").resolve()

REGION = "af-south-1"


@dataclass(frozen=True)
class Layout:
    """One cloud's directory: everything in it is made anew at each start."""

    root: Path

    @property
    def description(self) -> Path:
        """cloud.json: written when everything is ready, removed at the end."""
        return self.root / "cloud.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor for as long as it lives; the system lets go for a dead one."""
        return self.root / "supervisor.lock"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def pids(self) -> Path:
        return self.root / "pids"

    @property
    def etcd(self) -> Path:
        return self.root / "etcd"

    @property
    def kubernetes(self) -> Path:
        """Certificates, keys, tokens and kubeconfigs; readable by the owner only."""
        return self.root / "kubernetes"

    @property
    def node(self) -> Path:
        """Of the real node, where there is one: its logs and configuration, and what its containers are made of."""
        return self.root / "node"

    @property
    def kubeconfig(self) -> Path:
        return self.kubernetes / "admin.kubeconfig"

    def describe(self) -> dict | None:
        """What cloud.json says, or None while there is none."""
        try:
            return json.loads(self.description.read_text())
        except FileNotFoundError:
            return None


def tool(name: str) -> Path:
    path = TOOLS / "bin" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make tools` first")
    return path
