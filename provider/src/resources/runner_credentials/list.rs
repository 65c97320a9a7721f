//! Lists the credentials of a namespace: keys in Secrets, and roles of service accounts.

use std::collections::BTreeSet;

use gitlabspot_clients::aws::AwsError;
use serde_json::Value as Json;
use tfplugin::framework::list_resource::Found;
use tfplugin::framework::{Context, Diagnostic, Diagnostics, ListResource, Object, Value};

use super::RunnerCredentialsResource;
use super::identity::Identity;
use super::journal::ANNOTATION;
use super::manifests::secret::{self, USER};
use crate::cluster::Eks;
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::iam::role::name_of;
use crate::list::{Cluster, place};

/// The arguments of a list of credentials.
#[derive(Clone, Default, PartialEq, Object)]
pub struct Filter {
    /// Name of the EKS cluster. Defaults to the cluster of the provider's `kubernetes` settings.
    #[attr(optional)]
    pub cluster_name: Value<String>,
    /// Namespace of the runner's manager.
    #[attr(required)]
    pub namespace: Value<String>,
}

impl ListResource for RunnerCredentialsResource {
    type Filter = Filter;
    const LIST_DESCRIPTION: &'static str = "Lists the credentials of the runners of a namespace, including \
         those that were not created by this provider: access keys in Secrets, and IAM roles of service accounts.\n\n\
         An access key is listed if its Secret has the keys `accesskey` and `secretkey`. A role is listed if a \
         service account is annotated with it, or if a Pod Identity association exists.\n\n\
         Requires `list` on `secrets` and `serviceaccounts` of the namespace, `iam:GetAccessKeyLastUsed` to find \
         the user of a key, `eks:ListPodIdentityAssociations` and `eks:DescribePodIdentityAssociation`, and with \
         `include_resource` the permissions of a plan.";

    async fn list(
        &self,
        context: &Context<Data>,
        filter: Filter,
        found: &mut Found<Identity>,
    ) -> Result<(), Diagnostics> {
        let cluster = Cluster::connect(context, &filter.cluster_name).await?;
        let eks = Eks::of(cluster.arn.as_ref());
        let namespace = filter.namespace.as_str().unwrap_or_default();
        let identity = |name: &str| Identity {
            name: name.into(),
            namespace: namespace.into(),
            cluster_name: if eks.cluster_name.is_null() {
                filter.cluster_name.clone()
            } else {
                eks.cluster_name.clone()
            },
            region: eks.region.clone(),
            ..Identity::default()
        };
        for object in cluster.list(("v1", "Secret"), &filter.namespace, "").await? {
            let Some(key) = secret::key_id(&object) else { continue };
            let (_, secret_name) = place(&object);
            match user(context, &object, &key).await? {
                Some(user) => {
                    let display_name = format!("{namespace}/{secret_name}:{user}");
                    found.add(Identity { secret_name: secret_name.into(), ..identity(&user) }, display_name);
                }
                None => {
                    let detail = format!(
                        "IAM does not know the access key {key} in the account of the provider's credentials. It was \
                         deleted, or it belongs to another account or to an S3-compatible store."
                    );
                    let summary = format!("Secret {namespace}/{secret_name} is not listed");
                    found.diagnostics.push(Diagnostic::warning(summary, detail));
                }
            }
        }
        let mut roles = BTreeSet::new();
        for object in cluster.list(("v1", "ServiceAccount"), &filter.namespace, "").await? {
            if let Some(arn) = object["metadata"]["annotations"][ANNOTATION].as_str() {
                roles.insert((place(&object).1.to_owned(), name_of(arn).to_owned()));
            }
        }
        if let Some(name) = eks.cluster_name.as_str() {
            roles.extend(associated(context, name, namespace).await?);
        }
        for (service_account, role) in roles {
            let display_name = format!("{namespace}/{service_account}:role/{role}");
            found.add(Identity { service_account: service_account.into(), ..identity(&role) }, display_name);
        }
        Ok(())
    }
}

