"""The licences of what is linked into a binary.

Nearly every licence asks that its text goes with the binary. The texts are those that each crate's package has; crates with the
same text share it.
"""

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from . import Failed
from .layout import REPOSITORY
from .sbom import Crate, Graph

FILE_NAME = "THIRD_PARTY_LICENSES.txt"

# How packages name such files, in lower case.
NAMES = ("license", "licence", "copying", "copyright", "notice", "unlicense")

INTRODUCTION = """The binary in this archive contains the crates listed below, under the licences that follow each list, and the standard
library of Rust (MIT OR Apache-2.0). The text of the Apache License 2.0 is in the file LICENSE."""

RULE = "=" * 80


def render(graph: Graph, folders: Mapping[tuple[str, str], Path]) -> str:
    """All texts, with the crates that each one belongs to. `folders` has the sources of each crate by name and version."""
    crates_of: dict[str, list[Crate]] = defaultdict(list)
    without: list[Crate] = []
    for crate in sorted(graph.edges):
        if crate.is_local:
            continue
        texts = _texts(folders[crate.name, crate.version])
        for text in texts:
            crates_of[text].append(crate)
        if not texts:
            without.append(crate)
    return document(crates_of, without)


def document(crates_of: dict[str, list[Crate]], without: list[Crate]) -> str:
    parts = [INTRODUCTION]
    if without:
        parts.append("Crates whose packages contain no licence text:\n" + _listed(without))
    # Texts of the same crates stand together.
    for text, crates in sorted(crates_of.items(), key=lambda item: (item[1], item[0])):
        parts.append(f"{RULE}\n{_listed(crates)}\n{RULE}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def _listed(crates: list[Crate]) -> str:
    return "\n".join(f"{crate.name} {crate.version} ({crate.license}) {crate.url}".rstrip() for crate in crates)


def _texts(folder: Path) -> list[str]:
    """The texts in a package's own folder."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(NAMES))
    texts = ("\n".join(line.rstrip() for line in path.read_text(errors="replace").splitlines()).strip() for path in files)
    return [text for text in texts if text]


def folders() -> dict[tuple[str, str], Path]:
    """Where Cargo has the sources of each crate."""
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"cargo metadata failed: {done.stderr.strip()}")
    packages = json.loads(done.stdout)["packages"]
    return {(it["name"], it["version"]): Path(it["manifest_path"]).parent for it in packages}
