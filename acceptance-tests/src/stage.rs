//! The environment of one test.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use serde_json::Value;

use crate::cloud::repository;
use crate::permissions::Policies;
use crate::{Account, BuildNode, Cloud, Engine, GitLab, Kubernetes, KubernetesProxy, Namespace, RealNode};
use crate::{Restricted, Workspace};
use crate::{evidence, mirror, search, state};

/// Folder of a workspace with a configuration that is not an example.
const CONFIGURATION: &str = "configuration";

/// An AWS account, a namespace and a GitLab instance for one test, and the engine that it runs. They are deleted if the
/// test passes. The evidence remains if it fails, and always with `GITLABSPOT_KEEP=1`.
///
/// Dropping it checks what the provider did: all objects that it created and that still exist in AWS are in a state,
/// `docs/permissions` allows all its calls, and no file has the secret of an access key, except for files that the test
/// [writes](Self::write_input).
#[derive(Debug)]
pub struct Stage {
    /// The AWS account.
    pub account: Account,
    /// The namespace.
    pub namespace: Namespace,
    /// The cluster.
    pub kubernetes: Kubernetes,
    /// The GitLab.
    pub gitlab: GitLab,
    cloud: Cloud,
    proxy: OnceLock<KubernetesProxy>,
    engine: Engine,
    root: PathBuf,
    seen: Mutex<Vec<String>>,
}

impl Stage {
    /// Creates the stage of a test with a unique name, `subject/case`.
    ///
    /// # Panics
    ///
    /// If no cloud runs.
    pub async fn new(test: &str, engine: Engine) -> Self {
        let cloud = Cloud::running();
        let kubernetes = cloud.kubernetes().await;
        Self {
            account: cloud.account(),
            namespace: Namespace::new(test, kubernetes.clone()),
            kubernetes,
            gitlab: cloud.gitlab(test),
            engine,
            root: evidence::folder(test),
            cloud,
            proxy: OnceLock::new(),
            seen: Mutex::default(),
        }
    }

    /// Folder with all files of the test: workspaces, output of commands, logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Makes later workspaces start the provider from a shell that runs `command` first, such as `ulimit -f 0`.
    pub fn wrap_provider(&self, command: &str) {
        mirror::wrap_provider(&self.root.join("mirror"), command);
    }

    /// Provides stand-ins for `hashicorp/aws`, `helm` and `kubernetes` for states with their resources. They refuse to
    /// change objects.
    pub fn add_other_providers(&self) {
        mirror::add_others(&self.root.join("mirror"));
    }

    /// An initialized workspace with the configuration of `testdata/<case>`.
    pub async fn testdata(&self, case: &str, variables: Value) -> Workspace {
        let workspace = self.empty_workspace(CONFIGURATION);
        workspace.copy(&repository().join("acceptance-tests/testdata").join(case));
        workspace.set(&variables);
        workspace.init().await;
        workspace
    }

    /// An initialized workspace with the configuration of `examples/<name>`, at the same path relative to the modules.
    pub async fn example(&self, name: &str, variables: Value) -> Workspace {
        let workspace = self.copied_example(name, &variables);
        workspace.init().await;
        workspace
    }

    /// The same without initializing the backend, which is sufficient for `validate`.
    pub async fn example_without_backend(&self, name: &str, variables: Value) -> Workspace {
        let workspace = self.copied_example(name, &variables);
        workspace.init_without_backend().await;
        workspace
    }

    fn copied_example(&self, name: &str, variables: &Value) -> Workspace {
        let examples = repository().join("examples");
        self.empty_workspace("examples/modules").copy(&examples.join("modules"));
        let workspace = self.empty_workspace(&format!("examples/{name}"));
        workspace.copy(&examples.join(name));
        workspace.set(variables);
        workspace
    }

    /// An initialized workspace with these files.
    pub async fn files(&self, files: &[(&str, &str)]) -> Workspace {
        let workspace = self.empty_workspace(CONFIGURATION);
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace.init().await;
        workspace
    }

    /// A workspace with these files and its own CLI configuration, not initialized.
    pub fn with_cli_configuration(&self, cli: &str, files: &[(&str, &str)]) -> Workspace {
        let workspace = self.workspace_with(cli, CONFIGURATION);
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace
    }

    fn empty_workspace(&self, place: &str) -> Workspace {
        self.workspace_with(&mirror::lay_out(&self.root.join("mirror")), place)
    }

    fn workspace_with(&self, cli: &str, place: &str) -> Workspace {
        evidence::write(&self.root, "engine.tfrc", cli);
        let environment =
            self.account.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Workspace::new(&self.root, place, self.engine.clone(), environment)
    }

