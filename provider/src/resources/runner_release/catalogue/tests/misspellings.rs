//! Every key of the catalogue and of the chart, misspelt at random, is refused wherever it can be written, with the right
//! name at hand.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value as Json, json};

use super::super::super::config_toml::{Place, Release, from_hcl, from_text};
use super::super::super::finding::attribute;
use super::super::super::values::{self, KEYS};
use super::*;

/// Of each key.
const MISSPELLINGS: u32 = 3;

const NEWEST: RunnerVersion = RunnerVersion::new(19, 4);

/// One slip: a letter too many, missing, wrong, or exchanged with the next.
#[derive(Clone, Debug)]
struct Slip {
    kind: u8,
    at: Index,
    letter: char,
}

fn slips() -> impl Strategy<Value = Vec<Slip>> {
    let slip = (0..4u8, any::<Index>(), prop::char::range('a', 'z'));
    prop::collection::vec(slip.prop_map(|(kind, at, letter)| Slip { kind, at, letter }), 1..=2)
}

fn misspelt(name: &str, slips: &[Slip]) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    for Slip { kind, at, letter } in slips {
        let at = at.index(letters.len().max(1));
        match kind {
            0 => letters.insert(at, *letter),
            1 if letters.len() > 1 => drop(letters.remove(at)),
            2 if letters.len() > at + 1 => letters.swap(at, at + 1),
            _ if !letters.is_empty() => letters[at] = *letter,
            _ => {}
        }
    }
    letters.into_iter().collect()
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', '-'], "")
}

/// Whether the message names a key that is as near as the right one. Of what is nearly all wrong, nothing can be said: `li`
/// is as little `id` as it is `limit`. Two slips at one place can be three.
fn is_right(message: &str, wrong: &str, right: &str) -> bool {
    let distance = |name: &str| strsim::osa_distance(&plain(wrong), &plain(name));
    let belongs_elsewhere = ["belongs to", "It belongs", "is set in GitLab", "Write ", "In runners.config it is"];
    if belongs_elsewhere.iter().any(|words| message.contains(words)) {
        return true;
    }
    let rest = message.split("Did you mean ").nth(1).map(|rest| rest.trim_start_matches('"'));
    let suggested = rest.and_then(|rest| rest.split(['"', '?']).next()).and_then(|path| path.rsplit('.').next());
    let is_all_wrong = distance(right) >= plain(wrong).len();
    match suggested {
        Some(name) => distance(name) <= distance(right) || is_all_wrong,
        None => distance(right) > 2 || is_all_wrong,
    }
}

/// An object with `leaf` where the path of the catalogue leads.
fn nested(mut table: &'static Table, path: &[&str], leaf: &str) -> Json {
    let mut kinds = Vec::new();
    for name in &path[..path.len() - 1] {
        let key = table.keys().find(|key| key.toml == *name || key.hcl == *name).unwrap();
        kinds.push(key.kind);
        if let Kind::Table(of) | Kind::Tables(of) = key.kind {
            table = of;
        }
    }
    let mut object = json!({ leaf: 1 });
    for (name, kind) in path.iter().zip(kinds).rev() {
        object = if matches!(kind, Kind::Tables(_)) { json!({ *name: [object] }) } else { json!({ *name: object }) };
    }
    object
}

/// The siblings of the last part of a path.
fn siblings(table: &'static Table, path: &str, name: fn(&Key) -> &'static str) -> Vec<String> {
    let parts: Vec<&str> = path.split('.').collect();
    let mut table = table;
    for part in &parts[..parts.len() - 1] {
        let key = table.keys().find(|key| name(key) == *part).unwrap();
        if let Kind::Table(of) | Kind::Tables(of) = key.kind {
            table = of;
        }
    }
    table.keys().map(|key| name(key).to_owned()).collect()
}

fn each(path: &str, known: &[String], check: impl Fn(&str) -> Vec<String>) {
    let right = path.rsplit('.').next().unwrap();
    let mut runner = TestRunner::new(Config { cases: MISSPELLINGS, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&slips(), |slips| {
        let wrong = misspelt(right, &slips);
        prop_assume!(!wrong.is_empty() && !known.iter().any(|name| name.eq_ignore_ascii_case(&wrong)));
        prop_assume!(!OTHER_EXECUTORS.contains(&wrong.as_str()) && wrong != "runners");
        let said = check(&wrong);
        prop_assert_eq!(said.len(), 1, "{} for {}: {:?}", wrong, path, said);
        prop_assert!(said[0].contains(&wrong), "{} for {}: {:?}", wrong, path, said);
        prop_assert!(is_right(&said[0], &wrong, right), "{} for {}: {:?}", wrong, path, said);
        Ok(())
    });
    checked.unwrap_or_else(|failure| unreachable!("{failure}"));
}

#[test]
fn in_text() {
    let release = Release { name: "gitlab-runner", namespace: "ci", values: None, app_version: "19.4.0" };
    let place = Place::strict(attribute("config_toml"), NEWEST);
    let said = |object: Json| {
        let text = toml::to_string(&object).unwrap();
        let read = from_text(&text, release, &place);
        read.map(|_| Vec::new()).unwrap_or_else(|found| found.into_iter().map(|found| found.detail).collect())
    };
    for (table, is_runner) in [(&GLOBAL, false), (&RUNNER, true)] {
        for entry in entries(table) {
            let parts: Vec<&str> = entry.toml_path.split('.').collect();
            each(&entry.toml_path, &siblings(table, &entry.toml_path, |key| key.toml), |wrong| {
                let mut object = nested(table, &parts, wrong);
                if is_runner {
                    object = json!({ "runners": [object] });
                } else {
                    object["runners"] = json!([{ "limit": 1 }]);
                }
                said(object)
            });
        }
    }
}

#[test]
fn in_hcl() {
    for table in [&GLOBAL, &RUNNER] {
        for entry in entries(table) {
            let parts: Vec<&str> = entry.hcl_path.split('.').collect();
            each(&entry.hcl_path, &siblings(table, &entry.hcl_path, |key| key.hcl), |wrong| {
                let read = from_hcl(&nested(table, &parts, wrong), table, NEWEST, attribute("config"));
                read.map(|_| Vec::new()).unwrap_or_else(|found| found.into_iter().map(|found| found.detail).collect())
            });
        }
    }
}

#[test]
fn in_values_files() {
    let context = values::Context { release: "gitlab-runner", namespace: "ci", version: None, app_version: None };
    for key in KEYS {
        let (parent, _) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
        let below = KEYS.iter().filter_map(|other| other.path.strip_prefix(&prefix)?.split('.').next());
        let known: Vec<String> = below.map(str::to_owned).collect();
        each(key.path, &known, |wrong| {
            let mut object = json!({ wrong: 1 });
            for name in parent.split('.').filter(|name| !name.is_empty()).rev() {
                object = json!({ name: object });
            }
            let read = values::read(&[&object.to_string()], context);
            let warnings = read.notes.into_findings().into_iter().map(|found| found.detail);
            warnings.flat_map(|told| told.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
        });
    }
}
