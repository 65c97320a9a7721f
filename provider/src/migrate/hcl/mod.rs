//! HCL values and blocks, which are written in the layout of `tofu fmt`.

mod text;
mod write;

use serde_json::Value as Json;

pub(super) use self::text::{interpolated, quoted};
pub(super) use self::write::render;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number, a boolean or null.
    Plain(String),
    Text(String),
    List(Vec<Value>),
    /// Fields in the order in which they are written.
    Object(Vec<(String, Value)>),
    /// Any other expression as text.
    Expression(String),
}

impl Value {
    /// A list of texts.
    pub(super) fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(|text| text.as_ref().into()).collect())
    }

    pub(super) fn expression(text: impl Into<String>) -> Self {
        Self::Expression(text.into())
    }

    /// The value of a variable.
    pub(super) fn variable(name: &str) -> Self {
        Self::Expression(format!("var.{name}"))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Plain(flag.to_string())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Plain(number.to_string())
    }
}

impl From<&Json> for Value {
    fn from(json: &Json) -> Self {
        match json {
            Json::Null => Self::Plain("null".to_owned()),
            Json::Bool(flag) => (*flag).into(),
            Json::Number(number) => Self::Plain(number.to_string()),
            Json::String(text) => text.as_str().into(),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(fields) => {
                Self::Object(fields.iter().map(|(name, value)| (name.clone(), value.into())).collect())
            }
        }
    }
}

/// A part of the body of a block.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Attribute(String, Value),
    Block(Block),
    /// A comment about the next item.
    Comment(String),
}

/// A block with its labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    pub(super) kind: &'static str,
    pub(super) labels: Vec<String>,
    /// Comment before the block.
    pub(super) comment: Option<String>,
    pub(super) body: Vec<Item>,
}

impl Block {
    pub(super) fn new<T: Into<String>>(kind: &'static str, labels: impl IntoIterator<Item = T>) -> Self {
        Self { kind, labels: labels.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set(name, value);
        self
    }

    #[must_use]
    pub(super) fn with_block(mut self, block: Self) -> Self {
        self.body.push(Item::Block(block));
        self
    }

    #[must_use]
    pub(super) fn commented(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.body.push(Item::Attribute(name.to_owned(), value.into()));
    }

    /// Sets the attribute if there is a value.
    pub(super) fn set_some<T: Into<Value>>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    pub(super) fn note(&mut self, comment: impl Into<String>) {
        self.body.push(Item::Comment(comment.into()));
    }
}
