//! Functions that the provider offers: `provider::name::function(...)`.

use std::borrow::Cow;

use super::types::Type;
use super::value::Raw;

/// A pure function: the same arguments always give the same result, and nothing outside is asked.
pub trait Function: Send + Sync + 'static {
    /// Its name without the provider's.
    fn name(&self) -> &'static str;

    /// Parameters, result, and what users read about it.
    fn definition(&self) -> Definition;

    /// Calls it. The arguments have the parameters' types; null only where it is allowed, never unknown unless allowed.
    ///
    /// # Errors
    /// What is wrong with which argument.
    fn call(&self, arguments: Vec<Raw>) -> Result<Raw, FunctionError>;
}

/// How a function looks.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// One sentence.
    pub summary: Cow<'static, str>,
    /// The rest, in Markdown.
    pub description: Cow<'static, str>,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// Taken any number of times after the others.
    pub variadic: Option<Parameter>,
    /// Type of the result.
    pub result: Type,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, for the docs.
    pub name: Cow<'static, str>,
    /// What it is, in Markdown.
    pub description: Cow<'static, str>,
    /// Its type.
    pub ty: Type,
    /// Whether null may be given.
    pub allow_null: bool,
    /// Whether the function wants to see unknown values; otherwise core answers "unknown" itself.
    pub allow_unknown: bool,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// What is wrong and what to do.
    pub text: String,
    /// Which argument is at fault, counted from zero.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error about one argument.
    pub fn argument(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}
