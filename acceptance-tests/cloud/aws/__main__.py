"""The process of the AWS side: python -m cloud.aws --port N ..."""

import argparse
import gc
from pathlib import Path

from werkzeug.serving import make_server

from .eks_clusters import Endpoint
from .server import Handler, make_application


class LoggingHandler(Handler):
    def log_request(self, code="-", size="-") -> None:
        # The path of the webhook is a secret, and all paths below /_mock/ are not logged.
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
    # The data of moto is large and permanent, so that garbage collections exclude it.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    server = make_server(
        "127.0.0.1", arguments.port, application, threaded=True, request_handler=LoggingHandler
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
