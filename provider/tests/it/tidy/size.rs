//! The maximum length of files.

use super::source::{sources, without_tests};

/// Maximum number of lines without tests.
const LONGEST: usize = 400;

fn too_long(code: &str) -> Option<usize> {
    let lines = without_tests(code).trim_end().lines().count();
    (lines > LONGEST).then_some(lines)
}

#[test]
fn no_file_exceeds_the_maximum_length() {
    let found: Vec<_> = sources("")
        .iter()
        .filter(|it| !it.is_test)
        .filter_map(|it| too_long(&it.code()).map(|lines| format!("{}: {lines} lines", it.path)))
        .collect();
    assert_eq!(found, [""; 0], "make a folder of it");
}

#[test]
fn check_finds_violations() {
    let long = "x\n".repeat(LONGEST + 1);
    assert_eq!(too_long(&long), Some(LONGEST + 1));
    let tests = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "x\n".repeat(LONGEST));
    assert_eq!(too_long(&tests), None);
}
