//! The connection to a cluster, and the few things that are done with its objects.

mod apply;
mod cluster;
mod error;
mod exec;
mod kubeconfig;
mod retry;
#[cfg(test)]
pub(crate) mod scripted;
mod settings;
mod token;
mod transport;

use std::sync::Arc;

use kube::client::ClientBuilder;

pub use self::apply::{ApplyOptions, Deletion, FIELD_MANAGER, ObjectRef, Propagation, apply, delete, get, list};
pub use self::error::{FieldConflict, InvalidField, KubernetesError};
use self::kubeconfig::Connection;
pub use self::settings::{Exec, KubernetesSettings};
use self::token::Tokens;
pub(crate) use self::token::{MintToken, Token};
use super::eks_token::EksToken;
use super::{ClientError, Clients};

/// Connects to the EKS cluster `cluster_name`, or else to what `settings` describe.
///
/// A resource's own `cluster_name` needs no setting of the provider, so that a provider block that
/// is not known yet does not stand in its way.
///
/// # Errors
/// [`ClientError`]; nothing is ever contacted that no setting names.
pub(super) async fn connect(
    clients: &Clients,
    settings: &KubernetesSettings,
    cluster_name: Option<&str>,
) -> Result<kube::Client, ClientError> {
    let connection = match cluster_name {
        Some(name) => eks(clients, name).await?,
        None => described(clients, settings).await?,
    };
    client(connection, clients)
}

/// The connection that the provider block and the environment describe.
async fn described(clients: &Clients, settings: &KubernetesSettings) -> Result<Connection, ClientError> {
    if !settings.not_yet_known.is_empty() {
        return Err(ClientError::NotYetKnown {
            settings: settings.not_yet_known.iter().map(|name| format!("kubernetes.{name}")).collect(),
        });
    }
    let environment = &clients.0.settings.environment;
    let settings = settings.clone().with_environment(environment)?;
    match &settings.cluster_name {
        Some(name) => eks(clients, name).await,
        None => Connection::from_settings(&settings, environment).await,
    }
}

async fn eks(clients: &Clients, name: &str) -> Result<Connection, ClientError> {
    let region = clients.region().await?;
    let cluster = cluster::describe(clients.eks().await?, name, region).await?;
    let credentials = clients.config().await?.credentials_provider().ok_or_else(|| ClientError::EksToken {
        cluster: name.to_owned(),
        reason: "there are no AWS credentials to sign it with".to_owned(),
    })?;
    let source = EksToken { credentials, region: region.to_owned(), cluster: cluster.token_name.clone() };
    Connection::from_eks(cluster, Arc::new(source)).await
}

fn client(connection: Connection, clients: &Clients) -> Result<kube::Client, ClientError> {
    let Connection { mut config, tokens } = connection;
    let refused = |reason: String| ClientError::KubernetesClient { reason };
    // kube takes the process's provider of cryptography; it has to be this one whatever other
    // features are compiled in. An error means that one is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let user_agent = clients.0.settings.user_agent.header();
    if let Ok(value) = http::HeaderValue::from_str(&user_agent) {
        config.headers.push((http::header::USER_AGENT, value));
    }
    // Retries are the transport's, which knows the method and our clock.
    config.default_retry = false;
    let builder = ClientBuilder::try_from(config).map_err(|error| refused(error.to_string()))?;
    let clock = Arc::clone(&clients.0.clock);
    let tokens = tokens.map(|source| Tokens::new(source, Arc::clone(&clock)));
    Ok(builder.with_layer(&transport::TransportLayer { tokens, clock }).build())
}
