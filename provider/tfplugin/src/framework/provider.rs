//! A provider: its configuration, and the resources, data sources and functions that it offers.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::data_source::ErasedDataSource;
use super::diagnostics::Diagnostics;
use super::function::Function;
use super::list_resource::ErasedListResource;
use super::resource::ErasedResource;
use super::schema::Object;

/// The program that started the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The version of Terraform or OpenTofu, for instance `1.12.6`; empty before configuration.
    pub version: String,
    /// Whether it reports support for deferred changes, which wait for values that are not known yet.
    pub deferral_allowed: bool,
}

/// The oldest Terraform and OpenTofu that a provider works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldestHost {
    /// Major and minor version, for instance `(1, 11)`.
    pub version: (u64, u64),
    /// Reason why older versions are refused, as the end of a sentence.
    pub reason: &'static str,
}

/// A provider.
pub trait Provider: Send + Sync + 'static {
    /// The attributes of the `provider` block.
    type Config: Object;
    /// The configured provider that operations receive: settings and clients.
    type Data: Send + Sync + 'static;

    /// Its name, the prefix of its type names.
    fn name(&self) -> &'static str;

    /// Its description in Markdown: the first page of the documentation.
    fn description(&self) -> &'static str;

    /// The oldest accepted host. `None` accepts every host.
    fn oldest_host(&self) -> Option<OldestHost> {
        None
    }

    /// Checks the configuration. Values may be unknown.
    fn validate(&self, config: &Self::Config, diagnostics: &mut Diagnostics);

    /// Creates the data of operations from the configuration. Values may be unknown during a plan. No API is called.
    ///
    /// # Errors
    /// If the configuration is invalid.
    fn configure(&self, config: Self::Config, host: &Host) -> Result<Self::Data, Diagnostics>;

    /// Returns the data for one operation, in which every wait ends when `stop` is cancelled.
    fn until(data: &Arc<Self::Data>, _stop: &CancellationToken) -> Arc<Self::Data> {
        Arc::clone(data)
    }

    /// Returns everything that the provider offers.
    fn registry(&self) -> Registry<Self::Data>;
}

/// The resources, data sources, list resources and functions of a provider.
pub struct Registry<D> {
    /// Managed resources.
    pub resources: Vec<Arc<dyn ErasedResource<D>>>,
    /// Data sources.
    pub data_sources: Vec<Arc<dyn ErasedDataSource<D>>>,
    /// List resources. Each belongs to a managed resource with the same type name, which has an identity.
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
