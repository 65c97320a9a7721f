"""Files and directories in the cloud's directory."""

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
    """The directory of one cloud. Its content is created again at each start."""

    root: Path

    @property
    def description(self) -> Path:
        """cloud.json, which is written when everything is ready and deleted at the end."""
        return self.root / "cloud.json"

    @property
    def lock(self) -> Path:
        """Lock of the supervisor, which the system releases when its process ends."""
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
        """Logs, configuration and container storage of the real node, if there is one."""
        return self.root / "node"

    @property
    def kubeconfig(self) -> Path:
        return self.kubernetes / "admin.kubeconfig"

    def describe(self) -> dict | None:
        """Returns the content of cloud.json; None if it does not exist."""
        try:
            return json.loads(self.description.read_text())
        except FileNotFoundError:
            return None


def tool(name: str) -> Path:
    path = TOOLS / "bin" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `make tools` first")
    return path
