//! The steps of an operation: the state after each, and what remains after a failed one.
//!
//! After a create request was sent, the state is never empty, because an operation records an object before its
//! request. An error contains the step, the object, the cause and what remains.

use tfplugin::framework::{Create, Delete, Diagnostic, Diagnostics, Update};

/// Consequence of a failed create: hosts replace a tainted resource.
const REPLACES: &str = "A failed create leaves the resource tainted, so that the next apply deletes and recreates it.";

/// Advice for a create that an update can complete.
const UNTAINT: &str = "To keep it, run \"tofu untaint ADDRESS\" first: the apply then creates what is missing.";

/// Error of an operation: its cause, and what remains.
#[derive(Debug)]
pub(crate) struct Error<F> {
    pub(crate) fault: Box<F>,
    pub(crate) remains: Remains,
}

/// What remains after a failed operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Remains {
    #[error("Nothing was created.")]
    Nothing,
    #[error("Nothing was changed.")]
    Unchanged,
    /// After a read.
    #[error("The state was not changed.")]
    State,
    #[error(
        "It may have been created, and is kept in the state. The next apply or destroy determines whether it exists."
    )]
    Unknown,
    #[error(
        "The objects that were created or changed are in the state. Apply or destroy again when the cause is resolved."
    )]
    Recorded,
    /// As `Recorded`, after a create that an update can complete.
    #[error("The objects that were created are in the state. {REPLACES} {UNTAINT}")]
    Incomplete,
    /// As `Recorded`, after a create that no update can complete.
    #[error("The objects that were created are in the state. {REPLACES}")]
    Tainted,
    #[error("All objects were applied and are in the state. The next apply waits again.")]
    Applied,
    #[error("The remaining objects are kept in the state. Apply or destroy again when the cause is resolved.")]
    Undeleted,
    /// Specific to one resource.
    #[error("{0}")]
    Other(String),
    /// A sentence before the one about what remains.
    #[error("{0} {1}")]
    Also(String, Box<Self>),
    /// The text of the fault already contains what remains.
    #[error("")]
    Unsaid,
}

/// Cause of an error. Its text is the detail of the diagnostic, before the sentence about what remains.
pub(crate) trait Fault: std::error::Error {
    /// The summary of the diagnostic.
    fn summary(&self) -> &'static str;

    /// The fault of shared code that this one wraps. Its attribute and diagnostics are used by default.
    fn inner(&self) -> Option<&dyn Fault> {
        None
    }

    /// The attribute of the diagnostic.
    fn attribute(&self) -> Option<&'static str> {
        self.inner()?.attribute()
    }

    /// The diagnostics of a cause that is one itself. They replace summary and text of the fault.
    fn of_cause(&self) -> Option<Diagnostics> {
        self.inner()?.of_cause()
    }

    /// Lines after the sentence about what remains, such as those of a log.
    fn lines(&self) -> String {
        String::new()
    }

    /// Makes the fault an error with what remains.
    fn leaving(self, remains: Remains) -> Error<Self>
    where
        Self: Sized,
    {
        Error { fault: Box::new(self), remains }
    }
}

impl Remains {
    /// Converts what remains to that of a create, after which the host replaces the resource: `created` replaces
    /// `Recorded` and `Applied`.
    #[must_use]
    pub(crate) fn of_create(self, created: Self) -> Self {
        match self {
            Self::Recorded | Self::Applied => created,
            Self::Also(text, remains) => Self::Also(text, Box::new(remains.of_create(created))),
            remains => remains,
        }
    }

    /// Adds a sentence before what remains.
    #[must_use]
    pub(crate) fn also(self, text: String) -> Self {
        Self::Also(text, Box::new(self))
    }
}

impl<F> Error<F> {
    /// Converts the fault to another type.
    pub(crate) fn map<G>(self, convert: impl FnOnce(F) -> G) -> Error<G> {
        Error { fault: Box::new(convert(*self.fault)), remains: self.remains }
    }

