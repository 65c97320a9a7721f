use serde_json::json;
use tfplugin_proto::tfplugin6::call_function::{Request, Response};
use tfplugin_proto::tfplugin6::{DynamicValue, FunctionError};

use super::host::{fresh, json, value};

/// Calls the function of a provider that is not configured, as core may.
async fn call(arguments: Vec<DynamicValue>) -> Response {
    let request = Request { name: "join".to_owned(), arguments };
    fresh().await.call_function(request).await.unwrap().into_inner()
}

fn text(text: &str) -> DynamicValue {
    value(json!(text))
}

#[tokio::test]
async fn further_arguments_are_variadic() {
    let answer = call(vec![text(","), text("a"), text("b")]).await;
    assert_eq!((json(answer.result.as_ref()), answer.error), (json!("a,b"), None));
}

#[tokio::test]
async fn empty_value_is_null() {
    let answer = call(vec![DynamicValue::default(), text("a"), text("b")]).await;
    assert_eq!(json(answer.result.as_ref()), json!("a-b"));
}

#[tokio::test]
async fn error_names_its_argument() {
    let answer = call(vec![text("--")]).await;
    let expected = FunctionError { text: "Too long.".to_owned(), function_argument: Some(0) };
    assert_eq!((answer.result, answer.error), (None, Some(expected)));
}

#[tokio::test]
async fn invalid_calls_and_panics_are_errors() {
    for (arguments, summary) in [
        (vec![], "Wrong number of arguments"),
        (vec![value(json!([1]))], "Value does not fit the schema"),
        (vec![text("!")], "Bug in the provider"),
    ] {
        let error = call(arguments).await.error.unwrap();
        assert!(error.text.starts_with(summary) && !error.text.contains("secret"), "{error:?}");
    }
    let request = Request { name: "other".to_owned(), arguments: vec![] };
    let error = fresh().await.call_function(request).await.unwrap().into_inner().error.unwrap();
    assert!(error.text.starts_with("Unknown function"), "{error:?}");
}
