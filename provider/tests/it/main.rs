//! Everything that is seen from outside the library.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod docs;
mod options;
mod repository;
mod schema_snapshot;
mod tidy;
