//! The IAM role of the nodes, when the provider makes it: with the policies that every node needs, and those of add-ons.
//!
//! No instance profile is made: EKS makes one for each node group by itself. A role of the same name is taken over only
//! if its tag says that it was made for this very node group, by an earlier run that did not come to its end.

pub(super) mod access_entry;
mod calls;
mod load_balancer_controller;
mod policies;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{Role, Tag};
use aws_smithy_types::DateTime;
use gitlabspot_clients::aws::AwsError;
use serde_json::json;
use sha2::{Digest, Sha256};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Context, Value};

use self::calls::{attach, delete_inline, detach, foreign_profiles, get, gone_is_fine, patiently, policies_of, put};
pub(super) use self::policies::{Addon, addon_policies, addons, recognize};
use super::schema::{self, NodeGroup, known_set};
use crate::tags::Change;
use crate::{partition, policy_document};

/// Says for which node group a role, or a node group, was made.
pub(super) const OWNER: &str = "gitlabspot/owner";

/// A role as it is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RoleSpec {
    pub(super) name: String,
    pub(super) path: String,
    pub(super) permissions_boundary: Option<String>,
    pub(super) addons: BTreeSet<Addon>,
    pub(super) additional_policies: BTreeSet<String>,
    pub(super) tags: BTreeMap<String, String>,
    /// The node group that it is for.
    pub(super) owner: String,
}

/// Why a role is not as wanted.
#[derive(Debug, thiserror::Error)]
pub(super) enum RoleError {
    #[error(
        "a role {name} already exists and was not created for this node group; it was not changed. Use it with \
         node_role_arn, or choose another name"
    )]
    Exists { name: String },
    /// Certain: it was not made.
    #[error("{0}")]
    Refused(WaitError<AwsError>),
    #[error(
        "the role {name} is in {}. Remove it (\"aws iam remove-role-from-instance-profile --role-name {name} \
         --instance-profile-name ...\")",
        in_words(.profiles)
    )]
    InProfile { name: String, profiles: Vec<String> },
    /// It is there, perhaps with a part of its policies.
    #[error(transparent)]
    Partly(#[from] WaitError<AwsError>),
}

impl RoleSpec {
    /// The role that a node group asks for, if it asks for one.
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

    fn all_tags(&self) -> Vec<Tag> {
        let owner = [(OWNER.to_owned(), self.owner.clone())];
        tag_list(&self.tags.clone().into_iter().chain(owner).collect())
    }
}

/// Whether add-ons use the role; `None` while that is not known.
pub(super) fn has_addons(model: &NodeGroup) -> Option<bool> {
    match &model.node_role {
        Value::Unknown => None,
        Value::Null => Some(false),
        Value::Known(role) if role.addon_policies.is_unknown() => None,
        Value::Known(role) => Some(!addons(&role.addon_policies).is_empty()),
    }
}

/// The value of the tag that says for which node group a role was made.
pub(super) fn owner_of(model: &NodeGroup, region: &str) -> String {
    let text = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
    format!("{region}/{}/{}", text(&model.cluster_name), text(&model.name))
}

/// The name is the same whenever the same node group is made, so that a role that an interrupted run left is found again.
fn name(role: &schema::NodeRole, model: &NodeGroup, owner: &str) -> String {
    if let Some(name) = role.name.as_str() {
        return name.to_owned();
    }
    match role.name_prefix.as_str() {
        Some(prefix) => format!("{prefix}{}", ending(owner)),
        None => readable_name(model, owner),
    }
}

/// The name of what is made for a node group: at most 64 characters, the same each time, and another for every owner.
pub(super) fn readable_name(model: &NodeGroup, owner: &str) -> String {
    let group = model.name.as_str().unwrap_or_default();
    let cluster = model.cluster_name.as_str().unwrap_or_default();
    let readable: String = format!("gitlabspot-{cluster}-{group}").chars().take(64 - 11).collect();
    format!("{readable}-{}", ending(owner))
}

fn ending(owner: &str) -> String {
    hex::encode(Sha256::digest(owner.as_bytes())).chars().take(10).collect()
}

