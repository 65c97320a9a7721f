//! A GPG key that signs the packages of tests.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Key ID and public key, as a registry publishes them.
#[derive(Clone, Debug)]
pub(super) struct SigningKey {
    id: String,
    public: String,
}

const FILE: &str = "key.asc";

impl SigningKey {
    /// Generates a key, and writes the public key to `folder`. Returns the secret key.
    pub(super) fn generate(folder: &Path) -> String {
        let home = tempfile::tempdir().expect("a folder can be made");
        let home = home.path();
        let gpg = |arguments: &[&str]| {
            let how = ["--batch", "--no-tty", "--pinentry-mode", "loopback", "--passphrase", ""];
            run("gpg", home, &[&how, arguments].concat())
        };
        let _ = gpg(&["--quick-generate-key", "release@gitlabspot.test", "rsa2048", "sign", "never"]);
        let listed = gpg(&["--with-colons", "--list-keys"]);
        let id = listed.lines().find_map(|line| line.strip_prefix("pub:")?.split(':').nth(3)).expect("a key has an id");
        let public = format!("{id}\n{}", gpg(&["--armor", "--export"]));
        fs::write(folder.join(FILE), public).expect("a file can be written");
        let secret = gpg(&["--armor", "--export-secret-keys"]);
        let _ = run("gpgconf", home, &["--kill", "gpg-agent"]);
        secret
    }

    pub(super) fn read(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(FILE)).expect("the packages are signed");
        let (id, public) = text.split_once('\n').expect("a line with the id is first");
        Self { id: id.to_owned(), public: public.to_owned() }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Public key, armored.
    pub(super) fn public(&self) -> &str {
        &self.public
    }
}

fn run(program: &str, home: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).arg("--homedir").arg(home).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}: signatures need GnuPG"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("armored keys are text")
}
