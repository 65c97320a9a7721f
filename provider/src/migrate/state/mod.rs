//! Migrates resources of hashicorp/aws and hashicorp/helm in a state of Terraform or OpenTofu.
//!
//! Each becomes a resource of this provider with an `import` block. A `removed` block, which does not destroy the
//! object, removes the former resource from the state.

mod bucket;
mod credentials;
mod instance;
mod node_group;
mod release;
#[cfg(test)]
mod tests;

use self::instance::{Instance, Instances};
use super::arguments::Arguments;
use super::project::Project;
use super::release::{Links, ValuesError};
use super::report::{Place, Topic};

/// Error of a state that cannot be migrated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum StateError {
    #[error("{file} is not a state: {why}.")]
    NotAState { file: String, why: String },
    #[error(
        "{file} has nothing to migrate: no aws_eks_node_group, no helm_release of the chart gitlab-runner, no aws_s3_bucket of a \
         cache and no aws_iam_access_key."
    )]
    Nothing { file: String },
    #[error("{address}: {source}")]
    Values { address: String, source: ValuesError },
}

/// Types of resources for objects that other resources of this provider manage: they are forgotten, without an import.
const REPLACED: [&str; 1] = ["aws_autoscaling_group_tag"];

/// Adds the resources of the state to the project.
///
/// # Errors
///
/// The text is not a state, or the state does not contain a resource to migrate.
pub(super) fn migrate(file: &str, text: &str, arguments: &Arguments, project: &mut Project) -> Result<(), StateError> {
    let instances = Instances::read(file, text)?;
    for group in instances.of("aws_eks_node_group") {
        whereabouts(group, project);
    }
    let releases = release::parse(&instances, project)?;
    let caches: Vec<_> = releases.iter().map(|(_, release)| release.cache()).collect();
    let mut count = node_group::migrate(&instances, project);
    let buckets = bucket::migrate(&instances, &caches, arguments, project);
    let credentials = credentials::migrate(&instances, &releases, &buckets, arguments, project);
    count += releases.len() + buckets.len() + credentials.len();
    for (instance, release) in releases {
        let cache = release.cache();
        let namespace = release.namespace().to_owned();
        let links = Links {
            bucket: buckets.iter().find(|(name, _)| cache.bucket.as_ref() == Some(name)).cloned(),
            credentials: credentials
                .iter()
                .find(|found| cache.secret.as_ref() == Some(&found.secret) && found.namespace == namespace)
                .map(|found| (found.secret.clone(), found.address.clone())),
        };
        release.write(&links, project);
        project.forget(&instance.forgotten());
    }
    if count == 0 {
        return Err(StateError::Nothing { file: file.to_owned() });
    }
    others(&instances, project);
    Ok(())
}

/// Takes the cluster and the region from a node group, unless they are known.
fn whereabouts(group: &Instance, project: &mut Project) {
    if project.cluster.name.is_none() {
        project.cluster.name = group.text("cluster_name");
    }
    if project.region.is_none() {
        // arn:aws:eks:REGION:ACCOUNT:nodegroup/...
        project.region = group.text("arn").and_then(|arn| arn.split(':').nth(3).map(str::to_owned));
    }
}

fn others(instances: &Instances, project: &mut Project) {
    for kind in REPLACED {
        for instance in instances.of(kind) {
            project.forget(&instance.forgotten());
            let text = "the node group manages the tags of its Auto Scaling Group. Tags beside those for the autoscaler go into \
                        `asg_tags`.";
            project.report.add(Topic::Change, place(instance), text);
        }
    }
    for kind in ["aws_iam_user_policy", "aws_iam_user_policy_attachment", "aws_iam_role", "aws_launch_template"] {
        for instance in instances.of(kind) {
            let text =
                "stays with its provider. Where it refers to a resource that is forgotten, write the name itself.";
            project.report.add(Topic::Kept, place(instance), text);
        }
    }
    let text = "delete the blocks of the resources that `removed` blocks forget from the configuration, and put these files beside \
                it: the state is the same one. After the apply the `import` and `removed` blocks can go.";
    project.report.add(Topic::Task, None, text);
}

fn place(instance: &Instance) -> Place {
    Place { file: String::new(), line: None, key: instance.address.clone() }
}
