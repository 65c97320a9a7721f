//! Validates the configuration of a resource. Values may be unknown.

use tfplugin_proto::tfplugin6::validate_resource_config::{Request, Response};

use super::convert::diagnostics::to_messages;
use super::convert::dynamic_value;
use super::rpc::Rpc;
use super::server::Server;
use crate::framework::{Attribute, AttributePath, Diagnostics, Kind, Nesting, Provider, Raw};

pub(super) struct ValidateResourceConfig;

impl<P: Provider> Rpc<P> for ValidateResourceConfig {
    const NAME: &'static str = "ValidateResourceConfig";
    type Request = Request;
    type Response = Response;

    fn subject(request: &Request) -> &str {
        &request.type_name
    }

    async fn serve(server: &Server<P>, request: Request) -> Result<Response, Diagnostics> {
        let resource = server.offer().resource(&request.type_name)?;
        let config = dynamic_value::decode(request.config.as_ref(), resource.ty())?;
        let mut diagnostics = Diagnostics::new();
        if request.client_capabilities.is_some_and(|it| it.write_only_attributes_allowed) {
            server.write_only_is_known();
        } else {
            // A host without this capability does not check write-only values: the provider has to refuse them.
            let mut paths = Vec::new();
            find_write_only(&resource.schema().attributes, &config, &AttributePath::root(), &mut paths);
            for path in paths {
                let detail = format!(
                    "{path} is a write-only argument, which requires Terraform >= 1.11 or OpenTofu >= 1.11: the \
                     version in use would store the value in the state."
                );
                diagnostics.error(path, "Write-only arguments are not supported here", detail);
            }
        }
        diagnostics.extend(resource.erased.validate(config));
        Ok(Response { diagnostics: to_messages(diagnostics) })
    }
}

/// Finds the write-only attributes that have a value. A schema cannot have any in sets.
fn find_write_only(attributes: &[Attribute], config: &Raw, at: &AttributePath, found: &mut Vec<AttributePath>) {
    let Raw::Map(values) = config else { return };
    for attribute in attributes {
        let Some(value) = values.get(attribute.name.as_ref()) else { continue };
        let path = at.attribute(attribute.name.clone());
        if attribute.write_only && !value.is_null() {
            found.push(path);
        } else if let Kind::Nested(nesting, nested) = &attribute.kind {
            match (nesting, value) {
                (Nesting::Single, value) => find_write_only(nested, value, &path, found),
                (Nesting::List, Raw::List(elements)) => {
                    for (index, value) in elements.iter().enumerate() {
                        find_write_only(nested, value, &path.index(index), found);
                    }
                }
                (Nesting::Map, Raw::Map(elements)) => {
                    for (key, value) in elements {
                        find_write_only(nested, value, &path.key(key), found);
                    }
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::framework::{Object, Value};

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Login {
        /// Not to be stored.
        #[attr(optional, write_only)]
        password_wo: Value<String>,
        /// Stored.
        #[attr(optional)]
        user: Value<String>,
    }

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Logins {
        /// One.
        #[attr(optional)]
        one: Value<Login>,
        /// Several.
        #[attr(optional)]
        list: Value<Vec<Value<Login>>>,
        /// By name.
        #[attr(optional)]
        map: Value<BTreeMap<String, Value<Login>>>,
    }

    #[test]
    fn write_only_values_are_found_at_any_depth() {
        let login = |password_wo| Value::Known(Login { password_wo, user: "u".into() });
        let logins = Logins {
            one: login("secret".into()),
            list: Value::Known(vec![login(Value::Null), login(Value::Unknown)]),
            map: Value::Known(BTreeMap::from([("k".to_owned(), login("secret".into()))])),
        };
        let mut found = Vec::new();
        find_write_only(&Logins::attributes(), &logins.into_raw(), &AttributePath::root(), &mut found);
        assert_eq!(
            found.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["one.password_wo", "list[1].password_wo", r#"map["k"].password_wo"#]
        );
    }
}
