//! The secret key and the tokens are where they belong and nowhere else: not in the state, not in plan files, not in
//! what the engine prints, and not in logs at TRACE.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlabspot_acceptance_tests::{Engine, Stage};
use k8s_openapi::api::core::v1::Secret;

use crate::complete::variables;

const REGISTRATION_TOKEN: &str = "GR1348941-never-to-be-seen";
const RUNNER_TOKEN: &str = "glrt-never-to-be-seen-either";

#[tokio::test]
async fn are_in_no_file_of_opentofu() {
    are_in_no_file_of(Engine::opentofu()).await;
}

#[tokio::test]
async fn are_in_no_file_of_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    are_in_no_file_of(engine).await;
}

async fn are_in_no_file_of(engine: Engine) {
    let stage = Stage::new(&format!("secrets/{}", engine.name()), engine).await;
    let workspace = stage.example("complete", variables(&stage)).await.traced();
    // From the environment: in a file the search would find it.
    workspace.unset("registration_token");
    let token = |name: &str, token: &str| workspace.clone().with_environment(&format!("TF_VAR_{name}"), token);
    let registering = token("registration_token", REGISTRATION_TOKEN);

    registering.plan().await;
    registering.apply().await;
    let first_key = secret_key(&stage).await;
    registering.assert_stable().await;

    // The other kind of token, and a second plan file.
    let authenticated = token("runner_token", RUNNER_TOKEN);
    authenticated.plan().await;
    authenticated.apply().await;
    authenticated.refresh().await;
    let second_key = secret_key(&stage).await;
    authenticated.plan_with(&["-destroy"]).await;
    authenticated.destroy().await;

    let secrets = [first_key.as_str(), &second_key, REGISTRATION_TOKEN, RUNNER_TOKEN];
    let encoded: Vec<String> = secrets.iter().map(|secret| STANDARD.encode(secret)).collect();
    let all: Vec<&str> = secrets.into_iter().chain(encoded.iter().map(String::as_str)).collect();
    let mut searched = Vec::new();
    search(stage.folder(), &all, &mut searched);
    for file in ["trace.log", "terraform.tfstate", "terraform.tfstate.backup", "plan.tfplan!tfplan"] {
        assert!(searched.iter().any(|name| name.ends_with(file)), "{file} was not searched: {searched:?}");
    }
}

async fn secret_key(stage: &Stage) -> String {
    let secret: Secret = stage.kubernetes.get(stage.namespace.name(), "gitlab-runner-s3-access").await;
    let key = String::from_utf8(secret.data.unwrap().remove("secretkey").unwrap().0).unwrap();
    assert!(key.len() >= 40, "that is no secret key");
    key
}

/// Every file below a folder; of plan files, which are zip archives, every entry. Links are the provider itself.
fn search(folder: &Path, secrets: &[&str], searched: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_symlink() || path.ends_with("mirror") {
            continue;
        }
        if path.is_dir() {
            search(&path, secrets, searched);
        } else if path.extension().is_some_and(|extension| extension == "tfplan") {
            search_archive(&path, secrets, searched);
        } else {
            check(&path.display().to_string(), &fs::read(&path).unwrap(), secrets, searched);
        }
    }
}

fn search_archive(path: &Path, secrets: &[&str], searched: &mut Vec<String>) {
    let mut archive = zip::ZipArchive::new(File::open(path).unwrap()).unwrap();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).unwrap();
        let name = format!("{}!{}", path.display(), entry.name());
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        check(&name, &content, secrets, searched);
    }
}

fn check(name: &str, content: &[u8], secrets: &[&str], searched: &mut Vec<String>) {
    for secret in secrets {
        let found = content.windows(secret.len()).position(|window| window == secret.as_bytes());
        assert!(found.is_none(), "{name} has the secret {secret:.12}... at byte {found:?}");
    }
    searched.push(name.to_owned());
}
