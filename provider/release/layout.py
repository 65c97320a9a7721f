"""Names and directories that all parts of the release share."""

import os
from pathlib import Path

NAME = "terraform-provider-gitlabspot"

REPOSITORY = Path(__file__).resolve().parent.parent.parent

# Directory of the tools that `make tools` builds.
TOOLS = Path(os.environ.get("GITLABSPOT_TOOLS_DIR") or REPOSITORY / ".tools").resolve()

# Build directory of cargo.
CARGO_TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()
