"""The detached OpenPGP signature of the checksums."""

import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import Failed

# Key algorithms that registries accept, by their numbers in RFC 4880, section 9.1.
ACCEPTED = {"1": "RSA", "17": "DSA"}


def path_of(sums: Path) -> Path:
    return sums.with_name(f"{sums.name}.sig")


@dataclass(frozen=True)
class Key:
    """An exported secret key. Key and passphrase are not shown, and no copy remains when the command ends."""

    secret: str = field(repr=False)
    passphrase: str = field(repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Key | None":
        """Reads the variables that release workflows of providers use. Returns None without a key."""
        secret = environment.get("GPG_PRIVATE_KEY", "").strip()
        return cls(f"{secret}\n", environment.get("PASSPHRASE", "")) if secret else None

    def sign(self, sums: Path) -> Path:
        """Writes a binary signature, because hosts do not read armored ones."""
        signed = path_of(sums)
        signed.unlink(missing_ok=True)
        with keyring() as gpg:
            gpg.run(["--import"], self.secret)
            fingerprint = gpg.signing_key()
            unlock = ["--pinentry-mode", "loopback", "--passphrase-fd", "0", "--local-user", fingerprint]
            how = ["--digest-algo", "SHA512", "--output", str(signed)]
            gpg.run([*unlock, *how, "--detach-sign", str(sums)], self.passphrase)
            gpg.run(["--verify", str(signed), str(sums)])
        return signed


@dataclass(frozen=True)
class Gpg:
    home: Path

    def run(self, arguments: list[str], given: str = "") -> str:
        command = ["gpg", "--batch", "--no-tty", "--homedir", str(self.home), *arguments]
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True)
        except FileNotFoundError:
            raise Failed("gpg is not installed, and GPG_PRIVATE_KEY is set") from None
        if done.returncode != 0:
            raise Failed(f"gpg failed: {done.stderr.strip()}")
        return done.stdout

    def signing_key(self) -> str:
        """Returns the fingerprint of the secret key."""
        lines = [line.split(":") for line in self.run(["--with-colons", "--list-secret-keys"]).splitlines()]
        keys = [line for line in lines if line[0] == "sec"]
        if len(keys) != 1:
            raise Failed(f"GPG_PRIVATE_KEY has {len(keys)} secret keys, and one is needed")
        if keys[0][3] not in ACCEPTED:
            kinds = " and ".join(ACCEPTED.values())
            raise Failed(f"registries accept {kinds} keys, and GPG_PRIVATE_KEY is of another kind")
        return next(line[9] for line in lines if line[0] == "fpr")


@contextmanager
def keyring() -> Iterator[Gpg]:
    """Creates a temporary home directory for gpg. Its path is short, because it contains the socket of the agent."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp" if Path("/tmp").is_dir() else None) as home:
        try:
            yield Gpg(Path(home))
        finally:
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "gpg-agent"], capture_output=True)
