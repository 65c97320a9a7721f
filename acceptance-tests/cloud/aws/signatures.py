"""Signature Version 4, recomputed: moto never looks at a signature, AWS always does.

Without this a test could not tell a working access key from a wrong, deleted or inactive one.
"""

import hashlib
import hmac
import re
from urllib.parse import quote, unquote

from . import credentials
from .calls import Call
from .error_answers import AwsError

SAFE = "-_.~"


def check(call: Call) -> AwsError | None:
    """What AWS would answer to this request's signature; None when it is good.

    AssumeRole is taken from anybody: it is how a test gets into an account without being
    handed a key. AssumeRoleWithWebIdentity is unsigned on AWS, too.
    """
    if call.service == "sts" and call.action in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return None
    if call.authorization is None:
        # S3 also takes signatures in the query, which moto looks after, and anonymous requests.
        return None if call.service == "s3" else AwsError.missing_token()
    key = credentials.find(call.access_key_id)
    if key is None or not key.active:
        return AwsError.unknown_key(call.service)
    if key.session_token != call.headers.get("x-amz-security-token"):
        return AwsError.unknown_key(call.service)
    if key.expired:
        return AwsError.expired(call.service)
    if not hmac.compare_digest(expected(call, key.secret), call.authorization["signature"]):
        return AwsError.wrong_signature(call.service)
    return None


def expected(call: Call, secret: str) -> str:
    """The signature that the request should have."""
    found = call.authorization
    names = found["headers"].split(";")
    payload = call.headers.get("x-amz-content-sha256") or hashlib.sha256(call.body).hexdigest()
    # S3 encodes a path once, every other service once more on top.
    path = unquote(call.raw_path) if call.service == "s3" else call.raw_path
    request = canonical_request(
        call.method,
        quote(path or "/", safe="/" + SAFE),
        canonical_query(call.query),
        [(name, call.headers.get(name, "")) for name in names],
        payload,
    )
    return sign(
        secret,
        call.headers.get("x-amz-date", ""),
        found["date"],
        found["region"],
        found["service"],
        request,
    )


def canonical_query(query: str) -> str:
    pairs = []
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        pairs.append((quote(unquote(name), safe=SAFE), quote(unquote(value), safe=SAFE)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def canonical_request(method, path, query, headers: list[tuple[str, str]], payload: str) -> str:
    lines = [f"{name}:{re.sub(' +', ' ', value.strip())}" for name, value in headers]
    names = ";".join(name for name, _ in headers)
    return "\n".join([method, path, query, *lines, "", names, payload])


def sign(secret: str, moment: str, date: str, region: str, service: str, request: str) -> str:
    scope = f"{date}/{region}/{service}/aws4_request"
    text = "\n".join(
        ["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(request.encode()).hexdigest()]
    )
    key = f"AWS4{secret}".encode()
    for word in (date, region, service, "aws4_request", text):
        key = hmac.digest(key, word.encode(), "sha256")
    return key.hex()
