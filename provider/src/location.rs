//! Checks that objects in AWS are in the account and region of the provider.
//!
//! With the credentials of another account, or in another region, every object seems to be deleted: a destroy would
//! remove it from the state only, and an apply would create it again.

use gitlabspot_clients::{ClientError, Clients};
use tfplugin::framework::{Diagnostic, Diagnostics, Value};

use crate::errors::OrDiagnostics;

/// Confirms that the object with this ARN, which AWS does not find, was deleted. Succeeds without an ARN: the object
/// was never read.
///
/// # Errors
/// [`ClientError::Elsewhere`] if the provider uses a different region or account; other errors if these cannot be
/// determined.
pub(super) async fn confirm_deleted(clients: &Clients, arn: Option<&str>) -> Result<(), ClientError> {
    let Some((arn, (home_region, home_account))) = arn.and_then(|arn| Some((arn, of_arn(arn)?))) else { return Ok(()) };
    // AWS answers "not found" for an object of a different account or region, as for a deleted one.
    let (region, account) = (clients.region().await?, clients.account_id().await?);
    // IAM is global: its ARNs do not have a region.
    if account == home_account && (home_region.is_empty() || region == home_region) {
        return Ok(());
    }
    Err(ClientError::Elsewhere { region: region.to_owned(), account: account.to_owned(), arn: arn.to_owned() })
}

/// Checks that the region and account of an identity are those of the provider. Null values default to these.
///
/// # Errors
/// The region or account is different, or that of the provider cannot be determined.
pub(super) async fn check(
    clients: &Clients,
    region: &Value<String>,
    account_id: &Value<String>,
) -> Result<(), Diagnostics> {
    if let Some(region) = region.as_str() {
        let own = clients.region().await.or_diagnostics()?;
        if region != own {
            let text = format!(
                "The identity has the region {region}, but the provider uses {own}. Use a provider configuration for \
                 that region."
            );
            return Err(Diagnostic::error("Resource in another region", text).into());
        }
    }
    if let Some(account) = account_id.as_str() {
        let own = clients.account_id().await.or_diagnostics()?;
        if account != own {
            let text = format!(
                "The identity has the account {account}, but the provider's credentials belong to {own}. Use a \
                 provider configuration for that account."
            );
            return Err(Diagnostic::error("Resource in another account", text).into());
        }
    }
    Ok(())
}

/// Region and account of an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:...`.
pub(super) fn of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.split(':').skip(3);
    parts.next().zip(parts.next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlabspot_clients::scripted::{Answer, Script};

    /// Confirms a deletion in the account 123456789012 and the region eu-west-1. Returns the error message.
    async fn confirmed(arn: &str) -> Result<(), String> {
        let clients = Script::new([Answer::identity()]).clients();
        confirm_deleted(&clients, Some(arn)).await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn same_account_and_region_confirm_a_deletion() {
        assert_eq!(confirmed("arn:aws:eks:eu-west-1:123456789012:nodegroup/prod/build/1").await, Ok(()));
        assert_eq!(confirmed("arn:aws:iam::123456789012:user/cache").await, Ok(()));
        assert_eq!(
            confirm_deleted(&Script::default().clients(), None).await.map_err(|error| error.to_string()),
            Ok(())
        );
    }

    #[tokio::test]
    async fn other_account_or_region_is_an_error() {
        for arn in ["arn:aws:eks:eu-west-2:123456789012:nodegroup/prod/build/1", "arn:aws:iam::111122223333:user/cache"]
        {
            let wanted = format!(
                "this resource is {arn}, but the provider uses the AWS account 123456789012 and the region eu-west-1: \
                 use the credentials and the region with which it was created. The state was not changed"
            );
            assert_eq!(confirmed(arn).await, Err(wanted));
        }
    }
}
