"""The GitLab stub answers as GitLab does."""

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

    def test_instances_do_not_know_each_other(self):
        _, runner = self.call("POST", "/runners", token="GR13489")
        other = self.gitlab.call("DELETE", "/other/api/v4/runners", {"token": runner["token"]})
        self.assertEqual(other[0], 403)
