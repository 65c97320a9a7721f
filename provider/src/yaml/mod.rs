//! Parses YAML as Helm and eksctl do.
//!
//! Both follow the YAML 1.1 rules of Go's `yaml.v2`: `yes` is true, `0400` is octal, `<<` merges, and a repeated key
//! has its last value. The parser in use implements YAML 1.2, so that [`scalar`] resolves plain scalars.

mod compose;
mod scalar;

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScanError};
use serde_json::{Map, Value};

use self::compose::Composer;

/// A parsed document.
#[derive(Debug, Clone, Default)]
pub(crate) struct Document {
    pub(crate) values: Map<String, Value>,
    pub(crate) lines: Lines,
    /// Whether more documents follow. Helm reads only the first one.
    pub(crate) has_more: bool,
}

/// Lines of keys by dotted path, beginning with 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    keys: BTreeMap<String, usize>,
    blocks: BTreeMap<String, usize>,
}

impl Lines {
    /// Line of a key, or of the nearest parent key with a line.
    pub(crate) fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.keys.get(path) {
                return Some(*line);
            }
            path = path.rsplit_once('.')?.0;
        }
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.keys.contains_key(path)
    }

    /// Line of the first line of a text in a literal block (`|`).
    pub(crate) fn of_block(&self, path: &str) -> Option<usize> {
        self.blocks.get(path).copied()
    }

    /// The lines of the keys below `prefix`, relative to it.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        let cut = |lines: &BTreeMap<String, usize>| {
            let below = lines
                .iter()
                .filter_map(|(path, line)| Some((path.strip_prefix(prefix)?.strip_prefix('.')?.to_owned(), *line)));
            below.collect()
        };
        Self { keys: cut(&self.keys), blocks: cut(&self.blocks) }
    }
}

/// Error of a text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// Begins with the line, if known. It does not quote the text, which may contain a token.
    pub(crate) detail: String,
}

impl YamlError {
    fn at(line: usize, detail: &str) -> Self {
        Self { detail: format!("line {line}: {detail}") }
    }

    /// An error with this detail, unless the text near the line has one of two common mistakes: tabs or a template.
    fn near(line: usize, text: &str, detail: &str) -> Self {
        // The parser may report an error one line before or after its cause.
        let near = [line, line.saturating_sub(1).max(1), line + 1];
        let at = |number: usize| text.lines().nth(number.saturating_sub(1)).unwrap_or_default();
        let is_tabbed =
            |line: &str| line.chars().take_while(|letter| letter.is_whitespace()).any(|letter| letter == '\t');
        let is_template = |line: &str| line.contains("{{") || line.trim_start().starts_with("%{");
        if let Some(line) = near.into_iter().find(|line| is_tabbed(at(*line))) {
            return Self::at(line, "YAML is indented with spaces, not with tabs.");
        }
        if let Some(line) = near.into_iter().find(|line| is_template(at(*line))) {
            return Self::at(
                line,
                "this is a template and not YAML. Replace the expression with its value, or render the file first.",
            );
        }
        Self::at(line, detail)
    }

    fn of(error: &ScanError, text: &str) -> Self {
        Self::near(error.marker().line().max(1), text, "the text is not valid YAML.")
    }
}

/// Reads the first document of the text.
///
/// # Errors
///
/// The text is not YAML, or its top level is not a map.
pub(crate) fn read(text: &str) -> Result<Document, YamlError> {
    let (value, lines, has_more) = first_document(text)?;
    let values = match value {
        Value::Object(values) => values,
        Value::Null => Map::new(),
        Value::String(text) if is_file_name(&text) => {
            return Err(YamlError {
                detail: format!("this is the name of a file and not its content. In HCL, use file({text:?})."),
            });
        }
        Value::String(_) => return Err(YamlError { detail: NO_MAP.to_owned() }),
        Value::Array(_) => {
            return Err(YamlError { detail: "this is a list, but a values file is a map.".to_owned() });
        }
        _ => return Err(YamlError { detail: NO_MAP.to_owned() }),
    };
    Ok(Document { values, lines, has_more })
}

/// Reads the first document of the text, with any top level. Returns it with the lines of its keys, and whether more
/// documents follow.
///
/// # Errors
///
/// The text is not YAML.
pub(crate) fn first_document(text: &str) -> Result<(Value, Lines, bool), YamlError> {
    // Some editors on Windows write a byte order mark.
    let text = text.trim_start_matches('\u{feff}');
    let mut composer = Composer::new(Parser::new_from_str(text), text);
    let (value, lines) = composer.first_document()?;
    Ok((value, lines, composer.has_another_document()))
}

const NO_MAP: &str = "this is a single value, but a values file is a map.";

fn is_file_name(text: &str) -> bool {
    let is_short = text.len() < 200 && !text.contains(char::is_whitespace);
    is_short && [".yaml", ".yml", ".json"].iter().any(|ending| text.ends_with(ending))
}

/// Whether an event contains data.
fn is_data(event: &Event<'_>) -> bool {
    !matches!(event, Event::Comment(..))
}

#[cfg(test)]
mod tests;
