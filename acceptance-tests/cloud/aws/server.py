"""Assembles the AWS side: the chain, and moto with all corrections."""

import contextlib

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler

from . import (
    autoscaling,
    ec2,
    ec2_launch_templates,
    ec2_spot_prices,
    eks,
    eks_access,
    eks_clusters,
    eks_nodegroups,
    eks_pod_identity,
    eks_tags,
    eks_updates,
    iam,
    s3,
)
from .application import Application
from .control import Control
from .faults import Ledger


def install() -> None:
    """Changes the classes of moto, once in a process and before the first request."""
    for service in (autoscaling, ec2, ec2_launch_templates, ec2_spot_prices, iam, s3):
        service.install()
    eks.install(eks_clusters, eks_nodegroups, eks_updates, eks_pod_identity, eks_access, eks_tags)


def make_application(authenticator_path: str) -> Application:
    install()
    ledger = Ledger()
    moto = DomainDispatcherApplication(create_backend_app)
    return Application(moto, Control(ledger, authenticator_path), ledger)


class Handler(WSGIRequestHandler):
    """A handler without a log that ignores errors of connections that a fault has dropped."""

    def handle(self) -> None:
        # After an injected reset the socket is closed, so that the next read fails.
        with contextlib.suppress(OSError):
            super().handle()

    def log_request(self, code="-", size="-") -> None:
        pass
