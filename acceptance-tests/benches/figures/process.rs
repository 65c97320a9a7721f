//! What processes of the provider take, as the kernel counts it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Between two looks. What a process takes in its last moments before it ends is missed.
const INTERVAL: Duration = Duration::from_millis(2);

/// Of all processes together that were seen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) processes: usize,
    pub(crate) cpu: Duration,
    /// The most memory that one of them had, in KiB.
    pub(crate) memory: u64,
}

/// Looks at every process whose program is below a folder, until it is told to end.
#[derive(Debug)]
pub(crate) struct Watch {
    thread: JoinHandle<Usage>,
    done: Arc<AtomicBool>,
}

impl Watch {
    pub(crate) fn begin(folder: &Path) -> Self {
        let (folder, done) = (folder.to_owned(), Arc::new(AtomicBool::new(false)));
        let told = done.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = BTreeMap::new();
            while !told.load(Ordering::Relaxed) {
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

/// In nanoseconds: `/proc/<pid>/stat` counts in steps of 10 ms, which is what a hundred groups take.
fn on_cpu(thread: &Path) -> Option<Duration> {
    let text = fs::read_to_string(thread.join("schedstat")).ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// The most memory that a process had so far, in KiB.
pub(crate) fn peak(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
