//! Texts out of a closed list, compared as the runner compares them.

/// A closed list of texts.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// In the order of the docs.
    pub of: &'static [&'static str],
    /// Further texts that the runner takes, each for one of the others.
    aliases: &'static [&'static str],
    ignores_case: bool,
}

impl Choice {
    /// Letter case counts.
    pub(super) const fn exact(of: &'static [&'static str]) -> Self {
        Self { of, aliases: &[], ignores_case: false }
    }

    /// Letter case does not count.
    pub(super) const fn any_case(of: &'static [&'static str]) -> Self {
        Self { of, aliases: &[], ignores_case: true }
    }

    /// The same with further texts, which the docs do not name.
    pub(super) const fn or(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The spelling to write, if the runner accepts the text.
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
