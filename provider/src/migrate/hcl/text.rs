//! HCL strings and identifiers.

use std::fmt::Write as _;

/// Whether a name is an identifier, which is written without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// A quoted string.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A quoted string with an interpolated expression between two literal parts.
pub(crate) fn interpolated(before: &str, expression: &str, after: &str) -> String {
    format!("\"{}${{{expression}}}{}\"", escaped(before), escaped(after))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    without_templates(&out)
}

/// Escapes the beginnings of template sequences, so that none is evaluated.
fn without_templates(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// The text as an indented heredoc. `None` for a single line, and for a text that the heredoc would change.
pub(super) fn heredoc(text: &str, indent: usize) -> Option<String> {
    let is_fit = text.ends_with('\n')
        && text.lines().count() > 1
        && !text.contains(['\r', '\t'])
        && !text.lines().any(|line| line.trim() == "EOT")
        && !text.chars().any(|letter| letter.is_control() && letter != '\n')
        // `<<-` removes the smallest indentation of all lines, which has to be the one that is added below.
        && text.lines().all(|line| line.is_empty() || !line.trim().is_empty())
        && text.lines().next().is_some_and(|line| !line.is_empty() && !line.starts_with(' '));
    is_fit.then(|| {
        let space = " ".repeat(indent + 2);
        let lines = text.lines().map(|line| format!("{space}{}\n", without_templates(line)));
        format!("<<-EOT\n{}{}EOT", lines.collect::<String>(), " ".repeat(indent))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_are_quoted() {
        assert!(is_identifier("a-b_1") && !is_identifier("1a") && !is_identifier("a/b") && !is_identifier(""));
        assert_eq!(quoted("a\"b\\c\n${x} %{y} $z"), r#""a\"b\\c\n$${x} %%{y} $z""#);
        assert_eq!(interpolated("A=", "var.a", "\""), r#""A=${var.a}\"""#);
    }

    #[test]
    fn multi_line_text_is_a_heredoc() {
        assert_eq!(heredoc("a\n  b\n\n$${c}\n", 2).unwrap(), "<<-EOT\n    a\n      b\n    \n    $$${c}\n  EOT");
        for text in ["one\n", "a\nb", " a\n b\n", "a\n\tb\n", "a\nEOT\n"] {
            assert_eq!(heredoc(text, 0), None, "{text:?}");
        }
    }
}
