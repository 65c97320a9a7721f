//! What users copy is valid in both engines: every folder of `examples/` but those that are configurations of their own,
//! which are applied.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use serde_json::json;

#[tokio::test]
async fn are_valid_in_opentofu() {
    are_valid_in(Engine::opentofu()).await;
}

#[tokio::test]
async fn are_valid_in_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    are_valid_in(engine).await;
}

#[tokio::test]
async fn are_valid_in_newer_terraform() {
    are_valid_in(Engine::newer_terraform()).await;
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

#[tokio::test]
async fn are_tested_with_mocks_by_opentofu() {
    are_tested_with_mocks_by(Engine::opentofu()).await;
}

#[tokio::test]
async fn are_tested_with_mocks_by_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    let (_stage, workspace) = are_tested_with_mocks_by(engine).await;
    // The file of mocks, which only Terraform reads, has defaults for what a configuration may set as well.
    let tests = fs::read_to_string(workspace.folder().join("tests/plan.tftest.hcl")).unwrap();
    let (before, mocks) = tests.split_once("mock_provider \"gitlabspot\" {\n").unwrap();
    let (_, after) = mocks.split_once("\n}\n").unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/mocks");
    let with_source =
        format!("{before}mock_provider \"gitlabspot\" {{\n  source = \"{}\"\n}}\n{after}", source.display());
    workspace.write("tests/plan.tftest.hcl", &with_source);
    let output = workspace.run(&["test"]).await;
    assert!(output.prose().contains("2 passed, 0 failed"), "{output}");
}

/// The tests of `examples/complete`, which make no call.
async fn are_tested_with_mocks_by(engine: Engine) -> (Stage, Workspace) {
    let passed = if engine == Engine::opentofu() { 3 } else { 2 };
    let stage = Stage::new(&format!("examples/mocks/{}", engine.name()), engine).await;
    let workspace = stage.example("complete", json!({})).await;
    let output = workspace.run(&["test"]).await;
    assert!(output.prose().contains(&format!("{passed} passed, 0 failed")), "{output}");
    assert!(stage.account.calls().is_empty());
    (stage, workspace)
}

fn find(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if ["adopt", "complete", "modules", "sizes", "terragrunt"].iter().any(|name| path.ends_with(name)) {
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
