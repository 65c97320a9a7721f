//! Resources without their Rust types, as the protocol uses them.

use futures::future::BoxFuture;
use serde_json::Value as Json;

use super::{Create, Delete, Import, Read, Resource, Update};
use crate::framework::context::Context;
use crate::framework::diagnostics::{Diagnostic, Diagnostics};
use crate::framework::identity::{self, IdentitySchema};
use crate::framework::plan::{self, Plan};
use crate::framework::private_state::PrivateState;
use crate::framework::schema::{Object, Schema};
use crate::framework::value::Raw;
use crate::framework::{attribute_path::AttributePath, configuration, generated, panic, state_upgrade};

/// The result of a plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Planned {
    /// Planned state.
    pub state: Raw,
    /// Paths that force a replacement.
    pub replace: Vec<AttributePath>,
    /// Private state for the apply.
    pub private: PrivateState,
    /// The identity, if it is known.
    pub identity: Option<Raw>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The result of an apply.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Applied {
    /// Current state.
    pub state: Raw,
    /// Private state.
    pub private: PrivateState,
    /// The identity, if it is known.
    pub identity: Option<Raw>,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

/// The result of a read. A null state means that the object no longer exists.
pub type ReadBack = Applied;

/// The result of an import.
pub type Imported = Applied;

/// All resources of a provider.
pub type Resources<D> = Vec<std::sync::Arc<dyn ErasedResource<D>>>;

/// A resource without its Rust types.
pub trait ErasedResource<D>: Send + Sync {
    /// Its type name.
    fn type_name(&self) -> &'static str;
    /// Its schema.
    fn schema(&self) -> Schema;
    /// The schema of its identity.
    fn identity_schema(&self) -> Option<IdentitySchema>;
    /// Whether an update may change its identity.
    fn identity_may_change(&self) -> bool;
    /// Checks a configuration.
    fn validate(&self, config: Raw) -> Diagnostics;
    /// Upgrades state of any version to the current schema.
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade(&self, version: i64, state: Json) -> Result<Raw, Diagnostics>;
    /// Upgrades an identity of any version to the current schema.
    ///
    /// # Errors
    /// If it cannot be read.
    fn upgrade_identity(&self, version: i64, identity: Json) -> Result<Json, Diagnostics>;
    /// Plans a change, which is a destroy if `proposed` is null.
    fn plan<'a>(
        &'a self,
        context: &'a Context<D>,
        prior: Raw,
        config: Raw,
        proposed: Raw,
        private: PrivateState,
    ) -> BoxFuture<'a, Planned>;
    /// Applies a change: create, update or, if `planned` is null, delete.
    fn apply<'a>(
        &'a self,
        context: &'a Context<D>,
        prior: Raw,
        config: Raw,
        planned: Raw,
        private: PrivateState,
    ) -> BoxFuture<'a, Applied>;
    /// Reads the object.
    fn read<'a>(&'a self, context: &'a Context<D>, state: Raw, private: PrivateState) -> BoxFuture<'a, ReadBack>;
    /// Generates the configuration of imported state.
    ///
    /// # Errors
    /// If the state does not have the type of the schema.
    fn configuration(&self, state: Raw) -> Result<Raw, Diagnostics>;
    /// Imports by ID, or by an untyped identity.
    fn import<'a>(&'a self, context: &'a Context<D>, from: Import<Raw>) -> BoxFuture<'a, Imported>;
}

