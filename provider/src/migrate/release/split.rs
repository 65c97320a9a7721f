//! Splits values files with several `[[runners]]`.

use std::borrow::Cow;

use serde_json::{Map, Value as Json, json};
use toml::Value as Toml;

use crate::resources::runner_release::values;
use crate::yaml;

/// Keys with a config.toml. The first one takes precedence in the chart.
const KEYS: [&str; 2] = ["configOverride", "config"];

/// The values files for one runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Runner {
    /// The name in its section.
    pub(super) name: Option<String>,
    pub(super) files: Vec<String>,
    /// Whether the lines are those of the given files.
    pub(super) has_lines: bool,
}

/// The values files for each runner. Files with one runner are not changed.
pub(super) fn runners(files: &[&str]) -> Vec<Runner> {
    let all = || files.iter().map(|file| (*file).to_owned()).collect::<Vec<_>>();
    several(files).unwrap_or_else(|| vec![Runner { name: None, files: all(), has_lines: true }])
}

fn several(files: &[&str]) -> Option<Vec<Runner>> {
    let (index, values, key) = last_with_config(files)?;
    let text = values.get("runners")?.get(key)?.as_str()?;
    let count = text.lines().filter(|line| is_runners(line)).count();
    if count < 2 {
        return None;
    }
    let runner = |section: usize| {
        let one = section_of(text, section);
        let mut all: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let in_file = files.get(index).and_then(|file| replaced(file, key, &one));
        let has_lines = in_file.is_some();
        match in_file {
            Some(file) => *all.get_mut(index)? = file,
            None => all.push(json!({ "runners": { key: one } }).to_string()),
        }
        let name = name(&one);
        // `runners.name` of the chart applies to all runners. The name in the section is that of one.
        if let Some(name) = &name {
            all.push(json!({ "runners": { "name": name } }).to_string());
        }
        Some(Runner { name, files: all, has_lines })
    };
    (0..count).map(runner).collect()
}

/// The last file with a config.toml, which takes precedence, with its index, its values and the key.
fn last_with_config(files: &[&str]) -> Option<(usize, Map<String, Json>, &'static str)> {
    files.iter().enumerate().rev().find_map(|(index, file)| {
        let values = values::parse(file)?;
        let has =
            |key: &&str| values.get("runners").is_some_and(|runners| runners.get(*key).is_some_and(Json::is_string));
        let key = KEYS.into_iter().find(has)?;
        Some((index, values, key))
    })
}

/// The text with one of its `[[runners]]`, on the same lines. Of the other ones only the actions of the template are
/// kept, without which it is not valid.
fn section_of(text: &str, section: usize) -> String {
    let mut current = None;
    let mut count = 0;
    let lines = text.lines().map(|line| {
        if is_runners(line) {
            current = Some(count);
            count += 1;
        } else if is_other_table(line) {
            current = None;
        }
        match current {
            Some(other) if other != section => Cow::Owned(actions(line)),
            _ => Cow::Borrowed(line),
        }
    });
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether a line is `[[runners]]`.
fn is_runners(line: &str) -> bool {
    let line: String = line.split('#').next().unwrap_or_default().chars().filter(|c| !c.is_whitespace()).collect();
    line == "[[runners]]"
}

/// Whether a line begins a table outside of `[[runners]]`.
fn is_other_table(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default().trim();
    let name = line.trim_matches(['[', ']', ' ']);
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter));
    let is_table = line.starts_with('[') && line.ends_with(']') && is_name;
    is_table && name.split('.').next() != Some("runners")
}

/// The actions of a template in a line that begin or end a block.
fn actions(line: &str) -> String {
    const BLOCKS: [&str; 7] = ["if", "else", "end", "range", "with", "define", "block"];
    let parts = line.split("{{").skip(1).filter_map(|part| part.split("}}").next());
    let is_block = |part: &&str| {
        let word = part.trim_start_matches('-').split_whitespace().next().unwrap_or_default();
        BLOCKS.contains(&word.trim_end_matches('-')) || part.contains(":=")
    };
    parts.filter(is_block).map(|part| format!("{{{{{part}}}}}")).collect()
}

/// The name in the section, unless it is an expression of a template.
fn name(text: &str) -> Option<String> {
    let mut of_runner = text.lines().skip_while(|line| !is_runners(line)).skip(1).map(str::trim);
    let line = of_runner
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .find(|line| line.strip_prefix("name").is_some_and(|rest| rest.trim_start().starts_with('=')))?;
    let table: toml::Table = line.parse().ok()?;
    table.get("name").and_then(Toml::as_str).filter(|name| !name.contains("{{")).map(str::to_owned)
}