/// The prefix that the name was made with, if it was made with one.
fn prefix_of(role: &str, model: &NodeGroup, owner: &str) -> Option<String> {
    let usual = name(&schema::NodeRole::default(), model, owner);
    let ending = name(&schema::NodeRole { name_prefix: "".into(), ..schema::NodeRole::default() }, model, owner);
    role.strip_suffix(&ending).filter(|prefix| !prefix.is_empty() && role != usual).map(str::to_owned)
}

fn in_words(profiles: &[String]) -> String {
    let kind = if profiles.len() == 1 { "the instance profile" } else { "the instance profiles" };
    format!("{kind} {}", profiles.join(", "))
}

/// Makes the role, or goes on with one that an earlier run made for the same node group. Returns its ARN and when it was
/// made.
///
/// # Errors
/// The role belongs to someone else, or a call failed: then it may be there with a part of its policies.
pub(super) async fn ensure<D>(
    context: &Context<D>,
    iam: &Client,
    spec: &RoleSpec,
    region: &str,
) -> Result<(String, DateTime), RoleError> {
    let created = patiently(context, || async {
        iam.create_role()
            .role_name(&spec.name)
            .path(&spec.path)
            .assume_role_policy_document(trust_policy(region))
            .description("Nodes of an EKS node group")
            .set_permissions_boundary(spec.permissions_boundary.clone())
            .set_tags(Some(spec.all_tags()))
            .send()
            .await
            .map_err(AwsError::of("CreateRole"))
    })
    .await;
    let made = match created {
        Ok(output) => output.role.map_or((String::new(), DateTime::from_secs(0)), |role| (role.arn, role.create_date)),
        // Left by an earlier run, or by this very request, whose first answer was lost.
        Err(WaitError::Failed(error)) if error.code() == Some("EntityAlreadyExists") => {
            let role = get(iam, &spec.name).await.map_err(WaitError::Failed)?;
            let Some(role) = role.filter(|role| owner(role) == Some(&spec.owner)) else {
                return Err(RoleError::Exists { name: spec.name.clone() });
            };
            let before = RoleSpec { permissions_boundary: boundary(&role), ..RoleSpec::default() };
            change_boundary_and_tags(context, iam, &before, spec, &tags(&role)).await?;
            (role.arn, role.create_date)
        }
        Err(WaitError::Failed(error)) if error.is_outcome_unknown() => return Err(WaitError::Failed(error).into()),
        Err(error) => return Err(RoleError::Refused(error)),
    };
    let partition = partition::name(region);
    for arn in spec.managed(partition) {
        attach(context, iam, &spec.name, &arn).await?;
    }
    for (name, document) in policies::inline(&spec.addons, partition) {
        put(context, iam, &spec.name, name, &policy_document::text(&document)).await?;
    }
    Ok(made)
}

/// Brings a role from one form to another. Everything that is wanted is written, also what should be there already: so a
/// policy that was taken away by hand is back after the next change.
///
/// # Errors
/// A call failed: a part of the change may be done.
pub(super) async fn update<D>(
    context: &Context<D>,
    iam: &Client,
    before: &RoleSpec,
    after: &RoleSpec,
    region: &str,
) -> Result<(), RoleError> {
    let partition = partition::name(region);
    let name = &after.name;
    change_boundary_and_tags(context, iam, before, after, &before.tags).await?;
    let wanted = after.managed(partition);
    for arn in &wanted {
        attach(context, iam, name, arn).await?;
    }
    for arn in before.managed(partition).difference(&wanted) {
        detach(context, iam, name, arn).await?;
    }
    let inline = policies::inline(&after.addons, partition);
    for (policy, document) in &inline {
        put(context, iam, name, policy, &policy_document::text(document)).await?;
    }
    for policy in policies::inline(&before.addons, partition).keys().filter(|policy| !inline.contains_key(*policy)) {
        delete_inline(context, iam, name, policy).await?;
    }
    Ok(())
}

