//! The access entry by which nodes with the role join the cluster.
//!
//! EKS creates the entry with the first node group that uses the role, and keeps it afterwards. The entry refers to the
//! unique ID of the role and not to its ARN: if a role is recreated with the same ARN, EKS finds the entry of the
//! deleted role, creates no other one, and no node joins. The entry is therefore deleted with the role, and an entry
//! that is older than the role is deleted before the node group is created. A new name for every role would avoid this,
//! but users can set the name, and a generated one stays the same so that the role of an interrupted create is found
//! again.

use aws_sdk_eks::Client;
use aws_smithy_types::DateTime;
use gitlabspot_clients::aws::AwsError;

/// Deletes the entry, if there is one. Clusters that authenticate nodes by the ConfigMap `aws-auth` alone have none.
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

/// Deletes an entry that was created before this role, and therefore belongs to a deleted role with the same ARN.
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
    // IAM returns the time in whole seconds.
    let is_older =
        entry.and_then(|entry| entry.created_at).is_some_and(|created| created.secs() < role_created_at.secs());
    if is_older { delete(eks, cluster, role_arn).await } else { Ok(()) }
}

fn is_absent(error: &AwsError) -> bool {
    // EKS rejects requests for access entries if the authentication mode of the cluster does not include them.
    error.is_not_found() || error.matches("InvalidRequestException", "authentication mode")
}