/// Returns the user of a key, from the annotation of a Secret that this provider wrote, otherwise from IAM.
async fn user(context: &Context<Data>, secret: &Json, key: &str) -> Result<Option<String>, Diagnostics> {
    if let Some(user) = secret["metadata"]["annotations"][USER].as_str() {
        return Ok(Some(user.to_owned()));
    }
    let iam = context.data()?.clients.iam().await.or_diagnostics()?;
    let answer = iam.get_access_key_last_used().access_key_id(key).send().await;
    match answer.map_err(AwsError::of("GetAccessKeyLastUsed")) {
        Ok(answer) => Ok(answer.user_name),
        Err(error) if error.is_not_found() || error.code() == Some("ValidationError") => Ok(None),
        // IAM returns the same error for a key of another account and for a missing permission.
        Err(error) if error.is_access_denied() => Ok(None),
        Err(error) => Err(failed(&format!("The user of the access key {key} could not be read"), &error)),
    }
}

/// Lists the service accounts of a namespace that have a Pod Identity association, with the names of their roles.
async fn associated(
    context: &Context<Data>,
    cluster: &str,
    namespace: &str,
) -> Result<Vec<(String, String)>, Diagnostics> {
    let eks = context.data()?.clients.eks().await.or_diagnostics()?;
    let doing = format!("The Pod Identity associations of the namespace {namespace} could not be listed");
    let mut found = Vec::new();
    let mut listed =
        eks.list_pod_identity_associations().cluster_name(cluster).namespace(namespace).into_paginator().items().send();
    while let Some(association) = listed.next().await {
        let association =
            association.map_err(AwsError::of("ListPodIdentityAssociations")).map_err(|error| failed(&doing, &error))?;
        let id = association.association_id.unwrap_or_default();
        let answer = eks.describe_pod_identity_association().cluster_name(cluster).association_id(id).send().await;
        match answer.map_err(AwsError::of("DescribePodIdentityAssociation")) {
            Ok(answer) => found.extend(answer.association.and_then(|association| {
                Some((association.service_account?, name_of(association.role_arn.as_deref()?).to_owned()))
            })),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(failed(&doing, &error)),
        }
    }
    Ok(found)
}

fn failed(doing: &str, error: &AwsError) -> Diagnostics {
    Diagnostic::error("Cannot list credentials", format!("{doing}: {error}.")).into()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;
    use crate::testing::Stage;
    use gitlabspot_clients::kubernetes::KubernetesSettings;
    use gitlabspot_clients::scripted::{Answer, Script};
    use gitlabspot_testing::kubernetes::Cluster as Server;

    fn secret(name: &str, key: &str) -> Json {
        let data = json!({ "accesskey": STANDARD.encode(key), "secretkey": STANDARD.encode("very-secret") });
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "namespace": "ci", "name": name }, "data": data })
    }

    #[tokio::test]
    async fn keys_and_roles_of_a_namespace() {
        let mut ours = secret("ours", "AKIA1");
        ours["metadata"]["annotations"] = json!({ USER: "cache" });
        let mut other = secret("other", "");
        other["data"] = json!({ "token": "eA==" });
        let annotations = json!({ ANNOTATION: "arn:aws:iam::111122223333:role/ci/cache-role" });
        let metadata = json!({ "namespace": "ci", "name": "runner", "annotations": annotations });
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata });
        let server = Server::with_namespace("ci");
        for object in [ours, secret("by-hand", "AKIA2"), secret("minio", "minio"), other, account] {
            server.put(object);
        }
        let used = "<GetAccessKeyLastUsedResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
            <GetAccessKeyLastUsedResult><UserName>by-hand-user</UserName></GetAccessKeyLastUsedResult>\
            </GetAccessKeyLastUsedResponse>";
        let absent = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
        let script = Script::new([Answer::Http(200, used.to_owned()), Answer::Http(403, absent.to_owned())]);
        let (aws, kubernetes) = (script.settings(), KubernetesSettings::default());
        let stage = Stage::with_cluster(RunnerCredentialsResource, aws, kubernetes, Some(server.client()));
        let (listed, diagnostics) = stage.list(&RunnerCredentialsResource, &[("namespace", "ci".into())], 10).await;
        let shown: Vec<_> = listed.iter().map(|listed| listed.display_name.as_str()).collect();
        assert_eq!(shown, ["ci/by-hand:by-hand-user", "ci/ours:cache", "ci/runner:role/cache-role"]);
        let role = Identity {
            name: "cache-role".into(),
            namespace: "ci".into(),
            service_account: "runner".into(),
            ..Identity::default()
        };
        assert_eq!(listed[2].identity, role.into_raw());
        let summaries: Vec<_> = diagnostics.iter().map(|diagnostic| diagnostic.summary.to_string()).collect();
        assert_eq!(summaries, ["Secret ci/minio is not listed"]);
        assert!(!format!("{listed:?}").contains("very-secret"));
    }
}
