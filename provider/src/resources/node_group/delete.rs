//! Deletes the node group, then its launch template and its role, which its nodes need until they are terminated.

use std::time::{Duration, Instant};

use aws_sdk_eks::types::NodegroupStatus as Status;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Delete, Timeouts, Value};

use super::error::{Cause, During, Result, Step, parts_of_delete};
use super::node_role::{self, access_entry};
use super::private::Private;
use super::schema::NodeGroup;
use super::wait::{Id, describe, is_busy, until_deleted, until_idle};
use super::{Session, TIMEOUT, plan, template};
use crate::steps::Remains;

impl Session<'_> {
    pub(super) async fn delete(&self, operation: &mut Delete<NodeGroup, Private>) -> Result<()> {
        let id = Id::of(&operation.state);
        let end = self.context.clock.now() + Timeouts::delete(&operation.state.timeouts, TIMEOUT);
        let deleted = self.delete_group(&id, end).await;
        if let Err(WaitError::Failed(Cause::Unhealthy { status, .. })) = &deleted {
            operation.state.status = status.as_str().into();
        }
        deleted.during(Step::Delete, &id, Remains::Undeleted)?;
        operation.state.status = plan::DELETED.into();
        self.delete_template(&id, &mut operation.state, &mut operation.private, parts_of_delete()).await?;
        self.delete_role(&id, &operation.state, parts_of_delete()).await
    }

    /// Deletes the launch template of the provider, if there is one.
    pub(super) async fn delete_template(
        &self,
        id: &Id,
        state: &mut NodeGroup,
        private: &mut Private,
        remains: Remains,
    ) -> Result<()> {
        let Some(which) = template::which(state, private, self.region) else { return Ok(()) };
        template::delete(self.ec2, &which).await.during(Step::DeleteTemplate, id, remains)?;
        (state.template_id, state.template_version) = (Value::Null, Value::Null);
        template::forget(private);
        Ok(())
    }

    /// Deletes the role of the provider, if there is one, after the access entry with which its nodes join the cluster.
    pub(super) async fn delete_role(&self, id: &Id, state: &NodeGroup, remains: Remains) -> Result<()> {
        let Some(name) = state.node_role.known().and_then(|role| role.name.as_str()) else { return Ok(()) };
        if let Some(arn) = state.node_role_arn.as_str() {
            let deleted = access_entry::delete(self.eks, &id.cluster, arn).await;
            deleted.during(Step::DeleteRole, id, remains.clone())?;
        }
        node_role::delete(self.iam, name).await.during(Step::DeleteRole, id, remains)
    }

    async fn delete_group(&self, id: &Id, end: Instant) -> std::result::Result<(), WaitError<Cause>> {
        loop {
            let request = self.eks.delete_nodegroup().cluster_name(&id.cluster).nodegroup_name(&id.name);
            let error = match request.send().await.map_err(AwsError::of("DeleteNodegroup")) {
                Ok(_) => break,
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) => error,
            };
            if !is_busy(&error) && !error.is_outcome_unknown() {
                return Err(Cause::Aws(error).into());
            }
            // Another operation changes or deletes the node group, or the response was lost.
            match describe(self.eks, id).await.map_err(Cause::Aws)? {
                None => return Ok(()),
                Some(group) if group.status == Some(Status::Deleting) => break,
                Some(_) if self.context.left(end).is_zero() => return Err(Cause::Aws(error).into()),
                Some(_) => match until_idle(self.context, self.eks, id, self.context.left(end)).await {
                    Ok(_) => self.context.clock.sleep(Duration::from_secs(1)).await,
                    Err(WaitError::Failed(Cause::Deleted)) => return Ok(()),
                    // Of the unhealthy states, `until_idle` only returns `DELETING`.
                    Err(WaitError::Failed(Cause::Unhealthy { .. })) => break,
                    Err(error) => return Err(error),
                },
            }
        }
        until_deleted(self.context, self.eks, id, self.context.left(end)).await
    }
}
