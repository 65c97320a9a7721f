"""Faults hit the selected calls, and the log contains the results."""

import threading
import unittest

import botocore.exceptions

from cloud.aws.faults import BadRule, Rule

from .local_aws import AwsTest


class Faults(AwsTest):
    def add(self, **rule) -> None:
        self.post("faults", {"account": self.account, **rule})

    def outcomes(self, action: str) -> list[tuple]:
        return [(e["status"], e["error"], e["fault"]) for e in self.get("log", action=action)]

    def test_skip_and_times(self):
        self.add(kind="throttle", service="eks", action="ListClusters", skip=1, times=2)
        eks = self.client("eks")
        eks.list_clusters()
        for _ in range(2):
            self.assertEqual(self.refused(eks.list_clusters)[0], "ThrottlingException")
        eks.list_clusters()
        throttled = (429, "ThrottlingException", "throttle")
        fine = (200, None, None)
        self.assertEqual(self.outcomes("ListClusters"), [fine, throttled, throttled, fine])

    def test_error_in_the_format_of_each_service(self):
        self.add(kind="error", status=409, code="Odd", message="a < b", times=0)
        for service, operation in (
            ("eks", "list_clusters"),
            ("iam", "list_users"),
            ("ec2", "describe_vpcs"),
            ("s3", "list_buckets"),
            ("autoscaling", "describe_tags"),
            ("sts", "get_caller_identity"),
        ):
            with self.subTest(service):
                call = getattr(self.client(service), operation)
                self.assertEqual(self.refused(call), ("Odd", "a < b"))

    def test_custom_response(self):
        user = "<GetUserResult><User><UserName>old</UserName></User></GetUserResult>"
        body = f"<GetUserResponse>{user}</GetUserResponse>"
        self.add(kind="answer", service="iam", action="GetUser", status=200, body=body)
        iam = self.client("iam")
        iam.create_user(UserName="new")
        names = [iam.get_user(UserName="new")["User"]["UserName"] for _ in range(2)]
        self.assertEqual(names, ["old", "new"])
        self.assertEqual(self.outcomes("GetUser"), [(200, None, "answer"), (200, None, None)])

    def test_dropped_after_the_effect(self):
        for reset in (False, True):
            name = f"user-{reset}"
            self.add(kind="drop_after", service="iam", action="CreateUser", reset=reset)
            iam = self.client("iam")
            with self.assertRaises(botocore.exceptions.HTTPClientError):
                iam.create_user(UserName=name)
            self.assertEqual(iam.get_user(UserName=name)["User"]["UserName"], name)
        self.assertEqual(self.outcomes("CreateUser"), [(200, None, "drop_after")] * 2)

    def test_dropped_before_the_effect(self):
        self.add(kind="drop_before", service="iam", action="CreateUser")
        iam = self.client("iam")
        with self.assertRaises(botocore.exceptions.HTTPClientError):
            iam.create_user(UserName="user")
        self.assertEqual(self.refused(iam.get_user, UserName="user")[0], "NoSuchEntity")

    def test_only_matching_parameters(self):
        self.add(kind="throttle", service="s3", match={"Bucket": "one"}, times=0)
        s3 = self.client("s3")
        self.assertEqual(self.refused(s3.get_bucket_policy, Bucket="one")[0], "SlowDown")
        self.assertEqual(self.refused(s3.get_bucket_policy, Bucket="two")[0], "NoSuchBucket")

    def test_concurrent_calls(self):
        self.add(kind="latency", service="eks", ms=300, times=2)
        eks = self.client("eks")
        threads = [threading.Thread(target=eks.list_clusters) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        eks.list_clusters()
        first, second, third = ((entry["number"], entry["ended"]) for entry in self.get("log"))
        self.assertLess(first[0], second[0])
        self.assertLess(second[0], min(first[1], second[1]))
        self.assertLess(max(first[1], second[1]), third[0])
        self.assertLess(third[0], third[1])

    def test_other_accounts_are_not_affected(self):
        self.post("faults", {"account": "999999999999", "kind": "throttle", "times": 0})
        self.client("eks").list_clusters()
        self.assertEqual(self.get("faults"), [])

    def test_reset_clears_faults_and_log(self):
        self.add(kind="throttle", service="eks", times=0)
        self.post("reset", {"account": self.account})
        self.client("eks").list_clusters()
        self.assertEqual(self.outcomes(".*"), [(200, None, None)])

    def test_the_log_has_parameters_and_no_secret(self):
        iam = self.client("iam")
        iam.create_user(UserName="user")
        secret = iam.create_access_key(UserName="user")["AccessKey"]["SecretAccessKey"]
        log = self.get("log")
        self.assertEqual([entry["parameters"] for entry in log], [{"UserName": "user"}] * 2)
        self.assertNotIn(secret, str(log))


class Rules(unittest.TestCase):
    def test_invalid_rule_is_explained(self):
        with self.assertRaisesRegex(BadRule, "kind 'explode' is none of throttle, error"):
            Rule.parse({"kind": "explode"})
        with self.assertRaisesRegex(BadRule, "unexpected keyword argument 'tiems'"):
            Rule.parse({"kind": "throttle", "tiems": 3})
