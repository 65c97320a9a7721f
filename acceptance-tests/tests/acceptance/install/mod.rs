//! Installation of a release from a registry and from mirrors, as in the guide: checksums and signature are verified,
//! and falsified files are refused.

mod lock_files;
mod mirrors;
mod refusals;
mod registry;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gitlabspot_acceptance_tests::{Engine, Output, Registry, Release, Stage, Workspace};

const GUIDE: &str = include_str!("../../../../docs/guides/installation.md");

const CONFIGURATION: &str = r#"
terraform {
  required_providers {
    gitlabspot = {
      source  = "gitlabspot/gitlabspot"
      version = "~> 0.1"
    }
  }
}

resource "gitlabspot_cache_bucket" "cache" {
  bucket = "installed-in-some-way"
}
"#;

/// Files of `examples/installation`, which the guide quotes, with the placeholder for the reader's own value.
const FILESYSTEM_MIRROR: (&str, &str) =
    (include_str!("../../../../examples/installation/filesystem-mirror.tfrc"), "/opt/providers");
const NETWORK_MIRROR: (&str, &str) =
    (include_str!("../../../../examples/installation/network-mirror.tfrc"), "https://mirror.example.com/providers/");
const OCI_MIRROR: (&str, &str) = (include_str!("../../../../examples/installation/oci-mirror.tfrc"), "oci.example.com");
const REGISTRY: (&str, &str) =
    (include_str!("../../../../examples/installation/registry.tfrc"), "registry.example.com");

/// A release, and a server that offers it.
struct Fixture {
    workspace: Workspace,
    stage: Stage,
    release: Release,
    registry: Registry,
    /// The registry host that the engine adds to a source without host.
    default_host: &'static str,
}

impl Fixture {
    async fn new(test: &str, engine: Engine) -> Self {
        let default_host = if engine.name() == "opentofu" { "registry.opentofu.org" } else { "registry.terraform.io" };
        let stage = Stage::new(&format!("install/{test}/{}", engine.name()), engine).await;
        let release = Release::of_this_build();
        let registry = Registry::start(&release, stage.folder()).await;
        let workspace = stage.with_cli_configuration("", &[("main.tf", CONFIGURATION)]);
        let workspace = workspace.with_environment("SSL_CERT_FILE", &registry.authority().display().to_string());
        Self { workspace, stage, release, registry, default_host }
    }

    /// Configures the installation by an example, with `own` in place of its placeholder. Deletes installed providers
    /// and the lock file.
    fn configure(&self, example: (&str, &str), own: &str) -> &Workspace {
        let (text, theirs) = example;
        assert!(text.contains(theirs), "{theirs} is not in the example: {text}");
        self.configure_with(&text.replace(theirs, own), CONFIGURATION)
    }

    /// Configures the registry of the test as the default registry of the engine.
    fn configure_registry(&self) -> &Workspace {
        let (text, theirs) = REGISTRY;
        let cli = text.replace(theirs, &self.registry.host()).replace("registry.opentofu.org", self.default_host);
        self.configure_with(&cli, CONFIGURATION)
    }

    fn configure_with(&self, cli: &str, configuration: &str) -> &Workspace {
        let _ = fs::remove_file(self.workspace.lock_file());
        let _ = fs::remove_dir_all(self.workspace.folder().join(".terraform"));
        let _ = self.stage.with_cli_configuration(cli, &[("main.tf", configuration)]);
        &self.workspace
    }

    /// Creates a filesystem mirror from downloads, which are verified, with the commands of the guide.
    fn archives(&self) -> PathBuf {
        let (downloads, mirror) =
            (self.stage.folder().join("downloads/mirror"), self.stage.folder().join("archives/mirror"));
        fs::create_dir_all(&downloads).unwrap();
        for entry in fs::read_dir(self.release.folder()).unwrap().flatten() {
            fs::copy(entry.path(), downloads.join(entry.file_name())).unwrap();
        }
        let (keyring, key) = (tempfile::tempdir().unwrap(), downloads.join("key.asc"));
        fs::write(&key, self.release.public_key()).unwrap();
        let blocks = guide("shell");
        let (verify, copy) =
            (blocks[0].replace("gpg", "gpg --batch"), blocks[1].replace("/opt/providers", mirror.to_str().unwrap()));
        let copy = copy.replace("registry.opentofu.org", self.default_host);
        let copy = copy.replace("linux_amd64", &self.release.platform());
        let other = copy.replace(&self.release.platform(), self.release.other_platform());
        for script in ["gpg --batch --import key.asc", &verify, &copy, &other] {
            let output = Command::new("sh")
                .args(["-e", "-c", script])
                .current_dir(&downloads)
                .env("GNUPGHOME", keyring.path())
                .output();
            let output = output.unwrap();
            assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        }
        mirror
    }

    /// Creates a mirror of the registry for both platforms with `providers mirror`.
    async fn mirrored(&self) -> PathBuf {
        let mirror = self.stage.folder().join("mirrored/mirror");
        let target = mirror.display().to_string();
        let [one, other] = self.platforms();
        let _ = self.configure_registry().run(&["providers", "mirror", &one, &other, &target]).await.succeeded();
        mirror
    }

    fn platforms(&self) -> [String; 2] {
        [self.release.platform(), self.release.other_platform().to_owned()]
            .map(|platform| format!("-platform={platform}"))
    }

    /// Asserts that `init` installs the provider, `providers` lists it and `plan` runs it.
    async fn assert_installs(&self) -> Output {
        let output = self.workspace.run(&["init", "-input=false"]).await.succeeded();
        let source = format!("gitlabspot/gitlabspot v{}", self.release.version());
        assert!(output.prose().contains(&source), "{output}");
        let listed = self.workspace.run(&["providers"]).await.succeeded();
        assert!(listed.stdout.contains("/gitlabspot/gitlabspot]"), "{listed}");
        let plan = self.workspace.plan().await;
        assert_eq!(plan.changes().into_keys().collect::<Vec<_>>(), ["gitlabspot_cache_bucket.cache"]);
        output
    }

    fn locked(&self) -> String {
        fs::read_to_string(self.workspace.lock_file()).unwrap()
    }

    /// Checksums of one kind (`h1:` or `zh:`) in the lock file.
    fn checksums(&self, kind: &str) -> Vec<String> {
        checksums(&self.locked(), kind)
    }
}

/// Code blocks of the guide in one language.
fn guide(language: &str) -> Vec<&'static str> {
    let begin = format!("```{language}\n");
    GUIDE.split(begin.as_str()).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

fn checksums(lock_file: &str, kind: &str) -> Vec<String> {
    lock_file.split('"').filter(|word| word.starts_with(kind)).map(str::to_owned).collect()
}
