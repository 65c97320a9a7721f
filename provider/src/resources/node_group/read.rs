//! Reads a node group.

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::known_list;
use tfplugin::framework::{Diagnostic, Read, Value};

use super::error::{During, Fault, Result, Step};
use super::flatten::Reading;
use super::health::Issues;
use super::model::Observed;
use super::private::Private;
use super::schema::{NodeGroup, known_set};
use super::wait::{Id, describe};
use super::{
    Session, asg_names, asg_tags, az_rebalance, flatten, launch_template, node_role, plan, subnets, template, validate,
};
use crate::denied_reads::DeniedReads;
use crate::steps::Remains;

impl Session<'_> {
    pub(super) async fn read(&self, operation: &mut Read<NodeGroup, Private>) -> Result<()> {
        let id = Id::of(&operation.state);
        let mut denied = DeniedReads::unless(operation.importing);
        let group = denied.or_none(&format!("the node group {id}"), describe(self.eks, &id).await);
        let group = group.during(Step::Read, &id, Remains::State)?;
        let Some(group) = group else {
            // The other reads are made as well, so that one warning lists all missing permissions.
            let names = known_list(&operation.state.autoscaling_group_names).unwrap_or_default();
            self.read_asgs(&names, &mut denied).await.during(Step::Read, &id, Remains::State)?;
            self.follow_template(operation, &mut denied).await.during(Step::Read, &id, Remains::State)?;
            operation.diagnostics.extend(denied.warning("node group"));
            return Ok(());
        };
        let Some(group) = group else {
            if operation.importing {
                return Err(Fault::NothingToImport { id: id.to_string(), region: self.region.to_owned() }.into());
            }
            self.not_found(operation);
            return Ok(());
        };
        let issues = Issues::of(&group);
        if !issues.is_empty() {
            let text = format!("EKS reports issues of the node group {id}: {issues}.");
            operation.diagnostics.push(Diagnostic::warning("Node group is not healthy", text));
        }
        let asgs = self.read_asgs(&asg_names(&group), &mut denied).await.during(Step::Read, &id, Remains::State)?;
        let reading = Reading {
            tags: self.tags,
            importing: operation.importing,
            suspended_by_us: az_rebalance::is_ours(&operation.private),
        };
        let observed = Observed { group, asgs };
        operation.state = flatten::flatten(&operation.state, &observed, reading);
        if operation.importing {
            if operation.state.suspend_az_rebalance.or(false) {
                az_rebalance::claim(&mut operation.private);
            }
            self.import_parts(&observed.group, operation).await.during(Step::Read, &id, Remains::State)?;
        } else {
            self.follow_template(operation, &mut denied).await.during(Step::Read, &id, Remains::State)?;
        }
        operation.diagnostics.extend(denied.warning("node group"));
        Ok(())
    }

    async fn read_asgs(
        &self,
        names: &[String],
        denied: &mut DeniedReads,
    ) -> std::result::Result<Option<Vec<AutoScalingGroup>>, AwsError> {
        denied.or_none("its Auto Scaling Group", asg_tags::describe(self.autoscaling, names).await)
    }

    async fn follow_template(
        &self,
        operation: &mut Read<NodeGroup, Private>,
        denied: &mut DeniedReads,
    ) -> std::result::Result<(), AwsError> {
        let Read { state, private, diagnostics, .. } = operation;
        let followed = template::follow(self.ec2, self.eks, state, private).await;
        diagnostics.extend(denied.or_none("its launch template", followed)?.flatten());
        Ok(())
    }

    /// Handles a node group that no longer exists. Its role or launch template, which remains after a failed create or
    /// delete, is kept in the state, so that the next apply or destroy deletes it.
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

    /// Sets the attributes that an import reads with additional calls: zones, the instance type of a launch template,
    /// and the launch template and the role if the provider manages them.
    async fn import_parts(
        &self,
        group: &Nodegroup,
        operation: &mut Read<NodeGroup, Private>,
    ) -> std::result::Result<(), AwsError> {
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
        state.node_role = node_role::read(&self.iam, state, self.region).await?;
        let owner = node_role::owner_of(state, self.region);
        template::import(self.ec2, self.eks, group, &owner, state, private).await?;
        Ok(())
    }
}
