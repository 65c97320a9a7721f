"""Permissions of users and roles in S3."""

from moto.s3.models import s3_backends

from . import credentials, permissions
from .calls import Call
from .error_answers import AwsError

# Actions with another name than the operation.
ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListParts": "ListMultipartUploadParts",
    "PostObject": "PutObject",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
}
# Actions of KMS that S3 uses with the permissions of the caller.
KMS = {"PutObject": "kms:GenerateDataKey", "GetObject": "kms:Decrypt"}
DENIED = AwsError(403, "AccessDenied", "Access Denied")


def refuse(call: Call) -> AwsError | None:
    """Returns an error if the caller has no permission; None if its policies allow the call or are not evaluated."""
    key = credentials.find(call.access_key_id) if call.access_key_id else None
    policies = permissions.of(key) if key else None
    if policies is None:
        return None

    def allowed(action: str, resource: str) -> bool:
        return permissions.allow(policies, action, resource)

    bucket, name = f"arn:aws:s3:::{call.bucket or '*'}", call.parameters.get("Key")
    resource = f"{bucket}/{name}" if name else bucket
    action = _action(call)
    if not allowed(f"s3:{action}", resource):
        return DENIED
    if action == "CreateBucket" and b"<Tag>" in call.body and not allowed("s3:TagResource", resource):
        return DENIED
    if (known := _bucket(call)) is None:
        return None
    # Without s3:ListBucket S3 returns 403 for an object that does not exist.
    if action == "GetObject" and name not in known.keys and not allowed("s3:ListBucket", bucket):
        return DENIED
    if (kms := _kms_key(call, known)) and action in KMS and not allowed(KMS[action], kms):
        return DENIED
    return None


def _action(call: Call) -> str:
    action = ACTIONS.get(call.action, call.action)
    of_one_version = action in ("GetObject", "DeleteObject") and "versionId" in call.parameters
    return f"{action}Version" if of_one_version else action


def _bucket(call: Call):
    _, owner = s3_backends.bucket_accounts.get(call.bucket, (None, None))
    return s3_backends[owner]["aws"].buckets.get(call.bucket) if owner else None


def _kms_key(call: Call, bucket) -> str | None:
    """Returns the KMS key of the object that is read, or of an upload; otherwise the key of the bucket."""
    # The query of a presigned request may contain parameters that are headers otherwise.
    given = {name.lower(): value for name, value in call.parameters.items()} | call.headers
    there = bucket.keys.get(call.parameters.get("Key"))
    if call.action == "PutObject" and (algorithm := given.get("x-amz-server-side-encryption")):
        key = given.get("x-amz-server-side-encryption-aws-kms-key-id")
        return key if algorithm.startswith("aws:kms") else None
    if call.action != "PutObject" and there is not None and there.kms_key_id:
        return there.kms_key_id
    rule = (bucket.encryption or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
    return rule.get("KMSMasterKeyID") if rule.get("SSEAlgorithm", "").startswith("aws:kms") else None
