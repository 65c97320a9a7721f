//! The rules of docs/architecture.md that neither the compiler nor clippy enforces. Each has a test of its own, and each
//! check is tried on code that breaks it.

mod direction;
mod names;
mod purity;
mod size;
mod source;
mod words;
