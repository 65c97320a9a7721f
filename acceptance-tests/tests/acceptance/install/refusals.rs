//! One changed byte is refused, in the words of the engine.

use std::fs;
use std::path::{Path, PathBuf};

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, NETWORK_MIRROR, OCI_MIRROR, Scene};

const LOCKED: &str = "match any of the checksums previously recorded in the dependency lock file";

async fn from_the_registry(engine: Engine) {
    let scene = Scene::new("refused_by_registry", engine).await;
    let release = &scene.release;
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
        scene.registry.falsify(file, byte);
        let _ = scene.configure_registry();
        refused(&scene, words).await;
    }
}

#[tokio::test]
async fn from_the_registry_with_opentofu() {
    from_the_registry(Engine::opentofu()).await;
}

#[tokio::test]
async fn from_the_registry_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    from_the_registry(engine).await;
}

async fn from_mirrors(engine: Engine) {
    let is_opentofu = engine.name() == "opentofu";
    let scene = Scene::new("refused_by_mirrors", engine).await;
    let archive = scene.release.file(&format!("{}.zip", scene.release.platform()));
    let archives = scene.archives();
    let url = scene.registry.mirror(&scene.mirrored().await);

    let _ = scene.configure(FILESYSTEM_MIRROR, &archives.display().to_string());
    let _ = scene.assert_installs().await;
    the_installed_one(&scene).await;
    the_one_of_another_lock_file(&scene).await;
    // A filesystem mirror has no checksums: those of the lock file count.
    let locked = scene.locked();
    change_a_byte(&archives.join(scene.default_host).join("gitlabspot/gitlabspot").join(&archive));
    scene.workspace.uninstall();
    refused(&scene, "checksum").await;
    assert_eq!(scene.locked(), locked);

    scene.registry.falsify(&archive, 1_000);
    let _ = scene.configure(NETWORK_MIRROR, &url);
    refused(&scene, "checksum").await;
    if is_opentofu {
        let _ = scene.configure(OCI_MIRROR, &scene.registry.host());
        refused(&scene, "does not match digest").await;
    }
}

#[tokio::test]
async fn from_mirrors_with_opentofu() {
    from_mirrors(Engine::opentofu()).await;
}

#[tokio::test]
async fn from_mirrors_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    from_mirrors(engine).await;
}

async fn refused(scene: &Scene, words: &str) {
    let said = scene.workspace.run(&["init", "-input=false"]).await.failed();
    assert!(said.contains("Failed to install provider") && said.contains(words), "{words} is not in: {said}");
}

/// What is changed after it was installed.
async fn the_installed_one(scene: &Scene) {
    let program = program(&scene.workspace.folder().join(".terraform/providers")).unwrap();
    let content = fs::read(&program).unwrap();
    change_a_byte(&program);
    let said = scene.workspace.run(&["plan", "-input=false"]).await.failed();
    assert!(said.contains("checksums recorded in the dependency lock file"), "{said}");
    fs::write(&program, content).unwrap();
    let _ = scene.workspace.plan().await;
}

async fn the_one_of_another_lock_file(scene: &Scene) {
    let locked = scene.locked();
    let other = format!("h1:{}=", "A".repeat(43));
    fs::write(scene.workspace.lock_file(), locked.replace(&scene.checksums("h1:")[0], &other)).unwrap();
    scene.workspace.uninstall();
    refused(scene, LOCKED).await;
    fs::write(scene.workspace.lock_file(), locked).unwrap();
    let _ = scene.workspace.run(&["init", "-input=false"]).await.succeeded();
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
