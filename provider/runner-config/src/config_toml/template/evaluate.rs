//! Evaluation of the nodes of a template.

use serde_json::Value;

use super::parse::{Action, Node, Operand};
use super::{Release, Unsupported, named};

pub(super) struct Evaluator<'a> {
    pub(super) release: &'a Release<'a>,
    pub(super) unsupported: Vec<Unsupported>,
}

impl Evaluator<'_> {
    pub(super) fn text(&mut self, nodes: &[Node]) -> String {
        let mut text = String::new();
        for node in nodes {
            match node {
                Node::Text(plain) => text.push_str(plain),
                Node::Value(action) => {
                    let value = self.action(action);
                    match value.as_ref().and_then(printed) {
                        Some(printed) => text.push_str(&printed),
                        None => self.refuse(action),
                    }
                }
                Node::If(branches) => text.push_str(&self.branch(branches)),
            }
        }
        text
    }

    fn branch(&mut self, branches: &[(Option<Action>, Vec<Node>)]) -> String {
        for (condition, nodes) in branches {
            let holds = match condition {
                None => true,
                Some(action) => match self.action(action) {
                    Some(value) => is_true(&value),
                    None => {
                        self.refuse(action);
                        return String::new();
                    }
                },
            };
            if holds {
                return self.text(nodes);
            }
        }
        String::new()
    }

    fn refuse(&mut self, action: &Action) {
        let Action { line, is_comment, ref source, .. } = *action;
        self.unsupported.push(Unsupported { line, expression: source.clone(), is_comment });
    }

    fn action(&self, action: &Action) -> Option<Value> {
        self.pipeline(&action.pipeline)
    }

    fn pipeline(&self, commands: &[Vec<Operand>]) -> Option<Value> {
        let mut last = None;
        for command in commands {
            last = Some(self.command(command, last)?);
        }
        last
    }

    /// Evaluates a command. The value of the previous command of the pipeline is its last argument.
    fn command(&self, command: &[Operand], last: Option<Value>) -> Option<Value> {
        let (first, rest) = command.split_first()?;
        let Operand::Function(name) = first else {
            return if rest.is_empty() && last.is_none() { self.operand(first) } else { None };
        };
        if let ("include", [Operand::Text(template), Operand::Root], None) = (name.as_str(), rest, &last) {
            return named::template(template, self.release).map(Value::from);
        }
        let arguments = rest.iter().map(|operand| self.operand(operand)).chain(last.map(Some));
        function(name, &arguments.collect::<Option<Vec<_>>>()?)
    }

    fn operand(&self, operand: &Operand) -> Option<Value> {
        match operand {
            Operand::Field(path) => self.field(path),
            Operand::Text(text) => Some(Value::from(text.as_str())),
            Operand::Integer(number) => Some(Value::from(*number)),
            Operand::Flag(flag) => Some(Value::from(*flag)),
            Operand::Group(commands) => self.pipeline(commands),
            Operand::Function(name) => function(name, &[]),
            Operand::Root => None,
        }
    }

    /// The value of a field. As in Helm, a missing value is null.
    fn field(&self, path: &[String]) -> Option<Value> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Some(match path.as_slice() {
            ["Release", "Name"] => self.release.name.into(),
            ["Release", "Namespace"] => self.release.namespace.into(),
            ["Release", "Service"] => "Helm".into(),
            ["Chart", "Name"] => "gitlab-runner".into(),
            ["Chart", "AppVersion"] => self.release.app_version.into(),
            ["Chart", "Version"] => self.release.chart_version.into(),
            ["Values", path @ ..] => match self.release.values {
                Some(values) => at(values, path),
                // The chart's default for `runners.config` contains this value.
                None if path == ["runners", "jobNamespace"] => Value::Null,
                None => return None,
            },
            _ => return None,
        })
    }
}

