//! Checks the pages of the registry with the registry's own tool.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gitlabspot_acceptance_tests::{Cloud, Engine, Stage};

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    gitlabspot = { source = "gitlabspot/gitlabspot" }
  }
}
"#;

/// Front matter, sizes and folders are valid, and there is exactly one page for each resource, data source and
/// function.
#[tokio::test]
async fn pages_pass_tfplugindocs() {
    let stage = Stage::new("docs/tfplugindocs", Engine::newer_terraform()).await;
    let workspace = stage.files(&[("main.tf", CONFIGURATION)]).await;
    let schema = workspace.run(&["providers", "schema", "-json"]).await.succeeded().stdout;
    // The tool looks up the provider in the namespace `hashicorp`.
    let schema = schema.replace("/gitlabspot/gitlabspot\"", "/hashicorp/gitlabspot\"");
    workspace.write("schema.json", &schema);
    let schema = workspace.folder().join("schema.json");

    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = workspace.folder().join("pages");
    copy_pages(&repository.join("docs"), &copy.join("docs"));
    let output = validate(&copy, &schema);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    fs::remove_file(copy.join("docs/resources/cache_bucket.md")).unwrap();
    assert!(!validate(&copy, &schema).status.success(), "a resource without a page is not told");
}

fn validate(folder: &Path, schema: &PathBuf) -> Output {
    Command::new(Cloud::running().tool("tfplugindocs"))
        .args(["validate", "--provider-name", "gitlabspot", "--provider-dir"])
        .arg(folder)
        .arg("--providers-schema")
        .arg(schema)
        .output()
        .unwrap()
}

fn copy_pages(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_pages(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
