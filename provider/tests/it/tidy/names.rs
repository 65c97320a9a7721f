//! Names of files and folders.

use gitlabspot::provider::Gitlabspot;
use tfplugin::framework::Provider;

use super::source::{Source, sources};
use crate::repository::files;

/// Generic names. Their contents have a more specific name.
const DRAWERS: [&str; 8] = ["util", "utils", "helper", "helpers", "common", "commons", "misc", "shared"];

/// All files and folders in the root.
const TOP: [&str; 22] = [
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".config",
    ".deny.toml",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "acceptance-tests",
    "docs",
    "examples",
    "proto",
    "provider",
];

fn in_drawers(path: &str) -> bool {
    path.split('/').any(|part| DRAWERS.contains(&part.split('.').next().unwrap_or(part)))
}

fn at_the_top(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or(path);
    TOP.contains(&top)
}

/// Type names that are defined in the folder of another type.
fn misplaced(folder: &str, source: &Source) -> Vec<String> {
    let Some(rest) = source.path.strip_prefix(folder) else { return vec![] };
    let home = rest.split('/').next().unwrap_or(rest);
    let given =
        source.text.split("const TYPE_NAME: &'static str = \"").skip(1).filter_map(|rest| rest.split('"').next());
    let elsewhere = given.filter(|name| *name != format!("gitlabspot_{home}"));
    elsewhere.map(|name| format!("{} defines {name}", source.path)).collect()
}

/// Folders without a registered type.
fn unregistered(folder: &str, sources: &[Source], registered: &[&str]) -> Vec<String> {
    let gives =
        |source: &&Source| source.path.starts_with(folder) && source.text.contains("const TYPE_NAME: &'static str");
    let home = |source: &Source| source.path[folder.len()..].split('/').next().unwrap_or_default().to_owned();
    sources
        .iter()
        .filter(gives)
        .map(home)
        .filter(|home| !registered.contains(&format!("gitlabspot_{home}").as_str()))
        .collect()
}

#[test]
fn no_path_has_a_generic_name() {
    let found: Vec<_> = files().into_iter().filter(|path| in_drawers(path)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn top_level_is_listed() {
    let found: Vec<_> = files().into_iter().filter(|path| !at_the_top(path)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn type_name_matches_its_path() {
    let sources = sources("provider/src/");
    let registry = Gitlabspot::default().registry();
    let resources: Vec<_> = registry.resources.iter().map(|it| it.type_name()).collect();
    let data_sources: Vec<_> = registry.data_sources.iter().map(|it| it.type_name()).collect();
    for (folder, registered) in [("provider/src/resources/", resources), ("provider/src/data_sources/", data_sources)] {
        let found: Vec<_> = sources.iter().flat_map(|source| misplaced(folder, source)).collect();
        assert_eq!(found, [""; 0]);
        assert_eq!(unregistered(folder, &sources, &registered), [""; 0], "not in the registry");
    }
}

#[test]
fn checks_find_violations() {
    assert!(in_drawers("provider/src/util.rs") && in_drawers("provider/common/x.rs") && !in_drawers("a/utility.rs"));
    assert!(!at_the_top("src/main.rs") && !at_the_top("notes.md") && at_the_top("provider/Cargo.toml"));
    let source = Source {
        path: "provider/src/resources/cache_bucket/mod.rs".to_owned(),
        text: "const TYPE_NAME: &'static str = \"gitlabspot_bucket\";".to_owned(),
        is_test: false,
    };
    let folder = "provider/src/resources/";
    assert_eq!(misplaced(folder, &source), ["provider/src/resources/cache_bucket/mod.rs defines gitlabspot_bucket"]);
    assert_eq!(unregistered(folder, &[source], &["gitlabspot_node_group"]), ["cache_bucket"]);
}
