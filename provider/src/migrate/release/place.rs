//! Finds the lines of settings in values files.

use super::super::report::Place;
use super::File;
use crate::resources::runner_release::values::{KEYS, MapsTo};
use crate::yaml;

/// The place of a setting, which is the key of the chart or the name of a variable. `value` is its text, if it has one.
pub(super) fn of(files: &[File], name: &str, value: Option<&str>) -> Place {
    let key = key(name).unwrap_or(name);
    // In Helm, the last file with a key takes precedence.
    let found = files.iter().rev().find_map(|file| Some((file, line(file, key, value)?)));
    let file = found.map(|(file, _)| file).or_else(|| files.first());
    let line = found.filter(|(file, _)| has_lines(file)).map(|(_, line)| line);
    Place { file: file.map(|file| file.name.clone()).unwrap_or_default(), line, key: key.to_owned() }
}

/// Whether the lines of a file are those of a file of the user. A file that was made from `set` has a single line.
pub(super) fn has_lines(file: &File) -> bool {
    file.text.trim().lines().nth(1).is_some()
}

/// Whether a file has this key of the chart.
pub(super) fn has(files: &[File], key: &str) -> bool {
    files.iter().any(|file| of_key(file, key).is_some())
}

/// The key of the chart for an attribute: `sentryDsn` for `sentry_dsn`.
fn key(attribute: &str) -> Option<&'static str> {
    let is_of = |to: &MapsTo| matches!(to, MapsTo::Attribute(to) | MapsTo::Global(to) if *to == attribute);
    KEYS.iter().find(|key| is_of(&key.maps_to)).map(|key| key.path)
}

fn line(file: &File, key: &str, value: Option<&str>) -> Option<usize> {
    of_key(file, key).or_else(|| of_word(file, key, value))
}

fn of_key(file: &File, key: &str) -> Option<usize> {
    let (_, lines, _) = yaml::first_document(&file.text).ok()?;
    lines.has(key).then(|| lines.of(key)).flatten()
}

/// The line with the last part of a name. The value decides between several.
fn of_word(file: &File, name: &str, value: Option<&str>) -> Option<usize> {
    let word = name.rsplit('.').next().unwrap_or(name);
    let value = value.and_then(|value| value.lines().map(str::trim).find(|line| !line.is_empty()));
    let lines = || file.text.lines().enumerate().map(|(index, text)| (index + 1, text));
    let has_value = |text: &str| value.is_some_and(|value| text.contains(value));
    let both = lines().find(|(_, text)| has_word(text, word) && has_value(text));
    // A short value, such as `a`, is in many lines.
    let is_telling = value.is_some_and(|value| value.len() >= 6);
    let alone = || lines().find(|(_, text)| is_telling && has_value(text));
    let named = || lines().find(|(_, text)| has_word(text, word));
    both.or_else(alone).or_else(named).map(|(line, _)| line)
}

/// Whether a line has a word, and not only as a part of another one.
fn has_word(line: &str, word: &str) -> bool {
    let is_outside =
        |letter: Option<char>| letter.is_none_or(|letter| !letter.is_ascii_alphanumeric() && letter != '_');
    !word.is_empty()
        && line.match_indices(word).any(|(at, _)| {
            is_outside(line[..at].chars().next_back()) && is_outside(line[at + word.len()..].chars().next())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_key_and_value() {
        let text = "sentryDsn: https://x\nextraEnv:\n  MY_TOKEN: one\nrunners:\n  config: |\n    token = \"two\"\n    a = \"TOKEN=three\"\n";
        let files = [File { name: "v.yaml".to_owned(), text: text.to_owned() }];
        for (name, value, key, line) in [
            ("sentry_dsn", None, "sentryDsn", Some(1)),
            ("MY_TOKEN", Some("one"), "MY_TOKEN", Some(3)),
            ("token", Some("two"), "token", Some(6)),
            ("TOKEN", Some("three"), "TOKEN", Some(7)),
            ("nowhere", None, "nowhere", None),
        ] {
            let expected = Place { file: "v.yaml".to_owned(), line, key: key.to_owned() };
            assert_eq!(of(&files, name, value), expected);
        }
        let set = [File { name: "set".to_owned(), text: "{\"sentryDsn\":\"x\"}".to_owned() }];
        assert_eq!(of(&set, "sentry_dsn", None).line, None);
    }
}
