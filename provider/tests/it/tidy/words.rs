//! Words that certain files must not contain.

use super::source::sources;
use crate::repository::{files, root};

/// Paths outside of the repository, split so that this file does not contain them.
const ELSEWHERE: [&str; 4] =
    [concat!("../", "shared"), concat!("/work", "/"), concat!("/root", "/wt"), concat!("/root", "/tools")];

/// The attributes of this kind.
fn attributes<'a>(code: &'a str, kind: &str) -> Vec<&'a str> {
    let begins = [format!("#[{kind}("), format!("#![{kind}(")];
    let all = begins.iter().flat_map(|begin| code.match_indices(begin.as_str()));
    all.map(|(at, _)| &code[at..at + code[at..].find(")]").map_or(0, |end| end + 2)]).collect()
}

fn allowed(code: &str) -> bool {
    !attributes(code, "allow").is_empty()
}

fn expected_without_reason(code: &str) -> bool {
    attributes(code, "expect").iter().any(|attribute| !attribute.contains("reason ="))
}

/// Whether code prints to stdout, which is reserved for the handshake.
fn prints(code: &str) -> bool {
    let printed = ["print!", "println!"].iter().any(|name| {
        code.match_indices(name).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
    });
    printed && !attributes(code, "expect").iter().any(|it| it.contains("clippy::print_stdout"))
}

fn leads_elsewhere(text: &str) -> bool {
    ELSEWHERE.iter().any(|place| text.contains(place))
}

fn found(broken: impl Fn(&str) -> bool) -> Vec<String> {
    sources("").into_iter().filter(|it| broken(&it.code())).map(|it| it.path).collect()
}

#[test]
fn lints_are_expected_and_not_allowed() {
    assert_eq!(found(allowed), [""; 0]);
}

#[test]
fn every_exception_has_its_reason() {
    assert_eq!(found(expected_without_reason), [""; 0]);
}

#[test]
fn nothing_prints_to_stdout() {
    let printing: Vec<_> =
        sources("provider/").into_iter().filter(|it| !it.is_test && prints(&it.code())).map(|it| it.path).collect();
    assert_eq!(printing, [""; 0]);
}

#[test]
fn no_path_outside_of_the_repository() {
    let text = |path: &String| std::fs::read(root().join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let found: Vec<_> =
        files().into_iter().filter(|path| text(path).is_some_and(|text| leads_elsewhere(&text))).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn checks_find_violations() {
    assert!(allowed("#[allow(dead_code)]") && !allowed("#[expect(dead_code, reason = \"\")]"));
    assert!(expected_without_reason("#[expect(dead_code)]") && expected_without_reason("#![expect(a, b)] reason = "));
    assert!(!expected_without_reason("#[expect(\n    dead_code,\n    reason = \"\"\n)]"));
    assert!(prints("println!(\"\")") && prints("x; print!(\"\")") && !prints("eprintln!(\"\")"));
    assert!(!prints("#[expect(clippy::print_stdout, reason = \"\")]\nfn f() { println!() }"));
    assert!(leads_elsewhere(&format!("see {}/guide", concat!("../", "shared"))) && !leads_elsewhere("../docs"));
}
