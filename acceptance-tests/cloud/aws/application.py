"""The chain that processes a request: control side, call log, faults, signature, moto."""

import contextlib
import json
import re
import threading
import time
import traceback

from . import (
    accounts,
    calls,
    permissions,
    s3_abac,
    s3_permissions,
    s3_refusals,
    signatures,
    web_identity,
)
from .error_answers import AwsError
from .faults import Ledger, Rule, drop_connection

CODE = re.compile(rb"<Code>([^<]+)</Code>")

# Operations with the same response for all callers of a region. A page has hundreds of kilobytes and is slow to
# serialize, so that responses are cached.
CATALOGUE = ("DescribeInstanceTypes", "DescribeInstanceTypeOfferings")


class Application:
    def __init__(self, moto, control, ledger: Ledger):
        self._moto, self._control, self._ledger = moto, control, ledger
        # The models of moto have no locks, and AWS does not return partial changes of EKS.
        self._eks = threading.RLock()
        self._catalogue = {}

    def __call__(self, environ: dict, start_response):
        if environ["PATH_INFO"].startswith("/_mock/"):
            return self._control(environ, start_response)
        call = calls.read(environ)
        entry, rule = self._ledger.enter(call)
        try:
            return self._answer(call, environ, entry, rule, start_response)
        finally:
            self._ledger.leave(entry)

    def _answer(self, call: calls.Call, environ: dict, entry: dict, rule: Rule | None, start_response):
        if rule is not None:
            match rule.kind:
                case "latency":
                    time.sleep(rule.ms / 1000)
                case "drop_before":
                    drop_connection(environ, rule.reset)
                case "drop_after":
                    status, _, body = self._perform(call, environ)
                    _note(entry, status, [], body)
                    drop_connection(environ, rule.reset)
                case "html":
                    page = b"<html><body><h1>Bad Gateway</h1></body></html>"
                    headers = [("Content-Type", "text/html"), ("Content-Length", str(len(page)))]
                    return _send(start_response, entry, f"{rule.status} Fault", headers, page)
                case "answer":
                    body = rule.body.encode()
                    kind = "application/json" if call.service == "eks" else "text/xml"
                    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
                    return _send(start_response, entry, f"{rule.status} Fault", headers, body)
                case "throttle" | "error":
                    answer = rule.error(call.service).answer(call.service)
                    answer = _with_region(call, answer)
                    return _send(start_response, entry, *answer, head=call.method == "HEAD")
        answer = self._perform(call, environ)
        return _send(start_response, entry, *_with_region(call, answer), head=call.method == "HEAD")

    def _perform(self, call: calls.Call, environ: dict) -> tuple[str, list, bytes]:
        if (refusal := signatures.check(call)) is not None:
            return refusal.answer(call.service)
        of_s3 = (s3_permissions.refuse, s3_refusals.refuse, s3_abac.refuse)
        for check in of_s3 if call.service == "s3" else (permissions.refuse, web_identity.refuse):
            if (refusal := check(call)) is not None:
                return refusal.answer(call.service)
        if call.service == "s3" and (answer := s3_abac.answer(call)) is not None:
            return answer
        try:
            with self._eks if call.service == "eks" else contextlib.nullcontext():
                answer = self._ask_for(call, environ)
        except NotImplementedError:
            return AwsError.not_implemented(call.what).answer(call.service)
        except Exception:  # whatever moto stumbles over must still be an answer
            traceback.print_exc()
            return AwsError.crashed(call.what).answer(call.service)
        if call.action == "CreateBucket" and answer[0].startswith("200"):
            s3_refusals.tag_new_bucket(call)
        return _in_the_format_of_the_service(call, *answer)

    def _ask_for(self, call: calls.Call, environ: dict) -> tuple[str, list, bytes]:
        if call.service == "ec2" and call.action in CATALOGUE:
            asked = (call.region, call.body)
            if asked not in self._catalogue:
                self._catalogue[asked] = self._ask_moto(environ)
            return self._catalogue[asked]
        if call.is_from_provider or call.is_read_only:
            return self._ask_moto(environ)
        return accounts.watch_others(call.account, lambda: self._ask_moto(environ))

    def _ask_moto(self, environ: dict) -> tuple[str, list, bytes]:
        started = {}

        def start(status, headers, _exc_info=None):
            started["status"], started["headers"] = status, headers
            return lambda data: None

        parts = self._moto(environ, start)
        try:
            body = b"".join(parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()
        return started["status"], started["headers"], body


def _with_region(call: calls.Call, answer: tuple[str, list, bytes]) -> tuple[str, list, bytes]:
    """Adds the region of the bucket, which S3 also returns to callers without access."""
    status, headers, body = answer
    region = s3_refusals.region_of(call) if call.action == "HeadBucket" else None
    if region is None or status.startswith(("2", "404")):
        return answer
    return status, [*headers, ("x-amz-bucket-region", region)], body


def _in_the_format_of_the_service(call: calls.Call, status: str, headers: list, body: bytes):
    """Converts the HTML page of moto for unknown paths, because AWS responds in the format of the service."""
    if status[0] not in "45" or not body.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return status, headers, body
    print(f"{call.what}: {body.decode(errors='replace')[-4000:]}", flush=True)
    unknown = status.startswith("404")
    error = AwsError.not_implemented(call.what) if unknown else AwsError.crashed(call.what)
    return error.answer(call.service)


def _send(start_response, entry: dict, status: str, headers: list, body: bytes, head=False):
    _note(entry, status, headers, body)
    start_response(status, headers)
    return [b"" if head else body]


def _note(entry: dict, status: str, headers: list, body: bytes) -> None:
    entry["status"] = int(status.split()[0])
    if entry["status"] < 400:
        return
    for name, value in headers:
        if name.lower() == "x-amzn-errortype":
            entry["error"] = value
            return
    if (code := CODE.search(body)) is not None:
        entry["error"] = code[1].decode()
    elif body.startswith(b"{"):
        entry["error"] = json.loads(body).get("code")
