"""The files of a release, run from the folder `provider`.

    python3 -m release check-version [--tag vX.Y.Z]
    python3 -m release notes
    python3 -m release build --out DIR [OS_ARCH ...]
    python3 -m release start DIR
    python3 -m release package --out DIR [--binaries DIR] [OS_ARCH=BINARY ...] [--target OS_ARCH=TRIPLE ...]

`check-version` compares the version in Cargo.toml with the changelog, and with the tag if there is one.

`notes` prints the changelog entry of this version.

`build` creates the binary `DIR/OS_ARCH/BINARY` of each target, by default of those that can be linked on this system.

`start` starts each binary that this system can run with OpenTofu, and compares its schema with the committed snapshot.

`package` writes one zip archive for each binary, with the licences of the linked crates, the manifest for registries, a
software bill of materials, and the checksums of all these files. The checksums are signed if GPG_PRIVATE_KEY is set to an
exported secret key; PASSPHRASE is its passphrase. Timestamps in the archives are SOURCE_DATE_EPOCH, which defaults to
1980-01-01. The content of every file except the signature only depends on the binaries and the sources.
"""

import argparse
import os
import sys
from pathlib import Path

from . import Failed, build, notices, sbom, signature, start, targets, version
from .archive import Archive, Platform, timestamp
from .layout import CARGO_TARGET, NAME, REPOSITORY
from .sums import write_manifest, write_sums


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except Failed as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="python3 -m release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check-version", help="compare tag, version and changelog")
    check.add_argument("--tag", help="tag of the release, such as v0.1.0")
    check.set_defaults(run=check_version)
    notes_ = commands.add_parser("notes", help="print the changelog entry of this version")
    notes_.set_defaults(run=notes)
    build_ = commands.add_parser("build", help="build the binaries")
    build_.add_argument("--out", type=Path, required=True, help="directory, which is created")
    build_.add_argument("names", nargs="*", metavar="OS_ARCH")
    build_.set_defaults(run=build_all)
    start_ = commands.add_parser("start", help="start the binaries that build made")
    start_.add_argument("binaries", type=Path, help="directory of build")
    start_.set_defaults(run=start_all)
    package_ = commands.add_parser("package", help="write the files of a release")
    package_.add_argument("--out", type=Path, required=True, help="directory, which is created")
    package_.add_argument("--target", action="append", default=[], help="the target that a platform was built for")
    package_.add_argument("--binaries", type=Path, dest="folder", help="directory of build")
    package_.add_argument("binaries", nargs="*", metavar="OS_ARCH=BINARY")
    package_.set_defaults(run=package)
    return whole


def check_version(options: argparse.Namespace) -> None:
    checked = version.check(REPOSITORY, options.tag)
    print(f"The version is {checked}.")


def notes(_options: argparse.Namespace) -> None:
    print(version.entry_of_release(REPOSITORY).text)


def build_all(options: argparse.Namespace) -> None:
    selected = targets.of_names(options.names)
    built = [build.build(target, CARGO_TARGET, options.out) for target in selected]
    print(*built, sep="\n")
    for target in targets.TARGETS if not options.names else ():
        if target not in selected:
            print(f"{target.name:<14} not built: it can be linked on {' and '.join(target.built_on)} only")


def start_all(options: argparse.Namespace) -> None:
    for target, binary in targets.in_folder(options.binaries).items():
        print(f"{target.name:<14} {start.start(target, binary)}", flush=True)


def package(options: argparse.Namespace) -> None:
    found = targets.in_folder(options.folder) if options.folder else {}
    binaries = [*options.binaries, *(f"{target.name}={path}" for target, path in found.items())]
    triples = [*options.target, *(f"{target.name}={target.triple}" for target in found)]
    if not binaries:
        raise Failed("there are no binaries to package: name them, or the directory of build")
    platforms = platforms_of(binaries, triples)
    written = write(options.out, platforms)
    for path in written:
        print(f"{path.stat().st_size:>12} {path.name}")


def platforms_of(binaries: list[str], targets: list[str]) -> list[Platform]:
    """Returns the platforms sorted by name, independently of the order of the arguments."""
    triples = dict(pair(target) for target in targets)
    named = dict(pair(binary) for binary in binaries)
    if unused := triples.keys() - named.keys():
        raise Failed(f"--target names a platform without a binary: {', '.join(sorted(unused))}")
    return [Platform.parse(name, Path(path), triples.get(name)) for name, path in sorted(named.items())]


def pair(argument: str) -> tuple[str, str]:
    name, separator, value = argument.partition("=")
    if not (name and separator and value):
        raise Failed(f"{argument!r} is not of the form OS_ARCH=VALUE")
    return name, value


def write(out: Path, platforms: list[Platform]) -> list[Path]:
    """Writes all published files. Returns them in the order in which they are written."""
    released, time = version.workspace_version(REPOSITORY), timestamp(os.environ)
    prefix = f"{NAME}_{released}"
    out.mkdir(parents=True, exist_ok=True)
    graphs = {platform.name: sbom.linked(platform.triple) for platform in platforms}
    folders = notices.folders()
    files = [
        Archive(prefix, released, platform, time, notices.render(graphs[platform.name], folders)).write(out)
        for platform in platforms
    ]
    files.append(write_manifest(out / f"{prefix}_manifest.json"))
    files.append(sbom.write(out / f"{prefix}_sbom.cdx.json", graphs))
    sums = write_sums(out / f"{prefix}_SHA256SUMS", files)
    signed = signature.Key.from_environment(os.environ)
    if signed is None:
        # Registries reject a release without a signature. A signature of an earlier run is for other checksums.
        signature.path_of(sums).unlink(missing_ok=True)
        print("GPG_PRIVATE_KEY is not set: the checksums are not signed.", file=sys.stderr)
        return [*files, sums]
    return [*files, sums, signed.sign(sums)]


if __name__ == "__main__":
    sys.exit(main())
