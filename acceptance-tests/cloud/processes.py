"""Child processes: ports, log files, readiness and termination."""

import ctypes
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

# Below the range from which the kernel selects ports for outgoing connections (32768 and above), so
# that no connection uses a free port before its server listens.
PORTS = range(20000, 32000)

PR_SET_PDEATHSIG = 1


class StartFailed(Exception):
    """A process did not start. The message contains its name, the reason and the log file."""


def free_port() -> int:
    for _ in range(200):
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise StartFailed("no free loopback port found between 20000 and 31999")


def die_with_parent(death_signal: signal.Signals) -> None:
    """Called in the child: makes the kernel send this signal when the parent ends for any reason."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal)


class Child:
    """A process of the cloud, with a log file and a PID file of its name."""

    def __init__(
        self,
        name: str,
        command: list,
        logs: Path,
        pids: Path,
        env: dict | None = None,
        death_signal: signal.Signals = signal.SIGKILL,
        grace: float = 2,
    ):
        """Starts a process. `grace` are the seconds between SIGTERM and SIGKILL when it is stopped."""
        self.name, self.log = name, logs / f"{name}.log"
        self._grace = grace
        self._pid_file = pids / name
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=env,
                # Only valid in the main thread, because the kernel sends the signal when the starting thread ends.
                preexec_fn=lambda: die_with_parent(death_signal),
            )
        self._pid_file.write_text(f"{self._process.pid}\n")

    def ended(self) -> str | None:
        """Returns why the process has ended; None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return f"{self.name} ended with {code}:\n{tail(self.log)}"

    def wait_until(self, ready, seconds: float = 60) -> None:
        """Waits for `ready()`, which returns None if the process is ready and otherwise what is missing."""
        deadline = time.monotonic() + seconds
        while (missing := ready()) is not None:
            if (reason := self.ended()) is not None:
                raise StartFailed(reason)
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"{self.name} was not ready after {seconds:.0f} s ({missing}):\n{tail(self.log)}"
                )
            time.sleep(0.1)

    def stop(self) -> None:
        """Sends SIGTERM, then SIGKILL."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(self._grace)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._pid_file.unlink(missing_ok=True)


def answers(url: str, context=None, headers: dict | None = None):
    """Returns a readiness check for `Child.wait_until`: the URL responds with success."""

    def check() -> str | None:
        request = urllib.request.Request(url, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=2, context=context):
                return None
        except (urllib.error.URLError, OSError) as error:
            return f"{url}: {error}"

    return check


def tail(log: Path, lines: int = 15) -> str:
    """Returns the end of a log, indented, with the path of the log."""
    try:
        end = log.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return f"  (no log at {log})"
    return "\n".join([*(f"  {line}" for line in end), f"  ({log})"])
