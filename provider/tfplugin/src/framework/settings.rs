//! Settings: attributes without null and unknown in their types.
//!
//! `#[derive(Settings)]` generates the struct `<Name>Settings` for a struct of attributes. It has an `Option` for each
//! attribute that users set and that describes the managed object ([`Attribute::setting`](super::Attribute)), so that
//! code which uses it need not handle unknown values. serde deserialises it, and refuses fields that are no settings.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::value::{Raw, Secret, Value};

/// A type of attributes with a plain form.
pub trait Setting {
    /// The type without null and unknown.
    type Plain;
}

impl Setting for String {
    type Plain = Self;
}

/// Secrets are deserialised, and never serialised.
impl Setting for Secret {
    type Plain = Self;
}

impl Setting for bool {
    type Plain = Self;
}

impl Setting for i64 {
    type Plain = Self;
}

impl Setting for Raw {
    type Plain = Json;
}

impl<T: Setting> Setting for Vec<Value<T>> {
    type Plain = Vec<T::Plain>;
}

impl<T: Setting> Setting for BTreeMap<String, Value<T>> {
    type Plain = BTreeMap<String, T::Plain>;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::framework::value::{List, Map};
    use crate::framework::{Object, Settings};

    #[derive(Clone, Default, PartialEq, Object, Settings)]
    struct Port {
        /// The number.
        #[attr(required)]
        number: Value<i64>,
        /// Another number, or a name.
        #[attr(optional, setting = Json)]
        target: Value<String>,
    }

    #[derive(Clone, Default, PartialEq, Object, Settings)]
    struct Service {
        /// The type.
        #[attr(optional)]
        r#type: Value<String>,
        /// The ports.
        #[attr(optional)]
        ports: Value<List<Port>>,
        /// The labels.
        #[attr(optional)]
        labels: Value<Map<String>>,
        /// The password.
        #[attr(optional, sensitive)]
        password: Value<Secret>,
        /// The ID.
        #[attr(computed)]
        id: Value<String>,
        /// Whether to wait.
        #[attr(optional, no_setting)]
        wait: Value<bool>,
        /// The token.
        #[attr(optional, write_only, sensitive)]
        token_wo: Value<Secret>,
    }

    #[test]
    fn settings_are_the_configurable_attributes() {
        let given = json!({ "type": "A", "ports": [{ "number": 1, "target": "x" }], "labels": { "a": "b" } });
        let settings: ServiceSettings = serde_json::from_value(given.clone()).unwrap();
        let port = PortSettings { number: Some(1), target: Some(json!("x")) };
        let labels = BTreeMap::from([("a".to_owned(), "b".to_owned())]);
        let expected = ServiceSettings {
            r#type: Some("A".to_owned()),
            ports: Some(vec![port]),
            labels: Some(labels),
            password: None,
        };
        assert_eq!(settings, expected);
        assert_eq!(serde_json::to_value(settings).unwrap(), given);
        let names = Service::attributes().into_iter().filter(|attribute| attribute.setting);
        assert_eq!(names.map(|attribute| attribute.name).collect::<Vec<_>>(), ["type", "ports", "labels", "password"]);
    }

    #[test]
    fn unknown_attribute_is_refused() {
        for unknown in ["id", "wait", "token_wo", "other"] {
            assert!(serde_json::from_value::<ServiceSettings>(json!({ unknown: null })).is_err(), "{unknown}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let settings = ServiceSettings { password: Some("secret".into()), ..ServiceSettings::default() };
        assert!(!format!("{settings:?}").contains("secret"));
        assert_eq!(serde_json::to_value(&settings).unwrap(), json!({}));
        assert_eq!(
            settings.secrets().map(|(name, secret)| (name, secret.expose())).collect::<Vec<_>>(),
            [("password", "secret")]
        );
    }
}
