//! The page of diagnostics: every summary in the code, with a remedy.
//!
//! A summary is a string that begins with a capital letter and has several words, but no full stop. Other such strings
//! in the code are those in [`OTHERS`], names of steps ("Creating the namespace"), and beginnings of sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::repository::{assert_current, files, text};

const PAGE: &str = "docs/guides/troubleshooting.md";

/// The text before the tables.
const INTRODUCTION: &str = include_str!("troubleshooting.md");

/// The remedies, one line for each summary: `summary | text`.
const REMEDIES: &str = include_str!("troubleshooting.txt");

/// Remedies for summaries that only the detail explains, by their first word.
const CLASSES: [(&[&str], &str); 4] = [
    (
        &["Invalid", "Reserved", "Empty", "Wrong", "Unknown"],
        "The value is not valid. The detail contains the reason and the expected value.",
    ),
    (&["Missing", "Conflicting"], "The detail lists the arguments that are required, or that exclude each other."),
    (&["Duplicate", "Too"], "Remove the duplicate or excess elements. The detail lists them, or contains the limit."),
    (
        &["Cannot"],
        "A call failed. The detail contains the response of the API and the objects that remain. The next apply continues.",
    ),
];

/// The headings of summaries, by the folder of their code.
const AREAS: [(&str, &str); 9] = [
    ("provider/src/resources/node_group/", "gitlabspot_node_group"),
    ("provider/src/resources/cache_bucket/", "gitlabspot_cache_bucket"),
    ("provider/src/resources/runner_credentials/", "gitlabspot_runner_credentials"),
    ("provider/src/resources/runner_release/", "gitlabspot_runner_release"),
    ("provider/src/resources/warm_capacity/", "gitlabspot_warm_capacity"),
    ("provider/src/data_sources/", "Data sources"),
    ("provider/runner-config/", "Configuration of the runner"),
    ("provider/tfplugin/src/", "Protocol"),
    ("provider/src/", "All resources"),
];

/// Strings that look like summaries.
const OTHERS: [&str; 15] = [
    "Cache of GitLab Runner",
    "Did you mean",
    "EC2 Auto Scaling",
    "EKS Pod Identity",
    "EKS does not report a reason",
    "Error in role params",
    "Failed to parse error data",
    "HMAC takes a key of any length",
    "HMAC takes keys of any length",
    "IAM role's policy must include",
    "Invalid principal in policy",
    "Nodes of an EKS node group",
    "Role could not be assumed because the trusted entity is not correct",
    "Role provided in the request does not exist",
    "No key is in use",
];

/// The summaries below each heading.
type Summaries = BTreeMap<&'static str, BTreeSet<String>>;

fn summaries() -> Summaries {
    let mut found = Summaries::new();
    let is_source = |path: &String| {
        // `migrate` writes files; its strings are headings of a report.
        let skipped = [
            "/src/migrate/",
            "/tests",
            "/testing",
            "/examples/",
            "/derive/",
            "/benches/",
            "/catalogue/",
            "/generated/",
        ];
        path.ends_with(".rs") && !skipped.iter().any(|part| path.contains(part))
    };
    for path in files().into_iter().filter(is_source) {
        let Some((_, area)) = AREAS.iter().find(|(folder, _)| path.starts_with(folder)) else { continue };
        let tokens: TokenStream = text(&path).unwrap_or_default().parse().unwrap();
        let mut texts = BTreeSet::new();
        collect(tokens, &mut texts);
        found.entry(area).or_default().extend(texts.into_iter().filter(|it| is_summary(it)));
    }
    found
}

