//! List resources: lists of the existing objects of a managed resource, for `terraform query`.
//!
//! A list resource returns identities and names. If the host requests the state of an object, it is imported by its
//! identity and then read, so that listed and imported objects never differ.

use futures::future::BoxFuture;

use super::configuration;
use super::context::Context;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::resource::{ErasedResource, Import, Resource};
use super::schema::{Object, Schema};
use super::value::Raw;

/// A managed resource whose objects can be listed.
pub trait ListResource: Resource {
    /// The arguments of the `config` block.
    type Filter: Object;
    /// Its description in Markdown.
    const LIST_DESCRIPTION: &'static str;

    /// Checks the arguments. Values may be unknown. No API is called.
    fn validate_filter(&self, filter: &Self::Filter, diagnostics: &mut Diagnostics) {
        let _ = (filter, diagnostics);
    }

    /// Lists the objects that match, until [`Found::is_full`].
    ///
    /// # Errors
    /// If the objects cannot be listed.
    fn list(
        &self,
        context: &Context<Self::Data>,
        filter: Self::Filter,
        found: &mut Found<Self::Identity>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;
}

/// The objects that a list has found so far.
#[derive(Debug)]
pub struct Found<I> {
    /// Warnings.
    pub diagnostics: Diagnostics,
    limit: usize,
    objects: Vec<(I, String)>,
}

impl<I> Found<I> {
    /// An empty list of at most `limit` objects.
    pub fn new(limit: usize) -> Self {
        Self { diagnostics: Diagnostics::new(), limit, objects: Vec::new() }
    }

    /// Adds an object with its display name, unless the list is full.
    pub fn add(&mut self, identity: I, display_name: impl Into<String>) {
        if !self.is_full() {
            self.objects.push((identity, display_name.into()));
        }
    }

    /// Whether the list has as many objects as the host requested.
    pub fn is_full(&self) -> bool {
        self.objects.len() >= self.limit
    }

    /// The objects with their display names.
    pub fn into_objects(self) -> Vec<(I, String)> {
        self.objects
    }
}

/// A listed object.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its identity.
    pub identity: Raw,
    /// Its display name.
    pub display_name: String,
}

/// The state of a listed object; null if it no longer exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedState {
    /// The state.
    pub state: Raw,
    /// The complete identity, if it is known.
    pub identity: Option<Raw>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// A list resource without its Rust types, as the protocol uses it.
pub trait ErasedListResource<D>: Send + Sync {
    /// Its type name, which is that of the managed resource.
    fn type_name(&self) -> &'static str;
    /// The schema of its arguments.
    fn schema(&self) -> Schema;
    /// Checks arguments.
    fn validate(&self, filter: Raw) -> Diagnostics;
    /// Lists at most `limit` objects, with errors and warnings.
    fn list<'a>(
        &'a self,
        context: &'a Context<D>,
        filter: Raw,
        limit: usize,
    ) -> BoxFuture<'a, (Vec<Listed>, Diagnostics)>;
    /// Imports and reads a listed object.
    fn state<'a>(&'a self, context: &'a Context<D>, identity: Raw) -> BoxFuture<'a, ListedState>;
}

impl<R: ListResource> ErasedListResource<R::Data> for R {
    fn type_name(&self) -> &'static str {
        R::TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema::of::<R::Filter>(0, R::LIST_DESCRIPTION)
    }

    fn validate(&self, filter: Raw) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(filter) = configuration::read::<R::Filter>(filter, &mut diagnostics) {
            self.validate_filter(&filter, &mut diagnostics);
        }
        diagnostics
    }

    fn list<'a>(
        &'a self,
        context: &'a Context<R::Data>,
        filter: Raw,
        limit: usize,
    ) -> BoxFuture<'a, (Vec<Listed>, Diagnostics)> {
        Box::pin(async move {
            let filter = match R::Filter::from_raw(filter) {
                Ok(Some(filter)) => filter,
                Ok(None) => return (Vec::new(), no_arguments().into()),
                Err(mismatch) => return (Vec::new(), mismatch.into()),
            };
            let mut found = Found::new(limit);
            let listed = ListResource::list(self, context, filter, &mut found).await;
            let mut diagnostics = std::mem::take(&mut found.diagnostics);
            diagnostics.extend(listed.err().into_iter().flatten());
            let listed = |(identity, display_name): (R::Identity, String)| Listed {
                identity: identity.into_raw(),
                display_name,
            };
            (found.into_objects().into_iter().map(listed).collect(), diagnostics)
        })
    }

    fn state<'a>(&'a self, context: &'a Context<R::Data>, identity: Raw) -> BoxFuture<'a, ListedState> {
        Box::pin(async move {
            let imported = ErasedResource::import(self, context, Import::Identity(identity)).await;
            if imported.diagnostics.has_errors() {
                return ListedState { diagnostics: imported.diagnostics, ..ListedState::default() };
            }
            let read = ErasedResource::read(self, context, imported.state, imported.private).await;
            if read.diagnostics.has_errors() {
                return ListedState { diagnostics: read.diagnostics, ..ListedState::default() };
            }
            let identity = read.identity.or(imported.identity);
            ListedState { state: read.state, identity, diagnostics: read.diagnostics }
        })
    }
}

fn no_arguments() -> Diagnostic {
    Diagnostic::error("Nothing to list", "The host sent no arguments. This is a bug of the host: please report it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_bounded_by_the_limit_of_the_host() {
        let mut found = Found::new(1);
        found.add(1, "a");
        assert!(found.is_full());
        found.add(2, "b");
        assert_eq!(found.into_objects(), [(1, "a".to_owned())]);
        assert!(Found::<()>::new(0).is_full());
    }
}