impl<R: Resource> ErasedResource<R::Data> for R {
    fn type_name(&self) -> &'static str {
        R::TYPE_NAME
    }

    fn schema(&self) -> Schema {
        Schema::of::<R::Model>(R::VERSION, R::DESCRIPTION)
    }

    fn identity_schema(&self) -> Option<IdentitySchema> {
        identity::schema::<R::Identity>(R::IDENTITY_VERSION)
    }

    fn identity_may_change(&self) -> bool {
        R::IDENTITY_MAY_CHANGE
    }

    fn validate(&self, config: Raw) -> Diagnostics {
        let mut diagnostics = Diagnostics::new();
        if let Some(config) = configuration::read::<R::Model>(config, &mut diagnostics) {
            Resource::validate(self, &config, &mut diagnostics);
        }
        diagnostics
    }

    fn upgrade(&self, version: i64, state: Json) -> Result<Raw, Diagnostics> {
        // With equal versions core has already removed the attributes that the schema does not have.
        let state = if version < R::VERSION { Resource::upgrade(self, version, state)? } else { state };
        let schema = ErasedResource::<R::Data>::schema(self);
        // Old state can have values of attributes that are write-only now, which core refuses.
        state_upgrade::from_json(&schema, &state).map(|raw| plan::without_write_only(&schema.attributes, raw))
    }

    fn upgrade_identity(&self, version: i64, identity: Json) -> Result<Json, Diagnostics> {
        if version < R::IDENTITY_VERSION { Resource::upgrade_identity(self, version, identity) } else { Ok(identity) }
    }

    fn plan<'a>(
        &'a self,
        context: &'a Context<R::Data>,
        prior: Raw,
        config: Raw,
        proposed: Raw,
        private: PrivateState,
    ) -> BoxFuture<'a, Planned> {
        Box::pin(async move {
            let failed = |diagnostics: Diagnostics, private| Planned { diagnostics, private, ..Planned::default() };
            if proposed.is_null() {
                // A destroy that cannot read its private state fails in the plan already, and not only in the apply.
                let planned = match private.read::<R::Private>() {
                    Ok(_) => plan_delete(self, context, prior).await,
                    Err(unreadable) => Err(unreadable),
                };
                return match planned {
                    Ok(diagnostics) | Err(diagnostics) => failed(diagnostics, private),
                };
            }
            match plan_change(self, context, prior, config, proposed, &private).await {
                Ok(planned) => planned,
                Err(diagnostics) => failed(diagnostics, private),
            }
        })
    }

    fn apply<'a>(
        &'a self,
        context: &'a Context<R::Data>,
        prior: Raw,
        config: Raw,
        planned: Raw,
        private: PrivateState,
    ) -> BoxFuture<'a, Applied> {
        Box::pin(async move {
            let untouched = prior.clone();
            let result = match private.read::<R::Private>() {
                Err(unreadable) => Err(unreadable),
                Ok(private) if planned.is_null() => delete(self, context, prior, private).await,
                Ok(private) if prior.is_null() => create(self, context, config, planned, private).await,
                Ok(private) => update(self, context, prior, config, planned, private).await,
            };
            result.unwrap_or_else(|diagnostics| Applied { state: untouched, private, identity: None, diagnostics })
        })
    }

    fn read<'a>(&'a self, context: &'a Context<R::Data>, state: Raw, private: PrivateState) -> BoxFuture<'a, ReadBack> {
        Box::pin(async move {
            let unread =
                |diagnostics| Applied { state: state.clone(), private: private.clone(), identity: None, diagnostics };
            let model = match R::Model::from_raw(state.clone()) {
                Ok(Some(model)) => model,
                Ok(None) => return Applied::default(),
                Err(mismatch) => return unread(mismatch.into()),
            };
            let (content, importing) = match private.read_imported::<R::Private>() {
                Ok(read) => read,
                Err(unreadable) => return unread(unreadable),
            };
            let mut operation = Read::new(model, content, importing);
            // Returns the state before the read, because a partial state would be planned as drift.
            if let Err(mut errors) = Resource::read(self, context, &mut operation).await {
                errors.extend(operation.diagnostics);
                return unread(errors);
            }
            let (model, private, diagnostics) = operation.into_parts();
            stored(self, context, model, private, diagnostics).await
        })
    }

    fn configuration(&self, state: Raw) -> Result<Raw, Diagnostics> {
        let Some(state) = R::Model::from_raw(state)? else { return Ok(Raw::Null) };
        let configuration = Resource::configuration(self, state).into_raw();
        Ok(generated::written(&R::Model::attributes(), configuration))
    }

    fn import<'a>(&'a self, context: &'a Context<R::Data>, from: Import<Raw>) -> BoxFuture<'a, Imported> {
        Box::pin(async move {
            let from = match from {
                Import::Id(id) => Import::Id(id),
                Import::Identity(raw) => match R::Identity::from_raw(raw) {
                    Ok(Some(identity)) => Import::Identity(identity),
                    Ok(None) => return Applied { diagnostics: no_identity().into(), ..Applied::default() },
                    Err(mismatch) => return Applied { diagnostics: mismatch.into(), ..Applied::default() },
                },
            };
            match Resource::import(self, context, from).await {
                Ok(model) => {
                    let imported = stored(self, context, Some(model), R::Private::default(), Diagnostics::new()).await;
                    // Core calls ReadResource next, which recognises the import by this private state.
                    Applied { private: PrivateState::imported::<R::Private>(), ..imported }
                }
                Err(diagnostics) => Applied { diagnostics, ..Applied::default() },
            }
        })
    }
}

async fn plan_delete<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    prior: Raw,
) -> Result<Diagnostics, Diagnostics> {
    match R::Model::from_raw(prior)? {
        Some(prior) => Resource::plan_delete(resource, context, &prior).await,
        None => Ok(Diagnostics::new()),
    }
}

