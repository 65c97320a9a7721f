"""Child processes end with their parent, and errors contain the reason why one did not start."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from cloud.layout import Layout
from cloud.processes import Child, StartFailed, free_port
from cloud.supervisor import running_pid, stop


class Children(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)

    def child(self, script: str, grace: float = 2) -> Child:
        command = [sys.executable, "-c", script]
        child = Child("test", command, self.root, self.root, grace=grace)
        self.addCleanup(child.stop)
        return child

    def test_early_end_has_a_reason(self):
        child = self.child("import sys; sys.exit('no such flag')")
        with self.assertRaisesRegex(StartFailed, "(?s)test ended with 1:.*no such flag.*test.log"):
            child.wait_until(lambda: "not yet")

    def test_timeout_has_a_reason(self):
        child = self.child("import time; time.sleep(60)")
        with self.assertRaisesRegex(StartFailed, "not ready after 0 s .not yet."):
            child.wait_until(lambda: "not yet", seconds=0.2)

    def test_process_that_ignores_the_signal_is_killed(self):
        child = self.child(
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            "print('deaf', flush=True); time.sleep(60)",
            grace=0.2,
        )
        child.wait_until(lambda: None if "deaf" in child.log.read_text() else "not deaf")
        child.stop()
        self.assertIsNotNone(child.ended())

    @unittest.skipUnless(sys.platform == "linux", "the signal at the parent's death is Linux's")
    def test_children_end_with_a_killed_parent(self):
        parent = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys, time; from pathlib import Path; from cloud.processes import Child;"
                f"root = Path({str(self.root)!r});"
                "Child('orphan', [sys.executable, '-c', 'import time; time.sleep(60)'], root, root);"
                "time.sleep(60)",
            ]
        )
        pid_file = self.root / "orphan"
        _wait(lambda: pid_file.exists() and pid_file.read_text().strip())
        pid = int(pid_file.read_text())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _wait(lambda: not _alive(pid))

    def test_ports_are_unique(self):
        self.assertGreater(len({free_port() for _ in range(20)}), 10)


class Directories(unittest.TestCase):
    def test_stale_directory_is_not_a_running_cloud(self):
        with tempfile.TemporaryDirectory() as directory:
            layout = Layout(Path(directory))
            self.assertIsNone(layout.describe())
            layout.lock.write_text(f"{os.getpid()}\n")
            layout.description.write_text("{}")
            self.assertIsNone(running_pid(layout))
            self.assertFalse(stop(layout))
            self.assertIsNone(layout.describe())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # In containers init may not reap orphans at once, so that a zombie counts as ended.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def _wait(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("waited 10 s in vain")
        time.sleep(0.05)
