//! The engine refuses a file with one changed byte.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, Fixture, NETWORK_MIRROR, OCI_MIRROR};

const LOCKED: &str = "match any of the checksums previously recorded in the dependency lock file";

async fn falsified_registry_files_are_refused(engine: Engine) {
    let fixture = Fixture::new("refused_by_registry", engine).await;
    let release = &fixture.release;
    let archive = release.file(&format!("{}.zip", release.platform()));
    let (sums, signature) = (release.file("SHA256SUMS"), release.file("SHA256SUMS.sig"));
    let list = fs::read_to_string(release.folder().join(&sums)).unwrap();
    let line_of = |name: &str| list.lines().take_while(|line| !line.ends_with(name)).map(|line| line.len() + 1).sum();
    let end_of = |name: &str| usize::try_from(fs::metadata(release.folder().join(name)).unwrap().len()).unwrap() - 1;
    for (file, byte, words) in [
        (&archive, end_of(&archive) / 2, "archive has incorrect checksum"),
        (&sums, line_of(&archive), "checksum list has "),
        (&sums, line_of("_manifest.json"), "signature"),
        (&signature, end_of(&signature), "signature"),
    ] {
        fixture.registry.falsify(file, byte);
        let _ = fixture.configure_registry();
        refused(&fixture, words).await;
    }
}

#[tokio::test]
async fn falsified_registry_files_are_refused_with_opentofu() {
    falsified_registry_files_are_refused(Engine::opentofu()).await;
}

#[tokio::test]
async fn falsified_registry_files_are_refused_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    falsified_registry_files_are_refused(engine).await;
}

async fn falsified_mirror_files_are_refused(engine: Engine) {
    let is_opentofu = engine.name() == "opentofu";
    let fixture = Fixture::new("refused_by_mirrors", engine).await;
    let archive = fixture.release.file(&format!("{}.zip", fixture.release.platform()));
    let archives = fixture.archives();
    let url = fixture.registry.mirror(&fixture.mirrored().await);

    let _ = fixture.configure(FILESYSTEM_MIRROR, &archives.display().to_string());
    let _ = fixture.assert_installs().await;
    refuse_falsified_installed_provider(&fixture).await;
    refuse_other_lock_file_checksum(&fixture).await;
    // A filesystem mirror has no checksums, so that only those of the lock file are compared.
    let locked = fixture.locked();
    change_a_byte(&archives.join(fixture.default_host).join("gitlabspot/gitlabspot").join(&archive));
    fixture.workspace.uninstall();
    refused(&fixture, "checksum").await;
    assert_eq!(fixture.locked(), locked);

    fixture.registry.falsify(&archive, 1_000);
    let _ = fixture.configure(NETWORK_MIRROR, &url);
    refused(&fixture, "checksum").await;
    if is_opentofu {
        let _ = fixture.configure(OCI_MIRROR, &fixture.registry.host());
        refused(&fixture, "does not match digest").await;
    }
}

#[tokio::test]
async fn falsified_mirror_files_are_refused_with_opentofu() {
    falsified_mirror_files_are_refused(Engine::opentofu()).await;
}

#[tokio::test]
async fn falsified_mirror_files_are_refused_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    falsified_mirror_files_are_refused(engine).await;
}

async fn refused(fixture: &Fixture, words: &str) {
    let printed = fixture.workspace.run(&["init", "-input=false"]).await.failed();
    assert!(printed.contains("Failed to install provider") && printed.contains(words), "{words} is not in: {printed}");
}

/// A file that is changed after its installation is refused.
async fn refuse_falsified_installed_provider(fixture: &Fixture) {
    let program = program(&fixture.workspace.folder().join(".terraform/providers")).unwrap();
    let content = fs::read(&program).unwrap();
    change_a_byte(&program);
    let printed = fixture.workspace.run(&["plan", "-input=false"]).await.failed();
    assert!(printed.contains("checksums recorded in the dependency lock file"), "{printed}");
    fs::write(&program, content).unwrap();
    let _ = fixture.workspace.plan().await;
}

async fn refuse_other_lock_file_checksum(fixture: &Fixture) {
    let locked = fixture.locked();
    let other = format!("h1:{}=", "A".repeat(43));
    fs::write(fixture.workspace.lock_file(), locked.replace(&fixture.checksums("h1:")[0], &other)).unwrap();
    fixture.workspace.uninstall();
    refused(fixture, LOCKED).await;
    fs::write(fixture.workspace.lock_file(), locked).unwrap();
    let _ = fixture.workspace.run(&["init", "-input=false"]).await.succeeded();
}

fn program(folder: &Path) -> Option<PathBuf> {
    fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).find_map(|path| {
        let is_program = path.file_name()?.to_str()?.starts_with("terraform-provider-gitlabspot_v");
        if path.is_dir() { program(&path) } else { is_program.then_some(path) }
    })
}

fn change_a_byte(path: &Path) {
    let mut content = fs::read(path).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    fs::write(path, content).unwrap();
}
