"""The images of the node, from files of this machine: one archive in OCI layout, which containerd imports.

Layers are not compressed, because they are not transferred over a network.
"""

import hashlib
import io
import json
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

PAUSE = "registry.k8s.io/pause:3.10"
BUSYBOX = "docker.io/library/busybox:1.35"
RUNNER = "registry.gitlab.com/gitlab-org/gitlab-runner"

# Versions with different behaviour of the runner's stand-in, and the default of the provider.
RUNNER_VERSIONS = ("15.0.0", "18.5.0", "18.10.0", "19.3.0")

# From Debian's packages busybox-static, bash, dumb-init and procps.
BUSYBOX_BINARY = Path("/bin/busybox")
PROGRAMS = (Path("/bin/bash"), Path("/usr/bin/dumb-init"), Path("/usr/bin/pgrep"))

SEARCH_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# User of the official image. The pod security context of the chart contains its ID.
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\ngitlab-runner:x:100:65533::/home/gitlab-runner:/bin/sh\n",
    "etc/group": "root:x:0:\nnogroup:x:65533:\n",
}

ENTRYPOINT = """\
#!/bin/bash
exec gitlab-runner "$@"
"""


@dataclass
class Layer:
    """Files of a layer, by default owned by root."""

    _entries: list[tuple[tarfile.TarInfo, bytes]] = field(default_factory=list)

    def directory(self, path: str, mode: int = 0o755, owner: int = 0, group: int = 0) -> None:
        info = tarfile.TarInfo(path)
        info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, mode, owner, group
        self._entries.append((info, b""))

    def file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        info = tarfile.TarInfo(path)
        info.size, info.mode = len(data), mode
        self._entries.append((info, data))

    def link(self, path: str, target: str) -> None:
        info = tarfile.TarInfo(path)
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._entries.append((info, b""))

    def packed(self) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for info, data in self._entries:
                archive.addfile(info, io.BytesIO(data))
        return packed.getvalue()


def pause_layer(tools: Path) -> Layer:
    layer = Layer()
    layer.file("pause", (tools / "bin" / "pause").read_bytes(), 0o755)
    return layer


def busybox_layer() -> Layer:
    layer = Layer()
    for path in ("bin", "etc", "usr", "usr/bin", "home", "root", "var"):
        layer.directory(path)
    layer.directory("tmp", 0o1777)
    layer.file("bin/busybox", BUSYBOX_BINARY.read_bytes(), 0o755)
    listed = subprocess.run([BUSYBOX_BINARY, "--list"], check=True, capture_output=True, text=True)
    for name in listed.stdout.split():
        if name != "busybox":
            layer.link(f"bin/{name}", "/bin/busybox")
            layer.link(f"usr/bin/{name}", "/bin/busybox")
    for path, text in ACCOUNTS.items():
        layer.file(path, text.encode())
    return layer


def programs_layer() -> Layer:
    """Returns a layer with the programs of the official runner image besides a shell, and their libraries."""
    layer = Layer()
    libraries = set()
    for program in PROGRAMS:
        layer.file(str(program).lstrip("/"), program.read_bytes(), 0o755)
        listed = subprocess.run(["ldd", program], check=True, capture_output=True, text=True)
        libraries.update(re.findall(r"(/\S+) \(0x", listed.stdout))
    folders = {str(folder) for library in libraries for folder in Path(library).parents} - {"/"}
    for folder in sorted(folders):
        layer.directory(folder.lstrip("/"))
    for library in sorted(libraries):
        layer.file(library.lstrip("/"), Path(library).read_bytes(), 0o755)
    return layer


def runner_layer(tools: Path) -> Layer:
    layer = Layer()
    layer.directory("home/gitlab-runner", owner=100, group=65533)
    layer.file("usr/bin/gitlab-runner", (tools / "bin" / "gitlab-runner").read_bytes(), 0o755)
    layer.file("entrypoint", ENTRYPOINT.encode(), 0o755)
    return layer


def helper_layer() -> Layer:
    """Returns a layer with links to the runner's binary, which behaves as the helper under these names."""
    layer = Layer()
    for name in ("gitlab-runner-helper", "gitlab-runner-build"):
        layer.link(f"usr/bin/{name}", "gitlab-runner")
    return layer


class Archive:
    """Blobs by digest, and an index with the names of the images."""

    def __init__(self, archive: tarfile.TarFile):
        self._archive = archive
        self._written: set[str] = set()
        self._images: list[dict] = []

    def blob(self, data: bytes) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self._written:
            self._written.add(digest)
            self._put(f"blobs/sha256/{digest}", data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    def image(self, names: list[str], layers: list[dict], config: dict) -> None:
        described = {
            "architecture": "amd64",
            "os": "linux",
            "config": config,
            # The diff ID of a layer that is not compressed is its digest.
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
            "history": [{"created_by": "local cloud"} for _ in layers],
        }
        kind = "application/vnd.oci.image"
        config_blob = {"mediaType": f"{kind}.config.v1+json", **self._json(described)}
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": config_blob,
            "layers": [{"mediaType": f"{kind}.layer.v1.tar", **layer} for layer in layers],
        }
        blob = {"mediaType": manifest["mediaType"], **self._json(manifest)}
        for name in names:
            annotations = {"io.containerd.image.name": name}
            self._images.append({**blob, "annotations": annotations})

    def finish(self) -> None:
        self._put("oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
        kind = "application/vnd.oci.image.index.v1+json"
        index = {"schemaVersion": 2, "mediaType": kind, "manifests": self._images}
        self._put("index.json", json.dumps(index).encode())

    def _json(self, value: dict) -> dict:
        return self.blob(json.dumps(value).encode())

    def _put(self, path: str, data: bytes) -> None:
        info = tarfile.TarInfo(path)
        info.size = len(data)
        self._archive.addfile(info, io.BytesIO(data))


def write_images(path: Path, tools: Path) -> None:
    """Writes the archive."""
    with tarfile.open(path, "w") as file:
        archive = Archive(file)
        layers = (
            pause_layer(tools),
            busybox_layer(),
            programs_layer(),
            runner_layer(tools),
            helper_layer(),
        )
        pause, busybox, programs, runner, helper = (archive.blob(layer.packed()) for layer in layers)
        archive.image([PAUSE], [pause], {"Entrypoint": ["/pause"], "User": "65535:65535"})
        archive.image([BUSYBOX], [busybox], {"Cmd": ["sh"], "Env": [SEARCH_PATH]})
        for version in RUNNER_VERSIONS:
            settings = {"Env": [SEARCH_PATH, f"RUNNER_STAND_IN_VERSION={version}"]}
            runner_settings = {
                **settings,
                "Entrypoint": ["/usr/bin/dumb-init", "/entrypoint"],
                "Cmd": ["run", "--user=gitlab-runner", "--working-directory=/home/gitlab-runner"],
                "StopSignal": "SIGQUIT",
            }
            tag = f"{RUNNER}:alpine-v{version}"
            archive.image([tag], [busybox, programs, runner], runner_settings)
            tag = f"{RUNNER}/gitlab-runner-helper:x86_64-v{version}"
            archive.image([tag], [busybox, programs, runner, helper], {"Cmd": ["sh"], **settings})
        archive.finish()
