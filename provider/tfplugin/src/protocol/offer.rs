//! The resources, data sources, list resources and functions of the provider, by name. Schemas are built on first use.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use tfplugin_proto::tfplugin6::ResourceIdentityData;

use super::convert;
use super::server::bugs;
use crate::framework::conformance::check_identity;
use crate::framework::data_source::ErasedDataSource;
use crate::framework::function::{Definition, Function};
use crate::framework::identity::IdentitySchema;
use crate::framework::list_resource::ErasedListResource;
use crate::framework::resource::ErasedResource;
use crate::framework::{Diagnostic, Diagnostics, Raw, Registry, Schema, Type};

/// Everything that a configuration can use.
pub(super) struct Offer<D> {
    pub(super) resources: BTreeMap<&'static str, Arc<Resource<D>>>,
    pub(super) data_sources: BTreeMap<&'static str, DataSource<D>>,
    pub(super) list_resources: BTreeMap<&'static str, Arc<ListResource<D>>>,
    pub(super) functions: BTreeMap<&'static str, Arc<dyn Function>>,
}

impl<D> Offer<D> {
    pub(super) fn new(registry: Registry<D>) -> Self {
        Self {
            resources: registry.resources.into_iter().map(|it| (it.type_name(), Arc::new(Resource::new(it)))).collect(),
            data_sources: registry
                .data_sources
                .into_iter()
                .map(|it| (it.type_name(), DataSource::new(it, |it| it.schema())))
                .collect(),
            list_resources: registry
                .list_resources
                .into_iter()
                .map(|it| (it.type_name(), Arc::new(ListResource::new(it, |it| it.schema()))))
                .collect(),
            functions: registry.functions.into_iter().map(|it| (it.name(), it)).collect(),
        }
    }

    pub(super) fn resource(&self, type_name: &str) -> Result<&Arc<Resource<D>>, Diagnostics> {
        self.resources.get(type_name).ok_or_else(|| missing("resource", type_name, self.resources.keys()))
    }

    pub(super) fn data_source(&self, type_name: &str) -> Result<&DataSource<D>, Diagnostics> {
        self.data_sources.get(type_name).ok_or_else(|| missing("data source", type_name, self.data_sources.keys()))
    }
}

impl<D> Offer<D> {
    pub(super) fn list_resource(&self, type_name: &str) -> Result<&Arc<ListResource<D>>, Diagnostics> {
        let there = self.list_resources.keys();
        self.list_resources.get(type_name).ok_or_else(|| missing("list resource", type_name, there))
    }
}

fn missing<'a>(what: &str, name: &str, there: impl Iterator<Item = &'a &'static str>) -> Diagnostics {
    let there: Vec<_> = there.copied().collect();
    let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Diagnostic::error(
        "Unknown type",
        format!(
            "This version of the provider has no {what} {name:?}. It has: {there}. If a newer version is required, \
             upgrade with `tofu init -upgrade` or `terraform init -upgrade`."
        ),
    )
    .into()
}

/// A resource, data source or list resource, with its schema.
pub(super) struct Offered<E: ?Sized> {
    pub(super) erased: Arc<E>,
    describe: fn(&E) -> Schema,
    described: OnceLock<Described>,
}

/// A data source.
pub(super) type DataSource<D> = Offered<dyn ErasedDataSource<D>>;

/// A list resource; the schema is that of its arguments.
pub(super) type ListResource<D> = Offered<dyn ErasedListResource<D>>;

impl<E: ?Sized> Offered<E> {
    fn new(erased: Arc<E>, describe: fn(&E) -> Schema) -> Self {
        Self { erased, describe, described: OnceLock::new() }
    }

    fn described(&self) -> &Described {
        self.described.get_or_init(|| Described::new((self.describe)(&self.erased)))
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.described().schema
    }

    pub(super) fn ty(&self) -> &Type {
        &self.described().ty
    }
}

/// A resource, with the schema of its identity.
pub(super) struct Resource<D> {
    offered: Offered<dyn ErasedResource<D>>,
    identity: OnceLock<Option<Identity>>,
}

impl<D> Deref for Resource<D> {
    type Target = Offered<dyn ErasedResource<D>>;

    fn deref(&self) -> &Self::Target {
        &self.offered
    }
}

/// A schema and its type.
struct Described {
    schema: Schema,
    ty: Type,
}

impl Described {
    fn new(schema: Schema) -> Self {
        Self { ty: schema.ty(), schema }
    }
}

/// The schema of an identity and its type.
pub(super) struct Identity {
    pub(super) schema: IdentitySchema,
    pub(super) ty: Type,
}

impl<D> Resource<D> {
    fn new(erased: Arc<dyn ErasedResource<D>>) -> Self {
        Self { offered: Offered::new(erased, |it| it.schema()), identity: OnceLock::new() }
    }

    /// Returns `None` for a resource without identity.
    pub(super) fn identity(&self) -> Option<&Identity> {
        let identity = || {
            let schema = self.erased.identity_schema()?;
            Some(Identity { ty: convert::identity::ty(&schema.attributes), schema })
        };
        self.identity.get_or_init(identity).as_ref()
    }

    /// Returns an error for each attribute of an identity that changed. Core does not check this, and another identity
    /// means another object, so that release builds check it too.
    pub(super) fn changed_identity(&self, rpc: &str, before: &Raw, after: &Raw) -> Diagnostics {
        bugs(rpc, self.erased.type_name(), check_identity(before, after))
    }

    /// Decodes an identity. It is null if the message has none, or the resource has no identity.
    pub(super) fn read_identity(&self, data: Option<&ResourceIdentityData>) -> Result<Raw, Diagnostics> {
        self.identity().map_or(Ok(Raw::Null), |identity| convert::dynamic_value::identity(data, &identity.ty))
    }

    /// Encodes an identity; `None` for null.
    pub(super) fn write_identity(&self, identity: &Raw) -> Result<Option<ResourceIdentityData>, Diagnostics> {
        self.identity().map_or(Ok(None), |schema| convert::dynamic_value::identity_data(identity, &schema.ty))
    }
}

/// Returns the types of the parameters for this number of arguments. The variadic parameter is repeated.
pub(super) fn parameter_types(definition: &Definition, arguments: usize) -> Vec<Type> {
    let rest = definition.variadic.iter().cycle();
    definition.parameters.iter().chain(rest).take(arguments).map(|parameter| parameter.ty.clone()).collect()
}
