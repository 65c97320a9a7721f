//! Data of the configured provider, which all operations receive.

use gitlabspot_clients::Clients;

use crate::provider_tags::ProviderTags;
use crate::reservations::Reservations;

/// Clients, tags and reservations. Each client is created on first use.
#[derive(Clone, Debug)]
pub struct Data {
    /// Connections to AWS and Kubernetes.
    pub clients: Clients,
    /// Tags for every resource, and tags to ignore.
    pub tags: ProviderTags,
    /// Names of objects that running operations have reserved.
    pub reservations: Reservations,
}
