//! A page: front matter, title, description, examples and schema.

use tfplugin::framework::Schema;
use tfplugin::framework::function::Definition;
use tfplugin::framework::identity::IdentityAttribute;

use super::first::{self, table_and_section};
use super::function::{arguments, signature};
use super::schema::{identity_section, schema_section, type_name};
use crate::repository::text;

/// Sources of credentials, the network and tags; paths of examples are replaced by their contents.
const AWS: &str = include_str!("aws.md");
/// Documentation of clusters that does not belong to a single attribute.
const KUBERNETES: &str = include_str!("kubernetes.md");

/// The text after the first example.
const INSTALLATION: &str = "Run `tofu init` or `terraform init` to install the provider. Without access to a registry, it is installed from the \
     archives of a release, or from a filesystem, network or OCI mirror: see the guide [Installation](guides/installation.md).";

/// The behaviour of a release on plan, apply and destroy.
const RUNNER_RELEASE: &str = include_str!("runner_release.md");

/// The text before and after the table of the attributes that most configurations set.
const FIRST: &str = "## Attributes that most configurations set";
const OTHERS: &str = "The [schema](#schema) lists all attributes. The keys of config.toml for `config` are listed \
     [below](#keys-of-configtoml). A values file of the official chart can replace attributes: see [Values files](#values-files).";

/// The usage of a list resource.
const QUERY: &str = "Requires Terraform 1.14 or newer; OpenTofu does not support queries. Write the block to a file with the extension \
     `.tfquery.hcl`, and run `terraform query`. `terraform query -generate-config-out=found.tf` writes the configuration of \
     all listed objects with `import` blocks. An object that cannot be read is skipped with a warning.";

/// The parts of a page, which are separated by empty lines.
pub(super) struct Page {
    title: String,
    summary: String,
    /// Empty for the index page, which must not have a category in the registry.
    category: &'static str,
    parts: Vec<String>,
}

impl Page {
    pub(super) fn provider(schema: &Schema) -> Self {
        let mut page = Self::new("Provider: gitlabspot".to_owned(), "gitlabspot Provider", &schema.description);
        page.category = "";
        page.example("## Example Usage", "examples/provider/provider.tf", "terraform");
        page.parts.push(INSTALLATION.to_owned());
        page.parts.extend(AWS.split("\n\n").map(example_or_prose));
        let ways = text("examples/provider/kubernetes.tf").unwrap_or_default();
        page.parts.push(KUBERNETES.replace("{{example}}", &fenced(&ways, "terraform")));
        page.parts.push(schema_section(schema));
        page
    }

    pub(super) fn resource(type_name: &str, schema: &Schema, identity: Option<&[IdentityAttribute]>) -> Self {
        let title = format!("{type_name} Resource - gitlabspot");
        let mut page = Self::new(title, &format!("{type_name} (Resource)"), &schema.description);
        let examples = format!("examples/resources/{type_name}");
        page.example("## Example Usage", &format!("{examples}/resource.tf"), "terraform");
        let section = schema_section(schema);
        if type_name == "gitlabspot_runner_release" {
            let (table, section) = table_and_section(schema, &first::RELEASE, &section);
            page.parts.extend([FIRST.to_owned(), table, OTHERS.to_owned(), RUNNER_RELEASE.to_owned(), section]);
        } else {
            page.parts.push(section);
        }
        page.import(type_name, &examples, identity);
        page
    }

    pub(super) fn data_source(type_name: &str, schema: &Schema) -> Self {
        let title = format!("{type_name} Data Source - gitlabspot");
        let mut page = Self::new(title, &format!("{type_name} (Data Source)"), &schema.description);
        page.example("## Example Usage", &format!("examples/data-sources/{type_name}/data-source.tf"), "terraform");
        page.parts.push(schema_section(schema));
        page
    }

    pub(super) fn list_resource(type_name: &str, schema: &Schema) -> Self {
        let title = format!("{type_name} List Resource - gitlabspot");
        let mut page = Self::new(title, &format!("{type_name} (List Resource)"), &schema.description);
        let example = format!("examples/list-resources/{type_name}/list-resource.tfquery.hcl");
        page.example("## Example Usage", &example, "terraform");
        page.parts.push(QUERY.to_owned());
        page.parts.push(schema_section(schema));
        page
    }

