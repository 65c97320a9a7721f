//! The tags of the Auto Scaling Group: EKS does not propagate those of the node group to it.
//!
//! Only keys that this resource has set are deleted. Tags for the autoscaler are not propagated to instances, which
//! have the labels and taints already. Additional tags of the user are propagated, for example for cost reports.

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

/// Maximum time until a new Auto Scaling Group, or a change of its tags, is visible in the whole service.
const SHORTLY: Duration = Duration::from_secs(60);

/// Maximum number of tags in one request.
const BATCH: usize = 25;

const KIND: &str = "auto-scaling-group";

/// The existing Auto Scaling Groups with these names.
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

/// Changes tags and waits until the change is visible. Returns the groups with the changed tags.
///
/// # Errors
/// A call failed, after some tags may have changed; or the change did not become visible in time.
pub(super) async fn apply<D>(
    context: &Context<D>,
    autoscaling: &Client,
    names: &[String],
    change: &Change,
) -> Result<Vec<AutoScalingGroup>, WaitError<AwsError>> {
    // Tags are deleted first: the limit of 50 tags applies after every request.
    let nothing = String::new();
    for batch in tags(names, change.remove.iter().map(|key| (key, &nothing))).chunks(BATCH) {
        let request = autoscaling.delete_tags().set_tags(Some(batch.to_vec()));
        match request.send().await.map_err(AwsError::of("DeleteTags")) {
            Ok(_) => {}
            // A group that does not exist has no tags.
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

/// The key of a tag for which the change is not visible yet.
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

/// The change from the observed to the desired tags. `ours` are the tags that this resource manages.
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

/// Whether an Auto Scaling Group does not exist. The code is a general one, so that only the message identifies this
/// error.
pub(super) fn is_not_found(error: &AwsError) -> bool {
    error.matches("ValidationError", "not found")
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
