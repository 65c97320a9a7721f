"""The zip archive of one platform."""

import stat
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import Failed, notices
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
    """`prefix` is the file name up to the platform, `time` what every entry was last changed at, `licenses` the texts of
    the licences of what is linked."""

    prefix: str
    version: str
    platform: Platform
    time: tuple[int, int, int, int, int, int]
    licenses: str

    def write(self, out: Path) -> Path:
        path = out / f"{self.prefix}_{self.platform.name}.zip"
        with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name in DOCUMENTS:
                self._add(archive, name, (REPOSITORY / name).read_bytes(), 0o644)
            self._add(archive, notices.FILE_NAME, self.licenses.encode(), 0o644)
            executable = f"{NAME}_v{self.version}{self.platform.suffix}"
            self._add(archive, executable, self.platform.binary.read_bytes(), 0o755)
        return path

    def _add(self, archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
        entry = zipfile.ZipInfo(name, self.time)
        entry.compress_type = zipfile.ZIP_DEFLATED
        # As on Unix, whatever this is made on: engines take the mode from it.
        entry.create_system = UNIX
        entry.external_attr = (stat.S_IFREG | mode) << 16
        archive.writestr(entry, content, compresslevel=6)


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
