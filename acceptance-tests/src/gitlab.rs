//! A GitLab of a test's own.

use serde_json::{Value, json};

use crate::control::Control;

/// One instance of the GitLab stub, which answers what runners ask.
#[derive(Clone, Debug)]
pub struct GitLab {
    url: String,
    instance: String,
    control: Control,
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

    pub(crate) fn log(&self) -> Result<Value, String> {
        self.control.try_get("/log", &[("instance", &self.instance)])
    }
}
