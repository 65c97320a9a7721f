//! Reading a node group back.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::known_list;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Diagnostic, Read, Value};

use super::error::{Error, Left, Step};
use super::flatten::{Found, Reading};
use super::health::Issues;
use super::private::Private;
use super::schema::{NodeGroup, known_set};
use super::wait::{Id, describe};
use super::{
    Session, asg_names, asg_tags, az_rebalance, flatten, launch_template, node_role, plan, subnets, template, validate,
};
use crate::unseen::Unseen;

impl<D> Session<'_, D> {
    pub(super) async fn read(&self, operation: &mut Read<NodeGroup, Private>) -> Result<(), Error> {
        let id = Id::of(&operation.state);
        let failed = |error: AwsError| Error::Step {
            step: Step::Read,
            id: id.to_string(),
            source: WaitError::Failed(error.into()),
            left: Left::Untouched,
        };
        let mut unseen = Unseen::unless(operation.importing);
        let group = unseen.seen(&format!("the node group {id}"), describe(self.eks, &id).await).map_err(failed)?;
        let Some(group) = group else {
            // The rest of it tells what else is missing.
            let names = known_list(&operation.state.autoscaling_group_names).unwrap_or_default();
            self.see_asgs(&names, &mut unseen).await.map_err(failed)?;
            self.follow_template(operation, &mut unseen).await.map_err(failed)?;
            operation.diagnostics.extend(unseen.warning("node group"));
            return Ok(());
        };
        let Some(group) = group else {
            if operation.importing {
                return Err(Error::NothingToImport { id: id.to_string(), region: self.region.to_owned() });
            }
            self.not_found(operation);
            return Ok(());
        };
        let issues = Issues::of(&group);
        if !issues.is_empty() {
            let text = format!("EKS reports for the node group {id}: {issues}.");
            operation.diagnostics.push(Diagnostic::warning("Node group is not healthy", text));
        }
        let asgs = self.see_asgs(&asg_names(&group), &mut unseen).await.map_err(failed)?;
        let reading = Reading {
            tags: self.tags,
            importing: operation.importing,
            suspended_by_us: az_rebalance::is_ours(&operation.private),
        };
        let found = Found { group, asgs };
        operation.state = flatten::flatten(&operation.state, &found, reading);
        if operation.importing {
            if operation.state.suspend_az_rebalance.or(false) {
                az_rebalance::claim(&mut operation.private);
            }
            self.import_the_rest(&found.group, operation).await.map_err(failed)?;
        } else {
            self.follow_template(operation, &mut unseen).await.map_err(failed)?;
        }
        operation.diagnostics.extend(unseen.warning("node group"));
        Ok(())
    }

    async fn see_asgs(&self, names: &[String], unseen: &mut Unseen) -> Result<Option<Vec<AutoScalingGroup>>, AwsError> {
        unseen.seen("its Auto Scaling Group", asg_tags::describe(self.autoscaling, names).await)
    }

    async fn follow_template(
        &self,
        operation: &mut Read<NodeGroup, Private>,
        unseen: &mut Unseen,
    ) -> Result<(), AwsError> {
        let Read { state, private, diagnostics, .. } = operation;
        let followed = template::follow(self.ec2, self.eks, state, private).await;
        diagnostics.extend(unseen.seen("its launch template", followed)?.flatten());
        Ok(())
    }

    /// The group is gone. The role or the launch template that a failed create or delete has left must not be forgotten.
    fn not_found(&self, operation: &mut Read<NodeGroup, Private>) {
        let state = &operation.state;
        let worked = matches!(state.status.as_str(), Some("ACTIVE" | "UPDATING" | "DEGRADED"));
        let role = state.node_role.known().and_then(|role| role.name.as_str());
        let template = template::which(state, &operation.private, self.region);
        if role.is_none() && template.is_none() {
            operation.gone();
        } else if worked {
            let role = role.map(|name| format!("role {name}"));
            let template = state.template_id.as_str().map(|id| format!("launch template {id}"));
            let parts: Vec<String> = role.into_iter().chain(template).collect();
            let (are, them) = if parts.len() == 1 { ("is", "it") } else { ("are", "them") };
            let parts = parts.join(" and ");
            let text = format!(
                "The node group was deleted outside of this configuration. Its {parts} {are} still present, and {are} \
                 used again when the group is created again. If the group is not to be created again, delete {them}."
            );
            operation.diagnostics.push(Diagnostic::warning("Parts of a deleted node group still exist", text));
            operation.gone();
        } else {
            operation.state.status = plan::DELETED.into();
        }
    }

    /// What an import fills in with further calls: zones, and launch template and role if they are ours.
    async fn import_the_rest(
        &self,
        group: &Nodegroup,
        operation: &mut Read<NodeGroup, Private>,
    ) -> Result<(), AwsError> {
        let Read { state, private, .. } = operation;
        let subnets = known_set(&state.subnet_ids).unwrap_or_default();
        let zones = subnets::zones_of(self.ec2, &subnets).await?;
        state.availability_zones = Value::Known(zones.into_values().collect());
        if state.instance_types.is_null()
            && let Some(kind) = launch_template::instance_type(self.ec2, &state.launch_template).await
        {
            state.instance_types = Value::Known(vec![kind.into()]);
        }
        state.name_prefix = validate::generated_prefix(state.name.as_str().unwrap_or_default()).into();
        state.node_role = node_role::read(self.iam, state, self.region).await?;
        let owner = node_role::owner_of(state, self.region);
        template::import(self.ec2, self.eks, group, &owner, state, private).await?;
        Ok(())
    }
}
