//! A provider with one of everything: a resource with every kind of attribute, a list resource, a data source, a
//! function.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tfplugin::framework::function::{Definition, FunctionError, Parameter};
use tfplugin::framework::list_resource::Found;
use tfplugin::framework::provider::OldestHost;
use tfplugin::framework::value::{List, Map, Secret};
use tfplugin::framework::{
    Context, Create, DataSource, Delete, Diagnostic, Diagnostics, Function, Host, Import, ListResource, Number, Object,
    Plan, Private, Provider, Raw, Read, Registry, Resource, Set, Timeouts, Type, Update, Value,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot;

#[derive(Clone, Default, PartialEq, Object)]
pub(crate) struct Config {
    /// Where.
    #[attr(optional)]
    region: Value<String>,
}

#[derive(Debug)]
pub(crate) struct Data {
    region: Value<String>,
}

impl Provider for Spot {
    type Config = Config;
    type Data = Data;

    fn name(&self) -> &'static str {
        "spot"
    }
    fn description(&self) -> &'static str {
        "For tests."
    }
    fn oldest_host(&self) -> Option<OldestHost> {
        Some(OldestHost { version: (1, 11), reason: "older versions store secrets" })
    }
    fn validate(&self, config: &Config, diagnostics: &mut Diagnostics) {
        if config.region.as_str() == Some("") {
            diagnostics.error("region", "Empty region", "Name one.");
        }
    }
    fn configure(&self, config: Config, _host: &Host) -> Result<Data, Diagnostics> {
        if config.region.as_str() == Some("moon") {
            return Err(Diagnostic::error("No such region", "There is none up there.").at("region").into());
        }
        Ok(Data { region: config.region })
    }
    fn registry(&self) -> Registry<Data> {
        Registry {
            resources: vec![Arc::new(Things)],
            data_sources: vec![Arc::new(Zones)],
            list_resources: vec![Arc::new(Things)],
            functions: vec![Arc::new(Join)],
        }
    }
}

#[derive(Clone, Default, PartialEq, Object)]
pub(crate) struct Thing {
    /// Its name; also what it does in a test.
    #[attr(required, replace)]
    name: Value<String>,
    /// Its size.
    #[attr(optional, default = 3)]
    size: Value<i64>,
    /// A fraction.
    #[attr(optional)]
    ratio: Value<Number>,
    /// A switch.
    #[attr(optional)]
    enabled: Value<bool>,
    /// A map.
    #[attr(optional)]
    labels: Value<Map<String>>,
    /// A set.
    #[attr(optional)]
    zones: Value<Set<String>>,
    /// A list.
    #[attr(optional)]
    steps: Value<List<String>>,
    /// Nested in a set.
    #[attr(optional)]
    taints: Value<Set<Taint>>,
    /// Nested.
    #[attr(optional)]
    options: Value<Options>,
    /// Nested in a list.
    #[attr(optional)]
    rules: Value<List<Options>>,
    /// Nested in a map.
    #[attr(optional)]
    homes: Value<Map<Options>>,
    /// Never stored.
    #[attr(optional, write_only, sensitive)]
    token_wo: Value<Secret>,
    /// How long.
    #[attr(optional)]
    timeouts: Value<Timeouts>,
    /// Its id.
    #[attr(computed, stable)]
    id: Value<String>,
    /// How it is.
    #[attr(computed)]
    status: Value<String>,
}

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Object)]
pub(crate) struct Taint {
    /// Its key.
    #[attr(required)]
    key: Value<String>,
    /// Its value.
    #[attr(optional)]
    value: Value<String>,
}

#[derive(Clone, Default, PartialEq, Object)]
pub(crate) struct Options {
    /// What kind.
    #[attr(optional, replace)]
    kind: Value<String>,
    /// Found.
    #[attr(optional, computed)]
    level: Value<i64>,
}

#[derive(Clone, Default, PartialEq, Object)]
pub(crate) struct Identity {
    /// Its name.
    #[attr(required)]
    name: Value<String>,
    /// Where it is.
    #[attr(optional)]
    region: Value<String>,
}

/// The private state of a thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kept {
    #[serde(skip_serializing_if = "Option::is_none")]
    token_seen: Option<bool>,
}

impl Private for Kept {
    const VERSION: u64 = 1;
}

#[derive(Debug)]
struct Things;

fn failed(detail: &str) -> Diagnostics {
    Diagnostic::error("It failed", detail).into()
}

/// Whether the test selects this behaviour with the name of its object.
fn asked(name: &Value<String>, for_what: &str) -> bool {
    name.as_str() == Some(for_what)
}

