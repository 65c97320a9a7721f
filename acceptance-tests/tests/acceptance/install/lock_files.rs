//! Lock files for several platforms.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, Scene, checksums};

/// The same checksums from the registry, from a network mirror and from a filesystem mirror; with them an `init` elsewhere
/// changes nothing.
async fn of_two_platforms(engine: Engine) {
    let scene = Scene::new("lock_files", engine).await;
    let url = scene.registry.mirror(&scene.mirrored().await);
    let archives = scene.archives().display().to_string();
    let of_registry = lock(&scene, &[]).await;
    let of_network = lock(&scene, &[&format!("-net-mirror={url}")]).await;
    let of_filesystem = lock(&scene, &[&format!("-fs-mirror={archives}")]).await;

    let expected = checksums(&of_registry, "h1:");
    assert_eq!(expected.len(), 2, "one for each platform");
    assert_eq!(checksums(&of_network, "h1:"), expected);
    assert_eq!(checksums(&of_filesystem, "h1:"), expected);

    let elsewhere = scene.configure(FILESYSTEM_MIRROR, &archives);
    fs::write(elsewhere.lock_file(), &of_network).unwrap();
    let _ = elsewhere.run(&["init", "-input=false", "-lockfile=readonly"]).await.succeeded();
    assert_eq!(scene.locked(), of_network);
    let _ = elsewhere.plan().await;
}

async fn lock(scene: &Scene, from: &[&str]) -> String {
    let workspace = scene.configure_registry();
    let [one, other] = scene.platforms();
    let _ = workspace.run(&[&["providers", "lock"], from, &[&one, &other]].concat()).await.succeeded();
    scene.locked()
}

#[tokio::test]
async fn of_two_platforms_with_opentofu() {
    of_two_platforms(Engine::opentofu()).await;
}

#[tokio::test]
async fn of_two_platforms_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    of_two_platforms(engine).await;
}
