//! The configuration that is generated for an imported resource.

use super::schema::{Attribute, Kind, Mode, Nesting};
use super::value::Raw;

/// Removes the values that do not belong in a configuration: computed, write-only and deprecated attributes, and
/// optional ones that are empty or have their default.
pub(crate) fn written(attributes: &[Attribute], state: Raw) -> Raw {
    let Raw::Map(mut values) = object_written(attributes, state) else { return Raw::Null };
    // By convention `id` identifies a resource for the host, and users do not set it unless it is required.
    let id = attributes.iter().find(|attribute| attribute.name == "id" && attribute.mode != Mode::Required);
    if let Some(value) = id.and_then(|id| values.get_mut(id.name.as_ref())) {
        *value = Raw::Null;
    }
    Raw::Map(values)
}

fn object_written(attributes: &[Attribute], state: Raw) -> Raw {
    let Raw::Map(mut values) = state else { return state };
    for attribute in attributes {
        let Some(value) = values.get_mut(attribute.name.as_ref()) else { continue };
        let state = std::mem::take(value);
        let left_out = matches!(attribute.mode, Mode::Computed(_))
            || attribute.write_only
            || attribute.deprecated.is_some()
            || (attribute.mode != Mode::Required && (state == attribute.default || state == Raw::from("")));
        if left_out {
            continue;
        }
        *value = match &attribute.kind {
            Kind::Nested(nesting, nested) => nested_written(*nesting, nested, state),
            Kind::Plain(_) => state,
        };
    }
    Raw::Map(values)
}

fn nested_written(nesting: Nesting, nested: &[Attribute], state: Raw) -> Raw {
    match (nesting, state) {
        (Nesting::Single, state) => object_written(nested, state),
        (Nesting::List, Raw::List(elements)) => {
            Raw::List(elements.into_iter().map(|element| object_written(nested, element)).collect())
        }
        (Nesting::Set, Raw::List(elements)) => {
            Raw::set(elements.into_iter().map(|element| object_written(nested, element)).collect())
        }
        (Nesting::Map, Raw::Map(elements)) => {
            Raw::Map(elements.into_iter().map(|(key, element)| (key, object_written(nested, element))).collect())
        }
        (_, state) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::{Object, Value};

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Options {
        /// Chosen.
        #[attr(optional, default = 5)]
        size: Value<i64>,
        /// Found.
        #[attr(computed)]
        zone: Value<String>,
        /// Given.
        #[attr(required)]
        key: Value<String>,
        /// Of something else.
        #[attr(optional, computed)]
        id: Value<String>,
    }

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Thing {
        /// The id.
        #[attr(optional, computed)]
        id: Value<String>,
        /// The name.
        #[attr(required)]
        name: Value<String>,
        /// Chosen.
        #[attr(optional, default = true)]
        on: Value<bool>,
        /// Empty.
        #[attr(optional)]
        text: Value<String>,
        /// Old.
        #[attr(optional, deprecated = "Use `text`.")]
        old: Value<String>,
        /// Several.
        #[attr(optional)]
        options: Value<Vec<Value<Options>>>,
    }

    #[test]
    fn only_configurable_attributes_remain() {
        let options = Options { size: 5.into(), zone: "a".into(), key: "k".into(), id: "o-1".into() };
        let state = Thing {
            id: "1".into(),
            name: "n".into(),
            on: true.into(),
            text: "".into(),
            old: "o".into(),
            options: Value::Known(vec![
                Value::Known(options),
                Value::Known(Options { size: 6.into(), ..Options::default() }),
            ]),
        };
        let expected = Thing {
            name: "n".into(),
            options: Value::Known(vec![
                Value::Known(Options { key: "k".into(), id: "o-1".into(), ..Options::default() }),
                Value::Known(Options { size: 6.into(), ..Options::default() }),
            ]),
            ..Thing::default()
        };
        assert_eq!(written(&Thing::attributes(), state.into_raw()), expected.into_raw());
    }
}
