"""The zip archive of one platform."""

import shutil
import stat
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import Failed
from .layout import NAME, REPOSITORY
from .targets import TARGETS

# A zip archive has no earlier time.
EARLIEST = (1980, 1, 1, 0, 0, 0)

# What the archive has beside the binary, as archives of other providers do.
DOCUMENTS = ("CHANGELOG.md", "LICENSE", "README.md")

# Targets of Rust by the platform's name in registries. The standard library of a target decides about some dependencies.
TRIPLES = {target.name: target.triple for target in TARGETS}

UNIX = 3


@dataclass(frozen=True)
class Platform:
    """An operating system and architecture as Go names them, and what was built for it."""

    name: str
    triple: str
    binary: Path

    @classmethod
    def parse(cls, name: str, binary: Path, triple: str | None) -> "Platform":
        if name not in TRIPLES:
            raise Failed(f"{name!r} is not a platform: it is one of {', '.join(TRIPLES)}")
        if not binary.is_file():
            raise Failed(f"{binary} is not a file")
        return cls(name, triple or TRIPLES[name], binary)

    @property
    def suffix(self) -> str:
        return ".exe" if self.name.startswith("windows_") else ""


@dataclass(frozen=True)
class Archive:
    """`prefix` is the file name up to the platform, `time` what every entry was last changed at."""

    prefix: str
    version: str
    platform: Platform
    time: tuple[int, int, int, int, int, int]

    def write(self, out: Path) -> Path:
        path = out / f"{self.prefix}_{self.platform.name}.zip"
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in DOCUMENTS:
                self._add(archive, name, REPOSITORY / name, 0o644)
            executable = f"{NAME}_v{self.version}{self.platform.suffix}"
            self._add(archive, executable, self.platform.binary, 0o755)
        return path

    def _add(self, archive: zipfile.ZipFile, name: str, source: Path, mode: int) -> None:
        entry = zipfile.ZipInfo(name, self.time)
        entry.compress_type = zipfile.ZIP_DEFLATED
        # As on Unix, whatever this is made on: engines take the mode from it.
        entry.create_system = UNIX
        entry.external_attr = (stat.S_IFREG | mode) << 16
        with source.open("rb") as content, archive.open(entry, "w", force_zip64=False) as target:
            shutil.copyfileobj(content, target, 1 << 20)


def timestamp(environment: Mapping[str, str]) -> tuple[int, int, int, int, int, int]:
    """SOURCE_DATE_EPOCH in UTC, see https://reproducible-builds.org/specs/source-date-epoch/."""
    given = environment.get("SOURCE_DATE_EPOCH")
    if not given:
        return EARLIEST
    try:
        moment = time.gmtime(int(given))
    except (ValueError, OverflowError, OSError):
        raise Failed(f"SOURCE_DATE_EPOCH is {given!r}, and not a number of seconds") from None
    return max(EARLIEST, moment[:6])
