//! The launch template that the provider creates for a node group: volumes, metadata options, security groups, user
//! data.
//!
//! A group without a template of the user gets one if `template` is set, or if pods need the role of the nodes because
//! of `node_role.addon_policies`. It is created before the group, gets a version for every change, to which EKS updates
//! the group in place, and is deleted with the group.
//!
//! EKS cannot change the template of a group, or add one: whether a group has a template is decided at its creation. A
//! version cannot be changed, so that a digest of its content, in its description and in the private state, shows
//! whether the group has the configured content.

mod calls;
mod data;
mod drift;
mod kubelet;
mod plan;
pub(super) mod schema;
mod user_data;
pub(super) mod validate;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tfplugin::framework::private_state::is_default;
use tfplugin::framework::value::{known_list, known_map};
use tfplugin::framework::{Diagnostics, Value};

pub(super) use self::calls::{
    Created, Owned, TemplateError, Which, cluster_security_group, delete, ensure, ensure_version, may_be_new, retag,
};
pub(super) use self::drift::{follow, import};
pub(super) use self::plan::{plan, without_one};
use self::schema::Metadata;
use self::user_data::{Family, Parts, compose};
use self::volumes::Volume;
use super::node_role::has_addons;
use super::private::Private;
use super::schema::{NodeGroup, known_set};
use super::validate::given;

/// Hop limit with which pods reach the instance metadata service: they are one hop further away from it than the node.
pub(super) const HOPS_OF_PODS: i32 = 2;

/// Summary of warnings about add-ons.
pub(super) const OUT_OF_REACH: &str = "Node role not available to pods";

/// Prefix of the description of a version. The digest of its content follows.
const DESCRIPTION: &str = "gitlabspot ";

/// The template in the private state.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record {
    /// Digest of the version that the group uses.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) digest: Option<String>,
    /// Whether others deleted the template.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_gone: bool,
    /// Whether a template was requested from EC2 and its ID is not known yet.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) is_begun: bool,
}

/// The content of a version. The digest is that of its serialized form. A new field has to be omitted from this form
/// while it is not set, because another digest replaces the nodes of every group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Desired {
    /// Begins with the root volume, if it is configured.
    volumes: Vec<Volume>,
    http_tokens: String,
    pub(super) hop_limit: i32,
    pub(super) security_groups: BTreeSet<String>,
    key_name: Option<String>,
    detailed_monitoring: bool,
    user_data: Option<String>,
    instance_tags: BTreeMap<String, String>,
}

impl Desired {
    /// The desired content for a group; `None` while a part of it is unknown.
    pub(super) fn of(model: &NodeGroup) -> Option<Self> {
        let template = match &model.template {
            Value::Unknown => return None,
            Value::Null => schema::Template::default(),
            Value::Known(template) => template.clone(),
        };
        let (http_tokens, hop_limit) = metadata(&template.metadata, model)?;
        let family = Family::of(model.ami_type.as_str());
        Some(Self {
            volumes: volumes::of(&template, family)?,
            http_tokens,
            hop_limit,
            security_groups: known_set(&template.security_group_ids)?.into_iter().collect(),
            key_name: text(&template.key_name)?,
            detailed_monitoring: match template.detailed_monitoring {
                Value::Unknown => return None,
                Value::Null => false,
                Value::Known(enabled) => enabled,
            },
            user_data: compose(&parts(&template)?, family).ok()?,
            instance_tags: known_map(&template.instance_tags)?,
        })
    }

    /// The same content has the same digest.
    pub(super) fn digest(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(Sha256::digest(json)).chars().take(32).collect()
    }

    fn description(&self) -> String {
        format!("{DESCRIPTION}{}", self.digest())
    }
}

/// The content at apply, when all values are known. Values that were unknown in the plan are checked here for the first
/// time.
///
/// # Errors
/// It is not valid.
pub(super) fn validated(model: &NodeGroup) -> Result<Desired, TemplateError> {
    let mut problems = Diagnostics::new();
    validate::check(model, &mut problems);
    if let Some(problem) = problems.iter().next() {
        let text = problem.detail.trim_end_matches('.').to_owned();
        return Err(TemplateError::Invalid { path: problem.path.to_string(), text });
    }
    Desired::of(model).ok_or(TemplateError::Incomplete)
}

/// Whether a new group gets a template; `None` while this is unknown.
pub(super) fn is_desired(config: &NodeGroup) -> Option<bool> {
    if !config.template.is_null() {
        return config.template.known().map(|_| true);
    }
    // EKS accepts none of these attributes together with a template.
    let excluding = [given(&config.launch_template), given(&config.disk_size), given(&config.remote_access)];
    match has_addons(config) {
        _ if excluding.contains(&Some(true)) => Some(false),
        Some(true) if excluding.contains(&None) => None,
        has_addons => has_addons,
    }
}

/// Whether the group has a template that the provider manages.
pub(super) fn is_managed(state: &NodeGroup) -> bool {
    state.launch_template.is_null() && state.template_id.known().is_some()
}

/// The template to delete with a group. If its ID is not known, it is identified by its name.
pub(super) fn which(state: &NodeGroup, private: &Private, region: &str) -> Option<Which> {
    match state.template_id.as_str() {
        Some(id) => Some(Which::Id(id.to_owned())),
        None if private.launch_template.is_begun => Some(Which::Owned(Owned::of(state, region))),
        None => None,
    }
}

/// Records that a template is about to be requested.
pub(super) fn begin(private: &mut Private) {
    private.launch_template.is_begun = true;
}

/// Removes a deleted template from the private state.
pub(super) fn forget(private: &mut Private) {
    private.launch_template = Record::default();
}

