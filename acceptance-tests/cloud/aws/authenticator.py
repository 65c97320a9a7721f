"""The webhook token authenticator of the API server: EKS tokens with the rules of aws-iam-authenticator.

A token is a presigned GET of STS GetCallerIdentity for one cluster. The real authenticator sends
it to STS. Here its signature is computed again with the key that the mock of IAM or STS created.
An authenticated user is an administrator, because access entries are not evaluated.
"""

import base64
import binascii
import datetime
import hashlib
import hmac
import re
from urllib.parse import parse_qsl, unquote, urlsplit

from moto.eks.models import eks_backends

from . import credentials, signatures
from .calls import Call
from .faults import Ledger

PREFIX = "k8s-aws-v1."
LONGEST = 4096
LIFETIME = datetime.timedelta(minutes=15)
HOST = re.compile(r"sts(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|amazonaws\.com\.cn|api\.aws)")
GLOBAL_HOST = "sts.amazonaws.com"
CLUSTER_HEADER = "x-k8s-aws-id"
PARAMETERS = {
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
}
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Refused(Exception):
    """The token is rejected. The reason is in the response of the webhook, which the API server logs."""


class Webhook:
    """Responds to TokenReviews. Logs each EKS token as the call TokenReview of the service "authenticator", so that
    faults of the kind error can reject it. The log contains date and cluster of the token, not the token."""

    def __init__(self, ledger: Ledger):
        self._ledger = ledger

    def review(self, request: dict) -> dict:
        answer = {"apiVersion": request["apiVersion"], "kind": "TokenReview"}
        token = request["spec"].get("token", "")
        key_id, date, region = _claims(token)
        key = credentials.find(key_id) if key_id else None
        account = key.account if key else credentials.DEFAULT_ACCOUNT
        entry, rule = self._ledger.enter(
            Call(
                service="authenticator",
                action="TokenReview",
                account=account,
                region=region,
                access_key_id=key_id,
                method="POST",
                raw_path="",
                query="",
                headers={},
                body=b"",
                authorization=None,
                parameters={"date": date, "token": hashlib.sha256(token.encode()).hexdigest()},
            )
        )
        try:
            if rule is not None and rule.kind == "error":
                raise Refused(rule.message or rule.code)
            identity = authenticate(token)
        except Refused as reason:
            entry["status"], entry["error"] = 401, str(reason)
            return {**answer, "status": {"authenticated": False, "error": str(reason)}}
        entry["status"] = 200
        user = {
            "username": identity.principal,
            "uid": f"aws-iam-authenticator:{identity.account}",
            "groups": ["system:masters"],
        }
        return {**answer, "status": {"authenticated": True, "user": user}}


def _claims(token: str) -> tuple[str | None, str, str]:
    """Returns key, date and region of a token that is not verified yet."""
    try:
        query = _query(_decode(token).query)
    except Refused:
        return None, "", ""
    scope = query["x-amz-credential"].split("/")
    return scope[0], query["x-amz-date"], scope[2] if len(scope) == 5 else ""


def authenticate(token: str, now: datetime.datetime | None = None) -> credentials.AccessKey:
    """Returns the key that signed the token. Errors: Refused."""
    url = _decode(token)
    query = _query(url.query)
    _check_place(url, query)
    _check_date(query["x-amz-date"], now or datetime.datetime.now(datetime.timezone.utc))
    scope = query["x-amz-credential"].split("/")
    if len(scope) != 5 or scope[3:] != ["sts", "aws4_request"]:
        raise Refused("the credential's scope is not one of STS")
    key_id, date, region = scope[:3]
    if f".{region}." not in f".{url.hostname}" and url.hostname != GLOBAL_HOST:
        raise Refused(f"the credential's region {region} is not that of {url.hostname}")
    key = credentials.find(key_id)
    if key is None or not key.active or key.expired:
        raise Refused("the access key is unknown, inactive or expired")
    if query.get("x-amz-security-token") != key.session_token:
        raise Refused("the session token is not that of the access key")
    _check_signature(url, query, key, date, region)
    return key


def _decode(token: str):
    if not token.startswith(PREFIX):
        raise Refused(f"the token does not begin with {PREFIX}")
    if len(token) > LONGEST:
        raise Refused(f"the token is longer than {LONGEST} bytes")
    encoded = token.removeprefix(PREFIX)
    if "=" in encoded:
        raise Refused("the token has padding")
    try:
        padded = encoded + "=" * (-len(encoded) % 4)
        return urlsplit(base64.b64decode(padded, altchars=b"-_", validate=True).decode())
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise Refused("the token is not base64 of a URL") from None


def _query(query: str) -> dict[str, str]:
    """Returns the parameters by lower-case name. Unknown and repeated parameters are errors."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        name = name.lower()
        if name not in PARAMETERS:
            raise Refused(f"the query parameter {name} is not allowed")
        if name in found:
            raise Refused(f"the query parameter {name} comes twice")
        found[name] = value
    for name in PARAMETERS - {"version", "x-amz-security-token"} - found.keys():
        raise Refused(f"the query parameter {name} is missing")
    return found


def _check_place(url, query: dict[str, str]) -> None:
    if url.scheme != "https":
        raise Refused(f"the scheme is {url.scheme}, not https")
    if url.path != "/":
        raise Refused(f"the path is {url.path}, not /")
    if url.netloc != url.hostname or not (HOST.fullmatch(url.netloc) or url.netloc == GLOBAL_HOST):
        raise Refused(f"{url.netloc} is no host of STS")
    if query["action"] != "GetCallerIdentity":
        raise Refused(f"the action is {query['action']}, not GetCallerIdentity")
    if CLUSTER_HEADER not in query["x-amz-signedheaders"].split(";"):
        raise Refused(f"{CLUSTER_HEADER} is not signed")
    if not query["x-amz-expires"].isdigit() or not 0 <= int(query["x-amz-expires"]) <= 900:
        raise Refused("X-Amz-Expires is not between 0 and 900")


def _check_date(text: str, now: datetime.datetime) -> None:
    try:
        moment = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    except ValueError:
        raise Refused("X-Amz-Date is no date") from None
    moment = moment.replace(tzinfo=datetime.timezone.utc)
    if now > moment + LIFETIME:
        raise Refused("the token has expired")
    if moment > now + LIFETIME:
        raise Refused("the token is from the future")


def _check_signature(url, query: dict[str, str], key, date: str, region: str) -> None:
    """Verifies the signature. It covers the name of the cluster, so that the names of all clusters are tried."""
    pairs = [
        part for part in url.query.split("&") if not part.lower().startswith("x-amz-signature=")
    ]
    names = unquote(query["x-amz-signedheaders"]).split(";")
    for cluster in _clusters(key.account):
        headers = {"host": url.netloc, CLUSTER_HEADER: cluster}
        if any(name not in headers for name in names):
            raise Refused(f"headers other than {', '.join(headers)} are signed")
        request = signatures.canonical_request(
            "GET",
            "/",
            signatures.canonical_query("&".join(pairs)),
            [(name, headers[name]) for name in names],
            EMPTY,
        )
        good = signatures.sign(key.secret, query["x-amz-date"], date, region, "sts", request)
        if hmac.compare_digest(good, query["x-amz-signature"]):
            return
    raise Refused("the signature is wrong, or for none of the account's clusters")


def _clusters(account: str) -> list[str]:
    """Returns the clusters of the account, which all are the local control plane."""
    names = {name for backend in eks_backends[account].values() for name in backend.clusters}
    return sorted(names)
