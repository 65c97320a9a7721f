//! The migrated configuration.

use std::collections::BTreeSet;

use super::hcl::{Block, Value, interpolated, quoted, render};
use super::report::Report;

/// Key prefixes of the tags that eksctl and its CloudFormation stacks set.
const TAGS_OF_EKSCTL: [&str; 3] = ["alpha.eksctl.io/", "eksctl.cluster.k8s.io/", "eksctl.io/"];

/// The cluster, with its name if it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cluster {
    pub(super) name: Option<String>,
}

impl Cluster {
    /// The variable for an unknown name.
    const VARIABLE: &str = "var.cluster_name";

    pub(super) fn value(&self) -> Value {
        self.within("", "")
    }

    /// The name between two texts.
    pub(super) fn within(&self, before: &str, after: &str) -> Value {
        match &self.name {
            Some(name) => Value::Text(format!("{before}{name}{after}")),
            None if before.is_empty() && after.is_empty() => Value::expression(Self::VARIABLE),
            None => Value::expression(interpolated(before, Self::VARIABLE, after)),
        }
    }
}

/// The blocks of the configuration, and the report.
#[derive(Clone, Debug, Default)]
pub(super) struct Project {
    pub(super) cluster: Cluster,
    pub(super) region: Option<String>,
    /// Alias, region and comment of each provider for another region.
    aliases: Vec<(String, String, &'static str)>,
    /// Whether eksctl created any of the resources.
    pub(super) is_of_eksctl: bool,
    pub(super) report: Report,
    resources: Vec<Block>,
    imports: Vec<Block>,
    removed: Vec<Block>,
    /// Complete addresses of the instances that the state forgets.
    pub(super) forgotten: Vec<String>,
    variables: Vec<Block>,
    addresses: BTreeSet<String>,
    needs_cluster: bool,
}

impl Project {
    /// Returns a unique name for a resource of this type, derived from `wish`.
    pub(super) fn name(&mut self, resource: &str, wish: &str) -> String {
        let mut name: String =
            wish.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
        // An HCL identifier must not begin with a digit.
        if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
            name = format!("n_{name}");
        }
        let numbered = |number: usize| if number == 1 { name.clone() } else { format!("{name}_{number}") };
        let free = (1..).map(numbered).find(|name| self.addresses.insert(format!("{resource}.{name}")));
        free.unwrap_or(name)
    }

    /// Adds a resource, with an import block unless it is created.
    pub(super) fn resource(&mut self, block: Block, import: Option<Value>) {
        if let ([kind, name], Some(id)) = (block.labels.as_slice(), import) {
            let to = Value::expression(format!("{kind}.{name}"));
            self.imports.push(Block::new("import", [""; 0]).with("to", to).with("id", id));
        }
        self.resources.push(block);
    }

    /// Returns the cluster, and adds it to the provider block.
    pub(super) fn cluster(&mut self) -> Cluster {
        self.needs_cluster = true;
        self.cluster.clone()
    }

    /// Makes the state forget an instance of a resource of another provider.
    pub(super) fn forget(&mut self, address: &str) {
        if !self.forgotten.iter().any(|known| known == address) {
            self.forgotten.push(address.to_owned());
        }
    }

    /// Adds a `removed` block, with which the state forgets all instances of a resource.
    pub(super) fn remove(&mut self, address: &str) {
        // Terraform destroys the object unless `destroy` is false.
        let lifecycle = Block::new("lifecycle", [""; 0]).with("destroy", false);
        let block = Block::new("removed", [""; 0]).with("from", Value::expression(address)).with_block(lifecycle);
        if !self.removed.contains(&block) {
            self.removed.push(block);
        }
    }

    /// The provider of a bucket in this region. `None` for the region of the cluster.
    pub(super) fn provider_of_bucket(&mut self, region: Option<&str>) -> Option<Value> {
        self.provider(region?, "cache", "The region of the cache bucket.")
    }

    /// The provider of a node group in this region. `None` for the region of the cluster.
    pub(super) fn provider_of_group(&mut self, region: Option<&str>) -> Option<Value> {
        let region = region?;
        self.provider(region, &alias(region), "The region of other node groups.")
    }