/// The file with another text below `runners`, if it is a literal block.
fn replaced(file: &str, key: &str, text: &str) -> Option<String> {
    let (document, lines, _) = yaml::first_document(file).ok()?;
    let path = format!("runners.{key}");
    // The values can be below the name of a subchart.
    let below = document.as_object()?.keys().map(|name| format!("{name}.{path}"));
    let first = [path.clone()].into_iter().chain(below).find_map(|path| lines.of_block(&path))?;
    let count = text.lines().count();
    let indent = file.lines().skip(first - 1).find(|line| !line.trim().is_empty())?;
    let indent = indent.len() - indent.trim_start_matches(' ').len();
    let line = |(number, line): (usize, &str)| match (number + 1).checked_sub(first).filter(|index| *index < count) {
        Some(index) => {
            let line = text.lines().nth(index).unwrap_or_default();
            if line.is_empty() { "\n".to_owned() } else { format!("{}{line}\n", " ".repeat(indent)) }
        }
        None => format!("{line}\n"),
    };
    let file: String = file.lines().enumerate().map(line).collect();
    // Forms of blocks for which the lines do not correspond are recognised by the result.
    let values = values::parse(&file)?;
    let found = values.get("runners")?.get(key)?.as_str()?;
    (found.trim_end() == text.trim_end()).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "concurrent = 2\n[[runners]]\n  name = \"a\"\n  [runners.kubernetes]\n    cpu_request = \"1\"\n[[runners]] # second\n  \
        name = \"b\"\n{{ if .Values.x }}\n  limit = 2\n{{ end }}\n[session_server]\n  session_timeout = 5\n";

    fn values(indicator: &str) -> String {
        let block: String = CONFIG.lines().map(|line| format!("    {line}\n")).collect();
        format!("runners:\n  config: {indicator}\n{block}concurrent: 3\n")
    }

    #[test]
    fn sections_stay_on_their_lines() {
        let file = values("|");
        let runners = runners(&[&file]);
        let names: Vec<_> = runners.iter().map(|runner| runner.name.as_deref()).collect();
        assert_eq!(names, [Some("a"), Some("b")]);
        assert!(runners.iter().all(|runner| runner.has_lines && runner.files.len() == 2));
        let lines: Vec<Vec<&str>> = runners.iter().map(|runner| runner.files[0].lines().collect()).collect();
        assert_eq!((lines[0][6], lines[1][6]), ("        cpu_request = \"1\"", ""));
        assert_eq!((lines[0][8], lines[1][8]), ("", "      name = \"b\""));
        assert_eq!((lines[0][9], lines[0][10], lines[0][11]), ("    {{ if .Values.x }}", "", "    {{ end }}"));
        assert_eq!(lines[0][12..], ["    [session_server]", "      session_timeout = 5", "concurrent: 3"]);
    }

    #[test]
    fn texts_in_other_forms_are_added() {
        let file = json!({ "runners": { "config": CONFIG } }).to_string();
        let runners = runners(&[&file]);
        assert_eq!(runners.len(), 2);
        assert!(runners.iter().all(|runner| !runner.has_lines));
        let config = values::parse(&runners[1].files[1]).unwrap()["runners"]["config"].as_str().unwrap().to_owned();
        assert!(config.contains("name = \"b\"") && !config.contains("name = \"a\""), "{config}");
    }

    #[test]
    fn values_of_subcharts_stay_on_their_lines() {
        let inner: String = values("|").lines().map(|line| format!("  {line}\n")).collect();
        let runners = runners(&[&format!("gitlab-runner:\n{inner}")]);
        assert!(runners.len() == 2 && runners.iter().all(|runner| runner.has_lines), "{runners:?}");
    }

    #[test]
    fn single_sections_are_not_split() {
        for file in
            ["runners: {config: '[[runners]]'}\n", "runners:\n  config: |\n    [[runners]]\n    # [[runners]]\n", "{}"]
        {
            assert_eq!(runners(&[file]), [Runner { name: None, files: vec![file.to_owned()], has_lines: true }]);
        }
    }

    #[test]
    fn actions_of_other_sections_are_kept() {
        assert_eq!(actions("{{- if .x }}a = 1{{ .y }}{{- end -}}"), "{{- if .x }}{{- end -}}");
        assert_eq!(actions("{{- else }}"), "{{- else }}");
        assert_eq!(name("[[runners]]\nname = \"{{ .Release.Name }}\"\n"), None);
        assert_eq!(name("[[runners]]\n[runners.kubernetes]\nname = \"x\"\n"), None);
    }
}
