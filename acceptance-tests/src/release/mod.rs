//! The provider as users download it: the files of a release.

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

/// Packages of the provider that was built with the tests, for this platform and for another one, made by
/// `python3 -m release package`. All tests share them: the archive of a debug build takes seconds.
#[derive(Clone, Debug)]
pub struct Release {
    files: PathBuf,
    key: SigningKey,
}

impl Release {
    /// Packages what was built, unless an earlier test has.
    ///
    /// # Panics
    ///
    /// When it cannot be packaged or signed.
    #[must_use]
    pub fn of_this_build() -> Self {
        let folder = evidence::root_of_all_tests().join(".release");
        let (files, made_of) = (folder.join("files"), folder.join("made-of"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let lock = File::create(folder.join("lock")).expect("a file can be made");
        lock.lock().expect("a file can be locked");
        let sources = sources();
        if fs::read_to_string(&made_of).ok().as_ref() != Some(&sources) {
            // What an earlier run left may be of another version.
            let _ = fs::remove_dir_all(&files);
            package(&folder, &files);
            fs::write(&made_of, sources).expect("a file can be written");
        }
        Self { files, key: SigningKey::read(&folder) }
    }

    /// Where its files are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.files
    }

    /// Its version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        VERSION
    }

    /// The platform of this machine: `linux_amd64`.
    #[must_use]
    pub fn platform(&self) -> String {
        platform()
    }

    /// A platform of which there is a package as well.
    #[must_use]
    pub fn other_platform(&self) -> &'static str {
        other_platform()
    }

    /// File name of one of its files, such as the archive `linux_amd64.zip`, or `SHA256SUMS`.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        format!("{BINARY}_{VERSION}_{name}")
    }

    /// Checksum of one of its files, as the signed list has it.
    ///
    /// # Panics
    ///
    /// When the list has no such file.
    #[must_use]
    pub fn sha256(&self, file: &str) -> String {
        let sums = fs::read_to_string(self.files.join(self.file("SHA256SUMS"))).expect("a release has checksums");
        let mut lines = sums.lines().filter_map(|line| line.split_once("  "));
        lines.find(|(_, name)| *name == file).expect("every file has a checksum").0.to_owned()
    }

    /// The key that signed it, armored.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    /// Its id.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.key.id()
    }
}

/// What the packages depend on: when it changes, they are made anew.
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
