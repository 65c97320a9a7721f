//! AZRebalance: EC2 Auto Scaling terminates nodes, and the jobs on them, to balance the availability zones. It is
//! suspended for Spot groups.
//!
//! The private state records whether this resource suspended it, because AWS suspends it as well, during a zonal shift:
//! a suspension by others is not resumed.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::AutoScalingGroup;
use gitlabspot_clients::aws::AwsError;

use super::flatten::{AZ_REBALANCE, is_az_rebalance_suspended};
use super::private::Private;

/// Whether this resource suspended it.
pub(super) fn is_ours(private: &Private) -> bool {
    private.has_suspended_az_rebalance
}

/// Records the suspension as that of this resource, which can then resume it: for an imported group, with which the
/// suspension is adopted, and for the group of an interrupted create.
pub(super) fn claim(private: &mut Private) {
    private.has_suspended_az_rebalance = true;
}

/// Suspends or resumes it in the groups where it is not as desired. A suspension by others is not resumed.
///
/// # Errors
/// The call failed.
pub(super) async fn apply(
    autoscaling: &Client,
    groups: &[AutoScalingGroup],
    suspend: bool,
    private: &mut Private,
) -> Result<(), AwsError> {
    for group in groups {
        let Some(name) = group.auto_scaling_group_name.as_deref() else { continue };
        match (suspend, is_az_rebalance_suspended(group)) {
            (true, false) => {
                let request = autoscaling.suspend_processes().auto_scaling_group_name(name);
                let request = request.scaling_processes(AZ_REBALANCE);
                request.send().await.map_err(AwsError::of("SuspendProcesses"))?;
                private.has_suspended_az_rebalance = true;
            }
            (false, true) if is_ours(private) => {
                let request = autoscaling.resume_processes().auto_scaling_group_name(name);
                let request = request.scaling_processes(AZ_REBALANCE);
                request.send().await.map_err(AwsError::of("ResumeProcesses"))?;
            }
            _ => {}
        }
    }
    if !suspend {
        private.has_suspended_az_rebalance = false;
    }
    Ok(())
}
