//! The configurations in guides are quoted from files in `examples/`, which are tested, without changes. Configurations
//! of the Terraform or OpenTofu CLI are in files of the type `.tfrc`. The files in `guides/` beside this file are
//! templates, in which the path of a file is replaced by its contents.

use std::collections::BTreeMap;

use super::page::fenced;
use crate::repository::{assert_current, files, text};

const FENCE: &str = "```";

const TEMPLATES: &str = "provider/tests/it/docs/guides/";

/// Pages by path.
fn pages() -> BTreeMap<String, String> {
    let templates = files().into_iter().filter(|path| path.starts_with(TEMPLATES));
    templates.map(|path| (path.replace(TEMPLATES, "docs/guides/"), filled(&text(&path).unwrap()))).collect()
}

/// A template in which comments with a path are replaced by the file.
fn filled(template: &str) -> String {
    let paragraphs = template.trim_end().split("\n\n").map(|paragraph| {
        let path = paragraph.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        path.map_or_else(|| paragraph.to_owned(), |path| fenced(&text(path).unwrap_or_default(), language(path)))
    });
    paragraphs.collect::<Vec<_>>().join("\n\n") + "\n"
}

fn language(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("json") => "json",
        Some("yaml" | "yml") => "yaml",
        Some("hcl") => "hcl",
        _ => "terraform",
    }
}

#[test]
fn guides_are_current() {
    let pages = pages();
    assert!(pages.len() >= 6, "{:?}", pages.keys());
    for (path, page) in pages {
        assert_current(&path, &page, "UPDATE_DOCS");
    }
}

#[test]
fn guides_quote_examples() {
    let of = |folder: &str, endings: &[&str]| -> Vec<(String, String)> {
        let is_wanted = |path: &String| path.starts_with(folder) && endings.iter().any(|it| path.ends_with(it));
        files().into_iter().filter(is_wanted).map(|path| (text(&path).unwrap(), path)).map(|(a, b)| (b, a)).collect()
    };
    let guides = of("docs/guides/", &[".md"]);
    assert!(!guides.is_empty());
    for (language, endings) in [("terraform", &[".tf", ".tofu"][..]), ("hcl", &[".tfrc", ".hcl"])] {
        let examples = of("examples/", endings);
        for (path, guide) in &guides {
            assert!(guide.starts_with("---\npage_title: "), "{path} has no front matter");
            for block in blocks(guide, language) {
                let quoted = examples.iter().any(|(_, example)| example.contains(block));
                assert!(quoted, "{path}: no example has\n{block}");
            }
        }
    }
}

/// File names of a release contain the current version.
#[test]
fn guides_name_the_current_version() {
    for path in files().into_iter().filter(|path| path.starts_with("docs/guides/")) {
        let guide = text(&path).unwrap();
        for separator in ["_", "_v"] {
            let name = format!("terraform-provider-gitlabspot{separator}");
            let versions = guide.split(&name).skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            for version in versions {
                assert!(version.starts_with(env!("CARGO_PKG_VERSION")), "{path}: {name}{version:.20}");
            }
        }
    }
}

/// The code blocks of a page in one language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    page.split(&format!("{FENCE}{language}\n")).skip(1).filter_map(|rest| rest.split(FENCE).next()).collect()
}

#[test]
fn code_blocks_are_found() {
    let page = "a\n```terraform\nx = 1\n```\nb\n```sh\nls\n```\n";
    assert_eq!((blocks(page, "terraform"), blocks(page, "sh")), (vec!["x = 1\n"], vec!["ls\n"]));
}

#[test]
fn path_is_replaced_by_its_file() {
    let path = "docs/permissions/provider.json";
    let expected = format!("a\n\n```json\n{}\n```\n", text(path).unwrap().trim_end());
    assert_eq!(filled(&format!("a\n\n<!-- {path} -->\n")), expected);
}
