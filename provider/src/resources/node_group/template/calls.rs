//! EC2 calls that create and delete a launch template and its versions, and change its tags.

use std::collections::BTreeMap;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{LaunchTemplate, LaunchTemplateVersion, ResourceType, Tag, TagSpecification};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::known_map;

use super::{DESCRIPTION, Desired, data};
use crate::resources::node_group::node_role::{OWNER, owner_of, readable_name};
use crate::resources::node_group::schema::NodeGroup;
use crate::tags::Change;

/// Maximum number of old versions that are deleted when a template has reached the limit of EC2: the call accepts 200.
const PRUNED: usize = 200;

/// Name and tags that identify the template of a node group as that of the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Owned {
    pub(super) name: String,
    owner: String,
    tags: BTreeMap<String, String>,
}

/// The template to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Which {
    Id(String),
    /// The ID is unknown: the response that contained it was lost.
    Owned(Owned),
}

/// An existing version of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Created {
    pub(in super::super) id: String,
    pub(in super::super) version: String,
}

/// Why a launch template could not be created, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum TemplateError {
    #[error(
        "a launch template {name} already exists and was not created for this node group; it was not changed. Use it \
         with launch_template, delete it, or choose another name for the node group"
    )]
    Exists { name: String },
    #[error("the launch template {id} no longer exists")]
    Gone { id: String },
    /// The template was certainly not created.
    #[error("{0}")]
    Refused(AwsError),
    #[error("{path} is not valid. {text}")]
    Invalid { path: String, text: String },
    /// The template may exist.
    #[error(transparent)]
    Failed(#[from] AwsError),
    #[error("the response of EC2 does not contain the launch template")]
    Incomplete,
}

impl Owned {
    /// Name and tags of the template of a node group. The name is the same for each create, so that the template of an
    /// interrupted create is found again.
    pub(in super::super) fn of(model: &NodeGroup, region: &str) -> Self {
        let owner = owner_of(model, region);
        let tags = known_map(&model.tags_all).unwrap_or_default();
        Self { name: readable_name(model, &owner), owner, tags }
    }

    fn all_tags(&self) -> Vec<Tag> {
        let owner = [(OWNER.to_owned(), self.owner.clone())];
        tag_list(&self.tags.clone().into_iter().chain(owner).collect())
    }
}

/// The security group that EKS created for the cluster. Nodes need it to reach the cluster, and EKS only adds it to a
/// template without security groups.
///
/// # Errors
/// The call failed.
pub(in super::super) async fn cluster_security_group(
    eks: &aws_sdk_eks::Client,
    cluster: &str,
) -> Result<Option<String>, AwsError> {
    let output = eks.describe_cluster().name(cluster).send().await.map_err(AwsError::of("DescribeCluster"))?;
    let network = output.cluster.and_then(|cluster| cluster.resources_vpc_config);
    Ok(network.and_then(|network| network.cluster_security_group_id))
}

/// Creates the template, or continues with one that an earlier run created for the same node group.
///
/// # Errors
/// A template of others has the name, or a call failed.
pub(in super::super) async fn ensure(
    ec2: &Client,
    owned: &Owned,
    spec: &Desired,
    cluster_security_group: Option<&str>,
) -> Result<Created, TemplateError> {
    let tags = TagSpecification::builder().resource_type(ResourceType::LaunchTemplate).set_tags(Some(owned.all_tags()));
    let request = ec2
        .create_launch_template()
        .launch_template_name(&owned.name)
        .version_description(spec.description())
        .launch_template_data(data::request(spec, cluster_security_group))
        .tag_specifications(tags.build());
    match request.send().await.map_err(AwsError::of("CreateLaunchTemplate")) {
        Ok(output) => created(output.launch_template),
        Err(error) if is_taken(&error) => {
            let Some(observed) = find(ec2, &owned.name).await?.filter(|observed| owner(observed) == Some(&owned.owner))
            else {
                return Err(TemplateError::Exists { name: owned.name.clone() });
            };
            let id = observed.launch_template_id.clone().unwrap_or_default();
            retag(ec2, &id, &tags_of(&observed), &owned.tags).await?;
            let version = ensure_version(ec2, &id, None, spec, cluster_security_group).await?;
            Ok(Created { id, version })
        }
        Err(error) if error.is_outcome_unknown() => Err(TemplateError::Failed(error)),
        Err(error) => Err(TemplateError::Refused(error)),
    }
}

