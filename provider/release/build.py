"""The binaries of a release: one for every target that can be linked on this system.

The same sources give the same bytes, whatever directory they are built in: paths of this machine are mapped, and
nothing else of it gets into a binary.
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

# Of these crates the provider calls a few functions of thousands. The hint defers their code generation to the crates
# that call them, which is most of the time and memory of a build, and optimise it there.
MOSTLY_UNUSED = ("aws-sdk-ec2", "aws-sdk-eks", "aws-sdk-iam", "aws-sdk-s3", "aws-sdk-autoscaling", "k8s-openapi", "windows")

# Registries and users refuse what is much larger.
LIMIT = 25_000_000


@dataclass(frozen=True)
class Built:
    """A binary, and what it took."""

    target: Target
    path: Path
    cpu_seconds: float
    seconds: float
    # Bytes of the largest process of this and earlier builds.
    memory: int

    def __str__(self) -> str:
        size = self.path.stat().st_size / 1_000_000
        effort = f"{self.cpu_seconds:.0f} s of CPU in {self.seconds:.0f} s, {self.memory / 1e9:.1f} GB of memory"
        return f"{self.target.name:<14} {size:.1f} MB, {effort}"


def build(target: Target, folder: Path, out: Path) -> Built:
    """Builds the provider for `target` below `folder`, which cargo may have used before, and copies it to `out`."""
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
    # Both would change the bytes, or the compiler, of a release.
    for name in ("RUSTFLAGS", "RUSTUP_TOOLCHAIN"):
        environment.pop(name, None)
    mapped = _mapped_paths(root, folder)
    flags = [*target.rustflags, *(f"--remap-path-prefix={path}={name}" for path, name in mapped)]
    environment["CARGO_ENCODED_RUSTFLAGS"] = "\x1f".join(flags)
    triple = target.triple.replace("-", "_")
    environment[f"CFLAGS_{triple}"] = " ".join(f"-ffile-prefix-map={path}={name}" for path, name in mapped)
    # zig's own cache of compiled start files.
    environment.setdefault("ZIG_GLOBAL_CACHE_DIR", str(TOOLS / "zig-cache"))
    # Building the standard library and the hint are for the nightly compiler; the stable one takes both this way.
    environment["RUSTC_BOOTSTRAP"] = "1"
    return environment


def _mapped_paths(root: Path, folder: Path) -> list[tuple[Path, str]]:
    """Paths of this machine and what stands for them. Of several that fit, the last one counts."""
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    return [(root, "rust"), (cargo, "cargo"), (REPOSITORY, "."), (folder, "target")]
