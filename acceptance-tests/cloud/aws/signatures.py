"""Verification of Signature Version 4, which moto does not implement.

Without it a test could not distinguish a valid access key from a wrong, deleted or inactive one.
"""

import datetime
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, quote, unquote

from . import credentials
from .calls import Call
from .error_answers import AwsError

SAFE = "-_.~"
# Maximum validity of a presigned request in seconds: one week.
LONGEST = 7 * 24 * 60 * 60


def check(call: Call) -> AwsError | None:
    """Returns the error of AWS for the signature of this request; None if it is valid.

    AssumeRole is accepted with any signature, because tests use it to access an account without
    a key. AssumeRoleWithWebIdentity is not signed on AWS either.
    """
    if call.service == "sts" and call.action in ("AssumeRole", "AssumeRoleWithWebIdentity"):
        return None
    if call.authorization is None:
        # S3 also accepts anonymous requests.
        return None if call.service == "s3" else AwsError.missing_token()
    key = credentials.find(call.access_key_id)
    if key is None or not key.active:
        return AwsError.unknown_key(call.service)
    if key.session_token != _given(call, "X-Amz-Security-Token"):
        return AwsError.unknown_key(call.service)
    if key.expired:
        return AwsError.expired(call.service)
    if call.is_presigned and (refusal := _check_lifetime(call)) is not None:
        return refusal
    if not hmac.compare_digest(expected(call, key.secret), call.authorization["signature"]):
        return AwsError.wrong_signature(call.service)
    return None


def _given(call: Call, name: str) -> str | None:
    """Returns a value from a header, or from the query of a presigned request."""
    if call.is_presigned:
        return dict(parse_qsl(call.query)).get(name)
    return call.headers.get(name.lower())


def _check_lifetime(call: Call) -> AwsError | None:
    try:
        begin = datetime.datetime.strptime(_given(call, "X-Amz-Date") or "", "%Y%m%dT%H%M%SZ")
        seconds = int(_given(call, "X-Amz-Expires") or "")
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST:
        message = "X-Amz-Date and X-Amz-Expires have to be given, the latter up to a week"
        return AwsError(400, "AuthorizationQueryParametersError", message)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if now > begin + datetime.timedelta(seconds=seconds):
        return AwsError(403, "AccessDenied", "Request has expired")
    return None


def expected(call: Call, secret: str) -> str:
    """Returns the expected signature of the request."""
    found = call.authorization
    names = found["headers"].split(";")
    query = call.query
    if call.is_presigned:
        # The signature does not cover itself, and the payload is not known when a request is presigned.
        query = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
        payload = _given(call, "X-Amz-Content-Sha256") or "UNSIGNED-PAYLOAD"
    else:
        payload = call.headers.get("x-amz-content-sha256") or hashlib.sha256(call.body).hexdigest()
    # Signatures for S3 contain the path encoded once, for all other services encoded twice.
    path = unquote(call.raw_path) if call.service == "s3" else call.raw_path
    request = canonical_request(
        call.method,
        quote(path or "/", safe="/" + SAFE),
        canonical_query(query),
        [(name, call.headers.get(name, "")) for name in names],
        payload,
    )
    return sign(
        secret,
        _given(call, "X-Amz-Date") or "",
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
