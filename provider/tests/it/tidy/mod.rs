//! The rules of docs/architecture.md that neither the compiler nor clippy enforces. Each has a test, and each check is
//! verified with code that violates it.

mod direction;
mod names;
mod purity;
mod size;
mod source;
mod words;
