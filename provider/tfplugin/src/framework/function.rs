//! Functions of the provider: `provider::name::function(...)`.

use std::borrow::Cow;

use super::types::Type;
use super::value::Raw;

/// A pure function: equal arguments give equal results, and no API is called.
pub trait Function: Send + Sync + 'static {
    /// Its name, without that of the provider.
    fn name(&self) -> &'static str;

    /// Its parameters, result and documentation.
    fn definition(&self) -> Definition;

    /// Calls the function. The arguments have the types of the parameters, and are null or unknown only where the
    /// parameter allows it.
    ///
    /// # Errors
    /// If an argument is invalid.
    fn call(&self, arguments: Vec<Raw>) -> Result<Raw, FunctionError>;
}

/// The signature and documentation of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// Summary in one sentence.
    pub summary: Cow<'static, str>,
    /// Description in Markdown.
    pub description: Cow<'static, str>,
    /// Parameters in order.
    pub parameters: Vec<Parameter>,
    /// Parameter for any number of further arguments.
    pub variadic: Option<Parameter>,
    /// Type of the result.
    pub result: Type,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name, for the docs.
    pub name: Cow<'static, str>,
    /// Its description in Markdown.
    pub description: Cow<'static, str>,
    /// Its type.
    pub ty: Type,
    /// Whether the argument can be null.
    pub allow_null: bool,
    /// Whether the argument can be unknown. Otherwise core does not call the function, and the result is unknown.
    pub allow_unknown: bool,
}

/// The error of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The problem and its solution.
    pub text: String,
    /// Index of the invalid argument, counted from zero.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// An error about one argument.
    pub fn argument(argument: usize, text: impl Into<String>) -> Self {
        Self { text: text.into(), argument: Some(argument) }
    }
}
