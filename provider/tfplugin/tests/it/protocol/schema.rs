use tfplugin_proto::tfplugin6::{
    ServerCapabilities, function, get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas,
    schema,
};

use super::host::fresh;

const CAPABILITIES: ServerCapabilities = ServerCapabilities {
    plan_destroy: true,
    get_provider_schema_optional: true,
    move_resource_state: true,
    generate_resource_config: true,
};

#[tokio::test]
async fn every_schema_is_returned() {
    let answer = fresh().await.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    assert_eq!(answer.diagnostics, []);
    assert_eq!(answer.server_capabilities, Some(CAPABILITIES));
    assert_eq!(answer.provider_meta, None);
    assert_eq!(answer.provider.unwrap().block.unwrap().attributes[0].name, "region");
    assert_eq!(answer.resource_schemas.keys().collect::<Vec<_>>(), ["spot_thing"]);
    assert_eq!(answer.data_source_schemas.keys().collect::<Vec<_>>(), ["spot_zones"]);
    assert_eq!(answer.functions.keys().collect::<Vec<_>>(), ["join"]);
    assert_eq!(answer.list_resource_schemas.keys().collect::<Vec<_>>(), ["spot_thing"]);
    assert!(answer.ephemeral_resource_schemas.is_empty());

    let thing = &answer.resource_schemas["spot_thing"];
    assert_eq!(thing.version, 1);
    let attributes = &thing.block.as_ref().unwrap().attributes;
    let attribute = |name: &str| attributes.iter().find(|it| it.name == name).unwrap();
    let plain = |name: &str| String::from_utf8(attribute(name).r#type.clone()).unwrap();
    assert_eq!(plain("labels"), r#"["map","string"]"#);
    assert_eq!(plain("zones"), r#"["set","string"]"#);
    let nesting = |name: &str| attribute(name).nested_type.as_ref().unwrap().nesting();
    use schema::object::NestingMode::{List, Map, Set, Single};
    assert_eq!(["options", "rules", "taints", "homes", "timeouts"].map(nesting), [Single, List, Set, Map, Single]);
    let token = attribute("token_wo");
    assert!(token.write_only && token.sensitive && token.optional && !token.computed);
    let size = attribute("size");
    assert!(size.optional && size.computed && !size.required);
}

#[tokio::test]
async fn metadata_has_the_names() {
    let answer = fresh().await.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    let expected = get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        resources: vec![get_metadata::ResourceMetadata { type_name: "spot_thing".to_owned() }],
        data_sources: vec![get_metadata::DataSourceMetadata { type_name: "spot_zones".to_owned() }],
        list_resources: vec![get_metadata::ListResourceMetadata { type_name: "spot_thing".to_owned() }],
        functions: vec![get_metadata::FunctionMetadata { name: "join".to_owned() }],
        ..get_metadata::Response::default()
    };
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn identity_schemas_are_returned() {
    let request = get_resource_identity_schemas::Request {};
    let answer = fresh().await.get_resource_identity_schemas(request).await.unwrap().into_inner();
    let attributes = &answer.identity_schemas["spot_thing"].identity_attributes;
    assert_eq!(
        attributes.iter().map(|it| (it.name.as_str(), it.required_for_import)).collect::<Vec<_>>(),
        [("name", true), ("region", false)]
    );
}

#[tokio::test]
async fn functions_are_returned() {
    let answer = fresh().await.get_functions(get_functions::Request {}).await.unwrap().into_inner();
    let join = &answer.functions["join"];
    assert!(join.parameters[0].allow_null_value);
    assert_eq!(join.variadic_parameter.as_ref().unwrap().name, "parts");
    assert_eq!(join.r#return, Some(function::Return { r#type: br#""string""#.to_vec() }));
}
