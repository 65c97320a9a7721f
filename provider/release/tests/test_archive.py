"""Archives are reproducible."""

import os
import stat
import tempfile
import unittest
import zipfile
from pathlib import Path

from release import Failed
from release.archive import EARLIEST, Archive, Platform, timestamp

PREFIX = "terraform-provider-gitlabspot_1.2.3"


class Archives(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)

    def archive(self, folder: str, name: str = "linux_amd64", mode: int = 0o755, mtime: int = 0) -> Path:
        """Writes the archive of a binary in a separate directory."""
        home = self.root / folder
        home.mkdir()
        binary = home / "built"
        binary.write_bytes(b"\x7fELF" + bytes(100_000))
        binary.chmod(mode)
        os.utime(binary, (mtime, mtime))
        return Archive(PREFIX, "1.2.3", Platform.parse(name, binary, None), EARLIEST, "LICENCES").write(home)

    def test_the_binary_is_executable_and_has_the_version_in_its_name(self):
        path = self.archive("a")
        self.assertEqual(path.name, "terraform-provider-gitlabspot_1.2.3_linux_amd64.zip")
        with zipfile.ZipFile(path) as archive:
            names = ["CHANGELOG.md", "LICENSE", "README.md", "THIRD_PARTY_LICENSES.txt", "terraform-provider-gitlabspot_v1.2.3"]
            self.assertEqual(archive.namelist(), names)
            modes = [oct(stat.S_IMODE(entry.external_attr >> 16)) for entry in archive.infolist()]
            self.assertEqual(modes, ["0o644"] * 4 + ["0o755"])
            self.assertEqual({entry.date_time for entry in archive.infolist()}, {EARLIEST})
            self.assertEqual(archive.read(names[-1])[:4], b"\x7fELF")

    def test_a_binary_of_windows_has_its_extension(self):
        with zipfile.ZipFile(self.archive("a", "windows_amd64")) as archive:
            self.assertIn("terraform-provider-gitlabspot_v1.2.3.exe", archive.namelist())

    def test_the_bytes_depend_on_the_content_only(self):
        one = self.archive("a")
        other = self.archive("another", mode=0o700, mtime=1_700_000_000)
        self.assertEqual(one.read_bytes(), other.read_bytes())

    def test_a_platform_that_no_registry_knows_is_refused(self):
        with self.assertRaisesRegex(Failed, "'linux_x86' is not a platform"):
            Platform.parse("linux_x86", Path(__file__), None)

    def test_a_missing_binary_is_refused(self):
        with self.assertRaisesRegex(Failed, "missing is not a file"):
            Platform.parse("linux_amd64", self.root / "missing", None)


class Timestamps(unittest.TestCase):
    def test_of_the_environment_in_utc(self):
        self.assertEqual(timestamp({"SOURCE_DATE_EPOCH": "1700000000"}), (2023, 11, 14, 22, 13, 20))

    def test_earliest_otherwise(self):
        for environment in ({}, {"SOURCE_DATE_EPOCH": ""}, {"SOURCE_DATE_EPOCH": "0"}):
            self.assertEqual(timestamp(environment), EARLIEST)

    def test_what_is_no_number_is_refused(self):
        with self.assertRaisesRegex(Failed, "SOURCE_DATE_EPOCH is 'today'"):
            timestamp({"SOURCE_DATE_EPOCH": "today"})
