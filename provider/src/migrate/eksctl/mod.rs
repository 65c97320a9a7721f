//! Configuration files of eksctl: managed node groups become resources, everything else is reported by line.

mod ami_type;
mod document;
mod group;
mod keys;
mod scaling;
mod tags;
mod taints;
#[cfg(test)]
mod tests;
mod unmanaged;

use serde_json::{Map, Value as Json};

use self::document::Document;
use super::project::Project;
use super::report::{Place, Topic};

/// Why a file is not migrated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EksctlError {
    #[error("{file}: {detail}")]
    NotYaml { file: String, detail: String },
    #[error("{file} is not a configuration file of eksctl: {why}.")]
    NotOfEksctl { file: String, why: String },
    #[error("{file} has no node groups: there is nothing to migrate.")]
    NoGroups { file: String },
    #[error("{}: {key}: {why}.", place(.file, *.line))]
    Invalid { file: String, line: Option<usize>, key: String, why: String },
}

fn place(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"))
}

/// Keys of the cluster, which is not managed here.
const OF_CLUSTER: [&str; 28] = [
    "accessConfig",
    "addons",
    "addonsConfig",
    "autoModeConfig",
    "availabilityZones",
    "capabilities",
    "cloudWatch",
    "controlPlaneScalingConfig",
    "deletionProtection",
    "fargateProfiles",
    "git",
    "gitops",
    "iam",
    "iamIdentityMappings",
    "identityProviders",
    "karpenter",
    "kubeAPIServerConfig",
    "kubeControllerManagerConfig",
    "kubeSchedulerConfig",
    "kubernetesNetworkConfig",
    "localZones",
    "outpost",
    "privateCluster",
    "remoteNetworkConfig",
    "secretsEncryption",
    "upgradePolicy",
    "vpc",
    "zonalShiftConfig",
];

/// Adds what the file describes to the project.
///
/// # Errors
///
/// A file that eksctl would not read.
pub(super) fn migrate(file: &str, text: &str, project: &mut Project) -> Result<(), EksctlError> {
    let document = Document::read(file, text)?;
    let metadata = document.top.get("metadata").and_then(Json::as_object).cloned().unwrap_or_default();
    // A placeholder is as good as no value: an option or a variable has it.
    let of_metadata = |name: &str| {
        let text = metadata.get(name).and_then(Json::as_str);
        text.filter(|text| !document::is_placeholder(text)).map(str::to_owned)
    };
    project.is_of_eksctl = true;
    agree(&document, "metadata.name", of_metadata("name"), &mut project.cluster.name)?;
    agree(&document, "metadata.region", of_metadata("region"), &mut project.region)?;
    let tags_of_all = match metadata.get("tags") {
        Some(tags) => tags::read(&document, "metadata.tags", tags)?,
        None => Map::new(),
    };
    let [managed, self_managed] = [document.groups("managedNodeGroups")?, document.groups("nodeGroups")?];
    if managed.is_empty() && self_managed.is_empty() {
        return Err(EksctlError::NoGroups { file: file.to_owned() });
    }
    for (index, group) in managed.into_iter().enumerate() {
        group::migrate(&document, index, group, &tags_of_all, project)?;
    }
    for (index, group) in self_managed.into_iter().enumerate() {
        unmanaged::explain(&document, index, group, &tags_of_all, project)?;
    }
    others(&document, &metadata, project);
    Ok(())
}

/// The value of the file must equal that of an option or of another file.
fn agree(document: &Document, key: &str, value: Option<String>, known: &mut Option<String>) -> Result<(), EksctlError> {
    match (value, &known) {
        (Some(value), Some(known)) if value != *known => {
            Err(document.invalid(key, &format!("the file has {value:?}, and the options have {known:?}")))
        }
        (Some(value), None) => {
            *known = Some(value);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn others(document: &Document, metadata: &Map<String, Json>, project: &mut Project) {
    for name in document.top.keys() {
        let text = match name.as_str() {
            "apiVersion" | "kind" | "metadata" | "managedNodeGroups" | "nodeGroups" => continue,
            name if OF_CLUSTER.contains(&name) => {
                "it belongs to the cluster, which this provider does not manage. Keep eksctl for it, or use hashicorp/aws."
            }
            _ => "this version of the provider does not know this key of eksctl. It does not affect the node groups.",
        };
        project.report.add(Topic::NoCounterpart, document.place(name), text);
    }
    if metadata.contains_key("version") {
        let text = "Kubernetes version of the cluster. Nodes keep the version that they run; `version` of a node group \
                    updates them.";
        project.report.add(Topic::Kept, document.place("metadata.version"), text);
    }
    if document.has_more {
        let place = Place { file: document.file.clone(), line: None, key: String::new() };
        let text = "eksctl reads the first YAML document (---) of a file, and so does this. The others were ignored.";
        project.report.add(Topic::NoCounterpart, place, text);
    }
}
