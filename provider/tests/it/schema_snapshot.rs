//! The whole schema in one committed file, so that a review shows the effect of a change on users.

use gitlabspot::provider::Gitlabspot;
use serde_json::{Map, Value as Json, json};
use tfplugin::framework::conformance::check_schema;
use tfplugin::framework::function::{Definition, Parameter};
use tfplugin::framework::identity::IdentityAttribute;
use tfplugin::framework::schema::{Change, Mode};
use tfplugin::framework::{Attribute, Kind, Number, Provider, Raw, Schema};

use crate::repository::assert_current;

type Config = <Gitlabspot as Provider>::Config;

/// All schemas, with the name of what they describe.
fn schemas() -> Vec<(String, Schema)> {
    let registry = Gitlabspot::default().registry();
    let mut schemas = vec![("provider".to_owned(), Schema::of::<Config>(0, ""))];
    schemas.extend(registry.resources.iter().map(|it| (it.type_name().to_owned(), it.schema())));
    schemas.extend(registry.list_resources.iter().map(|it| (format!("list.{}", it.type_name()), it.schema())));
    schemas.extend(registry.data_sources.iter().map(|it| (format!("data.{}", it.type_name()), it.schema())));
    schemas
}

#[test]
fn the_snapshot_is_current() {
    let registry = Gitlabspot::default().registry();
    let resources = registry.resources.iter().map(|it| {
        let mut resource = of_schema(&it.schema());
        if let Some(identity) = it.identity_schema() {
            resource.insert("identity".to_owned(), identity.attributes.iter().map(of_identity).collect());
        }
        (it.type_name().to_owned(), Json::from(resource))
    });
    let data_sources =
        registry.data_sources.iter().map(|it| (it.type_name().to_owned(), Json::from(of_schema(&it.schema()))));
    let list_resources =
        registry.list_resources.iter().map(|it| (it.type_name().to_owned(), Json::from(of_schema(&it.schema()))));
    let functions = registry.functions.iter().map(|it| (it.name().to_owned(), of_function(&it.definition())));
    let snapshot = json!({
        "provider": of_schema(&Schema::of::<Config>(0, "")),
        "resources": resources.collect::<Map<_, _>>(),
        "data_sources": data_sources.collect::<Map<_, _>>(),
        "list_resources": list_resources.collect::<Map<_, _>>(),
        "functions": functions.collect::<Map<_, _>>(),
    });
    let text = serde_json::to_string_pretty(&snapshot).unwrap() + "\n";
    assert_current("provider/tests/it/schema.json", &text, "UPDATE_SNAPSHOTS");
}

#[test]
fn core_accepts_every_schema() {
    let found: Vec<_> = schemas()
        .iter()
        .flat_map(|(name, schema)| {
            check_schema(schema).into_iter().map(move |violation| format!("{name}: {violation}"))
        })
        .collect();
    assert_eq!(found, [""; 0]);
}

fn of_schema(schema: &Schema) -> Map<String, Json> {
    let mut map = Map::new();
    map.insert("version".to_owned(), schema.version.into());
    if let Some(text) = &schema.deprecated {
        map.insert("deprecated".to_owned(), text.as_ref().into());
    }
    map.insert("attributes".to_owned(), of_attributes(&schema.attributes));
    map
}

fn of_attributes(attributes: &[Attribute]) -> Json {
    attributes.iter().map(|it| (it.name.clone().into_owned(), of_attribute(it))).collect::<Map<_, _>>().into()
}

/// All fields except the description, which is on the docs page.
fn of_attribute(attribute: &Attribute) -> Json {
    let mode = match attribute.mode {
        Mode::Required => "required",
        Mode::Optional => "optional",
        Mode::Computed(Change::Stable) => "computed, stable",
        Mode::Computed(Change::Volatile) => "computed",
        Mode::OptionalComputed(Change::Stable) => "optional, computed, stable",
        Mode::OptionalComputed(Change::Volatile) => "optional, computed",
    };
    let mut map = Map::new();
    map.insert("mode".to_owned(), mode.into());
    if !attribute.default.is_null() {
        map.insert("default".to_owned(), of_value(&attribute.default));
    }
    let flags =
        [("replace", attribute.replace), ("sensitive", attribute.sensitive), ("write_only", attribute.write_only)];
    map.extend(flags.into_iter().filter(|(_, set)| *set).map(|(name, _)| (name.to_owned(), true.into())));
    if let Some(text) = &attribute.deprecated {
        map.insert("deprecated".to_owned(), text.as_ref().into());
    }
    match &attribute.kind {
        Kind::Plain(ty) => map.insert("type".to_owned(), ty.to_json()),
        Kind::Nested(nesting, nested) => {
            map.insert("nesting".to_owned(), format!("{nesting:?}").to_lowercase().into());
            map.insert("attributes".to_owned(), of_attributes(nested))
        }
    };
    map.into()
}

fn of_value(value: &Raw) -> Json {
    match value {
        Raw::Null | Raw::Unknown(_) | Raw::Secret(_) | Raw::Dynamic(_) => Json::Null,
        Raw::Bool(value) => (*value).into(),
        Raw::Number(Number::Integer(integer)) => (*integer).into(),
        Raw::Number(number) => number.to_string().into(),
        Raw::String(text) => text.as_str().into(),
        Raw::List(elements) => elements.iter().map(of_value).collect(),
        Raw::Map(members) => {
            members.iter().map(|(name, it)| (name.clone(), of_value(it))).collect::<Map<_, _>>().into()
        }
    }
}

fn of_identity(attribute: &IdentityAttribute) -> Json {
    json!({"name": attribute.name, "type": attribute.ty.to_json(), "required_for_import": attribute.required_for_import})
}

fn of_function(definition: &Definition) -> Json {
    json!({
        "parameters": definition.parameters.iter().map(of_parameter).collect::<Json>(),
        "variadic": definition.variadic.as_ref().map(of_parameter),
        "result": definition.result.to_json(),
    })
}

fn of_parameter(parameter: &Parameter) -> Json {
    json!({
        "name": parameter.name,
        "type": parameter.ty.to_json(),
        "allow_null": parameter.allow_null,
        "allow_unknown": parameter.allow_unknown,
    })
}

#[test]
fn every_resource_with_an_identity_is_listed() {
    let registry = Gitlabspot::default().registry();
    let listed: Vec<_> = registry.list_resources.iter().map(|it| it.type_name()).collect();
    let with_identity = registry.resources.iter().filter(|it| it.identity_schema().is_some());
    assert_eq!(with_identity.map(|it| it.type_name()).collect::<Vec<_>>(), listed);
}
