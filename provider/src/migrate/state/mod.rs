//! Migrates resources of hashicorp/aws and hashicorp/helm in a state of Terraform or OpenTofu.
//!
//! Each becomes a resource of this provider with an `import` block. A `removed` block, which does not destroy the
//! object, removes the former resource from the state.

mod bucket;
mod credentials;
mod instance;
mod node_group;
mod policy;
mod release;
mod removal;
mod set;
#[cfg(test)]
mod tests;
mod ties;
mod user;

use std::collections::BTreeSet;

use self::instance::{Instance, Instances};
use self::ties::Ties;
use self::user::users;
use super::arguments::Arguments;
use super::cache::{Caches, OfRelease};
use super::only;
use super::project::Project;
use super::release::{File, Input, Parsed};
use super::report::{Place, Topic};

/// Error of a state that cannot be migrated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum StateError {
    #[error("{file} is not a state: {why}.")]
    NotAState { file: String, why: String },
    #[error(
        "{file} has nothing to migrate: no aws_eks_node_group, no helm_release of the chart gitlab-runner, no aws_s3_bucket of a \
         cache and no aws_iam_access_key of its user.{hint}"
    )]
    Nothing { file: String, hint: String },
    #[error("{0}")]
    Values(String),
}

/// Types of resources for objects that other resources of this provider manage: they are forgotten, without an import.
const REPLACED: [&str; 1] = ["aws_autoscaling_group_tag"];

/// Remark about a resource of another provider that refers to a migrated one.
const STAYS: &str = "stays with its provider. Where it refers to a resource that is forgotten, write the name itself.";

/// A state.
#[derive(Clone, Debug)]
pub(super) struct State {
    file: String,
    instances: Instances,
}

impl State {
    /// # Errors
    ///
    /// The text is not a state.
    pub(super) fn read(file: &str, text: &str) -> Result<Self, StateError> {
        Ok(Self { file: file.to_owned(), instances: Instances::read(file, text)? })
    }

    /// Takes the cluster and the region from the node groups or the cluster, unless they are known.
    pub(super) fn locate(&self, project: &mut Project) {
        for group in self.instances.of("aws_eks_node_group") {
            locate(group, "cluster_name", project);
        }
        if let Some(cluster) = only(self.instances.of("aws_eks_cluster")) {
            locate(cluster, "name", project);
        }
    }

    /// The releases with their values.
    ///
    /// # Errors
    ///
    /// Invalid values of a release.
    pub(super) fn releases(&self, arguments: &Arguments, project: &mut Project) -> Result<Vec<Parsed>, StateError> {
        release::parse(&self.instances, arguments, project)
    }

    /// Whether the state has this release with its values.
    pub(super) fn has_release(&self, namespace: &str, name: &str) -> bool {
        let is_same = |it: &Instance| release::namespace(it) == namespace && release::name(it) == name;
        release::of_chart(&self.instances).any(|it| !it.is_sensitive("values") && is_same(it))
    }

    /// The release of the values files, if the values of one release in the state are sensitive.
    pub(super) fn of_values(&self, files: &[File], arguments: &Arguments, project: &mut Project) -> Option<Input> {
        let instance = self.hidden(arguments).filter(|_| !files.is_empty())?;
        Some(release::input(instance, files.to_vec(), arguments, project))
    }

    /// The one release whose values are sensitive.
    fn hidden(&self, arguments: &Arguments) -> Option<&Instance> {
        only(release::of_chart(&self.instances).filter(|instance| {
            instance.is_sensitive("values")
                && arguments.release.as_ref().is_none_or(|name| *name == release::name(instance))
                && arguments.namespace.as_ref().is_none_or(|name| *name == release::namespace(instance))
        }))
    }

    /// Adds the resources of the state to the project, except for its releases.
    ///
    /// # Errors
    ///
    /// The state does not contain a resource to migrate.
    pub(super) fn migrate(
        &self,
        releases: &[OfRelease],
        arguments: &Arguments,
        caches: &mut Caches,
        project: &mut Project,
    ) -> Result<(), StateError> {
        let instances = &self.instances;
        let users = users(instances, arguments);
        let ties = Ties { instances, releases, users: &users, arguments };
        let buckets = ties.buckets();
        let groups = node_group::migrate(instances, project);
        let mut count = groups.len() + bucket::migrate(ties, &buckets, caches, project);
        count += credentials::migrate(ties, &buckets, caches, project);
        count += self.forget_releases(arguments, project);
        if count == 0 {
            return Err(StateError::Nothing { file: self.file.clone(), hint: hint(ties) });
        }
        remarks(ties, &groups, caches, project);
        removal::add(instances, project);
        Ok(())
    }

    pub(super) fn has_bucket(&self, name: &str) -> bool {
        self.buckets().any(|bucket| bucket == name)
    }

    /// The names of the buckets.
    pub(super) fn buckets(&self) -> impl Iterator<Item = String> {
        self.instances.of("aws_s3_bucket").filter_map(bucket::name)
    }

