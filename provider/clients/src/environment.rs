//! Access to environment variables, which tests replace.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The environment variables: those of the process, or a fixed table in tests.
///
/// `aws-config` reads the process environment by itself; this type is for variables that it does not support.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn process() -> Self {
        Self(Arc::new(|name| std::env::var(name).ok()))
    }

    /// An environment with exactly these variables.
    #[must_use]
    pub fn fixed<const N: usize>(variables: [(&str, &str); N]) -> Self {
        let table: BTreeMap<String, String> =
            variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self(Arc::new(move |name| table.get(name).cloned()))
    }

    /// The value of `name`; an empty variable counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of `names` that is set.
    #[must_use]
    pub fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    /// `path` with a leading `~` replaced by the home directory, where there is one.
    #[must_use]
    pub fn expand_home(&self, path: &str) -> String {
        // Windows sets only USERPROFILE.
        match (path.strip_prefix("~/"), self.first(&["HOME", "USERPROFILE"])) {
            (Some(rest), Some(home)) => format!("{}/{rest}", home.trim_end_matches(['/', '\\'])),
            _ => path.to_owned(),
        }
    }
}

impl Default for Environment {
    fn default() -> Self {
        Self::process()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        formatter.write_str("Environment")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variable_counts_as_unset() {
        let environment = Environment::fixed([("A", ""), ("B", "b")]);
        assert_eq!(environment.first(&["A", "B"]), Some("b".to_owned()));
        assert_eq!(environment.get("A"), None);
    }

    #[test]
    fn tilde_is_expanded_only_at_the_start() {
        let environment = Environment::fixed([("HOME", "/home/me/")]);
        assert_eq!(environment.expand_home("~/.kube/config"), "/home/me/.kube/config");
        assert_eq!(environment.expand_home("/etc/~/x"), "/etc/~/x");
        assert_eq!(Environment::fixed([]).expand_home("~/x"), "~/x");
        let windows = Environment::fixed([("USERPROFILE", r"C:\Users\me")]);
        assert_eq!(windows.expand_home("~/.kube/config"), r"C:\Users\me/.kube/config");
    }
}
