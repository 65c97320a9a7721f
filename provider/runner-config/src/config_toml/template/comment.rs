//! Comments of TOML in a text with template expressions.

/// The state of a TOML text at a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Code,
    Comment,
    /// In a string, with its quotation marks.
    Text(&'static str),
}

/// Follows a TOML text, to know which expressions are in comments.
#[derive(Debug, Default)]
pub(super) struct Comments(State);

/// The quotation marks of TOML, the longer ones first.
const QUOTES: [&str; 4] = ["\"\"\"", "'''", "\"", "'"];

impl Comments {
    /// Passes a part of the text.
    pub(super) fn pass(&mut self, part: &str) {
        let mut rest = part;
        while let Some(letter) = rest.chars().next() {
            let quote = QUOTES.into_iter().find(|quote| rest.starts_with(quote));
            let (next, length) = match (self.0, letter) {
                (State::Code, '#') => (State::Comment, 1),
                (State::Code, _) if quote.is_some() => {
                    let quote = quote.unwrap_or_default();
                    (State::Text(quote), quote.len())
                }
                (State::Comment, '\n') => (State::Code, 1),
                // Strings with one quotation mark end at the end of the line at the latest.
                (State::Text("\"" | "'"), '\n') => (State::Code, 1),
                (State::Text("\"" | "\"\"\""), '\\') => (self.0, rest.chars().take(2).map(char::len_utf8).sum()),
                (State::Text(open), _) if rest.starts_with(open) => (State::Code, open.len()),
                (state, letter) => (state, letter.len_utf8()),
            };
            self.0 = next;
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    pub(super) fn is_inside(&self) -> bool {
        self.0 == State::Comment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_from_strings() {
        let is_inside = |text: &str| {
            let mut comments = Comments::default();
            comments.pass(text);
            comments.is_inside()
        };
        for text in ["# ", "a = 1 # ", "a = \"#\" # ", "a = '''\n#\n''' # ", "a = \"\\\"\" # "] {
            assert!(is_inside(text), "{text}");
        }
        for text in ["a = ", "# a\n", "a = \"# ", "a = \"\"\"\n# ", "a = '# ", "a = '''\n'# ", "a = \"\\\"# "] {
            assert!(!is_inside(text), "{text}");
        }
    }
}
