//! Every config.toml key of GitLab Runner 19.4 that matters to the Kubernetes executor.
//!
//! This is the only description of them: the typed `config` attribute, the validation of TOML text and of values files,
//! and the docs page are derived from it. It is constant data, so that a provider process that deploys no runner does
//! no work for it.
//!
//! Source: `common/config.go` and `cache/cacheconfig` of the runner at 19.4.

mod affinity;
mod cache;
mod choice;
mod global;
mod kubernetes;
mod pod;
mod resource_limits;
mod runner;
mod security;
mod volumes;

pub use affinity::AFFINITY;
pub use choice::Choice;
pub use global::GLOBAL;
pub use runner::RUNNER;

use crate::version::RunnerVersion;

/// The keys of a TOML table, in the order of the documentation.
#[derive(Debug)]
pub struct Table {
    groups: &'static [&'static [Key]],
}

impl Table {
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.groups.iter().flat_map(|group| group.iter())
    }

    pub fn by_toml(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.toml == name)
    }

    pub fn by_hcl(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.hcl == name)
    }
}

/// A key of config.toml.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name in config.toml, with its case and dashes.
    pub toml: &'static str,
    /// The name of the attribute in HCL, in snake case.
    pub hcl: &'static str,
    pub kind: Kind,
    pub since: RunnerVersion,
    /// The last version that supports it, and the key that replaces it.
    pub until: Option<(RunnerVersion, &'static str)>,
    pub sensitive: bool,
    /// Whether the value is free text that may contain secrets: the plan and the state show it only in the attribute
    /// itself.
    pub hidden: bool,
    pub about: &'static str,
}

/// The type of the value of a key.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    Text,
    /// A string from a closed list.
    Choice(Choice),
    Integer,
    Float,
    Flag,
    /// A Go duration such as `1h30m`; an integer is nanoseconds.
    Duration,
    /// A time in RFC 3339.
    Timestamp,
    Texts,
    /// A list of strings from a closed list.
    Choices(Choice),
    /// The runner accepts one such string or a list; in HCL it is a list.
    ChoiceOrChoices(Choice),
    Integers,
    Floats,
    TextMap,
    FlagMap,
    IntegerMap,
    Table(&'static Table),
    /// An array of tables.
    Tables(&'static Table),
}

impl Kind {
    /// The name of the type, for messages such as "must be a string".
    pub fn article_and_name(&self) -> &'static str {
        match self {
            Self::Text | Self::Choice(_) => "a string",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Flag => "true or false",
            Self::Duration => "a duration such as \"1h30m\"",
            Self::Timestamp => "an RFC 3339 time",
            Self::Texts | Self::Choices(_) => "a list of strings",
            Self::ChoiceOrChoices(_) => "a string or a list of strings",
            Self::Integers => "a list of whole numbers",
            Self::Floats => "a list of numbers",
            Self::TextMap => "a table of strings",
            Self::FlagMap => "a table of true and false",
            Self::IntegerMap => "a table of whole numbers",
            Self::Table(_) => "a table",
            Self::Tables(_) => "an array of tables",
        }
    }
}

impl Key {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            toml: name,
            hcl: name,
            kind,
            since: RunnerVersion::ANY,
            until: None,
            sensitive: false,
            hidden: false,
            about,
        }
    }

    /// For TOML names that are not valid attribute names.
    const fn hcl(mut self, name: &'static str) -> Self {
        self.hcl = name;
        self
    }

    const fn since(mut self, major: u16, minor: u16) -> Self {
        self.since = RunnerVersion::new(major, minor);
        self
    }

    const fn until(mut self, major: u16, minor: u16, instead: &'static str) -> Self {
        self.until = Some((RunnerVersion::new(major, minor), instead));
        self
    }

    const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }

    const fn secret(mut self) -> Self {
        self.sensitive = true;
        self
    }
}

macro_rules! key_constructors {
    ($($constructor:ident => $kind:ident),+ $(,)?) => {
        $(const fn $constructor(name: &'static str, about: &'static str) -> Key {
            Key::new(name, Kind::$kind, about)
        })+
    };
}

key_constructors! {
    text => Text, integer => Integer, float => Float, flag => Flag, duration => Duration,
    timestamp => Timestamp, texts => Texts, integers => Integers,
    floats => Floats, text_map => TextMap, flag_map => FlagMap, integer_map => IntegerMap,
}

/// A key with a case-sensitive choice.
const fn choice(name: &'static str, of: &'static [&'static str], about: &'static str) -> Key {
    Key::new(name, Kind::Choice(Choice::exact(of)), about)
}

const fn table(name: &'static str, of: &'static Table, about: &'static str) -> Key {
    Key::new(name, Kind::Table(of), about)
}

const fn tables(name: &'static str, of: &'static Table, about: &'static str) -> Key {
    Key::new(name, Kind::Tables(of), about)
}

/// Options of other executors: existing keys without an effect on the Kubernetes executor.
pub const OTHER_EXECUTORS: &[&str] =
    &["autoscaler", "custom", "docker", "instance", "machine", "parallels", "ssh", "virtualbox"];

/// The table that contains a key of this name, other than `besides`.
pub fn home(name: &str, besides: &'static Table) -> Option<&'static str> {
    let below = |table: &'static Table, key: &str| match table.by_toml(key).map(|key| key.kind) {
        Some(Kind::Table(of)) => Some(of),
        _ => None,
    };
    let cache = below(&RUNNER, "cache");
    let tables = [
        ("[[runners]]", Some(&RUNNER)),
        ("[runners.kubernetes]", below(&RUNNER, "kubernetes")),
        ("[runners.cache]", cache),
        ("[runners.cache.s3]", cache.and_then(|cache| below(cache, "s3"))),
        ("the global section, above [[runners]]", Some(&GLOBAL)),
    ];
    tables.into_iter().find_map(|(title, table)| {
        let table = table.filter(|table| !std::ptr::eq(*table, besides))?;
        table.keys().any(|key| key.toml.eq_ignore_ascii_case(name)).then_some(title)
    })
}

/// A key or table with its full dotted path, for documentation and tests.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Without array markers: `kubernetes.volumes.empty_dir.name`.
    pub toml_path: String,
    pub hcl_path: String,
    pub key: &'static Key,
    /// The newest of the versions that it and its parents require.
    pub since: RunnerVersion,
}

/// All keys below a table, parents before children.
pub fn entries(table: &'static Table) -> Vec<Entry> {
    let mut found = Vec::new();
    collect(table, "", "", RunnerVersion::ANY, &mut found);
    found
}

fn collect(table: &'static Table, toml_prefix: &str, hcl_prefix: &str, since: RunnerVersion, found: &mut Vec<Entry>) {
    for key in table.keys() {
        let entry = Entry {
            toml_path: format!("{toml_prefix}{}", key.toml),
            hcl_path: format!("{hcl_prefix}{}", key.hcl),
            key,
            since: key.since.max(since),
        };
        let (toml, hcl) = (format!("{}.", entry.toml_path), format!("{}.", entry.hcl_path));
        let since = entry.since;
        found.push(entry);
        if let Kind::Table(of) | Kind::Tables(of) = key.kind {
            collect(of, &toml, &hcl, since, found);
        }
    }
}

#[cfg(test)]
mod tests;
