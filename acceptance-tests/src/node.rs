//! A build node for one test.

use k8s_openapi::api::core::v1::Node;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::cloud::unique;
use crate::kubernetes::Kubernetes;
use crate::{Cloud, evidence};

const TEST: &str = "local-cloud/test";
const BUILD: &str = "local-cloud/build";

/// A node with a label and a taint of its own, like the build nodes of the guide. It is deleted when the value is
/// dropped.
#[derive(Debug)]
pub struct BuildNode {
    name: String,
    cloud: Cloud,
}

impl BuildNode {
    pub(crate) async fn new(test: &str, cpu: &str, memory: &str, cloud: &Cloud, kubernetes: &Kubernetes) -> Self {
        let name = unique(test);
        let room = json!({ "cpu": cpu, "memory": memory, "pods": "110" });
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": { "name": name, "labels": { TEST: name, "kubernetes.io/hostname": name } },
            "spec": { "taints": [{ "key": BUILD, "value": name, "effect": "NoSchedule" }] },
            // Created with its capacity, as by a kubelet: a later update would conflict with that of kwok.
            "status": { "capacity": room, "allocatable": room },
        });
        let node: Node = serde_json::from_value(node).expect("a node");
        let nodes: Api<Node> = Api::all(kubernetes.client());
        nodes.create(&PostParams::default(), &node).await.expect("a node can be made");
        Self { name, cloud: cloud.clone() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Node selector for its pods.
    #[must_use]
    pub fn selector(&self) -> Value {
        json!({ TEST: self.name })
    }

    /// Tolerations for its pods.
    #[must_use]
    pub fn tolerations(&self) -> Value {
        json!([{ "key": BUILD, "operator": "Equal", "value": self.name, "effect": "NoSchedule" }])
    }
}

impl Drop for BuildNode {
    fn drop(&mut self) {
        let name = self.name.clone();
        let deleted = evidence::block_on_cluster(&self.cloud, async |kubernetes| {
            Api::<Node>::all(kubernetes.client()).delete(&name, &DeleteParams::default()).await.map(drop)
        });
        if let Ok(Err(error)) = deleted {
            eprintln!("node {}: {error}", self.name);
        }
    }
}
