//! Texts out of a closed list in the spelling that the runner takes, and empty texts as what they mean: nothing.

use toml::Value;

use crate::catalogue::{Choice, Kind};

/// The value as it is to be written; `None` for an empty text that means the key is not set.
///
/// # Errors
///
/// One sentence or two about a text that is none of its list. `at` names the key.
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
