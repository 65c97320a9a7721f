//! Schemas: the attributes of a resource, and their behaviour in a plan.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::attribute_path::AttributePath;
use super::types::Type;
use super::value::{Mismatch, Raw, Value};

/// A struct of attributes, implemented by `#[derive(Object)]`. Every field is a [`Value`].
pub trait Object: Sized + Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The attributes, in the order of the fields.
    fn attributes() -> Vec<Attribute>;

    /// Reads an untyped object. Missing attributes are null, and additional ones are ignored.
    ///
    /// # Errors
    /// A mismatch with the path at which a value has another type.
    fn from_raw_object(attributes: BTreeMap<String, Raw>, path: &AttributePath) -> Result<Self, Mismatch>;

    /// The untyped form, with every attribute.
    fn into_raw_object(self) -> BTreeMap<String, Raw>;

    /// Reads an untyped value as the object; `None` for null.
    ///
    /// # Errors
    /// A mismatch if it is not an object or an attribute has another type.
    fn from_raw(raw: Raw) -> Result<Option<Self>, Mismatch> {
        match raw {
            Raw::Null => Ok(None),
            Raw::Map(attributes) => Self::from_raw_object(attributes, &AttributePath::root()).map(Some),
            other => Err(Mismatch::new(&AttributePath::root(), "an object", &other)),
        }
    }

    /// The untyped object.
    fn into_raw(self) -> Raw {
        Raw::Map(self.into_raw_object())
    }
}

/// The schema of a resource, a data source, or the provider itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Its version, which increases when stored state needs an upgrade.
    pub version: i64,
    /// Its description in Markdown.
    pub description: Cow<'static, str>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// The deprecation message, which names the alternative; `None` if it is not deprecated.
    pub deprecated: Option<Cow<'static, str>>,
}

impl Schema {
    /// The schema of an object.
    pub fn of<T: Object>(version: i64, description: impl Into<Cow<'static, str>>) -> Self {
        Self { version, description: description.into(), attributes: T::attributes(), deprecated: None }
    }

    /// The type of its values.
    #[must_use]
    pub fn ty(&self) -> Type {
        object_type(&self.attributes)
    }

    /// An attribute by name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The type of an object with these attributes.
#[must_use]
pub fn object_type(attributes: &[Attribute]) -> Type {
    Type::Object(
        attributes.iter().map(|attribute| (attribute.name.clone().into_owned(), attribute.kind.ty())).collect(),
    )
}

/// One attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Its name in HCL.
    pub name: Cow<'static, str>,
    /// Its description in Markdown.
    pub description: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// Who sets it.
    pub mode: Mode,
    /// Whether it is hidden in Terraform's output. The state has it nevertheless.
    pub sensitive: bool,
    /// Whether it is write-only: never in plan or state, and read only from the configuration.
    pub write_only: bool,
    /// Whether a change forces a replacement.
    pub replace: bool,
    /// Whether it is a field of the struct of `#[derive(Settings)]`: users set it, and it describes the managed object.
    pub setting: bool,
    /// Its default, which is known in the plan; null if there is none.
    pub default: Raw,
    /// The deprecation message, which names the alternative; `None` if it is not deprecated.
    pub deprecated: Option<Cow<'static, str>>,
    /// Further information for the provider, by name. The framework does not read it.
    pub marks: &'static [(&'static str, &'static str)],
}

impl Attribute {
    /// The values of all marks of this name, each empty if the mark has no value.
    pub fn marks(&self, name: &str) -> impl Iterator<Item = &'static str> {
        self.marks.iter().filter(move |(mark, _)| *mark == name).map(|(_, value)| *value)
    }

    /// Whether it has a mark of this name.
    #[must_use]
    pub fn is_marked(&self, name: &str) -> bool {
        self.marks(name).next().is_some()
    }
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The user must set it.
    Required,
    /// The user may set it.
    Optional,
    /// The provider sets it.
    Computed(Change),
    /// The user may set it; otherwise the provider does.
    OptionalComputed(Change),
}

/// The effect of an update of the resource on a computed value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It does not change: names, ARNs, IDs.
    Stable,
    /// It may change: it is "known after apply" in the plan unless the plan hook of the resource sets it.
    Volatile,
}

impl Mode {
    /// How an update affects the value, if the provider may set it.
    #[must_use]
    pub fn computed(self) -> Option<Change> {
        match self {
            Self::Required | Self::Optional => None,
            Self::Computed(change) | Self::OptionalComputed(change) => Some(change),
        }
    }
}

