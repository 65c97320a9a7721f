"""The stand-in for gitlab-runner makes the same calls to GitLab as the real one."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import tomllib
import unittest
import urllib.request
from pathlib import Path

from cloud.gitlab import fingerprint, serve
from cloud.layout import TOOLS
from cloud.processes import free_port

RUNNER = TOOLS / "bin" / "gitlab-runner"

# The runner does not inherit other variables from the machine.
CLEAN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


@unittest.skipUnless(RUNNER.exists(), "the stand-in of gitlab-runner is not built")
class RunnerTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.config = self.folder / "config.toml"
        port = free_port()
        server = serve(port)
        server.RequestHandlerClass.log_message = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.control_url = f"http://127.0.0.1:{port}/_control"
        self.url = f"http://127.0.0.1:{port}/test"

    def control(self, path: str, body: dict | None = None):
        data = None if body is None else json.dumps({"instance": "test", **body}).encode()
        url = f"{self.control_url}{path}" + ("?instance=test" if data is None else "")
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def calls(self, path: str) -> list[dict]:
        return [call for call in self.control("/log") if call["path"] == path]

    def environment(self, version: str, variables: dict) -> dict:
        return CLEAN | {"RUNNER_STAND_IN_VERSION": version} | variables

    def runner(self, *arguments, version="19.3.0", fails=False, **variables) -> str:
        """Returns the standard error of the command, without colours."""
        command = [RUNNER, arguments[0], "--config", self.config, *arguments[1:]]
        environment = self.environment(version, variables)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, int(fails), done.stderr)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)

    def register(self, *arguments, **options) -> str:
        fixed = ("--non-interactive", "--url", self.url, "--executor", "kubernetes")
        return self.runner("register", *fixed, *arguments, **options)

    def write(self, text: str, path: Path | None = None) -> Path:
        path = path or self.config
        path.write_text(text)
        return path

    def section(self, index=0) -> dict:
        return tomllib.loads(self.config.read_text())["runners"][index]


class Register(RunnerTest):
    def test_register_with_a_registration_token(self):
        self.write('concurrent = 7\nunknown = "kept"\n')
        arguments = ("--name", "one", "--tag-list", "a,b", "--maximum-timeout=600")
        output = self.register(*arguments, REGISTRATION_TOKEN="GR1348941", REGISTER_LOCKED="false")
        self.assertIn("Registering runner... succeeded", output)
        whole = tomllib.loads(self.config.read_text())
        self.assertEqual((whole["concurrent"], whole["unknown"]), (7, "kept"))
        self.assertEqual(self.config.stat().st_mode & 0o777, 0o600)
        section = self.section()
        self.assertTrue(section["token"].startswith("glrtr-"))
        self.assertEqual((section["name"], section["id"]), ("one", 1))
        self.assertEqual((section["url"], section["executor"]), (self.url, "kubernetes"))
        (call,) = self.calls("/runners")
        optional = {"description", "maximum_timeout", "tag_list"}
        always = {"locked", "paused", "run_untagged"}
        self.assertEqual(set(call["parameters"]), optional | always)
        self.assertRegex((self.folder / ".runner_system_id").read_text(), "^r_[0-9a-zA-Z]{12}$")

    def test_register_with_an_authentication_token(self):
        output = self.register(CI_SERVER_TOKEN="glrt-1")
        self.assertIn("Verifying runner... is valid", output)
        (call,) = self.calls("/runners/verify")
        self.assertEqual(call["system_id"], (self.folder / ".runner_system_id").read_text())
        self.assertEqual(self.section()["token"], "glrt-1")

    def test_reserved_options(self):
        for reserved in (("--run-untagged",), ("--locked=false",), ("--tag-list", "a")):
            output = self.register(*reserved, fails=True, CI_SERVER_TOKEN="glrt-1")
            self.assertIn("FATAL: Runner configuration other than name and executor", output)
        output = self.register(fails=True, CI_SERVER_TOKEN="glrt-1", RUNNER_TAG_LIST="a")
        self.assertIn("is reserved", output)
        self.assertEqual(self.control("/log"), [])

    def test_refused_tokens(self):
        output = self.register(fails=True, REGISTRATION_TOKEN="refused")
        self.assertIn("PANIC: Failed to register the runner.", output)
        output = self.register(fails=True, CI_SERVER_TOKEN="glrt-refused")
        self.assertIn("PANIC: Failed to verify the runner.", output)
        self.assertIn("registration-token needs to be entered", self.register(fails=True))
        self.assertFalse(self.config.exists())

    def test_unknown_options(self):
        output = self.register("--no-such-flag", fails=True, CI_SERVER_TOKEN="glrt-1")
        self.assertIn("flag provided but not defined: -no-such-flag", output)

    def test_invalid_executor_unregisters(self):
        output = self.register("--executor", "nonsense", fails=True, REGISTRATION_TOKEN="GR1348941")
        self.assertIn("Invalid executor specified", output)
        self.assertEqual(self.control("/runners"), [])

    def test_template_fills_missing_settings(self):
        template = """
            [[runners]]
              name = "of the template"
              limit = 5
              token = "ignored"
              unknown = [1, 2]
              [runners.kubernetes]
                image = "alpine"
                namespace = "jobs"
                [runners.kubernetes.node_tolerations]
                  "ci=true" = "NoSchedule"
              [runners.cache]
                Type = "s3"
                [runners.cache.s3]
                  BucketName = "cache"
        """
        path = self.write(template, self.folder / "template.toml")
        variables = {
            "CI_SERVER_TOKEN": "glrt-1",
            "TEMPLATE_CONFIG_FILE": str(path),
            "RUNNER_NAME": "given",
            "KUBERNETES_IMAGE": "busybox",
            "KUBERNETES_PRIVILEGED": "false",
            "CACHE_S3_ACCESS_KEY": "key",
            "CACHE_SHARED": "true",
        }
        output = self.register("--env", "A=1", "--env", "B=2", **variables)
        self.assertIn("Merging configuration from template file", output)
        section = self.section()
        self.assertEqual((section["name"], section["token"]), ("given", "glrt-1"))
        self.assertEqual((section["limit"], section["unknown"]), (5, [1, 2]))
        self.assertEqual(section["environment"], ["A=1", "B=2"])
        tolerations = {"ci=true": "NoSchedule"}
        kubernetes = {"image": "busybox", "namespace": "jobs", "privileged": False}
        self.assertEqual(section["kubernetes"], kubernetes | {"node_tolerations": tolerations})
        s3 = {"BucketName": "cache", "AccessKey": "key"}
        self.assertEqual(section["cache"], {"Type": "s3", "Shared": True, "s3": s3})

    def test_template_with_several_runners(self):
        path = self.write("[[runners]]\n[[runners]]\n", self.folder / "template.toml")
        arguments = ("--template-config", str(path))
        output = self.register(*arguments, fails=True, CI_SERVER_TOKEN="glrt-1")
        self.assertIn("FATAL: Could not handle configuration merging from template file", output)


class Verify(RunnerTest):
    NO_MATCH = "no runner matches the filtering parameters"

    def known(self, token: str, name: str = "") -> None:
        text = f'[[runners]]\nname = "{name}"\nurl = "{self.url}"\ntoken = "{token}"\n'
        self.write(text + 'executor = "kubernetes"\n')

    def test_verify_a_removed_runner(self):
        self.known("glrtr-gone")
        output = self.runner("verify", fails=True)
        self.assertIn("ERROR: Verifying runner... is removed", output)
        self.assertIn("FATAL: Failed to verify runners", output)
        self.known("glrt-refused")
        self.assertIn("Verifying runner... is not valid", self.runner("verify", fails=True))
        self.assertIn("is removed", self.runner("verify", version="15.0.0", fails=True))
        self.assertIn("Updated", self.runner("verify", "--delete"))
        self.assertNotIn("runners", tomllib.loads(self.config.read_text()))

    def test_verify_an_existing_runner(self):
        self.known("glrt-1", "one")
        self.assertIn("is valid", self.runner("verify"))
        self.assertIn("is alive", self.runner("verify", version="15.0.0"))
        self.assertIn("is valid", self.runner("verify", "--name", "one"))
        self.assertIn("is valid", self.runner("verify", "--url", self.url, "--token", "glrt-1"))
        self.assertIn(self.NO_MATCH, self.runner("verify", "--name", "other", fails=True))

    def test_an_address_alone_matches_runners_without_a_name_only(self):
        self.known("glrt-1", "one")
        self.assertIn(self.NO_MATCH, self.runner("verify", "--url", self.url, fails=True))
        self.known("glrt-1")
        self.assertIn("is valid", self.runner("verify", "--url", self.url))

    def test_the_environment_selects_until_19_3(self):
        self.known("glrt-1", "one")
        for version, matches in (("15.0.0", False), ("19.2.2", False), ("19.3.0", True)):
            output = self.runner("verify", version=version, fails=not matches, CI_SERVER_URL=self.url)
            self.assertEqual(self.NO_MATCH not in output, matches)
        other = {"CI_SERVER_TOKEN": "glrt-1", "CI_SERVER_URL": "http://other.invalid"}
        self.assertIn(self.NO_MATCH, self.runner("verify", version="19.2.2", fails=True, **other))
        self.assertIn("is valid", self.runner("verify", "--url=", CI_SERVER_URL=self.url))
        both = {"CI_SERVER_URL": self.url, "CI_SERVER_TOKEN": "glrt-1"}
        self.assertIn("is valid", self.runner("verify", "--url=", version="19.2.2", **both))
        del both["CI_SERVER_TOKEN"]
        self.assertIn("is valid", self.runner("verify", "--url=", version="19.2.2", **both))

    def test_unavailable_gitlab_removes_nothing(self):
        self.known("glrt-1")
        self.url = f"http://127.0.0.1:{free_port()}"
        self.known("glrt-1")
        self.assertIn("client error", self.runner("verify"))


class Unregister(RunnerTest):
    def test_registered_runner_is_deleted(self):
        self.register(REGISTRATION_TOKEN="GR1348941")
        output = self.runner("unregister", "--all-runners")
        self.assertIn("Unregistering runner from GitLab succeeded", output)
        self.assertEqual(self.control("/runners"), [])
        self.assertNotIn("runners", tomllib.loads(self.config.read_text()))

    def test_authenticated_runner_deletes_only_its_manager(self):
        self.register("--name", "one", CI_SERVER_TOKEN="glrt-1")
        output = self.runner("unregister", "--name", "one")
        self.assertIn("Unregistering runner manager from GitLab succeeded", output)
        (runner,) = self.control("/runners")
        self.assertEqual((runner["token_sha256"], runner["managers"]), (fingerprint("glrt-1"), []))

    def test_failed_unregister_keeps_the_section(self):
        self.register(REGISTRATION_TOKEN="GR1348941")
        fault = {"method": "DELETE", "path": "/runners", "status": 500, "times": 1}
        self.control("/faults", fault)
        self.runner("unregister", "--all-runners")
        self.assertTrue(self.section()["token"])


class Run(RunnerTest):
    def start(self, text: str, version="19.3.0", **variables) -> subprocess.Popen:
        self.write(text)
        command = [RUNNER, "run", "--config", self.config, "--working-directory", self.folder]
        log = open(self.folder / "log", "w")  # noqa: SIM115
        self.addCleanup(log.close)
        environment = self.environment(version, variables)
        process = subprocess.Popen(command, env=environment, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def settings(self, token: str, more: str = "") -> str:
        runner = f'[[runners]]\nname = "one"\nurl = "{self.url}"\ntoken = "{token}"\n'
        return f'check_interval = 1\n{more}\n{runner}executor = "kubernetes"\n'

    def until(self, holds, what: str):
        for _ in range(200):
            if result := holds():
                return result
            time.sleep(0.1)
        self.fail(f"{what}: {self.log()}")

    def log(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", (self.folder / "log").read_text())

    def requests(self) -> list[int]:
        return [call["status"] for call in self.calls("/jobs/request")]

    def test_requests_jobs_and_ends_at_each_signal(self):
        for number in (signal.SIGQUIT, signal.SIGTERM, signal.SIGINT):
            process = self.start(self.settings("glrt-1"))
            seen = len(self.requests())
            self.until(lambda seen=seen: len(self.requests()) > seen, "no request")
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=20), 0)
            self.assertIn("received stop signal", self.log())
        self.assertEqual(set(self.requests()), {204})

    def test_names_of_variables_are_replaced_from_18_10_on(self):
        text = self.settings("$CI_SERVER_TOKEN")
        for version, status in (("18.10.0", 204), ("18.9.0", 403)):
            self.control("/reset", {})
            process = self.start(text, version, CI_SERVER_TOKEN="glrt-1")
            self.until(self.requests, "no request")
            process.kill()
            process.wait()
            self.assertEqual(set(self.requests()), {status})

    def test_three_refusals_disable_the_runner(self):
        process = self.start(self.settings("glrt-refused"))
        self.until(lambda: "is unhealthy and will be disabled for 1h0m0s" in self.log(), "healthy")
        time.sleep(2.5)
        self.assertEqual(self.requests(), [403] * 3)
        self.assertIsNone(process.poll())
        self.write(self.settings("glrt-1"))
        self.until(lambda: 204 in self.requests(), "the changed file is not read")
        process.kill()
        process.wait()
        self.control("/reset", {})
        self.start(self.settings("glrt-refused"), "15.0.0")
        self.until(lambda: "is not healthy and will be disabled!" in self.log(), "healthy")

    def test_metrics(self):
        address = f"127.0.0.1:{free_port()}"
        more = f'concurrent = 4\nlisten_address = "{address}"'
        self.start(self.settings("glrt-1", more), "18.9.0")
        self.until(lambda: "Metrics server listening" in self.log(), "no metrics")
        self.until(self.requests, "no request")
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        self.assertRegex(text, r'gitlab_runner_version_info\{.*version="18.9.0"\} 1\n')
        self.assertIn("gitlab_runner_concurrent 4\n", text)
        self.assertRegex(text, r'gitlab_runner_limit\{.*runner_name="one".*\} 0\n')

    def test_a_job_without_a_cluster_fails(self):
        added = self.control("/jobs", {"script": "true", "image": "busybox"})
        self.start(self.settings("glrt-1"))
        (job,) = self.until(
            lambda: [job for job in self.control("/jobs") if job["state"] == "failed"], "no job"
        )
        self.assertEqual(job["id"], added["id"])
        self.assertEqual(job["failure_reason"], "runner_configuration_error")
        self.assertIn("Running with gitlab-runner 19.3.0", job["trace"])
        self.assertIn("ERROR: Job failed: getting Kubernetes config", job["trace"])

    def test_invalid_config_file(self):
        process = self.start("concurrent = = 1")
        self.assertEqual(process.wait(timeout=20), 1)
        self.assertIn("decoding configuration file", self.log())
