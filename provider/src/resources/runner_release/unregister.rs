//! Telling pods that registered themselves that their end is for good, so that they leave GitLab.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::expand::{Manifest, parsed};
use super::live;
use super::manifests::UNREGISTER_ON_STOP;
use crate::clients::kubernetes::{self, KubernetesError, ObjectRef};
use crate::framework::Context;

/// How long a node may take to bring a changed ConfigMap into its pods, once it looks.
const REFRESH: Duration = Duration::from_secs(10);

/// The ConfigMap of a release whose pods are to leave GitLab.
pub(super) fn config_map(manifest: &Manifest) -> Option<ObjectRef> {
    let is_meant = |object: &Json| object["kind"] == "ConfigMap" && object["data"].get(UNREGISTER_ON_STOP).is_some();
    ObjectRef::of(&parsed(manifest).find(is_meant)?).ok()
}

/// Says so in the ConfigMap, and has the nodes bring that into the pods.
pub(super) async fn announce<D>(
    context: &Context<D>,
    client: &kube::Client,
    config_map: &ObjectRef,
    deployment: &ObjectRef,
) -> Result<(), KubernetesError> {
    let data = json!({ "data": { UNREGISTER_ON_STOP: "true" } });
    match kubernetes::merge(client, config_map, &data).await {
        Err(KubernetesError::NotFound { .. }) => return Ok(()),
        result => result?,
    }
    let pods = live::pods(client, deployment).await?;
    let running =
        pods.iter().filter(|pod| pod["status"]["phase"] == "Running").filter_map(|pod| ObjectRef::of(pod).ok());
    let mut is_running = false;
    for pod in running {
        // A node looks at the volumes of a pod that has changed at once, otherwise about once a minute.
        let annotations = json!({ "metadata": { "annotations": { "gitlabspot.io/unregister-on-stop": "true" } } });
        match kubernetes::merge(client, &pod, &annotations).await {
            Err(KubernetesError::NotFound { .. }) => {}
            result => {
                result?;
                is_running = true;
            }
        }
    }
    if is_running {
        tokio::select! {
            () = context.stop.cancelled() => {}
            () = context.clock.sleep(REFRESH) => {}
        }
    }
    Ok(())
}
