"""Differences from the committed schema are found at every level."""

import copy
import unittest

from release.start import compare

SNAPSHOT = {
    "provider": {"version": 0, "attributes": {"token": {"mode": "optional", "sensitive": True, "type": "string"}}},
    "resources": {
        "x_thing": {
            "version": 1,
            "attributes": {
                "id": {"mode": "computed, stable", "type": "string"},
                "size": {
                    "mode": "optional, computed",
                    "nesting": "single",
                    "attributes": {"count": {"mode": "required", "type": ["list", "number"]}},
                },
            },
        }
    },
    "data_sources": {},
    "functions": {"f": {}},
}
PRINTED = {
    "provider": {"version": 0, "block": {"attributes": {"token": {"optional": True, "sensitive": True, "type": "string"}}}},
    "resource_schemas": {
        "x_thing": {
            "version": 1,
            "block": {
                "attributes": {
                    "id": {"computed": True, "type": "string"},
                    "size": {
                        "optional": True,
                        "computed": True,
                        "nested_type": {
                            "nesting_mode": "single",
                            "attributes": {"count": {"required": True, "type": ["list", "number"]}},
                        },
                    },
                }
            },
        }
    },
    "functions": {"f": {}},
}


class Comparison(unittest.TestCase):
    def differences(self, change) -> list[str]:
        printed = copy.deepcopy(PRINTED)
        change(printed)
        return list(compare(printed, SNAPSHOT))

    def test_equal(self):
        self.assertEqual(self.differences(lambda printed: None), [])

    def test_each_difference_is_named(self):
        thing = lambda printed: printed["resource_schemas"]["x_thing"]  # noqa: E731
        attributes = lambda printed: thing(printed)["block"]["attributes"]  # noqa: E731
        nested = lambda printed: attributes(printed)["size"]["nested_type"]  # noqa: E731
        for change, expected in [
            (lambda it: it["provider"]["block"]["attributes"]["token"].pop("sensitive"), "provider.token: sensitive is false, not true"),
            (lambda it: thing(it).update(version=2), "x_thing: version 2, not 1"),
            (lambda it: attributes(it).pop("id"), "x_thing.id: only in the snapshot"),
            (lambda it: attributes(it)["id"].update(type="number"), 'x_thing.id: type is "number", not "string"'),
            (lambda it: attributes(it)["id"].update(optional=True), "x_thing.id: optional is true, not false"),
            (lambda it: nested(it).update(nesting_mode="list"), 'x_thing.size: nesting is "list", not "single"'),
            (lambda it: nested(it)["attributes"]["count"].pop("required"), "x_thing.size.count: required is false, not true"),
            (lambda it: it["resource_schemas"].update(y={}), "resources.y: only in the binary"),
            (lambda it: it.pop("functions"), "functions.f: only in the snapshot"),
        ]:
            self.assertEqual(self.differences(change), [expected])
