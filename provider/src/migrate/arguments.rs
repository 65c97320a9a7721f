//! The arguments of the subcommand.

use std::path::PathBuf;

/// Text for `--help` and after an invalid argument.
pub(super) const USAGE: &str = "\
Usage: terraform-provider-gitlabspot migrate [OPTIONS]

Writes a configuration and import blocks for what eksctl, Helm or other Terraform providers created. Reads files only:
neither AWS nor the cluster is asked, and no file is overwritten.

Inputs, of which at least one is needed:
  --eksctl FILE          configuration file of eksctl, for its managedNodeGroups
  --values FILE          values file of the chart gitlab-runner; several as for Helm, later ones win
  --bucket NAME          S3 bucket of the cache
  --user NAME            IAM user whose access key is in the Secret of the cache
  --state FILE           state of Terraform or OpenTofu (state pull, or show -json); - reads standard input

What the inputs do not say:
  --cluster NAME         EKS cluster; without it the configuration has a variable
  --region REGION        region of the cluster
  --bucket-region REGION region of the bucket, if it is another one
  --namespace NAME       namespace of the Helm release (default: gitlab-runner)
  --release NAME         name of the Helm release (default: gitlab-runner)
  --secret NAME          Secret of the cache (default: that of the values file, or gitlab-runner-s3-access)
  --runner-version V     version of GitLab Runner that runs (default: the one that the import finds)

Output:
  --out DIR              writes main.tf, imports.tf, variables.tf and migrate.md to this directory; without it the
                         configuration is printed, and the report goes to standard error
  --help                 prints this text";

/// The arguments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    pub(super) eksctl: Option<PathBuf>,
    pub(super) values: Vec<PathBuf>,
    pub(super) bucket: Option<String>,
    pub(super) user: Option<String>,
    pub(super) state: Option<PathBuf>,
    pub(super) cluster: Option<String>,
    pub(super) region: Option<String>,
    pub(super) bucket_region: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) release: Option<String>,
    pub(super) secret: Option<String>,
    pub(super) runner_version: Option<String>,
    pub(super) out: Option<PathBuf>,
    pub(super) help: bool,
}

/// Error of invalid arguments.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ArgumentError {
    #[error("There is no option {0}.")]
    Unknown(String),
    #[error("{0} needs a value.")]
    NoValue(String),
    #[error("{0} is given twice.")]
    Twice(String),
    #[error("There is no input. Give at least one of --eksctl, --values, --bucket, --user and --state.")]
    NoInput,
    #[error(
        "--user needs --bucket: the policy of {user} is for one bucket, and no input says which one is that of the cache.{}",
        others(.buckets)
    )]
    UserWithoutBucket { user: String, buckets: Vec<String> },
    #[error(
        "--user needs --secret: the Secret {secret} in {namespace} has the key of {owner}, and not that of {user}."
    )]
    SecretOfOther { user: String, owner: String, namespace: String, secret: String },
}

/// The buckets that the state has.
fn others(buckets: &[String]) -> String {
    match buckets {
        [] => String::new(),
        buckets => format!(" The state has {}.", buckets.join(", ")),
    }
}

impl Arguments {
    /// Parses the arguments after `migrate`: `--name value` or `--name=value`.
    pub(super) fn parse(given: impl IntoIterator<Item = String>) -> Result<Self, ArgumentError> {
        let mut arguments = Self::default();
        let mut given = given.into_iter();
        while let Some(argument) = given.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            if ["--help", "-help", "-h"].contains(&name.as_str()) {
                arguments.help = true;
                continue;
            }
            if !arguments.has(&name) {
                return Err(ArgumentError::Unknown(name));
            }
            // An empty value usually comes from a shell variable that is not set.
            let value = value.or_else(|| given.next()).filter(|value| !value.is_empty());
            let Some(value) = value else { return Err(ArgumentError::NoValue(name)) };
            arguments.set(&name, value)?;
        }
        if !arguments.help && !arguments.has_input() {
            return Err(ArgumentError::NoInput);
        }
        Ok(arguments)
    }

    fn has(&mut self, name: &str) -> bool {
        self.text(name).is_some() || self.path(name).is_some() || name == "--values"
    }

    fn has_input(&self) -> bool {
        self.eksctl.is_some()
            || !self.values.is_empty()
            || self.bucket.is_some()
            || self.user.is_some()
            || self.state.is_some()
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), ArgumentError> {
        if name == "--values" {
            self.values.push(PathBuf::from(value));
            return Ok(());
        }
        let twice = || ArgumentError::Twice(name.to_owned());
        if let Some(text) = self.text(name) {
            return text.replace(value).map_or(Ok(()), |_| Err(twice()));
        }
        match self.path(name) {
            Some(path) => path.replace(PathBuf::from(value)).map_or(Ok(()), |_| Err(twice())),
            None => Err(ArgumentError::Unknown(name.to_owned())),
        }
    }

    fn text(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "--bucket" => &mut self.bucket,
            "--user" => &mut self.user,
            "--cluster" => &mut self.cluster,
            "--region" => &mut self.region,
            "--bucket-region" => &mut self.bucket_region,
            "--namespace" => &mut self.namespace,
            "--release" => &mut self.release,
            "--secret" => &mut self.secret,
            "--runner-version" => &mut self.runner_version,
            _ => return None,
        })
    }

    fn path(&mut self, name: &str) -> Option<&mut Option<PathBuf>> {
        Some(match name {
            "--eksctl" => &mut self.eksctl,
            "--state" => &mut self.state,
            "--out" => &mut self.out,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &[&str]) -> Result<Arguments, ArgumentError> {
        Arguments::parse(given.iter().map(|text| (*text).to_owned()))
    }

    #[test]
    fn both_spellings_of_an_option_are_read() {
        let expected = Arguments {
            eksctl: Some("a.yaml".into()),
            values: vec!["b.yaml".into(), "c.yaml".into()],
            bucket: Some("b=1".to_owned()),
            out: Some("out".into()),
            ..Arguments::default()
        };
        let given = ["--eksctl", "a.yaml", "--values=b.yaml", "--values", "c.yaml", "--bucket=b=1", "--out", "out"];
        assert_eq!(parse(&given), Ok(expected));
        assert!(parse(&["--help"]).unwrap().help);
    }

    #[test]
    fn invalid_arguments_are_explained() {
        assert_eq!(parse(&["--nonsense"]), Err(ArgumentError::Unknown("--nonsense".to_owned())));
        assert_eq!(parse(&["a.yaml"]), Err(ArgumentError::Unknown("a.yaml".to_owned())));
        assert_eq!(parse(&["--eksctl"]), Err(ArgumentError::NoValue("--eksctl".to_owned())));
        assert_eq!(parse(&["--bucket="]), Err(ArgumentError::NoValue("--bucket".to_owned())));
        assert_eq!(parse(&["--user", "a", "--user", "b"]), Err(ArgumentError::Twice("--user".to_owned())));
        assert_eq!(parse(&["--out", "a"]), Err(ArgumentError::NoInput));
        assert_eq!(parse(&[]), Err(ArgumentError::NoInput));
    }

    #[test]
    fn every_option_is_documented() {
        let mut arguments = Arguments::default();
        let options = USAGE.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2);
        for option in options.map(|word| word.trim_end_matches([',', '.'])).filter(|option| *option != "--help") {
            assert!(arguments.has(option), "{option}");
        }
    }
}
