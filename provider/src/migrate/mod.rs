//! The subcommand `migrate`: a configuration and `import` blocks for what eksctl, Helm and other providers created.
//!
//! It reads files and writes text, without requests to AWS or a cluster. Settings that the files do not contain are
//! kept by the import, or become variables.

mod arguments;
mod by_hand;
mod cache;
mod eksctl;
mod hcl;
mod output;
mod project;
mod release;
mod report;
mod secrets;
mod state;
#[cfg(test)]
mod tests;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use self::arguments::{ArgumentError, Arguments, USAGE};
use self::cache::{Caches, OfRelease};
use self::project::Project;
use self::release::File;
use self::report::Topic;
use self::state::State;

/// Output of the subcommand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Text for standard output.
    pub out: String,
    /// Text for standard error.
    pub report: String,
}

/// Error of a migration.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Cause);

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("{0}\n\n{USAGE}")]
    Arguments(ArgumentError),
    #[error("{} could not be read: {source}.", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Eksctl(#[from] eksctl::EksctlError),
    #[error(transparent)]
    Values(#[from] release::ValuesError),
    #[error(transparent)]
    State(#[from] state::StateError),
    #[error(transparent)]
    Output(#[from] output::OutputError),
}

/// Runs the subcommand with the arguments after `migrate`.
///
/// # Errors
///
/// Invalid arguments, inputs that cannot be read, or files that cannot be written. No existing file is overwritten.
pub fn run(given: impl IntoIterator<Item = String>) -> Result<Printed, Error> {
    let arguments = Arguments::parse(given).map_err(Cause::Arguments)?;
    if arguments.help {
        return Ok(Printed { out: format!("{USAGE}\n"), report: String::new() });
    }
    let files = migrate(&arguments)?.files();
    let report = files.iter().find(|(name, _)| *name == "migrate.md").map(|(_, text)| text.clone()).unwrap_or_default();
    let Some(directory) = &arguments.out else {
        let hcl = files.iter().filter(|(name, _)| *name != "migrate.md");
        let out = hcl.map(|(name, text)| format!("# {name}\n\n{text}")).collect::<Vec<_>>().join("\n");
        return Ok(Printed { out, report });
    };
    output::write(directory, &files).map_err(Cause::from)?;
    let written = files.iter().map(|(name, _)| directory.join(name).display().to_string()).collect::<Vec<_>>();
    Ok(Printed { out: format!("{}\n", written.join("\n")), report })
}

fn migrate(arguments: &Arguments) -> Result<Project, Cause> {
    let mut project = Project::default();
    project.cluster.name.clone_from(&arguments.cluster);
    project.region.clone_from(&arguments.region);
    if let Some(path) = &arguments.eksctl {
        let file = read(path)?;
        eksctl::migrate(&file.name, &file.text, &mut project)?;
    }
    let state = arguments.state.as_ref().map(|path| read_state(path)).transpose()?;
    let mut releases = Vec::new();
    if let Some(state) = &state {
        state.locate(&mut project);
        releases = state.releases(arguments, &mut project)?;
    }
    let of_values = of_values(arguments, state.as_ref(), &mut project)?;
    releases.extend(of_values);
    let caches: Vec<OfRelease> = releases
        .iter()
        .map(|release| OfRelease { namespace: release.namespace().to_owned(), cache: release.cache() })
        .collect();
    let found = objects(arguments, state.as_ref(), &caches, &mut project)?;
    by_hand::advise(arguments, &caches, &found, &mut project);
    for (release, cache) in releases.into_iter().zip(&caches) {
        release.write(&found.links(cache), &mut project);
    }
    Ok(project)
}

fn read_state(path: &Path) -> Result<State, Cause> {
    let file = read(path)?;
    Ok(State::read(&file.name, &file.text)?)
}

/// Parses the release of the values files.
fn of_values(
    arguments: &Arguments,
    state: Option<&State>,
    project: &mut Project,
) -> Result<Option<release::Parsed>, Cause> {
    let files = arguments.values.iter().map(|path| read(path)).collect::<Result<Vec<File>, _>>()?;
    if files.is_empty() {
        return Ok(None);
    }
    if let Some(input) = state.and_then(|state| state.of_values(&files, arguments, project)) {
        return Ok(Some(release::parse(input)?));
    }
    let name = arguments.release.clone().unwrap_or_else(|| release::NAME.to_owned());
    let namespace = arguments.namespace.clone().unwrap_or_else(|| release::NAME.to_owned());
    if state.is_some_and(|state| state.has_release(&namespace, &name)) {
        let text = format!(
            "--values is not used: the state has the values of the release {namespace}/{name}. For another release, give \
             --namespace and --release."
        );
        project.report.add(Topic::Task, None, text);
        return Ok(None);
    }
    let runner_version = arguments.runner_version.clone();
    Ok(Some(release::parse(release::Input { files, name, namespace, runner_version })?))
}

/// Adds the node groups of the state, and the buckets and credentials of the state and of the options.
fn objects(
    arguments: &Arguments,
    state: Option<&State>,
    releases: &[OfRelease],
    project: &mut Project,
) -> Result<Caches, Cause> {
    let mut found = Caches::default();
    if let Some(name) = arguments.bucket.as_ref().filter(|name| state.is_none_or(|state| !state.has_bucket(name))) {
        found.buckets.push(by_hand::bucket(name, arguments, releases, project));
    }
    if let Some(state) = state {
        state.migrate(releases, arguments, &mut found, project)?;
    }
    if let Some(user) = arguments.user.as_ref().filter(|user| found.credentials.iter().all(|it| it.user != **user)) {
        let buckets: Vec<String> = state.map(|state| state.buckets().collect()).unwrap_or_default();
        let credentials = by_hand::credentials(user, arguments, releases, (&found, buckets), project);
        found.credentials.push(credentials.map_err(Cause::Arguments)?);
    }
    Ok(found)
}

/// The item of an iterator with one item.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    items.next().filter(|_| items.next().is_none())
}

fn read(path: &Path) -> Result<File, Cause> {
    let failed = |source| Cause::Read { path: path.to_owned(), source };
    if path.as_os_str() == "-" {
        let mut text = String::new();
        let _ = io::stdin().read_to_string(&mut text).map_err(failed)?;
        return Ok(File { name: "standard input".to_owned(), text });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(File { name, text })
}
