//! The files of a release of the provider, as users download them.

mod key;
mod oci;
mod registry;

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

pub use registry::Registry;

use crate::cloud::repository;
use crate::evidence;
use crate::mirror::{BINARY, VERSION, binary, platform};
use key::SigningKey;

/// Packages of the provider that was built with the tests, for this platform and another one, created by
/// `python3 -m release package`. All tests share them, because compressing a debug build takes seconds.
#[derive(Clone, Debug)]
pub struct Release {
    files: PathBuf,
    key: SigningKey,
}

impl Release {
    /// Creates the packages, unless an earlier test has created them.
    ///
    /// # Panics
    ///
    /// If packaging or signing fails.
    #[must_use]
    pub fn of_this_build() -> Self {
        let folder = evidence::root_of_all_tests().join(".release");
        let (files, made_of) = (folder.join("files"), folder.join("made-of"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let lock = File::create(folder.join("lock")).expect("a file can be made");
        // Tests are processes of their own and run in parallel.
        lock.lock().expect("a file can be locked");
        let sources = sources();
        if fs::read_to_string(&made_of).ok().as_ref() != Some(&sources) {
            // The files may be those of another version.
            let _ = fs::remove_dir_all(&files);
            package(&folder, &files);
            fs::write(&made_of, sources).expect("a file can be written");
        }
        Self { files, key: SigningKey::read(&folder) }
    }

    /// Folder of its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.files
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        VERSION
    }

    /// Platform of this machine, such as `linux_amd64`.
    #[must_use]
    pub fn platform(&self) -> String {
        platform()
    }

    /// The other platform with a package.
    #[must_use]
    pub fn other_platform(&self) -> &'static str {
        other_platform()
    }

    /// Name of a file of the release, for a suffix such as `linux_amd64.zip` or `SHA256SUMS`.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        format!("{BINARY}_{VERSION}_{name}")
    }

    /// SHA-256 checksum of a file, according to the signed list.
    ///
    /// # Panics
    ///
    /// If the list does not have the file.
    #[must_use]
    pub fn sha256(&self, file: &str) -> String {
        let sums = fs::read_to_string(self.files.join(self.file("SHA256SUMS"))).expect("a release has checksums");
        let mut lines = sums.lines().filter_map(|line| line.split_once("  "));
        lines.find(|(_, name)| *name == file).expect("every file has a checksum").0.to_owned()
    }

    /// Public key of the signature, armored.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    /// ID of this key.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.key.id()
    }
}

/// Path, size and modification time of the inputs of the packages, which are created again after a change.
fn sources() -> String {
    let code = fs::read_dir(repository().join("provider/release")).expect("the code of packages is there");
    let documents = ["CHANGELOG.md", "LICENSE", "README.md", "Cargo.lock"].map(|name| repository().join(name));
    let code = code.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let mut paths: Vec<PathBuf> = code.chain(documents).chain([binary()]).collect();
    paths.sort();
    let stamp = |path: &PathBuf| {
        let about = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        format!("{} {} {} {}", path.display(), about.len(), about.mtime(), about.mtime_nsec())
    };
    paths.iter().map(stamp).collect::<Vec<_>>().join("\n")
}

fn package(folder: &Path, files: &Path) {
    let other = folder.join("other");
    fs::write(&other, "a provider of another platform").expect("a file can be written");
    let secret = SigningKey::generate(folder);
    let mut command = Command::new("python3");
    command.args(["-m", "release", "package", "--out"]).arg(files);
    command.arg(format!("{}={}", platform(), binary().display()));
    command.arg(format!("{}={}", other_platform(), other.display()));
    command.current_dir(repository().join("provider")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("CARGO_NET_OFFLINE", "true").env("GPG_PRIVATE_KEY", secret).env("PASSPHRASE", "");
    let output = command.output().expect("python3 is on PATH");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn other_platform() -> &'static str {
    if platform() == "linux_arm64" { "linux_amd64" } else { "linux_arm64" }
}
