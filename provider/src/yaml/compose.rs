//! Composes values from the events of the parser.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::scalar::{self, key_text};
use super::{Lines, YamlError, is_data};

/// Maximum number of values of a document after the expansion of its aliases. Real files have some hundreds.
const MOST_VALUES: usize = 100_000;

/// Maximum depth of nested values, which is also that of `serde_json`.
const DEEPEST: usize = 128;

pub(super) struct Composer<'text> {
    parser: Parser<'text, StrInput<'text>>,
    text: &'text str,
    anchors: HashMap<usize, Value>,
    lines: Lines,
    values: usize,
}

impl<'text> Composer<'text> {
    pub(super) fn new(parser: Parser<'text, StrInput<'text>>, text: &'text str) -> Self {
        Self { parser, text, anchors: HashMap::new(), lines: Lines::default(), values: 0 }
    }

    fn next(&mut self) -> Result<Option<(Event<'text>, Span)>, YamlError> {
        for next in self.parser.by_ref() {
            let (event, span) = next.map_err(|error| YamlError::of(&error, self.text))?;
            if is_data(&event) {
                return Ok(Some((event, span)));
            }
        }
        Ok(None)
    }

    pub(super) fn first_document(&mut self) -> Result<(Value, Lines), YamlError> {
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::DocumentStart(..) => {}
                Event::StreamEnd => break,
                event => {
                    let value = self.node(event, span, "", 0)?;
                    return Ok((value, std::mem::take(&mut self.lines)));
                }
            }
        }
        Ok((Value::Null, Lines::default()))
    }

    /// Whether another document that is not empty follows.
    pub(super) fn has_another_document(&mut self) -> bool {
        let mut has_started = false;
        while let Ok(Some((event, _))) = self.next() {
            match event {
                Event::DocumentStart(..) => has_started = true,
                // Files often end with `---`, which begins an empty document.
                Event::Scalar(text, ScalarStyle::Plain, ..) if scalar::resolve(&text).is_null() => {}
                Event::Scalar(..) | Event::MappingStart(..) | Event::SequenceStart(..) if has_started => return true,
                _ => {}
            }
        }
        false
    }

    fn node(&mut self, event: Event<'text>, span: Span, path: &str, depth: usize) -> Result<Value, YamlError> {
        let line = span.start.line();
        if depth > DEEPEST {
            return Err(YamlError::at(line, "values are nested too deeply."));
        }
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if matches!(style, ScalarStyle::Literal) {
                    let first = self.block_start(line);
                    self.lines.blocks.insert(path.to_owned(), first);
                }
                (scalar(&text, style, tag.as_deref()), anchor)
            }
            Event::SequenceStart(_, anchor, _) => (self.sequence(path, depth)?, anchor),
            Event::MappingStart(_, anchor, _) => (self.mapping(path, depth)?, anchor),
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().unwrap_or_default();
                self.count(size(&value), line)?;
                return Ok(value);
            }
            _ => return Err(YamlError::at(line, "the text is not valid YAML.")),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    /// The first line of a literal block: the line after the last `|` indicator up to `line`. The parser returns the
    /// line of the text or that of the indicator.
    fn block_start(&self, line: usize) -> usize {
        let is_indicator = |text: &str| {
            let code = text.split(" #").next().unwrap_or_default().trim_end();
            code.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '+').ends_with('|')
        };
        let before = self.text.lines().take(line).collect::<Vec<_>>();
        let indicator = before.iter().rposition(|text| is_indicator(text));
        indicator.map_or(line, |index| index + 2)
    }

    fn count(&mut self, more: usize, line: usize) -> Result<(), YamlError> {
        self.values += more;
        match self.values > MOST_VALUES {
            true => Err(YamlError::at(line, "aliases (*name) expand to more values than a values file can contain.")),
            false => Ok(()),
        }
    }

    fn sequence(&mut self, path: &str, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        while let Some((event, span)) = self.next()? {
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            let here = format!("{path}.{}", items.len());
            self.lines.keys.insert(here.clone(), span.start.line());
            items.push(self.node(event, span, &here, depth + 1)?);
        }
        Ok(Value::Array(items))
    }

    fn mapping(&mut self, path: &str, depth: usize) -> Result<Value, YamlError> {
        let mut map = Map::new();
        while let Some((event, span)) = self.next()? {
            let line = span.start.line();
            let (name, is_merge) = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, anchor, tag) => {
                    let key = scalar(&text, style, tag.as_deref());
                    let is_merge = text == "<<" && matches!(style, ScalarStyle::Plain);
                    if anchor != 0 {
                        self.anchors.insert(anchor, key.clone());
                    }
                    (key_text(&key), is_merge)
                }
                Event::Alias(anchor) => (key_text(&self.anchors.get(&anchor).cloned().unwrap_or_default()), false),
                _ => return Err(YamlError::near(line, self.text, "a key is a list or a map. Use a string.")),
            };
            let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if !is_merge {
                self.lines.keys.insert(here.clone(), line);
            }
            let Some((event, span)) = self.next()? else { break };
            let value = self.node(event, span, &here, depth + 1)?;
            match is_merge {
                true => merge(&mut map, value, line)?,
                // The last of several equal keys takes effect, as in Go's `yaml.v2`.
                false => _ = map.insert(name, value),
            }
        }
        Ok(Value::Object(map))
    }
}

/// Merges maps into a mapping as Go's `yaml.v2` does: they replace keys before `<<`, and keys after it replace theirs.
/// The first of several maps takes precedence.
fn merge(map: &mut Map<String, Value>, value: Value, line: usize) -> Result<(), YamlError> {
    match value {
        Value::Object(more) => map.extend(more),
        Value::Array(maps) => {
            for one in maps.into_iter().rev() {
                let Value::Object(more) = one else { return Err(no_map(line)) };
                map.extend(more);
            }
        }
        _ => return Err(no_map(line)),
    }
    Ok(())
}

fn no_map(line: usize) -> YamlError {
    YamlError::at(line, "`<<` merges a map or a list of maps, but this is neither.")
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let tag = tag.map(|tag| if tag.is_yaml_core_schema() { tag.suffix() } else { "other" });
    match (tag, style) {
        (None, ScalarStyle::Plain) | (Some("bool" | "int" | "float" | "null"), _) => scalar::resolve(text),
        _ => Value::from(text),
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
