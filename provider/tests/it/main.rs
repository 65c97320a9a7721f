//! Everything that is seen from outside the library.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod docs;
mod plugin_process;
mod protocol;
mod repository;
mod schema_snapshot;
mod tidy;

// The derive macro writes `crate::framework`, as it is in the library.
use gitlabspot::framework;
