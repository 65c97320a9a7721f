//! The runner's own configuration as attributes, made from the catalogue.

use std::borrow::Cow;

use super::super::catalogue::{self, RUNNER, Table};
use super::super::version::RunnerVersion;
use crate::framework::schema::Mode;
use crate::framework::{Attribute, Kind, Nesting, Raw, Type};

/// `[[runners]]`.
pub(super) fn config() -> Kind {
    Kind::Nested(Nesting::Single, attributes(&RUNNER))
}

/// `[runners.cache]`.
pub(super) fn cache() -> Kind {
    below(&RUNNER, &["cache"])
}

/// `affinity` as Kubernetes has it, which is the runner's as well.
pub(super) fn affinity() -> Kind {
    below(&RUNNER, &["kubernetes", "affinity"])
}

fn below(table: &'static Table, path: &[&str]) -> Kind {
    let [name, rest @ ..] = path else { return Kind::Nested(Nesting::Single, attributes(table)) };
    match table.by_hcl(name).map(|key| key.kind) {
        Some(catalogue::Kind::Table(of)) => below(of, rest),
        _ => Kind::Nested(Nesting::Single, Vec::new()),
    }
}

fn attributes(table: &'static Table) -> Vec<Attribute> {
    table
        .keys()
        .map(|key| Attribute {
            name: Cow::Borrowed(key.hcl),
            description: if key.since == RunnerVersion::ANY {
                Cow::Borrowed(key.about)
            } else {
                Cow::Owned(format!("{} Runner {} or newer.", key.about, key.since))
            },
            kind: kind(key.kind),
            mode: Mode::Optional,
            sensitive: key.sensitive,
            write_only: false,
            replace: false,
            default: Raw::Null,
            deprecated: None,
        })
        .collect()
}

fn kind(of: catalogue::Kind) -> Kind {
    Kind::Plain(match of {
        catalogue::Kind::Text | catalogue::Kind::Choice(_) | catalogue::Kind::Duration | catalogue::Kind::Timestamp => {
            Type::String
        }
        catalogue::Kind::Integer | catalogue::Kind::Float => Type::Number,
        catalogue::Kind::Flag => Type::Bool,
        catalogue::Kind::Texts | catalogue::Kind::TextOrTexts => Type::String.list(),
        catalogue::Kind::Integers | catalogue::Kind::Floats => Type::Number.list(),
        catalogue::Kind::TextMap => Type::String.map(),
        catalogue::Kind::FlagMap => Type::Bool.map(),
        catalogue::Kind::IntegerMap => Type::Number.map(),
        catalogue::Kind::Table(table) => return Kind::Nested(Nesting::Single, attributes(table)),
        catalogue::Kind::Tables(table) => return Kind::Nested(Nesting::List, attributes(table)),
    })
}
