//! The cluster of a resource's objects, which must be the same one in all operations.
//!
//! Clusters with the same name exist in many regions and accounts. In a different cluster the objects of a resource
//! seem to be deleted: a destroy would remove them from the state only, and an apply would create them again. For this
//! reason the cluster of the first connection is recorded in the private state.

use std::sync::{Mutex, PoisonError};

use gitlabspot_clients::{ClientError, Clients};
use tfplugin::framework::Value;

use crate::location;

/// The cluster of one resource.
#[derive(Debug)]
pub(super) struct Home(Mutex<Option<String>>);

impl Home {
    /// The cluster with the recorded ARN.
    pub(super) fn of(arn: Option<&String>) -> Self {
        Self(Mutex::new(arn.cloned()))
    }

    /// Records the ARN of the connected cluster.
    pub(super) fn keep(&self, kept: &mut Option<String>) {
        if let Some(arn) = self.get() {
            *kept = Some(arn);
        }
    }

    /// Connects to `cluster_name`, or to the cluster of the provider block if it is `None`.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::ClusterGone`] if the recorded cluster was certainly deleted.
    pub(super) async fn connect(
        &self,
        clients: &Clients,
        cluster_name: Option<&str>,
    ) -> Result<kube::Client, ClientError> {
        match (clients.kubernetes(cluster_name).await, self.get()) {
            (Ok(connected), Some(home)) => match connected.arn {
                // A cluster that is not of EKS has no ARN, so that it cannot be compared.
                Some(found) if found != home => Err(ClientError::OtherCluster { home, found }),
                _ => Ok(connected.client),
            },
            (Ok(connected), None) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connected.arn;
                Ok(connected.client)
            }
            (Err(ClientError::ClusterNotFound { name, region }), Some(home)) => {
                Err(absence(clients, name, region, home).await)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Parts of the recorded ARN of an EKS cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Eks {
    pub(super) cluster_name: Value<String>,
    pub(super) region: Value<String>,
    pub(super) account_id: Value<String>,
}

impl Eks {
    /// Splits the recorded ARN. All values are null for a cluster that is not of EKS.
    pub(super) fn of(arn: Option<&String>) -> Self {
        let read = |arn: &str| {
            let (region, account_id) = location::of_arn(arn)?;
            let (_, cluster_name) = arn.rsplit_once(":cluster/")?;
            Some(Self { cluster_name: cluster_name.into(), region: region.into(), account_id: account_id.into() })
        };
        arn.and_then(|arn| read(arn)).unwrap_or_default()
    }
}

/// [`Home::connect`] for an operation that connects once.
///
/// # Errors
/// [`ClientError`]; also [`ClientError::NotYetKnown`] if the name is unknown.
pub(super) async fn connect(
    clients: &Clients,
    cluster_name: &Value<String>,
    kept: &mut Option<String>,
) -> Result<kube::Client, ClientError> {
    if cluster_name.is_unknown() {
        return Err(ClientError::NotYetKnown { settings: vec!["cluster_name".to_owned()] });
    }
    let home = Home::of(kept.as_ref());
    let client = home.connect(clients, cluster_name.as_str()).await?;
    home.keep(kept);
    Ok(client)
}

/// Returns the error for a cluster that EKS does not find: deleted, or in a different region or account.
async fn absence(clients: &Clients, name: String, region: String, home: String) -> ClientError {
    match clients.account_id().await {
        // EKS also answers "not found" for a cluster of a different region or account. The cluster was deleted only if
        // region, account and name are those of the recorded ARN.
        Ok(account) if is_of(&home, &region, account, &name) => ClientError::ClusterGone { arn: home },
        Ok(account) => ClientError::ClusterElsewhere { name, region, account: account.to_owned(), home },
        Err(error) => error,
    }
}

/// Whether the ARN belongs to this cluster: `arn:aws:eks:af-south-1:111122223333:cluster/prod`.
fn is_of(arn: &str, region: &str, account: &str, name: &str) -> bool {
    arn.split(':').skip(3).eq([region, account, &format!("cluster/{name}")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlabspot_clients::scripted::{Answer, Script};

    const HOME: &str = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";
    fn absent() -> Answer {
        let body = r#"{"__type": "ResourceNotFoundException", "message": "No cluster found for name: prod."}"#;
        Answer::Http(404, body.to_owned())
    }

    fn there(arn: &str) -> Answer {
        let authority = rcgen::generate_simple_self_signed(["kubernetes".to_owned()]).unwrap().cert.pem();
        let authority = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, authority);
        Answer::Http(
            200,
            serde_json::json!({ "cluster": {
                "name": "prod", "arn": arn, "status": "ACTIVE", "endpoint": "https://127.0.0.1:1",
                "certificateAuthority": { "data": authority },
            } })
            .to_string(),
        )
    }

    /// Connects, and returns the error message and the recorded ARN.
    async fn connected(answers: Vec<Answer>, home: Option<&str>) -> (Result<(), String>, Option<String>) {
        let clients = Script::new(answers).clients();
        let mut kept = home.map(str::to_owned);
        let found = connect(&clients, &"prod".into(), &mut kept).await;
        (found.map(|_| ()).map_err(|error| error.to_string()), kept)
    }

    #[tokio::test]
    async fn first_cluster_is_recorded() {
        assert_eq!(connected(vec![there(HOME)], None).await, (Ok(()), Some(HOME.to_owned())));
        assert_eq!(connected(vec![there(HOME)], Some(HOME)).await, (Ok(()), Some(HOME.to_owned())));
    }

    #[tokio::test]
    async fn cluster_with_the_same_name_elsewhere_is_another() {
        let other = HOME.replace("eu-west-1", "af-south-1");
        let (message, recorded) = connected(vec![there(HOME)], Some(&other)).await;
        assert_eq!(
            message.unwrap_err(),
            format!(
                "this resource is in the EKS cluster {other}, but the provider is now connected to {HOME}: use the \
                 cluster_name, region and credentials of the cluster {other}. To keep the objects in that cluster, remove \
                 the resource from the state with the command \"state rm\". Nothing was changed"
            )
        );
        assert_eq!(recorded, Some(other));
    }

    #[tokio::test]
    async fn only_the_recorded_cluster_can_be_deleted() {
        let (message, _) = connected(vec![absent(), Answer::identity()], Some(HOME)).await;
        assert_eq!(message.unwrap_err(), format!("the EKS cluster {HOME} no longer exists"));
        let other = HOME.replace("123456789012", "210987654321");
        let (message, _) = connected(vec![absent(), Answer::identity()], Some(&other)).await;
        assert_eq!(
            message.unwrap_err(),
            format!(
                "the EKS cluster \"prod\" does not exist in region eu-west-1 of the AWS account 123456789012, but this \
                 resource is in {other}: use the region and credentials of that cluster. The state was not changed"
            )
        );
        let (message, _) = connected(vec![absent()], None).await;
        assert!(message.unwrap_err().starts_with("the EKS cluster \"prod\" does not exist in region eu-west-1: check"));
        let denied =
            Answer::Http(403, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>".to_owned());
        let (message, _) = connected(vec![absent(), denied], Some(HOME)).await;
        assert!(message.unwrap_err().starts_with("GetCallerIdentity: AccessDenied"));
    }

    #[tokio::test]
    async fn unknown_cluster_name_opens_no_connection() {
        let clients = Script::default().clients();
        let found = connect(&clients, &Value::Unknown, &mut None).await;
        assert!(matches!(found, Err(ClientError::NotYetKnown { .. })));
    }
}
