"""The AWS side in this process, for tests that use boto3."""

import itertools
import json
import tempfile
import threading
import unittest
import urllib.request
from functools import cache
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.serving import make_server

from cloud.aws.eks_clusters import Endpoint
from cloud.aws.server import Handler, make_application

REGION = "af-south-1"
EC2_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_accounts = itertools.count(200000000001)


@cache
def endpoint() -> str:
    """Starts the server of this process, once, because the classes of moto can only be changed once."""
    with tempfile.NamedTemporaryFile() as authority:
        Endpoint.set("https://127.0.0.1:6443", Path(authority.name))
    application = make_application("/_mock/authenticate")
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class AwsTest(unittest.TestCase):
    """Base class of tests. Each test has a separate account with the cluster "prod"."""

    def setUp(self):
        self.account = str(next(_accounts))
        self.furnished = self.post("accounts", {"account": self.account})

    def post(self, control: str, body: dict):
        url = f"{endpoint()}/_mock/{control}"
        request = urllib.request.Request(url, json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get(self, control: str, **query: str):
        query = "&".join(
            f"{key}={value}" for key, value in {"account": self.account, **query}.items()
        )
        with urllib.request.urlopen(f"{endpoint()}/_mock/{control}?{query}") as answer:
            return json.load(answer)

    def client(self, service: str, key: dict | None = None):
        key = key or {
            "AccessKeyId": self.furnished["access_key_id"],
            "SecretAccessKey": self.furnished["secret_access_key"],
        }
        return boto3.client(
            service,
            endpoint_url=endpoint(),
            region_name=REGION,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
            # The service validates requests, not the client.
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

    def refused(self, call, **arguments) -> tuple[str, str]:
        """Returns code and message of the error of a call."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        return error["Code"], error["Message"]

    def make_role(self, name: str = "node") -> str:
        iam = self.client("iam")
        return iam.create_role(RoleName=name, AssumeRolePolicyDocument=EC2_TRUST)["Role"]["Arn"]

    def node_group(self, **changes) -> dict:
        """Returns arguments for CreateNodegroup."""
        return {
            "clusterName": "prod",
            "nodegroupName": "build",
            "scalingConfig": {"minSize": 0, "maxSize": 5, "desiredSize": 0},
            "subnets": [self.furnished["subnet_ids"]["af-south-1a"]],
            "nodeRole": f"arn:aws:iam::{self.account}:role/node",
            **changes,
        }
