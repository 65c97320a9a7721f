//! Installation from a provider registry.

use std::fs;

use gitlabspot_acceptance_tests::Engine;

use super::{CONFIGURATION, Fixture};

/// The source has the host of the registry, whose services are discovered. Checksums and signature are verified.
async fn source_with_registry_host(engine: Engine) {
    let fixture = Fixture::new("by_its_host", engine).await;
    let source = format!("\"{}/gitlabspot/gitlabspot\"", fixture.registry.host());
    let configuration = CONFIGURATION.replace("\"gitlabspot/gitlabspot\"", &source);
    let _ = fixture.configure_with("", &configuration);
    let printed = fixture.assert_installs().await.prose();
    assert!(printed.contains("signed, key ID"), "{printed}");
    assert!(printed.contains(fixture.release.key_id()), "{} is not in: {printed}", fixture.release.key_id());

    let sums = fs::read_to_string(fixture.release.folder().join(fixture.release.file("SHA256SUMS"))).unwrap();
    let mut expected: Vec<String> = sums.lines().map(|line| format!("zh:{}", &line[..64])).collect();
    expected.sort();
    assert_eq!(fixture.checksums("zh:"), expected);
    assert_eq!(fixture.checksums("h1:").len(), 1);

    let seen = fixture.registry.seen();
    for path in ["/.well-known/terraform.json", "/versions", "/download/", "SHA256SUMS", "SHA256SUMS.sig", ".zip"] {
        assert!(seen.iter().any(|line| line.contains(path)), "{path}: {seen:?}");
    }
}

#[tokio::test]
async fn source_with_registry_host_with_opentofu() {
    source_with_registry_host(Engine::opentofu()).await;
}

#[tokio::test]
async fn source_with_registry_host_with_terraform() {
    let Some(engine) = Engine::terraform() else { return };
    source_with_registry_host(engine).await;
}

#[tokio::test]
async fn source_with_registry_host_with_newer_terraform() {
    source_with_registry_host(Engine::newer_terraform()).await;
}

/// The source has no host, as in the documentation. The test replaces the default registry.
#[tokio::test]
async fn short_source_uses_the_default_registry() {
    let fixture = Fixture::new("short_source", Engine::opentofu()).await;
    let _ = fixture.configure_registry();
    let _ = fixture.assert_installs().await;
    let locked = fixture.locked();
    assert!(locked.contains("provider \"registry.opentofu.org/gitlabspot/gitlabspot\""), "{locked}");
}