    /// Forgets the migrated releases. Returns their number.
    fn forget_releases(&self, arguments: &Arguments, project: &mut Project) -> usize {
        let of_values = self.hidden(arguments).filter(|_| !arguments.values.is_empty());
        let mut count = 0;
        for instance in release::of_chart(&self.instances) {
            if instance.is_sensitive("values") && of_values != Some(instance) {
                let text =
                    "`values` is marked as sensitive, so that it is not read. Give the values file with --values.";
                project.report.add(Topic::NoCounterpart, place(instance), text);
                continue;
            }
            project.forget(&instance.address);
            count += 1;
        }
        count
    }
}

/// Takes the name and the region of a cluster from a resource, unless they are known.
fn locate(instance: &Instance, name: &str, project: &mut Project) {
    if project.cluster.name.is_none() {
        project.cluster.name = instance.text(name);
    }
    if project.region.is_none() {
        project.region = node_group::region(instance);
    }
}

/// The options that migrate something of a state that has nothing else.
fn hint(ties: Ties<'_>) -> String {
    let buckets: BTreeSet<String> = ties.instances.of("aws_s3_bucket").filter_map(bucket::name).collect();
    let users: BTreeSet<String> = ties.users.iter().map(|user| user.name.clone()).collect();
    let listed = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    match (buckets.is_empty(), users.is_empty()) {
        (true, _) => String::new(),
        (false, true) => format!(" `--bucket NAME` migrates one of its buckets: {}.", listed(buckets)),
        (false, false) => format!(
            " `--bucket NAME` migrates one of its buckets ({}), and `--user NAME` one of its users ({}).",
            listed(buckets),
            listed(users)
        ),
    }
}

/// Adds what is reported about the resources that no resource of this provider has as its object.
fn remarks(ties: Ties<'_>, groups: &[&Instance], caches: &Caches, project: &mut Project) {
    let instances = ties.instances;
    tags(instances, groups, project);
    if ties.arguments.cluster.is_none() {
        several_clusters(instances, project);
    }
    for instance in instances.all().filter(|instance| refers(instance, groups, caches)) {
        project.report.add(Topic::Kept, place(instance), STAYS);
    }
    let text = "delete the blocks of the resources that `removed` blocks forget from the configuration, and put these files beside \
                it: the state is the same one. After the apply the `import` and `removed` blocks can go.";
    project.report.add(Topic::Task, None, text);
}

/// Whether a resource of another provider is used by a migrated object, or refers to one.
fn refers(instance: &Instance, groups: &[&Instance], caches: &Caches) -> bool {
    let has = |attribute: &str, of_group: &str| {
        let value = instance.text(attribute);
        value.is_some() && groups.iter().any(|group| group.text(of_group) == value)
    };
    match instance.kind.as_str() {
        "aws_iam_user_policy" | "aws_iam_user_policy_attachment" | "aws_iam_user_group_membership" => {
            let user = instance.text("user");
            caches.credentials.iter().any(|found| user.as_ref() == Some(&found.user))
        }
        "aws_iam_role" => has("arn", "node_role_arn"),
        "aws_launch_template" => has("id", "launch_template.0.id"),
        _ => false,
    }
}

/// Forgets the tags of the Auto Scaling Groups of migrated node groups.
fn tags(instances: &Instances, groups: &[&Instance], project: &mut Project) {
    let scaling: Vec<&str> = groups
        .iter()
        .flat_map(|group| group.list("resources.0.autoscaling_groups"))
        .filter_map(|scaling| scaling["name"].as_str())
        .collect();
    for kind in REPLACED {
        for instance in instances.of(kind) {
            if instance.text("autoscaling_group_name").is_some_and(|name| scaling.contains(&name.as_str())) {
                project.forget(&instance.address);
                let text = "the node group manages the tags of its Auto Scaling Group. Tags beside those for the autoscaler go into \
                            `asg_tags`.";
                project.report.add(Topic::Change, place(instance), text);
            } else {
                let text = "stays with hashicorp/aws: its Auto Scaling Group is not that of a migrated node group.";
                project.report.add(Topic::Kept, place(instance), text);
            }
        }
    }
}

/// Reports that the cluster of releases and credentials is not certain.
fn several_clusters(instances: &Instances, project: &mut Project) {
    let clusters: BTreeSet<String> =
        instances.of("aws_eks_node_group").filter_map(|group| group.text("cluster_name")).collect();
    let has_objects =
        release::of_chart(instances).next().is_some() || instances.of("aws_iam_access_key").next().is_some();
    if clusters.len() > 1 && has_objects {
        let chosen = project.cluster.name.clone().unwrap_or_default();
        let text = format!(
            "the state has node groups of the clusters {}. Releases and credentials are taken to be in {chosen}. `--cluster NAME` \
             chooses another one.",
            clusters.into_iter().collect::<Vec<_>>().join(", ")
        );
        project.report.add(Topic::Task, None, text);
    }
}

fn place(instance: &Instance) -> Place {
    Place { file: String::new(), line: None, key: instance.address.clone() }
}
