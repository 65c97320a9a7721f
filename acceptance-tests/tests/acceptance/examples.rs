//! The folders of `examples/` are valid with both engines. Examples that are complete configurations are applied.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace};
use serde_json::json;

#[tokio::test]
async fn examples_are_valid_in_opentofu() {
    examples_are_valid_in(Engine::opentofu()).await;
}

#[tokio::test]
async fn examples_are_valid_in_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    examples_are_valid_in(engine).await;
}

#[tokio::test]
async fn examples_are_valid_in_newer_terraform() {
    examples_are_valid_in(Engine::newer_terraform()).await;
}

/// The examples of the pages refer to each other and share a provider block, so they are one configuration. Import by
/// identity is not supported by the oldest engine.
async fn examples_are_valid_in(engine: Engine) {
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
async fn example_tests_with_mocks_pass_in_opentofu() {
    example_tests_with_mocks_pass_in(Engine::opentofu()).await;
}

#[tokio::test]
async fn example_tests_with_mocks_pass_in_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    let (_stage, workspace) = example_tests_with_mocks_pass_in(engine).await;
    // The file with mocks, which only Terraform supports, also has defaults for attributes that a configuration can
    // set.
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

/// The tests of `examples/complete` send no requests.
async fn example_tests_with_mocks_pass_in(engine: Engine) -> (Stage, Workspace) {
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
        if ["adopt", "complete", "guides", "modules", "sizes", "terragrunt"].iter().any(|name| path.ends_with(name)) {
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

/// The configurations of the guides and their modules are valid. Their backends are not contacted.
#[tokio::test]
async fn guide_configurations_are_valid() {
    let stage = Stage::new("examples/guides", Engine::opentofu()).await;
    for name in ["hcp-terraform", "atlantis/runners", "gitlab-ci", "air-gapped", "state-encryption"] {
        let variables = json!({ "state_passphrase": PASSPHRASE });
        stage.example_without_backend(&format!("guides/{name}"), variables).await.validate().await;
    }
}

const PASSPHRASE: &str = "a passphrase of this test";

/// The state of the configuration of the guide is encrypted, and OpenTofu can read it.
#[tokio::test]
async fn state_encryption_example_applies() {
    let stage = Stage::new("examples/state_encryption", Engine::opentofu()).await;
    let variables = json!({ "cache_bucket": stage.namespace.name(), "state_passphrase": PASSPHRASE });
    let workspace = stage.example("guides/state-encryption", variables).await;
    workspace.apply().await;
    workspace.assert_stable().await;
    let state = fs::read_to_string(workspace.folder().join("terraform.tfstate")).unwrap();
    assert!(state.contains("encrypted_data") && !state.contains(stage.namespace.name()), "{state}");
    assert_eq!(workspace.state().await.resource("gitlabspot_cache_bucket.cache")["id"], stage.namespace.name());
    workspace.destroy().await;
    stage.assert_nothing_remains().await;
    // At the end of a test, plans are searched as archives, which an encrypted plan is not.
    assert!(zip_of(&workspace.folder().join("plan.tfplan")).is_none());
    fs::remove_file(workspace.folder().join("plan.tfplan")).unwrap();
}

/// Content of a plan file if it is an archive, that is, not encrypted.
fn zip_of(path: &Path) -> Option<Vec<u8>> {
    let content = fs::read(path).unwrap();
    content.starts_with(b"PK").then_some(content)
}
