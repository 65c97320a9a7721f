"""Names and places that all parts of a release have in common."""

from pathlib import Path

NAME = "terraform-provider-gitlabspot"

REPOSITORY = Path(__file__).resolve().parent.parent.parent
