"""Registries accept the signatures, and no copy of the key remains."""

import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from release import Failed
from release.signature import Key, keyring

PASSPHRASE = "correct horse"


def export(kind: str, passphrase: str = "") -> tuple[str, str]:
    """Generates a key for a test. Returns its secret and its public part."""
    with keyring() as gpg:
        unlock = ["--pinentry-mode", "loopback", "--passphrase", passphrase]
        gpg.run([*unlock, "--quick-generate-key", "release@gitlabspot.test", kind, "sign", "never"])
        return gpg.run([*unlock, "--armor", "--export-secret-keys"]), gpg.run(["--armor", "--export"])


class Signatures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.secret, cls.public = export("rsa2048", PASSPHRASE)

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.sums = Path(directory.name) / "SHA256SUMS"
        self.sums.write_text("0  a.zip\n")

    def test_verified_by_the_public_key(self):
        signed = Key.from_environment({"GPG_PRIVATE_KEY": self.secret, "PASSPHRASE": PASSPHRASE}).sign(self.sums)
        self.assertEqual(signed.name, "SHA256SUMS.sig")
        self.assertGreaterEqual(signed.read_bytes()[0], 0x80, "an armored signature is refused by engines")
        with keyring() as gpg:
            gpg.run(["--import"], self.public)
            gpg.run(["--verify", str(signed), str(self.sums)])
            self.sums.write_text("1  a.zip\n")
            with self.assertRaisesRegex(Failed, "BAD signature"):
                gpg.run(["--verify", str(signed), str(self.sums)])

    def test_a_wrong_passphrase_leaves_no_signature(self):
        key = Key(self.secret, "wrong")
        with self.assertRaisesRegex(Failed, "(?i)bad passphrase"):
            key.sign(self.sums)
        self.assertEqual(os.listdir(self.sums.parent), ["SHA256SUMS"])

    def test_no_key_no_signature(self):
        self.assertIsNone(Key.from_environment({}))
        self.assertIsNone(Key.from_environment({"GPG_PRIVATE_KEY": "\n", "PASSPHRASE": "x"}))

    def test_a_kind_of_key_that_registries_refuse(self):
        secret, _ = export("ed25519")
        with self.assertRaisesRegex(Failed, "registries accept RSA and DSA keys"):
            Key(secret, "").sign(self.sums)

    def test_what_is_no_key_is_refused(self):
        with self.assertRaisesRegex(Failed, "gpg failed"):
            Key("no key\n", "").sign(self.sums)
        with self.assertRaisesRegex(Failed, "0 secret keys"):
            Key(self.public, "").sign(self.sums)

    def test_a_key_is_not_shown(self):
        key = Key(self.secret, PASSPHRASE)
        self.assertEqual(repr(key), "Key()")

    def test_the_keyring_and_its_agent_are_gone(self):
        with keyring() as gpg:
            gpg.run(["--import"], self.secret)
            home = gpg.home
            command = ["gpg-connect-agent", "--homedir", home, "GETINFO pid", "/bye"]
            answer = subprocess.run(command, capture_output=True, text=True).stdout
            agent = int(answer.splitlines()[0].removeprefix("D "))
            self.assertTrue(is_running(agent))
        self.assertFalse(home.exists())
        deadline = time.monotonic() + 10
        while is_running(agent):
            self.assertLess(time.monotonic(), deadline, "the agent still runs")
            time.sleep(0.05)


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # In containers init may not reap orphans at once, so that a zombie counts as ended.
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or "Z" not in stat.read_text().rsplit(")", 1)[1].split()[0]
