//! Reports of panics, in the format that go-plugin hosts recognise.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic;

use crate::framework::panic::witnessed;

/// Installs the hook that reports panics on stderr, whatever the log level, unless they are caught.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| {
        // A caught panic is a diagnostic. With this report, the host would show it as a crash.
        if witnessed(info) {
            return;
        }
        let message = info.payload_as_str().unwrap_or("(no message)");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let text = report(message, &place, thread.name(), &Backtrace::capture());
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }));
}

/// Returns the report of a panic. The host treats a line that starts with `panic: `, and all lines that follow, as a
/// crash report, and shows it to the user. It would treat JSON as a log line.
fn report(message: &str, place: &str, thread: Option<&str>, backtrace: &Backtrace) -> String {
    let thread = thread.unwrap_or("(unnamed)");
    let mut text = format!("panic: {message}\n\nin thread {thread} at {place}\n");
    if backtrace.status() == BacktraceStatus::Captured {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{backtrace}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_has_the_panic_marker_of_hosts() {
        let text = report("no more\nmoney", "src/a.rs:1:2", Some("worker"), &Backtrace::disabled());
        assert_eq!(text, "panic: no more\nmoney\n\nin thread worker at src/a.rs:1:2\n");
    }
}
