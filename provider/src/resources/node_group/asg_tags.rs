//! The tags on the Auto Scaling Group itself: EKS does not pass on those of the node group.
//!
//! Only keys that this resource put there are ever removed. What the autoscaler reads is not passed on to instances,
//! which have their labels and taints already; the user's further tags are, for instance for cost reports.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::types::{AutoScalingGroup, Tag};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::Context;
use tfplugin::framework::wait::{Look, Wait, WaitError};

use super::autoscaler_tags::NODE_TEMPLATE;
use super::flatten::common_tags;
use crate::propagation::accepted;
use crate::tags::{Change, Tags};

/// How long a new Auto Scaling Group may be unknown to some of the service, or new tags not be shown.
const SHORTLY: Duration = Duration::from_secs(60);

/// Most tags in one request.
const BATCH: usize = 25;

const KIND: &str = "auto-scaling-group";

/// The Auto Scaling Groups of these names that there are.
///
/// # Errors
/// The call failed.
pub(super) async fn describe(autoscaling: &Client, names: &[String]) -> Result<Vec<AutoScalingGroup>, AwsError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let request = autoscaling.describe_auto_scaling_groups().set_auto_scaling_group_names(Some(names.to_vec()));
    request.into_paginator().items().send().try_collect().await.map_err(AwsError::of("DescribeAutoScalingGroups"))
}

/// Makes a change and waits until it shows. Returns the groups as they then are.
///
/// # Errors
/// A call failed, after which some tags may be changed; or they do not show.
pub(super) async fn apply<D>(
    context: &Context<D>,
    autoscaling: &Client,
    names: &[String],
    change: &Change,
) -> Result<Vec<AutoScalingGroup>, WaitError<AwsError>> {
    // First what goes: fifty tags are the limit at every moment.
    let nothing = String::new();
    for batch in tags(names, change.remove.iter().map(|key| (key, &nothing))).chunks(BATCH) {
        let request = autoscaling.delete_tags().set_tags(Some(batch.to_vec()));
        match request.send().await.map_err(AwsError::of("DeleteTags")) {
            Ok(_) => {}
            // With the group the tags are gone.
            Err(error) if is_not_found(&error) => {}
            Err(error) => return Err(WaitError::Failed(error)),
        }
    }
    for batch in tags(names, change.set.iter()).chunks(BATCH) {
        accepted(context, SHORTLY, is_not_found, || async {
            let request = autoscaling.create_or_update_tags().set_tags(Some(batch.to_vec()));
            request.send().await.map(drop).map_err(AwsError::of("CreateOrUpdateTags"))
        })
        .await?;
    }
    Wait::new(context, SHORTLY)
        .watching()
        .until(|| async {
            let groups = describe(autoscaling, names).await?;
            let shown = common_tags(&groups);
            Ok(match missing(change, &shown) {
                None => Look::Done(groups),
                Some(key) => Look::Pending(format!("the change of the tag {key} is not visible yet")),
            })
        })
        .await
}

/// A tag that does not look as the change leaves it.
fn missing<'a>(change: &'a Change, shown: &Tags) -> Option<&'a str> {
    let unset = change.set.iter().find(|(key, value)| shown.get(*key) != Some(value)).map(|(key, _)| key);
    unset.or_else(|| change.remove.iter().find(|key| shown.contains_key(*key))).map(String::as_str)
}

/// The tags of one request, for every group.
fn tags<'a>(names: &[String], tags: impl Iterator<Item = (&'a String, &'a String)> + Clone) -> Vec<Tag> {
    let tag = |name: &String, key: &String, value: &String| {
        Tag::builder()
            .resource_id(name)
            .resource_type(KIND)
            .key(key)
            .value(value)
            .propagate_at_launch(!key.starts_with(NODE_TEMPLATE))
            .build()
    };
    let all = names.iter().flat_map(|name| tags.clone().map(move |(key, value)| tag(name, key, value)));
    all.collect()
}

/// What has to change so that the groups have what is wanted. `ours` are the tags that this resource put there.
pub(super) fn change(desired: &Tags, groups: &[AutoScalingGroup], ours: &BTreeMap<String, String>) -> Change {
    let observed = common_tags(groups);
    Change {
        set: desired
            .iter()
            .filter(|(key, value)| observed.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        remove: ours.keys().filter(|key| !desired.contains_key(*key)).cloned().collect(),
    }
}

/// Auto Scaling says it with a code that means much else.
pub(super) fn is_not_found(error: &AwsError) -> bool {
    error.says("ValidationError", "not found")
}

#[cfg(test)]
mod tests {
    use aws_sdk_autoscaling::types::TagDescription;

    use super::*;

    fn map(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn missing_tags_are_set_and_managed_tags_removed() {
        let tag = |key: &str, value: &str| TagDescription::builder().key(key).value(value).build();
        let group = AutoScalingGroup::builder()
            .set_tags(Some(vec![tag("same", "1"), tag("old", "1"), tag("theirs", "1"), tag("changed", "x")]))
            .build();
        let desired = map(&[("same", "1"), ("changed", "1"), ("new", "1")]);
        let ours = map(&[("same", "1"), ("old", "1"), ("changed", "1")]);
        assert_eq!(
            change(&desired, &[group], &ours),
            Change { set: map(&[("changed", "1"), ("new", "1")]), remove: vec!["old".to_owned()] }
        );
    }

    #[test]
    fn a_request_names_every_group() {
        let desired = map(&[("k8s.io/cluster-autoscaler/node-template/label/a", "b"), ("team", "ci")]);
        let names = ["eks-1".to_owned(), "eks-2".to_owned()];
        let sent: Vec<(Option<String>, Option<bool>)> =
            tags(&names, desired.iter()).into_iter().map(|tag| (tag.resource_id, tag.propagate_at_launch)).collect();
        let expected =
            ["eks-1", "eks-2"].map(|name| [(Some(name.to_owned()), Some(false)), (Some(name.to_owned()), Some(true))]);
        assert_eq!(sent, expected.concat());
    }
}
