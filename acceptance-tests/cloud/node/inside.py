"""Process 1 in the namespaces of the node: `python -m cloud.node.inside SETTINGS`.

All its processes, mounts and network interfaces are removed when it ends.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import relay, settings
from .settings import ADDRESS, API_SERVICE, BRIDGE, BRIDGE_MAC, INSIDE, LABEL, NAME, Settings

# Kernel parameters that the kubelet requires. Only its mount namespace shows these values, because it would otherwise
# set them for the whole machine.
KERNEL = {"vm/overcommit_memory": 1, "kernel/panic": 10, "kernel/panic_on_oops": 1}

# Directories that the programs use with fixed names.
PRIVATE = ("/run", "/var/log", "/var/lib/cni", "/var/lib/kubelet", "/etc/cni")


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


def mount_directories(of: Settings) -> None:
    # Opened before the mounts, because the directories may be below those that are covered.
    bound = {INSIDE: of.directory, INSIDE / "tools": f"{of.tools}/bin"}
    held = {path: os.open(source, os.O_RDONLY) for path, source in bound.items()}
    for path in PRIVATE:
        Path(path).mkdir(parents=True, exist_ok=True)
        run("mount", "-t", "tmpfs", "tmpfs", path)
    for path, descriptor in held.items():
        path.mkdir(exist_ok=True)
        run("mount", "--bind", f"/proc/{os.getpid()}/fd/{descriptor}", path)
        os.close(descriptor)
    for name, value in KERNEL.items():
        shown = INSIDE / "kernel" / name
        shown.parent.mkdir(parents=True, exist_ok=True)
        shown.write_text(f"{value}\n")
        run("mount", "--bind", shown, f"/proc/sys/{name}")


def set_up_network() -> None:
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", BRIDGE, "address", BRIDGE_MAC, "type", "bridge")
    run("ip", "address", "add", f"{ADDRESS}/16", "dev", BRIDGE)
    run("ip", "address", "add", f"{API_SERVICE}/32", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def write_configuration(of: Settings) -> None:
    (INSIDE / "resolv.conf").write_text("")  # there is no DNS
    (INSIDE / "kubelet.json").write_text(json.dumps(settings.kubelet(of)))
    (INSIDE / "containerd.toml").write_text(settings.containerd())
    (INSIDE / "cni").mkdir(exist_ok=True)
    (INSIDE / "cni" / "10-pods.conflist").write_text(json.dumps(settings.network()))


def start_relay(of: Settings) -> None:
    os.chdir(INSIDE)
    ports = {("127.0.0.1", of.api_port): of.api_port, (API_SERVICE, 443): of.api_port}
    ports |= {(ADDRESS, port): port for port in of.open_ports}
    loop, ready = asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(relay.serve_inside(ports))
        ready.set()
        loop.run_forever()

    threading.Thread(target=serve, daemon=True).start()
    if not ready.wait(10):
        sys.exit("the relay did not start")


def start(name: str, *arguments: object) -> subprocess.Popen:
    tools = INSIDE / "tools"
    log = open(INSIDE / "logs" / f"{name}.log", "wb")
    path = f"{tools}:/usr/sbin:/usr/bin:/sbin:/bin"
    command = [str(word) for word in (tools / name, *arguments)]
    return subprocess.Popen(
        command, env={"PATH": path, "HOME": "/"}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )


def import_images(containerd: subprocess.Popen) -> None:
    control = [INSIDE / "tools" / "ctr", "--address", INSIDE / "containerd.sock"]
    while subprocess.run([*control, "version"], capture_output=True).returncode != 0:
        if containerd.poll() is not None:
            sys.exit("containerd ended at its start")
        time.sleep(0.1)
    run(*control, "--namespace", "k8s.io", "images", "import", "--local", INSIDE / "images.tar")


def wait_for_one_of(children: dict[int, str]) -> None:
    """Waits until one of the children ends. Process 1 is also the parent of all shims, and reaps them."""
    while True:
        pid, status = os.wait()
        if (name := children.get(pid)) is not None:
            sys.exit(f"{name} ended with {os.waitstatus_to_exitcode(status)}")


def main() -> None:
    of = Settings.read(Path(sys.argv[1]))
    mount_directories(of)
    set_up_network()
    write_configuration(of)
    start_relay(of)
    (INSIDE / "logs").mkdir(exist_ok=True)
    containerd = start("containerd", "--config", INSIDE / "containerd.toml")
    import_images(containerd)
    kubelet = start(
        "kubelet",
        f"--config={INSIDE / 'kubelet.json'}",
        f"--kubeconfig={INSIDE / 'kubeconfig'}",
        f"--root-dir={INSIDE / 'kubelet'}",
        f"--cert-dir={INSIDE / 'kubelet' / 'pki'}",
        f"--hostname-override={NAME}",
        f"--node-ip={ADDRESS}",
        f"--node-labels={LABEL}=true",
    )
    wait_for_one_of({containerd.pid: "containerd", kubelet.pid: "kubelet"})


if __name__ == "__main__":
    main()
