//! The controllers of workloads.

use serde_json::{Value as Json, json};

use super::{Fault, World};

impl World {
    /// Sets the status of Deployments and Jobs. A CronJob creates no Jobs; tests create them.
    pub(super) fn run_controllers(&mut self) {
        let fault = self.faults.iter().find_map(|fault| match fault {
            Fault::NoNewPods(conditions) => Some(conditions),
            _ => None,
        });
        for object in self.objects.values_mut() {
            let status = match object["kind"].as_str() {
                Some("Deployment") => of_deployment(object, fault),
                Some("Job") => of_job(object, fault.is_some()),
                _ => continue,
            };
            if object["status"] != status {
                self.resource_version += 1;
                object["status"] = status;
                object["metadata"]["resourceVersion"] = self.resource_version.to_string().into();
            }
        }
    }
}

fn of_deployment(deployment: &Json, fault: Option<&Json>) -> Json {
    let (before, generation) = (&deployment["status"], &deployment["metadata"]["generation"]);
    let (all, updated) = match fault {
        None => {
            let pods = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
            (pods, pods)
        }
        Some(_) if before["observedGeneration"] == *generation => return before.clone(),
        Some(_) => (before["replicas"].as_u64().unwrap_or(0), 0),
    };
    json!({
        "observedGeneration": generation, "replicas": all, "updatedReplicas": updated, "availableReplicas": all,
        "conditions": fault,
    })
}

fn of_job(job: &Json, has_fault: bool) -> Json {
    let before = &job["status"];
    let pods = if has_fault { 0 } else { job["spec"]["parallelism"].as_u64().unwrap_or(1) };
    let is_kept = before["conditions"].is_array() || has_fault && before["active"].is_u64();
    if is_kept { before.clone() } else { json!({ "active": pods }) }
}
