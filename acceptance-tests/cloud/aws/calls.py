"""Determines service, operation and account of a request."""

import io
import json
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, parse_qsl, unquote

from moto.core.responses import BaseResponse

from . import credentials

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/"
    r"(?P<service>[^/]+)/aws4_request, ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>\w+)"
)

ROLE_ARN = re.compile(r"arn:[^:]+:iam::(\d{12}):role/")

# Credential in the query of a presigned request to S3.
CREDENTIAL = re.compile(
    r"(?P<key>[^/]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>s3)/aws4_request"
)

# A host that begins with the name of a bucket.
BUCKET_HOST = re.compile(r"(.+)\.(?:localhost|s3\.[a-z0-9-]+\.amazonaws\.com)")

# The provider in the user agent.
PROVIDER = "lib/terraform-provider-gitlabspot/"

# Parameters that are or may contain secrets, and are not logged.
SECRET = {
    "WebIdentityToken",
    "SAMLAssertion",
    "Password",
    "NewPassword",
    "OldPassword",
    "TokenCode",
}
LONGEST_LOGGED = 4096

# In S3 method and sub-resource determine the operation. These are the names in the API.
S3_SUBRESOURCES = {
    "abac": "BucketAbac",
    "accelerate": "BucketAccelerateConfiguration",
    "acl": "BucketAcl",
    "cors": "BucketCors",
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycleConfiguration",
    "location": "BucketLocation",
    "logging": "BucketLogging",
    "notification": "BucketNotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "PublicAccessBlock",
    "replication": "BucketReplication",
    "requestPayment": "BucketRequestPayment",
    "tagging": "BucketTagging",
    "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}
S3_SPECIAL = {
    ("DELETE", "lifecycle"): "DeleteBucketLifecycle",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteObjects",
}
S3_OBJECT = {
    ("GET", "acl"): "GetObjectAcl",
    ("GET", "attributes"): "GetObjectAttributes",
    ("GET", "legal-hold"): "GetObjectLegalHold",
    ("GET", "retention"): "GetObjectRetention",
    ("GET", "tagging"): "GetObjectTagging",
    ("PUT", "acl"): "PutObjectAcl",
    ("PUT", "legal-hold"): "PutObjectLegalHold",
    ("PUT", "retention"): "PutObjectRetention",
    ("PUT", "tagging"): "PutObjectTagging",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("POST", "restore"): "RestoreObject",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("GET", "uploadId"): "ListParts",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}
S3_BUCKET = {
    "PUT": "CreateBucket",
    "DELETE": "DeleteBucket",
    "HEAD": "HeadBucket",
    "GET": "ListObjects",
}


@dataclass
class Call:
    """One request to AWS, with the data for the log, the faults and the verification of the signature."""

    service: str
    action: str
    account: str
    region: str
    access_key_id: str | None
    method: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes
    authorization: re.Match | dict[str, str] | None
    parameters: dict = field(default_factory=dict)
    bucket: str | None = None

    @property
    def is_presigned(self) -> bool:
        """Whether the signature is in the query."""
        return isinstance(self.authorization, dict)

    @property
    def user_agent(self) -> str:
        """The user agent. Some SDKs send a part of it in the header x-amz-user-agent."""
        names = ("user-agent", "x-amz-user-agent")
        return " ".join(self.headers[name] for name in names if name in self.headers)

    @property
    def is_from_provider(self) -> bool:
        """Whether the provider sent the request, and not a test or a runner."""
        return PROVIDER in self.user_agent

    @property
    def is_read_only(self) -> bool:
        return self.action.startswith(("Get", "List", "Describe", "Head"))

    @property
    def what(self) -> str:
        """The operation, for messages."""
        return f"{self.service}:{self.action} ({self.method} {self.raw_path})"


def read(environ: dict) -> Call:
    """Reads a request. The next element of the chain can read its body again."""
    body = _take_body(environ)
    authorization = AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", "").strip())
    raw_path, _, query = environ.get("RAW_URI", environ["PATH_INFO"]).partition("?")
    authorization = authorization or _presigned(query)
    form = {}
    if "form-urlencoded" in environ.get("CONTENT_TYPE", ""):
        form = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    key = authorization["key"] if authorization else None
    holder = credentials.find(key) if key else None
    call = Call(
        service=authorization["service"] if authorization else ("sts" if form else "s3"),
        action="?",
        account=holder.account if holder else credentials.DEFAULT_ACCOUNT,
        region=authorization["region"] if authorization else "us-east-1",
        access_key_id=key,
        method=environ["REQUEST_METHOD"],
        raw_path=raw_path,
        query=query,
        headers=_headers(environ),
        body=body,
        authorization=authorization,
    )
    if call.service == "eks":
        _read_eks(call)
    elif call.service == "s3":
        _read_s3(call)
    else:
        call.action = form.get("Action") or environ.get("HTTP_X_AMZ_TARGET", "?").split(".")[-1]
        call.parameters = {k: v for k, v in form.items() if k not in ("Action", "Version")}
        if key is None and (owner := ROLE_ARN.match(form.get("RoleArn", ""))):
            # Requests with a web identity have no key, so that the account is that of the role.
            call.account = owner[1]
    call.parameters = _without_secrets(call.parameters)
    return call


def _presigned(query: str) -> dict[str, str] | None:
    """Returns the signature of a presigned request, in the parts of the Authorization header."""
    given = dict(parse_qsl(query))
    credential = CREDENTIAL.fullmatch(given.get("X-Amz-Credential", ""))
    if credential is None:
        return None
    return {
        **credential.groupdict(),
        "headers": given.get("X-Amz-SignedHeaders", ""),
        "signature": given.get("X-Amz-Signature", ""),
    }


def _take_body(environ: dict) -> bytes:
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


def _headers(environ: dict) -> dict[str, str]:
    """Returns the headers by lower-case name, as in a signature."""
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    return headers


def _read_eks(call: Call) -> None:
    resolver = BaseResponse(service_name="eks")
    resolver.region = call.region
    resolver.partition = "aws"
    action = resolver._get_action_from_method_and_request_uri(call.method, call.raw_path)
    call.action = action or "?"
    if call.body:
        try:
            call.parameters = json.loads(call.body)
        except ValueError:
            call.parameters = {}
    words = [unquote(word) for word in call.raw_path.strip("/").split("/")]
    call.parameters |= {kind: name for kind, name in zip(words[::2], words[1::2])}
    call.parameters |= {key: values[0] for key, values in parse_qs(call.query).items()}


def _read_s3(call: Call) -> None:
    path = [unquote(word) for word in call.raw_path.lstrip("/").split("/", 1)]
    host = call.headers.get("host", "").partition(":")[0]
    if (named := BUCKET_HOST.fullmatch(host)) is not None:
        path.insert(0, named[1])
    bucket, key = path[0], (path[1] if len(path) > 1 else "")
    query = dict(parse_qsl(call.query, keep_blank_values=True))
    call.bucket = bucket or None
    call.parameters = {"Bucket": bucket, **query}
    if "content-md5" in call.headers:
        call.parameters["ContentMD5"] = call.headers["content-md5"]
    if key:
        call.parameters["Key"] = key
        verb = {"HEAD": "Head", "GET": "Get", "PUT": "Put", "DELETE": "Delete", "POST": "Post"}
        named = (S3_OBJECT.get((call.method, name)) for name in query)
        call.action = next(filter(None, named), verb.get(call.method, "?") + "Object")
        return
    if not bucket:
        call.action = "ListBuckets"
        return
    for name in query:
        if (call.method, name) in S3_SPECIAL:
            call.action = S3_SPECIAL[call.method, name]
            return
        if name in S3_SUBRESOURCES:
            call.action = call.method.capitalize() + S3_SUBRESOURCES[name]
            return
    call.action = S3_BUCKET.get(call.method, "?")
    if call.action == "ListObjects" and "list-type" in query:
        call.action = "ListObjectsV2"


def _without_secrets(parameters: dict) -> dict:
    def short(value):
        if isinstance(value, str) and len(value) > LONGEST_LOGGED:
            return value[:LONGEST_LOGGED] + "..."
        return value

    return {name: short(value) for name, value in parameters.items() if name not in SECRET}
