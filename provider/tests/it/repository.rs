//! The files of the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The contents of a file, if it exists.
pub(crate) fn text(path: impl AsRef<Path>) -> Option<String> {
    std::fs::read_to_string(root().join(path)).ok()
}

/// All files that are tracked or would be added by the next commit, as paths from the root.
pub(crate) fn files() -> Vec<String> {
    tracked().unwrap_or_else(walked)
}

fn tracked() -> Option<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = Command::new("git").args(arguments).current_dir(root()).output().ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    // A file that is deleted but not committed is still in the index.
    let there = |name: &&str| !name.is_empty() && root().join(name).is_file();
    output.status.success().then(|| names.split('\0').filter(there).map(str::to_owned).collect())
}

/// All files except build output. For use without git, for instance in an unpacked archive.
fn walked() -> Vec<String> {
    let root = root();
    walkdir::WalkDir::new(&root)
        .into_iter()
        .filter_entry(|entry| !(entry.depth() == 1 && [".git", "target"].iter().any(|it| entry.file_name() == *it)))
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&root).unwrap().to_str().unwrap().to_owned())
        .collect()
}

/// Compares a committed file with its expected contents, and writes it if the environment variable `update` is set.
pub(crate) fn assert_current(path: &str, expected: &str, update: &str) {
    // A current file is not written: another test may be reading it.
    if std::env::var_os(update).is_some() && text(path).as_deref() != Some(expected) {
        let file = root().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, expected).unwrap();
    }
    let found = text(path).unwrap_or_default();
    let line = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
    assert!(
        found == expected,
        "{path} is stale from line {} on: run the tests with {update}=1\n  is:        {}\n  should be: {}",
        line + 1,
        found.lines().nth(line).unwrap_or("(nothing)"),
        expected.lines().nth(line).unwrap_or("(nothing)")
    );
}
