//! Updates a node group in place: role, launch template, version, configuration, tags, Auto Scaling Group. The
//! operation waits for each step and records it.

use std::time::{Duration, Instant};

use aws_sdk_autoscaling::types::AutoScalingGroup;
use aws_sdk_eks::types::Nodegroup;
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::{Map, known_map};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Timeouts, Update, Value};

use super::error::{Cause, During, Result, Step};
use super::flatten::{Reading, common_tags, flatten, settle};
use super::model::{Desired, Observed, desired_asg_tags};
use super::node_role::{self, RoleSpec};
use super::private::Private;
use super::schema::NodeGroup;
use super::wait::{Id, until_idle, until_updated, when_free};
use super::{Session, TIMEOUT, asg_names, asg_tags, az_rebalance, expand, partial, plan, template};
use crate::steps::{Progress, Remains};
use crate::tags::{Change, Tags};

type Updating<'a> = Progress<'a, Update<NodeGroup, Private>>;

/// The update of one node group.
struct Work<'a> {
    id: &'a Id,
    prior: &'a NodeGroup,
    planned: &'a NodeGroup,
    /// The new content of its launch template.
    template: Option<&'a template::Desired>,
    /// When the operation times out.
    end: Instant,
}

impl Session<'_> {
    pub(super) async fn update(&self, operation: &mut Update<NodeGroup, Private>) -> Result<()> {
        let end = self.context.clock.now() + Timeouts::update(&operation.planned.timeouts, TIMEOUT);
        let mut prior = operation.prior.clone();
        self.tags.spare(&mut prior.tags_all);
        let mut planned = operation.planned.clone();
        plan::derive(&mut planned, &operation.config, self.tags);
        let id = &Id::of(&prior);
        // EKS rejects a change while another update of the node group is in progress.
        let group = until_idle(self.context, self.eks, id, self.context.left(end)).await;
        let group = group.during(Step::UpdateConfig, id, Remains::Unchanged)?;
        let progress = &mut Progress::begin(operation, partial::updated(&prior, &planned));
        self.update_role(id, &prior, &planned).await?;
        progress.done(|state| state.node_role = planned.node_role.clone());
        let template = self.update_template(id, &prior, &mut planned).await?;
        let work = Work { id, prior: &prior, planned: &planned, template: template.as_ref(), end };
        let group = self.update_version(&work, group, progress).await?;
        self.update_config(&work, &group, progress).await?;
        self.update_tags(&work, progress).await?;
        let asgs = self.update_asgs(&work, &group, progress).await?;
        let group = until_idle(self.context, self.eks, id, self.context.left(end)).await;
        let group = group.during(Step::UpdateConfig, id, Remains::Recorded)?;
        let observed = self.flatten(&planned, group, asgs, &progress.operation.private);
        progress.done(|state| *state = settle(&planned, observed));
        Ok(())
    }

    async fn update_role(&self, id: &Id, prior: &NodeGroup, planned: &NodeGroup) -> Result<()> {
        let of = |model: &NodeGroup| RoleSpec::of(model, self.region);
        let (Some(before), Some(after)) = (of(prior), of(planned)) else { return Ok(()) };
        if before == after {
            return Ok(());
        }
        let updated = node_role::update(self.iam, &before, &after, self.region).await;
        updated.during(Step::SetUpRole, id, Remains::Recorded)
    }

    /// Creates a version of the launch template, if its content changes. Returns the new content.
    async fn update_template(
        &self,
        id: &Id,
        prior: &NodeGroup,
        planned: &mut NodeGroup,
    ) -> Result<Option<template::Desired>> {
        let Some(template) = prior.template_id.as_str().filter(|_| template::is_managed(prior)) else {
            return Ok(None);
        };
        let (step, remains) = (Step::SetUpTemplate, || Remains::Recorded);
        let tags = |model: &NodeGroup| known_map(&model.tags_all).unwrap_or_default();
        template::retag(self.ec2, template, &tags(prior), &tags(planned)).await.during(step, id, remains())?;
        if planned.template_version.known().is_some() {
            return Ok(None);
        }
        let spec = template::validated(planned).during(step, id, remains())?;
        let group = self.security_group_beside(id, &spec).await.during(step, id, remains())?;
        let in_use = prior.template_version.as_str();
        let version = template::ensure_version(self.ec2, template, in_use, &spec, group.as_deref()).await;
        planned.template_version = version.during(step, id, remains())?.into();
        Ok(Some(spec))
    }

    /// Updates the version, and the launch template with it. Returns the node group with the sizes that the autoscaler
    /// has set in the meantime.
    async fn update_version(
        &self,
        work: &Work<'_>,
        mut group: Nodegroup,
        progress: &mut Updating<'_>,
    ) -> Result<Nodegroup> {
        let &Work { id, planned, .. } = work;
        let (before, after) = (Desired::of(work.prior), Desired::of(planned));
        if let Some(request) = expand::update_version_request(&before, &after, planned.force_update_version.or(false)) {
            let send = || async {
                let request = request.clone().cluster_name(&id.cluster).nodegroup_name(&id.name);
                let output = request.send_with(self.eks).await.map_err(AwsError::of("UpdateNodegroupVersion"))?;
                Ok(output.update.and_then(|update| update.id))
            };
            let resumed = self.resume_az_rebalance(&group, &progress.operation.private).await;
            let resumed = resumed.during(Step::AzRebalance, id, Remains::Recorded)?;
            let passes = |error: &AwsError| work.template.is_some() && template::may_be_new(error);
            let updated = self.carry_out(work, passes, send).await;
            let stays = if planned.suspend_az_rebalance.or(false) { resumed } else { Vec::new() };
            // Suspended again before an error of the update is returned.
            let suspended = self.suspend_az_rebalance(stays, &mut progress.operation.private).await;
            group = updated.during(Step::UpdateVersion, id, Remains::Recorded)?;
            suspended.during(Step::AzRebalance, id, Remains::Recorded)?;
            let observed = self.flatten(planned, group.clone(), Vec::new(), &progress.operation.private);
            progress.done(|state| partial::version_updated(state, observed));
        }
        if let Some(template) = work.template {
            template::keep(template, &mut progress.operation.private);
        }
        progress.done(|state| {
            state.template = planned.template.clone();
            if work.template.is_some() {
                state.template_version = planned.template_version.clone();
            }
        });
        Ok(group)
    }

    async fn update_config(&self, work: &Work<'_>, group: &Nodegroup, progress: &mut Updating<'_>) -> Result<()> {
        let &Work { id, prior, planned, .. } = work;
        let size = group.scaling_config.as_ref().and_then(|scaling| scaling.desired_size);
        if let Some(request) = expand::update_config_request(&Desired::of(prior), &Desired::of(planned), size) {
            let send = || async {
                let request = request.clone().cluster_name(&id.cluster).nodegroup_name(&id.name);
                let output = request.send_with(self.eks).await.map_err(AwsError::of("UpdateNodegroupConfig"))?;
                Ok(output.update.and_then(|update| update.id))
            };
            self.carry_out(work, |_| false, send).await.during(Step::UpdateConfig, id, Remains::Recorded)?;
        }
        progress.done(|state| partial::config_updated(state, planned));
        Ok(())
    }

    /// Resumes AZRebalance for an update of the version, if this resource has suspended it: EKS relies on it to start
    /// the new nodes in the zones of the old ones. Returns the groups in which it has to be suspended again.
    async fn resume_az_rebalance(
        &self,
        group: &Nodegroup,
        private: &Private,
    ) -> std::result::Result<Vec<AutoScalingGroup>, AwsError> {
        if !az_rebalance::is_ours(private) {
            return Ok(Vec::new());
        }
        let asgs = asg_tags::describe(self.autoscaling, &asg_names(group)).await?;
        // The private state keeps the suspension: after an interruption the next plan suspends it again.
        az_rebalance::apply(self.autoscaling, &asgs, false, &mut private.clone()).await?;
        Ok(asgs)
    }

    async fn suspend_az_rebalance(
        &self,
        asgs: Vec<AutoScalingGroup>,
        private: &mut Private,
    ) -> std::result::Result<(), AwsError> {
        let names: Vec<String> = asgs.into_iter().filter_map(|asg| asg.auto_scaling_group_name).collect();
        let asgs = asg_tags::describe(self.autoscaling, &names).await?;
        az_rebalance::apply(self.autoscaling, &asgs, true, private).await
    }

    /// Sends a request as soon as no other update runs, and waits until EKS has carried it out.
    async fn carry_out<F>(
        &self,
        work: &Work<'_>,
        passes: impl Fn(&AwsError) -> bool,
        send: impl FnMut() -> F,
    ) -> std::result::Result<Nodegroup, WaitError<Cause>>
    where
        F: Future<Output = std::result::Result<Option<String>, AwsError>>,
    {
        let &Work { id, end, .. } = work;
        let update = when_free(self.context, self.context.left(end), passes, send).await?;
        let update = update.ok_or(Cause::Incomplete("the id of the update"))?;
        until_updated(self.context, self.eks, id, &update, self.context.left(end)).await?;
        // The update is complete: a read of its result gets a minute even if the operation has timed out.
        until_idle(self.context, self.eks, id, self.context.left(end).max(Duration::from_secs(60))).await
    }

    async fn update_tags(&self, work: &Work<'_>, progress: &mut Updating<'_>) -> Result<()> {
        let plain = |model: &NodeGroup| known_map(&model.tags_all).unwrap_or_default();
        let Change { set, remove } = Change::between(&plain(work.prior), &plain(work.planned));
        let arn = work.prior.arn.as_str().unwrap_or_default();
        // Tags are removed first: the limit of 50 tags applies after every request.
        if !remove.is_empty() {
            let request = self.eks.untag_resource().resource_arn(arn).set_tag_keys(Some(remove));
            let untagged = request.send().await.map_err(AwsError::of("UntagResource"));
            untagged.during(Step::Tag, work.id, Remains::Recorded)?;
        }
        if !set.is_empty() {
            let request = self.eks.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect()));
            let tagged = request.send().await.map_err(AwsError::of("TagResource"));
            tagged.during(Step::Tag, work.id, Remains::Recorded)?;
        }
        progress.done(|state| partial::tagged(state, work.planned));
        Ok(())
    }

    /// Updates the tags of the Auto Scaling Group, and suspends or resumes AZRebalance.
    async fn update_asgs(
        &self,
        work: &Work<'_>,
        group: &Nodegroup,
        progress: &mut Updating<'_>,
    ) -> Result<Vec<AutoScalingGroup>> {
        let &Work { id, prior, planned, .. } = work;
        let asgs = self.update_asg_tags(work, &asg_names(group), progress).await?;
        progress.done(|state| state.asg_tags_all = planned.asg_tags_all.clone());
        // Without the attribute the plan has the recorded value, and nothing changes.
        if prior.suspend_az_rebalance != planned.suspend_az_rebalance {
            let suspend = planned.suspend_az_rebalance.or(false);
            let private = &mut progress.operation.private;
            let applied = az_rebalance::apply(self.autoscaling, &asgs, suspend, private).await;
            applied.during(Step::AzRebalance, id, Remains::Recorded)?;
        }
        Ok(asgs)
    }

    async fn update_asg_tags(
        &self,
        work: &Work<'_>,
        names: &[String],
        progress: &mut Updating<'_>,
    ) -> Result<Vec<AutoScalingGroup>> {
        let desired = desired_asg_tags(work.planned).unwrap_or_default();
        let managed = known_map(&work.prior.asg_tags_all).unwrap_or_default();
        let asgs = asg_tags::describe(self.autoscaling, names).await;
        let asgs = asgs.during(Step::TagAutoScalingGroup, work.id, Remains::Recorded)?;
        let change = asg_tags::change(&desired, &asgs, &managed);
        if change == Change::default() {
            return Ok(asgs);
        }
        let changed = asg_tags::apply(self.context, self.autoscaling, names, &change).await;
        // Some tags may have changed before the failure: the state has to contain them.
        if changed.is_err()
            && let Ok(asgs) = asg_tags::describe(self.autoscaling, names).await
        {
            progress.done(|state| state.asg_tags_all = managed_of(&common_tags(&asgs), &managed, &desired));
        }
        changed.during(Step::TagAutoScalingGroup, work.id, Remains::Recorded)
    }

    /// The state with what was observed at the end of a step.
    pub(super) fn flatten(
        &self,
        state: &NodeGroup,
        group: Nodegroup,
        asgs: Vec<AutoScalingGroup>,
        private: &Private,
    ) -> NodeGroup {
        let reading = Reading { tags: self.tags, importing: false, suspended_by_us: az_rebalance::is_ours(private) };
        flatten(state, &Observed { group, asgs: Some(asgs) }, reading)
    }
}

/// The observed tags that this resource manages before or after the update.
fn managed_of(observed: &Tags, before: &Tags, desired: &Tags) -> Value<Map<String>> {
    let managed = observed.iter().filter(|(key, _)| before.contains_key(*key) || desired.contains_key(*key));
    Value::Known(managed.map(|(key, value)| (key.clone(), value.as_str().into())).collect())
}
