//! `gitlabspot_node_group`: an EKS managed node group and everything that scaling from zero needs.
//!
//! The group, the role of its nodes when it is to be made, and on the Auto Scaling Group that EKS makes: the tags by which
//! the cluster autoscaler knows what a node would be like, and the suspension of what would kill jobs.
//!
//! * create: subnets, role, launch template, the group, its Auto Scaling Group. The state has it from before the first
//!   request on, and an answer that is lost loses nothing (see `ownership`).
//! * read: two calls, one for the node group and one for its Auto Scaling Group; a third for a launch template of ours.
//! * update: role, launch template, version, everything else, tags, one after the other (see `update`).
//! * delete: the group, then the launch template, then the role.
//! * import: `cluster:name`, or the identity. Fills in everything that can be told.

mod ami_type;
mod asg_tags;
pub(crate) mod autoscaler_tags;
mod az_rebalance;
mod create;
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

use std::time::{Duration, Instant};

use aws_sdk_eks::types::{Nodegroup, NodegroupStatus as Status};
use gitlabspot_clients::aws::AwsError;
use tfplugin::framework::value::{Value, known_list};
use tfplugin::framework::wait::WaitError;
use tfplugin::framework::{Context, Create, Delete, Diagnostics, Import, Plan, Read, Resource, Timeouts, Update};

use self::error::{Cause, Error, Left, Step};
use self::instance_types::Sizes;
use self::node_role::{RoleError, access_entry};
use self::private::Private;
use self::schema::{Identity, NodeGroup};
use self::wait::{Id, describe, is_busy, until_gone, until_idle};
use crate::configured::Data;
use crate::errors::OrDiagnostics;
use crate::errors::ToDiagnostic;
use crate::provider_tags::ProviderTags;
use crate::whereabouts;

/// What an operation may take, unless the user says otherwise.
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
         The cluster autoscaler only starts nodes of an empty node group if it knows what a node will be like. This \
         resource derives the tags that describe the nodes from labels, taints and other attributes, and manages \
         them on the Auto Scaling Group. EKS does not propagate the tags of a node group to its Auto Scaling Group.\n\n\
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
            let confirmed = whereabouts::confirm_gone(&context.data()?.clients, arn.as_str()).await;
            return confirmed.map_err(|error| {
                // What was said of it is not true.
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
        let (region, account_id) = whereabouts::place(state.arn.as_str()?)?;
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
struct Session<'a, D> {
    context: &'a Context<D>,
    eks: &'a aws_sdk_eks::Client,
    autoscaling: &'a aws_sdk_autoscaling::Client,
    ec2: &'a aws_sdk_ec2::Client,
    iam: &'a aws_sdk_iam::Client,
    region: &'a str,
    tags: &'a ProviderTags,
}

impl<'a> Session<'a, Data> {
    async fn connect(context: &'a Context<Data>) -> Result<Self, Diagnostics> {
        let Data { clients, tags, .. } = context.data()?.as_ref();
        Ok(Self {
            context,
            eks: clients.eks().await.or_diagnostics()?,
            autoscaling: clients.autoscaling().await.or_diagnostics()?,
            ec2: clients.ec2().await.or_diagnostics()?,
            iam: clients.iam().await.or_diagnostics()?,
            region: clients.region().await.or_diagnostics()?,
            tags,
        })
    }
}

impl<D> Session<'_, D> {
    async fn delete(&self, operation: &mut Delete<NodeGroup, Private>) -> Result<(), Error> {
        let id = Id::of(&operation.state);
        let end = self.context.clock.now() + Timeouts::delete(&operation.state.timeouts, TIMEOUT);
        self.delete_group(&id, end).await.map_err(|source| {
            if let WaitError::Failed(Cause::Unhealthy { status, .. }) = &source {
                operation.state.status = status.as_str().into();
            }
            Error::Step { step: Step::Delete, id: id.to_string(), source, left: Left::Untouched }
        })?;
        operation.state.status = plan::DELETED.into();
        if let Some(which) = template::which(&operation.state, &operation.private, self.region) {
            template::delete(self.ec2, &which).await.map_err(|error| Error::Template {
                step: Step::DeleteTemplate,
                id: id.to_string(),
                source: error.into(),
                left: Left::PartsAlone,
            })?;
            (operation.state.template_id, operation.state.template_version) = (Value::Null, Value::Null);
            template::forget(&mut operation.private);
        }
        let Some(role) = operation.state.node_role.known() else { return Ok(()) };
        let name = role.name.as_str().unwrap_or_default().to_owned();
        let arn = operation.state.node_role_arn.as_str();
        self.delete_role(&id, &name, arn).await.map_err(|source| Error::Role {
            step: Step::DeleteRole,
            id: id.to_string(),
            source,
            left: Left::PartsAlone,
        })
    }

    /// Deletes the role, and before it what lets its nodes join the cluster.
    async fn delete_role(&self, id: &Id, name: &str, arn: Option<&str>) -> Result<(), RoleError> {
        if let Some(arn) = arn {
            let deleted = access_entry::delete(self.eks, &id.cluster, arn).await;
            deleted.map_err(|error| RoleError::Partly(WaitError::Failed(error)))?;
        }
        node_role::delete(self.context, self.iam, name).await
    }

    async fn delete_group(&self, id: &Id, end: Instant) -> Result<(), WaitError<Cause>> {
        loop {
            let request = self.eks.delete_nodegroup().cluster_name(&id.cluster).nodegroup_name(&id.name);
            let error = match request.send().await.map_err(AwsError::of("DeleteNodegroup")) {
                Ok(_) => break,
                Err(error) if error.is_not_found() => return Ok(()),
                Err(error) => error,
            };
            if !is_busy(&error) && !error.is_outcome_unknown() {
                return Err(WaitError::Failed(error.into()));
            }
            // It is being changed, or being deleted already.
            match describe(self.eks, id).await.map_err(|error| WaitError::Failed(error.into()))? {
                None => return Ok(()),
                Some(group) if group.status == Some(Status::Deleting) => break,
                Some(_) if self.left(end).is_zero() => return Err(WaitError::Failed(error.into())),
                Some(_) => match until_idle(self.context, self.eks, id, self.left(end)).await {
                    Ok(_) => self.context.clock.sleep(Duration::from_secs(1)).await,
                    Err(WaitError::Failed(Cause::Gone)) => return Ok(()),
                    Err(WaitError::Failed(Cause::Unhealthy { .. })) => break,
                    Err(error) => return Err(error),
                },
            }
        }
        until_gone(self.context, self.eks, id, self.left(end)).await
    }

    fn left(&self, end: Instant) -> Duration {
        end.saturating_duration_since(self.context.clock.now())
    }
}

/// The names of the Auto Scaling Groups, which change when EKS makes them anew.
fn asg_names(group: &Nodegroup) -> Vec<String> {
    let groups = group.resources.iter().flat_map(|resources| resources.auto_scaling_groups());
    groups.filter_map(|group| group.name.clone()).collect()
}

fn cause(error: WaitError<AwsError>) -> WaitError<Cause> {
    error.map(Cause::from)
}
