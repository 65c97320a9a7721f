//! A GitLab of a test's own.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::Control;

/// One instance of the GitLab stub, which answers what runners ask.
#[derive(Clone, Debug)]
pub struct GitLab {
    url: String,
    instance: String,
    control: Control,
}

/// A CI job of the stub, and what its runner said of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    pub id: u64,
    /// `pending`, `running`, `success`, `failed` or `canceled`.
    pub state: String,
    /// Why it failed, such as `script_failure` or `runner_system_failure`.
    pub failure_reason: Option<String>,
    /// The exit status of a script that failed.
    pub exit_code: Option<i64>,
    /// What the job wrote so far.
    pub trace: String,
    /// The runner that took it.
    pub runner_id: Option<u64>,
    /// The manager that took it.
    pub system_id: Option<String>,
    /// Seconds since the epoch, when a runner took it.
    pub started: Option<f64>,
    /// Seconds since the epoch, when it ended.
    pub finished: Option<f64>,
}

impl GitLab {
    pub(crate) fn new(url: &str, control: Control, instance: &str) -> Self {
        Self { url: format!("{url}/{instance}"), instance: instance.to_owned(), control }
    }

    /// What goes into `gitlab_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The runners that are registered now; tokens as SHA-256.
    #[must_use]
    pub fn runners(&self) -> Vec<Value> {
        self.control.get("/runners", &[("instance", &self.instance)])
    }

    /// Deletes all runners, as somebody does in GitLab's pages.
    pub fn remove_runners(&self) {
        let _: Value = self.control.post("/runners/remove", &json!({ "instance": self.instance }));
    }

    /// Every call so far; tokens as SHA-256.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        self.control.get("/log", &[("instance", &self.instance)])
    }

    /// Answers the next `times` calls of a path (a regular expression below `/api/v4`) with this status.
    pub fn refuse(&self, method: &str, path: &str, status: u16, times: u32) {
        let fault =
            json!({ "instance": self.instance, "method": method, "path": path, "status": status, "times": times });
        let _: Value = self.control.post("/faults", &fault);
    }

    /// Adds a job that waits for a runner, with one line of a shell script; its ID.
    pub fn add_job(&self, script: &str) -> u64 {
        self.add_job_with(&json!({ "script": script }))
    }

    /// Adds a job: `script`, and if wanted `image`, `services`, `variables` (name to value), `timeout` (seconds).
    pub fn add_job_with(&self, job: &Value) -> u64 {
        let mut body = job.clone();
        body["instance"] = json!(self.instance);
        let added: Value = self.control.post("/jobs", &body);
        added["id"].as_u64().expect("an added job has an ID")
    }

    /// All jobs, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.control.get("/jobs", &[("instance", &self.instance)])
    }

    /// The job of this ID, as it is now.
    #[must_use]
    pub fn job(&self, id: u64) -> Job {
        let job = self.jobs().into_iter().find(|job| job.id == id);
        job.unwrap_or_else(|| panic!("GitLab has no job {id}"))
    }

    /// Cancels a job; its runner learns of it with its next call.
    pub fn cancel_job(&self, id: u64) {
        let _: Value = self.control.post("/jobs/cancel", &json!({ "instance": self.instance, "id": id }));
    }

    pub(crate) fn log(&self) -> Result<Value, String> {
        self.control.try_get("/log", &[("instance", &self.instance)])
    }
}