/// The type of an attribute: plain, or an object with attributes of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A plain type.
    Plain(Type),
    /// Nested objects, whose attributes have their own descriptions and behaviour.
    Nested(Nesting, Vec<Attribute>),
}

/// The nesting mode of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// A set of objects.
    Set,
    /// A map of objects.
    Map,
}

impl Kind {
    /// The type of the values.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Plain(ty) => ty.clone(),
            Self::Nested(nesting, attributes) => {
                let object = object_type(attributes);
                match nesting {
                    Nesting::Single => object,
                    Nesting::List => object.list(),
                    Nesting::Set => object.set(),
                    Nesting::Map => object.map(),
                }
            }
        }
    }

    /// A collection of this kind: nested if this is one object, else plain.
    #[must_use]
    pub fn collection(self, plain: fn(Type) -> Type, nesting: Nesting) -> Self {
        match self {
            Self::Nested(Nesting::Single, attributes) => Self::Nested(nesting, attributes),
            other => Self::Plain(plain(other.ty())),
        }
    }
}

/// Returns the kind of a field. Only for derived code: derive [`Object`] instead.
#[doc(hidden)]
pub fn field<T: super::value::Known>(_: std::marker::PhantomData<Value<T>>) -> Kind {
    T::kind()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::value::{Secret, Set};

    /// A taint.
    #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, crate::framework::Object)]
    struct Taint {
        /// Its key.
        #[attr(required)]
        key: Value<String>,
        /// Its value.
        /// Empty is the same as none.
        #[attr(optional, default = "")]
        value: Value<String>,
    }

    #[derive(Clone, Default, PartialEq, crate::framework::Object)]
    struct Group {
        /// The name.
        #[attr(required, replace)]
        name: Value<String>,
        /// Taints of the nodes.
        #[attr(optional, marks(unordered, api = "Taint", api = "Toleration"))]
        taints: Value<Set<Taint>>,
        /// The ARN.
        #[attr(computed, stable)]
        arn: Value<String>,
        /// The token.
        #[attr(optional, write_only, sensitive)]
        token_wo: Value<Secret>,
        /// Tags.
        #[attr(optional, computed)]
        tags: Value<BTreeMap<String, Value<String>>>,
        /// Whether to wait.
        #[attr(optional, no_setting)]
        wait: Value<bool>,
    }

    #[test]
    fn schema_is_derived_from_the_struct() {
        let attributes = Group::attributes();
        assert_eq!(
            attributes.iter().map(|a| (a.name.as_ref(), a.mode, a.replace, a.write_only)).collect::<Vec<_>>(),
            [
                ("name", Mode::Required, true, false),
                ("taints", Mode::Optional, false, false),
                ("arn", Mode::Computed(Change::Stable), false, false),
                ("token_wo", Mode::Optional, false, true),
                ("tags", Mode::OptionalComputed(Change::Volatile), false, false),
                ("wait", Mode::Optional, false, false),
            ]
        );
        let settings = attributes.iter().filter(|attribute| attribute.setting);
        assert_eq!(settings.map(|attribute| attribute.name.as_ref()).collect::<Vec<_>>(), ["name", "taints", "tags"]);
        assert_eq!(attributes[1].marks("api").collect::<Vec<_>>(), ["Taint", "Toleration"]);
        assert!(attributes[1].is_marked("unordered") && !attributes[0].is_marked("unordered"));
        let Kind::Nested(Nesting::Set, taint) = &attributes[1].kind else { unreachable!() };
        assert_eq!(taint[1].description, "Its value.\nEmpty is the same as none.");
        assert_eq!(taint[1].default, Raw::from(""));
    }

    #[test]
    fn debug_shows_no_secret() {
        let group = Group { name: "build".into(), token_wo: "secret".into(), ..Group::default() };
        let shown = format!("{group:?}");
        assert!(shown.contains("build") && !shown.contains("secret") && !shown.contains("token_wo"), "{shown}");
    }

    #[test]
    fn typed_and_untyped_schemas_are_equal() {
        let group = Group {
            name: "build".into(),
            taints: Value::Known([Taint { key: "a".into(), value: Value::Null }].into_iter().collect()),
            arn: Value::Unknown,
            ..Group::default()
        };
        let raw = group.clone().into_raw();
        assert_eq!(raw.get("arn"), Raw::unknown());
        assert_eq!(Group::from_raw(raw), Ok(Some(group)));
    }
}
