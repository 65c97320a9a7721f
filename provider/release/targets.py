"""The operating systems and architectures of a release."""

import platform
from dataclasses import dataclass, field
from pathlib import Path

from . import Failed
from .layout import NAME


@dataclass(frozen=True, eq=False)
class Target:
    """An operating system and architecture with its name in Go and in registries, such as `linux_amd64`."""

    name: str
    triple: str
    # Values of `platform.system()` on which the target can be linked. Frameworks of macOS only exist on macOS.
    built_on: tuple[str, ...] = ("Linux",)
    # Whether zig is the linker and C compiler. Otherwise those of the system are used.
    zig: bool = True
    rustflags: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # Program that runs a binary of this target on other Linux machines.
    emulator: str | None = None

    @property
    def os(self) -> str:
        return self.name.partition("_")[0]

    @property
    def file_name(self) -> str:
        return NAME + (".exe" if self.os == "windows" else "")

    def is_native(self) -> bool:
        architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        return self.name == f"{platform.system().lower()}_{architecture}"

    def command(self, binary: str) -> list[str] | None:
        """Returns the command that starts `binary` on this system; None if it cannot run."""
        if self.is_native():
            return [binary]
        if platform.system() == "Linux" and self.emulator is not None:
            return [self.emulator, binary]
        return None


# zig links the start files of musl. Rust would link its own copy as well.
MUSL = ("-C", "target-feature=+crt-static", "-C", "link-self-contained=no")
# The oldest version of macOS that Rust supports on both architectures.
MACOS = {"MACOSX_DEPLOYMENT_TARGET": "11.0"}

TARGETS = (
    Target("linux_amd64", "x86_64-unknown-linux-musl", rustflags=MUSL),
    Target("linux_arm64", "aarch64-unknown-linux-musl", rustflags=MUSL, emulator="qemu-aarch64-static"),
    Target("windows_amd64", "x86_64-pc-windows-gnu", environment={"AWS_LC_SYS_PREBUILT_NASM": "1"}, emulator="wine"),
    Target("freebsd_amd64", "x86_64-unknown-freebsd"),
    Target("darwin_amd64", "x86_64-apple-darwin", built_on=("Darwin",), zig=False, environment=MACOS),
    Target("darwin_arm64", "aarch64-apple-darwin", built_on=("Darwin",), zig=False, environment=MACOS),
)


def of_names(names: list[str]) -> list[Target]:
    """Returns the targets with these names. Without names, returns those that can be linked on this system."""
    if not names:
        return [target for target in TARGETS if platform.system() in target.built_on]
    by_name = {target.name: target for target in TARGETS}
    for name in names:
        if name not in by_name:
            raise Failed(f"there is no target {name}; the targets are {', '.join(by_name)}")
    return [by_name[name] for name in names]


def in_folder(folder: Path) -> dict[Target, Path]:
    """Returns the binaries that `build` copied to a directory."""
    found = {target: folder / target.name / target.file_name for target in TARGETS}
    return {target: path for target, path in found.items() if path.is_file()}
