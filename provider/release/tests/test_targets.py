"""Targets have the names of registries, and binaries are in the directories of `build`."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from release import Failed, targets


class Targets(unittest.TestCase):
    def test_without_names_those_of_this_system(self):
        for system, expected in {
            "Linux": ["linux_amd64", "linux_arm64", "windows_amd64", "freebsd_amd64"],
            "Darwin": ["darwin_amd64", "darwin_arm64"],
        }.items():
            with mock.patch("platform.system", return_value=system):
                self.assertEqual([target.name for target in targets.of_names([])], expected)

    def test_an_unknown_name(self):
        with self.assertRaisesRegex(Failed, "no target linux_386; the targets are linux_amd64, linux_arm64"):
            targets.of_names(["linux_amd64", "linux_386"])

    def test_binaries_are_found_by_target(self):
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory)
            for name, file in {"linux_arm64": "terraform-provider-gitlabspot", "windows_amd64": "terraform-provider-gitlabspot.exe"}.items():
                (folder / name).mkdir()
                (folder / name / file).write_bytes(b"binary")
            found = {target.name: path.name for target, path in targets.in_folder(folder).items()}
        self.assertEqual(found, {"linux_arm64": "terraform-provider-gitlabspot", "windows_amd64": "terraform-provider-gitlabspot.exe"})

    @mock.patch("platform.system", return_value="Linux")
    @mock.patch("platform.machine", return_value="x86_64")
    def test_what_starts_a_binary(self, *_):
        commands = {target.name: target.command("BINARY") for target in targets.TARGETS}
        self.assertEqual(
            commands,
            {
                "linux_amd64": ["BINARY"],
                "linux_arm64": ["qemu-aarch64-static", "BINARY"],
                "windows_amd64": ["wine", "BINARY"],
                "freebsd_amd64": None,
                "darwin_amd64": None,
                "darwin_arm64": None,
            },
        )
