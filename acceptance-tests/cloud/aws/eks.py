"""EKS operations as functions of a request, put in the place of moto's or beside them."""

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

# Paths that moto does not route; the operation is found by botocore's model.
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
    """One call: its place, the words of its path, its query and its body."""

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
        """The cluster that the path names. Errors: ResourceNotFoundException."""
        return self.backend.describe_cluster(name=self.path[1])

    def every(self, name: str) -> list[str]:
        """A query parameter that may come several times."""
        return self._query.get(name, [])

    def arn(self, kind: str, *words: str) -> str:
        return f"arn:aws:eks:{self.region}:{self.account}:{kind}/{'/'.join(words)}"

    def page(self, names: list[str]) -> tuple[list[str], str | None]:
        """One page of sorted names, as `maxResults` and `nextToken` ask, and the next token."""
        names = sorted(names)
        first = names.index(token) if (token := self.query.get("nextToken")) in names else 0
        last = first + int(self.query.get("maxResults", 100))
        return names[first:last], (names[last] if last < len(names) else None)


def install(*modules) -> None:
    """Takes each module's OPERATIONS: the name in snake case, and a function of an EksRequest."""
    for route in ROUTES:
        # Before moto builds the service's application, which reads the table once.
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
