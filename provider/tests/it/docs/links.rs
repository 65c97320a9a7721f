//! Links between the pages, and to files of the repository, are valid.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::repository::{files, root, text};

/// URL prefixes of files and folders of this repository.
const REPOSITORY: [&str; 3] = [
    "https://github.com/gitlabspot/terraform-provider-gitlabspot/tree/main/",
    "https://github.com/gitlabspot/terraform-provider-gitlabspot/blob/main/",
    "https://raw.githubusercontent.com/gitlabspot/terraform-provider-gitlabspot/main/",
];

/// The targets of links and pictures in a page, except in code.
fn targets(page: &str) -> Vec<String> {
    let prose = page.split("```").step_by(2).flat_map(str::lines).map(without_code);
    let of_line = |line: String| -> Vec<String> {
        let ends = line.match_indices("](").map(|(at, _)| &line[at + 2..]);
        ends.filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect()
    };
    prose.flat_map(of_line).collect()
}

fn without_code(line: &str) -> String {
    line.split('`').enumerate().map(|(at, part)| if at % 2 == 0 { part } else { "code" }).collect()
}

/// The valid fragments of links to a page: those of headings, as GitHub derives them, and of anchors.
fn fragments(page: &str) -> BTreeSet<String> {
    let headings = page.split("```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#'));
    let named = page.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned);
    headings.map(|line| slug(line.trim_start_matches('#'))).chain(named).collect()
}

fn slug(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut whole = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => _ = whole.pop(),
            other => whole.push(other),
        }
    }
    whole
}

/// Why a link in a page is broken; `None` if it is valid.
fn broken(page: &str, target: &str) -> Option<String> {
    let local = REPOSITORY.iter().find_map(|address| target.strip_prefix(address));
    if local.is_none() && (target.contains("://") || target.starts_with("mailto:")) {
        return None;
    }
    let (path, fragment) = target.split_once('#').map_or((target, None), |(path, fragment)| (path, Some(fragment)));
    let path = match local {
        Some(local) => PathBuf::from(local.split('#').next().unwrap_or(local)),
        None if path.is_empty() => PathBuf::from(page),
        None => normal(&Path::new(page).parent().unwrap_or(Path::new("")).join(path)),
    };
    if !root().join(&path).exists() {
        return Some(format!("{page}: {target}: there is no {}", path.display()));
    }
    let fragment = fragment?;
    let is_there = fragments(&text(&path).unwrap_or_default()).contains(fragment);
    (!is_there).then(|| format!("{page}: {target}: there is no heading #{fragment}"))
}

#[test]
fn links_are_valid() {
    // Templates are checked as part of the pages that they generate.
    let is_page = |path: &String| path.ends_with(".md") && !path.starts_with("provider/");
    let pages: Vec<String> = files().into_iter().filter(is_page).collect();
    let all = pages.iter().flat_map(|page| targets(&text(page).unwrap()).into_iter().map(move |it| (page, it)));
    let all: Vec<_> = all.collect();
    assert!(all.len() > 100, "{}", all.len());
    let broken: Vec<String> = all.iter().filter_map(|(page, target)| broken(page, target)).collect();
    assert_eq!(broken, [""; 0]);
}

#[test]
fn broken_links_are_found() {
    let page = "# A `b` heading\n[a](#a-b-heading) `[c](d)`\n```\n[e](f)\n```\n![g](h/i.svg)\n<a id=\"j\"></a>";
    assert_eq!(targets(page), ["#a-b-heading", "h/i.svg"]);
    assert!(["a-b-heading", "j"].iter().all(|it| fragments(page).contains(*it)));
    assert_eq!(broken("docs/x.md", "../README.md"), None);
    assert_eq!(broken("docs/x.md", "https://example.com/"), None);
    assert_eq!(broken("README.md", &format!("{}docs/index.md", REPOSITORY[0])), None);
    assert!(broken("docs/x.md", "../nothing.md").is_some());
    assert!(broken("README.md", "README.md#nothing").is_some());
    assert!(broken("README.md", &format!("{}nothing", REPOSITORY[0])).is_some());
}
