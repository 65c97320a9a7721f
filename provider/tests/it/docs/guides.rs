//! Guides quote configurations that are proven elsewhere: what stands in one is in a file of `examples/`, word for word.

use crate::repository::{files, text};

const FENCE: &str = "```";

#[test]
fn guides_quote_examples() {
    let of = |folder: &str, ending: &str| -> Vec<(String, String)> {
        let paths = files().into_iter().filter(|path| path.starts_with(folder) && path.ends_with(ending));
        paths.map(|path| (text(&path).unwrap(), path)).map(|(text, path)| (path, text)).collect()
    };
    let (guides, examples) = (of("docs/guides/", ".md"), of("examples/", ".tf"));
    assert!(!guides.is_empty());
    for (path, guide) in guides {
        assert!(guide.starts_with("---\npage_title: "), "{path} has no front matter");
        for block in blocks(&guide) {
            let quoted = examples.iter().any(|(_, example)| example.contains(block));
            assert!(quoted, "{path}: no example has\n{block}");
        }
    }
}

/// The HCL of a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```terraform\n").skip(1).filter_map(|rest| rest.split(FENCE).next()).collect()
}

#[test]
fn blocks_are_found() {
    assert_eq!(blocks("a\n```terraform\nx = 1\n```\nb\n```sh\nls\n```\n"), ["x = 1\n"]);
}
