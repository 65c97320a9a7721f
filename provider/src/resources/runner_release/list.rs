//! Lists the releases of a cluster: those of Helm and those of this provider.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use tfplugin::framework::list_resource::Found;
use tfplugin::framework::{Context, Diagnostics, ListResource};

use super::RunnerReleaseResource;
use crate::configured::Data;
use crate::identity::ObjectIdentity;
use crate::list::{Cluster, ObjectFilter, place};
use crate::objects::requests;

impl ListResource for RunnerReleaseResource {
    type Filter = ObjectFilter;
    const LIST_DESCRIPTION: &'static str = "Lists the GitLab Runners of a cluster: releases of the official \
         Helm chart and releases of this provider.\n\n\
         Requires `list` on `deployments.apps`, and with `include_resource` the permissions of a plan.\n\n\
         A generated configuration does not contain a token: add `runner_token_wo`, or set `token_secret_name` to \
         the name of the Secret that contains it.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: ObjectFilter,
        found: &mut Found<ObjectIdentity>,
    ) -> Result<(), Diagnostics> {
        let cluster = Cluster::connect(context, &filter.cluster_name).await?;
        let managers = cluster.list(("apps/v1", "Deployment"), &filter.namespace, "release").await?;
        let releases: BTreeSet<_> = managers.iter().filter_map(release).collect();
        for (namespace, name) in releases {
            found.add(cluster.identity(namespace, name), format!("{namespace}/{name}"));
        }
        Ok(())
    }
}

/// Returns namespace and name of the release, if the Deployment is a manager.
fn release(deployment: &Json) -> Option<(&str, &str)> {
    let labels = &deployment["metadata"]["labels"];
    let is_of_chart = labels["chart"].as_str().is_some_and(|chart| chart.starts_with("gitlab-runner-"));
    let (namespace, _) = place(deployment);
    (is_of_chart || requests::is_ours(deployment)).then_some((namespace, labels["release"].as_str()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Stage;
    use gitlabspot_clients::aws::AwsSettings;
    use gitlabspot_clients::kubernetes::KubernetesSettings;
    use gitlabspot_testing::kubernetes::Cluster as Server;
    use tfplugin::framework::Object as _;

    #[tokio::test]
    async fn releases_of_helm_and_of_this_provider() {
        let server = Server::with_namespace("a");
        server.put(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "b" } }));
        for (namespace, name, labels) in [
            ("b", "x", json!({ "release": "ours", "app.kubernetes.io/managed-by": "gitlabspot" })),
            ("a", "x", json!({ "release": "helms", "chart": "gitlab-runner-0.77.2", "heritage": "Helm" })),
            ("a", "y", json!({ "release": "other", "chart": "nginx-1.0.0" })),
            ("a", "z", json!({ "app.kubernetes.io/managed-by": "gitlabspot" })),
        ] {
            let metadata = json!({ "namespace": namespace, "name": name, "labels": labels });
            server.put(json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata }));
        }
        let (aws, kubernetes) = (AwsSettings::default(), KubernetesSettings::default());
        let stage = Stage::with_cluster(RunnerReleaseResource, aws, kubernetes, Some(server.client()));
        let (listed, diagnostics) = stage.list(&RunnerReleaseResource, &[], 10).await;
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let shown: Vec<_> = listed.iter().map(|listed| listed.display_name.as_str()).collect();
        assert_eq!(shown, ["a/helms", "b/ours"]);
        let identity = ObjectIdentity { namespace: "a".into(), name: "helms".into(), ..ObjectIdentity::default() };
        assert_eq!(listed[0].identity, identity.into_raw());
    }
}
