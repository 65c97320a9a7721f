//! Values in manifests of other tools, such as a HelmRelease of Flux and an Application of Argo CD.

use serde_json::{Map, Value as Json};

use super::File;
use crate::resources::runner_release::values::KEYS;
use crate::yaml::{self, Lines};

/// A kind of manifest that has the values of a chart.
struct Kind {
    name: &'static str,
    /// Paths of the values: a map, or a text in YAML.
    values: &'static [&'static str],
    chart: &'static [&'static str],
    release: &'static [&'static str],
    namespace: &'static [&'static str],
    /// Paths of references to further values.
    more: &'static [&'static str],
    /// How to remove the manifest without its release.
    removal: &'static str,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "HelmRelease",
        values: &["spec.values"],
        chart: &["spec.chart.spec.chart"],
        release: &["spec.releaseName", "metadata.name"],
        namespace: &["spec.targetNamespace", "metadata.namespace"],
        more: &["spec.valuesFrom"],
        removal: "suspend it before the apply, and delete it while it is suspended",
    },
    Kind {
        name: "Application",
        values: &[
            "spec.source.helm.valuesObject",
            "spec.source.helm.values",
            "spec.sources.0.helm.valuesObject",
            "spec.sources.0.helm.values",
            "spec.sources.1.helm.valuesObject",
            "spec.sources.1.helm.values",
        ],
        chart: &["spec.source.chart", "spec.sources.0.chart", "spec.sources.1.chart"],
        release: &["spec.source.helm.releaseName", "metadata.name"],
        namespace: &["spec.destination.namespace"],
        more: &["spec.source.helm.valueFiles", "spec.source.helm.parameters"],
        removal: "delete it without its resources before the apply (argocd app delete --cascade=false)",
    },
    Kind {
        name: "ApplicationSet",
        values: &["spec.template.spec.source.helm.valuesObject", "spec.template.spec.source.helm.values"],
        chart: &["spec.template.spec.source.chart"],
        release: &["spec.template.spec.source.helm.releaseName", "spec.template.metadata.name"],
        namespace: &["spec.template.spec.destination.namespace"],
        more: &["spec.template.spec.source.helm.valueFiles", "spec.template.spec.source.helm.parameters"],
        removal: "delete it without its applications before the apply",
    },
    Kind {
        name: "HelmChart",
        values: &["spec.valuesContent"],
        chart: &["spec.chart"],
        release: &["metadata.name"],
        namespace: &["spec.targetNamespace", "metadata.namespace"],
        more: &["spec.set", "spec.valuesSecrets"],
        removal: "delete it without uninstalling its release before the apply",
    },
];

const OF_EKSCTL: &str = "it is a configuration file of eksctl. Give it with --eksctl.";

/// The manifest from which values were taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) file: String,
    pub(super) kind: &'static str,
    pub(super) release: Option<String>,
    pub(super) namespace: Option<String>,
    /// Keys that refer to further values.
    pub(super) more: Vec<&'static str>,
    pub(super) removal: &'static str,
}

/// Returns the file with the values alone, on the same lines, and the manifest. A values file is not changed.
///
/// # Errors
///
/// The text is something else than a values file, and which.
pub(super) fn values(file: File) -> Result<(File, Option<Origin>), String> {
    let documents: Vec<Document> = documents(&file.text).into_iter().filter_map(Document::read).collect();
    let Some(first) = documents.first() else { return Ok((file, None)) };
    if first.is_not_installed() {
        return Err("gitlab-runner.install is false, so that the release has no runner.".to_owned());
    }
    if !documents.iter().any(Document::is_manifest) {
        return match first.is_of_chart() {
            true => Ok((file, None)),
            false if first.is_of_eksctl() => Err(OF_EKSCTL.to_owned()),
            false => Err("none of its keys is one of the chart gitlab-runner.".to_owned()),
        };
    }
    if !first.is_manifest() && first.is_of_chart() {
        return Ok((file, None));
    }
    let found: Vec<(&Document, &Kind)> =
        documents.iter().filter_map(|document| Some((document, document.kind()?))).collect();
    let is_of_runner = |(document, kind): &&(&Document, &Kind)| {
        document.text(kind.chart).is_some_and(|chart| chart.trim_end_matches('/').ends_with("gitlab-runner"))
    };
    let of_runner: Vec<_> = found.iter().filter(is_of_runner).collect();
    match (of_runner.as_slice(), found.as_slice()) {
        ([(document, kind)], _) | ([], [(document, kind)]) => {
            let (text, origin) = document.values(kind, &file.name)?;
            Ok((File { text, ..file }, Some(origin)))
        }
        ([], []) => Err(other(documents.iter().find(|document| document.is_manifest()).unwrap_or(first))),
        _ => Err("it has several manifests with values. Give a file with one of them.".to_owned()),
    }
}

