//! A table of the attributes that most configurations set, for pages with many attributes.

use std::fmt::Write;

use tfplugin::framework::Schema;

/// Ten of about a hundred attributes of a release, in the order in which users need them.
pub(super) const RELEASE: [&str; 10] = [
    "namespace",
    "gitlab_url",
    "runner_token_wo",
    "runner_token_wo_version",
    "build_nodes",
    "cache",
    "cache_secret_name",
    "docker_in_docker",
    "concurrent",
    "config",
];

/// The table of these attributes, and the section of the schema with the anchors of its links.
pub(super) fn table_and_section(schema: &Schema, names: &[&str], section: &str) -> (String, String) {
    let mut table = "| attribute | description |\n| --- | --- |\n".to_owned();
    let mut section = section.to_owned();
    for name in names {
        let attribute = schema.attributes.iter().find(|it| it.name == *name).unwrap();
        let line = format!("- `{name}` (");
        assert!(section.contains(&line), "{name} is in no list");
        section = section.replacen(&line, &format!("- <a id=\"schema--{name}\"></a>`{name}` ("), 1);
        writeln!(table, "| [`{name}`](#schema--{name}) | {} |", sentence(&attribute.description)).unwrap();
    }
    (table, section)
}

/// Minimum length of a summary. A shorter first sentence does not describe an attribute, so that the next one is added.
const ENOUGH: usize = 30;

/// The first sentence of a description, in one line.
fn sentence(description: &str) -> String {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = line.match_indices(". ").map(|(at, _)| at + 1);
    let end = ends.into_iter().find(|end| *end >= ENOUGH).unwrap_or(line.len());
    line[..end].to_owned()
}

#[test]
fn description_is_cut_after_its_first_sentence() {
    let url = "URL of\nGitLab, for example `https://gitlab.com/`. Required.";
    assert_eq!(sentence(url), "URL of GitLab, for example `https://gitlab.com/`.");
    assert_eq!(
        sentence("Arbitrary number. A change writes the token again. More."),
        "Arbitrary number. A change writes the token again."
    );
    assert_eq!(sentence("Only one."), "Only one.");
}
