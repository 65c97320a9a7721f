"""Lists that still contain deleted objects: deletions in IAM and EKS take some time to propagate."""

import time
from collections import defaultdict

_seconds: dict[str, float] = {}
# Deleted objects, with the time until which they are listed, by account, type and owner.
_gone: dict[tuple[str, str, str], list[tuple[float, object]]] = defaultdict(list)


def set_seconds(account: str, seconds: float) -> None:
    """Sets the time for which lists of the account contain objects that are deleted from now on."""
    _seconds[account] = seconds


def deleted(account: str, kind: str, owner: str, thing: object) -> None:
    if seconds := _seconds.get(account):
        _gone[account, kind, owner].append((time.monotonic() + seconds, thing))


def still_shown(account: str, kind: str, owner: str) -> list:
    now = time.monotonic()
    return [thing for until, thing in _gone[account, kind, owner] if until > now]
