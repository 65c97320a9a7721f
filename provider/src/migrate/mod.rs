//! The subcommand `migrate`: a configuration and `import` blocks for what eksctl, Helm and other providers created.
//!
//! It reads files and writes text, without requests to AWS or a cluster. Settings that the files do not contain are
//! kept by the import, or become variables.

mod arguments;
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
use self::project::Project;
use self::release::{File, Links};
use self::report::Topic;

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
    if let Some(path) = &arguments.state {
        let file = read(path)?;
        state::migrate(&file.name, &file.text, arguments, &mut project)?;
    }
    by_hand(arguments, &mut project)?;
    Ok(project)
}

/// Migrates the release of the values files, and the bucket and the user of the options.
fn by_hand(arguments: &Arguments, project: &mut Project) -> Result<(), Cause> {
    let namespace = arguments.namespace.clone().unwrap_or_else(|| release::NAME.to_owned());
    let files = arguments.values.iter().map(|path| read(path)).collect::<Result<Vec<File>, _>>()?;
    let parsed = match files.is_empty() {
        true => None,
        false => Some(release::parse(release::Input {
            files,
            name: arguments.release.clone().unwrap_or_else(|| release::NAME.to_owned()),
            namespace: namespace.clone(),
            runner_version: arguments.runner_version.clone(),
        })?),
    };
    let found = parsed.as_ref().map(release::Parsed::cache).unwrap_or_default();
    let is_same_bucket = |name: &String| found.bucket.as_ref().is_none_or(|bucket| bucket == name);
    project.bucket_region = arguments
        .bucket_region
        .clone()
        .or_else(|| arguments.bucket.as_ref().filter(|name| is_same_bucket(name)).and(found.region.clone()));
    if project.region.is_none() {
        project.region = project.bucket_region.take();
    }
    project.bucket_region = project.bucket_region.take().filter(|region| Some(region) != project.region.as_ref());
    let mut links = Links::default();
    if let Some(name) = &arguments.bucket {
        links.bucket = Some((name.clone(), cache::bucket(name, &found, project)));
    }
    if let Some(user) = &arguments.user {
        let bucket = match (&links.bucket, &found.bucket) {
            (Some((_, address)), _) => hcl::Value::expression(format!("{address}.bucket")),
            (None, Some(name)) => name.as_str().into(),
            (None, None) => return Err(Cause::Arguments(ArgumentError::UserWithoutBucket)),
        };
        let secret = arguments.secret.clone().or(found.secret.clone()).unwrap_or_else(|| cache::SECRET.to_owned());
        let address = cache::credentials(user, &secret, &namespace, bucket, &found, project);
        links.credentials = Some((secret, address));
    }
    advise(arguments, &found, project);
    if let Some(parsed) = parsed {
        parsed.write(&links, project);
    }
    Ok(())
}

/// Reports a bucket and a Secret that the values files contain and the options do not.
fn advise(arguments: &Arguments, found: &release::Cache, project: &mut Project) {
    match (&arguments.bucket, &found.bucket) {
        (None, Some(bucket)) => {
            let text =
                format!("the bucket {bucket} of the cache is not in the configuration. `--bucket {bucket}` adds it.");
            project.report.add(Topic::Task, None, text);
        }
        (Some(given), Some(found)) if given != found => {
            let text = format!("the values name the bucket {found} and not {given}: the release keeps using {found}.");
            project.report.add(Topic::Task, None, text);
        }
        _ => {}
    }
    if let (None, Some(secret)) = (&arguments.user, &found.secret) {
        let text = format!(
            "the Secret {secret} of the cache is not in the configuration. `--user NAME` adds it with the IAM user whose key it has."
        );
        project.report.add(Topic::Task, None, text);
    }
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
