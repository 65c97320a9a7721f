"""The bill of materials contains the linked crates and no others."""

import json
import unittest

from release import Failed
from release.sbom import Crate, Graph, checksums, crate_of, document, linked

TREE = """\
0|provider v1.0.0 (/src/provider)|Apache-2.0||
1|a v1.1.0|MIT/Apache-2.0|https://example.com/a|
2|b v0.1.0|MIT|| (*)
1|b v0.1.0|MIT||
2|c v3.0.0|Zlib||
"""
ELSEWHERE = "0|provider v1.0.0 (/src/provider)|Apache-2.0||\n1|d v4.0.0|MIT||\n"


class Documents(unittest.TestCase):
    def setUp(self):
        graphs = {"linux_amd64": Graph.parse(TREE), "windows_amd64": Graph.parse(ELSEWHERE)}
        self.document = document(graphs, {("a", "1.1.0"): "00ff"})
        self.components = {it["name"]: it for it in self.document["components"]}

    def test_components(self):
        self.assertEqual(list(self.components), ["a", "b", "c", "d"])
        self.assertEqual(self.document["metadata"]["component"]["name"], "provider")
        a = self.components["a"]
        self.assertEqual(a["purl"], "pkg:cargo/a@1.1.0")
        self.assertEqual(a["licenses"], [{"expression": "MIT OR Apache-2.0"}])
        self.assertEqual(a["hashes"], [{"alg": "SHA-256", "content": "00ff"}])
        self.assertEqual(a["externalReferences"], [{"type": "vcs", "url": "https://example.com/a"}])

    def test_edges(self):
        edges = {it["ref"]: it["dependsOn"] for it in self.document["dependencies"]}
        self.assertEqual(edges["provider@1.0.0"], ["pkg:cargo/a@1.1.0", "pkg:cargo/b@0.1.0", "pkg:cargo/d@4.0.0"])
        self.assertEqual(edges["pkg:cargo/a@1.1.0"], ["pkg:cargo/b@0.1.0"])
        self.assertEqual(edges["pkg:cargo/b@0.1.0"], ["pkg:cargo/c@3.0.0"])
        self.assertEqual(edges["pkg:cargo/c@3.0.0"], [])

    def test_platforms(self):
        platforms = {name: [it["value"] for it in one["properties"]] for name, one in self.components.items()}
        self.assertEqual((platforms["a"], platforms["d"]), (["linux_amd64"], ["windows_amd64"]))

    def test_a_crate_of_this_repository_is_not_that_of_crates_io(self):
        _, crate = crate_of("1|tfplugin v0.1.0 (/src/tfplugin)|Apache-2.0||")
        self.assertEqual(crate, Crate("tfplugin", "0.1.0", "Apache-2.0", "", True))
        self.assertEqual(crate.reference, "tfplugin@0.1.0")

    def test_what_is_not_understood_is_refused(self):
        with self.assertRaisesRegex(Failed, "not understood: warning"):
            Graph.parse("warning: something\n")
        with self.assertRaisesRegex(Failed, "printed nothing"):
            Graph.parse("")

    def test_checksums_of_the_lock_file(self):
        lock = '[[package]]\nname = "a"\nversion = "1.0.0"\nchecksum = "ff"\n[[package]]\nname = "b"\nversion = "2.0.0"\n'
        self.assertEqual(checksums(lock), {("a", "1.0.0"): "ff"})


class Provider(unittest.TestCase):
    def test_crates_of_tests_and_builds_and_macros_are_not_linked(self):
        graph = linked("x86_64-unknown-linux-gnu")
        names = {crate.name for crate in graph.edges}
        self.assertEqual(graph.root.name, "terraform-provider-gitlabspot")
        self.assertLessEqual({"tfplugin", "kube", "aws-sdk-eks", "aws-lc-sys", "tokio"}, names)
        self.assertFalse({"insta", "proptest", "cc", "serde_derive", "tfplugin-derive"} & names)
        self.assertNotIn("time", json.dumps(document({"linux_amd64": graph}, {})["metadata"]))
