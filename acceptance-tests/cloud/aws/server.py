"""Puts the AWS side together: moto with every correction, inside the chain."""

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
    """Changes moto's classes: once in a process, before the first request."""
    for service in (autoscaling, ec2, ec2_launch_templates, ec2_spot_prices, iam, s3):
        service.install()
    eks.install(eks_clusters, eks_nodegroups, eks_updates, eks_pod_identity, eks_access, eks_tags)


def make_application(authenticator_path: str) -> Application:
    install()
    ledger = Ledger()
    moto = DomainDispatcherApplication(create_backend_app)
    return Application(moto, Control(ledger, authenticator_path), ledger)


class Handler(WSGIRequestHandler):
    """Logs nothing, and takes a connection that a fault has dropped as what it is."""

    def handle(self) -> None:
        # After a reset on demand there is no socket left to read the next request from.
        with contextlib.suppress(OSError):
            super().handle()

    def log_request(self, code="-", size="-") -> None:
        pass
