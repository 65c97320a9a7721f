//! Tests of the framework as provider authors and hosts use it.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod plugin_process;
mod protocol;
