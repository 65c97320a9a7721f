"""EKS tokens with the rules of aws-iam-authenticator."""

import base64
import datetime
from unittest import TestCase

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloud.aws import signatures
from cloud.aws.authenticator import EMPTY, LONGEST, Refused, Webhook, authenticate
from cloud.aws.faults import Ledger, Rule

from .local_aws import REGION, AwsTest


class Tokens(AwsTest):
    def token(
        self, secret=None, cluster="prod", host=f"sts.{REGION}.amazonaws.com", path="/", more="",
        scheme="https", region=REGION, header="x-k8s-aws-id", expires=60,
    ) -> str:  # fmt: skip
        url = f"{scheme}://{host}{path}?Action=GetCallerIdentity&Version=2011-06-15{more}"
        request = AWSRequest("GET", url, headers={header: cluster})
        secret = secret or self.furnished["secret_access_key"]
        key = Credentials(self.furnished["access_key_id"], secret)
        SigV4QueryAuth(key, "sts", region, expires=expires).add_auth(request)
        return "k8s-aws-v1." + base64.urlsafe_b64encode(request.url.encode()).decode().rstrip("=")

    def test_valid_token_is_the_principal_of_its_key(self):
        key = authenticate(self.token())
        self.assertEqual(key.principal, f"arn:aws:iam::{self.account}:user/administrator")
        authenticate(self.token(host="sts.amazonaws.com", region="us-east-1"))

    def test_invalid_tokens_are_refused(self):
        good = self.token()
        for token, why in (
            ("glpat-x", "does not begin with"),
            (good + "=", "padding"),
            (good + "a" * LONGEST, "longer than 4096"),
            ("k8s-aws-v1.%%%", "not base64"),
            (self.token(secret="wrong"), "signature is wrong"),
            (self.token(cluster="other"), "signature is wrong"),
            (self.token(host="sts.example.com"), "no host of STS"),
            (self.token(host="sts.af-south-1.amazonaws.com:443"), "no host of STS"),
            (self.token(region="eu-west-1"), "region eu-west-1 is not that of"),
            (self.token(scheme="http"), "not https"),
            (self.token(path="/x"), "the path is /x"),
            (self.token(more="&Extra=1"), "extra is not allowed"),
            (self.token(more="&action=GetCallerIdentity"), "action comes twice"),
            (self.token(header="x-other"), "x-k8s-aws-id is not signed"),
            (self.token(expires=901), "between 0 and 900"),
        ):
            with self.subTest(why), self.assertRaisesRegex(Refused, why):
                authenticate(token)

    def test_token_is_url_safe_base64(self):
        token = self.token()
        for wrong in (token[:40] + "\n" + token[40:], token[:40] + "%" + token[40:]):
            with self.assertRaisesRegex(Refused, "not base64"):
                authenticate(wrong)

    def test_review_is_logged_and_can_fail(self):
        ledger = Ledger()
        webhook = Webhook(ledger)
        ask = {"apiVersion": "authentication.k8s.io/v1", "spec": {"token": self.token()}}
        self.assertTrue(webhook.review(ask)["status"]["authenticated"])
        rule = Rule.parse({"kind": "error", "service": "authenticator", "message": "not now"})
        ledger.add_rules(self.account, [rule])
        refused = webhook.review(ask)["status"]
        self.assertEqual(refused, {"authenticated": False, "error": "not now"})
        self.assertTrue(webhook.review(ask)["status"]["authenticated"])
        log = ledger.log(self.account)
        self.assertEqual([entry["status"] for entry in log], [200, 401, 200])
        self.assertRegex(log[0]["parameters"]["date"], r"^\d{8}T\d{6}Z$")
        self.assertNotIn(self.token(), str(log))

    def test_token_expires_after_fifteen_minutes(self):
        token = self.token()
        now = datetime.datetime.now(datetime.timezone.utc)
        authenticate(token, now + datetime.timedelta(minutes=14, seconds=50))
        with self.assertRaisesRegex(Refused, "expired"):
            authenticate(token, now + datetime.timedelta(minutes=15, seconds=10))
        with self.assertRaisesRegex(Refused, "future"):
            authenticate(token, now - datetime.timedelta(minutes=16))


class Signatures(TestCase):
    def test_signature_equals_that_of_botocore(self):
        """Signature of botocore for the example key of AWS, my-cluster and 2026-01-02 03:04:05."""
        query = signatures.canonical_query(
            "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
            "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260102%2Feu-west-1%2Fsts%2Faws4_request"
            "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"
            "&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id"
        )
        headers = [("host", "sts.eu-west-1.amazonaws.com"), ("x-k8s-aws-id", "my-cluster")]
        request = signatures.canonical_request("GET", "/", query, headers, EMPTY)
        self.assertEqual(
            signatures.sign(
                "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "20260102T030405Z",
                "20260102",
                "eu-west-1",
                "sts",
                request,
            ),
            "b905ad0fd65933987d61dd4b4b71d11f4b26778d97dd4599529c218114b9fff2",
        )
