//! A provider: its configuration, and the list of what it offers.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::data_source::ErasedDataSource;
use super::diagnostics::Diagnostics;
use super::function::Function;
use super::list_resource::ErasedListResource;
use super::resource::ErasedResource;
use super::schema::Object;

/// Who started the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The version of Terraform or OpenTofu, for instance `1.12.6`; empty before configuration.
    pub version: String,
    /// Whether it can hold back plans of what it does not know yet.
    pub deferral_allowed: bool,
}

/// The oldest Terraform and OpenTofu that a provider works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldestHost {
    /// Major and minor version, for instance `(1, 11)`.
    pub version: (u64, u64),
    /// Why not an older one, as the end of a sentence.
    pub reason: &'static str,
}

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The attributes of the `provider` block.
    type Config: Object;
    /// What operations get: settings and clients.
    type Data: Send + Sync + 'static;

    /// Its name, the prefix of everything it offers.
    fn name(&self) -> &'static str;

    /// What it is, in Markdown: the first page of the docs.
    fn description(&self) -> &'static str;

    /// Older hosts are refused. `None` serves every host.
    fn oldest_host(&self) -> Option<OldestHost> {
        None
    }

    /// Checks the configuration. Values may be unknown.
    fn validate(&self, config: &Self::Config, diagnostics: &mut Diagnostics);

    /// Makes what operations need of the configuration. Values may be unknown while planning. Nothing is contacted.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    fn configure(&self, config: Self::Config, host: &Host) -> Result<Self::Data, Diagnostics>;

    /// What one operation gets of it: whatever waits ends when `stop` is cancelled.
    fn until(data: &Arc<Self::Data>, _stop: &CancellationToken) -> Arc<Self::Data> {
        Arc::clone(data)
    }

    /// What it offers.
    fn registry(&self) -> Registry<Self::Data>;
}

/// What a provider offers.
pub struct Registry<D> {
    /// Managed resources.
    pub resources: Vec<Arc<dyn ErasedResource<D>>>,
    /// Data sources.
    pub data_sources: Vec<Arc<dyn ErasedDataSource<D>>>,
    /// List resources, each for a managed resource of its name that has an identity.
    pub list_resources: Vec<Arc<dyn ErasedListResource<D>>>,
    /// Functions.
    pub functions: Vec<Arc<dyn Function>>,
}

impl<D> std::fmt::Debug for Registry<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("resources", &self.resources.iter().map(|resource| resource.type_name()).collect::<Vec<_>>())
            .field("data_sources", &self.data_sources.iter().map(|source| source.type_name()).collect::<Vec<_>>())
            .field("list_resources", &self.list_resources.iter().map(|list| list.type_name()).collect::<Vec<_>>())
            .field("functions", &self.functions.iter().map(|function| function.name()).collect::<Vec<_>>())
            .finish()
    }
}

impl<D> Registry<D> {
    /// A resource by its type name.
    #[must_use]
    pub fn resource(&self, type_name: &str) -> Option<&Arc<dyn ErasedResource<D>>> {
        self.resources.iter().find(|resource| resource.type_name() == type_name)
    }

    /// A data source by its type name.
    #[must_use]
    pub fn data_source(&self, type_name: &str) -> Option<&Arc<dyn ErasedDataSource<D>>> {
        self.data_sources.iter().find(|source| source.type_name() == type_name)
    }

    /// A function by its name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Arc<dyn Function>> {
        self.functions.iter().find(|function| function.name() == name)
    }
}
