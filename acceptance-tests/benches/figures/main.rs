//! Measures figures of interest to users on the local cloud: `make bench`, explained in
//! `docs/contributing/benchmarks.md`. Exits with 1 if a budget is exceeded. A budget is a number of calls or a ratio
//! within one run, never a time.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "it prints, and a failed unwrap is a failed bench")]

mod calls;
mod plans;
mod process;
mod start;
mod table;

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let mut tables = Vec::new();
    for part in &wanted {
        match part.as_str() {
            "calls" => tables.extend(calls::measure().await),
            "start" => tables.push(start::measure().await),
            "plans" => tables.push(plans::measure().await),
            other => unreachable!("no such part: {other}; there are calls, start and plans"),
        }
    }
    assert!(!tables.is_empty(), "say what to measure: calls, start, plans");
    for table in &tables {
        println!("{table}");
    }
    let exceeded: Vec<&String> = tables.iter().flat_map(|table| &table.exceeded).collect();
    for budget in &exceeded {
        println!("OVER BUDGET  {budget}");
    }
    ExitCode::from(u8::from(!exceeded.is_empty()))
}
