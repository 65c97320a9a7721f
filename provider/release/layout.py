"""Names and places that all parts of a release have in common."""

import os
from pathlib import Path

NAME = "terraform-provider-gitlabspot"

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Where `make tools` puts what it builds.
TOOLS = Path(os.environ.get("GITLABSPOT_TOOLS_DIR") or REPOSITORY / ".tools").resolve()

# Where cargo builds.
CARGO_TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()
