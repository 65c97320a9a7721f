//! The rules of the house, as docs/architecture.md gives them. Each has a test of its own, and its checker is tried on
//! something that breaks it.

mod layering;
mod names;
mod purity;
mod size;
mod source;
mod words;
