"""Injected faults and the log of calls, per account."""

import os
import re
import socket
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from .calls import Call
from .error_answers import AwsError

KINDS = ("throttle", "error", "html", "answer", "latency", "drop_before", "drop_after")


class BadRule(Exception):
    """The rule is invalid, for the reason in the message."""


@dataclass
class Rule:
    """A fault of some of the next calls of an account.

    kind          effect
    throttle      the throttling error of the service
    error         `status`, `code`, `message`
    html          `status` with an HTML page, as from a proxy
    answer        `status` and `body`, for example the state before the last change
    latency       a delay of the response by `ms` milliseconds
    drop_before   the connection is closed before the call has any effect
    drop_after    the call takes effect, then the connection is closed without a response

    `service` and `action` are regular expressions for the whole name. The rule skips `skip` matching
    calls and hits the next `times` (0: all further calls). `match` contains further regular expressions,
    by name of a logged parameter. `reset` drops the connection with a TCP reset instead of a close.
    """

    kind: str
    service: str = ".*"
    action: str = ".*"
    skip: int = 0
    times: int = 1
    match: dict[str, str] = field(default_factory=dict)
    status: int = 500
    code: str = "InternalFailure"
    message: str = ""
    body: str = ""
    ms: int = 0
    reset: bool = False
    seen: int = 0
    hits: int = 0

    @classmethod
    def parse(cls, data: dict) -> "Rule":
        try:
            rule = cls(**{name: value for name, value in data.items() if name != "account"})
        except TypeError as error:
            raise BadRule(str(error)) from None
        if rule.kind not in KINDS:
            raise BadRule(f"kind {rule.kind!r} is none of {', '.join(KINDS)}")
        return rule

    def takes(self, call: Call) -> bool:
        """Whether the rule hits this call. Counts the call if it matches."""
        if not (
            re.fullmatch(self.service, call.service) and re.fullmatch(self.action, call.action)
        ):
            return False
        for name, pattern in self.match.items():
            if not re.fullmatch(pattern, str(call.parameters.get(name, ""))):
                return False
        self.seen += 1
        if self.seen <= self.skip or (self.times and self.hits >= self.times):
            return False
        self.hits += 1
        return True

    def error(self, service: str) -> AwsError:
        if self.kind == "throttle":
            return AwsError.throttle(service)
        return AwsError(self.status, self.code, self.message or self.code)


class Ledger:
    """Rules and log of all accounts. Rules of the account "*" apply to all accounts."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules: dict[str, list[Rule]] = defaultdict(list)
        self._log: dict[str, list[dict]] = defaultdict(list)
        # Number of the first calls that the log omits after a reset, by account.
        self._forgotten: dict[str, int] = {}
        self._count = 0

    def add_rules(self, account: str, rules: list[Rule]) -> None:
        with self._lock:
            self._rules[account] += rules

    def clear_rules(self, account: str | None) -> None:
        with self._lock:
            self._rules.clear() if account is None else self._rules.pop(account, None)

    def rules(self, account: str) -> list[dict]:
        with self._lock:
            return [vars(rule) for rule in self._rules[account]]

    def forget_log(self, account: str | None) -> None:
        """Hides the calls so far, except from requests for everything."""
        with self._lock:
            accounts = list(self._log) if account is None else [account]
            self._forgotten |= {account: len(self._log[account]) for account in accounts}

    def log(self, account: str | None, everything: bool = False) -> list[dict]:
        """Returns the calls in the order of arrival, by default of all accounts."""
        with self._lock:
            logs = self._log if account is None else {account: self._log[account]}
            wanted = [
                entry
                for name, entries in logs.items()
                for entry in entries[0 if everything else self._forgotten.get(name, 0) :]
            ]
        return sorted(wanted, key=lambda entry: entry["number"])

    def enter(self, call: Call) -> tuple[dict, Rule | None]:
        """Logs a new call. Its result is added when it is known."""
        with self._lock:
            candidates = self._rules[call.account] + self._rules["*"]
            rule = next((rule for rule in candidates if rule.takes(call)), None)
            self._count += 1
            entry = {
                "number": self._count,
                "ended": None,
                "time": time.time(),
                "account": call.account,
                "region": call.region,
                "service": call.service,
                "action": call.action,
                "method": call.method,
                "path": call.raw_path,
                "access_key_id": call.access_key_id,
                "attempt": call.headers.get("amz-sdk-request"),
                "invocation": call.headers.get("amz-sdk-invocation-id"),
                "user_agent": call.user_agent,
                "parameters": call.parameters,
                "fault": rule.kind if rule else None,
                "status": None,
                "error": None,
            }
            self._log[call.account].append(entry)
        return entry, rule

    def leave(self, entry: dict) -> None:
        """Logs the end of a call. Ends and arrivals have a common counter, which shows calls that overlap."""
        with self._lock:
            self._count += 1
            entry["ended"] = self._count


def drop_connection(environ: dict, reset: bool) -> None:
    """Ends the connection without a response, with a TCP reset or a close before the first byte."""
    connection: socket.socket = environ["werkzeug.socket"]
    if reset:
        # With a linger time of 0, close() sends a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(connection.detach())
    else:
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped on demand")  # werkzeug treats it as a disconnected client
