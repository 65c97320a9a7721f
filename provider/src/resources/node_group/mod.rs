//! `gitlabspot_node_group`: an EKS managed node group and everything that scaling from zero needs.
//!
//! It manages the node group, the role and the launch template of its nodes if the provider creates them, and of the
//! Auto Scaling Group that EKS creates: the tags that describe a node to the cluster autoscaler, and the suspension of
//! AZRebalance, which would terminate nodes with jobs.
//!
//! * create: subnets, role, launch template, node group, Auto Scaling Group. The node group is in the state before the
//!   first request, and a lost response has no effect (see `ownership`).
//! * read: one call for the node group, one for its Auto Scaling Group, and one for a launch template of the provider.
//! * update: role, launch template, version, configuration, tags, Auto Scaling Group, one after the other (see
//!   `update`).
//! * delete: the node group, the launch template, the role.
//! * import: `cluster:name`, or the identity. Sets every attribute that AWS returns.

mod ami_type;
mod asg_tags;
pub(crate) mod autoscaler_tags;
mod az_rebalance;
mod create;
mod delete;
mod error;
mod expand;
mod flatten;
mod health;
mod import;
mod instance_types;
mod launch_template;
pub mod list;
mod model;
mod node_role;
mod ownership;
mod pairs;
mod partial;
mod plan;
mod private;
mod read;
mod release;
pub mod schema;
mod subnets;
mod template;
#[cfg(test)]
mod tests;
mod update;
mod validate;
mod wait;

use std::time::Duration;

use aws_sdk_eks::types::Nodegroup;
use tfplugin::framework::value::{Value, known_list};
use tfplugin::framework::{Context, Create, Delete, Diagnostics, Import, Plan, Read, Resource, Update};

use self::instance_types::Sizes;
use self::private::Private;
use self::schema::{Identity, NodeGroup};
use self::wait::Id;
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::errors::ToDiagnostic;
use crate::iam::Iam;
use crate::location;
use crate::provider_tags::ProviderTags;

/// Default timeout of an operation.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// The resource `gitlabspot_node_group`.
#[derive(Debug, Default)]
pub struct NodeGroupResource {
    sizes: Sizes,
}

impl Resource for NodeGroupResource {
    type Data = Data;
    type Model = NodeGroup;
    type Private = Private;
    type Identity = Identity;
    const TYPE_NAME: &'static str = "gitlabspot_node_group";
    const DESCRIPTION: &'static str = "Manages an EKS managed node group for CI jobs, by default with Spot \
         instances. The node group has no nodes, and no costs, while there is no work.\n\n\
         The cluster autoscaler can only scale a node group from zero if tags of the Auto Scaling Group describe the \
         nodes. This resource derives these tags from labels, taints and other attributes, and manages them on the \
         Auto Scaling Group. EKS does not propagate the tags of a node group to its Auto Scaling Group.\n\n\
         A refresh does not read the policies of an IAM role that this resource created. Every update of \
         `node_role` writes all of them.";

    fn validate(&self, config: &NodeGroup, diagnostics: &mut Diagnostics) {
        validate::check(config, diagnostics);
    }

    async fn plan(&self, context: &Context<Data>, plan: &mut Plan<NodeGroup, Private>) -> Result<(), Diagnostics> {
        let data = context.data()?;
        plan::complete(plan, &data.tags);
        pairs::review(plan);
        if plan.is_create()
            && let Some(names) = known_list(&plan.planned.instance_types)
            && let Ok(ec2) = data.clients.ec2().await
            && let Some(warning) = self.sizes.warning(ec2, &names).await
        {
            plan.warn(warning);
        }
        if plan.planned.launch_template.known().is_some()
            && let Ok(ec2) = data.clients.ec2().await
        {
            launch_template::review(ec2, plan).await;
        }
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Data>,
        operation: &mut Create<NodeGroup, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.create(operation).await?)
    }

    async fn read(&self, context: &Context<Data>, operation: &mut Read<NodeGroup, Private>) -> Result<(), Diagnostics> {
        let arn = operation.state.arn.clone();
        Session::connect(context).await?.read(operation).await?;
        if operation.is_gone() {
            let confirmed = location::confirm_deleted(&context.data()?.clients, arn.as_str()).await;
            return confirmed.map_err(|error| {
                // The warnings assume that the node group was deleted, which is not confirmed.
                operation.diagnostics = Diagnostics::new();
                error.to_diagnostic().into()
            });
        }
        Ok(())
    }

    async fn update(
        &self,
        context: &Context<Data>,
        operation: &mut Update<NodeGroup, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.update(operation).await?)
    }

    async fn delete(
        &self,
        context: &Context<Data>,
        operation: &mut Delete<NodeGroup, Private>,
    ) -> Result<(), Diagnostics> {
        Ok(Session::connect(context).await?.delete(operation).await?)
    }

    async fn import(&self, context: &Context<Data>, from: Import<Identity>) -> Result<NodeGroup, Diagnostics> {
        import::import(context, from).await
    }

    fn configuration(&self, state: NodeGroup) -> NodeGroup {
        pairs::configuration(state)
    }

    fn identity(&self, _: &Context<Data>, state: &NodeGroup, _: &Private) -> Option<Identity> {
        let (region, account_id) = location::of_arn(state.arn.as_str()?)?;
        Some(Identity {
            cluster_name: state.cluster_name.clone(),
            name: state.name.clone(),
            region: region.into(),
            account_id: account_id.into(),
        })
    }
}

impl Id {
    fn of(model: &NodeGroup) -> Self {
        let text = |value: &Value<String>| value.as_str().unwrap_or_default().to_owned();
        Self { cluster: text(&model.cluster_name), name: text(&model.name) }
    }
}

/// Clients and settings of one operation.
struct Session<'a> {
    context: &'a Context<Data>,
    eks: &'a aws_sdk_eks::Client,
    autoscaling: &'a aws_sdk_autoscaling::Client,
    ec2: &'a aws_sdk_ec2::Client,
    iam: Iam<'a>,
    region: &'a str,
    tags: &'a ProviderTags,
}

impl<'a> Session<'a> {
    async fn connect(context: &'a Context<Data>) -> Result<Self, Diagnostics> {
        let Data { clients, tags, .. } = context.data()?.as_ref();
        Ok(Self {
            context,
            eks: clients.eks().await.or_diagnostics()?,
            autoscaling: clients.autoscaling().await.or_diagnostics()?,
            ec2: clients.ec2().await.or_diagnostics()?,
            iam: Iam { context, client: clients.iam().await.or_diagnostics()? },
            region: clients.region().await.or_diagnostics()?,
            tags,
        })
    }
}

/// The names of the Auto Scaling Groups. They change when EKS recreates the groups.
fn asg_names(group: &Nodegroup) -> Vec<String> {
    let groups = group.resources.iter().flat_map(|resources| resources.auto_scaling_groups());
    groups.filter_map(|group| group.name.clone()).collect()
}
