//! Placeholder pods on a node with a real kubelet, which terminates their pause containers.

use std::time::Duration;

use gitlabspot_acceptance_tests::{Engine, RealNode, Stage, Workspace, until_slow};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;

use crate::warm_capacity::scheduled::{minute_after, now, period};

use super::{TIMEOUT, name};

/// Maximum wait for the end of a period.
const A_PERIOD: Duration = Duration::from_secs(240);

/// A workspace with placeholder pods, two of which fill the node.
struct Warm {
    workspace: Workspace,
    node: RealNode,
    stage: Stage,
    /// Memory request of a placeholder pod, in MiB.
    memory: u64,
}

impl Warm {
    async fn new(test: &str) -> Self {
        let stage = Stage::new(&format!("real_node/{test}"), Engine::opentofu()).await;
        let node = stage.real_node();
        stage.namespace.create().await;
        let memory = allocatable_memory(&stage, &node).await * 2 / 5;
        let pod = json!({
            "cpu": "10m", "memory": format!("{memory}Mi"),
            "node_selector": node.selector(), "tolerations": node.tolerations(),
        });
        let all = json!({
            "cluster_name": stage.account.cluster(), "namespace": stage.namespace.name(), "pods": 2, "pod": pod,
        });
        let workspace = stage.testdata("warm_capacity/placeholders", all).await;
        Self { workspace, node, stage, memory }
    }

    fn pods(&self) -> Api<Pod> {
        self.stage.kubernetes.api(self.stage.namespace.name())
    }

    /// Phases of the placeholder pods, without those that are being deleted.
    async fn placeholders(&self) -> Vec<String> {
        let labels = ListParams::default().labels("app.kubernetes.io/name=gitlabspot-warm-capacity");
        let pods = self.pods().list(&labels).await.unwrap().into_iter();
        let mut phases: Vec<String> = pods
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .filter_map(|pod| pod.status?.phase)
            .filter(|phase| phase != "Succeeded" && phase != "Failed")
            .collect();
        phases.sort();
        phases
    }

    async fn until_placeholders(&self, wanted: &[&str]) {
        let there = async || format!("{:?}, not {wanted:?}: {:?}", self.placeholders().await, self.jobs().await);
        until_slow(TIMEOUT, async || self.placeholders().await == wanted, there).await;
    }

    async fn jobs(&self) -> Vec<Job> {
        let jobs = self.stage.kubernetes.api::<Job>(self.stage.namespace.name());
        jobs.list(&ListParams::default()).await.unwrap().items
    }

    /// Creates a job pod that preempts a placeholder pod, and deletes the job pod.
    async fn preempt_and_delete(&self, job: &str) {
        let pod = json!({
            "metadata": { "name": job },
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "nodeSelector": self.node.selector(),
                "tolerations": self.node.tolerations(),
                "containers": [{
                    "name": "build", "image": "docker.io/library/busybox:1.35", "command": ["sleep", "1000"],
                    "resources": { "requests": { "memory": format!("{}Mi", self.memory) } },
                }],
            },
        });
        let pod: Pod = self.pods().create(&PostParams::default(), &serde_json::from_value(pod).unwrap()).await.unwrap();
        self.until_placeholders(&["Pending", "Running"]).await;
        let is_running = async || self.pods().get(job).await.unwrap().status.unwrap().phase.unwrap() == "Running";
        until_slow(TIMEOUT, is_running, async || format!("{job} runs")).await;
        self.pods().delete(&name(&pod), &DeleteParams::default()).await.unwrap();
        self.until_placeholders(&["Running", "Running"]).await;
    }
}

/// Allocatable memory of the node in MiB.
async fn allocatable_memory(stage: &Stage, node: &RealNode) -> u64 {
    let nodes: Api<Node> = Api::all(stage.kubernetes.client());
    let allocatable = nodes.get(node.name()).await.unwrap().status.unwrap().allocatable.unwrap();
    allocatable["memory"].0.strip_suffix("Ki").unwrap().parse::<u64>().unwrap() / 1024
}

/// L19, L20: jobs preempt placeholder pods of a period more often than there are placeholders, each is replaced, and
/// the period ends in time. The same is tested without a schedule, in one test, because two tests would fill the node
/// twice.
#[tokio::test]
async fn preempted_placeholders_are_replaced() {
    let warm = Warm::new("warm_capacity").await;
    let (start, end) = (now() / 60 * 60 - 3600, minute_after(75));
    warm.workspace.set(&json!({ "schedule": period(start, end) }));
    warm.workspace.apply().await;
    warm.until_placeholders(&["Running", "Running"]).await;
    for job in ["first", "second", "third"] {
        warm.preempt_and_delete(job).await;
        warm.workspace.assert_stable().await;
    }
    until_slow(A_PERIOD, async || warm.jobs().await.is_empty(), async || format!("{:?}", warm.jobs().await)).await;
    assert!(now() >= end - 1, "the Job ended {} s before the period", end - now());
    warm.until_placeholders(&[]).await;
    warm.workspace.assert_stable().await;

    warm.workspace.set(&json!({ "schedule": null }));
    warm.workspace.apply().await;
    warm.until_placeholders(&["Running", "Running"]).await;
    for job in ["fourth", "fifth", "sixth"] {
        warm.preempt_and_delete(job).await;
    }
    warm.workspace.assert_stable().await;
    warm.workspace.destroy().await;
    warm.stage.assert_nothing_remains().await;
}