fn created(template: Option<LaunchTemplate>) -> Result<Created, TemplateError> {
    let id = template.and_then(|template| template.launch_template_id).ok_or(TemplateError::Incomplete)?;
    // The number of the first version.
    Ok(Created { id, version: "1".to_owned() })
}

/// Returns the number of a version with this content: the newest version if it has the content, otherwise a new one.
///
/// # Errors
/// The template no longer exists, or a call failed.
pub(in super::super) async fn ensure_version(
    ec2: &Client,
    id: &str,
    in_use: Option<&str>,
    spec: &Desired,
    cluster_security_group: Option<&str>,
) -> Result<String, TemplateError> {
    let gone = || TemplateError::Gone { id: id.to_owned() };
    let newest = version(ec2, id, "$Latest").await?.ok_or_else(gone)?;
    if newest.version_description.as_deref() == Some(&spec.description()) {
        return Ok(number(&newest));
    }
    let create = || async {
        let request = ec2.create_launch_template_version().launch_template_id(id);
        let request = request.version_description(spec.description());
        let request = request.launch_template_data(data::request(spec, cluster_security_group));
        request.send().await.map_err(AwsError::of("CreateLaunchTemplateVersion"))
    };
    let created = match create().await {
        Err(error) if is_limit_of_versions(&error) => {
            prune(ec2, id, in_use).await?;
            create().await
        }
        other => other,
    };
    match created {
        Ok(output) => output.launch_template_version.as_ref().map(number).ok_or(TemplateError::Incomplete),
        Err(error) if is_absent(&error) => Err(gone()),
        Err(error) => Err(error.into()),
    }
}

/// Deletes the oldest versions, except the default one, which EC2 does not delete, and the one that the group uses.
async fn prune(ec2: &Client, id: &str, in_use: Option<&str>) -> Result<(), AwsError> {
    let request = ec2.describe_launch_template_versions().launch_template_id(id).into_paginator().items();
    let all = request.send().try_collect().await.map_err(AwsError::of("DescribeLaunchTemplateVersions"))?;
    // An update of the group to the newest version may be in progress.
    let newest = all.iter().filter_map(|version| version.version_number).max();
    let mut old: Vec<i64> = all
        .iter()
        .filter(|version| version.default_version != Some(true) && in_use != Some(number(version).as_str()))
        .filter_map(|version| version.version_number)
        .filter(|number| Some(*number) != newest)
        .collect();
    old.sort_unstable();
    old.truncate(PRUNED);
    let request = ec2.delete_launch_template_versions().launch_template_id(id);
    let request = request.set_versions(Some(old.iter().map(ToString::to_string).collect()));
    request.send().await.map(drop).map_err(AwsError::of("DeleteLaunchTemplateVersions"))
}

