//! Everything that one test plays on.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cloud::repository;
use crate::{Account, BuildNode, Cloud, Engine, GitLab, Kubernetes, Namespace, Workspace, evidence, mirror};

/// An account, a namespace and a GitLab of the test's own, and the engine it runs. Removed at the end of a test that
/// passes; of one that fails, or of all with `GITLABSPOT_KEEP=1`, the evidence stays.
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
    engine: Engine,
    root: PathBuf,
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
        }
    }

    /// Where everything of this test is: workspaces, what commands said, logs.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.root
    }

    /// A workspace with the configuration of `testdata/<case>`, initialised.
    pub async fn testdata(&self, case: &str, variables: Value) -> Workspace {
        self.copied(&repository().join("acceptance-tests/testdata").join(case), variables).await
    }

    /// A workspace with the configuration of `examples/<name>`, initialised.
    pub async fn example(&self, name: &str, variables: Value) -> Workspace {
        self.copied(&repository().join("examples").join(name), variables).await
    }

    /// A workspace with these files, initialised.
    pub async fn files(&self, files: &[(&str, &str)]) -> Workspace {
        let workspace = self.empty_workspace();
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace.init().await;
        workspace
    }

    async fn copied(&self, source: &Path, variables: Value) -> Workspace {
        let workspace = self.empty_workspace();
        workspace.copy(source);
        workspace.set(&variables);
        workspace.init().await;
        workspace
    }

    fn empty_workspace(&self) -> Workspace {
        let cli = mirror::lay_out(&self.root.join("mirror"));
        evidence::write(&self.root, "engine.tfrc", &cli);
        let environment =
            self.account.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Workspace::new(&self.root, self.engine.clone(), environment)
    }

    /// A node for this test's builds, of this size.
    pub async fn build_node(&self, cpu: &str, memory: &str) -> BuildNode {
        BuildNode::new(self.namespace.name(), cpu, memory, &self.cloud, &self.kubernetes).await
    }

    /// Nothing is left in the account and in the namespace.
    ///
    /// # Panics
    ///
    /// When something is.
    pub async fn assert_nothing_left(&self) {
        let left = self.account.leftovers();
        assert!(left.is_empty(), "left behind in AWS: {left:?}");
        self.namespace.assert_empty().await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() || std::env::var_os("GITLABSPOT_KEEP").is_some() {
            evidence::collect(&self.root, &self.cloud, &self.account, &self.gitlab, self.namespace.name());
            return;
        }
        let name = self.namespace.name().to_owned();
        let deleted = evidence::aside(&self.cloud, async |kubernetes| Namespace::delete(&name, &kubernetes).await);
        if let Err(error) = deleted.and_then(|()| fs::remove_dir_all(&self.root).map_err(|error| error.to_string())) {
            eprintln!("{}: {error}", self.root.display());
        }
    }
}
