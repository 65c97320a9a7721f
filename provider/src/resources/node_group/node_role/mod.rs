//! The IAM role of the nodes, if the provider creates it: with the policies that every node needs, and those of
//! add-ons.
//!
//! No instance profile is created: EKS creates one for each node group. An existing role of the same name is only
//! adopted if its tag identifies this node group, which means that an interrupted create has created it.

pub(super) mod access_entry;
mod calls;
mod load_balancer_controller;
mod policies;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Role;
use aws_smithy_types::DateTime;
use gitlabspot_clients::aws::AwsError;
use serde_json::json;
use sha2::{Digest, Sha256};
use tfplugin::framework::Value;
use tfplugin::framework::wait::WaitError;

use self::calls::{foreign_profiles, policies_of, until_propagated};
pub(super) use self::policies::{Addon, addon_policies, addons, recognize};
use super::schema::{self, NodeGroup, known_set};
use crate::iam::role::{self, NewRole};
use crate::iam::{Iam, Waited, optional};
use crate::tags::{Change, Tags};
use crate::{partition, policy_document};

/// Key of the tag that identifies the owner: on a role or launch template the node group that it was created for, on a
/// node group the create that requested it.
pub(super) const OWNER: &str = "gitlabspot/owner";

/// The desired role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RoleSpec {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) permissions_boundary: Option<String>,
    pub(super) addons: BTreeSet<Addon>,
    pub(super) additional_policies: BTreeSet<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// The node group that uses the role, as the value of the tag [`OWNER`].
    pub(super) owner: String,
}

/// Why a role could not be created, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoleError {
    #[error(
        "a role {name} already exists and was not created for this node group; it was not changed. Use it with \
         node_role_arn, or choose another name"
    )]
    Exists { name: String },
    /// The role was certainly not created.
    #[error("{0}")]
    Refused(WaitError<AwsError>),
    #[error(
        "the role {name} is in {}. Remove it from there (\"aws iam remove-role-from-instance-profile --role-name \
         {name} --instance-profile-name ...\")",
        in_words(.profiles)
    )]
    InProfile { name: String, profiles: Vec<String> },
    /// The role may exist, possibly with some of its policies.
    #[error(transparent)]
    Partly(#[from] WaitError<AwsError>),
}

impl RoleSpec {
    /// The role that a node group needs; `None` if the provider does not create it.
    pub(super) fn of(model: &NodeGroup, region: &str) -> Option<Self> {
        let role = model.node_role.known()?;
        let owner = owner_of(model, region);
        Some(Self {
            name: name(role, model, &owner),
            path: role.path.as_str().unwrap_or("/").to_owned(),
            permissions_boundary: role.permissions_boundary.known().cloned(),
            addons: addons(&role.addon_policies),
            additional_policies: known_set(&role.additional_policy_arns).unwrap_or_default().into_iter().collect(),
            tags: tfplugin::framework::value::known_map(&model.tags_all).unwrap_or_default(),
            owner,
        })
    }

    fn managed(&self, partition: &str) -> BTreeSet<String> {
        let mut arns = policies::managed(&self.addons, partition);
        arns.extend(self.additional_policies.iter().cloned());
        arns
    }

    fn all_tags(&self) -> Tags {
        let owner = [(OWNER.to_owned(), self.owner.clone())];
        self.tags.clone().into_iter().chain(owner).collect()
    }
}

/// Whether add-ons use the role; `None` while this is unknown.
pub(super) fn has_addons(model: &NodeGroup) -> Option<bool> {
    match &model.node_role {
        Value::Unknown => None,
        Value::Null => Some(false),
        Value::Known(role) if role.addon_policies.is_unknown() => None,
        Value::Known(role) => Some(!addons(&role.addon_policies).is_empty()),
    }
}

/// Value of the tag [`OWNER`] on the role and the launch template of a node group.
pub(super) fn owner_of(model: &NodeGroup, region: &str) -> String {
    let text = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
    format!("{region}/{}/{}", text(&model.cluster_name), text(&model.name))
}

/// Name of the role. It is the same for each create of a node group, so that the role of an interrupted create is found
/// again.
fn name(role: &schema::NodeRole, model: &NodeGroup, owner: &str) -> String {
    if let Some(name) = role.name.as_str() {
        return name.to_owned();
    }
    match role.name_prefix.as_str() {
        Some(prefix) => format!("{prefix}{}", ending(owner)),
        None => readable_name(model, owner),
    }
}

