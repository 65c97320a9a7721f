//! Shared parts of the list resources for objects in a cluster.

use gitlabspot_clients::Clients;
use gitlabspot_clients::kubernetes::{self, KubernetesError};
use serde_json::Value as Json;
use tfplugin::framework::{Context, Diagnostic, Diagnostics, Object, Value};

use crate::cluster;
use crate::configured::Data;
use crate::errors::{OrDiagnostics, sentence};
use crate::identity::ObjectIdentity;

/// The arguments of a list of objects in a cluster.
#[derive(Clone, Default, PartialEq, Object)]
pub struct ObjectFilter {
    /// Name of the EKS cluster. Defaults to the cluster of the provider's `kubernetes` settings.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Namespace of the objects. Defaults to all namespaces.
    #[attr(optional)]
    pub namespace: Value<String>,
}

/// A cluster whose objects are listed.
pub(crate) struct Cluster {
    client: kube::Client,
    /// ARN of the EKS cluster. `None` for a cluster that is not of EKS.
    pub(crate) arn: Option<String>,
}

impl Cluster {
    /// Connects to `cluster_name`, or to the cluster of the provider block if it is null.
    ///
    /// # Errors
    /// The connection failed.
    pub(crate) async fn connect(context: &Context<Data>, cluster_name: &Value<String>) -> Result<Self, Diagnostics> {
        let clients: &Clients = &context.data()?.clients;
        let mut arn = None;
        let client = cluster::connect(clients, cluster_name, &mut arn).await.or_diagnostics()?;
        Ok(Self { client, arn })
    }

    /// Lists objects of a kind by a label selector, in one namespace or in all.
    ///
    /// # Errors
    /// They could not be listed.
    pub(crate) async fn list(
        &self,
        (api_version, kind): (&str, &str),
        namespace: &Value<String>,
        labels: &str,
    ) -> Result<Vec<Json>, Diagnostics> {
        let found = kubernetes::list(&self.client, api_version, kind, namespace.as_str(), labels).await;
        found.map_err(|error| {
            let advice = match &error {
                // A Role cannot allow a list of all namespaces, only a ClusterRole can.
                KubernetesError::Forbidden { .. } if namespace.is_null() => {
                    " Set \"namespace\" if the identity can only list the objects of one namespace."
                }
                _ => "",
            };
            let detail = format!("{}{advice}", sentence(&error.to_string()));
            Diagnostic::error("Cannot list objects of the cluster", detail).into()
        })
    }

    /// The identity of the resource with this namespace and name.
    pub(crate) fn identity(&self, namespace: &str, name: &str) -> ObjectIdentity {
        ObjectIdentity::of(&namespace.into(), &name.into(), self.arn.as_ref())
    }
}

/// Namespace and name of an object.
pub(crate) fn place(object: &Json) -> (&str, &str) {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
    (text("namespace"), text("name"))
}