/// What a manifest without values is.
fn other(document: &Document) -> String {
    match document.kind_name().unwrap_or_default() {
        "ClusterConfig" => OF_EKSCTL.to_owned(),
        kind => format!("it is a manifest of kind {kind}. Give the values file of the release."),
    }
}

/// The texts of the documents of a file, each on its lines.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for (index, line) in text.lines().enumerate() {
        let is_separator = line == "---" || line.starts_with("--- ");
        if is_separator {
            documents.push("\n".repeat(index + 1));
        } else if let Some(document) = documents.last_mut() {
            document.push_str(line);
            document.push('\n');
        }
    }
    documents
}

struct Document {
    text: String,
    fields: Map<String, Json>,
    lines: Lines,
}

impl Document {
    /// Parses a document. `None` if it is empty, or not a map.
    fn read(text: String) -> Option<Self> {
        match yaml::first_document(&text).ok()? {
            (Json::Object(fields), lines, _) if !fields.is_empty() => Some(Self { text, fields, lines }),
            _ => None,
        }
    }

    fn kind_name(&self) -> Option<&str> {
        self.fields.get("kind")?.as_str()
    }

    fn kind(&self) -> Option<&'static Kind> {
        let name = self.kind_name()?;
        KINDS.iter().find(|kind| kind.name == name)
    }

    fn is_manifest(&self) -> bool {
        self.kind_name().is_some() && self.fields.contains_key("apiVersion")
    }

    /// Whether it has a key of the chart, also below the name of a subchart.
    fn is_of_chart(&self) -> bool {
        let is_key = |name: &String| KEYS.iter().any(|key| key.path.split('.').next() == Some(name));
        self.fields.keys().any(is_key)
            || self.fields.values().filter_map(Json::as_object).any(|below| below.keys().any(is_key))
            || self.fields.contains_key("gitlab-runner")
            || self.fields.contains_key("sops")
    }

    /// Whether they are values of the chart of GitLab that do not install this chart.
    fn is_not_installed(&self) -> bool {
        self.fields.get("gitlab-runner").is_some_and(|below| below["install"] == false)
    }

    /// Whether it is a part of a configuration file of eksctl.
    fn is_of_eksctl(&self) -> bool {
        ["managedNodeGroups", "nodeGroups"].iter().any(|key| self.fields.contains_key(*key))
    }

    fn at(&self, path: &str) -> Option<&Json> {
        let (first, rest) = path.split_once('.')?;
        let pointer = format!("/{}", rest.replace('.', "/"));
        self.fields.get(first)?.pointer(&pointer)
    }

    fn text(&self, paths: &[&str]) -> Option<&str> {
        paths.iter().find_map(|path| self.at(path)?.as_str())
    }

    fn values(&self, kind: &Kind, file: &str) -> Result<(String, Origin), String> {
        let found = kind.values.iter().find_map(|path| Some((*path, self.at(path)?)));
        let Some((path, value)) = found else {
            return Err(format!(
                "it is a manifest of kind {} without {}. Give the values file to which it refers.",
                kind.name,
                kind.values.first().unwrap_or(&"values")
            ));
        };
        let origin = Origin {
            file: file.to_owned(),
            kind: kind.name,
            release: self.text(kind.release).map(str::to_owned),
            namespace: self.text(kind.namespace).map(str::to_owned),
            more: kind.more.iter().copied().filter(|path| self.at(path).is_some()).collect(),
            removal: kind.removal,
        };
        Ok((self.below(path, value), origin))
    }

    /// The values on their lines. Values that are not written as a block are converted to JSON.
    fn below(&self, path: &str, value: &Json) -> String {
        let (value, whole) = match value {
            Json::String(text) => (yaml::first_document(text).map(|(value, ..)| value).ok(), text.clone()),
            value => (Some(value.clone()), serde_json::to_string_pretty(value).unwrap_or_default()),
        };
        let block = self.lines.of(path).map(|line| block(&self.text, line));
        let is_same = |text: &String| yaml::first_document(text).ok().map(|(value, ..)| value) == value;
        block.filter(is_same).unwrap_or(whole)
    }
}

