//! Tests of the interface of the crate, of its documentation and of the repository.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod docs;
mod options;
mod repository;
mod schema_snapshot;
mod tidy;
