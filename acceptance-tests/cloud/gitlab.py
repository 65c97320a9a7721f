"""The GitLab stub: the API of a GitLab server for runners.

    POST   /api/v4/runners            registers with a registration token
    POST   /api/v4/runners/verify     verifies an authentication token
    DELETE /api/v4/runners            unregisters
    DELETE /api/v4/runners/managers   unregisters one manager of a runner
    POST   /api/v4/jobs/request       201 with the oldest pending job; 204 without one
    PATCH  /api/v4/jobs/:id/trace     log of the job, with the token of the job
    PUT    /api/v4/jobs/:id           state of the job, with the token of the job

GitLab may be installed below a path. Here every path is a separate instance, so that concurrent tests
use http://host:port/<test>. Tokens of the form glrt-... are valid from the beginning, as if they were
created in the user interface of GitLab, except glrt-refused... Tokens that a registration returned are
valid until it is removed. The control side:

    GET  /_control/health
    GET  /_control/log?instance=      the calls, with tokens as SHA-256
    GET  /_control/runners?instance=  the registered runners
    POST /_control/jobs               {"instance", "script" (a text or a list), "image"?,
                                      "services"? (names or {"name", "alias", ...}), "variables"?
                                      (name to value), "timeout"? (seconds)}: a job, {"id"}
    GET  /_control/jobs?instance=     all jobs: state (pending, running, success, failed, canceled),
                                      failure_reason, exit_code, trace, runner_id, system_id and the
                                      times created, started, finished
    POST /_control/jobs/cancel        {"instance", "id"}: one job, without an ID all jobs
    POST /_control/runners/remove     {"instance"}: as if they were deleted in the user interface
    POST /_control/faults             {"instance", "method", "path" (a regular expression), "status",
                                      "skip", "times"}
    POST /_control/reset              {"instance"}: one instance, without it all instances
"""

import argparse
import hashlib
import json
import re
import secrets
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from .gitlab_jobs import Jobs

FORBIDDEN = (403, {"message": "403 Forbidden"})


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Instance:
    """One GitLab: runners, jobs, the log of calls, and pending faults."""

    def __init__(self):
        self.jobs = Jobs()
        self.runners: dict[str, dict] = {}
        self.unregistered: set[str] = set()
        self.log: list[dict] = []
        self.faults: list[dict] = []
        self._next_id = 1

    def answer(self, method: str, path: str, body: dict) -> tuple:
        """Returns status and body, and headers if a runner reads them."""
        if (fault := self._fault(method, path)) is not None:
            return fault, {"message": f"{fault} injected"}
        if (about_a_job := self.jobs.answer(method, path, body)) is not None:
            return about_a_job
        call = {
            ("POST", "/runners"): self._register,
            ("POST", "/runners/verify"): self._verify,
            ("DELETE", "/runners"): self._unregister,
            ("DELETE", "/runners/managers"): self._unregister_manager,
            ("POST", "/jobs/request"): self._request_job,
        }.get((method, path))
        return call(body) if call else (404, {"error": "404 Not Found"})

    def _fault(self, method: str, path: str) -> int | None:
        for rule in self.faults:
            if rule.get("method", method) != method or not re.fullmatch(rule["path"], path):
                continue
            rule["seen"] = rule.get("seen", 0) + 1
            first = rule.get("skip", 0)
            if first < rule["seen"] <= first + rule.get("times", 1):
                return rule["status"]
        return None

    def _register(self, body: dict):
        token = body.get("token", "")
        # GitLab rejects authentication tokens (glrt-...) here, because they are not registration tokens.
        if not token or token.startswith(("glrt-", "refused")):
            return FORBIDDEN
        runner = self._add("glrtr-" + secrets.token_hex(10), body.get("description", ""))
        return 201, {"id": runner["id"], "token": runner["token"], "token_expires_at": None}

    def _verify(self, body: dict):
        runner = self._find(body)
        if runner is None:
            return FORBIDDEN
        if system_id := body.get("system_id"):
            runner["managers"].add(system_id)
        return 200, {"id": runner["id"], "token": runner["token"], "token_expires_at": None}

    def _unregister(self, body: dict):
        runner = self._find(body)
        if runner is None:
            return FORBIDDEN
        del self.runners[runner["token"]]
        self.unregistered.add(runner["token"])
        return 204, None

    def _unregister_manager(self, body: dict):
        runner = self._find(body)
        if runner is None:
            return FORBIDDEN
        if body.get("system_id") not in runner["managers"]:
            return 404, {"message": "404 Runner manager Not Found"}
        runner["managers"].remove(body["system_id"])
        return 204, None

    def _request_job(self, body: dict):
        runner = self._find(body)
        if runner is None:
            return FORBIDDEN
        job = self.jobs.take(runner, body.get("system_id"))
        return (204, None) if job is None else (201, job)

    def remove_runners(self) -> None:
        self.unregistered.update(self.runners)
        self.runners.clear()

    def _find(self, body: dict) -> dict | None:
        token = body.get("token", "")
        if token in self.runners:
            return self.runners[token]
        if token in self.unregistered or token.startswith("glrt-refused"):
            return None
        return self._add(token, "") if token.startswith("glrt-") else None

    def _add(self, token: str, description: str) -> dict:
        runner = {
            "id": self._next_id,
            "token": token,
            "description": description,
            "managers": set(),
        }
        self._next_id += 1
        self.runners[token] = runner
        return runner

    def shown(self) -> list[dict]:
        return [
            {
                "id": runner["id"],
                "description": runner["description"],
                "token_sha256": fingerprint(runner["token"]),
                "managers": sorted(runner["managers"]),
            }
            for runner in self.runners.values()
        ]


