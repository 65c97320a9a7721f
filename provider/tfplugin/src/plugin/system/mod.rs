//! What differs by operating system: the program that started this process, and how this process is told to end.
//!
//! Each system has a `Parent` and `Signals` with the same functions; what the process listens on is `transport`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Parent, Signals};
#[cfg(windows)]
pub(super) use windows::{Parent, Signals};
