//! Writes files. Never overwrites an existing one.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Error of a file that was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutputError {
    #[error("{} exists already. Nothing was written: give a directory without this file.", .0.display())]
    Exists(PathBuf),
    #[error("{} could not be written: {source}.", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// Writes all files. Writes none if one of them exists.
pub(super) fn write(directory: &Path, files: &[(&str, String)]) -> Result<(), OutputError> {
    let io = |path: &Path, source| OutputError::Io { path: path.to_owned(), source };
    fs::create_dir_all(directory).map_err(|source| io(directory, source))?;
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| directory.join(name)).collect();
    // Unlike `exists`, `symlink_metadata` also finds a symbolic link without a target.
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(OutputError::Exists(path.clone()));
    }
    for (path, (_, text)) in paths.iter().zip(files) {
        // `create_new` fails if the file was created after the check.
        let mut file = File::create_new(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => OutputError::Exists(path.clone()),
            _ => io(path, source),
        })?;
        file.write_all(text.as_bytes()).map_err(|source| io(path, source))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn existing_files_are_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let out = directory.path().join("a/b");
        let files = |text: &str| [("one.tf", text.to_owned()), ("two.tf", text.to_owned())];
        write(&out, &files("1")).unwrap();
        fs::remove_file(out.join("one.tf")).unwrap();
        let error = write(&out, &files("2")).unwrap_err();
        assert!(matches!(error, OutputError::Exists(path) if path.ends_with("two.tf")));
        assert!(!out.join("one.tf").exists());
        assert_eq!(fs::read_to_string(out.join("two.tf")).unwrap(), "1");
    }

    #[test]
    fn output_must_be_a_directory() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(write(&file, &[]).unwrap_err(), OutputError::Io { .. }));
    }
}
