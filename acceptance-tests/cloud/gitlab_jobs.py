"""The jobs of the GitLab stub: pending jobs, their assignment to a runner, and its reports."""

import secrets
import time

NOT_FOUND = (404, {"message": "404 Not Found"})
ENDED = ("success", "failed", "canceled")

# Fields of a job in responses of the control side.
SHOWN = ("id", "state", "failure_reason", "exit_code", "trace", "runner_id", "system_id")
TIMES = ("created", "started", "finished")


class Jobs:
    """The jobs of one GitLab, oldest first."""

    def __init__(self):
        self._jobs: dict[int, dict] = {}

    def add(self, asked: dict) -> dict:
        """Adds a pending job: {"script", "image"?, "services"?, "variables"?}."""
        script = asked["script"]
        job = {
            "id": len(self._jobs) + 1,
            "token": "glcbt-" + secrets.token_hex(10),
            "state": "pending",
            "failure_reason": None,
            "exit_code": None,
            "trace": "",
            "size": 0,
            "runner_id": None,
            "system_id": None,
            "created": time.time(),
            "started": None,
            "finished": None,
            "script": [script] if isinstance(script, str) else list(script),
            "image": asked.get("image"),
            "services": asked.get("services", []),
            "variables": asked.get("variables", {}),
            "timeout": asked.get("timeout", 3600),
        }
        self._jobs[job["id"]] = job
        return {"id": job["id"]}

    def cancel(self, identity: int | None) -> None:
        """Cancels this job, or all jobs. The response to the next call of its runner contains it."""
        for job in self._jobs.values():
            if identity in (None, job["id"]) and job["state"] not in ENDED:
                self._end(job, "canceled", None)

    def shown(self) -> list[dict]:
        return [{key: job[key] for key in SHOWN + TIMES} for job in self._jobs.values()]

    def take(self, runner: dict, system_id: str | None) -> dict | None:
        """Assigns the oldest pending job to this runner. Returns None if no job is pending."""
        for job in self._jobs.values():
            if job["state"] == "pending":
                job |= {"state": "running", "started": time.time()}
                job |= {"runner_id": runner["id"], "system_id": system_id}
                return payload(job, runner)
        return None

    def answer(self, method: str, path: str, body: dict) -> tuple | None:
        """Returns the response to a call with the token of a job; None for other calls."""
        match (method, path.strip("/").split("/")):
            case ("PATCH", ["jobs", identity, "trace"]) if identity.isdigit():
                return self._about(int(identity), body, self._append)
            case ("PUT", ["jobs", identity]) if identity.isdigit():
                return self._about(int(identity), body, self._update)
        return None

    def _about(self, identity: int, body: dict, call) -> tuple:
        job = self._jobs.get(identity)
        if job is None:
            return NOT_FOUND
        if body.get("token") != job["token"]:
            return 403, {"message": "403 Forbidden"}
        if job["state"] != "running":
            message = {"message": "403 Forbidden  - Job is not running"}
            return 403, message, {"Job-Status": job["state"]}
        return call(job, body)

    def _append(self, job: dict, body: dict) -> tuple:
        first = body.get("range", "").partition("-")[0]
        headers = {"Job-Status": job["state"], "X-GitLab-Trace-Update-Interval": "1"}
        if first != str(job["size"]):
            headers["Range"] = f"0-{job['size']}"
            return 416, {"message": "416 Range Not Satisfiable"}, headers
        job["trace"] += body.get("trace", "")
        job["size"] += body.get("size", 0)
        return 202, None, headers | {"Range": f"0-{job['size']}"}

    def _update(self, job: dict, body: dict) -> tuple:
        state = body.get("state")
        if state in ("success", "failed"):
            self._end(job, state, body.get("failure_reason"))
            job["exit_code"] = body.get("exit_code")
        elif state != "running":
            return 400, {"error": "state does not have a valid value"}
        return 200, None, {"Job-Status": job["state"], "X-GitLab-Trace-Update-Interval": "1"}

    def _end(self, job: dict, state: str, reason: str | None) -> None:
        job |= {"state": state, "failure_reason": reason, "finished": time.time()}


def payload(job: dict, runner: dict) -> dict:
    """Returns the job in the form that runners receive."""
    variables = {"CI_JOB_ID": str(job["id"]), "CI_PROJECT_ID": "1", "CI_SERVER": "yes"}
    variables |= job["variables"]
    step = {"name": "script", "script": job["script"], "timeout": job["timeout"]}
    return {
        "id": job["id"],
        "token": job["token"],
        "allow_git_fetch": True,
        "job_info": {
            "id": job["id"],
            "name": "job",
            "stage": "test",
            "project_id": 1,
            "project_name": "project",
            "time_in_queue_seconds": 0,
            "project_jobs_running_on_instance_runners_count": "0",
        },
        "git_info": {
            "repo_url": "http://gitlab.invalid/group/project.git",
            "ref": "main",
            "sha": "0" * 40,
            "before_sha": "0" * 40,
            "ref_type": "branch",
            "refspecs": ["+refs/heads/main:refs/remotes/origin/main"],
            "depth": 20,
        },
        "runner_info": {
            "timeout": job["timeout"],
            "runner_session_url": None,
            "id": runner["id"],
        },
        "variables": [
            {"key": key, "value": value, "public": True, "masked": False}
            for key, value in variables.items()
        ],
        "steps": [step | {"when": "on_success", "allow_failure": False}],
        "image": {"name": job["image"]} if job["image"] else None,
        "services": [
            {"name": service} if isinstance(service, str) else service
            for service in job["services"]
        ],
        "artifacts": [],
        "cache": [],
        "credentials": [],
        "dependencies": [],
        "features": {"trace_sections": True, "failure_reasons": []},
        "hooks": [],
    }
