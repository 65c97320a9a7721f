//! Guides quote configurations that are proven elsewhere: what stands in one is in a file of `examples/`, word for word.
//! Configurations of the engines' command line are in files of the type `.tfrc`.

use crate::repository::{files, text};

const FENCE: &str = "```";

#[test]
fn guides_quote_examples() {
    let of = |folder: &str, ending: &str| -> Vec<(String, String)> {
        let paths = files().into_iter().filter(|path| path.starts_with(folder) && path.ends_with(ending));
        paths.map(|path| (text(&path).unwrap(), path)).map(|(text, path)| (path, text)).collect()
    };
    let guides = of("docs/guides/", ".md");
    assert!(!guides.is_empty());
    for (language, ending) in [("terraform", ".tf"), ("hcl", ".tfrc")] {
        let examples = of("examples/", ending);
        for (path, guide) in &guides {
            assert!(guide.starts_with("---\npage_title: "), "{path} has no front matter");
            for block in blocks(guide, language) {
                let quoted = examples.iter().any(|(_, example)| example.contains(block));
                assert!(quoted, "{path}: no example has\n{block}");
            }
        }
    }
}

/// Names of files of a release are those of this version.
#[test]
fn guides_name_this_version() {
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

/// What a page has in one language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    page.split(&format!("{FENCE}{language}\n")).skip(1).filter_map(|rest| rest.split(FENCE).next()).collect()
}

#[test]
fn blocks_are_found() {
    let page = "a\n```terraform\nx = 1\n```\nb\n```sh\nls\n```\n";
    assert_eq!((blocks(page, "terraform"), blocks(page, "sh")), (vec!["x = 1\n"], vec!["ls\n"]));
}