async fn change_boundary_and_tags<D>(
    context: &Context<D>,
    iam: &Client,
    before: &RoleSpec,
    after: &RoleSpec,
    tags: &BTreeMap<String, String>,
) -> Result<(), WaitError<AwsError>> {
    let name = &after.name;
    match &after.permissions_boundary {
        same if *same == before.permissions_boundary => {}
        Some(arn) => {
            patiently(context, || async {
                let request = iam.put_role_permissions_boundary().role_name(name).permissions_boundary(arn);
                request.send().await.map(drop).map_err(AwsError::of("PutRolePermissionsBoundary"))
            })
            .await?;
        }
        None => {
            gone_is_fine(context, || async {
                let request = iam.delete_role_permissions_boundary().role_name(name);
                request.send().await.map(drop).map_err(AwsError::of("DeleteRolePermissionsBoundary"))
            })
            .await?;
        }
    }
    let Change { set, remove } = Change::between(tags, &after.tags);
    let remove: Vec<String> = remove.into_iter().filter(|key| !crate::tags::is_hidden(key)).collect();
    // First what goes: a key that differs from another in case only is the same one to IAM.
    if !remove.is_empty() {
        gone_is_fine(context, || async {
            let request = iam.untag_role().role_name(name).set_tag_keys(Some(remove.clone()));
            request.send().await.map(drop).map_err(AwsError::of("UntagRole"))
        })
        .await?;
    }
    if !set.is_empty() {
        patiently(context, || async {
            let request = iam.tag_role().role_name(name).set_tags(Some(tag_list(&set)));
            request.send().await.map(drop).map_err(AwsError::of("TagRole"))
        })
        .await?;
    }
    Ok(())
}

/// Deletes the role with all its policies. One that is gone is a success.
///
/// # Errors
/// A call failed, or somebody uses the role in an instance profile: it is still there, perhaps without a part of its
/// policies.
pub(super) async fn delete<D>(context: &Context<D>, iam: &Client, name: &str) -> Result<(), RoleError> {
    let Some((inline, attached)) = policies_of(iam, name).await.map_err(WaitError::Failed)? else { return Ok(()) };
    for arn in &attached {
        detach(context, iam, name, arn).await?;
    }
    for policy in &inline {
        delete_inline(context, iam, name, policy).await?;
    }
    let profiles = patiently(context, || async {
        match iam.delete_role().role_name(name).send().await.map_err(AwsError::of("DeleteRole")) {
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) if error.code() == Some("DeleteConflict") => match foreign_profiles(iam, name).await {
                profiles if profiles.is_empty() => Err(error),
                profiles => Ok(profiles),
            },
            Err(error) => Err(error),
        }
    })
    .await?;
    if profiles.is_empty() { Ok(()) } else { Err(RoleError::InProfile { name: name.to_owned(), profiles }) }
}

/// For an import: the attribute `node_role` that stands for this role, if the provider made it for that node group.
pub(super) async fn read(iam: &Client, group: &NodeGroup, region: &str) -> Result<Value<schema::NodeRole>, AwsError> {
    let Some((_, name)) = group.node_role_arn.as_str().and_then(|arn| arn.rsplit_once('/')) else {
        return Ok(Value::Null);
    };
    let expected = owner_of(group, region);
    let Some(role) = get(iam, name).await?.filter(|role| owner(role) == Some(&expected)) else {
        return Ok(Value::Null);
    };
    let Some((inline, attached)) = policies_of(iam, name).await? else { return Ok(Value::Null) };
    let (addons, further) = recognize(&inline, &attached, partition::name(region));
    Ok(Value::Known(schema::NodeRole {
        name: name.into(),
        name_prefix: prefix_of(name, group, &expected).into(),
        path: role.path.as_str().into(),
        permissions_boundary: boundary(&role).into(),
        addon_policies: addon_policies(&addons),
        additional_policy_arns: if further.is_empty() {
            Value::Null
        } else {
            Value::Known(further.into_iter().collect())
        },
    }))
}

/// EC2 may use the role.
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

fn boundary(role: &Role) -> Option<String> {
    role.permissions_boundary.as_ref().and_then(|boundary| boundary.permissions_boundary_arn.clone())
}

fn tags(role: &Role) -> BTreeMap<String, String> {
    role.tags().iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok()).collect()
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
