//! Deletes objects in an order in which each still has the objects that its deletion requires.

use std::time::Instant;

use gitlabspot_clients::kubernetes::{self, KubernetesError, ObjectRef};
use serde_json::Value as Json;
use tfplugin::framework::wait::{Look, WaitError};

use super::apply::is_workload_kind;
use super::owner::Owner;
use super::requests::{self, NotDeleted};
use super::{During as _, Error, Objects, Private, Session, Step};

/// Owner of the objects that a removal deletes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// Deletes the objects with this ID and objects without an ID.
    Of(Option<&'a Owner>),
    /// Deletes objects with any ID, such as those of a create that was killed, which had its own.
    Any,
}

/// Position of a kind in a removal: the autoscaler, which scales the workload up, then the workload, the objects that
/// it uses, and last the permissions, with which the manager deletes its last job pods.
fn rank(kind: &str) -> u8 {
    match kind {
        "HorizontalPodAutoscaler" => 0,
        "Deployment" | "CronJob" => 1,
        "RoleBinding" | "ClusterRoleBinding" => 3,
        "Role" | "ClusterRole" => 4,
        "ServiceAccount" | "PriorityClass" => 5,
        _ => 2,
    }
}

impl<R: Objects> Session<'_, R> {
    /// Deletes objects one after the other, and waits until each no longer exists. Returns the objects that were not
    /// deleted.
    pub(crate) async fn remove(
        &self,
        mut places: Vec<ObjectRef>,
        whose: Whose<'_>,
        deadline: Instant,
    ) -> Result<Vec<(ObjectRef, NotDeleted)>, Error> {
        places.sort_by_key(|place| (rank(&place.kind), place.to_string()));
        let mut remaining = Vec::new();
        for place in places {
            let found;
            let owner = match whose {
                Whose::Of(owner) => owner,
                Whose::Any => {
                    found = self.get(&place).await.during(Step::Remove, self)?.as_ref().and_then(Owner::on);
                    found.as_ref()
                }
            };
            let removed = requests::remove(&self.client, &place, owner, self.wait(deadline)).await;
            match removed.during(Step::Remove, self)? {
                None => self.pods_gone(&place, deadline).await.during(Step::Remove, self)?,
                Some(reason) => remaining.push((place, reason)),
            }
        }
        Ok(remaining)
    }

    /// The ID in the private state, or otherwise that of the workload among the objects to delete.
    pub(crate) async fn owner(&self, private: &Private, places: &[ObjectRef]) -> Result<Option<Owner>, Error> {
        let workload = places.iter().find(|place| is_workload_kind(&place.kind));
        let (None, Some(place)) = (&private.owner, workload) else { return Ok(private.owner.clone()) };
        let workload = self.get(place).await.during(Step::Remove, self)?;
        Ok(Owner::of_or_found(None, workload.as_ref()))
    }

    /// Lists the pods of a Deployment, which may be deleted already.
    pub(crate) async fn pods(&self, deployment: &ObjectRef) -> Result<Vec<Json>, KubernetesError> {
        let Some(selector) = R::KIND.pods else { return Ok(Vec::new()) };
        let namespace = deployment.namespace.as_deref();
        let mut found = kubernetes::list(&self.client, "v1", "Pod", namespace, &selector(deployment)).await?;
        found.retain(|pod| is_pod_of(pod, &deployment.name));
        Ok(found)
    }

    async fn pods_gone(&self, place: &ObjectRef, deadline: Instant) -> Result<(), WaitError<KubernetesError>> {
        if place.kind != "Deployment" || R::KIND.pods.is_none() {
            return Ok(());
        }
        self.wait(deadline)
            .until(|| async {
                let pods = self.pods(place).await?;
                let names: Vec<&str> = pods.iter().filter_map(|pod| pod["metadata"]["name"].as_str()).collect();
                Ok(match names.as_slice() {
                    [] => Look::Done(()),
                    names => Look::Pending(format!("the pods of the manager are terminating: {}", names.join(", "))),
                })
            })
            .await
    }
}

/// Whether a pod belongs to a ReplicaSet of the Deployment. The ReplicaSet may be deleted already, so that its name
/// decides. Labels are not sufficient: users can add the labels of the manager to job pods.
fn is_pod_of(pod: &Json, deployment: &str) -> bool {
    let hash = pod["metadata"]["labels"]["pod-template-hash"].as_str().unwrap_or_default();
    let owners = pod["metadata"]["ownerReferences"].as_array();
    owners.into_iter().flatten().any(|owner| {
        let name = owner["name"].as_str().and_then(|name| name.strip_prefix(deployment)?.strip_prefix('-'));
        owner["kind"] == "ReplicaSet" && name == Some(hash)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_of_jobs_do_not_belong_to_the_deployment() {
        let pod = |owner: Json| {
            let labels = json!({ "app": "ci", "release": "ci", "pod-template-hash": "5d4" });
            json!({ "metadata": { "labels": labels, "ownerReferences": [owner] } })
        };
        assert!(is_pod_of(&pod(json!({ "kind": "ReplicaSet", "name": "ci-5d4" })), "ci"));
        assert!(!is_pod_of(&pod(json!({ "kind": "ReplicaSet", "name": "ci-more-5d4" })), "ci"));
        assert!(!is_pod_of(&pod(json!({ "kind": "Job", "name": "ci-5d4" })), "ci"));
        assert!(!is_pod_of(&json!({ "metadata": { "labels": { "app": "ci", "release": "ci" } } }), "ci"));
    }
}
