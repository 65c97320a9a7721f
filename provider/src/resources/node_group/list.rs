//! Lists the node groups of a cluster.

use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::list_resource::Found;
use tfplugin::framework::{Context, Diagnostic, Diagnostics, ListResource, Object, Value};

use super::schema::Identity;
use super::{NodeGroupResource, Session};
use crate::configured::Data;
use crate::errors::OrDiagnostics;

/// The arguments of a list of node groups.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Filter {
    /// Name of the EKS cluster.
    #[attr(required)]
    pub cluster_name: Value<String>,
}

impl ListResource for NodeGroupResource {
    type Filter = Filter;
    const LIST_DESCRIPTION: &'static str = "Lists all EKS managed node groups of a cluster, including those \
         that were not created by this provider.\n\n\
         Requires `eks:ListNodegroups` on the cluster, and with `include_resource` the permissions of a plan.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: Filter,
        found: &mut Found<Identity>,
    ) -> Result<(), Diagnostics> {
        let cluster = filter.cluster_name.as_str().unwrap_or_default();
        let session = Session::connect(context).await?;
        let account_id = context.data()?.clients.account_id().await.or_diagnostics()?;
        let mut names = session.eks.list_nodegroups().cluster_name(cluster).into_paginator().items().send();
        while !found.is_full() {
            let Some(name) = names.next().await else { break };
            let name = name.map_err(AwsError::of("ListNodegroups")).map_err(|error| failed(cluster, &error))?;
            let display_name = format!("{cluster}:{name}");
            let identity = Identity {
                cluster_name: cluster.into(),
                name: name.into(),
                region: session.region.into(),
                account_id: account_id.into(),
            };
            found.add(identity, display_name);
        }
        Ok(())
    }
}

fn failed(cluster: &str, error: &AwsError) -> Diagnostics {
    let detail = if error.is_not_found() {
        format!("The cluster {cluster} does not exist in the region, or the provider's credentials cannot access it.")
    } else {
        format!("The node groups of the cluster {cluster} could not be listed: {error}.")
    };
    Diagnostic::error("Cannot list node groups", detail).at("cluster_name").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Stage;
    use gitlabspot_clients::scripted::{Answer, Script};

    async fn listed(answers: impl IntoIterator<Item = Answer>, limit: usize) -> (Vec<String>, Diagnostics, usize) {
        let script = Script::new(answers);
        let stage = Stage::new(NodeGroupResource::default(), script.settings());
        let given = [("cluster_name", "prod".into())];
        let (listed, diagnostics) = stage.list(&NodeGroupResource::default(), &given, limit).await;
        let shown = listed.into_iter().map(|listed| {
            let identity = Identity::from_raw(listed.identity).unwrap().unwrap();
            assert_eq!((identity.region, identity.account_id), ("eu-west-1".into(), "123456789012".into()));
            assert_eq!(listed.display_name, format!("prod:{}", identity.name.as_str().unwrap()));
            listed.display_name
        });
        (shown.collect(), diagnostics, script.requests().len())
    }

    fn page(names: &str, more: &str) -> Answer {
        Answer::Http(200, format!(r#"{{"nodegroups": [{names}]{more}}}"#))
    }

    #[tokio::test]
    async fn pages_are_read_until_the_limit() {
        let pages = || [Answer::identity(), page(r#""a", "b""#, r#", "nextToken": "t""#), page(r#""c""#, "")];
        assert_eq!(
            listed(pages(), 10).await,
            (vec!["prod:a".into(), "prod:b".into(), "prod:c".into()], Diagnostics::new(), 3)
        );
        assert_eq!(listed(pages(), 1).await, (vec!["prod:a".into()], Diagnostics::new(), 2));
    }

    #[tokio::test]
    async fn missing_cluster_is_an_error() {
        let absent = r#"{"__type": "ResourceNotFoundException", "message": "No cluster found for name: prod."}"#;
        let (found, diagnostics, _) = listed([Answer::identity(), Answer::Http(404, absent.to_owned())], 10).await;
        assert!(found.is_empty());
        assert_eq!(
            diagnostics.iter().map(|diagnostic| diagnostic.detail.as_str()).collect::<Vec<_>>(),
            ["The cluster prod does not exist in the region, or the provider's credentials cannot access it."]
        );
    }
}
