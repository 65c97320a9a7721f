//! Making a node group: its place, its role, the group itself, and what belongs on its Auto Scaling Group.

use std::collections::BTreeMap;

use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{AttributePath, Create, Diagnostic, Diagnostics, Timeouts, Value};

use super::error::{Cause, Error, Left, Step};
use super::flatten::{Found, Reading, flatten, settle};
use super::model::wanted_asg_tags;
use super::node_role::{self, RoleError, RoleSpec, access_entry};
use super::ownership::{Outcome, Under, under};
use super::private::Private;
use super::schema::{NodeGroup, known_set, map_value};
use super::template::{self, Desired, Made, Owned, TemplateError};
use super::validate::SUFFIX;
use super::wait::{Id, describe, until_active};
use super::{Session, TIMEOUT, asg_tags, az_rebalance, plan, subnets};
use crate::names;
use crate::tags::{Change, UNFINISHED};

impl<D> Session<'_, D> {
    pub(super) async fn create(&self, operation: &mut Create<NodeGroup, Private>) -> Result<(), Error> {
        let mut planned = operation.planned.clone();
        let end = self.context.clock.now() + Timeouts::create(&planned.timeouts, TIMEOUT);
        if planned.name.known().is_none() {
            planned.name = names::generated(planned.name_prefix.as_str().unwrap_or("build-"), SUFFIX).into();
        }
        plan::derive(&mut planned, &operation.config, self.tags);
        let id = Id::of(&planned);
        self.find_place(&id, &mut planned, &mut operation.diagnostics).await?;
        self.look_before(&id, &planned).await?;

        // From here on something may exist. What has not been done yet is not in the state.
        let mut state = NodeGroup {
            asg_tags_all: map_value(BTreeMap::new()),
            suspend_az_rebalance: false.into(),
            ..planned.clone()
        };
        operation.private = Private::default();
        operation.record(state.clone());
        self.set_up_role(&id, &mut planned, &mut state, operation).await?;
        self.set_up_template(&id, &mut planned, &mut state, operation).await?;

        let group = match self.make(&id, &planned, end).await {
            Ok(Outcome::Made(group)) => group,
            Ok(Outcome::Exists(group)) => {
                // Another create of the same group, at the same time, uses the same role and the same template.
                let role_is_used = group.node_role.as_deref() == planned.node_role_arn.as_str();
                if role_is_used {
                    operation.nothing_was_made()
                } else {
                    self.undo(&id, operation).await?
                }
                return Err(Error::Exists { cluster: id.cluster, name: id.name });
            }
            Err((source, Left::Nothing)) => {
                self.undo(&id, operation).await?;
                return Err(Error::Step { step: Step::Create, id: id.to_string(), source, left: Left::Nothing });
            }
            Err((source, left)) => return Err(Error::Step { step: Step::Create, id: id.to_string(), source, left }),
        };
        state.arn = group.nodegroup_arn.clone().into();
        state.status = group.status.as_ref().map(|status| status.as_str().to_owned()).into();
        operation.record(state.clone());

        let failed = |step| {
            let id = id.to_string();
            move |source| Error::Step { step, id, source, left: Left::NewGroup }
        };
        let left = self.left(end);
        let group = match until_active(self.context, self.eks, &id, left).await {
            Ok(group) => group,
            Err(source) => {
                if let WaitError::Failed(Cause::Unhealthy { status, .. }) = &source {
                    state.status = status.as_str().into();
                    operation.record(state);
                }
                return Err(failed(Step::AwaitActive)(source));
            }
        };
        state.status = "ACTIVE".into();
        operation.record(state.clone());
        let asgs =
            self.set_up_asgs(&planned, &group, operation).await.map_err(|(step, source)| failed(step)(source))?;
        self.finish(&group).await.map_err(|error| failed(Step::Tag)(WaitError::Failed(error.into())))?;

        let reading =
            Reading { tags: self.tags, importing: false, suspended_by_us: az_rebalance::is_ours(&operation.private) };
        let found = flatten(&state, &Found { group, asgs: Some(asgs) }, reading);
        operation.record(settle(&planned, found));
        Ok(())
    }

    /// Resolves zones to subnets, or finds the zones of the subnets.
    async fn find_place(&self, id: &Id, planned: &mut NodeGroup, diagnostics: &mut Diagnostics) -> Result<(), Error> {
        let failed = |error: AwsError| Error::Step {
            step: Step::FindSubnets,
            id: id.to_string(),
            source: WaitError::Failed(error.into()),
            left: Left::Nothing,
        };
        match known_set(&planned.subnet_ids) {
            Some(given) if !given.is_empty() => {
                let zones = subnets::zones_of(self.ec2, &given).await.map_err(failed)?;
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
            let public = subnets::public_among(self.ec2, &chosen).await.map_err(failed)?;
            diagnostics.extend(ssh_warning(&public.into_iter().collect::<Vec<_>>()));
        }
        Ok(())
    }

    /// A group that others have may use a role that looks like ours: it must not be touched.
    async fn look_before(&self, id: &Id, planned: &NodeGroup) -> Result<(), Error> {
        if planned.node_role.known().is_none() {
            return Ok(());
        }
        match describe(self.eks, id).await {
            Ok(Some(group)) => match under(group, "") {
                Under::Foreign(_) => Err(Error::Exists { cluster: id.cluster.clone(), name: id.name.clone() }),
                _ => Ok(()),
            },
            Ok(None) => Ok(()),
            Err(error) => Err(Error::Step {
                step: Step::Create,
                id: id.to_string(),
                source: WaitError::Failed(error.into()),
                left: Left::Nothing,
            }),
        }
    }

    async fn set_up_role(
        &self,
        id: &Id,
        planned: &mut NodeGroup,
        state: &mut NodeGroup,
        operation: &mut Create<NodeGroup, Private>,
    ) -> Result<(), Error> {
        let Some(spec) = RoleSpec::of(planned, self.region) else { return Ok(()) };
        if let Value::Known(role) = &mut planned.node_role {
            role.name = spec.name.as_str().into();
        }
        state.node_role = planned.node_role.clone();
        operation.record(state.clone());
        let made = match node_role::ensure(self.context, self.iam, &spec, self.region).await {
            Ok((arn, made)) => {
                let entry = access_entry::delete_of_predecessor(self.eks, &id.cluster, &arn, made).await;
                entry.map(|()| arn).map_err(|error| RoleError::Partly(WaitError::Failed(error)))
            }
            Err(error) => Err(error),
        };
        match made {
            Ok(arn) => {
                planned.node_role_arn = arn.as_str().into();
                state.node_role_arn = arn.into();
                operation.record(state.clone());
                Ok(())
            }
            Err(source) => {
                match source {
                    RoleError::Exists { .. } | RoleError::Refused(_) => operation.nothing_was_made(),
                    RoleError::Partly(_) | RoleError::InProfile { .. } => self.undo(id, operation).await?,
                }
                Err(Error::Role { step: Step::SetUpRole, id: id.to_string(), source, left: Left::Nothing })
            }
        }
    }

    /// Makes the launch template, where the group gets one of the provider's.
    async fn set_up_template(
        &self,
        id: &Id,
        planned: &mut NodeGroup,
        state: &mut NodeGroup,
        operation: &mut Create<NodeGroup, Private>,
    ) -> Result<(), Error> {
        let failed =
            |source| Error::Template { step: Step::SetUpTemplate, id: id.to_string(), source, left: Left::Nothing };
        if template::is_wanted(&operation.config) != Some(true) {
            (planned.template_id, planned.template_version) = (Value::Null, Value::Null);
            return Ok(());
        }
        let spec = match template::validated(planned) {
            Ok(spec) => spec,
            Err(source) => {
                self.undo(id, operation).await?;
                return Err(failed(source));
            }
        };
        template::begin(&mut operation.private);
        operation.record(state.clone());
        let owned = Owned::of(planned, self.region);
        let made = match self.security_group_beside(id, &spec).await {
            Ok(group) => template::ensure(self.ec2, &owned, &spec, group.as_deref()).await,
            Err(error) => Err(TemplateError::Refused(error)),
        };
        match made {
            Ok(Made { id, version }) => {
                for model in [planned, state] {
                    (model.template_id, model.template_version) = (id.as_str().into(), version.as_str().into());
                }
                template::keep(&spec, &mut operation.private);
                operation.record(state.clone());
                Ok(())
            }
            Err(source) => {
                if matches!(source, TemplateError::Exists { .. } | TemplateError::Refused(_)) {
                    template::forget(&mut operation.private);
                }
                self.undo(id, operation).await?;
                Err(failed(source))
            }
        }
    }

    /// The cluster's security group, where the template names others.
    pub(super) async fn security_group_beside(&self, id: &Id, spec: &Desired) -> Result<Option<String>, AwsError> {
        match spec.security_groups.is_empty() {
            true => Ok(None),
            false => template::cluster_security_group(self.eks, &id.cluster).await,
        }
    }

    /// After a refusal: the template and the role that were made for nothing go again.
    async fn undo(&self, id: &Id, operation: &mut Create<NodeGroup, Private>) -> Result<(), Error> {
        let template = operation.recorded().and_then(|state| template::which(state, &operation.private, self.region));
        if let Some(which) = template {
            template::delete(self.ec2, &which).await.map_err(|error| Error::Template {
                step: Step::DeleteTemplate,
                id: id.to_string(),
                source: error.into(),
                left: Left::Parts,
            })?;
        }
        let role = operation.recorded().and_then(|state| {
            let name = state.node_role.known()?.name.as_str()?.to_owned();
            Some((name, state.node_role_arn.as_str().map(str::to_owned)))
        });
        if let Some((name, arn)) = role {
            self.delete_role(id, &name, arn.as_deref()).await.map_err(|source| Error::Role {
                step: Step::DeleteRole,
                id: id.to_string(),
                source,
                left: Left::Parts,
            })?;
        }
        operation.nothing_was_made();
        Ok(())
    }

    /// Tags, and the process that evens out zones.
    async fn set_up_asgs(
        &self,
        planned: &NodeGroup,
        group: &Nodegroup,
        operation: &mut Create<NodeGroup, Private>,
    ) -> Result<Vec<aws_sdk_autoscaling::types::AutoScalingGroup>, (Step, WaitError<Cause>)> {
        let names = super::asg_names(group);
        let change = Change { set: wanted_asg_tags(planned).unwrap_or_default(), remove: vec![] };
        let asgs = asg_tags::apply(self.context, self.autoscaling, &names, &change)
            .await
            .map_err(|source| (Step::TagAutoScalingGroup, super::cause(source)))?;
        let suspend = planned.suspend_az_rebalance.or(false);
        az_rebalance::apply(self.autoscaling, &asgs, suspend, &mut operation.private)
            .await
            .map_err(|error| (Step::AzRebalance, WaitError::Failed(error.into())))?;
        if suspend {
            az_rebalance::claim(&mut operation.private);
        }
        Ok(asgs)
    }

    /// Takes away the mark of a create that has not come to its end.
    async fn finish(&self, group: &Nodegroup) -> Result<(), AwsError> {
        let arn = group.nodegroup_arn.clone().unwrap_or_default();
        let request = self.eks.untag_resource().resource_arn(arn).tag_keys(UNFINISHED);
        request.send().await.map(drop).map_err(AwsError::of("UntagResource"))
    }
}

/// Without security groups EKS lets everybody connect who reaches the nodes.
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
