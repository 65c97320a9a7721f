"""Attribute-based access control of buckets, which moto does not have."""

import xml.etree.ElementTree as ElementTree

from moto.s3.models import FakeBucket, s3_backends

from .calls import Call
from .error_answers import AwsError

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
TAGGING = {"PutBucketTagging", "DeleteBucketTagging"}


def answer(call: Call) -> tuple[str, list[tuple[str, str]], bytes] | None:
    """Returns the response to GetBucketAbac and PutBucketAbac; None for other calls."""
    bucket = _bucket(call)
    if bucket is None or call.action not in ("GetBucketAbac", "PutBucketAbac"):
        return None
    body = b""
    if call.action == "PutBucketAbac":
        bucket.abac = ElementTree.fromstring(call.body).findtext("{*}Status")
    else:
        status = getattr(bucket, "abac", None) or "Disabled"
        body = f'<AbacStatus xmlns="{NAMESPACE}"><Status>{status}</Status></AbacStatus>'.encode()
    return "200 OK", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body


def refuse(call: Call) -> AwsError | None:
    """Rejects changes of tags with ABAC, which only S3 Control accepts. The error of S3 is not documented."""
    bucket = _bucket(call)
    if call.action in TAGGING and getattr(bucket, "abac", None) == "Enabled":
        return AwsError(400, "InvalidRequest", "The bucket is tagged by TagResource.")
    return None


def _bucket(call: Call) -> FakeBucket | None:
    return s3_backends[call.account]["aws"].buckets.get(call.bucket)