fn done(planned: &Thing) -> Thing {
    let level = |options: Options| Options {
        level: if options.level.is_unknown() { 7.into() } else { options.level },
        ..options
    };
    Thing {
        id: format!("id-{}", planned.name.as_str().unwrap_or_default()).into(),
        status: "ready".into(),
        options: planned.options.clone().map(level),
        rules: planned.rules.clone().map(|list| list.into_iter().map(|it| it.map(level)).collect()),
        homes: planned.homes.clone().map(|map| map.into_iter().map(|(key, it)| (key, it.map(level))).collect()),
        ..planned.clone()
    }
}

impl Resource for Things {
    type Data = Data;
    type Model = Thing;
    type Private = Kept;
    type Identity = Identity;
    const TYPE_NAME: &'static str = "spot_thing";
    const VERSION: i64 = 1;
    const IDENTITY_VERSION: i64 = 1;
    const DESCRIPTION: &'static str = "A thing.";

    fn validate(&self, config: &Thing, diagnostics: &mut Diagnostics) {
        if asked(&config.name, "") {
            diagnostics.error("name", "Empty name", "Name it.");
        }
        assert!(!asked(&config.name, "panic in validate"), "secret of validate");
    }

    async fn plan(&self, _context: &Context<Data>, plan: &mut Plan<Thing, Kept>) -> Result<(), Diagnostics> {
        if asked(&plan.config.name, "fail in plan") {
            return Err(failed("no plan"));
        }
        if asked(&plan.config.name, "break the plan") {
            plan.planned.ratio = 5.0.into();
        }
        if asked(&plan.config.name, "warn") {
            plan.warn(Diagnostic::warning("Odd", "Why.").at("name"));
        }
        Ok(())
    }

    async fn plan_delete(&self, _context: &Context<Data>, prior: &Thing) -> Result<Diagnostics, Diagnostics> {
        if asked(&prior.name, "warn") {
            Ok(Diagnostic::warning("It goes", "For ever.").into())
        } else {
            Ok(Diagnostics::new())
        }
    }

    async fn create(&self, context: &Context<Data>, operation: &mut Create<Thing, Kept>) -> Result<(), Diagnostics> {
        context.data()?;
        let name = operation.planned.name.clone();
        assert!(!asked(&name, "panic before"), "secret of create");
        if asked(&name, "fail before") {
            return Err(failed("nothing was made"));
        }
        operation.private.token_seen = Some(operation.config.token_wo.expose().is_some());
        operation.record(Thing { id: "id-early".into(), ..operation.planned.clone() });
        assert!(!asked(&name, "panic after"), "secret of create");
        if asked(&name, "fail after") {
            return Err(failed("half of it was made"));
        }
        if asked(&name, "wait") {
            context.stop.cancelled().await;
            return Err(failed("stopped"));
        }
        if asked(&name, "leave unknown") {
            return Ok(());
        }
        operation.record(done(&operation.planned));
        Ok(())
    }

    async fn read(&self, context: &Context<Data>, operation: &mut Read<Thing, Kept>) -> Result<(), Diagnostics> {
        context.data()?;
        let name = operation.state.name.clone();
        assert!(!asked(&name, "panic in read"), "secret of read");
        if asked(&name, "fail in read") {
            return Err(failed("unreadable"));
        }
        if asked(&name, "gone") {
            operation.gone();
        }
        if operation.importing {
            operation.state.size = 3.into();
        }
        operation.state.status = "read".into();
        Ok(())
    }

    async fn update(&self, _context: &Context<Data>, operation: &mut Update<Thing, Kept>) -> Result<(), Diagnostics> {
        if operation.planned.size == 13.into() {
            operation.record(Thing { status: "half".into(), ..operation.prior.clone() });
            return Err(failed("unlucky size"));
        }
        operation.record(done(&operation.planned));
        Ok(())
    }

    async fn delete(&self, _context: &Context<Data>, operation: &mut Delete<Thing, Kept>) -> Result<(), Diagnostics> {
        if asked(&operation.state.name, "stay") {
            operation.state.status = "stuck".into();
            return Err(failed("it stays"));
        }
        Ok(())
    }

    async fn import(&self, _context: &Context<Data>, from: Import<Identity>) -> Result<Thing, Diagnostics> {
        let name = match from {
            Import::Id(id) if id.is_empty() => return Err(failed("an id is `NAME`")),
            Import::Id(id) => id.into(),
            Import::Identity(identity) => identity.name,
        };
        Ok(Thing { name, ..Thing::default() })
    }

