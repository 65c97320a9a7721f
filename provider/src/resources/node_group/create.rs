//! Creates a node group: its subnets, its role, its launch template, the group itself and its Auto Scaling Group.

use std::time::Instant;

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{AttributePath, Create, Diagnostic, Diagnostics, Timeouts, Value};

use super::error::{Cause, During, Error, Fault, Result, Step, parts_of_failed_create};
use super::flatten::settle;
use super::model::desired_asg_tags;
use super::node_role::{self, RoleError, RoleSpec, access_entry};
use super::ownership::{Existing, Outcome, classify};
use super::private::Private;
use super::schema::{NodeGroup, known_set};
use super::template::{self, Created, Desired, Owned, TemplateError};
use super::validate::SUFFIX;
use super::wait::{Id, describe, until_active};
use super::{Session, TIMEOUT, asg_tags, az_rebalance, partial, plan, subnets};
use crate::names;
use crate::steps::{Progress, Remains};
use crate::tags::{Change, UNFINISHED};

type Creating<'a> = Progress<'a, Create<NodeGroup, Private>>;

impl Session<'_> {
    pub(super) async fn create(&self, operation: &mut Create<NodeGroup, Private>) -> Result<()> {
        let end = self.context.clock.now() + Timeouts::create(&operation.planned.timeouts, TIMEOUT);
        let mut planned = self.named(operation);
        let id = Id::of(&planned);
        self.find_place(&id, &mut planned, &mut operation.diagnostics).await?;
        self.check_name(&id, &planned).await?;
        operation.private = Private::default();
        let progress = &mut Progress::begin(operation, partial::created(&planned));
        self.set_up_role(&id, &mut planned, progress).await?;
        self.set_up_template(&id, &mut planned, progress).await?;
        self.create_group(&id, &planned, end, progress).await?;
        let group = self.await_active(&id, end, progress).await?;
        let asgs = self.set_up_asgs(&id, &planned, &group, progress).await?;
        self.finish(&group).await.during(Step::Tag, &id, Remains::Tainted)?;
        let observed = self.flatten(&progress.state, group, asgs, &progress.operation.private);
        progress.done(|state| *state = settle(&planned, observed));
        Ok(())
    }

    /// The plan with the name of the node group, and with the attributes that are derived from it.
    fn named(&self, operation: &Create<NodeGroup, Private>) -> NodeGroup {
        let mut planned = operation.planned.clone();
        if planned.name.known().is_none() {
            planned.name = names::generated(planned.name_prefix.as_str().unwrap_or("build-"), SUFFIX).into();
        }
        plan::derive(&mut planned, &operation.config, self.tags);
        planned
    }

    /// Resolves zones to subnets, or finds the zones of the subnets.
    async fn find_place(&self, id: &Id, planned: &mut NodeGroup, diagnostics: &mut Diagnostics) -> Result<()> {
        match known_set(&planned.subnet_ids) {
            Some(given) if !given.is_empty() => {
                let zones = subnets::zones_of(self.ec2, &given).await;
                let zones = zones.during(Step::FindSubnets, id, Remains::Nothing)?;
                planned.availability_zones = Value::Known(zones.into_values().collect());
            }
            _ => {
                let zones = known_set(&planned.availability_zones).unwrap_or_default();
                let choice = subnets::in_zones(self.eks, self.ec2, &id.cluster, &zones, self.region).await?;
                planned.subnet_ids = Value::Known(choice.subnets.into_iter().collect());
                diagnostics.extend(choice.warning);
            }
        }
        if opens_ssh_to_everybody(planned) {
            let chosen = known_set(&planned.subnet_ids).unwrap_or_default();
            let public = subnets::public_among(self.ec2, &chosen).await;
            let public = public.during(Step::FindSubnets, id, Remains::Nothing)?;
            diagnostics.extend(ssh_warning(&public.into_iter().collect::<Vec<_>>()));
        }
        Ok(())
    }

    /// Refuses the name of an existing node group of others: its role may have the same name as the planned one, and
    /// must not be changed.
    async fn check_name(&self, id: &Id, planned: &NodeGroup) -> Result<()> {
        if planned.node_role.known().is_none() {
            return Ok(());
        }
        let group = describe(self.eks, id).await.during(Step::Create, id, Remains::Nothing)?;
        // This create has not sent a request yet, so that no node group has its token.
        match group.map(|group| classify(group, "")) {
            Some(Existing::OfOthers(_)) => Err(exists(id)),
            _ => Ok(()),
        }
    }

    async fn set_up_role(&self, id: &Id, planned: &mut NodeGroup, progress: &mut Creating<'_>) -> Result<()> {
        let Some(spec) = RoleSpec::of(planned, self.region) else { return Ok(()) };
        if let Value::Known(role) = &mut planned.node_role {
            role.name = spec.name.as_str().into();
        }
        // Recorded before the request: if the create is interrupted, a destroy can delete the role by its name.
        progress.done(|state| state.node_role = planned.node_role.clone());
        match self.ensure_role(id, &spec).await {
            Ok(arn) => {
                planned.node_role_arn = arn.into();
                progress.done(|state| state.node_role_arn = planned.node_role_arn.clone());
                Ok(())
            }
            Err(error) => {
                match error {
                    // A role of others must not be deleted.
                    RoleError::Exists { .. } | RoleError::Refused(_) => progress.operation.nothing_was_made(),
                    RoleError::Partly(_) | RoleError::InProfile { .. } => self.undo(id, progress).await?,
                }
                Err(error).during(Step::SetUpRole, id, Remains::Nothing)
            }
        }
    }

    /// Creates the role, and deletes the access entry of a deleted role with the same name. Returns its ARN.
    async fn ensure_role(&self, id: &Id, spec: &RoleSpec) -> std::result::Result<String, RoleError> {
        let (arn, created_at) = node_role::ensure(self.iam, spec, self.region).await?;
        let deleted = access_entry::delete_of_predecessor(self.eks, &id.cluster, &arn, created_at).await;
        deleted.map_err(WaitError::Failed)?;
        Ok(arn)
    }

    /// Creates the launch template, if the provider manages one for the node group.
    async fn set_up_template(&self, id: &Id, planned: &mut NodeGroup, progress: &mut Creating<'_>) -> Result<()> {
        if template::is_desired(&progress.operation.config) != Some(true) {
            (planned.template_id, planned.template_version) = (Value::Null, Value::Null);
            return Ok(());
        }
        match self.ensure_template(id, planned, progress).await {
            Ok(Created { id, version }) => {
                (planned.template_id, planned.template_version) = (id.into(), version.into());
                progress.done(|state| {
                    state.template_id = planned.template_id.clone();
                    state.template_version = planned.template_version.clone();
                });
                Ok(())
            }
            Err(error) => {
                // No template was created, so that `undo` has none to delete.
                if matches!(error, TemplateError::Exists { .. } | TemplateError::Refused(_)) {
                    template::forget(&mut progress.operation.private);
                }
                self.undo(id, progress).await?;
                Err(error).during(Step::SetUpTemplate, id, Remains::Nothing)
            }
        }
    }

    async fn ensure_template(
        &self,
        id: &Id,
        planned: &NodeGroup,
        progress: &mut Creating<'_>,
    ) -> std::result::Result<Created, TemplateError> {
        let spec = template::validated(planned)?;
        template::begin(&mut progress.operation.private);
        progress.record();
        let group = self.security_group_beside(id, &spec).await.map_err(TemplateError::Refused)?;
        let owned = Owned::of(planned, self.region);
        let created = template::ensure(self.ec2, &owned, &spec, group.as_deref()).await?;
        template::keep(&spec, &mut progress.operation.private);
        Ok(created)
    }

    /// The security group of the cluster, if the template specifies other ones: EKS then does not add it.
    pub(super) async fn security_group_beside(
        &self,
        id: &Id,
        spec: &Desired,
    ) -> std::result::Result<Option<String>, AwsError> {
        match spec.security_groups.is_empty() {
            true => Ok(None),
            false => template::cluster_security_group(self.eks, &id.cluster).await,
        }
    }

    async fn create_group(
        &self,
        id: &Id,
        planned: &NodeGroup,
        end: Instant,
        progress: &mut Creating<'_>,
    ) -> Result<()> {
        let group = match self.request_group(id, planned, end).await {
            Ok(Outcome::Created(group)) => group,
            Ok(Outcome::Exists(group)) => return self.already_exists(id, planned, &group, progress).await,
            Err(error) => {
                // A node group that may exist still needs its role and its launch template.
                if error.remains == Remains::Nothing {
                    self.undo(id, progress).await?;
                }
                return Err(error);
            }
        };
        progress.done(|state| {
            state.arn = group.nodegroup_arn.into();
            state.status = group.status.map(|status| status.as_str().to_owned()).into();
        });
        Ok(())
    }

    /// Waits until the node group is active. Records its status, also if it does not become active.
    async fn await_active(&self, id: &Id, end: Instant, progress: &mut Creating<'_>) -> Result<Nodegroup> {
        let active = until_active(self.context, self.eks, id, self.context.left(end)).await;
        progress.done(|state| match &active {
            Ok(_) => state.status = "ACTIVE".into(),
            Err(WaitError::Failed(Cause::Unhealthy { status, .. })) => state.status = status.as_str().into(),
            Err(_) => {}
        });
        active.during(Step::AwaitActive, id, Remains::Tainted)
    }

    /// Deletes the launch template and the role of a node group that was not created.
    async fn undo(&self, id: &Id, progress: &mut Creating<'_>) -> Result<()> {
        let Progress { operation, state } = progress;
        self.delete_template(id, state, &mut operation.private, parts_of_failed_create()).await?;
        operation.record(state.clone());
        self.delete_role(id, state, parts_of_failed_create()).await?;
        operation.nothing_was_made();
        Ok(())
    }

    /// Returns the error for a node group that already exists. If a concurrent create of the same node group has
    /// created it, it uses the same role and launch template, which are kept.
    async fn already_exists(
        &self,
        id: &Id,
        planned: &NodeGroup,
        group: &Nodegroup,
        progress: &mut Creating<'_>,
    ) -> Result<()> {
        if group.node_role.as_deref() == planned.node_role_arn.as_str() {
            progress.operation.nothing_was_made();
        } else {
            self.undo(id, progress).await?;
        }
        Err(exists(id))
    }

    /// Sets the tags of the Auto Scaling Group, and suspends AZRebalance.
    async fn set_up_asgs(
        &self,
        id: &Id,
        planned: &NodeGroup,
        group: &Nodegroup,
        progress: &mut Creating<'_>,
    ) -> Result<Vec<AutoScalingGroup>> {
        let names = super::asg_names(group);
        let change = Change { set: desired_asg_tags(planned).unwrap_or_default(), remove: vec![] };
        let asgs = asg_tags::apply(self.context, self.autoscaling, &names, &change).await;
        let asgs = asgs.during(Step::TagAutoScalingGroup, id, Remains::Tainted)?;
        let suspend = planned.suspend_az_rebalance.or(false);
        let private = &mut progress.operation.private;
        let applied = az_rebalance::apply(self.autoscaling, &asgs, suspend, private).await;
        applied.during(Step::AzRebalance, id, Remains::Tainted)?;
        // AZRebalance may already be suspended by an interrupted create: `apply` then changes and claims nothing.
        if suspend {
            az_rebalance::claim(private);
        }
        Ok(asgs)
    }

    /// Removes the tag that marks the create as not completed.
    async fn finish(&self, group: &Nodegroup) -> std::result::Result<(), AwsError> {
        let arn = group.nodegroup_arn.clone().unwrap_or_default();
        let request = self.eks.untag_resource().resource_arn(arn).tag_keys(UNFINISHED);
        request.send().await.map(drop).map_err(AwsError::of("UntagResource"))
    }
}