    pub(super) fn function(name: &str, definition: &Definition) -> Self {
        let description = format!("{}\n\n{}", definition.summary, definition.description);
        let title = format!("{name} function - gitlabspot");
        let mut page = Self::new(title, &format!("{name} (Function)"), description.trim());
        page.example("## Example Usage", &format!("examples/functions/{name}/function.tf"), "terraform");
        page.parts.push("## Signature".to_owned());
        page.parts.push(fenced(&signature(name, definition), "text"));
        page.parts.push(arguments(definition));
        page.parts.push(format!("## Return Type\n\n{}", type_name(&definition.result)));
        page
    }

    /// Adds chapters to the page.
    pub(super) fn with(mut self, chapters: Vec<String>) -> Self {
        self.parts.extend(chapters);
        self
    }

    fn new(title: String, heading: &str, description: &str) -> Self {
        let summary = description.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        Self {
            title,
            summary,
            category: "subcategory: \"\"\n",
            parts: vec![format!("# {heading}"), description.to_owned()],
        }
    }

    /// Adds an example if its file exists; another test verifies that the required examples exist.
    fn example(&mut self, before: &str, path: &str, language: &str) -> bool {
        let Some(code) = text(path) else { return false };
        self.parts.push(before.to_owned());
        self.parts.push(fenced(&code, language));
        true
    }

    fn import(&mut self, type_name: &str, examples: &str, identity: Option<&[IdentityAttribute]>) {
        self.example("## Import", &format!("{examples}/import.sh"), "shell");
        self.example("With an import block:", &format!("{examples}/import-by-string-id.tf"), "terraform");
        let Some(identity) = identity else { return };
        let before =
            "With OpenTofu 1.12 or Terraform 1.12, or newer, an import block can use the identity instead of the ID:";
        if !self.example(before, &format!("{examples}/import-by-identity.tf"), "terraform") {
            self.parts.push(before.to_owned());
            self.parts.push(fenced(&identity_block(type_name, identity), "terraform"));
        }
        self.parts.push(identity_section(identity));
    }

    pub(super) fn render(&self) -> String {
        let Self { title, summary, category, parts } = self;
        let front = format!("---\npage_title: {title:?}\n{category}description: |-\n  {summary}\n---");
        let parts: Vec<_> = parts.iter().map(|part| part.trim_end()).collect();
        format!("{front}\n\n{}\n", parts.join("\n\n"))
    }
}

/// A paragraph, or the example if the paragraph is the path of one.
pub(super) fn example_or_prose(paragraph: &str) -> String {
    let path = paragraph.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
    path.map_or_else(|| paragraph.to_owned(), |path| fenced(&text(path).unwrap_or_default(), "terraform"))
}

pub(super) fn fenced(code: &str, language: &str) -> String {
    format!("```{language}\n{}\n```", code.trim_end())
}

/// An import block by identity, with the required attributes.
fn identity_block(type_name: &str, identity: &[IdentityAttribute]) -> String {
    let required: Vec<_> = identity.iter().filter(|it| it.required_for_import).map(|it| it.name.as_str()).collect();
    let width = required.iter().map(|name| name.len()).max().unwrap_or_default();
    let lines: String = required.iter().map(|name| format!("    {name:width$} = \"...\"\n")).collect();
    format!("import {{\n  to = {type_name}.example\n  identity = {{\n{lines}  }}\n}}")
}

#[cfg(test)]
mod tests {
    use tfplugin::framework::Type;

    use super::*;

    #[test]
    fn front_matter_has_the_first_paragraph() {
        let page = Page::new("T".to_owned(), "t (Resource)", "One\nsentence.\n\nAnother.");
        let expected = "---\npage_title: \"T\"\nsubcategory: \"\"\ndescription: |-\n  One sentence.\n---\n\n\
                        # t (Resource)\n\nOne\nsentence.\n\nAnother.\n";
        assert_eq!(page.render(), expected);
    }

    #[test]
    fn identity_block_is_aligned() {
        let attribute = |name: &str, required_for_import| IdentityAttribute {
            name: name.to_owned(),
            ty: Type::String,
            required_for_import,
            description: String::new(),
        };
        let identity = [attribute("name", true), attribute("cluster_name", true), attribute("region", false)];
        assert_eq!(
            identity_block("t", &identity),
            "import {\n  to = t.example\n  identity = {\n    name         = \"...\"\n    cluster_name = \"...\"\n  }\n}"
        );
    }
}
