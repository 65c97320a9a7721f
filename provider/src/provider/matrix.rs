//! Plans every resource with configurations of every kind: null, unknown, empty, partly known, and unknown with
//! refinements. The rules of Terraform apply to each plan, to the later plan with known values, and to updates to such
//! a configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use gitlabspot_clients::scripted::Script;
use tfplugin::framework::clock::testing::TestClock;
use tfplugin::framework::conformance::{Violation, check_final_plan, check_plan};
use tfplugin::framework::resource::{ErasedResource, Planned};
use tfplugin::framework::schema::{Attribute, Kind, Mode, Nesting, Schema};
use tfplugin::framework::value::{DynamicRaw, Refinement};
use tfplugin::framework::{AttributePath, Context, Host, PrivateState, Raw, Type};
use tokio_util::sync::CancellationToken;

use super::registry;
use crate::configured::Data;
use crate::provider_tags::ProviderTags;
use crate::reservations::Reservations;
use crate::testing::proposed;

/// A known value.
fn sample(ty: &Type, number: i64) -> Raw {
    match ty {
        Type::String => Raw::String(format!("a{number}")),
        Type::Secret => Raw::Secret(format!("a{number}").into()),
        Type::Number => number.into(),
        Type::Bool => true.into(),
        Type::Dynamic => Raw::Dynamic(Box::new(DynamicRaw { ty: Type::String, value: sample(&Type::String, number) })),
        Type::List(element) => Raw::List(vec![sample(element, number)]),
        Type::Set(element) => Raw::set(vec![sample(element, number)]),
        Type::Map(element) => Raw::Map([("k".to_owned(), sample(element, number))].into()),
        Type::Tuple(types) => Raw::List(types.iter().map(|ty| sample(ty, number)).collect()),
        Type::Object(types) => Raw::Map(types.iter().map(|(name, ty)| (name.clone(), sample(ty, number))).collect()),
    }
}

/// An object with its required attributes and the attribute `given`.
fn object(attributes: &[Attribute], given: Option<(&str, Raw)>) -> Raw {
    let values = attributes.iter().map(|attribute| {
        let value = match (&given, attribute.mode, &attribute.kind) {
            (Some((name, value)), ..) if *name == attribute.name => value.clone(),
            (_, Mode::Required, Kind::Plain(ty)) => sample(ty, 1),
            (_, Mode::Required, Kind::Nested(nesting, nested)) => nested_in(*nesting, vec![object(nested, None)]),
            _ => Raw::Null,
        };
        (attribute.name.clone().into_owned(), value)
    });
    Raw::Map(values.collect())
}

fn nested_in(nesting: Nesting, objects: Vec<Raw>) -> Raw {
    match nesting {
        Nesting::Single => objects.into_iter().next().unwrap_or_default(),
        Nesting::List => Raw::List(objects),
        Nesting::Set => Raw::set(objects),
        Nesting::Map => {
            Raw::Map(objects.into_iter().enumerate().map(|(index, object)| (format!("k{index}"), object)).collect())
        }
    }
}

fn promised(refinement: Refinement) -> Raw {
    Raw::Unknown(Refinement { null: Some(false), ..refinement })
}

/// Values of every kind for a plain type.
fn plain(ty: &Type) -> Vec<Raw> {
    let unknown = Raw::unknown;
    let some = || promised(Refinement { minimum_length: Some(1), maximum_length: Some(3), ..Refinement::default() });
    let mut values = vec![Raw::Null, unknown(), promised(Refinement::default()), sample(ty, 1)];
    match ty {
        Type::String => {
            values.push("".into());
            values.push(promised(Refinement { prefix: Some("a-".to_owned()), ..Refinement::default() }));
        }
        Type::Number => {
            values.push(0.into());
            values.push(promised(Refinement { minimum: Some((1.into(), true)), ..Refinement::default() }));
        }
        Type::List(element) => {
            values.extend([Raw::List(vec![]), some(), Raw::List(vec![sample(element, 1), unknown(), unknown()])]);
        }
        Type::Set(element) => {
            values.extend([Raw::List(vec![]), some(), Raw::set(vec![sample(element, 1), unknown(), unknown()])]);
        }
        Type::Map(element) => {
            let partly =
                [("k".to_owned(), sample(element, 1)), ("l".to_owned(), unknown()), ("m".to_owned(), Raw::Null)];
            values.extend([Raw::Map(BTreeMap::new()), some(), Raw::Map(partly.into())]);
        }
        Type::Dynamic => {
            let dynamic = |ty, value| Raw::Dynamic(Box::new(DynamicRaw { ty, value }));
            let partly = Type::Object([("k".to_owned(), Type::String), ("l".to_owned(), Type::Number)].into());
            let value = Raw::Map([("k".to_owned(), unknown()), ("l".to_owned(), sample(&Type::Number, 1))].into());
            values.extend([dynamic(partly, value), dynamic(Type::Object(BTreeMap::new()), Raw::Map(BTreeMap::new()))]);
        }
        Type::Bool | Type::Secret | Type::Object(_) | Type::Tuple(_) => {}
    }
    values
}

