//! What users copy is valid in both engines: every folder of `examples/` but `adopt` and `complete`, which are applied.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::{Engine, Stage};

#[tokio::test]
async fn are_valid_in_opentofu() {
    are_valid_in(Engine::opentofu()).await;
}

#[tokio::test]
async fn are_valid_in_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    are_valid_in(engine).await;
}

/// The pages' examples name each other's resources and leave the provider block to one of them, so they are one
/// configuration. Importing by identity is younger than the oldest engine.
async fn are_valid_in(engine: Engine) {
    let stage = Stage::new(&format!("examples/{}", engine.name()), engine).await;
    let mut paths = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples"), &mut paths);
    paths.retain(|path| !path.ends_with("import-by-identity.tf"));

    let mut files = Vec::new();
    for (index, path) in paths.iter().enumerate() {
        files.push((format!("{index}.tf"), fs::read_to_string(path).unwrap()));
    }
    files.push(("values.yaml".to_owned(), "gitlabUrl: https://gitlab.com/\nrunnerToken: glrt-x\n".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let workspace = stage.files(&files).await;
    workspace.validate().await;
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("adopt") || path.ends_with("complete") {
            continue;
        }
        if path.is_dir() {
            find(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            found.push(path);
        }
    }
    found.sort();
}
