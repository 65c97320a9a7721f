//! Report of a migration, for the user.

use std::fmt::Write as _;

/// A place in an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: Option<usize>,
    /// Path of the key, separated by dots, or the address of a resource.
    pub(super) key: String,
}

/// Section of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// Changes that the first plan shows in addition to the imports.
    Change,
    /// Tasks for the user.
    Task,
    /// Tokens, passwords and keys that were omitted.
    Secret,
    /// Objects that stay unchanged, outside of the configuration.
    Kept,
    /// Settings without a counterpart, with advice.
    NoCounterpart,
}

const TOPICS: [(Topic, &str); 5] = [
    (Topic::Change, "What the first plan changes"),
    (Topic::Task, "What is left to do"),
    (Topic::Secret, "Secrets that were left out"),
    (Topic::Kept, "What stays as it is"),
    (Topic::NoCounterpart, "What has no counterpart"),
];

/// The entries, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    entries: Vec<(Topic, Option<Place>, String)>,
    /// Title and HCL of suggested configurations, which are not part of the result.
    suggestions: Vec<(String, String)>,
}

impl Report {
    pub(super) fn add(&mut self, topic: Topic, place: impl Into<Option<Place>>, text: impl Into<String>) {
        let entry = (topic, place.into(), text.into());
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    pub(super) fn suggest(&mut self, title: String, hcl: String) {
        self.suggestions.push((title, hcl));
    }

    /// The report as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut text = "# Migration\n".to_owned();
        for (topic, title) in TOPICS {
            let mut entries: Vec<_> = self.entries.iter().filter(|(of, ..)| *of == topic).collect();
            if entries.is_empty() {
                continue;
            }
            // By file and line. Entries without a place come first; the sort is stable, so that they keep their order.
            entries.sort_by_key(|(_, place, _)| place.as_ref().map(|place| (place.file.clone(), place.line)));
            // Writing to a `String` cannot fail.
            let _ = write!(text, "\n## {title}\n\n");
            for (_, place, about) in entries {
                let _ = writeln!(text, "- {}{about}", place.as_ref().map(prefix).unwrap_or_default());
            }
        }
        for (title, hcl) in &self.suggestions {
            let _ = write!(text, "\n## {title}\n\n```terraform\n{hcl}```\n");
        }
        text
    }
}

/// The text of a place before an entry.
fn prefix(place: &Place) -> String {
    let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
    match (place.file.as_str(), place.key.as_str()) {
        (file, "") => format!("{file}{line}: "),
        ("", key) => format!("`{key}`: "),
        (file, key) => format!("{file}{line}, `{key}`: "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_listed_by_topic_and_line() {
        let place = |line| Place { file: "a.yaml".to_owned(), line: Some(line), key: "k".to_owned() };
        let mut report = Report::default();
        report.add(Topic::NoCounterpart, place(10), "ten.");
        report.add(Topic::NoCounterpart, place(9), "nine.");
        report.add(Topic::NoCounterpart, place(9), "nine.");
        report.add(Topic::Change, None, "a change.");
        report.suggest("A group".to_owned(), "a {}\n".to_owned());
        assert_eq!(
            report.markdown(),
            "# Migration\n\n## What the first plan changes\n\n- a change.\n\n## What has no counterpart\n\n\
             - a.yaml:9, `k`: nine.\n- a.yaml:10, `k`: ten.\n\n## A group\n\n```terraform\na {}\n```\n"
        );
    }
}