    /// Converts what remains to that of a create. See [`Remains::of_create`].
    #[must_use]
    pub(crate) fn of_create(mut self, created: Remains) -> Self {
        self.remains = self.remains.of_create(created);
        self
    }
}

/// An error whose fault already contains what remains.
impl<F: Fault> From<F> for Error<F> {
    fn from(fault: F) -> Self {
        fault.leaving(Remains::Unsaid)
    }
}

impl<F: Fault> From<Error<F>> for Diagnostics {
    fn from(Error { fault, remains }: Error<F>) -> Self {
        let own = || {
            Self::from(match fault.attribute() {
                Some(attribute) => Diagnostic::error(fault.summary(), fault.to_string()).at(attribute),
                None => Diagnostic::error(fault.summary(), fault.to_string()),
            })
        };
        let complete = |diagnostic: Diagnostic| {
            let detail = format!("{} {remains}", diagnostic.detail).trim_end().to_owned() + &fault.lines();
            Diagnostic { detail, ..diagnostic }
        };
        fault.of_cause().unwrap_or_else(own).into_iter().map(complete).collect()
    }
}

/// An operation that can record the state after each step.
pub(crate) trait Operation: Send + Sync {
    type Model;
    type Private;

    fn record(&mut self, state: Self::Model);
    fn private(&mut self) -> &mut Self::Private;
    fn warn(&mut self, warning: Diagnostic);
}

macro_rules! operations {
    ($($operation:ident: $record:expr,)*) => {$(
        impl<M: Clone + Send + Sync, P: Send + Sync> Operation for $operation<M, P> {
            type Model = M;
            type Private = P;

            fn record(&mut self, state: M) {
                $record(self, state);
            }

            fn private(&mut self) -> &mut P {
                &mut self.private
            }

            fn warn(&mut self, warning: Diagnostic) {
                self.diagnostics.push(warning);
            }
        }
    )*};
}

operations! {
    Create: Create::record,
    Update: Update::record,
    Delete: |operation: &mut Self, state| operation.state = state,
}

/// Progress of an operation: its state after the last step.
pub(crate) struct Progress<'a, O: Operation> {
    pub(crate) operation: &'a mut O,
    /// The state after the last step.
    pub(crate) state: O::Model,
}

impl<'a, O: Operation<Model: Clone>> Progress<'a, O> {
    /// Begins with a state, and records it.
    pub(crate) fn begin(operation: &'a mut O, state: O::Model) -> Self {
        let mut progress = Self { operation, state };
        progress.record();
        progress
    }

    /// Records the state.
    pub(crate) fn record(&mut self) {
        self.operation.record(self.state.clone());
    }

    /// Changes the state after a step, and records it.
    pub(crate) fn done(&mut self, change: impl FnOnce(&mut O::Model)) {
        change(&mut self.state);
        self.record();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("Creation of a failed: no reason.")]
    struct Creation;

    impl Fault for Creation {
        fn summary(&self) -> &'static str {
            "Cannot create"
        }

        fn attribute(&self) -> Option<&'static str> {
            Some("name")
        }
    }

    fn detail(error: Error<Creation>) -> String {
        Diagnostics::from(error).iter().map(|it| it.detail.clone()).collect()
    }

    #[test]
    fn an_error_says_what_remains() {
        assert_eq!(detail(Creation.leaving(Remains::Nothing)), "Creation of a failed: no reason. Nothing was created.");
        assert_eq!(detail(Creation.leaving(Remains::Unsaid)), "Creation of a failed: no reason.");
        let also = Creation.leaving(Remains::Recorded.also("A key was deleted.".to_owned()));
        let text = detail(also.of_create(Remains::Tainted));
        assert!(
            text.contains("no reason. A key was deleted. The objects that were created are in the state."),
            "{text}"
        );
        assert!(text.ends_with(REPLACES), "{text}");
        let unchanged = detail(Creation.leaving(Remains::Unchanged).of_create(Remains::Tainted));
        assert!(unchanged.ends_with("Nothing was changed."), "{unchanged}");
    }
}
