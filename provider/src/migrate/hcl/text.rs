//! Texts and names.

use std::fmt::Write as _;

/// Whether a name needs no quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-')
}

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// A text in quotes in which `expression` is evaluated, between the two others.
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
                // Writing to a text does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    without_templates(&out)
}

/// Text in which nothing is evaluated.
fn without_templates(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

/// The lines of a text as a heredoc that is indented by `indent`; `None` if it would not be the same text.
pub(super) fn heredoc(text: &str, indent: usize) -> Option<String> {
    let is_fit = text.ends_with('\n')
        && text.lines().count() > 1
        && !text.contains(['\r', '\t'])
        && !text.lines().any(|line| line.trim() == "EOT")
        && !text.chars().any(|letter| letter.is_control() && letter != '\n')
        // The least indentation of all lines is taken away, and has to be ours.
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
