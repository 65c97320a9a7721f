//! The table of scenarios and their tests, in `docs/contributing/testing.md`.
//!
//! The first line of a test's documentation contains its scenarios: `/// N5, N6: ...`. If the test of a scenario is
//! removed, the table is outdated, and the scenario needs a reason instead.

mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use list::{GROUPS, Group};

use crate::repository::{assert_current, files, text};

const PAGE: &str = "docs/contributing/testing.md";
const BEGIN: &str = "<!-- written by `make docs` from the tests -->\n";
const END: &str = "<!-- end -->";

/// Directory of the tests with scenarios, which is removed from their paths.
const TESTS: &str = "acceptance-tests/tests/acceptance/";

/// Names of tests by scenario.
type Found = BTreeMap<String, BTreeSet<String>>;

#[test]
fn scenarios_are_current() {
    let page = text(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
    let (_, after) = rest.split_once(END).expect("the place for the table ends");
    let found = found();
    let tables: Vec<String> = GROUPS.iter().map(|group| table(group, &found)).collect();
    assert_current(PAGE, &format!("{before}{BEGIN}\n{}\n{END}{after}", tables.join("\n")), "UPDATE_DOCS");
}

#[test]
fn every_scenario_has_a_test_or_a_reason() {
    let found = found();
    let bare: Vec<String> = GROUPS
        .iter()
        .flat_map(|group| group.scenarios().map(move |scenario| (scenario, group)))
        .filter(|((id, _), group)| !found.contains_key(id) && group.reason(id).is_none())
        .map(|((id, what), _)| format!("{id}: {what}"))
        .collect();
    assert_eq!(bare, [""; 0], "no test begins its documentation with these, and no reason is given");
}

#[test]
fn every_scenario_of_a_test_is_listed() {
    let known: BTreeSet<String> = GROUPS.iter().flat_map(|group| group.scenarios().map(|(id, _)| id)).collect();
    // Other letters are numbers of tests within a module, without a table.
    let listed = |id: &str| GROUPS.iter().any(|group| id.starts_with(group.letter));
    let unknown: Vec<_> = found().into_iter().filter(|(id, _)| listed(id) && !known.contains(id)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn reasons_are_only_given_without_a_test() {
    let found = found();
    for group in GROUPS {
        let idle: Vec<_> = group.untested.iter().filter(|(id, _)| found.contains_key(*id)).collect();
        assert!(idle.is_empty(), "there is a test by now: {idle:?}");
    }
}

fn table(group: &Group, found: &Found) -> String {
    let mut table = format!("### {}\n\n| | scenario | test |\n| --- | --- | --- |\n", group.title);
    for (id, what) in group.scenarios() {
        let tests = match (found.get(&id), group.reason(&id)) {
            (Some(tests), _) => tests.iter().map(|test| format!("`{test}`")).collect::<Vec<_>>().join("<br>"),
            (None, reason) => reason.unwrap_or_default().to_owned(),
        };
        writeln!(table, "| {id} | {what} | {tests} |").unwrap();
    }
    table
}

fn found() -> Found {
    let mut found = Found::new();
    for path in files().iter().filter(|path| path.starts_with(TESTS) && path.ends_with(".rs")) {
        let module = path.trim_start_matches(TESTS).trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
        for (ids, test) in tests_of(&text(path).unwrap()) {
            for id in ids {
                found.entry(id).or_default().insert(format!("{module}::{test}"));
            }
        }
    }
    found
}

/// The scenarios and name of each test in a file.
fn tests_of(text: &str) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut ids = Vec::new();
    for line in text.lines() {
        if let Some(documentation) = line.strip_prefix("/// ") {
            ids.extend(scenarios(documentation));
        } else if let Some(name) = line.split_once("fn ").and_then(|(_, rest)| rest.split(['(', '<']).next()) {
            if !ids.is_empty() {
                found.push((std::mem::take(&mut ids), name.to_owned()));
            }
        } else if !line.starts_with('#') {
            ids.clear();
        }
    }
    found
}

/// The scenarios at the start of a line of documentation: `N5, N6: ...`.
fn scenarios(line: &str) -> Vec<String> {
    let Some((ids, _)) = line.split_once(':') else { return Vec::new() };
    let is_id = |id: &&str| {
        let (letter, number) = id.split_at(id.len().min(1));
        letter.chars().all(|c| c.is_ascii_uppercase()) && number.parse::<u8>().is_ok()
    };
    let ids: Vec<&str> = ids.split(", ").collect();
    if ids.iter().all(is_id) { ids.into_iter().map(str::to_owned).collect() } else { Vec::new() }
}

#[test]
fn tests_are_found_by_their_documentation() {
    let text = "/// N5, N6: lost.\n/// And more.\n#[tokio::test]\nasync fn is_found() {\n}\n\n/// No id: nothing.\nfn other() {}\n";
    let ids = vec!["N5".to_owned(), "N6".to_owned()];
    assert_eq!(tests_of(text), [(ids, "is_found".to_owned())]);
    assert_eq!(scenarios("Ctrl-C: it ends"), [""; 0]);
}
