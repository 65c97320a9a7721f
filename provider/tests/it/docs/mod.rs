//! The pages of the registry, rendered from schemas, descriptions and examples.

mod attributes;
mod code_blocks;
mod first;
mod function;
mod guides;
mod links;
mod mocks;
mod modules;
mod page;
mod pictures;
mod reference;
mod scenarios;
mod schema;
mod troubleshooting;

use std::collections::BTreeMap;

use gitlabspot::provider::Gitlabspot;
use page::{Page, example_or_prose};
use tfplugin::framework::{Provider, Schema};

use crate::repository::{assert_current, files, text};

/// Folders of generated pages.
const FOLDERS: [&str; 4] = ["docs/resources/", "docs/list-resources/", "docs/data-sources/", "docs/functions/"];

/// Pages by path.
fn pages() -> BTreeMap<String, String> {
    let provider = Gitlabspot::default();
    let registry = provider.registry();
    let name = |type_name: &str| type_name.strip_prefix("gitlabspot_").unwrap().to_owned();
    let mut pages = BTreeMap::new();
    let config = Schema::of::<<Gitlabspot as Provider>::Config>(0, provider.description());
    pages.insert("docs/index.md".to_owned(), Page::provider(&config).render());
    for resource in &registry.resources {
        let page = Page::resource(
            resource.type_name(),
            &resource.schema(),
            resource.identity_schema().map(|it| it.attributes).as_deref(),
        )
        .with(chapters(resource.type_name()));
        pages.insert(format!("docs/resources/{}.md", name(resource.type_name())), page.render());
    }
    for list in &registry.list_resources {
        let page = Page::list_resource(list.type_name(), &list.schema());
        pages.insert(format!("docs/list-resources/{}.md", name(list.type_name())), page.render());
    }
    for data_source in &registry.data_sources {
        let page = Page::data_source(data_source.type_name(), &data_source.schema());
        pages.insert(format!("docs/data-sources/{}.md", name(data_source.type_name())), page.render());
    }
    for function in &registry.functions {
        let page = Page::function(function.name(), &function.definition());
        pages.insert(format!("docs/functions/{}.md", function.name()), page.render());
    }
    pages
}

/// Modes of credentials, rotation, and the location of each part; paths of examples are replaced by their contents.
const CREDENTIALS: &str = include_str!("runner_credentials.md");

/// The chapters of a page besides the schema.
fn chapters(type_name: &str) -> Vec<String> {
    match type_name {
        "gitlabspot_runner_credentials" => CREDENTIALS.split("\n\n").map(example_or_prose).collect(),
        "gitlabspot_runner_release" => of_release(),
        _ => Vec::new(),
    }
}

/// The adoption of a release of Helm.
const ADOPTION: &str = include_str!("runner_release_adoption.md");

/// Recovery from an apply that was killed.
const KILLED: &str = include_str!("runner_release_killed.md");

/// Intended differences from the objects of chart 0.86.0 with the same values. A test of the manifests uses this file.
const DIFFERENCES: &str = include_str!("../../../src/resources/runner_release/testdata/differences.md");

fn of_release() -> Vec<String> {
    vec![
        "## Releases of Helm".to_owned(),
        ADOPTION.trim_end().to_owned(),
        "## After a killed run".to_owned(),
        KILLED.trim_end().to_owned(),
        "## Keys of values files".to_owned(),
        "The effect of each key of the official chart:".to_owned(),
        reference::values_keys(),
        "## Differences from the official chart".to_owned(),
        "The objects are those of chart 0.86.0 with the same values, except for these intended differences:".to_owned(),
        DIFFERENCES.trim_end().to_owned(),
        "## Keys of config.toml".to_owned(),
        reference::config_keys(),
    ]
}

#[test]
fn pages_are_current() {
    for (path, page) in pages() {
        assert_current(&path, &page, "UPDATE_DOCS");
    }
}

#[test]
fn no_page_is_obsolete() {
    let pages = pages();
    let left: Vec<_> = files()
        .into_iter()
        .filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)) && !pages.contains_key(path))
        .collect();
    assert_eq!(left, [""; 0], "nothing offers what these pages describe");
}

#[test]
fn every_page_meets_the_limits_of_the_registry() {
    for (path, page) in pages() {
        assert!(page.len() < 500_000, "{path} is too long");
        assert!(page.starts_with("---\npage_title: "), "{path} has no front matter");
    }
}

#[test]
fn everything_has_an_example() {
    let registry = Gitlabspot::default().registry();
    let of_provider = ["provider", "assume-role", "hcp-terraform", "kubernetes", "proxy"];
    let mut wanted: Vec<_> = of_provider.iter().map(|name| format!("examples/provider/{name}.tf")).collect();
    let of_credentials = ["irsa", "pod_identity"];
    wanted.extend(of_credentials.map(|mode| format!("examples/resources/gitlabspot_runner_credentials/{mode}.tf")));
    for resource in &registry.resources {
        wanted.push(format!("examples/resources/{}/resource.tf", resource.type_name()));
        wanted.push(format!("examples/resources/{}/import.sh", resource.type_name()));
    }
    wanted.extend(
        registry.data_sources.iter().map(|it| format!("examples/data-sources/{}/data-source.tf", it.type_name())),
    );
    wanted.extend(
        registry
            .list_resources
            .iter()
            .map(|it| format!("examples/list-resources/{}/list-resource.tfquery.hcl", it.type_name())),
    );
    wanted.extend(registry.functions.iter().map(|it| format!("examples/functions/{}/function.tf", it.name())));
    wanted.retain(|path| text(path).is_none_or(|text| text.trim().is_empty()));
    assert_eq!(wanted, [""; 0], "these examples are missing");
}
