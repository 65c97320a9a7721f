//! From a provider registry.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{CONFIGURATION, Scene};

/// The source names the registry, whose services are discovered; checksums and signature are verified.
async fn by_its_host(engine: Engine) {
    let scene = Scene::new("by_its_host", engine).await;
    let source = format!("\"{}/gitlabspot/gitlabspot\"", scene.registry.host());
    let configuration = CONFIGURATION.replace("\"gitlabspot/gitlabspot\"", &source);
    let _ = scene.configure_with("", &configuration);
    let said = scene.assert_installs().await.prose();
    assert!(said.contains("signed, key ID"), "{said}");
    assert!(said.contains(scene.release.key_id()), "{} is not in: {said}", scene.release.key_id());

    let sums = fs::read_to_string(scene.release.folder().join(scene.release.file("SHA256SUMS"))).unwrap();
    let mut expected: Vec<String> = sums.lines().map(|line| format!("zh:{}", &line[..64])).collect();
    expected.sort();
    assert_eq!(scene.checksums("zh:"), expected);
    assert_eq!(scene.checksums("h1:").len(), 1);

    let seen = scene.registry.seen();
    for path in ["/.well-known/terraform.json", "/versions", "/download/", "SHA256SUMS", "SHA256SUMS.sig", ".zip"] {
        assert!(seen.iter().any(|line| line.contains(path)), "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn by_its_host_with_opentofu() {
    by_its_host(Engine::opentofu()).await;
}

#[tokio::test]
async fn by_its_host_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    by_its_host(engine).await;
}

#[tokio::test]
async fn by_its_host_with_newer_terraform() {
    by_its_host(Engine::newer_terraform()).await;
}

/// The short source, as in the documentation: the default registry is another one for the time of the test.
#[tokio::test]
async fn by_the_short_source() {
    let scene = Scene::new("by_the_short_source", Engine::opentofu()).await;
    let _ = scene.configure_registry();
    let _ = scene.assert_installs().await;
    let locked = scene.locked();
    assert!(locked.contains("provider \"registry.opentofu.org/gitlabspot/gitlabspot\""), "{locked}");
}
