"""S3 buckets: the defaults of new buckets since 2023 and 2026, and the effect of bucket policies on objects."""

import json
import secrets
from urllib.parse import quote_plus

from moto.core.serialize import S3Serializer
from moto.s3.models import FakeBucket, LifecycleRule, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response

DEFAULT_ENCRYPTION = {
    "Rule": {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": "false",
        # Customer-provided keys are blocked in new buckets since April 2026.
        "BlockedEncryptionTypes": {"EncryptionType": "SSE-C"},
    }
}

# Root elements of responses that are not the name of the operation, from the model of botocore.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


def install() -> None:
    _correct_roots()
    _correct_encoded_versions()
    _correct_fresh_buckets()
    _correct_lifecycle()
    _correct_permissions()


def _correct_roots() -> None:
    serialize = S3Serializer._serialize_body

    def _serialize_body(self, body):
        # botocore ignores the name of the root element. The Rust SDK rejects a wrong one.
        operation = self.operation_model.name
        named_after_it = body.pop(f"{operation}Response", None)
        if named_after_it is not None:
            body = {ROOTS.get(operation, f"{operation}Response"): named_after_it}
        return serialize(self, body)

    S3Serializer._serialize_body = _serialize_body


def _correct_encoded_versions() -> None:
    serialized = S3Response.serialized

    def _serialized(self, action_result):
        # moto implements encoding-type for keys of objects, but not of versions.
        encoding = self.querystring.get("encoding-type", [None])[0]
        if self.data.get("Action") == "ListObjectVersions" and encoding == "url":
            _encode_keys(action_result.result)
        if self.data.get("Action") == "GetBucketEncryption":
            stored = self.backend.get_bucket_encryption(self.bucket_name)["Rule"]
            _show_blocked(action_result.result, stored.get("BlockedEncryptionTypes"))
        return serialized(self, action_result)

    S3Response.serialized = _serialized


def _show_blocked(answer: dict, blocked: dict | None) -> None:
    """Adds the blocked encryption types to a response, which moto stores but does not return."""
    if blocked:
        types = blocked["EncryptionType"]
        types = types if isinstance(types, list) else [types]
        for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
            rule["BlockedEncryptionTypes"] = {"EncryptionType": types}


def _encode_keys(listing: dict) -> None:
    """Encodes keys as S3 does: a space is `+`, and a slash is not encoded."""
    listing["EncodingType"] = "url"
    entries = [
        *listing["Versions"],
        *listing["DeleteMarkers"],
        *listing.get("CommonPrefixes", []),
    ]
    for element in [listing, *entries]:
        for name in ("Key", "KeyMarker", "NextKeyMarker", "Prefix", "Delimiter"):
            if element.get(name):
                element[name] = quote_plus(element[name], safe="/*")


def _correct_fresh_buckets() -> None:
    make = FakeBucket.__init__

    def init(self, *arguments, **named):
        make(self, *arguments, **named)
        # Defaults of AWS that new buckets of moto do not have.
        self.public_access_block = PublicAccessBlock(True, True, True, True)
        self.ownership_rule = "BucketOwnerEnforced"
        self.encryption = json.loads(json.dumps(DEFAULT_ENCRYPTION))

    def delete_bucket_encryption(self, bucket_name):
        # A bucket always has encryption. Deleting it restores the default.
        self.get_bucket(bucket_name).encryption = json.loads(json.dumps(DEFAULT_ENCRYPTION))

    FakeBucket.__init__ = init
    S3Backend.delete_bucket_encryption = delete_bucket_encryption


def _correct_lifecycle() -> None:
    make = LifecycleRule.__init__

    def init(self, rule_id=None, *arguments, **named):
        # S3 generates the ID of a rule without one.
        make(self, rule_id or secrets.token_urlsafe(36), *arguments, **named)

    LifecycleRule.__init__ = init


def _correct_permissions() -> None:
    permission = FakeBucket.get_permission

    def get_permission(self, action, resource):
        # moto ignores conditions, so that a statement that denies plain HTTP would deny everything.
        # The loopback endpoint is treated as one with TLS.
        return permission(_WithPolicy(_without_plain_http(self.policy)), action, resource)

    FakeBucket.get_permission = get_permission


class _WithPolicy:
    """The part of a bucket that moto's check reads."""

    def __init__(self, policy: bytes | None):
        self.policy = policy


def _without_plain_http(document: bytes | None) -> bytes | None:
    if document is None:
        return None
    policy = json.loads(document)
    statements = policy.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    kept = [statement for statement in statements if not _denies_plain_http(statement)]
    return json.dumps({**policy, "Statement": kept}).encode() if kept else None


def _denies_plain_http(statement: dict) -> bool:
    secure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return statement.get("Effect") == "Deny" and str(secure).lower() == "false"
