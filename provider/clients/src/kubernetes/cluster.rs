//! An EKS cluster by name: its endpoint and certificate authority.

use aws_sdk_eks::primitives::DateTime;
use aws_sdk_eks::types::ClusterStatus;

use crate::aws::AwsError;
use crate::error::ClientError;

/// The description of an EKS cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) endpoint: String,
    /// Base64 of PEM, as in a kubeconfig.
    pub(super) certificate_authority: String,
    /// The name in tokens: the name of the cluster, or the ID of a local cluster on Outposts.
    pub(super) token_name: String,
    /// Distinguishes it from clusters of the same name in other regions and accounts.
    pub(super) arn: Option<String>,
    /// Distinguishes it from a previous cluster of the same name.
    created: Option<DateTime>,
}

/// Reads the cluster from EKS.
///
/// # Errors
/// [`ClientError::ClusterNotFound`] only if EKS itself reports it, [`ClientError::ClusterNotReady`] while the cluster
/// is being created or deleted, [`ClientError::Aws`] for all other failures.
pub(super) async fn describe(eks: &aws_sdk_eks::Client, name: &str, region: &str) -> Result<Cluster, ClientError> {
    let answer = eks.describe_cluster().name(name).send().await;
    let cluster = answer
        .map_err(AwsError::of("DescribeCluster"))
        .map_err(|error| match is_absence(&error) {
            true => not_found(name, region),
            false => ClientError::Aws(error),
        })?
        .cluster
        .ok_or_else(|| not_ready(name, None))?;
    // As in `aws eks update-kubeconfig`: the API server also works while the cluster is updated.
    let ready = matches!(cluster.status, Some(ClusterStatus::Active | ClusterStatus::Updating));
    let certificate_authority = cluster.certificate_authority.and_then(|authority| authority.data);
    match (cluster.endpoint, certificate_authority) {
        (Some(endpoint), Some(certificate_authority)) if ready => {
            // Only a local cluster on Outposts has an ID, and its tokens are signed for the ID.
            let token_name = cluster.id.unwrap_or_else(|| name.to_owned());
            let (arn, created) = (cluster.arn, cluster.created_at);
            Ok(Cluster { endpoint, certificate_authority, token_name, arn, created })
        }
        _ => Err(not_ready(name, cluster.status.as_ref().map(ClusterStatus::as_str))),
    }
}

/// Whether EKS itself reports that the cluster does not exist: callers then treat the objects on it as deleted. A 404
/// without an error code may be from a proxy.
fn is_absence(error: &AwsError) -> bool {
    error.code() == Some("ResourceNotFoundException") || error.matches("ClientException", "No cluster found for name:")
}

fn not_ready(name: &str, status: Option<&str>) -> ClientError {
    ClientError::ClusterNotReady { name: name.to_owned(), status: status.unwrap_or("unknown").to_owned() }
}

fn not_found(name: &str, region: &str) -> ClientError {
    ClientError::ClusterNotFound { name: name.to_owned(), region: region.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Script};

    async fn described(status: u16, body: &str) -> Result<Cluster, String> {
        let clients = Script::new([Answer::Http(status, body.to_owned())]).clients();
        let described = describe(clients.eks().await.unwrap(), "prod", "eu-west-1").await;
        described.map_err(|error| error.to_string())
    }

    fn cluster(status: &str) -> String {
        format!(
            r#"{{"cluster": {{"name": "prod", "arn": "arn:aws:eks:eu-west-1:1:cluster/prod", "endpoint": "https://prod.example.com", "status": "{status}",
                "certificateAuthority": {{"data": "Q0E="}}}}}}"#
        )
    }

    #[tokio::test]
    async fn active_cluster_is_usable() {
        let expected = Cluster {
            endpoint: "https://prod.example.com".to_owned(),
            certificate_authority: "Q0E=".to_owned(),
            token_name: "prod".to_owned(),
            arn: Some("arn:aws:eks:eu-west-1:1:cluster/prod".to_owned()),
            created: None,
        };
        assert_eq!(described(200, &cluster("ACTIVE")).await, Ok(expected.clone()));
        assert_eq!(described(200, &cluster("UPDATING")).await, Ok(expected));
    }

    #[tokio::test]
    async fn creating_or_deleting_cluster_is_refused() {
        assert_eq!(
            described(200, &cluster("CREATING")).await.unwrap_err(),
            "the EKS cluster \"prod\" cannot be used while its status is CREATING: wait until it is ACTIVE"
        );
        assert_eq!(
            described(200, &cluster("DELETING")).await.unwrap_err(),
            "the EKS cluster \"prod\" cannot be used while its status is DELETING: wait until it is deleted; its \
             resources can then be destroyed"
        );
    }

    #[tokio::test]
    async fn both_not_found_errors_are_recognised() {
        let text = "the EKS cluster \"prod\" does not exist in region eu-west-1: check cluster_name, the provider's \
                    region and the account. If the cluster was deleted, remove its resources from the state with the \
                    command \"state rm\"";
        let gone = r#"{"__type": "ResourceNotFoundException", "message": "No cluster found for name: prod."}"#;
        let old = r#"{"__type": "ClientException", "message": "No cluster found for name: prod."}"#;
        assert_eq!(described(404, gone).await.unwrap_err(), text);
        assert_eq!(described(400, old).await.unwrap_err(), text);
    }

    #[tokio::test]
    async fn not_found_page_of_a_proxy_is_not_absence() {
        let page = "<html><body>404 Not Found</body></html>";
        let error = described(404, page).await.unwrap_err();
        assert!(error.starts_with("DescribeCluster: ") && !error.contains("the EKS cluster"), "{error}");
        assert_eq!(
            described(200, "{}").await.unwrap_err(),
            "the EKS cluster \"prod\" cannot be used while its status is unknown: wait until it is ACTIVE"
        );
    }

    #[tokio::test]
    async fn error_is_not_absence() {
        let denied = r#"{"__type": "AccessDeniedException", "message": "not you"}"#;
        assert_eq!(
            described(403, denied).await.unwrap_err(),
            "DescribeCluster: AccessDeniedException: not you (status 403)"
        );
    }
}
