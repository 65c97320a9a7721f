//! Everything that one test plays on.

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

/// Folder of a workspace whose configuration is no example.
const CONFIGURATION: &str = "configuration";

/// An account, a namespace and a GitLab of the test's own, and the engine it runs. Removed at the end of a test that
/// passes; of one that fails, or of all with `GITLABSPOT_KEEP=1`, the evidence stays.
///
/// Dropping it ends the test with a look at what the provider did: everything that it made in AWS and that is still
/// there is in a state, `docs/permissions` allows all that it called, and no file has the secret of an access key,
/// but for those that the test itself [writes](Self::write_input).
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
    /// For the test of this name, `subject/case`; two tests never have the same.
    ///
    /// # Panics
    ///
    /// Without a running cloud.
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

    /// Where everything of this test is: workspaces, what commands said, logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// Workspaces made from now on start their provider from a shell that runs `command` first, such as `ulimit -f 0`.
    pub fn wrap_provider(&self, command: &str) {
        mirror::wrap_provider(&self.root.join("mirror"), command);
    }

    /// Engines find providers for states that have resources of `hashicorp/aws`, `helm` and `kubernetes`. Those refuse to
    /// change any object.
    pub fn add_other_providers(&self) {
        mirror::add_others(&self.root.join("mirror"));
    }

    /// A workspace with the configuration of `testdata/<case>`, initialised.
    pub async fn testdata(&self, case: &str, variables: Value) -> Workspace {
        let workspace = self.empty_workspace(CONFIGURATION);
        workspace.copy(&repository().join("acceptance-tests/testdata").join(case));
        workspace.set(&variables);
        workspace.init().await;
        workspace
    }

    /// A workspace with the configuration of `examples/<name>`, initialised. It is where it is in `examples/`, and the
    /// modules are, too.
    pub async fn example(&self, name: &str, variables: Value) -> Workspace {
        let workspace = self.copied_example(name, &variables);
        workspace.init().await;
        workspace
    }

    /// The same, and the place of its state is not asked: enough to validate it.
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

    /// A workspace with these files, initialised.
    pub async fn files(&self, files: &[(&str, &str)]) -> Workspace {
        let workspace = self.empty_workspace(CONFIGURATION);
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace.init().await;
        workspace
    }

    /// A workspace with these files and another CLI configuration than that of the other ones, not initialised.
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

    /// A node for this test's builds, of this size.
    pub async fn build_node(&self, cpu: &str, memory: &str) -> BuildNode {
        BuildNode::new(self.namespace.name(), cpu, memory, &self.cloud, &self.kubernetes).await
    }

    /// The node on which containers run, shared by all tests.
    ///
    /// # Panics
    ///
    /// On a machine that cannot run it.
    pub fn real_node(&self) -> RealNode {
        self.cloud.real_node()
    }

    /// Somebody who may do in the cluster what these roles say, and nothing else; Roles are in the namespace, which exists.
    pub async fn restricted(&self, roles: &[Value]) -> Restricted {
        Restricted::new(roles, self.namespace.name(), &self.account, &self.kubernetes).await
    }

    /// What is between this test's provider and the cluster from the first call of this on: sees every request, and lets
    /// faults happen. EKS gives its address; the test's own client, [`Self::kubernetes`], goes past it.
    pub fn kubernetes_faults(&self) -> &KubernetesProxy {
        self.proxy.get_or_init(|| {
            let proxy = self.cloud.kubernetes_proxy();
            self.account.set_cluster_endpoint(&proxy.host());
            proxy
        })
    }

    /// Writes a file that the test gives to the provider, such as a profile: the one place where secrets of the account
    /// may be. Its path.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    #[must_use]
    pub fn write_input(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.join(search::INPUTS).join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Lets a secret of the account stand in the configuration, of which plans have a copy.
    pub fn allow_secret(&self, secret: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }

    /// The policies for plans allow what was called after so many calls.
    ///
    /// # Panics
    ///
    /// When they do not.
    pub fn assert_enough_for_plans(&self, calls: usize) {
        let types_in = types_in(&evidence::configurations(&self.root));
        let lacking = Policies::of("plan").lacking(&types_in, &self.account.calls()[calls..]);
        assert!(lacking.is_empty(), "called by a plan, and not allowed by docs/permissions/plan: {lacking:?}");
    }

    /// Nothing is left in the account and in the namespace.
    ///
    /// # Panics
    ///
    /// When something is.
    pub async fn assert_nothing_remains(&self) {
        let left = self.account.leftovers();
        assert!(left.is_empty(), "left behind in AWS: {left:?}");
        self.namespace.assert_empty().await;
    }
}

/// What no test can forget: it is looked at when the stage of a test that passed is dropped.
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

/// The resources and data sources that a text names, without `gitlabspot_`.
fn types_in(text: &str) -> BTreeSet<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let words = text.split(|character| !is_part(character));
    words.filter_map(|word| word.strip_prefix("gitlabspot_")).map(str::to_owned).collect()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let panicking = std::thread::panicking();
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
