//! The local cloud that `make cloud` started, as its `cloud.json` describes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::control::Control;
use crate::{Account, GitLab, Kubernetes, KubernetesProxy, RealNode, real_node};

/// The running local cloud. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Cloud {
    description: Arc<Description>,
}

#[derive(Debug, Deserialize)]
struct Description {
    region: String,
    aws: Aws,
    kubernetes: Cluster,
    gitlab: Stub,
    node: real_node::Description,
    tools: Tools,
}

#[derive(Debug, Deserialize)]
struct Aws {
    endpoint: String,
    control: String,
}

#[derive(Debug, Deserialize)]
struct Cluster {
    host: String,
    ca_file: PathBuf,
    client_certificate_file: PathBuf,
    client_key_file: PathBuf,
    admin_token: String,
    kubeconfig: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Stub {
    url: String,
    control: String,
}

#[derive(Debug, Deserialize)]
struct Tools {
    tofu: PathBuf,
}

impl Cloud {
    /// The cloud of `$GITLABSPOT_CLOUD` (the path of a `cloud.json`), or the one in `<repository>/.cloud`.
    ///
    /// # Panics
    ///
    /// If no cloud runs: the tests never start one by themselves.
    #[must_use]
    pub fn running() -> Self {
        let path =
            std::env::var_os("GITLABSPOT_CLOUD").map_or_else(|| repository().join(".cloud/cloud.json"), PathBuf::from);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!(
                "{}: {error}\nThese tests need the local cloud: start it with `make cloud`, or run them all with \
                 `make test`, which starts one of its own.",
                path.display()
            )
        });
        let description = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{} does not describe a cloud: {error}", path.display()));
        Self { description: Arc::new(description) }
    }

    /// Creates an AWS account with a VPC, three subnets, the EKS cluster `prod` and an access key of an administrator.
    #[must_use]
    pub fn account(&self) -> Account {
        let aws = &self.description.aws;
        let control = Control::new(&aws.control);
        let id = format!("{:012}", 100_000_000_000 + random() % 900_000_000_000);
        let furnished = control.post("/accounts", &json!({ "account": id, "region": self.description.region }));
        Account::new(furnished, control, &aws.endpoint)
    }

    /// Creates a GitLab instance for one test.
    #[must_use]
    pub fn gitlab(&self, name: &str) -> GitLab {
        let gitlab = &self.description.gitlab;
        GitLab::new(&gitlab.url, Control::new(&gitlab.control), &unique(name))
    }

    /// The node that runs real containers.
    ///
    /// # Panics
    ///
    /// On a machine that cannot run it.
    #[must_use]
    pub fn real_node(&self) -> RealNode {
        RealNode::of(&self.description.node)
    }

    /// A client of the cluster with the credentials of an administrator.
    pub async fn kubernetes(&self) -> Kubernetes {
        Kubernetes::connect(&self.description.kubernetes.kubeconfig).await
    }

    /// URL of the API server.
    #[must_use]
    pub fn kubernetes_host(&self) -> &str {
        &self.description.kubernetes.host
    }

    /// A token of the cluster's administrator that does not expire.
    #[must_use]
    pub fn kubernetes_token(&self) -> &str {
        &self.description.kubernetes.admin_token
    }

    /// Path of a kubeconfig of the cluster's administrator, with `local` as the name of all entries.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.description.kubernetes.kubeconfig
    }

    /// CA certificate of the API server, in PEM.
    #[must_use]
    pub fn kubernetes_authority(&self) -> String {
        read(&self.description.kubernetes.ca_file)
    }

    /// Client certificate and key of an administrator, both in PEM.
    #[must_use]
    pub fn kubernetes_certificate(&self) -> (String, String) {
        let Cluster { client_certificate_file, client_key_file, .. } = &self.description.kubernetes;
        (read(client_certificate_file), read(client_key_file))
    }

    pub(crate) fn kubernetes_proxy(&self) -> KubernetesProxy {
        let Cluster { host, ca_file, .. } = &self.description.kubernetes;
        KubernetesProxy::start(host, ca_file.parent().expect("a file is in a folder"))
    }

    /// Path of a tool that `make tools` installed.
    #[must_use]
    pub fn tool(&self, name: &str) -> PathBuf {
        self.tofu().with_file_name(name)
    }

    pub(crate) fn tofu(&self) -> &Path {
        &self.description.tools.tofu
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the repository")
}

/// Returns `name` with a random suffix, valid for Kubernetes objects and buckets: at most 63 bytes.
pub(crate) fn unique(name: &str) -> String {
    let name: String = name
        .to_lowercase()
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .take(50)
        .collect();
    format!("{}-{:010x}", name.trim_matches('-'), random() & 0xff_ffff_ffff)
}

fn random() -> u64 {
    getrandom::u64().expect("the system has random numbers")
}

#[cfg(test)]
mod tests {
    use super::unique;

    #[test]
    fn unique_names_are_valid() {
        let name = unique("node_group/Repairs a removed tag, whatever it takes, for ever and ever");
        assert!(name.starts_with("node-group-repairs-a-removed-tag"), "{name}");
        assert!(name.len() <= 63 && name != unique("node_group/Repairs a removed tag"), "{name}");
    }
}
