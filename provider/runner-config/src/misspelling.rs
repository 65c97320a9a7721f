//! Misspelt names, for tests of what suggests the right one.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::catalogue::OTHER_EXECUTORS;

/// Of each key.
const MISSPELLINGS: u32 = 3;

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

/// Misspells the last part of `path` at random, so that it is none of the `known` names, and checks that exactly one
/// message comes back, which names the right one.
pub fn each(path: &str, known: &[String], check: impl Fn(&str) -> Vec<String>) {
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
