"""The control side, /_mock/, with which tests prepare accounts and read what happened.

GET  health
POST accounts          {"account", "cluster", "region"}: sets up an account, returns its access key
GET  leftovers         ?account=: objects beyond the set-up, {} if none exist. of=provider omits objects
                       that others than the provider created, and parts of node groups that exist
GET  secrets           ?account=: the secrets of all access keys that its users ever had
POST age-keys          {"account", "days"}: makes the access keys of its users older by these days
POST lag               {"account", "seconds"}: lists contain objects that are deleted from now on for
                       these seconds
POST faults            {"account", "rules": [...]} or one rule with its account (faults.Rule)
GET  faults            ?account=: the rules with the number of calls that each hit
POST nodegroup-plan    {"account", "plans": [...]} or one plan with its account (plans.Plan)
POST cluster-endpoint  {"account", "url"}: endpoint of the account's clusters in responses of EKS
POST cluster-status    {"account", "status", "refusals"}: status of its clusters, until they have rejected
                       this number of changes of node groups
GET  node-access       ?account=: whether nodes of its node groups can join, by cluster/name
POST expire            {"access_key_id"}: ends the session of a role
GET  log               ?account=&service=&action=: calls in order; action is a regular expression.
                       everything=1 includes calls before a reset
POST reset             {"account"}: deletes its faults, plans and log; resources remain
"""

import json
import re
import threading
from urllib.parse import parse_qs

from . import accounts, authenticator, credentials, eks_access, eks_clusters, iam, lag, plans
from .faults import BadRule, Ledger, Rule


class Control:
    def __init__(self, ledger: Ledger, authenticator_path: str):
        self._ledger = ledger
        self._furnishing = threading.Lock()
        self._routes = {
            ("GET", "/_mock/health"): lambda _: {"ok": True},
            ("POST", "/_mock/accounts"): self._accounts,
            ("GET", "/_mock/leftovers"): lambda asked: accounts.leftovers(
                asked["account"], of_provider=asked.get("of") == "provider"
            ),
            ("GET", "/_mock/secrets"): lambda asked: iam.secrets(asked["account"]),
            ("POST", "/_mock/age-keys"): self._age_keys,
            ("POST", "/_mock/lag"): self._lag,
            ("POST", "/_mock/faults"): self._add_faults,
            ("GET", "/_mock/faults"): lambda asked: ledger.rules(asked["account"]),
            ("POST", "/_mock/nodegroup-plan"): self._add_plans,
            ("POST", "/_mock/cluster-endpoint"): self._cluster_endpoint,
            ("POST", "/_mock/cluster-status"): self._cluster_status,
            ("GET", "/_mock/node-access"): lambda asked: eks_access.node_access(asked["account"]),
            ("POST", "/_mock/expire"): lambda asked: {"ok": credentials.expire(asked["access_key_id"])},
            ("GET", "/_mock/log"): self._log,
            ("POST", "/_mock/reset"): self._reset,
            # Only this process and the API server know the path, which is not authenticated otherwise.
            ("POST", authenticator_path): authenticator.Webhook(ledger).review,
        }

    def __call__(self, environ: dict, start_response):
        route = self._routes.get((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        status, answer = "200 OK", None
        try:
            asked = _read(environ)
            if route is None:
                status, answer = "404 Not Found", {"error": f"no such control; {__doc__}"}
            else:
                answer = route(asked)
        except KeyError as error:
            status, answer = "400 Bad Request", {"error": f"{error} is missing"}
        except (ValueError, BadRule, plans.BadPlan, accounts.BadAccount) as error:
            status, answer = "400 Bad Request", {"error": str(error)}
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(status, headers)
        return [body]

    def _accounts(self, asked: dict) -> dict:
        with self._furnishing:
            return accounts.furnish(asked)

    def _add_faults(self, asked: dict) -> dict:
        rules = [Rule.parse(rule) for rule in asked.get("rules", [asked])]
        self._ledger.add_rules(asked["account"], rules)
        return {"rules": len(rules)}

    def _age_keys(self, asked: dict) -> dict:
        iam.age_keys(asked["account"], asked["days"])
        return {"ok": True}

    def _lag(self, asked: dict) -> dict:
        lag.set_seconds(asked["account"], asked["seconds"])
        return {"ok": True}

    def _add_plans(self, asked: dict) -> dict:
        parsed = [plans.Plan.parse(plan) for plan in asked.get("plans", [asked])]
        plans.add(asked["account"], parsed)
        return {"plans": len(parsed)}

    def _cluster_endpoint(self, asked: dict) -> dict:
        return {"clusters": eks_clusters.set_endpoint(asked["account"], asked["url"])}

    def _cluster_status(self, asked: dict) -> dict:
        account, status, refusals = asked["account"], asked["status"], asked["refusals"]
        return {"clusters": eks_clusters.set_status(account, status, refusals)}

    def _log(self, asked: dict) -> list[dict]:
        service, action = asked.get("service", ".*"), asked.get("action", ".*")
        return [
            entry
            for entry in self._ledger.log(asked.get("account"), "everything" in asked)
            if re.fullmatch(service, entry["service"]) and re.fullmatch(action, entry["action"])
        ]

    def _reset(self, asked: dict) -> dict:
        account = asked.get("account")
        self._ledger.clear_rules(account)
        self._ledger.forget_log(account)
        plans.clear(account)
        return {"ok": True}


def _read(environ: dict) -> dict:
    query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    body = json.loads(sent) if sent else {}
    if not isinstance(body, dict):
        raise ValueError("the body is not a JSON object")
    return {**query, **body}
