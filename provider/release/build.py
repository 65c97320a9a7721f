"""The binaries of a release: one for every target that can be linked on this system.

Builds of the same sources are identical in every directory: paths of the machine are mapped, and a binary contains
nothing else of the machine.
"""

import os
import platform
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from . import Failed
from .layout import NAME, REPOSITORY, TOOLS
from .targets import Target
from .toolchain import Toolchain, zig

PROFILE = "dist"

# The provider calls only a few of the thousands of functions of these crates. The hint defers code generation to the
# crates that call the functions and optimise them there. It otherwise takes most of the time and memory of a build.
MOSTLY_UNUSED = ("aws-sdk-ec2", "aws-sdk-eks", "aws-sdk-iam", "aws-sdk-s3", "aws-sdk-autoscaling", "k8s-openapi", "windows")

# Maximum size of a binary in bytes. Much larger binaries are a problem for registries and users.
LIMIT = 25_000_000


@dataclass(frozen=True)
class Built:
    """A binary, with time and memory of its build."""

    target: Target
    path: Path
    cpu_seconds: float
    seconds: float
    # Memory of the largest process of this and earlier builds, in bytes.
    memory: int

    def __str__(self) -> str:
        size = self.path.stat().st_size / 1_000_000
        effort = f"{self.cpu_seconds:.0f} s of CPU in {self.seconds:.0f} s, {self.memory / 1e9:.1f} GB of memory"
        return f"{self.target.name:<14} {size:.1f} MB, {effort}"


def build(target: Target, folder: Path, out: Path) -> Built:
    """Builds the provider for `target` in `folder`, which may contain earlier builds. Copies the binary to `out`."""
    toolchain = Toolchain()
    is_installed = toolchain.has_std(target.triple)
    root = toolchain.sysroot if is_installed else toolchain.with_source()
    command = ["cargo", "zigbuild" if target.zig else "build", "--locked", "--profile", PROFILE, "-Zprofile-hint-mostly-unused"]
    command += ["--target", target.triple, "--target-dir", str(folder), "--package", NAME, "--bin", NAME]
    command += [option for crate in MOSTLY_UNUSED for it in _profile(crate) for option in ("--config", it)]
    if not is_installed:
        command += ["-Zbuild-std=std,panic_unwind"]
    started, before = time.monotonic(), _cpu_seconds()
    environment = _environment(target, root, folder)
    if subprocess.run(command, cwd=REPOSITORY, env=environment).returncode != 0:
        raise Failed(f"the provider could not be built for {target.name}: see above")
    path = folder / target.triple / PROFILE / target.file_name
    if path.stat().st_size > LIMIT:
        raise Failed(f"{path} has {path.stat().st_size} bytes, more than the {LIMIT} that a release may have")
    copy = out / target.name / target.file_name
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, copy)
    return Built(target, copy, _cpu_seconds() - before, time.monotonic() - started, _largest_process())


def _profile(crate: str) -> tuple[str, str]:
    of_crate = f"profile.{PROFILE}.package.{crate}"
    return f"{of_crate}.hint-mostly-unused=true", f"{of_crate}.opt-level=0"


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _largest_process() -> int:
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit


def _environment(target: Target, root: Path, folder: Path) -> dict[str, str]:
    path = [str(root / "bin"), *([str(zig())] if target.zig else []), os.environ["PATH"]]
    environment = {**os.environ, **target.environment, "PATH": os.pathsep.join(path)}
    # Both variables would change the binary or the compiler of a release.
    for name in ("RUSTFLAGS", "RUSTUP_TOOLCHAIN"):
        environment.pop(name, None)
    mapped = _mapped_paths(root, folder)
    flags = [*target.rustflags, *(f"--remap-path-prefix={path}={name}" for path, name in mapped)]
    environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    triple = target.triple.replace("-", "_")
    environment[f"CFLAGS_{triple}"] = " ".join(f"-ffile-prefix-map={path}={name}" for path, name in mapped)
    # Cache of zig for compiled start files.
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(TOOLS / "zig-cache"))
    # `-Zbuild-std` and the hint are unstable options, which the stable compiler only accepts with this variable.
    environment["RUSTC_BOOTSTRAP"] = "1"
    return environment


def _mapped_paths(root: Path, folder: Path) -> list[tuple[Path, str]]:
    """Returns paths of this machine with their replacements. If several match a path, the last one is used."""
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    return [(root, "rust"), (cargo, "cargo"), (REPOSITORY, "."), (folder, "target")]