/// Whether the group has this content.
pub(super) fn is_applied(spec: &Desired, private: &Private) -> bool {
    private.launch_template.digest == Some(spec.digest())
}

/// Records the content that the group has now.
pub(super) fn keep(spec: &Desired, private: &mut Private) {
    private.launch_template = Record { digest: Some(spec.digest()), ..Record::default() };
}

/// Whether others deleted the template.
pub(super) fn is_gone(private: &Private) -> bool {
    private.launch_template.is_gone
}

/// Token setting and hop limit of the instance metadata service; `None` while they are unknown.
fn metadata(metadata: &Value<Metadata>, model: &NodeGroup) -> Option<(String, i32)> {
    let metadata = match metadata {
        Value::Unknown => return None,
        Value::Null => Metadata::default(),
        Value::Known(metadata) => metadata.clone(),
    };
    if metadata.http_tokens.is_unknown() || metadata.hop_limit.is_unknown() || metadata.pods.is_unknown() {
        return None;
    }
    let usual = usual_hop_limit(metadata.pods.known().copied(), model)?;
    let given = metadata.hop_limit.known().map(|limit| i32::try_from(*limit).unwrap_or(i32::MAX));
    Some((metadata.http_tokens.as_str().unwrap_or("required").to_owned(), given.unwrap_or(usual)))
}

fn usual_hop_limit(pods: Option<bool>, model: &NodeGroup) -> Option<i32> {
    let reached = pods.or_else(|| has_addons(model))?;
    Some(if reached { HOPS_OF_PODS } else { 1 })
}

fn parts(template: &schema::Template) -> Option<Parts> {
    if template.instance_store.is_unknown() {
        return None;
    }
    Some(Parts {
        user_data: text(&template.user_data)?,
        instance_store: template.instance_store.known().is_some(),
        registry_mirrors: match &template.registry_mirrors {
            Value::Unknown => return None,
            Value::Null => BTreeMap::new(),
            Value::Known(mirrors) => {
                mirrors.iter().map(|(host, urls)| Some((host.clone(), known_list(urls)?))).collect::<Option<_>>()?
            }
        },
        kubelet: kubelet::given(&template.kubelet)?,
    })
}

/// An optional string; the outer `None` while it is unknown.
fn text(value: &Value<String>) -> Option<Option<String>> {
    match value {
        Value::Unknown => None,
        Value::Null => Some(None),
        Value::Known(text) => Some(Some(text.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::{LaunchTemplate, NodeRole, RemoteAccess};
    use super::super::validate::tests::minimal;
    use super::schema::Template;
    use super::*;

    fn with_addons(template: Value<Template>) -> NodeGroup {
        let addon_policies = Value::Known(["auto_scaler".to_owned()].into_iter().collect());
        let node_role = Value::Known(NodeRole { addon_policies, ..NodeRole::default() });
        NodeGroup { node_role, template, ..minimal() }
    }

    fn hops(metadata: Metadata, model: NodeGroup) -> i32 {
        let template = Template { metadata: Value::Known(metadata), ..Template::default() };
        Desired::of(&NodeGroup { template: Value::Known(template), ..model }).unwrap().hop_limit
    }

    #[test]
    fn hop_limit_lets_pods_use_the_role_for_add_ons() {
        assert_eq!(Desired::of(&minimal()).unwrap().hop_limit, 1);
        assert_eq!(Desired::of(&with_addons(Value::Null)).unwrap().hop_limit, 2);
        let closed = || Metadata { pods: false.into(), ..Metadata::default() };
        let open = || Metadata { pods: true.into(), ..Metadata::default() };
        assert_eq!(hops(closed(), with_addons(Value::Null)), 1);
        assert_eq!(hops(open(), minimal()), 2);
        assert_eq!(hops(Metadata { hop_limit: 3.into(), ..Metadata::default() }, minimal()), 3);
    }

    #[test]
    fn template_is_created_when_configured_or_required() {
        assert_eq!(is_desired(&minimal()), Some(false));
        assert_eq!(is_desired(&with_addons(Value::Null)), Some(true));
        let asked = NodeGroup { template: Value::Known(Template::default()), ..minimal() };
        assert_eq!(is_desired(&asked), Some(true));
        let theirs = Value::Known(LaunchTemplate { id: "lt-1".into(), ..LaunchTemplate::default() });
        let other = |config: NodeGroup| is_desired(&config);
        assert_eq!(other(NodeGroup { launch_template: theirs, ..with_addons(Value::Null) }), Some(false));
        assert_eq!(other(NodeGroup { disk_size: 50.into(), ..with_addons(Value::Null) }), Some(false));
        let access = Value::Known(RemoteAccess::default());
        assert_eq!(other(NodeGroup { remote_access: access, ..with_addons(Value::Null) }), Some(false));
        assert_eq!(other(NodeGroup { remote_access: Value::Unknown, ..with_addons(Value::Null) }), None);
        assert_eq!(other(NodeGroup { template: Value::Unknown, ..minimal() }), None);
    }

    #[test]
    fn the_digest_is_of_the_content() {
        let digest = |model: NodeGroup| Desired::of(&model).unwrap().digest();
        let same = NodeGroup { template: Value::Known(Template::default()), ..minimal() };
        assert_eq!(digest(minimal()), digest(same));
        assert_ne!(digest(minimal()), digest(with_addons(Value::Null)));
        assert_eq!(digest(minimal()).len(), 32);
    }

    #[test]
    fn unknown_template_has_no_content() {
        let unknown = Template { key_name: Value::Unknown, ..Template::default() };
        assert_eq!(Desired::of(&NodeGroup { template: Value::Known(unknown), ..minimal() }), None);
    }
}
