//! Reports keys without an effect, and keys for which there is no attribute.

use gitlabspot_runner_config::catalogue::{RUNNER, entries};
use tfplugin::framework::Diagnostic;

use super::super::project::Project;
use super::super::report::{Place, Topic};
use super::block::Writer;
use super::manifest::Origin;
use super::{File, Input, file_of, place};
use crate::resources::runner_release::from_values::Release;

/// Warnings about resources that a migration does not create.
const OF_OTHERS: [&str; 1] = ["Node affinity rules not used by placeholders"];

/// A warning with advice about a setting that has an effect.
const SECRET: &str = "Secret in the runner's configuration";

impl Writer<'_> {
    pub(super) fn remarks(&self, release: &Release, project: &mut Project) {
        for warning in release.warnings.iter().filter(|warning| !OF_OTHERS.contains(&warning.summary.as_ref())) {
            let file = file_of(&self.file_names(), warning);
            let listed: Vec<&str> = warning.detail.lines().filter_map(|line| line.strip_prefix("- ")).collect();
            for line in &listed {
                let (line, text) = numbered(line, "line ", ", ");
                self.key(self.line_of(&file, line), text, project);
            }
            if listed.is_empty() && !is_of_token(&warning.detail) {
                self.warning(&file, warning, project);
            }
        }
        for (key, text) in &release.tasks {
            project.report.add(Topic::Task, place::of(&self.input.files, key, None), text);
        }
        for key in &release.lost {
            let text = "left out: the resource has no attribute for it.";
            project.report.add(Topic::NoCounterpart, place::of(&self.input.files, key, None), text);
        }
    }

    fn file_names(&self) -> Vec<String> {
        self.input.files.iter().map(|file| file.name.clone()).collect()
    }

    /// Adds a remark that begins with its key.
    fn key(&self, place: Place, text: &str, project: &mut Project) {
        let (key, about) = text.split_once(": ").unwrap_or(("", text));
        if key == "runners.token" || about.starts_with("runners.token: ") {
            let text = "left out. The runner reads the token of the release, and not that of its configuration.";
            let place = Place { key: "token".to_owned(), ..place };
            return project.report.add(Topic::Secret, place, text);
        }
        if is_of_token(text) {
            return;
        }
        match key {
            // The condition of the chart of GitLab, in which this one is a subchart.
            "install" => {}
            "namespace" => {
                let text = "the objects are in the namespace of this key, and not in that of the configuration. Run migrate with \
                            this namespace as --namespace.";
                project.report.add(Topic::Task, Place { key: key.to_owned(), ..place }, text);
            }
            "extraObjects" => {
                let text = "left out. The objects stay in the cluster, and `helm` no longer manages them. Add them to the \
                            configuration as resources of their own, such as kubernetes_manifest, with import blocks.";
                project.report.add(Topic::NoCounterpart, Place { key: key.to_owned(), ..place }, text);
            }
            key if !key.is_empty() && !key.contains(' ') => {
                project.report.add(Topic::NoCounterpart, Place { key: key.to_owned(), ..place }, about);
            }
            _ => project.report.add(Topic::NoCounterpart, place, text),
        }
    }

    fn warning(&self, file: &str, warning: &Diagnostic, project: &mut Project) {
        let detail = warning.detail.lines().collect::<Vec<_>>().join(" ");
        let (line, detail) = numbered(&detail, "line ", ": ");
        let of_file = self.input.files.iter().find(|one| one.name == file);
        let line = of_file.zip(line).map(|(file, line)| nearest(file, line, detail)).or(line);
        let text = format!("{}: {detail}", warning.summary);
        let topic = if warning.summary == SECRET { Topic::Task } else { Topic::NoCounterpart };
        project.report.add(topic, self.line_of(file, line), text);
    }

    /// The place of a line, unless the text with this line is not that of a file.
    fn line_of(&self, name: &str, line: Option<usize>) -> Place {
        let has_lines =
            self.has_lines && self.input.files.iter().any(|file| file.name == name && place::has_lines(file));
        Place { file: name.to_owned(), line: line.filter(|_| has_lines), key: String::new() }
    }
}

/// Splits the number of a line off a text: `line 3, text`.
fn numbered<'a>(text: &'a str, before: &str, after: &str) -> (Option<usize>, &'a str) {
    let found = text.strip_prefix(before).and_then(|rest| rest.split_once(after));
    match found.and_then(|(number, rest)| Some((number.parse().ok()?, rest))) {
        Some((number, rest)) => (Some(number), rest),
        None => (None, text),
    }
}

/// The line of the key of config.toml about which a text is, from the line of the whole configuration on.
fn nearest(file: &File, from: usize, about: &str) -> usize {
    let names =
        about.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').filter(|word| word.contains('_'));
    let toml =
        |name: &str| entries(&RUNNER).into_iter().find(|entry| entry.key.hcl == name).map(|entry| entry.key.toml);
    let line = |name: &str| {
        let names = [Some(name), toml(name)];
        let has = |text: &str| names.iter().flatten().any(|name| text.contains(name));
        file.text.lines().enumerate().skip(from).find(|(_, text)| has(text)).map(|(index, _)| index + 1)
    };
    names.into_iter().find_map(line).unwrap_or(from)
}

/// Whether a warning is about tokens in values, which the migrated configuration does not contain.
fn is_of_token(line: &str) -> bool {
    line.contains("`values` are stored in the plan and the state")
}

/// Reports what remains to be done with the manifest from which values were taken.
pub(super) fn origin(origin: &Origin, input: &Input, project: &mut Project) {
    let place = Place { file: origin.file.clone(), line: None, key: String::new() };
    let text = format!(
        "the {} applies the release again, and reverts the changes of the provider: {}.",
        origin.kind, origin.removal
    );
    project.report.add(Topic::Task, place.clone(), text);
    if !origin.more.is_empty() {
        let text = format!(
            "the {} has further values in {}, which are not read. Give them with --values after this file.",
            origin.kind,
            origin.more.join(" and ")
        );
        project.report.add(Topic::Task, place.clone(), text);
    }
    let given = [("--release", &origin.release, &input.name), ("--namespace", &origin.namespace, &input.namespace)];
    let other: Vec<String> = given
        .into_iter()
        .filter_map(|(option, found, used)| {
            found.as_ref().filter(|found| *found != used).map(|found| format!("{option} {found}"))
        })
        .collect();
    if !other.is_empty() {
        let text = format!(
            "the {} names another release than {}/{}. Run migrate with {}.",
            origin.kind,
            input.namespace,
            input.name,
            other.join(" ")
        );
        project.report.add(Topic::Task, place, text);
    }
}
