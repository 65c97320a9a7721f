//! Windows.

use std::io;
use std::path::PathBuf;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind, get_current_pid};
use tokio::signal::windows::{
    CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown,
};

/// The process that started this one. `None` if the system does not expose it: it then counts as alive.
#[derive(Clone, Copy, Debug)]
pub(in crate::plugin) struct Parent(Option<Process>);

/// Windows reuses the ID of a process that has ended: the start time distinguishes them.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Process {
    id: Pid,
    start_time: u64,
}

impl Parent {
    pub(in crate::plugin) fn of_this_process() -> Self {
        let parent = get_current_pid().ok().and_then(|own| with_process(own, sysinfo::Process::parent).flatten());
        Self(parent.and_then(process))
    }

    pub(in crate::plugin) fn is_alive(&self) -> bool {
        self.0.is_none_or(|parent| process(parent.id) == Some(parent))
    }

    /// The path of the parent's program, if this process is allowed to read it.
    pub(in crate::plugin) fn program(&self) -> Option<PathBuf> {
        with_process(self.0?.id, |process| process.exe().map(PathBuf::from)).flatten()
    }
}

fn process(id: Pid) -> Option<Process> {
    with_process(id, |process| Process { id, start_time: process.start_time() })
}

fn with_process<T>(id: Pid, read: impl FnOnce(&sysinfo::Process) -> T) -> Option<T> {
    let mut system = System::new();
    let wanted = ProcessRefreshKind::nothing().with_exe(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), true, wanted);
    system.process(id).map(read)
}

/// Ctrl-C, and the events that the console and the system send before they end a process.
#[derive(Debug)]
pub(in crate::plugin) struct Signals {
    interrupt: CtrlC,
    brk: CtrlBreak,
    close: CtrlClose,
    shutdown: CtrlShutdown,
}

impl Signals {
    /// Installs the handlers. From then on, the signals do not end the process themselves.
    ///
    /// # Errors
    /// If the handlers cannot be installed.
    pub(in crate::plugin) fn install() -> io::Result<Self> {
        Ok(Self { interrupt: ctrl_c()?, brk: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    /// Waits for Ctrl-C (true) or a request to end (false).
    pub(in crate::plugin) async fn is_interrupt(&mut self) -> bool {
        tokio::select! {
            _ = self.interrupt.recv() => true,
            _ = self.brk.recv() => false,
            _ = self.close.recv() => false,
            _ = self.shutdown.recv() => false,
        }
    }
}
