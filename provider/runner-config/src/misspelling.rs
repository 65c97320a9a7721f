//! Random misspellings, for tests of suggestions.

#![expect(clippy::unwrap_used, reason = "for tests alone, in which a failed unwrap is a failed test")]

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};

use crate::catalogue::OTHER_EXECUTORS;

/// Number of misspellings of each key.
const MISSPELLINGS: u32 = 3;

/// A typing error: a letter is inserted, removed, replaced, or exchanged with the next.
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

/// Whether the message suggests a key that is at least as near as the correct one. A name that is almost entirely wrong
/// is excluded: `li` is as far from `id` as from `limit`. Two typing errors at one position can result in a distance of
/// three.
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

/// Misspells the last part of `path` randomly, so that it is not one of the `known` names, and checks that exactly one
/// message is returned, which suggests the correct name.
pub fn each(path: &str, known: &[String], check: impl Fn(&str) -> Vec<String>) {
    let right = path.rsplit('.').next().unwrap();
    let mut runner = TestRunner::new(Config { cases: MISSPELLINGS, failure_persistence: None, ..Config::default() });
    let checked = runner.run(&slips(), |slips| {
        let wrong = misspelt(right, &slips);
        prop_assume!(!wrong.is_empty() && !known.iter().any(|name| name.eq_ignore_ascii_case(&wrong)));
        prop_assume!(!OTHER_EXECUTORS.contains(&wrong.as_str()) && wrong != "runners");
        let messages = check(&wrong);
        prop_assert_eq!(messages.len(), 1, "{} for {}: {:?}", wrong, path, messages);
        prop_assert!(messages[0].contains(&wrong), "{} for {}: {:?}", wrong, path, messages);
        prop_assert!(is_right(&messages[0], &wrong, right), "{} for {}: {:?}", wrong, path, messages);
        Ok(())
    });
    checked.unwrap_or_else(|failure| unreachable!("{failure}"));
}