fn exists(id: &Id) -> Error {
    Fault::Exists { cluster: id.cluster.clone(), name: id.name.clone() }.into()
}

/// Whether SSH is open to all addresses: EKS opens port 22 to 0.0.0.0/0 if no security groups are specified.
fn opens_ssh_to_everybody(planned: &NodeGroup) -> bool {
    planned.remote_access.known().is_some_and(|access| {
        access.ec2_ssh_key.known().is_some()
            && known_set(&access.source_security_group_ids).is_some_and(|groups| groups.is_empty())
    })
}

fn ssh_warning(public: &[String]) -> Option<Diagnostic> {
    let text = format!(
        "EKS opens port 22 of the nodes to 0.0.0.0/0, and the subnets {} can be reached from the internet. Specify the \
         allowed security groups in source_security_group_ids, or use private subnets.",
        public.join(", ")
    );
    let path = AttributePath::of("remote_access").attribute("source_security_group_ids");
    (!public.is_empty()).then(|| Diagnostic::warning("SSH is open to the internet", text).at(path))
}

#[cfg(test)]
mod tests {
    use super::super::schema::RemoteAccess;
    use super::super::validate::tests::minimal;
    use super::*;

    #[test]
    fn ssh_that_everybody_reaches_is_warned_about() {
        let access = |groups: &[&str]| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            let access = RemoteAccess { ec2_ssh_key: "key".into(), source_security_group_ids: Value::Known(groups) };
            opens_ssh_to_everybody(&NodeGroup { remote_access: Value::Known(access), ..minimal() })
        };
        assert!(access(&[]) && !access(&["sg-1"]) && !opens_ssh_to_everybody(&minimal()));
        let warning = ssh_warning(&["subnet-1".to_owned()]).unwrap();
        assert_eq!(warning.summary, "SSH is open to the internet");
        assert!(warning.detail.contains("subnet-1"), "{}", warning.detail);
        assert_eq!(ssh_warning(&[]), None);
    }
}
