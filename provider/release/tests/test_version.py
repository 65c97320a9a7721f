"""Contradictions between tag, version and changelog are reported, with both values."""

import tempfile
import unittest
from pathlib import Path

from release import Failed
from release.layout import REPOSITORY
from release.version import check


class Versions(unittest.TestCase):
    def check(self, changelog: str, tag: str | None = None, version: str = "0.2.0") -> str:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            (root / "Cargo.toml").write_text(f'[workspace.package]\nversion = "{version}"\n')
            (root / "CHANGELOG.md").write_text(f"# Changelog\n\n{changelog}")
            return check(root, tag)

    def refused(self, message: str, *arguments) -> None:
        with self.assertRaisesRegex(Failed, message):
            self.check(*arguments)

    def test_this_repository_agrees(self):
        check(REPOSITORY, None)

    def test_a_release(self):
        changelog = "## 0.2.0 (1 December 2026)\n\n- More.\n\n### Provider\n\n- And more.\n\n## 0.1.0\n\n- First.\n"
        self.assertEqual(self.check(changelog, "v0.2.0"), "0.2.0")
        self.assertEqual(self.check(f"## Unreleased\n\n{changelog}", "v0.2.0"), "0.2.0")

    def test_between_releases(self):
        for changelog in ("## Unreleased\n\n- More.\n", "## Unreleased\n\n- More.\n\n## 0.2.0\n\n- x\n", "## 0.2.0\n\n- x\n"):
            self.assertEqual(self.check(changelog), "0.2.0")

    def test_another_tag(self):
        changelog = "## 0.2.0\n\n- x\n"
        self.refused("the tag is v0.3.0, and the version in Cargo.toml is 0.2.0", changelog, "v0.3.0")
        self.refused("the tag is 0.2.0.*the tag has to be v0.2.0", changelog, "0.2.0")

    def test_no_entry(self):
        self.refused("no entry for 0.2.0, the version in Cargo.toml$", "## Unreleased\n\n- x\n", "v0.2.0")
        self.refused("no entry for 0.2.0.*and none for what is unreleased", "## 0.1.0\n\n- x\n")

    def test_an_empty_entry(self):
        self.refused("the entry for 0.2.0 is empty", "## 0.2.0\n\n## 0.1.0\n\n- x\n", "v0.2.0")

    def test_changes_that_would_not_be_in_the_release(self):
        self.refused("unreleased beside", "## Unreleased\n\n- y\n\n## 0.2.0\n\n- x\n", "v0.2.0")

    def test_an_entry_that_is_newer_than_the_version(self):
        self.refused("an entry for 0.10.0, and the version in Cargo.toml is 0.2.0", "## 0.10.0\n\n- x\n")
        self.refused("an entry for 0.2.0, and", "## 0.2.0\n\n- x\n", None, "0.2.0-rc.1")

    def test_a_heading_of_another_kind(self):
        self.refused("'Next' is neither", "## Next\n\n- x\n")
