"""The command `package`, with the arguments of a release."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from release import Failed
from release.__main__ import platforms_of
from release.layout import REPOSITORY
from release.sums import sha256, write_sums
from release.version import workspace_version

from .test_signature import export

VERSION = workspace_version(REPOSITORY)
PREFIX = f"terraform-provider-gitlabspot_{VERSION}"


class Packages(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)

    def package(self, folder: str, **environment: str) -> tuple[Path, subprocess.CompletedProcess]:
        """Packages two platforms in a separate directory."""
        home = self.root / folder
        home.mkdir()
        (home / "one").write_text("the first")
        (home / "two").write_text("the second")
        command = [sys.executable, "-m", "release", "package", "--out", str(home / "out")]
        inherited = {name: value for name, value in os.environ.items() if name not in ("GPG_PRIVATE_KEY", "PASSPHRASE")}
        done = subprocess.run(
            [*command, f"linux_arm64={home / 'two'}", f"linux_amd64={home / 'one'}"],
            cwd=REPOSITORY / "provider",
            env={**inherited, **environment},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return home / "out", done

    def test_two_directories_have_the_same_bytes(self):
        one, other = (self.package(folder, SOURCE_DATE_EPOCH="1700000000")[0] for folder in ("a", "another"))
        names = sorted(path.name for path in one.iterdir())
        kinds = ("SHA256SUMS", "linux_amd64.zip", "linux_arm64.zip", "manifest.json", "sbom.cdx.json")
        self.assertEqual(names, [f"{PREFIX}_{kind}" for kind in kinds])
        for name in names:
            self.assertEqual((one / name).read_bytes(), (other / name).read_bytes(), name)

    def test_the_checksums_are_of_all_files(self):
        out, done = self.package("a")
        self.assertIn("GPG_PRIVATE_KEY is not set", done.stderr)
        sums = dict(reversed(line.split("  ")) for line in (out / f"{PREFIX}_SHA256SUMS").read_text().splitlines())
        others = {path.name for path in out.iterdir()} - {f"{PREFIX}_SHA256SUMS"}
        self.assertEqual(set(sums), others)
        for name, digest in sums.items():
            self.assertEqual(hashlib.sha256((out / name).read_bytes()).hexdigest(), digest)
        manifest = json.loads((out / f"{PREFIX}_manifest.json").read_text())
        self.assertEqual(manifest, {"version": 1, "metadata": {"protocol_versions": ["6.0"]}})

    def test_signed_by_the_key_of_the_environment(self):
        secret, _ = export("rsa2048")
        out, done = self.package("a", GPG_PRIVATE_KEY=secret, PASSPHRASE="")
        self.assertEqual(done.stderr, "")
        self.assertTrue((out / f"{PREFIX}_SHA256SUMS.sig").stat().st_size > 0)

    def test_arguments_that_are_wrong(self):
        binary = f"linux_amd64={__file__}"
        with self.assertRaisesRegex(Failed, "'linux_amd64' is not of the form"):
            platforms_of(["linux_amd64"], [])
        with self.assertRaisesRegex(Failed, "a platform without a binary: linux_arm64"):
            platforms_of([binary], ["linux_arm64=aarch64-unknown-linux-musl"])
        chosen = platforms_of([binary], ["linux_amd64=x86_64-unknown-linux-musl"])
        self.assertEqual([it.triple for it in chosen], ["x86_64-unknown-linux-musl"])


class Sums(unittest.TestCase):
    def test_in_the_format_of_sha256sum(self):
        with tempfile.TemporaryDirectory() as directory:
            files = [Path(directory) / name for name in ("b", "a")]
            for file in files:
                file.write_text(file.name)
            sums = write_sums(Path(directory) / "SHA256SUMS", files)
            lines = [f"{sha256(file)}  {file.name}\n" for file in reversed(files)]
            self.assertEqual(sums.read_text(), "".join(lines))
