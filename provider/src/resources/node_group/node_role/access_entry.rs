//! The access entry by which nodes with the role join the cluster.
//!
//! EKS makes it with the first node group that uses the role and keeps it afterwards. It belongs to the role's unique id and
//! not to its ARN: a new role of the same ARN meets the entry of its predecessor, EKS makes no other, and no node joins. So
//! the entry goes with the role; and one that is older than the role, because somebody else deleted that, goes before EKS
//! could meet it. With the role's name chosen by the user, or found again after a run that was killed, the ARN has to stay
//! the same.

use aws_sdk_eks::Client;
use aws_smithy_types::DateTime;
use gitlabspot_clients::aws::AwsError;

/// Deletes the entry. There is none in clusters that know nodes by the ConfigMap `aws-auth` alone.
///
/// # Errors
/// The call failed.
pub(in super::super) async fn delete(eks: &Client, cluster: &str, role_arn: &str) -> Result<(), AwsError> {
    let request = eks.delete_access_entry().cluster_name(cluster).principal_arn(role_arn);
    match request.send().await.map_err(AwsError::of("DeleteAccessEntry")) {
        Ok(_) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Deletes an entry that was made before this role, and so for another one.
///
/// # Errors
/// A call failed.
pub(in super::super) async fn delete_of_predecessor(
    eks: &Client,
    cluster: &str,
    role_arn: &str,
    role_created_at: DateTime,
) -> Result<(), AwsError> {
    let request = eks.describe_access_entry().cluster_name(cluster).principal_arn(role_arn);
    let entry = match request.send().await.map_err(AwsError::of("DescribeAccessEntry")) {
        Ok(output) => output.access_entry,
        Err(error) if is_absent(&error) => None,
        Err(error) => return Err(error),
    };
    // IAM tells whole seconds.
    let is_older =
        entry.and_then(|entry| entry.created_at).is_some_and(|created| created.secs() < role_created_at.secs());
    if is_older { delete(eks, cluster, role_arn).await } else { Ok(()) }
}

fn is_absent(error: &AwsError) -> bool {
    error.is_not_found() || error.says("InvalidRequestException", "authentication mode")
}