    /// Creates a build node of this size.
    pub async fn build_node(&self, cpu: &str, memory: &str) -> BuildNode {
        BuildNode::new(self.namespace.name(), cpu, memory, &self.cloud, &self.kubernetes).await
    }

    /// The node that runs real containers, which all tests share.
    ///
    /// # Panics
    ///
    /// On a machine that cannot run it.
    pub fn real_node(&self) -> RealNode {
        self.cloud.real_node()
    }

    /// Creates a service account with these roles only. The namespace must exist, because Roles are created in it.
    pub async fn restricted(&self, roles: &[Value]) -> Restricted {
        Restricted::new(roles, self.namespace.name(), &self.account, &self.kubernetes).await
    }

    /// The proxy in front of the API server, which records requests and injects faults. The first call starts it and
    /// makes EKS return its address; the client of the test, [`Self::kubernetes`], does not use it.
    pub fn kubernetes_faults(&self) -> &KubernetesProxy {
        self.proxy.get_or_init(|| {
            let proxy = self.cloud.kubernetes_proxy();
            self.account.set_cluster_endpoint(&proxy.host());
            proxy
        })
    }

    /// Writes an input file for the provider, such as a profile. Only these files may have secrets of the account.
    /// Returns the path.
    ///
    /// # Panics
    ///
    /// If the file cannot be written.
    #[must_use]
    pub fn write_input(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(search::INPUTS).join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Allows a secret of the account in all files, because plans have a copy of the configuration.
    pub fn allow_secret(&self, secret: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }

    /// Asserts that the policies for plans allow all calls after the first `calls` ones.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn assert_enough_for_plans(&self, calls: usize) {
        let types_in = types_in(&evidence::configurations(&self.root));
        let lacking = Policies::of("plan").lacking(&types_in, &self.account.calls()[calls..]);
        assert!(lacking.is_empty(), "called by a plan, and not allowed by docs/permissions/plan: {lacking:?}");
    }

    /// Asserts that no objects remain in the account and in the namespace.
    ///
    /// # Panics
    ///
    /// If objects remain.
    pub async fn assert_nothing_remains(&self) {
        let left = self.account.leftovers();
        assert!(left.is_empty(), "left behind in AWS: {left:?}");
        self.namespace.assert_empty().await;
    }
}

/// Checks of every test that passed, when its stage is dropped.
impl Stage {
    fn assert_no_leaks(&self) {
        let (state, text) = (evidence::states(&self.root), evidence::configurations(&self.root));
        let unknown: Vec<String> = self
            .account
            .leftovers_of_provider()
            .into_iter()
            .flat_map(|(kind, names)| names.into_iter().map(move |name| (kind.clone(), name)))
            .filter(|(_, name)| !state::mentions(&state, name))
            .map(|(kind, name)| format!("{kind}: {name}"))
            .collect();
        assert!(unknown.is_empty(), "left behind in AWS, and no state tells of it: {unknown:?}");
        let policies = Policies::of("").and(Policies::of("query"));
        let lacking = policies.lacking(&types_in(&text), &self.account.all_calls());
        assert!(lacking.is_empty(), "called, and no policy in docs/permissions allows it: {lacking:?}");
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut secrets = self.account.secrets();
        secrets.retain(|secret| !seen.contains(secret));
        let encoded = secrets.iter().map(|secret| base64::engine::general_purpose::STANDARD.encode(secret));
        let all: Vec<String> = secrets.iter().cloned().chain(encoded).collect();
        let _ = search::assert_none_of(&self.root, &all.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Names of the resources and data sources in a text, without `gitlabspot_`.
fn types_in(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = text.split(|character| !is_part(character));
    words.filter_map(|word| word.strip_prefix("gitlabspot_")).map(str::to_owned).collect()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
        // A failed check panics again after its evidence has been collected.
        let disorder = if panicking { Ok(()) } else { catch_unwind(AssertUnwindSafe(|| self.assert_no_leaks())) };
        if panicking || disorder.is_err() || std::env::var_os("GITLABSPOT_KEEP").is_some() {
            if let Some(proxy) = self.proxy.get() {
                let calls = serde_json::json!(proxy.calls());
                evidence::write(&self.root, "kubernetes-calls.json", &format!("{calls:#}"));
            }
            evidence::collect(&self.root, &self.cloud, &self.account, &self.gitlab, self.namespace.name());
            if let Err(panic) = disorder {
                resume_unwind(panic);
            }
            return;
        }
        let name = self.namespace.name().to_owned();
        let deleted =
            evidence::block_on_cluster(&self.cloud, async |kubernetes| Namespace::delete(&name, &kubernetes).await);
        if let Err(error) = deleted.and_then(|()| fs::remove_dir_all(&self.root).map_err(|error| error.to_string())) {
            eprintln!("{}: {error}", self.root.display());
        }
    }
}
