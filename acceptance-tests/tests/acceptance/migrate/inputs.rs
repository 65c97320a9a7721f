//! Typical input files of users: the configuration that is written for each is valid and formatted.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::{Engine, Stage};

use super::migrate;

/// M4: files of eksctl, values files and states of all kinds. The configuration is valid, and formatted as by `fmt`.
#[tokio::test]
async fn migrated_files_of_every_kind_are_valid() {
    let stage = Stage::new("migrate/inputs", Engine::opentofu()).await;
    for (folder, option, count) in [("eksctl", "--eksctl", 6), ("values", "--values", 6), ("state", "--state", 3)] {
        let files = files(folder);
        assert!(files.len() >= count, "{folder}");
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let out = stage.folder().join(format!("{folder}-{name}"));
            let (code, _, report) =
                migrate(&[option, file.to_str().unwrap(), "--cluster", "prod", "--out", out.to_str().unwrap()]);
            assert_eq!(code, Some(0), "{}: {report}", file.display());
            let texts = ["main.tf", "imports.tf", "variables.tf"]
                .map(|name| (name, fs::read_to_string(out.join(name)).unwrap_or_default()));
            let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let workspace = stage.files(&texts).await;
            let formatted = workspace.run(&["fmt", "-check", "-diff"]).await;
            assert_eq!(formatted.code, Some(0), "{}: {formatted}", file.display());
            let valid = workspace.run(&["validate"]).await;
            assert_eq!(valid.code, Some(0), "{}: {valid}", file.display());
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/migrate").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
