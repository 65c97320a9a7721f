//! Merges several sources of configuration, and reports conflicts between them.

use std::collections::BTreeMap;

use tfplugin::framework::{AttributePath, Diagnostic};
use toml::{Table, Value};

use super::Config;

/// The configuration of one attribute.
#[derive(Debug, Clone)]
pub struct Source {
    /// The name of the attribute, for messages.
    pub name: &'static str,
    pub config: Config,
}

/// Merges the sources in `typed`, which must not conflict with each other. They take precedence over those in `values`.
///
/// Tables are merged by key. A list is a single value, with two exceptions: lists with named elements (variables of
/// `environment`, and tables with a `name`) are merged by name, and preferences of an affinity are combined.
///
/// # Errors
///
/// One finding for each key with different values in two sources, with the names of both.
pub fn merge(values: &[Config], typed: &[Source]) -> Result<Config, Vec<Diagnostic>> {
    let mut merged = Config::default();
    let mut findings = Vec::new();
    for part in [Part::Global, Part::Runner] {
        let mut agreed = Merger::default();
        for source in typed {
            agreed.source = source.name;
            agreed.table(part.of(&source.config), part.prefix());
        }
        let mut table = Table::new();
        for config in values {
            overlay(&mut table, part.of(config));
        }
        // Attributes override values files, as `set` overrides `values` in Helm.
        overlay(&mut table, &agreed.merged);
        findings.extend(agreed.findings);
        match part {
            Part::Global => merged.global = table,
            Part::Runner => merged.runner = table,
        }
    }
    match findings.is_empty() {
        true => Ok(merged),
        false => Err(findings),
    }
}

#[derive(Clone, Copy)]
enum Part {
    Global,
    Runner,
}

impl Part {
    fn of(self, config: &Config) -> &Table {
        match self {
            Self::Global => &config.global,
            Self::Runner => &config.runner,
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Global => "",
            Self::Runner => "runners.",
        }
    }
}

/// Merges sources of equal precedence and records the source of each value.
#[derive(Default)]
struct Merger {
    source: &'static str,
    merged: Table,
    owners: BTreeMap<String, &'static str>,
    findings: Vec<Diagnostic>,
}

impl Merger {
    fn table(&mut self, from: &Table, at: &str) {
        let mut merged = std::mem::take(&mut self.merged);
        self.into(&mut merged, from, at);
        self.merged = merged;
    }

    fn into(&mut self, into: &mut Table, from: &Table, at: &str) {
        for (name, value) in from {
            let here = format!("{at}{name}");
            match (into.get_mut(name), value) {
                (None, _) => {
                    self.own(value, &here);
                    into.insert(name.clone(), value.clone());
                }
                (Some(Value::Table(existing)), Value::Table(table)) => {
                    self.into(existing, table, &format!("{here}."));
                }
                (Some(Value::Array(existing)), Value::Array(items)) => {
                    self.array(existing, items, name, &here);
                }
                (Some(existing), value) => self.same(existing, value, &here),
            }
        }
    }

    fn array(&mut self, existing: &mut Vec<Value>, items: &[Value], name: &str, at: &str) {
        if ADDED_UP.contains(&name) {
            existing.extend(items.iter().filter(|item| !existing.contains(item)).cloned().collect::<Vec<_>>());
            return;
        }
        let Some(named) = named(name, existing).and(named_pairs(name, items)) else {
            let whole = Value::Array(existing.clone());
            self.same(&whole, &Value::Array(items.to_vec()), at);
            return;
        };
        for (element, item) in named {
            let here = format!("{at}.{element}");
            let found = existing.iter().position(|other| element_name(name, other) == Some(element));
            match found.and_then(|index| existing.get_mut(index)) {
                Some(Value::Table(other)) => {
                    if let Value::Table(table) = item {
                        self.into(other, table, &format!("{here}."));
                    }
                }
                Some(other) => {
                    let other = other.clone();
                    self.same(&other, item, &here);
                }
                None => {
                    self.own(item, &here);
                    existing.push(item.clone());
                }
            }
        }
    }

    fn same(&mut self, existing: &Value, value: &Value, at: &str) {
        if existing == value || are_same_addresses(at, existing, value) {
            return;
        }
        let owner = self.owner(at);
        let detail = if owner == self.source {
            format!("{at} is set twice in `{owner}`, with different values. Keep one of them.")
        } else {
            format!("{at} is set by `{owner}` and by `{}`, with different values. Keep one of them.", self.source)
        };
        self.findings.push(Diagnostic::error("Duplicate key", detail).at(AttributePath::of(self.source)));
    }

    /// Records the source of the value and of everything below it.
    fn own(&mut self, value: &Value, at: &str) {
        self.owners.insert(at.to_owned(), self.source);
        match value {
            Value::Table(table) => {
                for (name, value) in table {
                    self.own(value, &format!("{at}.{name}"));
                }
            }
            Value::Array(items) => {
                let last = at.rsplit('.').next().unwrap_or(at).to_owned();
                for (element, item) in named_pairs(&last, items).unwrap_or_default() {
                    self.own(item, &format!("{at}.{element}"));
                }
            }
            _ => {}
        }
    }

    fn owner(&self, at: &str) -> &'static str {
        let mut path = at;
        loop {
            if let Some(owner) = self.owners.get(path) {
                return owner;
            }
            match path.rsplit_once('.') {
                Some((parent, _)) => path = parent,
                None => return self.source,
            }
        }
    }
}

/// Lists with independent elements, which are combined.
const ADDED_UP: [&str; 1] = ["preferred_during_scheduling_ignored_during_execution"];

/// The name of an element: that of `NAME=value` in `environment`, or the `name` of a table.
fn element_name<'a>(list: &str, element: &'a Value) -> Option<&'a str> {
    match element {
        Value::String(text) if list == "environment" => Some(text.split('=').next().unwrap_or(text)),
        Value::Table(table) => table.get("name")?.as_str(),
        _ => None,
    }
}

fn named_pairs<'a>(list: &str, items: &'a [Value]) -> Option<Vec<(&'a str, &'a Value)>> {
    items.iter().map(|item| Some((element_name(list, item)?, item))).collect()
}

fn named(list: &str, items: &[Value]) -> Option<()> {
    named_pairs(list, items).map(drop)
}

/// Merges `over` into `table`. `over` takes precedence.
fn overlay(table: &mut Table, over: &Table) {
    for (name, value) in over {
        match (table.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (Some(Value::Array(below)), Value::Array(above)) => overlay_array(below, above, name),
            _ => {
                table.insert(name.clone(), value.clone());
            }
        }
    }
}

fn overlay_array(below: &mut Vec<Value>, above: &[Value], name: &str) {
    let Some(named) = named(name, below).and(named_pairs(name, above)) else {
        *below = above.to_vec();
        return;
    };
    for (element, item) in named {
        let found = below.iter().position(|other| element_name(name, other) == Some(element));
        match found.and_then(|index| below.get_mut(index)) {
            Some(Value::Table(other)) => {
                if let Value::Table(table) = item {
                    overlay(other, table);
                }
            }
            Some(other) => *other = item.clone(),
            None => below.push(item.clone()),
        }
    }
}

/// Whether two addresses are the same to the runner, which ignores trailing slashes.
pub fn is_same_address(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn are_same_addresses(at: &str, one: &Value, other: &Value) -> bool {
    let is_address = matches!(at.rsplit('.').next(), Some("url" | "clone_url"));
    matches!((one.as_str(), other.as_str()), (Some(one), Some(other)) if is_address && is_same_address(one, other))
}
