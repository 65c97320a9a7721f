//! Tests of behaviour that needs a kubelet, a container runtime and the processes of the runner.
//!
//! The runner is a stand-in that behaves as documented for GitLab Runner, and the GitLab stub assigns jobs. On machines
//! that cannot run the node, `make test` counts these tests as skipped.

mod admission;
mod credentials;
mod liveness;
mod registration;
mod rollout;
mod start;
mod values_files;
mod warm_capacity;

use std::time::Duration;

use gitlabspot_acceptance_tests::{Engine, Stage, Workspace, until_slow};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams, ListParams};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

const NAME: &str = "gitlab-runner";
const AUTHENTICATION: &str = "glrt-of-the-test";
const REGISTRATION: &str = "GR1348941-of-the-test";

/// Time for the start of a pod or a failing probe on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(180);

/// A file in the build container for which the script of a job waits.
const CONTINUE_FILE: &str = "/tmp/go-on";

/// A GitLab instance, a namespace, and the configuration of a release on the real node.
struct Fixture {
    workspace: Workspace,
    stage: Stage,
}

impl Fixture {
    /// Creates the namespace and the workspace, without an apply.
    async fn new(test: &str, case: &str, variables: Value) -> Self {
        let stage = Stage::new(&format!("real_node/{test}"), Engine::opentofu()).await;
        let node = stage.real_node();
        stage.namespace.create().await;
        let mut all = json!({
            "cluster_name": stage.account.cluster(),
            "namespace": stage.namespace.name(),
            "gitlab_url": node.url_of(&stage.gitlab),
            "node_selector": node.selector(),
            "tolerations": node.tolerations(),
            "node_tolerations": node.runner_tolerations(),
        });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        let workspace = stage.testdata(&format!("real_node/{case}"), all).await;
        Self { workspace, stage }
    }

    /// A release with an authentication token, which its pods share.
    async fn authenticated(test: &str, variables: Value) -> Self {
        let mut all = json!({ "runner_token": AUTHENTICATION, "runner_token_version": 1 });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        Self::new(test, "release", all).await
    }

    /// A release with a registration token, with which each pod registers a runner of its own.
    async fn registered(test: &str, variables: Value) -> Self {
        let mut all = json!({ "registration_token": REGISTRATION, "registration_token_version": 1 });
        all.as_object_mut().unwrap().extend(variables.as_object().unwrap().clone());
        Self::new(test, "release", all).await
    }

    fn pods(&self) -> Api<Pod> {
        self.stage.kubernetes.api(self.stage.namespace.name())
    }

    /// The pods of the manager, without those that are being deleted.
    async fn managers(&self) -> Vec<Pod> {
        let labels = ListParams::default().labels(&format!("app={NAME}"));
        let mut found = self.pods().list(&labels).await.unwrap().items;
        found.retain(|pod| pod.metadata.deletion_timestamp.is_none());
        found
    }

    /// The only pod of the manager.
    async fn manager(&self) -> Pod {
        let found = self.managers().await;
        assert_eq!(found.len(), 1, "{:?}", found.iter().map(name).collect::<Vec<_>>());
        found[0].clone()
    }

    /// Job pods, which have names of the runner.
    async fn job_pods(&self) -> Vec<Pod> {
        let found = self.pods().list(&ListParams::default()).await.unwrap().items;
        found.into_iter().filter(|pod| name(pod).starts_with("runner-")).collect()
    }

    /// Runs a command in a container of a pod. Returns its output.
    async fn run(&self, pod: &str, container: &str, command: &[&str]) -> String {
        let parameters = AttachParams::default().container(container).stderr(false);
        let mut process = self.pods().exec(pod, command.iter().copied(), &parameters).await.unwrap();
        let mut printed = String::new();
        process.stdout().unwrap().read_to_string(&mut printed).await.unwrap();
        let _ = process.join().await;
        printed
    }

    async fn log(&self, pod: &Pod) -> String {
        self.pods().logs(&name(pod), &kube::api::LogParams::default()).await.unwrap_or_else(|error| error.to_string())
    }

    /// Starts a job that runs until [`Self::let_go`]. Returns its ID.
    async fn job_under_way(&self) -> u64 {
        let script = format!("echo begun; while ! test -e {CONTINUE_FILE}; do sleep 0.1; done; echo ended");
        let job = self.stage.gitlab.add_job(&script);
        self.until("the job runs", async || self.trace(job).contains("begun")).await;
        job
    }

    /// Ends the running jobs.
    async fn let_go(&self) {
        for pod in self.job_pods().await {
            self.run(&name(&pod), "build", &["touch", CONTINUE_FILE]).await;
        }
    }

    fn trace(&self, job: u64) -> String {
        self.stage.gitlab.job(job).trace
    }

    async fn until_succeeded(&self, job: u64) {
        self.until("the job has ended", async || !["pending", "running"].contains(&&*self.stage.gitlab.job(job).state))
            .await;
        let job = self.stage.gitlab.job(job);
        assert_eq!(job.state, "success", "{job:?}");
        assert!(job.trace.contains("ended"), "{job:?}");
    }

    /// Number of runners that are registered in GitLab.
    fn runners(&self) -> usize {
        self.stage.gitlab.runners().len()
    }

    /// Number of calls of the runner API that GitLab received.
    fn calls_of(&self, method: &str, path: &str) -> usize {
        self.stage.gitlab.calls().iter().filter(|call| call["method"] == method && call["path"] == path).count()
    }

    async fn until(&self, what: &str, happened: impl AsyncFn() -> bool) {
        until_slow(TIMEOUT, happened, async || format!("{what}\n{}", self.evidence().await)).await;
    }

    /// Logs and status of the managers, and status of the jobs.
    async fn evidence(&self) -> String {
        let mut text = format!("{:#?}\n", self.stage.gitlab.jobs());
        for manager in self.managers().await {
            text += &format!("{}: {:?}\n{}\n", name(&manager), manager.status, self.log(&manager).await);
        }
        text
    }

    async fn destroy(&self) {
        self.workspace.destroy().await;
        self.stage.assert_nothing_remains().await;
    }
}

fn name(pod: &Pod) -> String {
    pod.metadata.name.clone().unwrap()
}

/// Number of restarts of the manager's container.
fn restarts(pod: &Pod) -> i32 {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    statuses.into_iter().flatten().map(|status| status.restart_count).sum()
}

fn is_ready(pod: &Pod) -> bool {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    statuses.is_some_and(|statuses| statuses.iter().all(|status| status.ready))
}