async fn plan_change<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    prior: Raw,
    config: Raw,
    proposed: Raw,
    private: &PrivateState,
) -> Result<Planned, Diagnostics> {
    let schema = Schema::of::<R::Model>(R::VERSION, "");
    let (planned, changed) = plan::propose(&schema, &prior, &config, &proposed);
    let typed = |raw: &Raw| R::Model::from_raw(raw.clone());
    let missing = || {
        Diagnostics::from(Diagnostic::error(
            "Nothing to plan",
            "The host sent no configuration. This is a bug of the host: please report it.",
        ))
    };
    let mut hook = Plan::new(
        typed(&prior)?,
        typed(&config)?.ok_or_else(missing)?,
        typed(&planned)?.ok_or_else(missing)?,
        private.read()?,
        changed,
    );
    if let Err(mut errors) = Resource::plan(resource, context, &mut hook).await {
        errors.extend(hook.diagnostics);
        return Err(errors);
    }
    let mut replace = hook.take_replace();
    let Plan { planned, private, diagnostics, .. } = hook;
    let identity = Resource::identity(resource, context, &planned, &private).map(Object::into_raw);
    let identity = identity.filter(Raw::is_wholly_known);
    let state = plan::without_write_only(&schema.attributes, planned.into_raw());
    replace.extend(plan::replacements(&schema, &prior, &config, &state));
    // Two plans of one change must be equal, whatever the order in which hooks add paths.
    replace.sort();
    replace.dedup();
    Ok(Planned { state, replace, private: PrivateState::of(&private), identity, diagnostics })
}

async fn create<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    config: Raw,
    planned: Raw,
    private: R::Private,
) -> Result<Applied, Diagnostics> {
    let Some(planned) = R::Model::from_raw(planned)? else { return Ok(Applied::default()) };
    let config = R::Model::from_raw(config)?.unwrap_or_else(|| planned.clone());
    let mut operation = Create::new(planned, config, private);
    let result = caught::<R>("create", Resource::create(resource, context, &mut operation)).await;
    let (model, private, mut diagnostics) = operation.into_parts();
    diagnostics.extend(result.err().into_iter().flatten());
    Ok(stored(resource, context, model, private, diagnostics).await)
}

async fn update<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    prior: Raw,
    config: Raw,
    planned: Raw,
    private: R::Private,
) -> Result<Applied, Diagnostics> {
    let (Some(prior), Some(planned)) = (R::Model::from_raw(prior)?, R::Model::from_raw(planned)?) else {
        return Ok(Applied::default());
    };
    let config = R::Model::from_raw(config)?.unwrap_or_else(|| planned.clone());
    let mut operation = Update::new(prior, planned, config, private);
    let result = caught::<R>("update", Resource::update(resource, context, &mut operation)).await;
    let (model, private, mut diagnostics) = operation.into_parts();
    diagnostics.extend(result.err().into_iter().flatten());
    Ok(stored(resource, context, Some(model), private, diagnostics).await)
}

async fn delete<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    prior: Raw,
    private: R::Private,
) -> Result<Applied, Diagnostics> {
    let Some(prior) = R::Model::from_raw(prior)? else { return Ok(Applied::default()) };
    let mut operation = Delete::new(prior, private);
    let result = caught::<R>("destroy", Resource::delete(resource, context, &mut operation)).await;
    let Delete { state, private, mut diagnostics } = operation;
    let Err(errors) = result else { return Ok(Applied { diagnostics, ..Applied::default() }) };
    diagnostics.extend(errors);
    Ok(stored(resource, context, Some(state), private, diagnostics).await)
}

/// Runs an operation, and converts a panic into an error: as after any failure, the recorded state is kept.
async fn caught<R: Resource>(
    operation: &'static str,
    work: impl Future<Output = Result<(), Diagnostics>>,
) -> Result<(), Diagnostics> {
    let during = || format!("the {operation} of {}", R::TYPE_NAME);
    panic::caught(work).await.unwrap_or_else(|panic| Err(panic.diagnostic(&during()).into()))
}

/// Builds the state to store. Write-only values are removed. Unknown values become null after an error; otherwise they
/// remain, so that they are reported as a bug.
async fn stored<R: Resource>(
    resource: &R,
    context: &Context<R::Data>,
    model: Option<R::Model>,
    private: R::Private,
    mut diagnostics: Diagnostics,
) -> Applied {
    let Some(model) = model else { return Applied { diagnostics, ..Applied::default() } };
    // The operation is done: a panic here must not discard its state.
    let identity = async { Resource::identity(resource, context, &model, &private) };
    let identity = panic::caught(identity).await.unwrap_or_else(|panic| {
        diagnostics.push(panic.diagnostic(&format!("the identification of {}", R::TYPE_NAME)));
        None
    });
    let identity = identity.map(Object::into_raw).filter(Raw::is_wholly_known);
    let mut state = plan::without_write_only(&R::Model::attributes(), model.into_raw());
    if diagnostics.has_errors() {
        state = state.without_unknown();
    }
    Applied { state, private: PrivateState::of(&private), identity, diagnostics }
}

fn no_identity() -> Diagnostic {
    Diagnostic::error(
        "No identity given",
        "The identity in the import block has no attributes. Set the attributes that the documentation of the resource \
         lists.",
    )
}