/// Default name of the role and the launch template of a node group: at most 64 characters, the same for each create,
/// and unique for each owner.
pub(super) fn readable_name(model: &NodeGroup, owner: &str) -> String {
    let group = model.name.as_str().unwrap_or_default();
    let cluster = model.cluster_name.as_str().unwrap_or_default();
    // IAM allows 64 characters in the name of a role: 11 of them are the hyphen and the suffix.
    let readable: String = format!("gitlabspot-{cluster}-{group}").chars().take(64 - 11).collect();
    format!("{readable}-{}", ending(owner))
}

fn ending(owner: &str) -> String {
    hex::encode(Sha256::digest(owner.as_bytes())).chars().take(10).collect()
}

/// The `name_prefix` that the name of a role was generated from, if it was.
fn prefix_of(role: &str, model: &NodeGroup, owner: &str) -> Option<String> {
    let usual = name(&schema::NodeRole::default(), model, owner);
    let ending = name(&schema::NodeRole { name_prefix: "".into(), ..schema::NodeRole::default() }, model, owner);
    role.strip_suffix(&ending).filter(|prefix| !prefix.is_empty() && role != usual).map(str::to_owned)
}

fn in_words(profiles: &[String]) -> String {
    let kind = if profiles.len() == 1 { "the instance profile" } else { "the instance profiles" };
    format!("{kind} {}", profiles.join(", "))
}

/// Creates the role, or continues with one that an earlier run created for the same node group. Returns its ARN and
/// when it was created.
///
/// # Errors
/// The role belongs to others, or a call failed: then it may exist with some of its policies.
pub(super) async fn ensure(iam: Iam<'_>, spec: &RoleSpec, region: &str) -> Result<(String, DateTime), RoleError> {
    let tags = spec.all_tags();
    let new = NewRole {
        name: &spec.name,
        path: &spec.path,
        description: "Nodes of an EKS node group",
        trust_policy: trust_policy(region),
        boundary: spec.permissions_boundary.as_deref(),
        tags: &tags,
    };
    let created = match until_propagated(iam, || role::create(&iam, &new)).await {
        Ok(role) => role.map_or((String::new(), DateTime::from_secs(0)), |role| (role.arn, role.create_date)),
        // The role is that of an interrupted create, or of this request if its first response was lost.
        Err(WaitError::Failed(error)) if error.code() == Some("EntityAlreadyExists") => {
            let role = optional(role::get(&iam, &spec.name).await).map_err(WaitError::Failed)?.flatten();
            let Some(role) = role.filter(|role| owner(role) == Some(&spec.owner)) else {
                return Err(RoleError::Exists { name: spec.name.clone() });
            };
            change_boundary_and_tags(iam, role::boundary(&role), &role::tags_of(&role), spec).await?;
            (role.arn, role.create_date)
        }
        Err(WaitError::Failed(error)) if error.is_outcome_unknown() => return Err(WaitError::Failed(error).into()),
        Err(error) => return Err(RoleError::Refused(error)),
    };
    write_policies(iam, spec, partition::name(region)).await?;
    Ok(created)
}

/// Changes a role from one specification to another. All policies are written, also those that exist already: a policy
/// that others have removed is restored by the next change.
///
/// # Errors
/// A call failed: some of the changes may be done.
pub(super) async fn update(iam: Iam<'_>, before: &RoleSpec, after: &RoleSpec, region: &str) -> Result<(), RoleError> {
    let (partition, name) = (partition::name(region), &after.name);
    change_boundary_and_tags(iam, before.permissions_boundary.clone(), &before.tags, after).await?;
    write_policies(iam, after, partition).await?;
    for arn in before.managed(partition).difference(&after.managed(partition)) {
        until_propagated(iam, || role::detach_policy(&iam, name, arn)).await?;
    }
    let inline = policies::inline(&after.addons, partition);
    for policy in policies::inline(&before.addons, partition).keys().filter(|policy| !inline.contains_key(*policy)) {
        until_propagated(iam, || role::delete_policy(&iam, name, policy)).await?;
    }
    Ok(())
}

async fn write_policies(iam: Iam<'_>, spec: &RoleSpec, partition: &str) -> Waited<()> {
    for arn in spec.managed(partition) {
        until_propagated(iam, || role::attach_policy(&iam, &spec.name, &arn)).await?;
    }
    for (policy, document) in policies::inline(&spec.addons, partition) {
        let document = policy_document::text(&document);
        until_propagated(iam, || role::put_policy(&iam, &spec.name, policy, &document)).await?;
    }
    Ok(())
}

