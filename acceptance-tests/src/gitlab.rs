//! A GitLab instance for one test.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::Control;

/// An instance of the GitLab stub, which implements the API that runners use.
#[derive(Clone, Debug)]
pub struct GitLab {
    url: String,
    instance: String,
    control: Control,
}

/// A CI job of the stub, with the results that its runner reported.
#[derive(Clone, Debug, Deserialize)]
pub struct Job {
    pub id: u64,
    /// `pending`, `running`, `success`, `failed` or `canceled`.
    pub state: String,
    /// Reason of a failure, such as `script_failure` or `runner_system_failure`.
    pub failure_reason: Option<String>,
    /// Exit code of a script that failed.
    pub exit_code: Option<i64>,
    /// Log of the job so far.
    pub trace: String,
    /// ID of the runner that took the job.
    pub runner_id: Option<u64>,
    /// System ID of the manager that took the job.
    pub system_id: Option<String>,
    /// Start time in seconds since the epoch.
    pub started: Option<f64>,
    /// End time in seconds since the epoch.
    pub finished: Option<f64>,
}

impl GitLab {
    pub(crate) fn new(url: &str, control: Control, instance: &str) -> Self {
        Self { url: format!("{url}/{instance}"), instance: instance.to_owned(), control }
    }

    /// Value for the attribute `gitlab_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Registered runners, with tokens as SHA-256.
    #[must_use]
    pub fn runners(&self) -> Vec<Value> {
        self.control.get("/runners", &[("instance", &self.instance)])
    }

    /// Deletes all runners, as a user can in GitLab.
    pub fn remove_runners(&self) {
        let _: Value = self.control.post("/runners/remove", &json!({ "instance": self.instance }));
    }

    /// All calls so far, with tokens as SHA-256.
    #[must_use]
    pub fn calls(&self) -> Vec<Value> {
        self.control.get("/log", &[("instance", &self.instance)])
    }

    /// Returns this status to the next `times` calls of a path (a regular expression below `/api/v4`).
    pub fn refuse(&self, method: &str, path: &str, status: u16, times: u32) {
        let fault =
            json!({ "instance": self.instance, "method": method, "path": path, "status": status, "times": times });
        let _: Value = self.control.post("/faults", &fault);
    }

    /// Adds a pending job with a one-line shell script. Returns its ID.
    pub fn add_job(&self, script: &str) -> u64 {
        self.add_job_with(&json!({ "script": script }))
    }

    /// Adds a job with `script` and optionally `image`, `services`, `variables` (name to value), `timeout` (seconds).
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

    /// Current data of a job.
    #[must_use]
    pub fn job(&self, id: u64) -> Job {
        let job = self.jobs().into_iter().find(|job| job.id == id);
        job.unwrap_or_else(|| panic!("GitLab has no job {id}"))
    }

    /// Cancels a job. Its runner receives this with the response to its next call.
    pub fn cancel_job(&self, id: u64) {
        let _: Value = self.control.post("/jobs/cancel", &json!({ "instance": self.instance, "id": id }));
    }

    pub(crate) fn log(&self) -> Result<Value, String> {
        self.control.try_get("/log", &[("instance", &self.instance)])
    }
}