/// Collects the strings of shipped code, except in attributes and test modules.
fn collect(tokens: TokenStream, texts: &mut BTreeSet<String>) {
    let (mut after_hash, mut for_tests) = (false, false);
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '#' => after_hash = true,
            TokenTree::Punct(punct) if after_hash && punct.as_char() == '!' => {}
            TokenTree::Group(group) if after_hash && group.delimiter() == Delimiter::Bracket => {
                for_tests |= group.stream().to_string().replace(' ', "") == "cfg(test)";
                after_hash = false;
            }
            // The item after `#[cfg(test)]` ends with its body, or with `;`.
            TokenTree::Group(group) if for_tests => for_tests = group.delimiter() != Delimiter::Brace,
            TokenTree::Punct(punct) if for_tests && punct.as_char() == ';' => for_tests = false,
            TokenTree::Group(group) => collect(group.stream(), texts),
            TokenTree::Literal(literal) => texts.extend(unquoted(&literal.to_string())),
            _ => after_hash = false,
        }
    }
}

/// The value of a literal, if it is a string.
fn unquoted(literal: &str) -> Option<String> {
    let text = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut lines = text.split("\\\n");
    let first = lines.next()?.to_owned();
    Some(lines.fold(first, |whole, line| whole + line.trim_start()).replace("\\\"", "\""))
}

fn is_summary(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    let is_step = first.ends_with("ing") && first != "Missing";
    // This summary has the beginning of a sentence.
    let is_sentence = ["The", "It", "A", "This", "In", "Set"].contains(&first) && text != "A runner needs one token";
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.trim_end() == text
        && text.contains(' ')
        && (10..75).contains(&text.len())
        && !text.contains(['.', '{', '}', '<', '=', '|', '\\', '`', '/', ':', ';', '%'])
        && !is_step
        && !is_sentence
        && !OTHERS.contains(&text)
}

fn remedies() -> BTreeMap<&'static str, &'static str> {
    REMEDIES.lines().filter_map(|line| line.split_once(" | ")).collect()
}

fn remedy(summary: &str, remedies: &BTreeMap<&str, &'static str>) -> Option<&'static str> {
    let first = summary.split(' ').next().unwrap_or_default();
    let of_class = || CLASSES.iter().find(|(words, _)| words.contains(&first)).map(|(_, text)| *text);
    remedies.get(summary).copied().or_else(of_class)
}

fn page() -> String {
    let remedies = remedies();
    let mut page = INTRODUCTION.trim_end().to_owned();
    let summaries = summaries();
    for (_, area) in AREAS {
        let Some(found) = summaries.get(area).filter(|found| !found.is_empty()) else { continue };
        write!(page, "\n\n## {area}\n\n| summary | what to do |\n| --- | --- |\n").unwrap();
        let rows = found.iter().map(|it| format!("| {it} | {} |", remedy(it, &remedies).unwrap_or("See the detail.")));
        page += &rows.collect::<Vec<_>>().join("\n");
    }
    page + "\n"
}

#[test]
fn the_page_of_diagnostics_is_current() {
    assert_current(PAGE, &page(), "UPDATE_DOCS");
}

#[test]
fn every_diagnostic_has_a_remedy() {
    let (remedies, summaries) = (remedies(), summaries());
    let all: BTreeSet<&String> = summaries.values().flatten().collect();
    assert!(all.len() > 150, "{}", all.len());
    let without: Vec<_> = all.iter().filter(|it| remedy(it, &remedies).is_none()).collect();
    assert!(without.is_empty(), "add what to do about these to troubleshooting.txt: {without:#?}");
    let stale: Vec<_> = remedies.keys().filter(|it| !all.contains(&(**it).to_owned())).collect();
    assert!(stale.is_empty(), "no diagnostic has these summaries: {stale:#?}");
}

#[test]
fn summaries_are_found_in_source() {
    let code = r#"
        #[error("An Attribute is none")]
        fn f() { Diagnostic::error("Node group not found", format!("The node group {a} is not there.")); g("Doing a thing"); }
        const WARNING: &str = "Parts of it \
            remain";
        #[cfg(test)]
        mod tests { const X: &str = "Only in a test"; }
    "#;
    let mut texts = BTreeSet::new();
    collect(code.parse().unwrap(), &mut texts);
    texts.retain(|it| is_summary(it));
    assert_eq!(texts.into_iter().collect::<Vec<_>>(), ["Node group not found", "Parts of it remain"]);
}
