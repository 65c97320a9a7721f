"""Access keys: their owners and their state."""

from dataclasses import dataclass

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

# Account of calls without a key (AssumeRoleWithWebIdentity).
DEFAULT_ACCOUNT = "123456789012"
PARTITION = "aws"


@dataclass(frozen=True)
class AccessKey:
    """An access key that exists. Only keys of assumed roles have a `session_token`."""

    account: str
    secret: str
    principal: str
    session_token: str | None = None
    active: bool = True
    expired: bool = False


def find(access_key_id: str) -> AccessKey | None:
    """Returns the key in any state; None if it does not exist."""
    if (account := _owners.get(access_key_id)) is not None:
        return _find_in(account, access_key_id)
    for account in list(iam_backends):
        if (key := _find_in(account, access_key_id)) is not None:
            _owners[access_key_id] = account
            return key
    return None


# Account of each key that was found. It does not change, and a search goes through hundreds of accounts.
_owners: dict[str, str] = {}


def _find_in(account: str, access_key_id: str) -> AccessKey | None:
    # Session of a role. Its key is in the table of IAM too, but only STS has the session token.
    for role in list(sts_backends[account][PARTITION].assumed_roles):
        if role.access_key_id == access_key_id:
            return AccessKey(
                account=account,
                secret=role.secret_access_key,
                principal=role.arn,
                session_token=role.session_token,
                expired=role.expiration < utcnow(),
            )
    iam = iam_backends[account][PARTITION]
    key = iam.access_keys.get(access_key_id)
    if key is not None and key.user_name in iam.users:
        return AccessKey(
            account=account,
            secret=key.secret_access_key,
            principal=iam.users[key.user_name].arn,
            active=key.status == "Active",
        )
    return None


def expire(access_key_id: str) -> bool:
    """Ends the session of a role now. Returns whether it existed."""
    for account in list(sts_backends):
        for role in list(sts_backends[account][PARTITION].assumed_roles):
            if role.access_key_id == access_key_id:
                role.expiration = utcnow()
                return True
    return False
