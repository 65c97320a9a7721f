"""The licence texts that are distributed with a binary."""

import tempfile
import unittest
from pathlib import Path

from release.notices import folders, render
from release.sbom import Crate, Graph, linked


def crate(name: str, is_local: bool = False) -> Crate:
    return Crate(name, "1.0.0", "MIT", "", is_local)


class Notices(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)

    def rendered(self, *crates: Crate, **files: dict[str, str]) -> str:
        """Returns the texts of crates with these files."""
        for it in crates:
            (self.root / it.name).mkdir()
            for name, text in files.get(it.name, {}).items():
                (self.root / it.name / name).write_text(text)
        places = {(it.name, it.version): self.root / it.name for it in crates}
        return render(Graph(crates[0], {it: set() for it in crates}), places)

    def test_crates_with_the_same_text_share_it(self):
        text = self.rendered(
            crate("one"), crate("two"), one={"LICENSE-MIT": "Permission\n"}, two={"license.txt": "Permission  \n\n"}
        )
        self.assertEqual(text.count("Permission"), 1)
        self.assertIn("one 1.0.0 (MIT)\ntwo 1.0.0 (MIT)\n", text)

    def test_every_text_of_a_crate_is_there(self):
        files = {"LICENSE": "Permission", "NOTICE": "Attribution", "COPYING": "Terms", "README.md": "Usage"}
        text = self.rendered(crate("one"), one=files)
        self.assertEqual([word in text for word in ("Permission", "Attribution", "Terms", "Usage")], [True] * 3 + [False])

    def test_a_crate_without_a_text_is_listed(self):
        text = self.rendered(crate("one"), crate("two"), one={"LICENSE": "Permission"})
        self.assertIn("contain no licence text:\ntwo 1.0.0 (MIT)\n", text)

    def test_crates_of_this_repository_are_not_third_parties(self):
        self.assertNotIn("own 1.0.0", self.rendered(crate("one"), crate("own", is_local=True), one={"LICENSE": "P"}))

    def test_of_the_provider_no_linked_crate_is_missing(self):
        graph = linked("x86_64-unknown-linux-gnu")
        text = render(graph, folders())
        missing = [it.name for it in graph.edges if not it.is_local and f"\n{it.name} {it.version} (" not in text]
        self.assertEqual(missing, [])
        self.assertIn("Amazon.com, Inc. or its affiliates", text)