    fn provider(&mut self, region: &str, wish: &str, comment: &'static str) -> Option<Value> {
        // Without another source, the first region is that of the cluster.
        if self.region.get_or_insert_with(|| region.to_owned()) == region {
            return None;
        }
        let known = self.aliases.iter().find(|(_, of, _)| of == region).map(|(name, ..)| name.clone());
        let name = known.unwrap_or_else(|| {
            let is_taken = self.aliases.iter().any(|(name, ..)| name == wish);
            let name = if is_taken { alias(region) } else { wish.to_owned() };
            self.aliases.push((name.clone(), region.to_owned(), comment));
            name
        });
        Some(Value::expression(format!("gitlabspot.{name}")))
    }

    /// Adds a variable. Returns its name.
    pub(super) fn variable(&mut self, wish: &str, description: &str, kind: Variable) -> String {
        let name = self.name("var", wish);
        let mut block = Block::new("variable", [name.as_str()]);
        block.set("description", description);
        block.set("type", Value::expression(if kind == Variable::Texts { "list(string)" } else { "string" }));
        if matches!(kind, Variable::Secret | Variable::Token) {
            block.set("sensitive", true);
        }
        // An ephemeral value is not stored, and is only allowed where no value is stored, such as in a write-only
        // attribute.
        if kind == Variable::Token {
            block.set("ephemeral", true);
        }
        self.variables.push(block);
        name
    }

    /// The names and texts of the files. Files without content are omitted.
    pub(super) fn files(mut self) -> Vec<(&'static str, String)> {
        if self.needs_cluster && self.cluster.name.is_none() {
            let mut block = Block::new("variable", ["cluster_name"]);
            block.set("description", "Name of the EKS cluster.");
            block.set("type", Value::expression("string"));
            self.variables.insert(0, block);
        }
        let mut main = vec![terraform()];
        main.extend(self.providers());
        main.extend(std::mem::take(&mut self.resources));
        let moved: Vec<Block> = self.imports.into_iter().chain(self.removed).collect();
        let hcl = [("main.tf", main), ("imports.tf", moved), ("variables.tf", self.variables)];
        let hcl =
            hcl.into_iter().filter(|(_, blocks)| !blocks.is_empty()).map(|(name, blocks)| (name, render(&blocks)));
        hcl.chain([("migrate.md", self.report.markdown())]).collect()
    }

    fn providers(&self) -> Vec<Block> {
        let mut provider = Block::new("provider", ["gitlabspot"]);
        provider.set_some("region", self.region.as_deref());
        if self.needs_cluster {
            provider.set("kubernetes", Value::Object(vec![("cluster_name".to_owned(), self.cluster.value())]));
        }
        if self.is_of_eksctl {
            provider.note("eksctl and its CloudFormation stacks tag what they create. These tags stay as they are.");
            let prefixes = Value::texts(TAGS_OF_EKSCTL);
            provider.set("ignore_tags", Value::Object(vec![("key_prefixes".to_owned(), prefixes)]));
        }
        let others = self.aliases.iter().map(|(name, region, comment)| {
            let block = Block::new("provider", ["gitlabspot"]).commented(*comment);
            block.with("alias", name.as_str()).with("region", region.as_str())
        });
        [provider].into_iter().chain(others).collect()
    }
}

/// Kinds of variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variable {
    Text,
    /// A list of texts.
    Texts,
    /// A text that is stored in the state and hidden in the output.
    Secret,
    /// A token, which is stored neither in the state nor in the plan.
    Token,
}

fn terraform() -> Block {
    let (major, rest) = env!("CARGO_PKG_VERSION").split_once('.').unwrap_or(("0", "1"));
    let version = format!("~> {major}.{}", rest.split('.').next().unwrap_or(rest));
    let source = vec![("source".to_owned(), "gitlabspot/gitlabspot".into()), ("version".to_owned(), version.into())];
    let providers = Block::new("required_providers", [""; 0]).with("gitlabspot", Value::Object(source));
    // The write-only attributes for tokens require OpenTofu 1.11 or Terraform 1.11.
    Block::new("terraform", [""; 0]).with("required_version", ">= 1.11").with_block(providers)
}

/// The alias of the provider for a region.
fn alias(region: &str) -> String {
    region.replace('-', "_")
}

/// An address with an instance key in HCL.
pub(super) fn keyed(name: &str, key: &str) -> String {
    format!("{name}[{}]", quoted(key))
}
