"""Checks of AssumeRoleWithWebIdentity, because moto returns credentials of any role to any caller.

The signature of the token is not verified, because the issuer does not exist and publishes no keys.
"""

import base64
import fnmatch
import json
from urllib.parse import parse_qsl

from moto.iam.models import iam_backends

from .calls import ROLE_ARN, Call
from .error_answers import AwsError

ACTION = "sts:AssumeRoleWithWebIdentity"
DENIED = AwsError(403, "AccessDenied", f"Not authorized to perform {ACTION}")
MATCHES = {
    "StringEquals": str.__eq__,
    "StringLike": fnmatch.fnmatchcase,
}


def refuse(call: Call) -> AwsError | None:
    """Returns the error of STS if provider, audience or trust policy do not match the token."""
    if f"{call.service}:{call.action}" != ACTION:
        return None
    asked = dict(parse_qsl(call.body.decode()))
    arn = asked.get("RoleArn", "")
    account = ROLE_ARN.match(arn)
    iam = iam_backends[account[1]]["aws"] if account else None
    role = next((role for role in iam.roles.values() if role.arn == arn), None) if iam else None
    if role is None:
        return None
    claims = _claims(asked.get("WebIdentityToken", ""))
    if claims is None:
        return AwsError(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    issuer = claims.get("iss", "").removeprefix("https://")
    provider = iam.open_id_providers.get(f"arn:aws:iam::{account[1]}:oidc-provider/{issuer}")
    if provider is None:
        message = f"No OpenIDConnect provider found in your account for https://{issuer}"
        return AwsError(400, "InvalidIdentityToken", message)
    audiences = claims.get("aud", [])
    audiences = [audiences] if isinstance(audiences, str) else audiences
    if not set(audiences) & set(provider.client_id_list):
        return AwsError(400, "InvalidIdentityToken", "Incorrect token audience")
    known = {f"{issuer}:aud": audiences, f"{issuer}:sub": [claims.get("sub", "")]}
    statements = _list(json.loads(role.assume_role_policy_document)["Statement"])
    trusts = any(_trusts(statement, provider.arn, known) for statement in statements)
    return None if trusts else DENIED


def _trusts(statement: dict, provider: str, known: dict[str, list[str]]) -> bool:
    principal = statement.get("Principal", {})
    return (
        statement["Effect"] == "Allow"
        and ACTION in _list(statement["Action"])
        and provider in _list(principal.get("Federated", []))
        and all(
            _holds(MATCHES[operator], known.get(name, []), _list(wanted))
            for operator, conditions in statement.get("Condition", {}).items()
            for name, wanted in conditions.items()
        )
    )


def _holds(match, values: list[str], wanted: list[str]) -> bool:
    return any(match(value, pattern) for value in values for pattern in wanted)


def _claims(token: str) -> dict | None:
    try:
        _, payload, _ = token.split(".")
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return None


def _list(value) -> list:
    return value if isinstance(value, list) else [value]
