//! Converts values files of the chart to releases with typed attributes, one for each `[[runners]]`.

mod block;
mod cache;
mod gitlab_url;
mod manifest;
mod names;
mod place;
mod remarks;
mod secret_values;
mod split;
#[cfg(test)]
mod tests;

use tfplugin::framework::{AttributePath, Diagnostic};

use self::block::Writer;
pub(super) use self::cache::Cache;
use self::manifest::Origin;
use super::project::Project;
use super::report::Topic;
use crate::resources::runner_release::from_values::{self, Release};

const RESOURCE: &str = "gitlabspot_runner_release";

/// Default name of a release and of its namespace.
pub(super) const NAME: &str = "gitlab-runner";

/// A values file.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// Name in the report.
    pub(super) name: String,
    pub(super) text: String,
}

/// A Helm release.
#[derive(Clone, Debug)]
pub(super) struct Input {
    pub(super) files: Vec<File>,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) runner_version: Option<String>,
}

/// A parsed release, before it is written.
#[derive(Clone, Debug)]
pub(super) struct Parsed {
    input: Input,
    /// One for each `[[runners]]`.
    runners: Vec<Runner>,
    /// Number of `[[runners]]` whose condition does not hold.
    disabled: usize,
    origins: Vec<Origin>,
}

/// One `[[runners]]`.
#[derive(Clone, Debug)]
struct Runner {
    /// The name in its section.
    name: Option<String>,
    release: Release,
    /// Whether lines in warnings are those of the files.
    has_lines: bool,
    /// Whether the values have the URL of GitLab.
    has_url: bool,
}

/// Other resources that a release refers to.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    /// Name of the bucket, and the address of its resource.
    pub(super) bucket: Option<(String, String)>,
    /// Name of the Secret with the credentials, and the address of their resource.
    pub(super) credentials: Option<(String, String)>,
}

/// Error of values that cannot be migrated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", listed(.files, .findings))]
pub(super) struct ValuesError {
    files: Vec<String>,
    findings: Vec<Diagnostic>,
}

/// All findings, each with its file.
fn listed(files: &[String], findings: &[Diagnostic]) -> String {
    let line = |finding: &Diagnostic| {
        let file = file_of(files, finding);
        format!("{file}: {}: {}", finding.summary, finding.detail)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The file of a finding, or all files if the finding does not identify one.
fn file_of(files: &[String], finding: &Diagnostic) -> String {
    let path = finding.path.to_string();
    let index = path.strip_prefix("values[").and_then(|rest| rest.strip_suffix(']')?.parse::<usize>().ok());
    index.and_then(|index| files.get(index).cloned()).unwrap_or_else(|| files.join(", "))
}

/// Parses the files of a release.
///
/// # Errors
///
/// All findings of invalid files.
pub(super) fn parse(input: Input) -> Result<Parsed, ValuesError> {
    let files: Vec<String> = input.files.iter().map(|file| file.name.clone()).collect();
    let error = |findings| ValuesError { files: files.clone(), findings };
    let (input, origins) = values_of_manifests(input).map_err(error)?;
    let texts: Vec<&str> = input.files.iter().map(|file| file.text.as_str()).collect();
    let sections = split::runners(&texts);
    let is_single = sections.len() == 1;
    let (mut runners, mut disabled) = (Vec::new(), Vec::new());
    for section in sections {
        match read(&section.files, &input) {
            Ok((release, has_url)) => {
                runners.push(Runner { name: section.name, release, has_lines: section.has_lines, has_url });
            }
            Err(findings) if !is_single && is_disabled(&findings) => disabled.push(findings),
            Err(findings) => return Err(error(findings)),
        }
    }
    match disabled.first() {
        Some(findings) if runners.is_empty() => Err(error(findings.clone())),
        _ => Ok(Parsed { input, runners, disabled: disabled.len(), origins }),
    }
}

/// Takes the values out of manifests.
fn values_of_manifests(input: Input) -> Result<(Input, Vec<Origin>), Vec<Diagnostic>> {
    let (mut files, mut origins, mut findings) = (Vec::new(), Vec::new(), Vec::new());
    for (index, file) in input.files.into_iter().enumerate() {
        match manifest::values(file) {
            Ok((file, origin)) => {
                files.push(file);
                origins.extend(origin);
            }
            Err(why) => {
                let path = AttributePath::of("values").index(index);
                findings.push(Diagnostic::error("Not a values file", why).at(path));
            }
        }
    }
    if findings.is_empty() { Ok((Input { files, ..input }, origins)) } else { Err(findings) }
}

/// Reads the files of one runner. Returns whether they have the URL of GitLab.
fn read(files: &[String], input: &Input) -> Result<(Release, bool), Vec<Diagnostic>> {
    let place = from_values::Place {
        name: &input.name,
        namespace: &input.namespace,
        runner_version: input.runner_version.as_deref(),
    };
    let mut texts: Vec<&str> = files.iter().map(String::as_str).collect();
    let findings = match from_values::release(&texts, place) {
        Ok(release) => return Ok((release, true)),
        Err(findings) => findings,
    };
    // The text of `runners.config` can have a URL, so that the files are read without another one first.
    let Some(url) = gitlab_url::instead(files) else { return Err(findings) };
    texts.push(&url);
    from_values::release(&texts, place).map(|release| (release, false))
}

/// Whether a template leaves a `[[runners]]` out.
fn is_disabled(findings: &[Diagnostic]) -> bool {
    findings.iter().all(|finding| finding.summary == "No [[runners]] section")
}

impl Parsed {
    /// The cache settings of the runners; for each setting, the first value.
    pub(super) fn cache(&self) -> Cache {
        let found = self.runners.iter().map(|runner| Cache::of(&runner.release.attributes));
        found.reduce(Cache::or).unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        &self.input.namespace
    }

    /// Adds the releases to the project.
    pub(super) fn write(self, links: &Links, project: &mut Project) {
        // Only for its effect: it adds the cluster to the provider block.
        let _ = project.cluster();
        let Self { input, runners, disabled, origins } = self;
        let sections: Vec<Option<String>> = runners.iter().map(|runner| runner.name.clone()).collect();
        let names = names::releases(&input.name, &sections);
        let has_url = runners.iter().all(|runner| runner.has_url);
        let gitlab_url = if has_url { None } else { Some(gitlab_url::variable(project)) };
        for (index, (name, runner)) in names.iter().zip(&runners).enumerate() {
            let label = project.name(RESOURCE, name);
            // Only one release exists, and the resource of the first [[runners]] adopts it.
            let writer = Writer {
                input: &input,
                links,
                label: &label,
                name,
                is_import: index == 0,
                count: runners.len(),
                has_lines: runner.has_lines,
                gitlab_url: gitlab_url.as_deref(),
            };
            writer.write(&runner.release, project);
        }
        if disabled > 0 {
            let place = place::of(&input.files, "runners.config", None);
            let text = format!("the condition of {disabled} [[runners]] does not hold, so that they are left out.");
            project.report.add(Topic::NoCounterpart, place, text);
        }
        for origin in &origins {
            remarks::origin(origin, &input, project);
        }
    }
}
