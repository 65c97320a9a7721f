//! Tests of `gitlabspot_warm_capacity` on the real scheduler and controllers, with a build node for each test.

mod always;
mod conflicts;
mod faults;
mod interruption;
mod ownership;
mod permissions;
mod refusals;
pub(crate) mod scheduled;

use std::time::Duration;

use gitlabspot_acceptance_tests::{BuildNode, Engine, KubernetesProxy, Stage, Workspace, until_slow};
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::{Value, json};

const ADDRESS: &str = "gitlabspot_warm_capacity.next";
const NAME: &str = "warm";

/// Time that the controllers need on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A build node with capacity for two jobs, and placeholder pods of that size, which can only run there.
struct Fixture {
    workspace: Workspace,
    node: BuildNode,
    stage: Stage,
    /// A priority of this test only, so that no other test uses its class.
    priority: i64,
}

impl Fixture {
    async fn new(test: &str, variables: Value) -> Self {
        let stage = Stage::new(&format!("warm_capacity/{test}"), Engine::opentofu()).await;
        stage.namespace.create().await;
        let node = stage.build_node("4", "16Gi").await;
        let priority = -11 - i64::from(getrandom::u32().unwrap() >> 4);
        let mut all = json!({
            "cluster_name": stage.account.cluster(),
            "namespace": stage.namespace.name(),
            "pod": pod(&node),
            "priority": priority,
        });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        let workspace = stage.testdata("warm_capacity/placeholders", all).await;
        Self { workspace, node, stage, priority }
    }

    fn id(&self) -> String {
        format!("{}/{NAME}", self.stage.namespace.name())
    }

    fn class(&self) -> String {
        format!("gitlabspot-placeholder-minus-{}", -self.priority)
    }

    async fn has_class(&self) -> bool {
        self.classes().await.contains(&self.class())
    }

    /// Names of the existing classes of this test: of its priority and of the next lower one.
    async fn classes(&self) -> Vec<String> {
        let classes: Api<PriorityClass> = Api::all(self.stage.kubernetes.client());
        let mut found = Vec::new();
        for below in [0, 1] {
            let name = format!("gitlabspot-placeholder-minus-{}", below - self.priority);
            found.extend(classes.get_opt(&name).await.unwrap().map(|_| name));
        }
        found
    }

    /// Waits until an object of this kind is applied and read repeatedly.
    async fn until_waiting(&self, proxy: &KubernetesProxy, kind: &str) {
        let part = format!("/{kind}/{NAME}");
        let looks = async || {
            let calls = proxy.calls_of("*", &part);
            let applied = calls.iter().rposition(|call| call.method == "PATCH");
            calls.len() - applied.map_or(calls.len(), |at| at + 1)
        };
        until(async || looks().await > 1, async || format!("{} looks", looks().await)).await;
    }

    /// Phase and node of the placeholder pods.
    async fn placeholders(&self) -> Vec<(String, Option<String>)> {
        let labels = ListParams::default().labels("app.kubernetes.io/name=gitlabspot-warm-capacity");
        let pods = self.stage.kubernetes.api::<Pod>(self.stage.namespace.name()).list(&labels).await.unwrap();
        // With the default grace period, a placeholder pod would block a job for half a minute after its preemption.
        assert!(pods.iter().all(|pod| pod.spec.as_ref().unwrap().termination_grace_period_seconds == Some(0)));
        let mut found: Vec<_> = pods
            .into_iter()
            .filter(|pod| pod.metadata.deletion_timestamp.is_none())
            .map(|pod| (phase(&pod), pod.spec.and_then(|spec| spec.node_name)))
            .collect();
        found.sort();
        found
    }

    fn running(&self) -> (String, Option<String>) {
        ("Running".to_owned(), Some(self.node.name().to_owned()))
    }

    /// Waits until the placeholder pods are as expected.
    async fn until_placeholders(&self, wanted: &[(String, Option<String>)]) {
        until(async || self.placeholders().await == wanted, async || format!("{:?}", self.placeholders().await)).await;
    }

    /// Asserts that the next apply starts the second placeholder pod, and destroys the resource.
    async fn grows_to_two(&self) {
        self.workspace.apply().await;
        self.workspace.assert_stable().await;
        self.until_placeholders(&[self.running(), self.running()]).await;
        self.destroy().await;
    }

    async fn destroy(&self) {
        self.workspace.destroy().await;
        self.stage.assert_nothing_remains().await;
        assert!(!self.has_class().await, "{} is left", self.class());
    }
}

/// A quota that limits the pods of the namespace.
struct Quota(Api<ResourceQuota>);

/// Creates a quota for a number of pods.
async fn quota_of(stage: &Stage, pods: u32) -> Quota {
    let quotas = stage.kubernetes.api::<ResourceQuota>(stage.namespace.name());
    let quota = json!({ "metadata": { "name": "none" }, "spec": { "hard": { "pods": pods.to_string() } } });
    quotas.create(&PostParams::default(), &serde_json::from_value(quota).unwrap()).await.unwrap();
    Quota(quotas)
}

impl Quota {
    async fn lift(self) {
        self.0.delete("none", &DeleteParams::default()).await.unwrap();
    }
}

fn pending() -> (String, Option<String>) {
    ("Pending".to_owned(), None)
}

/// Values of a pod that uses half of the node.
fn pod(node: &BuildNode) -> Value {
    json!({ "cpu": "2", "memory": "8Gi", "node_selector": node.selector(), "tolerations": node.tolerations() })
}

fn phase(pod: &Pod) -> String {
    pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default()
}

/// Waits until a condition holds.
async fn until(is_so: impl AsyncFn() -> bool, what_is: impl AsyncFn() -> String) {
    until_slow(TIMEOUT, is_so, async || format!("still {}", what_is().await)).await;
}

/// Creates a job pod of default priority on this node, like the runner, and waits until it runs.
async fn run_job(stage: &Stage, node: &BuildNode, name: &str) {
    let job = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 0,
            "nodeSelector": node.selector(),
            "tolerations": node.tolerations(),
            "containers": [{
                "name": "build", "image": "alpine",
                "resources": { "requests": { "cpu": "2", "memory": "8Gi" } },
            }],
        },
    });
    let pods = stage.kubernetes.api::<Pod>(stage.namespace.name());
    pods.create(&PostParams::default(), &serde_json::from_value(job).unwrap()).await.unwrap();
    let look = async || phase(&pods.get(name).await.unwrap());
    until(async || look().await == "Running", look).await;
    assert_eq!(pods.get(name).await.unwrap().spec.unwrap().node_name.as_deref(), Some(node.name()));
}