/// A version; `None` if it, or the template, does not exist.
///
/// # Errors
/// The call failed.
pub(super) async fn version(ec2: &Client, id: &str, name: &str) -> Result<Option<LaunchTemplateVersion>, AwsError> {
    let request = ec2.describe_launch_template_versions().launch_template_id(id).versions(name);
    match request.send().await.map_err(AwsError::of("DescribeLaunchTemplateVersions")) {
        Ok(output) => Ok(output.launch_template_versions.unwrap_or_default().pop()),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the template exists.
///
/// # Errors
/// The call failed.
pub(super) async fn exists(ec2: &Client, id: &str) -> Result<bool, AwsError> {
    version(ec2, id, "$Default").await.map(|version| version.is_some())
}

/// The node group that the provider created a template for, from its tag; `None` for other templates.
///
/// # Errors
/// The call failed.
pub(in super::super) async fn owner_of_template(ec2: &Client, id: &str) -> Result<Option<String>, AwsError> {
    let request = ec2.describe_launch_templates().launch_template_ids(id);
    match request.send().await.map_err(AwsError::of("DescribeLaunchTemplates")) {
        Ok(output) => Ok(output.launch_templates().first().and_then(owner).map(str::to_owned)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn find(ec2: &Client, name: &str) -> Result<Option<LaunchTemplate>, AwsError> {
    let request = ec2.describe_launch_templates().launch_template_names(name);
    match request.send().await.map_err(AwsError::of("DescribeLaunchTemplates")) {
        Ok(output) => Ok(output.launch_templates.unwrap_or_default().pop()),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Changes the tags of the template.
///
/// # Errors
/// A call failed.
pub(in super::super) async fn retag(
    ec2: &Client,
    id: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Result<(), AwsError> {
    let Change { set, remove } = Change::between(before, after);
    let remove: Vec<Tag> = remove
        .into_iter()
        // `before` can be the tags of an existing template, with tags of AWS and the tag of the owner, which must
        // remain.
        .filter(|key| !crate::tags::is_hidden(key))
        .map(|key| Tag::builder().key(key).build())
        .collect();
    // Tags are deleted first: the limit of 50 tags applies after every request.
    if !remove.is_empty() {
        let request = ec2.delete_tags().resources(id).set_tags(Some(remove));
        request.send().await.map_err(AwsError::of("DeleteTags"))?;
    }
    if !set.is_empty() {
        let request = ec2.create_tags().resources(id).set_tags(Some(tag_list(&set)));
        request.send().await.map_err(AwsError::of("CreateTags"))?;
    }
    Ok(())
}

/// Deletes the template with all its versions. Succeeds if the template does not exist.
///
/// # Errors
/// A call failed.
pub(in super::super) async fn delete(ec2: &Client, which: &Which) -> Result<(), AwsError> {
    let id = match which {
        Which::Id(id) => id.clone(),
        Which::Owned(owned) => {
            let observed = find(ec2, &owned.name).await?.filter(|observed| owner(observed) == Some(&owned.owner));
            let Some(id) = observed.and_then(|observed| observed.launch_template_id) else { return Ok(()) };
            id
        }
    };
    let request = ec2.delete_launch_template().launch_template_id(id);
    match request.send().await.map_err(AwsError::of("DeleteLaunchTemplate")) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The digest of a version; `None` unless the provider created the version.
pub(super) fn digest(version: &LaunchTemplateVersion) -> Option<&str> {
    version.version_description.as_deref()?.strip_prefix(DESCRIPTION)
}

fn number(version: &LaunchTemplateVersion) -> String {
    version.version_number.unwrap_or_default().to_string()
}

fn owner(template: &LaunchTemplate) -> Option<&str> {
    template.tags().iter().find(|tag| tag.key.as_deref() == Some(OWNER)).and_then(|tag| tag.value.as_deref())
}

fn tags_of(template: &LaunchTemplate) -> BTreeMap<String, String> {
    let tag = |tag: &Tag| Some((tag.key.clone()?, tag.value.clone().unwrap_or_default()));
    template.tags().iter().filter_map(tag).collect()
}

fn tag_list(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn is_taken(error: &AwsError) -> bool {
    error.code() == Some("InvalidLaunchTemplateName.AlreadyExistsException")
}

/// EC2 returns different codes for IDs, names and versions.
fn is_absent(error: &AwsError) -> bool {
    error.code().is_some_and(|code| code.starts_with("InvalidLaunchTemplate") && code.contains("NotFound"))
}

/// Whether EKS rejected a template, or a version of it, that may not have propagated yet.
pub(in super::super) fn may_be_new(error: &AwsError) -> bool {
    let text = error.message().to_ascii_lowercase();
    let is_of_request = matches!(error.code(), Some("InvalidParameterException" | "InvalidRequestException"));
    let absent = ["cannot be found", "not found", "does not exist", "could not find"];
    let is_absent = absent.iter().any(|words| text.contains(words));
    is_of_request && text.contains("launch template") && is_absent
}

/// The code for too many versions is not documented. The code for too many requests has the same suffix.
fn is_limit_of_versions(error: &AwsError) -> bool {
    error.code().is_some_and(|code| code.ends_with("LimitExceeded") && code != "RequestLimitExceeded")
}
