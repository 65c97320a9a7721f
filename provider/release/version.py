"""Checks that tag, version and changelog belong to one release."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from . import Failed

HEADING = re.compile(r"^## +(?P<title>.+?) *$", re.MULTILINE)
# A version, optionally followed by a date in parentheses.
RELEASED = re.compile(r"(?P<version>\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?: \(.+\))?$")
UNRELEASED = "Unreleased"


@dataclass(frozen=True)
class Entry:
    """An entry of the changelog."""

    title: str
    text: str

    @property
    def version(self) -> str | None:
        found = RELEASED.match(self.title)
        return found["version"] if found else None


def workspace_version(repository: Path) -> str:
    path = repository / "Cargo.toml"
    try:
        return tomllib.loads(path.read_text())["workspace"]["package"]["version"]
    except KeyError:
        raise Failed(f"{path} has no workspace.package.version") from None


def entries(changelog: str) -> list[Entry]:
    """Returns the entries in the order of the changelog, the newest first."""
    found = list(HEADING.finditer(changelog))
    ends = [heading.start() for heading in found[1:]] + [len(changelog)]
    return [Entry(heading["title"], changelog[heading.end() : end].strip()) for heading, end in zip(found, ends)]


def check(repository: Path, tag: str | None) -> str:
    """Returns the version. Raises Failed if tag or changelog contradict it."""
    version = workspace_version(repository)
    log = entries((repository / "CHANGELOG.md").read_text())
    for entry in log:
        if entry.title != UNRELEASED and entry.version is None:
            raise Failed(f"CHANGELOG.md: the heading {entry.title!r} is neither {UNRELEASED!r} nor a version")
    newest = next((entry for entry in log if entry.title != UNRELEASED), None)
    if newest is not None and number(newest.version) > number(version):
        raise Failed(f"CHANGELOG.md has an entry for {newest.version}, and the version in Cargo.toml is {version}")
    if tag is not None:
        check_release(version, tag, log)
    elif (newest is None or newest.version != version) and not any(entry.title == UNRELEASED for entry in log):
        raise Failed(f"CHANGELOG.md has no entry for {version}, the version in Cargo.toml, and none for what is unreleased")
    return version


def check_release(version: str, tag: str, log: list[Entry]) -> None:
    """Checks a release with a tag: the tag is the version, its entry is not empty, and no changes are unreleased."""
    if tag != f"v{version}":
        raise Failed(f"the tag is {tag}, and the version in Cargo.toml is {version}: the tag has to be v{version}")
    entry = entry_of(version, log)
    if not entry.text:
        raise Failed(f"CHANGELOG.md: the entry for {version} is empty")
    if any(it.title == UNRELEASED and it.text for it in log):
        raise Failed(f"CHANGELOG.md has changes that are unreleased beside the entry for {version}")


def entry_of_release(repository: Path) -> Entry:
    """Returns the changelog entry of the version in Cargo.toml."""
    return entry_of(workspace_version(repository), entries((repository / "CHANGELOG.md").read_text()))


def entry_of(version: str, log: list[Entry]) -> Entry:
    for entry in log:
        if entry.version == version:
            return entry
    raise Failed(f"CHANGELOG.md has no entry for {version}, the version in Cargo.toml")


def number(version: str) -> tuple:
    """Returns a key that sorts by the precedence of semantic versions: a pre-release is older than its release."""
    core, _, pre = version.partition("-")
    parts = [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] if pre else []
    return tuple(int(part) for part in core.split(".")), not pre, parts
