"""Starts, watches and stops the cloud, in one process: in the foreground with `run`, in the background with `up`."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

from .control_plane import ControlPlane
from .kubernetes import Kubernetes, furnish
from .layout import REGION, REPOSITORY, TOOLS, Layout, tool
from .node import machine
from .node.plan import Node
from .processes import Child, StartFailed, answers, free_port, tail

AWS_ACCOUNT = "123456789012"
CLUSTER = "prod"


class AlreadyRunning(Exception):
    pass


class Supervisor:
    """The parent of all processes of one cloud. Must only be used from the main thread (see processes.Child)."""

    def __init__(self, layout: Layout):
        self._layout = layout
        self._children: list[Child] = []
        self._stopping = False

    def run(self) -> int:
        """Runs until a signal (0) or until a process of the cloud ends (1)."""
        self._take_lock()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        try:
            description = self._start()
            if not self._stopping:
                self._publish(description)
            return self._watch()
        except (StartFailed, OSError) as error:
            print(f"the local cloud did not start: {error}", file=sys.stderr, flush=True)
            return 1
        finally:
            self._end()

    def _take_lock(self) -> None:
        """Locks the directory until the process ends. Python does not close the descriptor earlier, because no file
        object owns it."""
        self._layout.root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._layout.lock, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise AlreadyRunning(f"a cloud is running in {self._layout.root}") from None
        os.truncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())

    def _start(self) -> dict:
        layout = self._layout
        layout.description.unlink(missing_ok=True)
        for folder in (layout.logs, layout.pids, layout.etcd, layout.kubernetes):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (layout.logs, layout.pids):
            folder.mkdir()

        plane = ControlPlane.plan(layout)
        aws_port, gitlab_port = free_port(), free_port()
        without_node = machine.missing(TOOLS)
        node = None if without_node else Node.plan(layout, plane.port, (aws_port, gitlab_port))
        aws, gitlab = (f"http://127.0.0.1:{port}" for port in (aws_port, gitlab_port))
        webhook = f"{aws}/_mock/authenticate/{secrets.token_hex(16)}"

        aws_child = self._python(
            "aws",
            "cloud.aws",
            f"--port={aws_port}",
            f"--cluster-endpoint={plane.host}",
            f"--cluster-ca-file={plane.ca_file}",
            f"--authenticator-path={webhook.removeprefix(aws)}",
        )
        gitlab_child = self._python("gitlab", "cloud.gitlab", f"--port={gitlab_port}")
        plane.start(self._launch, webhook, node)
        node_child = node.start(self._python, layout) if node else None
        kubernetes = Kubernetes.of(plane.describe())
        furnish(kubernetes)
        aws_child.wait_until(answers(f"{aws}/_mock/health"))
        gitlab_child.wait_until(answers(f"{gitlab}/_control/health"))
        account = _post(f"{aws}/_mock/accounts", {"account": AWS_ACCOUNT, "cluster": CLUSTER})
        if node:
            node.wait(node_child, kubernetes)

        return {
            "region": REGION,
            "aws": {
                "endpoint": aws,
                "control": f"{aws}/_mock",
                "account": AWS_ACCOUNT,
                "cluster": CLUSTER,
                "access_key_id": account["access_key_id"],
                "secret_access_key": account["secret_access_key"],
            },
            "kubernetes": plane.describe(),
            "gitlab": {"url": gitlab, "control": f"{gitlab}/_control"},
            "node": node.describe() if node else {"missing": without_node},
            "tools": {"tofu": str(tool("tofu"))},
            "directory": str(layout.root),
            "pid": os.getpid(),
        }

    def _publish(self, description: dict) -> None:
        """Writes cloud.json atomically, because clients use its content as soon as it exists."""
        fresh = self._layout.description.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(description, indent=2) + "\n")
        fresh.rename(self._layout.description)

    def _launch(self, name: str, command: list, env: dict | None = None, **options) -> Child:
        if self._stopping:
            raise StartFailed("told to stop while starting")
        child = Child(name, command, self._layout.logs, self._layout.pids, env, **options)
        self._children.append(child)
        return child

    def _python(self, name: str, module: str, *arguments: str, **options) -> Child:
        env = {
            **os.environ,
            "PYTHONPATH": str(REPOSITORY / "acceptance-tests"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return self._launch(name, [sys.executable, "-m", module, *arguments], env, **options)

    def _watch(self) -> int:
        while not self._stopping:
            for child in self._children:
                if (reason := child.ended()) is not None and not self._stopping:
                    print(f"stopping: {reason}", file=sys.stderr, flush=True)
                    return 1
            time.sleep(0.2)
        return 0

    def _stop(self, _number, _frame) -> None:
        self._stopping = True

    def _end(self) -> None:
        self._layout.description.unlink(missing_ok=True)
        for child in reversed(self._children):
            child.stop()
        shutil.rmtree(self._layout.kubernetes, ignore_errors=True)
        shutil.rmtree(self._layout.etcd, ignore_errors=True)


def start_in_background(layout: Layout, seconds: float = 180) -> dict:
    """Starts a supervisor that continues after this process. Returns cloud.json when everything is ready."""
    layout.root.mkdir(parents=True, exist_ok=True)
    log = layout.root / "supervisor.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cloud", "run", "--quiet", "--dir", str(layout.root)],
            cwd=REPOSITORY / "acceptance-tests",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + seconds
    while (description := layout.describe()) is None:
        if process.poll() is not None:
            raise StartFailed(f"the local cloud did not start:\n{tail(log)}")
        if time.monotonic() > deadline:
            stop(layout)
            raise StartFailed(f"the local cloud was not ready after {seconds:.0f} s:\n{tail(log)}")
        time.sleep(0.1)
    return description


def running_pid(layout: Layout) -> int | None:
    """Returns the PID of this directory's supervisor; None if no process holds the lock, because the file is stale."""
    try:
        lock = open(layout.lock, "r+")
    except FileNotFoundError:
        return None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(lock.read().strip() or 0) or None
    return None


def stop(layout: Layout, seconds: float = 30) -> bool:
    """Stops the cloud of the directory. Returns False if none was running."""
    pid = running_pid(layout)
    if pid is None:
        layout.description.unlink(missing_ok=True)
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + seconds
    while running_pid(layout) is not None:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)  # its children end with it
            layout.description.unlink(missing_ok=True)
            break
        time.sleep(0.1)
    return True


def _post(url: str, body: dict) -> dict:
    request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
