//! Rust files and their code, for the checks.

use std::collections::BTreeSet;

use crate::repository::{files, text};

/// A Rust file.
pub(super) struct Source {
    /// The path from the root of the repository.
    pub(super) path: String,
    /// The contents of the file.
    pub(super) text: String,
    /// Whether the file is compiled only for tests.
    pub(super) is_test: bool,
}

impl Source {
    /// The code without comments and strings, with the same number of lines.
    pub(super) fn code(&self) -> String {
        code(&self.text)
    }

    /// The code without tests.
    pub(super) fn shipped(&self) -> String {
        if self.is_test { String::new() } else { without_tests(&self.code()).to_owned() }
    }
}

/// The Rust files under a folder, except generated ones.
pub(super) fn sources(under: &str) -> Vec<Source> {
    let written = |path: &String| path.starts_with(under) && path.ends_with(".rs") && !path.contains("/generated/");
    let read = |path: String| (text(&path).unwrap_or_default(), path);
    let all: Vec<_> = files().into_iter().filter(written).map(read).collect();
    let tests: BTreeSet<_> = all.iter().flat_map(|(text, path)| test_modules(path, &code(text))).collect();
    let is_test = |path: &str| {
        path.contains("/tests/")
            || tests.iter().any(|it| path == format!("{it}.rs") || path.starts_with(&format!("{it}/")))
    };
    all.into_iter().map(|(text, path)| Source { is_test: is_test(&path), path, text }).collect()
}

/// The paths, without `.rs`, of the modules that a file declares only for tests.
fn test_modules(path: &str, code: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = match file {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        file => format!("{folder}/{}", file.trim_end_matches(".rs")),
    };
    let mut modules = Vec::new();
    let mut for_tests = false;
    for line in code.lines().map(str::trim) {
        if line.starts_with("#[cfg(test)]") {
            for_tests = true;
        } else if !line.starts_with('#') {
            let name = line.strip_suffix(';').and_then(|line| line.split_once("mod ")).map(|(_, name)| name);
            modules.extend(name.filter(|_| for_tests).map(|name| format!("{folder}/{name}")));
            for_tests = false;
        }
    }
    modules
}

/// Whether code contains a name as a whole word that does not follow a dot. A `*` at its end matches any letters.
pub(super) fn contains_name(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (name, open) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        !before.ends_with(|c: char| is_word(c) || c == '.') && (open || !after.starts_with(is_word))
    })
}

/// The code before the test module, which is at the end of a file.
pub(super) fn without_tests(code: &str) -> &str {
    let mut rest = 0;
    while let Some(found) = code[rest..].find("#[cfg(test)]") {
        let at = rest + found;
        let mut after = code[at..].lines().skip(1).skip_while(|line| line.trim_start().starts_with('#'));
        if after.next().is_some_and(|line| line.contains("mod ") && line.trim_end().ends_with('{')) {
            return &code[..at];
        }
        rest = at + 1;
    }
    code
}

/// The code without comments and the contents of strings. Line breaks are kept.
fn code(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let (skipped, left) = match next {
            '/' if rest.starts_with("//") => rest.split_at(rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => rest.split_at(rest.find("*/").map_or(rest.len(), |at| at + 2)),
            '"' => rest.split_at(end_of_text(rest)),
            '\'' => rest.split_at(end_of_char(rest)),
            'r' if !ends_in_word(&code) && raw_text(rest).is_some() => rest.split_at(raw_text(rest).unwrap()),
            other => {
                code.push(other);
                rest = &rest[other.len_utf8()..];
                continue;
            }
        };
        if next == '"' || next == 'r' {
            code.push_str("\"\"");
        }
        code.extend(skipped.chars().filter(|c| *c == '\n'));
        rest = left;
    }
    code
}

fn ends_in_word(code: &str) -> bool {
    // `br"..."` is raw as well.
    code.trim_end_matches('b').ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The end of a character literal, or of the quote of a lifetime.
fn end_of_char(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some(_)) => chars.find(|(_, c)| *c == '\'').map_or(text.len(), |(at, _)| at + 1),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

fn raw_text(text: &str) -> Option<usize> {
    let hashes = text[1..].chars().take_while(|c| *c == '#').count();
    let begin = 1 + hashes;
    text[begin..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[begin + 1..].find(&end).map_or(text.len(), |at| begin + 1 + at + end.len()))
}

#[test]
fn comments_and_strings_are_removed() {
    let text = "a(\"b // \\\" c\"); // d\n/* e\n */ f::<'g>('\"', '\\'', r#\"h \" i\"#, b\"j\") r#type\n";
    assert_eq!(code(text), "a(\"\"); \n\n f::<g>(, , \"\", b\"\") r#type\n");
}

#[test]
fn names_match_whole_words() {
    assert!(contains_name("use tonic::Status;", "tonic") && contains_name("(aws_sdk_s3::Client)", "aws_sdk_*"));
    assert!(
        !contains_name("mytonic::x", "tonic")
            && !contains_name("self.tonic", "tonic")
            && !contains_name("tonics", "tonic")
    );
}

#[test]
fn tests_are_removed() {
    let code = "a\n#[cfg(test)]\nmod testing;\nb\n#[cfg(test)]\n#[expect(x)]\nmod tests {\nc\n}\n";
    assert_eq!(without_tests(code), "a\n#[cfg(test)]\nmod testing;\nb\n");
    assert_eq!(test_modules("x/mod.rs", code), ["x/testing"]);
    assert_eq!(test_modules("x/y.rs", "#[cfg(test)]\npub(crate) mod testing;"), ["x/y/testing"]);
}
