"""The process of the node on the machine: `python -m cloud.node.outside SETTINGS`.

Starts the node in separate namespaces, relays connections, and removes what remains when the node ends. If the
supervisor is killed, this process receives SIGTERM and not SIGKILL, so that it can still clean up.
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

# Files in the node's directory that are kept after the node has ended.
KEPT = ("logs", "settings.json", "egress-selector.json")


def make_cgroups(name: str) -> None:
    for controller in CONTROLLERS:
        (CGROUPS / controller / name).mkdir(exist_ok=True)
    # A new cpuset has no processors and memory nodes, and cannot contain processes.
    for file in ("cpuset.cpus", "cpuset.mems"):
        text = (CGROUPS / "cpuset" / file).read_text()
        (CGROUPS / "cpuset" / name / file).write_text(text)


def remove_cgroups(name: str, seconds: float = 10) -> None:
    """Removes the cgroups of the node. Killed processes remain in them for a moment."""
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
    """Removes cgroups of nodes of which this process was killed as well. Those of running nodes are not empty."""
    for path in (CGROUPS / "pids").glob(f"{CGROUP_PREFIX}*"):
        tasks = (Path(folder) / "cgroup.procs" for folder, _, _ in os.walk(path))
        is_young = time.time() - path.stat().st_mtime < 60
        if not is_young and not any(file.read_text().strip() for file in tasks):
            remove_cgroups(path.name, seconds=0)


async def serve(of: Settings, settings_file: Path) -> int:
    """Runs until a signal (0), or until the node ends (1)."""
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
    signalled = asyncio.ensure_future(stopped.wait())
    await asyncio.wait((ended, signalled), return_when=asyncio.FIRST_COMPLETED)
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
