//! Helm's expression for a text as it stands: `{{ "{{" }}`, or with backticks.

/// The text, and what follows the expression, of which the opening braces are read already. `None` for any other expression.
pub(super) fn literal(expression: &str) -> Option<(String, &str)> {
    let inside = expression.strip_prefix('-').unwrap_or(expression).trim_start();
    let (text, rest) = match inside.chars().next()? {
        '`' => {
            let (text, rest) = inside.strip_prefix('`')?.split_once('`')?;
            (text.to_owned(), rest)
        }
        '"' => {
            let mut texts = serde_json::Deserializer::from_str(inside).into_iter::<String>();
            let text = texts.next()?.ok()?;
            (text, inside.get(texts.byte_offset()..)?)
        }
        _ => return None,
    };
    let rest = rest.trim_start();
    Some((text, rest.strip_prefix('-').unwrap_or(rest).strip_prefix("}}")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_are_a_text_as_any_other() {
        let read = |expression| literal(expression).map(|(text, rest)| format!("{text}|{rest}"));
        assert_eq!(read(" \"{{\" }}.Id}}").as_deref(), Some("{{|.Id}}"));
        assert_eq!(read("- `{{.Id}}` -}} x").as_deref(), Some("{{.Id}}| x"));
        assert_eq!(read("\"a\\\"}}\"}}").as_deref(), Some("a\"}}|"));
        for other in [" .Release.Name }}", " \"a\" | quote }}", " \"a\" b", "`a", "\"a"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
