"""The licences of the crates that are linked into a binary.

Nearly every licence requires that its text is distributed with the binary. The texts are from the package of each crate;
crates with the same text share it.
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

# Beginnings of the names of licence files, in lower case.
NAMES = ("license", "licence", "copying", "copyright", "notice", "unlicense")

INTRODUCTION = """The binary in this archive contains the crates listed below, under the licences that follow each list, and the standard
library of Rust (MIT OR Apache-2.0). The text of the Apache License 2.0 is in the file LICENSE."""

RULE = "=" * 80


def render(graph: Graph, folders: Mapping[tuple[str, str], Path]) -> str:
    """Returns all texts with the crates of each. `folders` are the source directories of crates by name and version."""
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
    # Sorted by crates first, so that texts of the same crates are adjacent.
    for text, crates in sorted(crates_of.items(), key=lambda item: (item[1], item[0])):
        parts.append(f"{RULE}\n{_listed(crates)}\n{RULE}\n\n{text}")
    return "\n\n".join(parts) + "\n"


def _listed(crates: list[Crate]) -> str:
    return "\n".join(f"{crate.name} {crate.version} ({crate.license}) {crate.url}".rstrip() for crate in crates)


def _texts(folder: Path) -> list[str]:
    """Returns the licence texts in the directory of a package."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name.lower().startswith(NAMES))
    texts = ("\n".join(line.rstrip() for line in path.read_text(errors="replace").splitlines()).strip() for path in files)
    return [text for text in texts if text]


def folders() -> dict[tuple[str, str], Path]:
    """Returns the source directory of each crate, by name and version."""
    command = [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"cargo metadata failed: {done.stderr.strip()}")
    packages = json.loads(done.stdout)["packages"]
    return {(it["name"], it["version"]): Path(it["manifest_path"]).parent for it in packages}
