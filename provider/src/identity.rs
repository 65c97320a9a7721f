//! Resource identity of objects in a cluster. Names are unique within a cluster only, so the identity contains the
//! cluster.

use gitlabspot_clients::Clients;
use tfplugin::framework::{Context, Diagnostics, Import, Object, Value};

use crate::configured::Data;
use crate::{cluster, location};

/// The identity of a resource that is a set of objects in a cluster.
#[derive(Clone, Default, PartialEq, Object)]
pub struct ObjectIdentity {
    /// Namespace of the objects.
    #[attr(required)]
    pub namespace: Value<String>,
    /// Name of the resource in its namespace.
    #[attr(required)]
    pub name: Value<String>,
    /// Name of the EKS cluster. Defaults to the cluster of the provider's `kubernetes` settings.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Region of the EKS cluster. Defaults to the region of the provider.
    #[attr(optional)]
    pub region: Value<String>,
    /// ID of the AWS account of the EKS cluster. Defaults to the account of the provider.
    #[attr(optional)]
    pub account_id: Value<String>,
}

impl ObjectIdentity {
    /// The identity with the recorded cluster. The cluster attributes are null for a cluster that is not of EKS.
    pub(super) fn of(namespace: &Value<String>, name: &Value<String>, cluster: Option<&String>) -> Self {
        let cluster::Eks { cluster_name, region, account_id } = cluster::Eks::of(cluster);
        Self { namespace: namespace.clone(), name: name.clone(), cluster_name, region, account_id }
    }

    /// Returns the import ID, and the `cluster_name` of the resource if the import has an identity with a cluster.
    ///
    /// # Errors
    /// The cluster is in another region or account.
    pub(super) async fn imported(
        context: &Context<Data>,
        from: Import<Self>,
    ) -> Result<(String, Value<String>), Diagnostics> {
        Ok(match from {
            Import::Id(id) => (id, Value::Null),
            Import::Identity(identity) => (identity.place(), identity.cluster_name(&context.data()?.clients).await?),
        })
    }

    /// The import ID: `namespace/name`.
    fn place(&self) -> String {
        let text = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        format!("{}/{}", text(&self.namespace), text(&self.name))
    }

    /// The `cluster_name` of an imported resource.
    ///
    /// # Errors
    /// The cluster is in another region or account.
    async fn cluster_name(&self, clients: &Clients) -> Result<Value<String>, Diagnostics> {
        // Before the cluster is looked up: a cluster with the same name can exist in the provider's own region.
        location::check(clients, &self.region, &self.account_id).await?;
        Ok(beside_own(clients, &self.cluster_name))
    }
}

/// The name of the cluster; null for the cluster of the provider block, which is the default.
pub(super) fn beside_own(clients: &Clients, cluster_name: &Value<String>) -> Value<String> {
    cluster_name.as_str().filter(|name| clients.cluster_name() != Some(*name)).map(str::to_owned).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlabspot_clients::scripted::{Answer, Script};

    fn identity(region: &str, account: &str) -> ObjectIdentity {
        let (region, account_id) = (region.into(), account.into());
        ObjectIdentity { namespace: "ci".into(), name: "warm".into(), cluster_name: "prod".into(), region, account_id }
    }

    #[test]
    fn identity_has_the_recorded_cluster() {
        let of = |arn: Option<&str>| ObjectIdentity::of(&"ci".into(), &"warm".into(), arn.map(str::to_owned).as_ref());
        assert_eq!(of(None).cluster_name, Value::Null);
        let seen = of(Some("arn:aws:eks:eu-west-1:123456789012:cluster/prod"));
        assert_eq!(seen, identity("eu-west-1", "123456789012"));
        assert_eq!(seen.place(), "ci/warm");
    }

    #[tokio::test]
    async fn import_from_another_account_or_region_is_refused() {
        let clients = || Script::new([Answer::identity()]).clients();
        let summary =
            |found: Result<_, Diagnostics>| found.map_err(|all| all.iter().next().unwrap().summary.to_string());
        let found = identity("eu-west-1", "123456789012").cluster_name(&clients()).await;
        assert_eq!(summary(found), Ok("prod".into()));
        let found = identity("eu-west-2", "123456789012").cluster_name(&clients()).await;
        assert_eq!(summary(found), Err("Resource in another region".to_owned()));
        let found = identity("eu-west-1", "111122223333").cluster_name(&clients()).await;
        assert_eq!(summary(found), Err("Resource in another account".to_owned()));
    }
}
