//! Normalization of strings: those from a closed list get the spelling that the runner accepts, and empty ones count as
//! not set.

use toml::Value;

use crate::catalogue::{Choice, Kind};

/// The value to be written; `None` for an empty string that means that the key is not set.
///
/// # Errors
///
/// The detail for a string that is not in its list. `at` is the path of the key.
pub(super) fn settled(kind: Kind, value: Value, at: &str) -> Result<Option<Value>, String> {
    let spelt = |choice: Choice, text: &str, at: &str| match choice.spelling(text) {
        Some(spelling) => Ok(Value::from(spelling)),
        None => Err(none_of(choice, text, at)),
    };
    match (kind, value) {
        (Kind::Choice(_) | Kind::Duration | Kind::Timestamp, Value::String(text)) if text.is_empty() => Ok(None),
        (Kind::Choice(choice) | Kind::ChoiceOrChoices(choice), Value::String(text)) => {
            spelt(choice, &text, at).map(Some)
        }
        (Kind::Choices(choice) | Kind::ChoiceOrChoices(choice), Value::Array(items)) => {
            let items = items.into_iter().enumerate().map(|(index, item)| match item {
                Value::String(text) => spelt(choice, &text, &format!("{at}[{index}]")),
                other => Ok(other),
            });
            items.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
        }
        (_, value) => Ok(Some(value)),
    }
}

fn none_of(choice: Choice, text: &str, at: &str) -> String {
    match choice.of {
        ["kubernetes"] => format!(
            "{at} is {text:?}, but this resource only supports the Kubernetes executor. Set it to \"kubernetes\", or \
             remove the key."
        ),
        _ => format!("{at} is {text:?}. Use {}.", choice.listed()),
    }
}