async fn change_boundary_and_tags(iam: Iam<'_>, boundary: Option<String>, tags: &Tags, after: &RoleSpec) -> Waited<()> {
    let name = &after.name;
    if after.permissions_boundary != boundary {
        until_propagated(iam, || role::set_boundary(&iam, name, after.permissions_boundary.as_deref())).await?;
    }
    let mut change = Change::between(tags, &after.tags);
    // `tags` can be those of an existing role, with tags of AWS and the tag of the owner, which must remain.
    change.remove.retain(|key| !crate::tags::is_hidden(key));
    until_propagated(iam, || role::change_tags(&iam, name, &change)).await
}

/// Deletes the role with all its policies. Succeeds if the role does not exist.
///
/// # Errors
/// A call failed, or others use the role in an instance profile: it still exists, perhaps without some of its policies.
pub(super) async fn delete(iam: Iam<'_>, name: &str) -> Result<(), RoleError> {
    let Some((inline, attached)) = policies_of(&iam, name).await.map_err(WaitError::Failed)? else { return Ok(()) };
    // IAM rejects the deletion of a role that has policies.
    for arn in &attached {
        until_propagated(iam, || role::detach_policy(&iam, name, arn)).await?;
    }
    for policy in &inline {
        until_propagated(iam, || role::delete_policy(&iam, name, policy)).await?;
    }
    // EKS deletes its own instance profile with the node group, so that its conflict passes. An instance profile of
    // others remains, and is reported at once.
    let delete = || async {
        match role::delete(&iam, name).await {
            Err(error) if error.code() == Some("DeleteConflict") => match foreign_profiles(&iam, name).await {
                profiles if profiles.is_empty() => Err(error),
                profiles => Ok(profiles),
            },
            deleted => deleted.map(|()| Vec::new()),
        }
    };
    let profiles = until_propagated(iam, delete).await?;
    if profiles.is_empty() { Ok(()) } else { Err(RoleError::InProfile { name: name.to_owned(), profiles }) }
}

/// Reads the attribute `node_role` for an import. It is null unless the provider created the role for this node group.
pub(super) async fn read(iam: &Client, group: &NodeGroup, region: &str) -> Result<Value<schema::NodeRole>, AwsError> {
    let Some((_, name)) = group.node_role_arn.as_str().and_then(|arn| arn.rsplit_once('/')) else {
        return Ok(Value::Null);
    };
    let expected = owner_of(group, region);
    let Some(role) = optional(role::get(iam, name).await)?.flatten().filter(|role| owner(role) == Some(&expected))
    else {
        return Ok(Value::Null);
    };
    let Some((inline, attached)) = policies_of(iam, name).await? else { return Ok(Value::Null) };
    let (addons, further) = recognize(&inline, &attached, partition::name(region));
    Ok(Value::Known(schema::NodeRole {
        name: name.into(),
        name_prefix: prefix_of(name, group, &expected).into(),
        path: role.path.as_str().into(),
        permissions_boundary: role::boundary(&role).into(),
        addon_policies: addon_policies(&addons),
        additional_policy_arns: if further.is_empty() {
            Value::Null
        } else {
            Value::Known(further.into_iter().collect())
        },
    }))
}

/// Trust policy with which EC2 can assume the role.
fn trust_policy(region: &str) -> String {
    let service = partition::ec2_principal(region);
    policy_document::text(&json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }],
    }))
}

fn owner(role: &Role) -> Option<&str> {
    role.tags().iter().find(|tag| tag.key == OWNER).map(|tag| tag.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(role: schema::NodeRole) -> NodeGroup {
        NodeGroup {
            cluster_name: "prod".into(),
            name: "build".into(),
            node_role: Value::Known(role),
            ..NodeGroup::default()
        }
    }

    #[test]
    fn names_are_the_same_each_time() {
        let name = |role| RoleSpec::of(&model(role), "eu-west-1").map(|spec| spec.name).unwrap_or_default();
        let plain = name(schema::NodeRole::default());
        assert_eq!(plain, name(schema::NodeRole::default()));
        assert!(plain.starts_with("gitlabspot-prod-build-") && plain.len() <= 64, "{plain}");
        let prefixed = name(schema::NodeRole { name_prefix: "ci-".into(), ..schema::NodeRole::default() });
        assert!(prefixed.starts_with("ci-") && prefixed.len() == 13, "{prefixed}");
        assert_eq!(name(schema::NodeRole { name: "nodes".into(), ..schema::NodeRole::default() }), "nodes");
        let model = model(schema::NodeRole::default());
        let prefix = |name: &str| prefix_of(name, &model, &owner_of(&model, "eu-west-1"));
        assert_eq!([prefix(&prefixed), prefix(&plain), prefix("nodes")], [Some("ci-".to_owned()), None, None]);
    }
}
