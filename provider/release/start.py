"""Starts a binary with OpenTofu, and compares its schema with the committed snapshot.

`tofu providers schema` performs the whole handshake: the cookie, the transport of the binary's system, mutual TLS and
GetProviderSchema. A binary of another system runs in an emulator, which a script in place of the provider starts.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import Failed
from .layout import NAME, REPOSITORY, TOOLS
from .targets import Target
from .toolchain import zig

SNAPSHOT = REPOSITORY / "provider" / "tests" / "it" / "schema.json"
SOURCE = "registry.opentofu.org/gitlabspot/gitlabspot"
CONFIGURATION = 'terraform {\n  required_providers {\n    gitlabspot = { source = "gitlabspot/gitlabspot" }\n  }\n}\n'

# Source of a Windows library that older versions of wine do not have.
LIBRARY = Path(__file__).resolve().parent / "wine" / "bcryptprimitives.c"

# Timeout in seconds. The first start with wine creates the whole configuration of wine.
TIMEOUT = 300


def start(target: Target, binary: Path) -> str:
    """Starts `binary` with OpenTofu and returns a description of the result. Raises Failed if its schema differs."""
    command = target.command(str(binary.resolve()))
    if command is None or shutil.which(command[0]) is None:
        missing = f": {command[0]} is not installed" if command else ""
        return f"not started: nothing here runs {target.name}{missing}"
    with tempfile.TemporaryDirectory(prefix="start") as folder:
        schema = _schema_of(command, Path(folder))
    differences = list(compare(schema, json.loads(SNAPSHOT.read_text())))
    if differences:
        raise Failed(f"{binary} has another schema than {SNAPSHOT.name}:\n  " + "\n  ".join(differences[:20]))
    engine = "started by OpenTofu" + (f" with {command[0]}" if len(command) > 1 else "")
    return f"{engine}: handshake, mutual TLS, schema as committed ({len(schema['resource_schemas'])} resources)"


def _schema_of(command: list[str], folder: Path) -> dict:
    provider = folder / NAME
    provider.write_text("#!/bin/sh\nexec " + " ".join(f"'{part}'" for part in command) + ' "$@"\n')
    provider.chmod(0o755)
    (folder / "main.tf").write_text(CONFIGURATION)
    (folder / "cli.tfrc").write_text(
        "disable_checkpoint = true\nprovider_installation {\n  dev_overrides {\n"
        f'    "gitlabspot/gitlabspot" = "{folder}"\n  }}\n}}\n'
    )
    environment = {
        **os.environ,
        "HOME": str(folder),
        "TF_CLI_CONFIG_FILE": str(folder / "cli.tfrc"),
        "WINEDEBUG": "-all",
        # Otherwise wine offers to download Mono and Gecko, which the provider does not need.
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
    }
    if command[0] == "wine":
        environment["WINEPREFIX"] = str(folder / "wine")
        _set_up_wine(environment)
    tofu = str(TOOLS / "bin" / "tofu")
    process = subprocess.run(
        [tofu, "providers", "schema", "-json"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT,
    )
    if process.returncode != 0:
        raise Failed(f"{' '.join(command)} was not accepted by OpenTofu:\n{process.stderr}")
    return json.loads(process.stdout)["provider_schemas"][SOURCE]


def _set_up_wine(environment: dict[str, str]) -> None:
    """Creates a wine prefix in which Rust programs start. OpenTofu waits one minute for a provider, which the first
    start of wine may exceed."""
    subprocess.run(["wine", "wineboot", "--init"], env=environment, capture_output=True, timeout=TIMEOUT)
    library = Path(environment["WINEPREFIX"]) / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    if library.exists():
        return
    compiler = [str(zig() / "python"), "-m", "ziglang", "cc", "-shared", "-O", "-target", "x86_64-windows-gnu"]
    zig_environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(TOOLS / "zig-cache")}
    subprocess.run([*compiler, "-o", str(library), str(LIBRARY), "-ladvapi32"], env=zig_environment, check=True)


def compare(schema: dict, snapshot: dict):
    """Yields the differences between a schema that OpenTofu prints and the snapshot, in what both contain."""
    yield from _compare_schema("provider", schema["provider"], snapshot["provider"])
    for printed, kept in (("resource_schemas", "resources"), ("data_source_schemas", "data_sources")):
        yield from _compare_names(kept, schema.get(printed, {}), snapshot[kept])
        for name in snapshot[kept].keys() & schema.get(printed, {}).keys():
            yield from _compare_schema(name, schema[printed][name], snapshot[kept][name])
    yield from _compare_names("functions", schema.get("functions", {}), snapshot["functions"])


def _compare_names(path: str, printed: dict, kept: dict):
    for name in sorted(printed.keys() ^ kept.keys()):
        yield f"{path}.{name}: only in the {'binary' if name in printed else 'snapshot'}"


def _compare_schema(path: str, printed: dict, kept: dict):
    if printed["version"] != kept["version"]:
        yield f"{path}: version {printed['version']}, not {kept['version']}"
    yield from _compare_attributes(path, printed["block"].get("attributes", {}), kept["attributes"])


def _compare_attributes(path: str, printed: dict, kept: dict):
    yield from _compare_names(path, printed, kept)
    for name in printed.keys() & kept.keys():
        yield from _compare_attribute(f"{path}.{name}", printed[name], kept[name])


def _compare_attribute(path: str, printed: dict, kept: dict):
    modes = kept["mode"].replace(", stable", "").split(", ")
    nested = printed.get("nested_type", {})
    pairs = {
        **{mode: (printed.get(mode, False), mode in modes) for mode in ("required", "optional", "computed")},
        **{flag: (printed.get(flag, False), kept.get(flag, False)) for flag in ("sensitive", "write_only")},
        "type": (printed.get("type"), kept.get("type")),
        "nesting": (nested.get("nesting_mode"), kept.get("nesting")),
    }
    for what, (is_, should_be) in pairs.items():
        if is_ != should_be:
            yield f"{path}: {what} is {json.dumps(is_)}, not {json.dumps(should_be)}"
    if nested and "attributes" in kept:
        yield from _compare_attributes(path, nested["attributes"], kept["attributes"])
