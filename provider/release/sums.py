"""The manifest for registries, and the checksums that are signed."""

import hashlib
import json
from pathlib import Path

# The provider uses version 6 of the plugin protocol. Without a manifest registries assume version 5.
MANIFEST = {"version": 1, "metadata": {"protocol_versions": ["6.0"]}}


def write_manifest(path: Path) -> Path:
    path.write_text(json.dumps(MANIFEST, indent=2) + "\n")
    return path


def write_sums(path: Path, files: list[Path]) -> Path:
    """Writes the checksums in the format of `sha256sum`, sorted by name."""
    lines = [f"{sha256(file)}  {file.name}\n" for file in sorted(files, key=lambda file: file.name)]
    path.write_text("".join(lines))
    return path


def sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
