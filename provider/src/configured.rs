//! The configured provider, as operations receive it.

use gitlabspot_clients::Clients;

use crate::provider_tags::ProviderTags;
use crate::reservations::Reservations;

/// The clients, each made when it is first asked for, and the tags of the provider block.
#[derive(Clone, Debug)]
pub struct Data {
    /// Connections to AWS and Kubernetes.
    pub clients: Clients,
    /// Tags for every resource, and tags to ignore.
    pub tags: ProviderTags,
    /// Which operations act on objects of which names.
    pub reservations: Reservations,
}