    fn identity(&self, context: &Context<Data>, state: &Thing, _: &Kept) -> Option<Identity> {
        assert!(!asked(&state.name, "panic in identity"), "secret of identity");
        let region = context.data().map_or(Value::Null, |data| data.region.clone());
        (!asked(&state.name, "anonymous")).then(|| Identity { name: state.name.clone(), region })
    }

    fn upgrade_identity(
        &self,
        _version: i64,
        mut identity: serde_json::Value,
    ) -> Result<serde_json::Value, Diagnostics> {
        if let Some(identity) = identity.as_object_mut()
            && let Some(title) = identity.remove("title")
        {
            identity.insert("name".to_owned(), title);
        }
        Ok(identity)
    }

    fn upgrade(&self, _version: i64, mut state: serde_json::Value) -> Result<serde_json::Value, Diagnostics> {
        let title = state.get_mut("title").map(serde_json::Value::take).ok_or_else(|| failed("no title"))?;
        if let Some(state) = state.as_object_mut() {
            state.insert("name".to_owned(), title);
        }
        Ok(state)
    }
}

#[derive(Clone, Default, PartialEq, Object)]
pub(crate) struct Filter {
    /// Names of what there is.
    #[attr(required)]
    names: Value<List<String>>,
}

impl ListResource for Things {
    type Filter = Filter;
    const LIST_DESCRIPTION: &'static str = "Lists things.";

    fn validate_filter(&self, filter: &Filter, diagnostics: &mut Diagnostics) {
        if filter.names.known().is_some_and(Vec::is_empty) {
            diagnostics.error("names", "No names", "Give one.");
        }
    }

    async fn list(
        &self,
        context: &Context<Data>,
        filter: Filter,
        found: &mut Found<Identity>,
    ) -> Result<(), Diagnostics> {
        context.data()?;
        for name in filter.names.known().into_iter().flatten() {
            if asked(name, "fail the list") {
                return Err(failed("no more"));
            }
            assert!(!asked(name, "panic in list"), "secret of list");
            found
                .add(Identity { name: name.clone(), region: Value::Null }, format!("thing {}", name.as_str().unwrap()));
        }
        Ok(())
    }
}

#[derive(Clone, Default, PartialEq, Object)]
struct ZonesModel {
    /// Where.
    #[attr(required)]
    region: Value<String>,
    /// Which.
    #[attr(computed)]
    names: Value<List<String>>,
}

#[derive(Debug)]
struct Zones;

impl DataSource for Zones {
    type Data = Data;
    type Model = ZonesModel;
    const TYPE_NAME: &'static str = "spot_zones";
    const DESCRIPTION: &'static str = "Zones.";

    fn validate(&self, config: &ZonesModel, diagnostics: &mut Diagnostics) {
        if asked(&config.region, "") {
            diagnostics.error("region", "Empty region", "Name one.");
        }
    }

    async fn read(
        &self,
        context: &Context<Data>,
        config: ZonesModel,
        diagnostics: &mut Diagnostics,
    ) -> Result<ZonesModel, Diagnostics> {
        context.data()?;
        diagnostics.warning("region", "Slow region", "It takes a while.");
        match config.region.as_str() {
            Some("moon") => Err(failed("no zones")),
            Some("forgetful") => Ok(ZonesModel { names: Value::Unknown, ..config }),
            _ => Ok(ZonesModel { names: Value::Known(vec!["a".into(), "b".into()]), ..config }),
        }
    }
}

#[derive(Debug)]
struct Join;

impl Function for Join {
    fn name(&self) -> &'static str {
        "join"
    }

    fn definition(&self) -> Definition {
        let parameter = |name: &'static str, allow_null| Parameter {
            name: name.into(),
            description: "Text.".into(),
            ty: Type::String,
            allow_null,
            allow_unknown: false,
        };
        Definition {
            summary: "Joins.".into(),
            description: "Joins texts.".into(),
            parameters: vec![parameter("separator", true)],
            variadic: Some(parameter("parts", false)),
            result: Type::String,
        }
    }

    fn call(&self, arguments: Vec<Raw>) -> Result<Raw, FunctionError> {
        let mut texts = arguments.iter().map(|raw| raw.as_str().unwrap_or("-"));
        let separator = texts.next().unwrap_or_default();
        if separator.len() > 1 {
            return Err(FunctionError::argument(0, "Too long."));
        }
        assert!(separator != "!", "secret of join");
        Ok(texts.collect::<Vec<_>>().join(separator).into())
    }
}
