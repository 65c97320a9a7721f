//! Time from the start of the provider to its handshake, compared with a trivial process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::process::peak;
use crate::table::Table;

const TIMES: usize = 50;

pub(crate) async fn measure() -> Table {
    let provider = PathBuf::from(std::env::var_os("GITLABSPOT_PROVIDER").unwrap());
    let mut table = Table::new(
        "Start: from the start of the process to its first line, 50 times in turns",
        &["program", "median ms", "90 % ms", "memory MiB", "binary MiB"],
    );
    let (mut nothing, mut ours) = (Vec::new(), Vec::new());
    let mut memory = 0;
    // In turns, so that the load of the machine affects both.
    for _ in 0..TIMES {
        nothing.push(first_line(&mut Command::new("/bin/echo")).await.0);
        let (time, most) = first_line(&mut invited(&provider)).await;
        ours.push(time);
        memory = memory.max(most);
    }
    let size = std::fs::metadata(&provider).unwrap().len() >> 10;
    table.row(&[&"echo", &quantile(&mut nothing, 50), &quantile(&mut nothing, 90), &"", &""]);
    table.row(&[&"provider", &quantile(&mut ours, 50), &quantile(&mut ours, 90), &mib(memory), &mib(size)]);
    table
}

/// Starts the provider like a host without mutual TLS, so that the time does not include generating a TLS key.
fn invited(provider: &Path) -> Command {
    let mut command = Command::new(provider);
    command.env_clear().envs([
        ("PLUGIN_PROTOCOL_VERSIONS", "6"),
        ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"),
    ]);
    command
}

async fn first_line(command: &mut Command) -> (Duration, u64) {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    let read = BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
    let took = began.elapsed();
    assert!(read > 0, "it ended without a line");
    let memory = child.id().and_then(|id| peak(Path::new(&format!("/proc/{id}")))).unwrap_or_default();
    child.kill().await.unwrap();
    (took, memory)
}

pub(crate) fn mib(kib: u64) -> String {
    format!("{}.{}", kib >> 10, ((kib & 1023) * 10) >> 10)
}

fn quantile(times: &mut [Duration], percent: usize) -> String {
    times.sort_unstable();
    format!("{:.1}", times[times.len() * percent / 100].as_secs_f64() * 1000.0)
}
