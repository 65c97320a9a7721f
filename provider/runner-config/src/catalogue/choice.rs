//! Strings from a closed list, compared as GitLab Runner compares them.

/// A closed list of strings.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// In the order of the documentation.
    pub of: &'static [&'static str],
    /// Undocumented strings that the runner accepts as well.
    aliases: &'static [&'static str],
    ignores_case: bool,
    /// What the runner uses instead of another string, if it does not reject it.
    fallback: Option<&'static str>,
}

impl Choice {
    /// Case-sensitive.
    pub(super) const fn exact(of: &'static [&'static str]) -> Self {
        Self { of, aliases: &[], ignores_case: false, fallback: None }
    }

    /// Case-insensitive.
    pub(super) const fn any_case(of: &'static [&'static str]) -> Self {
        Self { of, aliases: &[], ignores_case: true, fallback: None }
    }

    /// Adds strings that the runner accepts and the documentation does not contain.
    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// What the runner uses instead of a string that is not in the list.
    pub(super) const fn else_uses(mut self, fallback: &'static str) -> Self {
        self.fallback = Some(fallback);
        self
    }

    /// What the runner uses instead of a string that is not in the list; `None` if it rejects the string.
    pub fn fallback(&self) -> Option<&'static str> {
        self.fallback
    }

    /// The spelling in the written configuration; `None` if the runner does not accept the string.
    pub fn spelling(&self, text: &str) -> Option<&'static str> {
        let is_it = |one: &&str| *one == text || self.ignores_case && one.eq_ignore_ascii_case(text);
        self.of.iter().chain(self.aliases).copied().find(is_it)
    }

    /// `a, b or c`.
    pub fn listed(&self) -> String {
        match self.of {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first @ .., last] => format!("{} or {last}", first.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letter_case_matters_as_in_gitlab_runner() {
        let exact = Choice::exact(&["s3", "gcs"]);
        assert_eq!((exact.spelling("s3"), exact.spelling("S3")), (Some("s3"), None));
        let any = Choice::any_case(&["S3", "KMS"]).or(&["aws:kms"]);
        assert_eq!((any.spelling("kms"), any.spelling("AWS:KMS")), (Some("KMS"), Some("aws:kms")));
        assert_eq!((any.listed(), Choice::exact(&["a"]).listed()), ("S3 or KMS".to_owned(), "a".to_owned()));
    }
}
