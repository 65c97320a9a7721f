"""Plans of tests for the results of the next node groups, updates and deletions, per account."""

import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field

# Default number of reads that return a transitional state before it ends.
POLLS = 2

ENDS = {
    "create": ("ACTIVE", "CREATE_FAILED", "DEGRADED"),
    "update": ("Successful", "Failed", "Cancelled"),
    "delete": ("GONE", "DELETE_FAILED"),
    "health": ("ACTIVE", "DEGRADED"),
}


class BadPlan(Exception):
    """The plan is invalid, for the reason in the message."""


@dataclass
class Plan:
    """The result of `on` (create, update, delete, health) for node groups with a matching name.

    `polls` reads return the transitional state (CREATING, InProgress, DELETING). Then follows `status`
    with `issues` ({code, message, resourceIds}) or, for an update, `errors` ({errorCode, errorMessage,
    resourceIds}). `health` is not an operation: it sets the status in responses at once. A plan is used
    `times` times; 0 means always.
    """

    on: str
    match: str = ".*"
    polls: int = POLLS
    status: str | None = None
    issues: list[dict] = field(default_factory=list)
    errors: list[dict] = field(default_factory=list)
    times: int = 1
    used: int = 0

    @classmethod
    def parse(cls, data: dict) -> "Plan":
        try:
            plan = cls(**{name: value for name, value in data.items() if name != "account"})
        except TypeError as error:
            raise BadPlan(str(error)) from None
        if plan.on not in ENDS:
            raise BadPlan(f"on {plan.on!r} is none of {', '.join(ENDS)}")
        plan.status = plan.status or ENDS[plan.on][0]
        if plan.status not in ENDS[plan.on]:
            raise BadPlan(f"{plan.on} never ends in {plan.status!r}")
        return plan


_plans: dict[str, list[Plan]] = defaultdict(list)
_lock = threading.Lock()


def add(account: str, plans: list[Plan]) -> None:
    with _lock:
        _plans[account] += plans


def clear(account: str | None) -> None:
    with _lock:
        _plans.clear() if account is None else _plans.pop(account, None)


def take(account: str, on: str, name: str) -> Plan:
    """Returns the plan for this operation of this node group; the default if no test has set one."""
    with _lock:
        for plan in _plans[account]:
            fresh = plan.times == 0 or plan.used < plan.times
            if plan.on == on and fresh and re.fullmatch(plan.match, name):
                plan.used += 1
                return plan
    return Plan.parse({"on": on})


def health(account: str, name: str) -> Plan | None:
    """Returns the newest plan for the health of a node group; None if no test has set one."""
    with _lock:
        for plan in reversed(_plans[account]):
            if plan.on == "health" and re.fullmatch(plan.match, name):
                return plan
    return None
