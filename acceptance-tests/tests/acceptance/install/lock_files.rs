//! Lock files for several platforms.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, Fixture, checksums};

/// The checksums from the registry, a network mirror and a filesystem mirror are equal. With these checksums, an `init`
/// from another source does not change the lock file.
async fn lock_file_for_two_platforms(engine: Engine) {
    let fixture = Fixture::new("lock_files", engine).await;
    let url = fixture.registry.mirror(&fixture.mirrored().await);
    let archives = fixture.archives().display().to_string();
    let of_registry = lock(&fixture, &[]).await;
    let of_network = lock(&fixture, &[&format!("-net-mirror={url}")]).await;
    let of_filesystem = lock(&fixture, &[&format!("-fs-mirror={archives}")]).await;

    let expected = checksums(&of_registry, "h1:");
    assert_eq!(expected.len(), 2, "one for each platform");
    assert_eq!(checksums(&of_network, "h1:"), expected);
    assert_eq!(checksums(&of_filesystem, "h1:"), expected);

    let elsewhere = fixture.configure(FILESYSTEM_MIRROR, &archives);
    fs::write(elsewhere.lock_file(), &of_network).unwrap();
    let _ = elsewhere.run(&["init", "-input=false", "-lockfile=readonly"]).await.succeeded();
    assert_eq!(fixture.locked(), of_network);
    let _ = elsewhere.plan().await;
}

async fn lock(fixture: &Fixture, from: &[&str]) -> String {
    let workspace = fixture.configure_registry();
    let [one, other] = fixture.platforms();
    let _ = workspace.run(&[&["providers", "lock"], from, &[&one, &other]].concat()).await.succeeded();
    fixture.locked()
}

#[tokio::test]
async fn lock_file_for_two_platforms_with_opentofu() {
    lock_file_for_two_platforms(Engine::opentofu()).await;
}

#[tokio::test]
async fn lock_file_for_two_platforms_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    lock_file_for_two_platforms(engine).await;
}
