//! Code that differs by operating system: the parent process, and the signals that end this process.
//!
//! Each system has a `Parent` and `Signals` with the same functions. Listeners are in `transport`.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Parent, Signals};
#[cfg(windows)]
pub(super) use windows::{Parent, Signals};
