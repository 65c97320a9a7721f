//! What a person has to know beside the configuration.

use std::fmt::Write as _;

/// Where something of an input stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: String,
    pub(super) line: Option<usize>,
    /// The key, dotted, or the address of a resource.
    pub(super) key: String,
}

/// Which part of the report has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// What the first plan shows beside the imports.
    Change,
    /// What is still to be given or done.
    Task,
    /// Tokens, passwords and keys that were left out.
    Secret,
    /// What stays as it is, outside of the configuration.
    Kept,
    /// What has no counterpart, and what to do.
    NoCounterpart,
}

const TOPICS: [(Topic, &str); 5] = [
    (Topic::Change, "What the first plan changes"),
    (Topic::Task, "What is left to do"),
    (Topic::Secret, "Secrets that were left out"),
    (Topic::Kept, "What stays as it is"),
    (Topic::NoCounterpart, "What has no counterpart"),
];

/// Everything that is reported, in the order in which it was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    entries: Vec<(Topic, Option<Place>, String)>,
    /// Configurations that are suggested and not part of the result.
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
            // By file and line; what has no place comes first, in the order in which it was found.
            entries.sort_by_key(|(_, place, _)| place.as_ref().map(|place| (place.file.clone(), place.line)));
            // Writing to a text does not fail.
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

/// The place before an entry.
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
