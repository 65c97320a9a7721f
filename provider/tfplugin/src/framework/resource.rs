//! Managed resources: create, read, update, delete, import.
//!
//! A resource's operations do not return state, they *record* it as they go ([`Create::record`]): as soon as something
//! exists, before anything is waited for. When an operation then fails or is stopped, what was recorded last is what
//! Terraform keeps, so nothing that was made is ever forgotten.

mod erased;

use serde_json::Value as Json;

pub use self::erased::{Applied, ErasedResource, Imported, Planned, ReadBack, Resources};
use super::context::Context;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::plan::Plan;
use super::private_state::Private;
use super::schema::Object;

/// A managed resource, typed.
///
/// A failing operation returns diagnostics; what it left behind is what it recorded.
pub trait Resource: Send + Sync + 'static {
    /// What the provider made of its configuration.
    type Data: Send + Sync + 'static;
    /// Its attributes.
    type Model: Object;
    /// What it keeps beside its state; `()` for nothing.
    type Private: Private;
    /// What identifies it; [`NoIdentity`](super::identity::NoIdentity) for nothing beside its id.
    type Identity: Object;
    /// Its type name with the provider's prefix.
    const TYPE_NAME: &'static str;
    /// Version of its schema.
    const VERSION: i64 = 0;
    /// Version of the schema of its identity.
    const IDENTITY_VERSION: i64 = 0;
    /// Whether an update may make another identity of it. Otherwise a change of the identity is an error.
    const IDENTITY_MAY_CHANGE: bool = false;
    /// What it is, in Markdown.
    const DESCRIPTION: &'static str;

    /// Checks a configuration. Values may be unknown; nothing is contacted.
    fn validate(&self, config: &Self::Model, diagnostics: &mut Diagnostics);

    /// Adds to the plan what the schema does not know. Called also when nothing changed.
    ///
    /// # Errors
    /// Why there can be no plan.
    fn plan(
        &self,
        context: &Context<Self::Data>,
        plan: &mut Plan<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send {
        let _ = (context, plan);
        async { Ok(()) }
    }

    /// What is to be said before it is destroyed.
    ///
    /// # Errors
    /// Why it cannot be destroyed.
    fn plan_delete(
        &self,
        context: &Context<Self::Data>,
        prior: &Self::Model,
    ) -> impl Future<Output = Result<Diagnostics, Diagnostics>> + Send {
        let _ = (context, prior);
        async { Ok(Diagnostics::new()) }
    }

    /// Makes it.
    ///
    /// # Errors
    /// Why it failed. What was recorded stays in the state, tainted.
    fn create(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Create<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Reads it back.
    ///
    /// # Errors
    /// Why it could not be read. A resource that is gone is no error: see [`Read::gone`].
    fn read(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Read<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Changes it in place.
    ///
    /// # Errors
    /// Why it failed. What was recorded, or else the prior state, stays.
    fn update(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Update<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Removes it. Something that is gone already is a success.
    ///
    /// # Errors
    /// Why it failed. What was recorded, or else the prior state, stays.
    fn delete(
        &self,
        context: &Context<Self::Data>,
        operation: &mut Delete<Self::Model, Self::Private>,
    ) -> impl Future<Output = Result<(), Diagnostics>> + Send;

    /// Turns an import id or an identity into as much state as the read that follows needs.
    ///
    /// # Errors
    /// What is wrong with the id, and how it should look.
    fn import(
        &self,
        context: &Context<Self::Data>,
        from: Import<Self::Identity>,
    ) -> impl Future<Output = Result<Self::Model, Diagnostics>> + Send;

    /// The identity of what is in the state, and of what is kept beside it; `None` while it is not known.
    fn identity(
        &self,
        context: &Context<Self::Data>,
        state: &Self::Model,
        private: &Self::Private,
    ) -> Option<Self::Identity> {
        let _ = (context, state, private);
        None
    }

    /// What of imported state belongs into a configuration that is generated for it: a resource takes out what cannot stand
    /// beside other attributes, or what only repeats a choice of the API's. What is computed, what is by default and what is
    /// write-only is taken out afterwards.
    fn configuration(&self, state: Self::Model) -> Self::Model {
        state
    }

    /// Brings state of an older schema version to today's shape.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn upgrade(&self, version: i64, state: Json) -> Result<Json, Diagnostics> {
        let _ = version;
        Ok(state)
    }

    /// Brings an identity of an older version to today's shape.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn upgrade_identity(&self, version: i64, identity: Json) -> Result<Json, Diagnostics> {
        let _ = version;
        Ok(identity)
    }
}

/// A create under way.
#[derive(Debug)]
pub struct Create<M, P = ()> {
    /// What was planned, with unknown values where only the result tells.
    pub planned: M,
    /// What the user wrote, write-only values included.
    pub config: M,
    /// Kept beside the state.
    pub private: P,
    /// Warnings.
    pub diagnostics: Diagnostics,
    state: Option<M>,
}

impl<M, P> Create<M, P> {
    pub(crate) fn new(planned: M, config: M, private: P) -> Self {
        Self { planned, config, private, diagnostics: Diagnostics::new(), state: None }
    }

    /// What exists now, or may exist because a request for it is under way. Unknown values are stored as null if the
    /// operation ends here.
    pub fn record(&mut self, state: M) {
        self.state = Some(state);
    }

    /// What was recorded last.
    pub fn recorded(&self) -> Option<&M> {
        self.state.as_ref()
    }

    /// Takes back what was recorded: it is certain that nothing exists.
    pub fn nothing_was_made(&mut self) {
        self.state = None;
    }

    pub(crate) fn into_parts(self) -> (Option<M>, P, Diagnostics) {
        (self.state, self.private, self.diagnostics)
    }
}

/// A read under way.
#[derive(Debug)]
pub struct Read<M, P = ()> {
    /// The state as it was; change it to what is found.
    pub state: M,
    /// Kept beside the state.
    pub private: P,
    /// Whether this read completes an import: attributes that are otherwise left to the user are then filled in.
    pub importing: bool,
    /// Warnings.
    pub diagnostics: Diagnostics,
    gone: bool,
}

impl<M, P> Read<M, P> {
    pub(crate) fn new(state: M, private: P, importing: bool) -> Self {
        Self { state, private, importing, diagnostics: Diagnostics::new(), gone: false }
    }

    /// It does not exist any more.
    pub fn gone(&mut self) {
        self.gone = true;
    }

    /// Whether that was said.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    pub(crate) fn into_parts(self) -> (Option<M>, P, Diagnostics) {
        ((!self.gone).then_some(self.state), self.private, self.diagnostics)
    }
}

/// An update under way.
#[derive(Debug)]
pub struct Update<M, P = ()> {
    /// What was there.
    pub prior: M,
    /// What was planned.
    pub planned: M,
    /// What the user wrote, write-only values included.
    pub config: M,
    /// Kept beside the state.
    pub private: P,
    /// Warnings.
    pub diagnostics: Diagnostics,
    state: Option<M>,
}

impl<M: Clone, P> Update<M, P> {
    pub(crate) fn new(prior: M, planned: M, config: M, private: P) -> Self {
        Self { prior, planned, config, private, diagnostics: Diagnostics::new(), state: None }
    }

    /// What is true now.
    pub fn record(&mut self, state: M) {
        self.state = Some(state);
    }

    pub(crate) fn into_parts(self) -> (M, P, Diagnostics) {
        (self.state.unwrap_or(self.prior), self.private, self.diagnostics)
    }
}

/// A delete under way.
#[derive(Debug)]
pub struct Delete<M, P = ()> {
    /// What is there; change it to what is left if the delete fails half way.
    pub state: M,
    /// Kept beside the state.
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

/// What an import starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Import<I> {
    /// The id given to `tofu import` or in an import block.
    Id(String),
    /// The identity given in an import block.
    Identity(I),
}
