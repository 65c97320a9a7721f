"""The software bill of materials, in CycloneDX format.

It contains the crates that Cargo links into the provider for the released platforms, without build dependencies,
procedural macros and crates that only tests use. `cargo tree` resolves features as a build does. `cargo metadata` also
resolves the features of tests, and would list crates that are not linked. The document contains neither a time nor a
serial number, so that it only depends on Cargo.lock and the platforms.
"""

import json
import os
import re
import subprocess
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from . import Failed
from .layout import NAME, REPOSITORY

LINE = re.compile(r"(?P<depth>\d+)\|(?P<name>\S+) v(?P<version>\S+)(?: \((?P<source>.*)\))?\|(?P<license>.*)\|(?P<url>.*)\|")

LANGUAGE_VERSION = "1.6"


@dataclass(frozen=True, order=True)
class Crate:
    name: str
    version: str
    license: str
    url: str
    # Whether the crate is in this repository and not on crates.io.
    is_local: bool

    @property
    def purl(self) -> str:
        return f"pkg:cargo/{self.name}@{self.version}"

    @property
    def reference(self) -> str:
        return f"{self.name}@{self.version}" if self.is_local else self.purl


@dataclass(frozen=True)
class Graph:
    """Crates with their direct dependencies, for one platform."""

    root: Crate
    edges: dict[Crate, set[Crate]]

    @classmethod
    def parse(cls, text: str) -> "Graph":
        """Parses the output of `cargo tree --prefix depth`, which prints the dependencies of a crate only once."""
        edges: dict[Crate, set[Crate]] = {}
        path: list[Crate] = []
        for line in filter(None, text.splitlines()):
            depth, crate = crate_of(line)
            edges.setdefault(crate, set())
            if depth > 0:
                edges[path[depth - 1]].add(crate)
            path[depth:] = [crate]
        if not path:
            raise Failed("cargo tree printed nothing")
        return cls(path[0], edges)


def crate_of(line: str) -> tuple[int, Crate]:
    found = LINE.match(line)
    if found is None:
        raise Failed(f"cargo tree printed a line that is not understood: {line}")
    # Older packages separate alternative licences with a slash.
    license = re.sub(r"\s*/\s*", " OR ", found["license"])
    crate = Crate(found["name"], found["version"], license, found["url"], is_path(found["source"]))
    return int(found["depth"]), crate


def is_path(source: str | None) -> bool:
    """Whether the source in a line is a path. It is missing for crates of crates.io, or `proc-macro` for macros."""
    return source not in (None, "proc-macro")


def linked(triple: str) -> Graph:
    """Returns the crates that are linked for a target."""
    command = [os.environ.get("CARGO", "cargo"), "tree", "--locked", "--package", NAME, "--edges", "normal,no-proc-macro"]
    arguments = ["--target", triple, "--prefix", "depth", "--charset", "ascii", "--format", "|{p}|{l}|{r}|"]
    done = subprocess.run([*command, *arguments], cwd=REPOSITORY, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"cargo tree failed for {triple}: {done.stderr.strip()}")
    return Graph.parse(done.stdout)


def checksums(lock: str) -> dict[tuple[str, str], str]:
    """Returns the SHA-256 checksums of the crates' archives, by name and version."""
    packages = tomllib.loads(lock)["package"]
    return {(it["name"], it["version"]): it["checksum"] for it in packages if "checksum" in it}


def write(path: Path, graphs: dict[str, Graph]) -> Path:
    """Writes the bill of materials of the linked crates, which `graphs` contains by platform."""
    sums = checksums((REPOSITORY / "Cargo.lock").read_text())
    path.write_text(json.dumps(document(graphs, sums), indent=2) + "\n")
    return path


def document(graphs: dict[str, Graph], sums: dict[tuple[str, str], str]) -> dict:
    edges: dict[Crate, set[Crate]] = defaultdict(set)
    platforms: dict[Crate, list[str]] = defaultdict(list)
    for platform, graph in sorted(graphs.items()):
        for crate, children in graph.edges.items():
            edges[crate] |= children
            platforms[crate].append(platform)
    root = next(iter(graphs.values())).root
    components = [component(it, "library", sums, platforms[it]) for it in sorted(edges) if it != root]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{LANGUAGE_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": LANGUAGE_VERSION,
        "version": 1,
        "metadata": {"component": component(root, "application", sums, platforms[root])},
        "components": components,
        "dependencies": [dependency(crate, edges[crate]) for crate in sorted(edges)],
    }


def component(crate: Crate, kind: str, sums: dict[tuple[str, str], str], platforms: list[str]) -> dict:
    described: dict = {"type": kind, "bom-ref": crate.reference, "name": crate.name, "version": crate.version}
    if (checksum := sums.get((crate.name, crate.version))) is not None:
        described["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    if crate.license:
        described["licenses"] = [{"expression": crate.license}]
    if not crate.is_local:
        described["purl"] = crate.purl
    if crate.url:
        described["externalReferences"] = [{"type": "vcs", "url": crate.url}]
    described["properties"] = [{"name": f"{NAME}:platform", "value": platform} for platform in platforms]
    return described


def dependency(crate: Crate, children: set[Crate]) -> dict:
    return {"ref": crate.reference, "dependsOn": sorted(child.reference for child in children)}
