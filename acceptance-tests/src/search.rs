//! Searches the files of a test for secrets.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Folder of the files of [`crate::Stage::write_input`].
pub(crate) const INPUTS: &str = "given";

/// Path at which `init` installs or links providers.
const PROVIDERS: &str = ".terraform/providers";

/// Searches every file below a folder for secrets, including all entries of plan files, which are zip archives. Skips
/// providers and the files that the test writes as input. Returns the names of the searched files.
///
/// # Panics
///
/// If a file has a secret.
pub fn assert_none_of(folder: &Path, secrets: &[&str]) -> Vec<String> {
    let mut searched = Vec::new();
    search(folder, secrets, &mut searched);
    searched
}

fn search(folder: &Path, secrets: &[&str], searched: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_provider = path.is_symlink() || path.ends_with("mirror") || path.ends_with(PROVIDERS);
        if is_provider || path.ends_with(INPUTS) {
            continue;
        }
        if path.is_dir() {
            search(&path, secrets, searched);
        } else if path.extension().is_some_and(|extension| extension == "tfplan") {
            search_archive(&path, secrets, searched);
        } else {
            let content = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            check(&path.display().to_string(), &content, secrets, searched);
        }
    }
}

fn search_archive(path: &Path, secrets: &[&str], searched: &mut Vec<String>) {
    let unreadable = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", path.display()) };
    let file = File::open(path).unwrap_or_else(|error| unreadable(&error));
    let mut archive = zip::ZipArchive::new(file).unwrap_or_else(|error| unreadable(&error));
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap_or_else(|error| unreadable(&error));
        let name = format!("{}!{}", path.display(), entry.name());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap_or_else(|error| unreadable(&error));
        check(&name, &content, secrets, searched);
    }
}

fn check(name: &str, content: &[u8], secrets: &[&str], searched: &mut Vec<String>) {
    let text = String::from_utf8_lossy(content);
    for secret in secrets {
        let found = text.find(secret);
        assert!(found.is_none(), "{name} has the secret {secret:.12}... at byte {found:?}");
    }
    searched.push(name.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        fs::write(folder.path().join("logs/trace.log"), "a hidden thing").unwrap();
        assert_eq!(assert_none_of(folder.path(), &["elsewhere"]).len(), 1);
        let found = std::panic::catch_unwind(|| assert_none_of(folder.path(), &["elsewhere", "hidden"]));
        assert!(found.is_err());
    }
}
