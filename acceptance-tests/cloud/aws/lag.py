"""Lists that still show what was deleted: IAM and EKS tell it everywhere only after some time."""

import time
from collections import defaultdict

_seconds: dict[str, float] = {}
# By account, kind and owner: until when a deleted thing is shown, and the thing.
_gone: dict[tuple[str, str, str], list[tuple[float, object]]] = defaultdict(list)


def set_seconds(account: str, seconds: float) -> None:
    """From now on deletions in the account show only so much later."""
    _seconds[account] = seconds


def deleted(account: str, kind: str, owner: str, thing: object) -> None:
    if seconds := _seconds.get(account):
        _gone[account, kind, owner].append((time.monotonic() + seconds, thing))


def still_shown(account: str, kind: str, owner: str) -> list:
    now = time.monotonic()
    return [thing for until, thing in _gone[account, kind, owner] if until > now]
