//! The initial state of an import.

use tfplugin::framework::{Context, Diagnostic, Diagnostics, Import};

use super::schema::{Identity, NodeGroup};
use super::wait::Id;
use crate::configured::Data;
use crate::location;

/// The attributes that the following read needs.
pub(super) async fn import(context: &Context<Data>, from: Import<Identity>) -> Result<NodeGroup, Diagnostics> {
    let id = match from {
        Import::Id(text) => parse(&text).ok_or_else(|| {
            Diagnostic::error(
                "Invalid import ID",
                format!("{text:?} is not the ID of a node group. Write cluster and name, for example \"prod:build\"."),
            )
        })?,
        Import::Identity(identity) => {
            location::check(&context.data()?.clients, &identity.region, &identity.account_id).await?;
            Id {
                cluster: identity.cluster_name.into_known().unwrap_or_default(),
                name: identity.name.into_known().unwrap_or_default(),
            }
        }
    };
    Ok(NodeGroup {
        id: id.to_string().into(),
        cluster_name: id.cluster.into(),
        name: id.name.into(),
        ..NodeGroup::default()
    })
}

fn parse(text: &str) -> Option<Id> {
    let (cluster, name) = text.split_once(':')?;
    let valid = |part: &str| !part.is_empty() && !part.contains([':', '/', ' ']);
    (valid(cluster) && valid(name)).then(|| Id { cluster: cluster.to_owned(), name: name.to_owned() })
}