fn at(values: &Value, path: &[&str]) -> Value {
    path.iter().try_fold(values, |value, name| value.get(name)).cloned().unwrap_or_default()
}

fn function(name: &str, arguments: &[Value]) -> Option<Value> {
    let text = |value: &Value| printed(value);
    Some(match (name, arguments) {
        // Sprig's `default` also replaces empty values such as 0, false and "".
        ("default", [fallback, value]) => if is_true(value) { value } else { fallback }.clone(),
        ("default", [fallback]) => fallback.clone(),
        ("coalesce", values) => values.iter().find(|value| is_true(value)).cloned().unwrap_or_default(),
        ("required", [_, value]) if !value.is_null() && value != "" => value.clone(),
        ("empty", [value]) => (!is_true(value)).into(),
        ("not", [value]) => (!is_true(value)).into(),
        // Go returns the deciding argument, and not a boolean.
        ("and", values) => values.iter().find(|value| !is_true(value)).or(values.last())?.clone(),
        ("or", values) => values.iter().find(|value| is_true(value)).or(values.last())?.clone(),
        // Go compares the first argument with each of the others.
        ("eq", [one, others @ ..]) if !others.is_empty() => others.contains(one).into(),
        ("ne", [one, other]) => (one != other).into(),
        ("quote", [value]) => format!("{:?}", text(value)?).into(),
        ("squote", [value]) => format!("'{}'", text(value)?).into(),
        ("toString", [value]) => text(value)?.into(),
        ("trim", [value]) => text(value)?.trim().into(),
        ("lower", [value]) => text(value)?.to_lowercase().into(),
        ("upper", [value]) => text(value)?.to_uppercase().into(),
        // Sprig's `int` returns 0 for a string that is not a number.
        ("int", [value]) => text(value)?.parse::<i64>().unwrap_or_default().into(),
        ("trimSuffix", [suffix, value]) => {
            let value = text(value)?;
            value.strip_suffix(text(suffix)?.as_str()).unwrap_or(&value).into()
        }
        ("trimPrefix", [prefix, value]) => {
            let value = text(value)?;
            value.strip_prefix(text(prefix)?.as_str()).unwrap_or(&value).into()
        }
        ("hasPrefix", [prefix, value]) => text(value)?.starts_with(text(prefix)?.as_str()).into(),
        ("hasSuffix", [suffix, value]) => text(value)?.ends_with(text(suffix)?.as_str()).into(),
        ("contains", [part, value]) => text(value)?.contains(text(part)?.as_str()).into(),
        ("replace", [old, new, value]) => text(value)?.replace(text(old)?.as_str(), &text(new)?).into(),
        ("trunc", [length, value]) => truncated(&text(value)?, length.as_i64()?)?.into(),
        ("printf", [format, values @ ..]) => formatted(format.as_str()?, values)?.into(),
        _ => return None,
    })
}

/// The first letters of a text; with a negative length, the last ones. Sprig counts bytes, which for other letters than
/// those of ASCII is not supported.
fn truncated(text: &str, length: i64) -> Option<String> {
    let count = usize::try_from(length.unsigned_abs()).ok()?.min(text.len());
    let cut = if length < 0 { text.get(text.len() - count..) } else { text.get(..count) };
    cut.map(str::to_owned)
}

/// `printf` with `%s` for strings, `%d` for integers and `%%`. `None` for other verbs, and for values of other types.
fn formatted(format: &str, values: &[Value]) -> Option<String> {
    let mut values = values.iter();
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => match letters.next()? {
                '%' => text.push('%'),
                's' => text.push_str(values.next()?.as_str()?),
                'd' => text.push_str(&values.next()?.as_i64()?.to_string()),
                _ => return None,
            },
            letter => text.push(letter),
        }
    }
    values.next().is_none().then_some(text)
}

/// The value as Go formats it; `None` for maps and lists, which are not valid in a configuration.
pub(super) fn printed(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a value is true in Go templates.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}
