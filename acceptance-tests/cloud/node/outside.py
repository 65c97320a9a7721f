"""On the machine's side of the node: `python -m cloud.node.outside SETTINGS`.

Starts the node in namespaces of its own, relays connections, and removes what it left when it ends. It outlives a
supervisor that was killed by as long as that takes: its signal at the supervisor's death is SIGTERM.
"""

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

from ..processes import die_with_parent
from . import relay
from .images import write_images
from .settings import CGROUP_PREFIX, CGROUPS, CONTROLLERS, Settings

NAMESPACES = ("--mount", "--pid", "--net", "--uts", "--ipc")

# Of the node's directory, what tells of the node when it is gone.
KEPT = ("logs", "settings.json", "egress-selector.json")


def make_cgroups(name: str) -> None:
    for controller in CONTROLLERS:
        (CGROUPS / controller / name).mkdir(exist_ok=True)
    # A new cpuset has no processors and no memory, and takes no process.
    for file in ("cpuset.cpus", "cpuset.mems"):
        text = (CGROUPS / "cpuset" / file).read_text()
        (CGROUPS / "cpuset" / name / file).write_text(text)


def remove_cgroups(name: str, seconds: float = 10) -> None:
    """Killed processes leave their cgroups a moment later."""
    deadline = time.monotonic() + seconds
    while left := [path for path in (CGROUPS / part / name for part in CONTROLLERS) if path.exists()]:
        for top in left:
            for folder, _, _ in os.walk(top, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        if time.monotonic() > deadline:
            print(f"left behind: {left}", flush=True)
            return
        time.sleep(0.05)


def remove_files(directory: Path) -> None:
    for path in directory.iterdir():
        if path.name in KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def remove_what_dead_nodes_left() -> None:
    """Of a node whose outer process was killed as well: cgroups without processes. Those of living nodes have some."""
    for path in (CGROUPS / "pids").glob(f"{CGROUP_PREFIX}*"):
        tasks = (Path(folder) / "cgroup.procs" for folder, _, _ in os.walk(path))
        is_young = time.time() - path.stat().st_mtime < 60
        if not is_young and not any(file.read_text().strip() for file in tasks):
            remove_cgroups(path.name, seconds=0)


async def serve(of: Settings, settings_file: Path) -> int:
    """Until a signal (0), or until the node ends (1)."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await relay.serve_outside(of.egress_socket)
    write_images(Path(of.directory) / "images.tar", Path(of.tools))
    node = await asyncio.create_subprocess_exec(
        "unshare",
        *NAMESPACES,
        *("--fork", "--kill-child=SIGKILL", "--mount-proc", "--propagation", "private"),
        *(sys.executable, "-m", "cloud.node.inside", str(settings_file)),
        stdin=asyncio.subprocess.DEVNULL,
        preexec_fn=lambda: die_with_parent(signal.SIGKILL),
    )
    ended = asyncio.ensure_future(node.wait())
    told = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((ended, told), return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        return 1
    node.kill()  # unshare ignores SIGTERM
    await ended
    return 0


def main() -> int:
    settings_file = Path(sys.argv[1])
    of = Settings.read(settings_file)
    os.chdir(of.directory)
    remove_what_dead_nodes_left()
    make_cgroups(of.cgroup)
    try:
        return asyncio.run(serve(of, settings_file))
    finally:
        remove_cgroups(of.cgroup)
        remove_files(Path(of.directory))


if __name__ == "__main__":
    sys.exit(main())
