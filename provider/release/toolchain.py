"""A compiler for every target, in the directory of the tools.

`rustup target add` installs the standard library of a target, if the toolchain provides it. Otherwise the library is
built from source (`-Zbuild-std`). The source is the component `rust-src`, or Debian's package `rust-src` of the same
version if rustup is not available. zig links for targets other than that of the system.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import Failed
from .layout import TOOLS

PINS = Path(__file__).resolve().parent / "requirements.txt"

# Debian suites with newer compilers than the stable release.
SUITES = ("trixie-backports", "sid")


def output_of(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Toolchain:
    """rustc and cargo, with the standard library for other targets."""

    def __init__(self) -> None:
        self.sysroot = Path(output_of("rustc", "--print", "sysroot"))
        self.version = output_of("rustc", "--version").split()[1]

    def has_std(self, triple: str) -> bool:
        """Whether the standard library of `triple` is installed. Installs it with rustup if possible."""
        if self._std_is_installed(triple):
            return True
        if shutil.which("rustup") is not None:
            self._rustup("target", "add", triple)
        return self._std_is_installed(triple)

    def _std_is_installed(self, triple: str) -> bool:
        return any((self.sysroot / "lib" / "rustlib" / triple / "lib").glob("libstd-*"))

    def _rustup(self, *arguments: str) -> None:
        # An error is ignored, because the caller checks the result and has an alternative.
        subprocess.run(["rustup", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)

    def with_source(self) -> Path:
        """Returns the root of a toolchain with the source of the standard library."""
        if self._source(self.sysroot).is_dir():
            return self.sysroot
        if shutil.which("rustup") is not None:
            self._rustup("component", "add", "rust-src")
        if self._source(self.sysroot).is_dir():
            return self.sysroot
        return self._copy_with_source_of_debian()

    @staticmethod
    def _source(root: Path) -> Path:
        return root / "lib" / "rustlib" / "src" / "rust" / "library"

    def _copy_with_source_of_debian(self) -> Path:
        """Copies the toolchain and adds the source, which rustc expects in its own directory. The user's toolchain is
        not changed."""
        copy = TOOLS / "rust" / self.version
        if self._source(copy).is_dir():
            return copy
        package = _download_rust_src(self.version, TOOLS / "rust" / "debian")
        shutil.rmtree(copy, ignore_errors=True)
        # Hard links only work within one file system; otherwise the files are copied.
        if subprocess.run(["cp", "-al", str(self.sysroot), str(copy)], stderr=subprocess.DEVNULL).returncode != 0:
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(self.sysroot, copy, symlinks=True)
        unpacked = TOOLS / "rust" / "debian" / "unpacked"
        subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
        source = self._source(copy).parent
        source.parent.mkdir(parents=True, exist_ok=True)
        (unpacked / "usr" / "src" / f"rustc-{self.version}").rename(source)
        shutil.rmtree(TOOLS / "rust" / "debian")
        return copy


def _download_rust_src(version: str, folder: Path) -> Path:
    """Downloads the Debian package with separate package lists. Nothing is installed, and the sources of the system are
    not changed."""
    if shutil.which("apt-get") is None:
        raise Failed(
            f"the standard library of Rust {version} for other targets is missing, and neither rustup nor apt-get "
            "can be asked for it: run `rustup component add rust-src`"
        )
    lists, archives, sources = folder / "lists", folder / "archives", folder / "sources"
    for directory in (lists / "partial", archives / "partial", sources):
        directory.mkdir(parents=True, exist_ok=True)
    (sources / "debian.sources").write_text(
        f"Types: deb\nURIs: {_debian_mirror()}\nSuites: {' '.join(SUITES)}\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )
    options = {
        "Dir::Etc::SourceList": os.devnull,
        "Dir::Etc::SourceParts": sources,
        "Dir::State::Lists": lists,
        "Dir::Cache::Archives": archives,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    apt = [item for name, value in options.items() for item in ("-o", f"{name}={value}")]
    subprocess.run(["apt-get", "-qq", *apt, "update"], check=True)
    versions = output_of("apt-cache", *apt, "madison", "rust-src").splitlines()
    candidates = [line.split("|")[1].strip() for line in versions]
    matching = [candidate for candidate in candidates if candidate.startswith(f"{version}+")]
    if not matching:
        raise Failed(
            f"the source of the standard library of Rust {version} is missing: rustup does not have it, and Debian has "
            f"rust-src in the versions {', '.join(candidates) or 'none'} only"
        )
    subprocess.run(["apt-get", "-qq", *apt, "download", f"rust-src={matching[0]}"], cwd=folder, check=True)
    return next(folder.glob("rust-src_*.deb"))


def _debian_mirror() -> str:
    """Returns the Debian mirror that is configured on this system."""
    for path in sorted(Path("/etc/apt").rglob("*")):
        if path.suffix not in (".list", ".sources"):
            continue
        for word in path.read_text().split():
            if word.startswith(("http://", "https://")) and word.rstrip("/").endswith("/debian"):
                return word
    raise Failed("the source of the standard library is missing: this system installs from no mirror of Debian")


def zig() -> Path:
    """Installs cargo-zigbuild and zig into a virtual environment. Returns the directory of the programs."""
    venv = TOOLS / "release-venv"
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != PINS.read_text():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", "--no-deps", "-r", str(PINS)], check=True)
        stamp.write_text(PINS.read_text())
    return venv / "bin"