class GitLab:
    def __init__(self):
        self._instances: dict[str, Instance] = defaultdict(Instance)
        self._lock = threading.Lock()

    def call(self, method: str, url: str, body: dict) -> tuple:
        """Returns status and body, and headers if a runner reads them."""
        parts = urlsplit(url)
        with self._lock:
            if parts.path.startswith("/_control/"):
                asked = parse_qs(parts.query).get("instance", [body.get("instance", "")])[0]
                return self._control(method, parts.path.removeprefix("/_control/"), asked, body)
            name, found, path = parts.path.partition("/api/v4")
            if not found:
                return 404, {"error": "404 Not Found"}
            instance = self._instances[name.strip("/")]
            status, *answer = instance.answer(method, path, body)
            instance.log.append(
                {
                    "time": time.time(),
                    "method": method,
                    "path": path,
                    "status": status,
                    "token_sha256": fingerprint(body.get("token", "")),
                    "system_id": body.get("system_id"),
                    "parameters": sorted(set(body) - {"token", "info"}),
                    "description": body.get("description"),
                }
            )
            return status, *answer

    def _control(self, method: str, what: str, name: str, body: dict):
        match (method, what):
            case ("GET", "health"):
                return 200, {"ok": True}
            case ("GET", "log"):
                return 200, self._instances[name].log
            case ("GET", "runners"):
                return 200, self._instances[name].shown()
            case ("GET", "jobs"):
                return 200, self._instances[name].jobs.shown()
            case ("POST", "jobs"):
                return 201, self._instances[name].jobs.add(body)
            case ("POST", "jobs/cancel"):
                self._instances[name].jobs.cancel(body.get("id"))
            case ("POST", "faults"):
                self._instances[name].faults.append(body)
            case ("POST", "runners/remove"):
                self._instances[name].remove_runners()
            case ("POST", "reset"):
                if "instance" in body:
                    self._instances.pop(name, None)
                else:
                    self._instances.clear()
            case _:
                return 404, {"error": f"no control {method} {what}"}
        return 200, {"ok": True}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gitlab: GitLab

    def _serve(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body = self._parse(sent)
        except ValueError:
            self._answer(400, {"error": "the body is neither JSON nor a form"})
            return
        self._answer(*self.gitlab.call(self.command, self.path, body))

    def _parse(self, sent: bytes) -> dict:
        """Parses JSON, which runners send, and forms, which curl sends. GitLab accepts both.

        A trace is text, with the token of the job in a header.
        """
        if self.headers.get("Content-Type", "").startswith("text/plain"):
            return {
                "token": self.headers.get("Job-Token", ""),
                "range": self.headers.get("Content-Range", ""),
                "size": len(sent),
                "trace": sent.decode(errors="replace"),
            }
        if not sent:
            return {}
        if "json" in self.headers.get("Content-Type", "json"):
            return json.loads(sent)
        return {key: values[0] for key, values in parse_qs(sent.decode()).items()}

    def _answer(self, status: int, body: dict | list | None, headers: dict | None = None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = _serve

    def log_message(self, format, *args) -> None:
        print(f"{self.command} {self.path.partition('?')[0]} {args[1:2]}", flush=True)


def serve(port: int) -> ThreadingHTTPServer:
    handler = type("BoundHandler", (Handler,), {"gitlab": GitLab()})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    serve(parser.parse_args().port).serve_forever()
