//! AZRebalance: EC2 terminates nodes to even out the zones, and does not ask the jobs on them. Suspended for Spot groups.
//!
//! Whether it was this resource that suspended it is kept beside the state, because AWS suspends it as well, during a
//! zonal shift: what others suspended is not ours to resume.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::AutoScalingGroup;
use gitlabspot_clients::aws::AwsError;

use super::flatten::{AZ_REBALANCE, is_az_rebalance_suspended};
use super::private::Private;

/// Whether this resource suspended it.
pub(super) fn is_ours(private: &Private) -> bool {
    private.has_suspended_az_rebalance
}

/// Whose suspension it is: from now on ours, and ours to resume. For an imported group, whose suspension the user takes
/// over with it, and for one that an interrupted create of ours had begun.
pub(super) fn claim(private: &mut Private) {
    private.has_suspended_az_rebalance = true;
}

/// Suspends or resumes it where that is needed and ours to do.
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
