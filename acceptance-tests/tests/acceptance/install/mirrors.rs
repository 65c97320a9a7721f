//! From mirrors, with the CLI configurations of the guide.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, NETWORK_MIRROR, OCI_MIRROR, Scene, guide};

/// A filesystem mirror of the archives of a release.
async fn filesystem(engine: Engine) {
    let scene = Scene::new("filesystem", engine).await;
    let _ = scene.configure(FILESYSTEM_MIRROR, &scene.archives().display().to_string());
    let _ = scene.assert_installs().await;
    assert_eq!(scene.registry.seen(), [""; 0]);
    assert_eq!(scene.checksums("h1:").len(), 1);
}

#[tokio::test]
async fn filesystem_with_opentofu() {
    filesystem(Engine::opentofu()).await;
}

#[tokio::test]
async fn filesystem_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    filesystem(engine).await;
}

/// A network mirror of what `providers mirror` downloaded from the registry.
async fn network(engine: Engine) {
    let scene = Scene::new("network", engine).await;
    let url = scene.registry.mirror(&scene.mirrored().await);
    let before = scene.registry.seen().len();
    let _ = scene.configure(NETWORK_MIRROR, &url);
    let _ = scene.assert_installs().await;
    let seen = scene.registry.seen().split_off(before);
    let folder = format!("/mirror/{}/gitlabspot/gitlabspot/", scene.default_host);
    assert!(seen.iter().all(|line| line.contains(&folder)), "{seen:?}");
    assert!(seen.iter().any(|line| line.ends_with("/index.json")), "{seen:?}");
}

#[tokio::test]
async fn network_with_opentofu() {
    network(Engine::opentofu()).await;
}

#[tokio::test]
async fn network_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    network(engine).await;
}

/// A network mirror of the archives, with the files that the guide writes by hand.
#[tokio::test]
async fn network_of_archives() {
    let scene = Scene::new("network_of_archives", Engine::opentofu()).await;
    let mirror = scene.archives();
    let folder = mirror.join(scene.default_host).join("gitlabspot/gitlabspot");
    for (name, text) in ["index.json", "0.1.0.json"].into_iter().zip(guide("json")) {
        fs::write(folder.join(name), text.replace("linux_amd64", &scene.release.platform())).unwrap();
    }
    let _ = scene.configure(NETWORK_MIRROR, &scene.registry.mirror(&mirror));
    let _ = scene.assert_installs().await;
}

/// An OCI registry, which Terraform does not support.
#[tokio::test]
async fn oci_with_opentofu() {
    let scene = Scene::new("oci", Engine::opentofu()).await;
    let _ = scene.configure(OCI_MIRROR, &scene.registry.host());
    let said = scene.assert_installs().await.prose();
    assert!(said.contains("verified checksum"), "{said}");
    let archive = scene.release.file(&format!("{}.zip", scene.release.platform()));
    let expected = format!("zh:{}", scene.release.sha256(&archive));
    assert_eq!(scene.checksums("zh:"), [expected]);
    let seen = scene.registry.seen();
    assert!(seen.iter().all(|line| line.contains("/v2/")), "{seen:?}");
}
