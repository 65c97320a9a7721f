//! Changing a node group in place: role, version, everything else, tags; each waited for, each in the state as soon as it
//! is done.

use std::time::{Duration, Instant};

use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::known_map;
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Timeouts, Update, Value};

use super::error::{Cause, Error, Left, Step};
use super::flatten::{Found, Reading, flatten, settle};
use super::model::{Desired, wanted_asg_tags};
use super::node_role::{self, RoleSpec};
use super::private::Private;
use super::schema::NodeGroup;
use super::wait::{Id, until_idle, until_updated, when_free};
use super::{Session, TIMEOUT, asg_tags, az_rebalance, expand, flatten::common_tags, plan, template};
use crate::tags::{Change, Tags};

impl<D> Session<'_, D> {
    pub(super) async fn update(&self, operation: &mut Update<NodeGroup, Private>) -> Result<(), Error> {
        let mut prior = operation.prior.clone();
        self.tags.spare(&mut prior.tags_all);
        let mut planned = operation.planned.clone();
        plan::derive(&mut planned, &operation.config, self.tags);
        let id = Id::of(&prior);
        let end = self.context.clock.now() + Timeouts::update(&planned.timeouts, TIMEOUT);
        let failed = |step, left| {
            let id = id.to_string();
            move |source| Error::Step { step, id, source, left }
        };

        let mut group = until_idle(self.context, self.eks, &id, self.left(end))
            .await
            .map_err(failed(Step::UpdateConfig, Left::Untouched))?;
        let mut state = with_what_is_ours_alone(&prior, &planned);
        operation.record(state.clone());
        self.update_role(&id, &prior, &planned).await?;
        state.node_role = planned.node_role.clone();
        operation.record(state.clone());
        let content = self.update_template(&id, &prior, &mut planned).await?;

        let (before, after) = (Desired::of(&prior), Desired::of(&planned));
        if let Some(request) = expand::update_version_request(&before, &after, planned.force_update_version.or(false)) {
            let send = || async {
                let request = request.clone().cluster_name(&id.cluster).nodegroup_name(&id.name);
                let output = request.send_with(self.eks).await.map_err(AwsError::of("UpdateNodegroupVersion"))?;
                Ok(output.update.and_then(|update| update.id))
            };
            let rebalancing = self.rebalance_meanwhile(&group, operation).await;
            let rebalancing = rebalancing.map_err(|error| failed(Step::AzRebalance, Left::Changed)(aws(error)))?;
            let has_new_version = |error: &AwsError| content.is_some() && template::may_be_new(error);
            let updated = self.carry_out(&id, end, has_new_version, send).await;
            let stays = if planned.suspend_az_rebalance.or(false) { rebalancing } else { Vec::new() };
            let suspended = self.suspend_again(stays, operation).await;
            // From here on with the sizes that the autoscaler has set in the meantime.
            group = updated.map_err(failed(Step::UpdateVersion, Left::Changed))?;
            suspended.map_err(|error| failed(Step::AzRebalance, Left::Changed)(aws(error)))?;
            let found = self.flatten(&planned, &group, Vec::new(), operation);
            state = NodeGroup {
                version: found.version,
                release_version: found.release_version,
                launch_template: found.launch_template,
                ..state
            };
            operation.record(state.clone());
        }

        state.template = planned.template.clone();
        if let Some(content) = content {
            state.template_version = planned.template_version.clone();
            template::keep(&content, &mut operation.private);
        }
        operation.record(state.clone());

        let size = group.scaling_config.as_ref().and_then(|scaling| scaling.desired_size);
        if let Some(request) = expand::update_config_request(&before, &after, size) {
            let send = || async {
                let request = request.clone().cluster_name(&id.cluster).nodegroup_name(&id.name);
                let output = request.send_with(self.eks).await.map_err(AwsError::of("UpdateNodegroupConfig"))?;
                Ok(output.update.and_then(|update| update.id))
            };
            self.carry_out(&id, end, |_| false, send).await.map_err(failed(Step::UpdateConfig, Left::Changed))?;
        }
        state = NodeGroup {
            min_size: planned.min_size.clone(),
            max_size: planned.max_size.clone(),
            labels: planned.labels.clone(),
            taints: planned.taints.clone(),
            node_repair: planned.node_repair.clone(),
            build_nodes: planned.build_nodes.clone(),
            ..state
        };
        operation.record(state.clone());

        self.update_tags(&prior, &planned).await.map_err(failed(Step::Tag, Left::Changed))?;
        state.tags = planned.tags.clone();
        state.tags_all = planned.tags_all.clone();
        operation.record(state.clone());

        let asgs = self.update_asgs(&id, &prior, &planned, &group, operation, &mut state).await?;
        let group = until_idle(self.context, self.eks, &id, self.left(end))
            .await
            .map_err(failed(Step::UpdateConfig, Left::Changed))?;
        let found = self.flatten(&planned, &group, asgs, operation);
        operation.record(settle(&planned, found));
        Ok(())
    }

    async fn update_role(&self, id: &Id, prior: &NodeGroup, planned: &NodeGroup) -> Result<(), Error> {
        let of = |model: &NodeGroup| RoleSpec::of(model, self.region);
        let (Some(before), Some(after)) = (of(prior), of(planned)) else { return Ok(()) };
        if before == after {
            return Ok(());
        }
        node_role::update(self.context, self.iam, &before, &after, self.region).await.map_err(|source| Error::Role {
            step: Step::SetUpRole,
            id: id.to_string(),
            source,
            left: Left::Changed,
        })
    }

    /// Makes a version of the template with what the group is to have. Returns its content, if the group has another one.
    async fn update_template(
        &self,
        id: &Id,
        prior: &NodeGroup,
        planned: &mut NodeGroup,
    ) -> Result<Option<template::Desired>, Error> {
        let Some(template) = prior.template_id.as_str().filter(|_| template::is_there(prior)) else { return Ok(None) };
        let failed =
            |source| Error::Template { step: Step::SetUpTemplate, id: id.to_string(), source, left: Left::Changed };
        let tags = |model: &NodeGroup| known_map(&model.tags_all).unwrap_or_default();
        template::retag(self.ec2, template, &tags(prior), &tags(planned))
            .await
            .map_err(|error| failed(error.into()))?;
        if planned.template_version.known().is_some() {
            return Ok(None);
        }
        let spec = template::validated(planned).map_err(failed)?;
        let group = self.security_group_beside(id, &spec).await.map_err(|error| failed(error.into()))?;
        let in_use = prior.template_version.as_str();
        let version = template::ensure_version(self.ec2, template, in_use, &spec, group.as_deref()).await;
        planned.template_version = version.map_err(failed)?.into();
        Ok(Some(spec))
    }

    /// During an update of the version EKS starts new nodes and relies on AZRebalance to have them in the zones of the old
    /// ones. What we suspended is resumed for that long. Returns the groups to suspend it in again.
    async fn rebalance_meanwhile(
        &self,
        group: &Nodegroup,
        operation: &Update<NodeGroup, Private>,
    ) -> Result<Vec<aws_sdk_autoscaling::types::AutoScalingGroup>, AwsError> {
        if !az_rebalance::is_ours(&operation.private) {
            return Ok(Vec::new());
        }
        let asgs = asg_tags::describe(self.autoscaling, &super::asg_names(group)).await?;
        // The mark that it is ours stays: a run that is killed leaves it to the next plan to suspend it again.
        let mut private = operation.private.clone();
        az_rebalance::apply(self.autoscaling, &asgs, false, &mut private).await?;
        Ok(asgs)
    }

    async fn suspend_again(
        &self,
        asgs: Vec<aws_sdk_autoscaling::types::AutoScalingGroup>,
        operation: &mut Update<NodeGroup, Private>,
    ) -> Result<(), AwsError> {
        let names: Vec<String> = asgs.into_iter().filter_map(|asg| asg.auto_scaling_group_name).collect();
        let asgs = asg_tags::describe(self.autoscaling, &names).await?;
        az_rebalance::apply(self.autoscaling, &asgs, true, &mut operation.private).await
    }

    /// Sends a request as soon as no other update runs, and waits until EKS has carried it out.
    async fn carry_out<F>(
        &self,
        id: &Id,
        end: Instant,
        passes: impl Fn(&AwsError) -> bool,
        send: impl FnMut() -> F,
    ) -> Result<Nodegroup, WaitError<Cause>>
    where
        F: Future<Output = Result<Option<String>, AwsError>>,
    {
        let update = when_free(self.context, self.left(end), passes, send).await?;
        let update = update.ok_or(WaitError::Failed(Cause::Incomplete("the id of the update")))?;
        until_updated(self.context, self.eks, id, &update, self.left(end)).await?;
        until_idle(self.context, self.eks, id, self.left(end).max(Duration::from_secs(60))).await
    }

    async fn update_tags(&self, prior: &NodeGroup, planned: &NodeGroup) -> Result<(), WaitError<Cause>> {
        let plain = |model: &NodeGroup| known_map(&model.tags_all).unwrap_or_default();
        let Change { set, remove } = Change::between(&plain(prior), &plain(planned));
        let arn = prior.arn.as_str().unwrap_or_default();
        // First what goes: fifty tags are the limit at every moment.
        if !remove.is_empty() {
            let request = self.eks.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            request.send().await.map_err(|error| aws(AwsError::new("UntagResource", &error)))?;
        }
        if !set.is_empty() {
            let request = self.eks.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect()));
            request.send().await.map_err(|error| aws(AwsError::new("TagResource", &error)))?;
        }
        Ok(())
    }

    /// Tags of the Auto Scaling Group one by one, and the process that evens out zones.
    async fn update_asgs(
        &self,
        id: &Id,
        prior: &NodeGroup,
        planned: &NodeGroup,
        group: &Nodegroup,
        operation: &mut Update<NodeGroup, Private>,
        state: &mut NodeGroup,
    ) -> Result<Vec<aws_sdk_autoscaling::types::AutoScalingGroup>, Error> {
        let failed = |step, source| Error::Step { step, id: id.to_string(), source, left: Left::Changed };
        let names = super::asg_names(group);
        let wanted = wanted_asg_tags(planned).unwrap_or_default();
        let ours = known_map(&prior.asg_tags_all).unwrap_or_default();
        let mut asgs = asg_tags::describe(self.autoscaling, &names)
            .await
            .map_err(|error| failed(Step::TagAutoScalingGroup, aws(error)))?;
        let change = asg_tags::change(&wanted, &asgs, &ours);
        if change != Change::default() {
            match asg_tags::apply(self.context, self.autoscaling, &names, &change).await {
                Ok(changed) => asgs = changed,
                Err(source) => {
                    if let Ok(asgs) = asg_tags::describe(self.autoscaling, &names).await {
                        state.asg_tags_all = ours_of(&common_tags(&asgs), &ours, &wanted);
                        operation.record(state.clone());
                    }
                    return Err(failed(Step::TagAutoScalingGroup, super::cause(source)));
                }
            }
        }
        state.asg_tags_all = planned.asg_tags_all.clone();
        operation.record(state.clone());
        let suspend = planned.suspend_az_rebalance.or(false);
        // What the user does not speak of is left as it is.
        if prior.suspend_az_rebalance != planned.suspend_az_rebalance {
            az_rebalance::apply(self.autoscaling, &asgs, suspend, &mut operation.private)
                .await
                .map_err(|error| failed(Step::AzRebalance, aws(error)))?;
        }
        Ok(asgs)
    }

    fn flatten(
        &self,
        state: &NodeGroup,
        group: &Nodegroup,
        asgs: Vec<aws_sdk_autoscaling::types::AutoScalingGroup>,
        operation: &Update<NodeGroup, Private>,
    ) -> NodeGroup {
        let reading =
            Reading { tags: self.tags, importing: false, suspended_by_us: az_rebalance::is_ours(&operation.private) };
        flatten(state, &Found { group: group.clone(), asgs: Some(asgs) }, reading)
    }
}

/// What no request is needed for takes effect at once.
fn with_what_is_ours_alone(prior: &NodeGroup, planned: &NodeGroup) -> NodeGroup {
    NodeGroup {
        timeouts: planned.timeouts.clone(),
        force_update_version: planned.force_update_version.clone(),
        autoscaler: planned.autoscaler.clone(),
        asg_tags: planned.asg_tags.clone(),
        name_prefix: planned.name_prefix.clone(),
        ..prior.clone()
    }
}

fn ours_of(found: &Tags, before: &Tags, wanted: &Tags) -> Value<tfplugin::framework::value::Map<String>> {
    let ours = found.iter().filter(|(key, _)| before.contains_key(*key) || wanted.contains_key(*key));
    Value::Known(ours.map(|(key, value)| (key.clone(), value.as_str().into())).collect())
}

fn aws(error: AwsError) -> WaitError<Cause> {
    WaitError::Failed(Cause::Aws(error))
}
