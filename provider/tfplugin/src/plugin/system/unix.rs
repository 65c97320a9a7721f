//! Linux, macOS and FreeBSD.

use std::io;
use std::os::unix::process::parent_id;
use std::path::PathBuf;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The process that started this one.
#[derive(Clone, Copy, Debug)]
pub(in crate::plugin) struct Parent {
    id: u32,
}

impl Parent {
    pub(in crate::plugin) fn of_this_process() -> Self {
        Self { id: parent_id() }
    }

    /// Whether the parent is alive: if it has ended, another process is the parent. (The ID is compared with the
    /// initial one and not with 1, because in a container the host may be process 1.)
    pub(in crate::plugin) fn is_alive(&self) -> bool {
        parent_id() == self.id
    }

    /// The path of the parent's program. Only Linux exposes it.
    pub(in crate::plugin) fn program(&self) -> Option<PathBuf> {
        std::fs::read_link(format!("/proc/{}/exe", self.id)).ok()
    }
}

/// SIGINT and SIGTERM.
#[derive(Debug)]
pub(in crate::plugin) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Installs the handlers. From then on, the signals do not end the process themselves.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub(in crate::plugin) fn install() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for Ctrl-C (true) or a request to end (false).
    pub(in crate::plugin) async fn is_interrupt(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.terminate.recv() => false,
        }
    }
}
