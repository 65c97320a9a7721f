"""The root elements of S3's answers: moto names them after the operation, S3 after the document, and SDKs look at it."""

import re

from moto.core.serialize import S3Serializer

# S3 API reference, "Response Syntax" of each operation.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


def install() -> None:
    serialize = S3Serializer._serialized_result_to_response

    def serialized(self, *arguments, **named):
        answer = serialize(self, *arguments, **named)
        answer["body"] = with_root(self.operation_model.name, answer["body"])
        return answer

    S3Serializer._serialized_result_to_response = serialized


def with_root(operation: str, document):
    root = ROOTS.get(operation)
    if root is None or not document:
        return document
    kind = bytes if isinstance(document, bytes) else str
    text = document.decode() if kind is bytes else document
    text = re.sub(rf"<(/?){operation}Response(?=[\s/>])", rf"<\1{root}", text)
    return text.encode() if kind is bytes else text