/// Values of every kind for an attribute. In objects within objects, all attributes are unknown at once.
fn values(kind: &Kind, depth: usize) -> Vec<Raw> {
    let (nesting, nested) = match kind {
        Kind::Plain(ty) => return plain(ty),
        Kind::Nested(nesting, nested) => (*nesting, nested),
    };
    // Two equal elements: unknown values may become different, so that a set keeps both.
    let count = if nesting == Nesting::Single { 1 } else { 2 };
    let mut values = vec![Raw::Null, Raw::unknown(), promised(Refinement::default())];
    if nesting != Nesting::Single {
        values.push(nested_in(nesting, vec![]));
    }
    values.push(nested_in(nesting, vec![object(nested, None)]));
    let given = || nested.iter().filter(|attribute| !matches!(attribute.mode, Mode::Computed(_)));
    if depth > 0 {
        let Raw::Map(mut attributes) = object(nested, None) else { unreachable!() };
        attributes.extend(given().map(|attribute| (attribute.name.clone().into_owned(), Raw::unknown())));
        values.push(nested_in(nesting, vec![Raw::Map(attributes); count]));
        return values;
    }
    for attribute in given() {
        let with = |value: Raw| object(nested, Some((attribute.name.as_ref(), value)));
        let inside = self::values(&attribute.kind, depth + 1);
        values.extend(inside.into_iter().map(|value| nested_in(nesting, vec![with(value); count])));
    }
    values
}

/// The value with all unknown values replaced by distinct known ones, which keep to the refinements.
fn known(ty: &Type, value: &Raw, next: &mut i64) -> Raw {
    match (ty, value) {
        (ty, Raw::Unknown(refinement)) => {
            *next += 1;
            match (ty, &refinement.prefix) {
                (Type::String, Some(prefix)) => Raw::String(format!("{prefix}{next}")),
                _ => sample(ty, *next),
            }
        }
        (Type::List(ty), Raw::List(elements)) => {
            Raw::List(elements.iter().map(|value| known(ty, value, next)).collect())
        }
        (Type::Set(ty), Raw::List(elements)) => Raw::set(elements.iter().map(|value| known(ty, value, next)).collect()),
        (Type::Map(ty), Raw::Map(elements)) => {
            Raw::Map(elements.iter().map(|(key, value)| (key.clone(), known(ty, value, next))).collect())
        }
        (Type::Object(types), Raw::Map(attributes)) => {
            Raw::Map(attributes.iter().map(|(name, value)| (name.clone(), known(&types[name], value, next))).collect())
        }
        (Type::Dynamic, Raw::Dynamic(dynamic)) => {
            let value = known(&dynamic.ty, &dynamic.value, next);
            Raw::Dynamic(Box::new(DynamicRaw { ty: dynamic.ty.clone(), value }))
        }
        (_, value) => value.clone(),
    }
}

