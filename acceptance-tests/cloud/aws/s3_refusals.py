"""Requests that S3 rejects and moto accepts; regions of buckets; tags of new buckets, which moto ignores."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ElementTree

from moto.iam.models import iam_backends
from moto.s3.models import s3_backends

from .calls import Call
from .error_answers import AwsError

MALFORMED = (
    "The XML you provided was not well-formed or did not validate against our published schema"
)
DELETED_AT_ONCE = 1000
BUCKET_NAME = re.compile(r"(?!xn--|\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


def refuse(call: Call) -> AwsError | None:
    """Returns the error of S3; None if moto can process the request."""
    if call.bucket is None:
        return None
    if (refusal := _of_owner(call) or _of_sum(call)) is not None:
        return refusal
    check = CHECKS.get(call.action)
    try:
        return check(call) if check else None
    except ElementTree.ParseError:
        return AwsError(400, "MalformedXML", MALFORMED)


def _of_owner(call: Call) -> AwsError | None:
    """Checks owner and expected owner of a bucket. moto gives all accounts access to all buckets."""
    _, owner = s3_backends.bucket_accounts.get(call.bucket, (None, None))
    if owner is None:
        return None
    expected = call.headers.get("x-amz-expected-bucket-owner", owner)
    foreign = call.authorization is not None and call.account != owner
    if expected != owner or (foreign and call.action != "CreateBucket"):
        return AwsError(403, "AccessDenied", "Access Denied")
    return None


def _of_sum(call: Call) -> AwsError | None:
    """Checks the checksum of the body, which moto ignores."""
    given = call.headers.get("content-md5")
    if given and given != base64.b64encode(hashlib.md5(call.body).digest()).decode():
        message = "The Content-MD5 you specified did not match what we received."
        return AwsError(400, "BadDigest", message)
    return None


def region_of(call: Call) -> str | None:
    """Returns the region of a bucket that exists. S3 returns it to all callers in a header."""
    _, owner = s3_backends.bucket_accounts.get(call.bucket, (None, None))
    bucket = s3_backends[owner]["aws"].buckets.get(call.bucket) if owner else None
    return bucket.region_name if bucket else None


def _create_bucket(call: Call) -> AwsError | None:
    if not BUCKET_NAME.fullmatch(call.bucket) or ".." in call.bucket:
        return AwsError(400, "InvalidBucketName", "The specified bucket is not valid.")
    return None


def _delete_objects(call: Call) -> AwsError | None:
    # Keys with characters that XML does not allow are rejected by the parser, as by S3.
    if len(_all(_parse(call), "Object")) > DELETED_AT_ONCE:
        return AwsError(400, "MalformedXML", MALFORMED)
    return None


def _put_lifecycle(call: Call) -> AwsError | None:
    rules = _all(_parse(call), "Rule")
    with_filter = [rule for rule in rules if rule.find("{*}Filter") is not None]
    if with_filter and len(with_filter) < len(rules):
        message = "Filter element can only be used in Lifecycle V2."
        return AwsError(400, "InvalidRequest", message)
    for rule in rules:
        for days in _all(rule, "Days"):
            if int(days.text or 0) < 1:
                message = "'Days' for Expiration action must be a positive integer"
                return AwsError(400, "InvalidArgument", message)
    return None


def _put_versioning(call: Call) -> AwsError | None:
    # Versioning can be suspended after it was enabled, but not disabled.
    status = next((found.text for found in _all(_parse(call), "Status")), None)
    if status not in ("Enabled", "Suspended"):
        return AwsError(400, "MalformedXML", MALFORMED)
    return None


def _put_policy(call: Call) -> AwsError | None:
    def malformed(message: str) -> AwsError:
        return AwsError(400, "MalformedPolicy", message)

    try:
        policy = json.loads(call.body)
    except ValueError:
        return malformed("Policies must be valid JSON and the first byte must be '{'")
    statements = policy.get("Statement", [])
    for statement in [statements] if isinstance(statements, dict) else statements:
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return malformed("Missing required field Principal")
        resources = statement.get("Resource", [])
        for resource in [resources] if isinstance(resources, str) else resources:
            if not re.match(rf"arn:[^:]+:s3:::{re.escape(call.bucket)}(/|$)", resource):
                return malformed("Policy has invalid resource")
        principals = _principals(statement)
        if any(not _exists(principal) for principal in principals if principal != "*"):
            return malformed("Invalid principal in policy")
        public = "*" in principals and statement["Effect"] == "Allow"
        if public and "Condition" not in statement and _blocks_public_policy(call):
            return AwsError(403, "AccessDenied", "Access Denied")
    return None


def _principals(statement: dict) -> list[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return [principal]
    named = principal.get("AWS", [])
    return [named] if isinstance(named, str) else named


def _exists(principal: str) -> bool:
    """Whether a principal exists. An account always does."""
    found = re.fullmatch(r"arn:aws:iam::(\d{12}):(role|user)/.+", principal)
    if found is None:
        return True
    iam = iam_backends[found[1]]["aws"]
    known = iam.roles if found[2] == "role" else iam.users
    return any(entity.arn == principal for entity in known.values())


def _blocks_public_policy(call: Call) -> bool:
    bucket = s3_backends[call.account]["aws"].buckets.get(call.bucket)
    block = bucket and bucket.public_access_block
    return bool(block and block.block_public_policy)


def _parse(call: Call) -> ElementTree.Element:
    return ElementTree.fromstring(call.body)


def _all(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    """Returns the descendants with this name, in any namespace."""
    return element.findall(f".//{{*}}{name}")


CHECKS = {
    "CreateBucket": _create_bucket,
    "DeleteObjects": _delete_objects,
    "PutBucketLifecycleConfiguration": _put_lifecycle,
    "PutBucketPolicy": _put_policy,
    "PutBucketVersioning": _put_versioning,
}


def tag_new_bucket(call: Call) -> None:
    """Adds the tags in the body of CreateBucket, after it was processed."""
    if not call.body:
        return
    tags = {
        tag.findtext("{*}Key"): tag.findtext("{*}Value") or "" for tag in _all(_parse(call), "Tag")
    }
    if tags:
        s3_backends[call.account]["aws"].put_bucket_tagging(call.bucket, tags)
