"""The AWS side's process: python -m cloud.aws --port N ..."""

import argparse
import os
from pathlib import Path

# Read by moto when it is imported: attaching AWS' own policies needs them to be there.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")

from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

from .eks_clusters import Endpoint  # noqa: E402
from .server import make_application  # noqa: E402


class Handler(WSGIRequestHandler):
    def log_request(self, code="-", size="-") -> None:
        # The webhook's path is a secret, and EKS tokens never are in a path.
        if not self.path.startswith("/_mock/"):
            print(f"{self.command} {self.path.partition('?')[0]} {code}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--cluster-endpoint", required=True)
    parser.add_argument("--cluster-ca-file", type=Path, required=True)
    parser.add_argument("--authenticator-path", required=True)
    arguments = parser.parse_args()
    Endpoint.set(arguments.cluster_endpoint, arguments.cluster_ca_file)
    application = make_application(arguments.authenticator_path)
    make_server(
        "127.0.0.1", arguments.port, application, threaded=True, request_handler=Handler
    ).serve_forever()


if __name__ == "__main__":
    main()