struct Matrix {
    resource: Arc<dyn ErasedResource<Data>>,
    context: Context<Data>,
    schema: Schema,
    /// Attributes of every configuration in addition to the required ones.
    base: Vec<(&'static str, Raw)>,
}

impl Matrix {
    fn new(name: &str, base: Vec<(&'static str, Raw)>) -> Self {
        let resource = Arc::clone(registry::registry().resource(name).unwrap());
        let tags = ProviderTags { default: Some(BTreeMap::new()), ..ProviderTags::default() };
        let data = Data { clients: Script::default().clients(), tags, reservations: Reservations::default() };
        let clock = Arc::new(TestClock::new());
        let context = Context::new(Some(Arc::new(data)), CancellationToken::new(), clock, Host::default());
        let schema = resource.schema();
        Self { resource, context, schema, base }
    }

    /// A configuration with one more attribute.
    fn config(&self, given: Option<(&str, Raw)>) -> Raw {
        let Raw::Map(mut attributes) = object(&self.schema.attributes, None) else { unreachable!() };
        let base = self.base.iter().map(|(name, value)| (*name, value.clone()));
        attributes.extend(base.chain(given).map(|(name, value)| (name.to_owned(), value)));
        Raw::Map(attributes)
    }

    async fn plan(&self, prior: &Raw, config: &Raw) -> (Planned, Vec<Violation>) {
        let proposed = proposed(&self.schema, prior, config);
        let private = PrivateState::default();
        let planned = self.resource.plan(&self.context, prior.clone(), config.clone(), proposed.clone(), private).await;
        let found = if planned.diagnostics.has_errors() {
            Vec::new()
        } else {
            check_plan(&self.schema, prior, config, &proposed, &planned.state)
        };
        (planned, found)
    }

    /// Returns the violations in plans of the configuration, and whether it can be created without an error.
    async fn look(&self, config: &Raw) -> (Vec<Violation>, bool) {
        // Invalid configurations have an error, but never one that indicates a bug of the provider.
        let diagnostics = self.resource.validate(config.clone());
        assert!(diagnostics.iter().all(|it| it.summary != "Value of an unexpected type"), "{diagnostics:?}");
        let (first, mut found) = self.plan(&Raw::Null, config).await;
        if first.diagnostics.has_errors() {
            return (found, false);
        }
        let (ty, mut next) = (self.schema.ty(), 1);
        if config.is_wholly_known() {
            let state = known(&ty, &first.state, &mut next);
            found.extend(self.plan(&state, &self.config(None)).await.1);
            return (found, true);
        }
        let (second, further) = self.plan(&Raw::Null, &known(&ty, config, &mut next)).await;
        found.extend(further);
        if second.diagnostics.has_errors() {
            return (found, false);
        }
        found.extend(check_final_plan(&self.schema, &first.state, &second.state));
        let state = known(&ty, &second.state, &mut next);
        found.extend(self.plan(&state, config).await.1);
        (found, true)
    }
}

async fn assert_conformance(name: &str, base: Vec<(&'static str, Raw)>) {
    let matrix = Matrix::new(name, base);
    let (mut planned, mut wrong) = (0, Vec::new());
    for attribute in &matrix.schema.attributes {
        if matches!(attribute.mode, Mode::Computed(_)) {
            continue;
        }
        for value in values(&attribute.kind, 0) {
            let config = matrix.config(Some((attribute.name.as_ref(), value.clone())));
            let (found, is_planned) = matrix.look(&config).await;
            planned += usize::from(is_planned);
            if !found.is_empty() {
                let at = AttributePath::of(attribute.name.clone());
                wrong.push(format!("{at} = {value:?}: {found:?}"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert!(planned > 20, "{planned} plans");
}

#[tokio::test]
async fn conformance_of_node_groups() {
    let zones = Raw::set(vec!["af-south-1b".into()]);
    let base = vec![("availability_zones", zones), ("node_role_arn", Raw::unknown())];
    assert_conformance("gitlabspot_node_group", base).await;
}

#[tokio::test]
async fn conformance_of_cache_buckets() {
    assert_conformance("gitlabspot_cache_bucket", vec![]).await;
}

#[tokio::test]
async fn conformance_of_runner_credentials() {
    assert_conformance("gitlabspot_runner_credentials", vec![]).await;
}

#[tokio::test]
async fn conformance_of_runner_releases() {
    let base = vec![("gitlab_url", "https://gitlab.com/".into()), ("runner_token_wo", "glrt-x".into())];
    assert_conformance("gitlabspot_runner_release", base).await;
}

#[tokio::test]
async fn conformance_of_warm_capacity() {
    assert_conformance("gitlabspot_warm_capacity", vec![]).await;
}
