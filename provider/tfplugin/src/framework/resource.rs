//! Managed resources: create, read, update, delete, import.
//!
//! The operations of a resource do not return state: they *record* it ([`Create::record`]) as soon as an object exists,
//! before they wait for anything. If an operation then fails or is interrupted, Terraform stores the state that was
//! recorded last, so that no created object is lost.

mod erased;

use serde_json::Value as Json;

pub use self::erased::{Applied, ErasedResource, Imported, Planned, ReadBack, Resources};
use super::context::Context;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::plan::Plan;
use super::private_state::Private;
use super::schema::Object;

/// A managed resource with its Rust types.
///
/// An operation that fails returns diagnostics, and the recorded state is stored.
pub trait Resource: Send + Sync + 'static {
    /// The [`Data`](super::Provider::Data) of the provider.
    type Data: Send + Sync + 'static;
    /// Its attributes.
    type Model: Object;
    /// Its private state; `()` if it has none.
    type Private: Private;
    /// Its identity; [`NoIdentity`](super::identity::NoIdentity) if it has none beside its ID.
    type Identity: Object;
    /// Its type name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// Version of its schema.
    const VERSION: i64 = 0;
    /// Version of the schema of its identity.
    const IDENTITY_VERSION: i64 = 0;
    /// Whether an update may change its identity. Otherwise a change of the identity is an error.
    const IDENTITY_MAY_CHANGE: bool = false;
    /// Its description in Markdown.
    const DESCRIPTION: &'static str;

    /// Checks a configuration. Values may be unknown. No API is called.
    fn validate(&self, config: &Self::Model, diagnostics: &mut Diagnostics);

    /// Refines the plan beyond the schema. It is called even if nothing changed.
    ///
    /// # Errors
    /// If there can be no plan.
    fn plan(
        &self,
        context: &Context<Self::Data>,
        plan: &mut Plan<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (context, plan);
        async { Ok(()) }
    }

    /// Plans a destroy. Returns warnings about it.
    ///
    /// # Errors
    /// If the object cannot be destroyed.
    fn plan_delete(
        &self,
        context: &Context<Self::Data>,
        prior: &Self::Model,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send {
        let _ = (context, prior);
        async { Ok(Diagnostics::new()) }
    }

    /// Creates the object.
    ///
    /// # Errors
    /// If the create fails. The recorded state is stored, tainted.
    fn create(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Create<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Reads the object.
    ///
    /// # Errors
    /// If the object cannot be read. An object that no longer exists is not an error: see [`Read::gone`].
    fn read(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Read<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Updates the object in place.
    ///
    /// # Errors
    /// If the update fails. The recorded state, or else the prior one, is stored.
    fn update(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Update<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Deletes the object. An object that no longer exists is a success.
    ///
    /// # Errors
    /// If the delete fails. [`Delete::state`] is stored.
    fn delete(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Delete<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Converts an import ID or an identity into as much state as the read after it needs.
    ///
    /// # Errors
    /// If the ID is invalid. The diagnostic describes a valid one.
    fn import(
        &self,
        context: &Context<Self::Data>,
        from: Import<Self::Identity>,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// The identity of the object with this state and private state; `None` if it is not known yet.
    fn identity(
        &self,
        context: &Context<Self::Data>,
        state: &Self::Model,
        private: &Self::Private,
    ) -> Option<Self::Identity> {
        let _ = (context, state, private);
        None
    }

    /// Returns the part of imported state that belongs in its generated configuration. A resource removes attributes
    /// that conflict with others, or only repeat a choice of the API. Computed, write-only, deprecated and default
    /// values are removed afterwards.
    fn configuration(&self, state: Self::Model) -> Self::Model {
        state
    }

    /// Upgrades state of an older version to the current schema.
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        let _ = version;
        Ok(state)
    }

    /// Upgrades an identity of an older version to the current schema.
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade_identity(&self, version: i64, identity: Json) -> Result<Json, Diagnostics> {
        let _ = version;
        Ok(identity)
    }
}

/// A create in progress.
#[derive(Debug)]
pub struct Create<M, P = ()> {
    /// Planned state. Values that follow only from the result are unknown.
    pub planned: M,
    /// Configuration, including write-only values.
    pub config: M,
    /// Private state.
    pub private: P,
    /// Warnings.
    pub diagnostics: Diagnostics,
    state: Option<M>,
}

impl<M, P> Create<M, P> {
    pub(crate) fn new(planned: M, config: M, private: P) -> Self {
        Self { planned, config, private, diagnostics: Diagnostics::new(), state: None }
    }

    /// Records the state of an object that exists, or may exist because a request for it is in progress. If the
    /// operation fails afterwards, unknown values are stored as null.
    pub fn record(&mut self, state: M) {
        self.state = Some(state);
    }

    /// The state that was recorded last.
    pub fn recorded(&self) -> Option<&M> {
        self.state.as_ref()
    }

    /// Discards the recorded state, because it is certain that nothing exists.
    pub fn nothing_was_made(&mut self) {
        self.state = None;
    }

    pub(crate) fn into_parts(self) -> (Option<M>, P, Diagnostics) {
        (self.state, self.private, self.diagnostics)
    }
}

/// A read in progress.
#[derive(Debug)]
pub struct Read<M, P = ()> {
    /// The prior state, which the operation changes to the observed one.
    pub state: M,
    /// Private state.
    pub private: P,
    /// Whether this read completes an import. It then also sets attributes that otherwise only the configuration sets.
    pub importing: bool,
    /// Warnings.
    pub diagnostics: Diagnostics,
    gone: bool,
}

impl<M, P> Read<M, P> {
    pub(crate) fn new(state: M, private: P, importing: bool) -> Self {
        Self { state, private, importing, diagnostics: Diagnostics::new(), gone: false }
    }

    /// Reports that the object no longer exists.
    pub fn gone(&mut self) {
        self.gone = true;
    }

    /// Whether [`Read::gone`] was called.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn into_parts(self) -> (Option<M>, P, Diagnostics) {
        ((!self.gone).then_some(self.state), self.private, self.diagnostics)
    }
}

/// An update in progress.
#[derive(Debug)]
pub struct Update<M, P = ()> {
    /// Prior state.
    pub prior: M,
    /// Planned state.
    pub planned: M,
    /// Configuration, including write-only values.
    pub config: M,
    /// Private state.
    pub private: P,
    /// Warnings.
    pub diagnostics: Diagnostics,
    state: Option<M>,
}

impl<M: Clone, P> Update<M, P> {
    pub(crate) fn new(prior: M, planned: M, config: M, private: P) -> Self {
        Self { prior, planned, config, private, diagnostics: Diagnostics::new(), state: None }
    }

    /// Records the current state.
    pub fn record(&mut self, state: M) {
        self.state = Some(state);
    }

    pub(crate) fn into_parts(self) -> (M, P, Diagnostics) {
        (self.state.unwrap_or(self.prior), self.private, self.diagnostics)
    }
}

/// A delete in progress.
#[derive(Debug)]
pub struct Delete<M, P = ()> {
    /// The prior state, which the operation changes to what remains if it fails halfway.
    pub state: M,
    /// Private state.
    pub private: P,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<M, P> Delete<M, P> {
    pub(crate) fn new(state: M, private: P) -> Self {
        Self { state, private, diagnostics: Diagnostics::new() }
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Diagnostic) {
        self.diagnostics.push(warning);
    }
}

/// The source of an import.
#[derive(Clone, Debug, PartialEq)]
pub enum Import<I> {
    /// The ID of `tofu import` or of an import block.
    Id(String),
    /// The identity of an import block.
    Identity(I),
}
