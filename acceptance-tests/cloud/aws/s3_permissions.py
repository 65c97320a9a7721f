"""What the policies of users and roles allow in S3: moto can ask for all of them or for none."""

import re

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.iam.models import IAMBackend, iam_backends
from moto.s3.models import s3_backends

from . import credentials
from .calls import Call
from .error_answers import AwsError

# Whoever runs the configuration may do everything, and has no policy that says so.
ADMINISTRATOR = "administrator"

# Where the action has another name than the operation.
ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "PostObject": "PutObject",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
# What S3 asks of KMS in the caller's name.
KMS = {"PutObject": "kms:GenerateDataKey", "GetObject": "kms:Decrypt"}
DENIED = AwsError(403, "AccessDenied", "Access Denied")
PRESIGNED = re.compile(r"(?:^|&)X-Amz-Credential=([^%/&]+)")


def refuse(call: Call) -> AwsError | None:
    """Access denied, or None where the caller's policies allow it or are not looked at."""
    presigned = PRESIGNED.search(call.query)
    key = credentials.find(call.access_key_id or (presigned[1] if presigned else ""))
    policies = key and _policies(iam_backends[key.account]["aws"], key.principal)
    if policies is None:
        return None
    if not (key.active and not key.expired):
        return AwsError.unknown_key("s3")

    def allowed(action: str, resource: str) -> bool:
        return all(_allow(part, action, resource) for part in policies)

    bucket, name = f"arn:aws:s3:::{call.bucket or '*'}", call.parameters.get("Key")
    resource = f"{bucket}/{name}" if name else bucket
    action = _action(call)
    if not allowed(f"s3:{action}", resource):
        return DENIED
    if (known := _bucket(call)) is None:
        return None
    # Whoever may not list is not told that there is no such object.
    if action == "GetObject" and name not in known.keys and not allowed("s3:ListBucket", bucket):
        return DENIED
    if (kms := _kms_key(known)) and action in KMS and not allowed(KMS[action], kms):
        return DENIED
    return None


def _action(call: Call) -> str:
    action = ACTIONS.get(call.action, call.action)
    if "uploadId" in call.parameters:
        of_parts = {"GetObject": "ListMultipartUploadParts", "DeleteObject": "AbortMultipartUpload"}
        return of_parts.get(action, action)
    of_one_version = action in ("GetObject", "DeleteObject") and "versionId" in call.parameters
    return f"{action}Version" if of_one_version else action


def _allow(policies: list[IAMPolicy], action: str, resource: str) -> bool:
    results = [policy.is_action_permitted(action, resource) for policy in policies]
    return PermissionResult.DENIED not in results and PermissionResult.PERMITTED in results


def _policies(iam: IAMBackend, principal: str) -> list[list[IAMPolicy]] | None:
    """The holder's own, and its boundary: both have to allow. None for a principal that is not looked at."""
    kind, *names = principal.split(":")[-1].split("/")
    holder = iam.users.get(names[-1]) if kind == "user" else iam.roles.get(names[0])
    if holder is None or holder.name == ADMINISTRATOR:
        return None
    own = [
        *(IAMPolicy(text) for text in holder.policies.values()),
        *(IAMPolicy(policy) for policy in holder.managed_policies.values()),
    ]
    boundary = iam.managed_policies.get(holder.permissions_boundary_arn)
    return [own, [IAMPolicy(boundary)]] if boundary else [own]


def _bucket(call: Call):
    _, owner = s3_backends.bucket_accounts.get(call.bucket, (None, None))
    return s3_backends[owner]["aws"].buckets.get(call.bucket) if owner else None


def _kms_key(bucket) -> str | None:
    rule = (bucket.encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
    return rule.get("KMSMasterKeyID") if rule.get("SSEAlgorithm", "").startswith("aws:kms") else None
