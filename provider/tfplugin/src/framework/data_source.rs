//! Data sources: objects that are read and not managed.

use futures::future::BoxFuture;

use super::configuration;
use super::context::Context;
use super::diagnostics::Diagnostics;
use super::schema::{Object, Schema};
use super::value::Raw;

/// A data source with its Rust types.
pub trait DataSource: Send + Sync + 'static {
    /// The [`Data`](super::Provider::Data) of the provider.
    type Data: Send + Sync + 'static;
    /// Its attributes: arguments and results.
    type Model: Object;
    /// Its type name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// Its description in Markdown.
    const DESCRIPTION: &'static str;

    /// Checks the configuration. Values may be unknown.
    fn validate(&self, config: &Self::Model, diagnostics: &mut Diagnostics) {
        let _ = (config, diagnostics);
    }

    /// Reads the object. The configuration is wholly known, and the result must be too.
    ///
    /// # Errors
    /// If the object cannot be read.
    fn read(
        &self,
        context: &Context<Self::Data>,
        config: Self::Model,
        diagnostics: &mut Diagnostics,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;
}

/// A data source without its Rust types, as the protocol uses it.
pub trait ErasedDataSource<D>: Send + Sync {
    /// Its type name.
    fn type_name(&self) -> &'static str;
    /// Its schema.
    fn schema(&self) -> Schema;
    /// Checks a configuration.
    fn validate(&self, config: Raw) -> Diagnostics;
    /// Reads the object. The value is null if there are errors.
    fn read<'a>(&'a self, context: &'a Context<D>, config: Raw) -> BoxFuture<'a, (Raw, Diagnostics)>;
}

impl<S: DataSource> ErasedDataSource<S::Data> for S {
    fn type_name(&self) -> &'static str {
        S::TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema::of::<S::Model>(0, S::DESCRIPTION)
    }

    fn validate(&self, config: Raw) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(config) = configuration::read::<S::Model>(config, &mut diagnostics) {
            DataSource::validate(self, &config, &mut diagnostics);
        }
        diagnostics
    }

    fn read<'a>(&'a self, context: &'a Context<S::Data>, config: Raw) -> BoxFuture<'a, (Raw, Diagnostics)> {
        Box::pin(async move {
            let mut diagnostics = Diagnostics::new();
            let config = match S::Model::from_raw(config) {
                Ok(config) => config,
                Err(mismatch) => return (Raw::Null, mismatch.into()),
            };
            let Some(config) = config else { return (Raw::Null, diagnostics) };
            match DataSource::read(self, context, config, &mut diagnostics).await {
                Ok(model) => (model.into_raw(), diagnostics),
                Err(errors) => {
                    diagnostics.extend(errors);
                    (Raw::Null, diagnostics)
                }
            }
        })
    }
}
