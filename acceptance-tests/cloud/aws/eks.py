"""EKS operations as functions of a request, which replace or complete those of moto."""

import json
from urllib.parse import parse_qs, unquote, urlsplit

import moto.eks.urls as eks_urls
from moto.core.responses import ActionResult
from moto.eks.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

# Paths that moto does not route. The model of botocore determines the operation.
ROUTES = (
    "/clusters/(?P<name>[^/]+)/node-groups/(?P<nodegroupName>[^/]+)/update-version$",
    "/clusters/(?P<name>[^/]+)/updates$",
    "/clusters/(?P<name>[^/]+)/updates/(?P<updateId>[^/]+)$",
    "/clusters/(?P<clusterName>[^/]+)/pod-identity-associations$",
    "/clusters/(?P<clusterName>[^/]+)/pod-identity-associations/(?P<associationId>[^/]+)$",
    "/clusters/(?P<clusterName>[^/]+)/access-entries$",
    "/clusters/(?P<clusterName>[^/]+)/access-entries/(?P<principalArn>.+)$",
)


class EksRequest:
    """One call: account and region, parameters of the path, query and body."""

    def __init__(self, response: EKSResponse):
        self.backend: EKSBackend = response.eks_backend
        self.account: str = response.current_account
        self.region: str = response.region
        self.path = [unquote(word) for word in response.raw_path.strip("/").split("/")]
        self._query = parse_qs(urlsplit(response.uri).query)
        self.query = {name: values[0] for name, values in self._query.items()}
        self.body: dict = json.loads(response.body) if response.body else {}

    @property
    def cluster(self):
        """The cluster in the path. Errors: ResourceNotFoundException."""
        return self.backend.describe_cluster(name=self.path[1])

    def every(self, name: str) -> list[str]:
        """Returns all values of a query parameter."""
        return self._query.get(name, [])

    def arn(self, kind: str, *words: str) -> str:
        return f"arn:aws:eks:{self.region}:{self.account}:{kind}/{'/'.join(words)}"

    def page(self, names: list[str]) -> tuple[list[str], str | None]:
        """Returns one page of sorted names, according to `maxResults` and `nextToken`, and the next token."""
        names = sorted(names)
        first = names.index(token) if (token := self.query.get("nextToken")) in names else 0
        last = first + int(self.query.get("maxResults", 100))
        return names[first:last], (names[last] if last < len(names) else None)


def install(*modules) -> None:
    """Installs the OPERATIONS of each module: functions of an EksRequest by their names in snake case."""
    for route in ROUTES:
        # Before moto creates the application of the service, which reads the table once.
        eks_urls.url_paths["{0}" + route] = eks_urls.response.dispatch
    for module in modules:
        for name, operation in module.OPERATIONS.items():
            setattr(EKSResponse, name, _method(operation))


def _method(operation):
    def method(self: EKSResponse) -> ActionResult:
        return ActionResult(operation(EksRequest(self)))

    return method


def not_found(message: str, **names) -> ResourceNotFoundException:
    return ResourceNotFoundException(message=message, **names)


def in_use(message: str, **names) -> ResourceInUseException:
    return ResourceInUseException(message=message, **names)


def not_now(message: str, **names) -> InvalidRequestException:
    return InvalidRequestException(message=message, **names)


def invalid(message: str, **names) -> InvalidParameterException:
    return InvalidParameterException(message=message, **names)
