"""The GitLab stub responds like GitLab."""

import unittest

from cloud.gitlab import GitLab, fingerprint


class Runners(unittest.TestCase):
    def setUp(self):
        self.gitlab = GitLab()

    def call(self, method: str, path: str, **body):
        return self.gitlab.call(method, f"/test/api/v4{path}", body)

    def test_registered_verified_unregistered(self):
        status, runner = self.call("POST", "/runners", token="GR13489", description="build")
        self.assertEqual((status, runner["id"]), (201, 1))
        token = runner["token"]
        answer = {"id": 1, "token": token, "token_expires_at": None}
        verify = ("POST", "/runners/verify")
        self.assertEqual(self.call(*verify, token=token, system_id="s_1"), (200, answer))
        self.assertEqual(self.call("POST", "/jobs/request", token=token), (204, None))
        manager = ("DELETE", "/runners/managers")
        self.assertEqual(self.call(*manager, token=token, system_id="s_1"), (204, None))
        self.assertEqual(self.call(*manager, token=token, system_id="s_1")[0], 404)
        self.assertEqual(self.call("DELETE", "/runners", token=token), (204, None))
        self.assertEqual(self.call(*verify, token=token)[0], 403)
        self.assertEqual(self.gitlab.call("GET", "/_control/runners?instance=test", {}), (200, []))

    def test_authentication_tokens(self):
        self.assertEqual(self.call("POST", "/runners/verify", token="glrt-made-by-hand")[0], 200)
        self.assertEqual(self.call("POST", "/runners/verify", token="glrt-refused-1")[0], 403)
        self.assertEqual(self.call("POST", "/runners/verify", token="nonsense")[0], 403)
        self.assertEqual(self.call("POST", "/runners", token="glrt-made-by-hand")[0], 403)

    def test_the_log_has_no_token(self):
        self.call("POST", "/runners/verify", token="glrt-secret", system_id="s_1")
        _, log = self.gitlab.call("GET", "/_control/log?instance=test", {})
        self.assertNotIn("glrt-secret", str(log))
        self.assertEqual(log[0]["token_sha256"], fingerprint("glrt-secret"))

    def test_faults(self):
        fault = {"instance": "test", "path": "/runners/verify", "status": 502, "times": 1}
        self.gitlab.call("POST", "/_control/faults", fault)
        statuses = [self.call("POST", "/runners/verify", token="glrt-1")[0] for _ in range(2)]
        self.assertEqual(statuses, [502, 200])

    def test_instances_are_isolated(self):
        _, runner = self.call("POST", "/runners", token="GR13489")
        other = self.gitlab.call("DELETE", "/other/api/v4/runners", {"token": runner["token"]})
        self.assertEqual(other[0], 403)


class Jobs(unittest.TestCase):
    TOKEN = "glrt-1"

    def setUp(self):
        self.gitlab = GitLab()

    def call(self, method: str, path: str, **body):
        return self.gitlab.call(method, f"/test/api/v4{path}", body)

    def add(self, **job) -> int:
        status, added = self.gitlab.call("POST", "/_control/jobs", {"instance": "test", **job})
        self.assertEqual(status, 201)
        return added["id"]

    def request(self):
        return self.call("POST", "/jobs/request", token=self.TOKEN, system_id="r_1")

    def shown(self) -> dict:
        return self.gitlab.call("GET", "/_control/jobs?instance=test", {})[1][0]

    def test_job_is_handed_out_once_and_updated(self):
        self.assertEqual(self.request(), (204, None))
        identity = self.add(script="echo hello", image="busybox", variables={"A": "1"})
        status, job = self.request()
        self.assertEqual((status, job["id"]), (201, identity))
        self.assertEqual(job["steps"][0]["script"], ["echo hello"])
        self.assertEqual(job["image"], {"name": "busybox"})
        self.assertIn({"key": "A", "value": "1", "public": True, "masked": False}, job["variables"])
        self.assertEqual(self.request(), (204, None))
        self.assertEqual((self.shown()["state"], self.shown()["system_id"]), ("running", "r_1"))
        trace = {"token": job["token"], "range": "0-5", "trace": "hello\n", "size": 6}
        self.assertEqual(self.call("PATCH", f"/jobs/{identity}/trace", **trace)[0], 202)
        self.assertEqual(self.call("PATCH", f"/jobs/{identity}/trace", **trace)[0], 416)
        ended = {"token": job["token"], "state": "failed", "failure_reason": "script_failure"}
        self.assertEqual(self.call("PUT", f"/jobs/{identity}", **ended)[0], 200)
        self.assertEqual(self.shown()["trace"], "hello\n")
        self.assertEqual(self.shown()["failure_reason"], "script_failure")
        self.assertEqual(self.call("PUT", f"/jobs/{identity}", **ended)[0], 403)

    def test_job_is_updated_with_its_own_token_only(self):
        identity = self.add(script="true")
        self.request()
        for token in (self.TOKEN, ""):
            answer = self.call("PUT", f"/jobs/{identity}", token=token, state="success")
            self.assertEqual(answer[0], 403)
        self.assertEqual(self.call("PUT", "/jobs/7", token="x", state="success")[0], 404)
        self.assertEqual(self.shown()["state"], "running")

    def test_canceled(self):
        identity = self.add(script="true")
        job = self.request()[1]
        cancel = {"instance": "test", "id": identity}
        self.assertEqual(self.gitlab.call("POST", "/_control/jobs/cancel", cancel)[0], 200)
        answer = self.call("PUT", f"/jobs/{identity}", token=job["token"], state="running")
        self.assertEqual((answer[0], answer[2]), (403, {"Job-Status": "canceled"}))
        self.assertEqual(self.shown()["state"], "canceled")
