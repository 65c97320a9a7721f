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

# Zip archives cannot contain earlier times.
EARLIEST = (1980, 1, 1, 0, 0, 0)

# Files in the archive beside the binary, as in archives of other providers.
DOCUMENTS = ("CHANGELOG.md", "LICENSE", "README.md")

# Rust targets by the name of the platform in registries. Some dependencies differ by the target's standard library.
TRIPLES = {target.name: target.triple for target in TARGETS}

UNIX = 3


@dataclass(frozen=True)
class Platform:
    """An operating system and architecture with their names in Go, and the binary for them."""

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
    """The archive of a platform. `prefix` is the file name up to the platform, `time` the modification time of every
    entry, `licenses` the texts of the licences of the linked crates."""

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
        # Set on every system, because hosts only use the file mode of entries that were created on Unix.
        entry.create_system = UNIX
        entry.external_attr = (stat.S_IFREG | mode) << 16
        archive.writestr(entry, content, compresslevel=6)


def timestamp(environment: Mapping[str, str]) -> tuple[int, int, int, int, int, int]:
    """Returns SOURCE_DATE_EPOCH in UTC, see https://reproducible-builds.org/specs/source-date-epoch/."""
    given = environment.get("SOURCE_DATE_EPOCH")
    if not given:
        return EARLIEST
    try:
        moment = time.gmtime(int(given))
    except (ValueError, OverflowError, OSError):
        raise Failed(f"SOURCE_DATE_EPOCH is {given!r}, and not a number of seconds") from None
    return max(EARLIEST, moment[:6])
