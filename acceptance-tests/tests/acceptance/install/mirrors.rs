//! Installation from mirrors, with the CLI configurations of the guide.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{FILESYSTEM_MIRROR, Fixture, NETWORK_MIRROR, OCI_MIRROR, guide};

/// A filesystem mirror with the archives of a release.
async fn filesystem_mirror(engine: Engine) {
    let fixture = Fixture::new("filesystem", engine).await;
    let _ = fixture.configure(FILESYSTEM_MIRROR, &fixture.archives().display().to_string());
    let _ = fixture.assert_installs().await;
    assert_eq!(fixture.registry.seen(), [""; 0]);
    assert_eq!(fixture.checksums("h1:").len(), 1);
}

#[tokio::test]
async fn filesystem_mirror_with_opentofu() {
    filesystem_mirror(Engine::opentofu()).await;
}

#[tokio::test]
async fn filesystem_mirror_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    filesystem_mirror(engine).await;
}

/// A network mirror with the files that `providers mirror` downloaded from the registry.
async fn network_mirror(engine: Engine) {
    let fixture = Fixture::new("network", engine).await;
    let url = fixture.registry.mirror(&fixture.mirrored().await);
    let before = fixture.registry.seen().len();
    let _ = fixture.configure(NETWORK_MIRROR, &url);
    let _ = fixture.assert_installs().await;
    let seen = fixture.registry.seen().split_off(before);
    let folder = format!("/mirror/{}/gitlabspot/gitlabspot/", fixture.default_host);
    assert!(seen.iter().all(|line| line.contains(&folder)), "{seen:?}");
    assert!(seen.iter().any(|line| line.ends_with("/index.json")), "{seen:?}");
}

#[tokio::test]
async fn network_mirror_with_opentofu() {
    network_mirror(Engine::opentofu()).await;
}

#[tokio::test]
async fn network_mirror_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    network_mirror(engine).await;
}

/// A network mirror with the archives of a release and the index files of the guide.
#[tokio::test]
async fn network_mirror_of_release_archives() {
    let fixture = Fixture::new("network_of_archives", Engine::opentofu()).await;
    let mirror = fixture.archives();
    let folder = mirror.join(fixture.default_host).join("gitlabspot/gitlabspot");
    for (name, text) in ["index.json", "0.1.0.json"].into_iter().zip(guide("json")) {
        fs::write(folder.join(name), text.replace("linux_amd64", &fixture.release.platform())).unwrap();
    }
    let _ = fixture.configure(NETWORK_MIRROR, &fixture.registry.mirror(&mirror));
    let _ = fixture.assert_installs().await;
}

/// An OCI registry, which only OpenTofu supports.
#[tokio::test]
async fn oci_registry_with_opentofu() {
    let fixture = Fixture::new("oci", Engine::opentofu()).await;
    let _ = fixture.configure(OCI_MIRROR, &fixture.registry.host());
    let printed = fixture.assert_installs().await.prose();
    assert!(printed.contains("verified checksum"), "{printed}");
    let archive = fixture.release.file(&format!("{}.zip", fixture.release.platform()));
    let expected = format!("zh:{}", fixture.release.sha256(&archive));
    assert_eq!(fixture.checksums("zh:"), [expected]);
    let seen = fixture.registry.seen();
    assert!(seen.iter().all(|line| line.contains("/v2/")), "{seen:?}");
}
