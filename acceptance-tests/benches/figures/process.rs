//! CPU time and memory of provider processes, from the kernel.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between samples. Usage between the last sample of a process and its end is not measured.
const INTERVAL: Duration = Duration::from_millis(2);

/// Total usage of all sampled processes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) processes: usize,
    pub(crate) cpu: Duration,
    /// Maximum memory of one process, in KiB.
    pub(crate) memory: u64,
}

/// Samples every process with a program below a folder, until [`Self::end`].
#[derive(Debug)]
pub(crate) struct Watch {
    thread: JoinHandle<Usage>,
    done: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn begin(folder: &Path) -> Self {
        let (folder, done) = (folder.to_owned(), Arc::new(AtomicBool::new(false)));
        let is_done = done.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeMap::new();
            while !is_done.load(Ordering::Relaxed) {
                for process in running(&folder) {
                    if let Some(usage) = usage(&process) {
                        let _: Option<Usage> = seen.insert(process, usage);
                    }
                }
                std::thread::sleep(INTERVAL);
            }
            seen.values().fold(Usage::default(), |sum, usage| Usage {
                processes: sum.processes + 1,
                cpu: sum.cpu + usage.cpu,
                memory: sum.memory.max(usage.memory),
            })
        });
        Self { thread, done }
    }

    pub(crate) fn end(self) -> Usage {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

fn running(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| fs::read_link(path.join("exe")).is_ok_and(|program| program.starts_with(folder))).collect()
}

fn usage(process: &Path) -> Option<Usage> {
    let threads = fs::read_dir(process.join("task")).ok()?.flatten();
    let cpu = threads.filter_map(|thread| on_cpu(&thread.path())).sum();
    Some(Usage { processes: 1, cpu, memory: peak(process)? })
}

/// CPU time of a thread in nanoseconds. `/proc/<pid>/stat` has units of 10 ms, which is the time of a hundred groups.
fn on_cpu(thread: &Path) -> Option<Duration> {
    let text = fs::read_to_string(thread.join("schedstat")).ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Maximum memory of a process so far, in KiB.
pub(crate) fn peak(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
