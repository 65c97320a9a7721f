//! The framework as its users and its hosts see it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod plugin_process;
mod protocol;