/// The text with the lines below a key alone. All others are empty.
fn block(text: &str, key: usize) -> String {
    let column = |line: &str| line.find(|letter: char| !" -".contains(letter));
    let mut is_below = false;
    let mut of_key = 0;
    let lines = text.lines().enumerate().map(|(index, line)| {
        if index + 1 == key {
            of_key = column(line).unwrap_or_default();
            is_below = true;
            return "\n".to_owned();
        }
        let spaces = line.len() - line.trim_start_matches(' ').len();
        is_below = is_below && (line.trim().is_empty() || spaces > of_key);
        if is_below && index + 1 > key { format!("{line}\n") } else { "\n".to_owned() }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(File, Option<Origin>), String> {
        values(File { name: "f.yaml".to_owned(), text: text.to_owned() })
    }

    #[test]
    fn values_of_manifests_keep_their_lines() {
        let flux = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: gitlab}\n---\n\
            apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: runner\n  namespace: ci\nspec:\n  \
            chart:\n    spec:\n      chart: gitlab-runner\n  values:\n    # The address.\n    gitlabUrl: https://gitlab.com\n\n    \
            runners:\n      config: |\n        [[runners]]\n  interval: 1h\n";
        let (file, origin) = read(flux).unwrap();
        let lines: Vec<_> = file.text.lines().collect();
        assert_eq!(lines[15], "    gitlabUrl: https://gitlab.com");
        assert_eq!(lines[19], "        [[runners]]");
        assert!(!file.text.contains("interval") && !file.text.contains("HelmRelease"), "{}", file.text);
        let origin = origin.unwrap();
        assert_eq!((origin.release.as_deref(), origin.namespace.as_deref()), (Some("runner"), Some("ci")));
        let argo = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: r}\nspec:\n  source:\n    helm:\n      \
            values: |\n        gitlabUrl: https://gitlab.com\n        concurrent: 3\n    chart: gitlab-runner\n";
        let (file, _) = read(argo).unwrap();
        assert_eq!(file.text.lines().nth(8), Some("        concurrent: 3"));
        assert!(!file.text.contains("chart"));
        let several = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec:\n  sources:\n  - ref: x\n  - helm:\n      \
            valuesObject:\n        concurrent: 3\n    chart: gitlab-runner\n";
        assert_eq!(read(several).unwrap().0.text.trim(), "concurrent: 3");
    }

    #[test]
    fn values_on_one_line_become_json() {
        let text = "apiVersion: x/v1\nkind: HelmRelease\nspec: {values: {concurrent: 3}}\n";
        assert_eq!(read(text).unwrap().0.text, "{\n  \"concurrent\": 3\n}");
        let text = "apiVersion: x/v1\nkind: HelmChart\nspec:\n  valuesContent: \"concurrent: 3\\n\"\n";
        assert_eq!(read(text).unwrap().0.text, "concurrent: 3\n");
    }

    #[test]
    fn values_files_are_not_changed() {
        for text in
            ["concurrent: 3\n", "", "# none\n", "gitlab-runner:\n  concurrent: 3\n", "a: [", "my: {gitlabUrl: x}\n"]
        {
            let (file, origin) = read(text).unwrap();
            assert_eq!((file.text.as_str(), origin), (text, None));
        }
    }

    #[test]
    fn other_files_are_named() {
        for (text, why) in [
            (
                "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n",
                "configuration file of eksctl. Give it with --eksctl",
            ),
            ("apiVersion: v1\nkind: ConfigMap\n", "manifest of kind ConfigMap"),
            ("apiVersion: x/v2\nkind: HelmRelease\nspec: {}\n", "HelmRelease without spec.values"),
            ("stages: [build]\n", "none of its keys"),
            ("gitlab-runner: {install: false}\n", "install is false"),
            (
                "apiVersion: x/v2\nkind: HelmRelease\nspec: {values: {}}\n---\napiVersion: x/v2\nkind: HelmRelease\nspec: {values: {}}\n",
                "several manifests",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
