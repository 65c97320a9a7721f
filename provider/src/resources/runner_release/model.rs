//! The release as desired, fully resolved, and as observed.

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tfplugin::framework::value::{Secret, known_list};
use tfplugin::framework::{Diagnostic, Diagnostics, Value};

use super::expand::{Manifest, manifest, unwritable};
use super::manifests::{self, SecretObject};
use super::schema::RunnerRelease;
use super::settings::{self, Unresolved};
use super::spec::{self, Given, ReleaseSpec, TokenKind};
use crate::objects;

/// A fully resolved release, and its objects as plan and state show them.
#[derive(Debug)]
pub(super) struct Desired {
    pub(super) spec: ReleaseSpec,
    pub(super) manifest: Manifest,
    pub(super) warnings: Vec<Diagnostic>,
    /// Whether a values file contains the token.
    pub(super) has_token_in_values: bool,
    /// The token to write; `None` if others manage the Secret, or if the token is not known yet.
    token: Option<SecretString>,
    /// The desired pod template.
    pub(super) template: Json,
    /// The observed pod template, which is applied instead to preserve pods.
    pub(super) preserved: Option<Json>,
}

/// The observed release.
#[derive(Debug)]
pub(super) struct Observed {
    pub(super) objects: objects::Observed,
    /// Secrets that have changed since the manager was started with them.
    pub(super) outdated: Vec<String>,
}

impl Desired {
    /// Resolves the planned attributes. Write-only values are read from the configuration: they are null in a plan.
    ///
    /// # Errors
    /// [`Unresolved::Unknown`] if a value is unknown, otherwise the faults with their attribute paths.
    pub(super) fn of(
        planned: &RunnerRelease,
        config: &RunnerRelease,
        existing_secret: Option<TokenKind>,
    ) -> Result<Self, Unresolved> {
        let write_only = write_only_token(config)?;
        let values = known_list(&planned.values).ok_or(Unresolved::Unknown)?;
        let typed = settings::of(planned)?;
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let token = write_only.as_ref().map(|token| token.kind);
        let resolved = spec::resolve(Given { typed, values: &values, token, existing_secret, is_migration: false });
        let spec::Resolved { spec, token: in_values, warnings, .. } =
            resolved.map_err(|found| found.into_iter().collect::<Diagnostics>())?;
        let version = match (&write_only, spec.token.kind) {
            (None, _) => in_values.as_ref().map(|token| format!("sha256 {}", hash(token))),
            (Some(_), TokenKind::Authentication) => version(&planned.runner_token_wo_version)?,
            (Some(_), TokenKind::Registration) => version(&planned.registration_token_wo_version)?,
        };
        let has_token_in_values = write_only.is_none() && in_values.is_some();
        let (manifest, template) = manifest(&spec, version.as_deref()).map_err(|error| unwritable(&error))?;
        Ok(Self {
            spec,
            manifest,
            template,
            preserved: None,
            has_token_in_values,
            warnings: warnings.into_iter().collect(),
            token: write_only.map_or(in_values, |token| token.token),
        })
    }

    /// The desired pod template with the values of environment variables, which the plan does not show.
    pub(super) fn own_template(&self) -> &Json {
        &self.template
    }

    /// Whether the observed pod template is applied instead.
    pub(super) fn preserves(&self) -> bool {
        self.preserved.is_some()
    }

    /// The token to write, if it is known.
    pub(super) fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// The Secret of the token, if this provider manages it and the token is known.
    pub(super) fn secret(&self) -> Option<SecretObject> {
        manifests::token_secret(&self.spec, self.token.as_ref()?)
    }
}

fn version(version: &Value<i64>) -> Result<Option<String>, Unresolved> {
    match version {
        Value::Unknown => Err(Unresolved::Unknown),
        Value::Null => Ok(None),
        Value::Known(version) => Ok(Some(format!("version {version}"))),
    }
}

/// The token in a write-only attribute.
#[derive(Clone, Debug)]
struct WriteOnlyToken {
    kind: TokenKind,
    /// `None` while it is unknown.
    token: Option<SecretString>,
}

/// Returns the token in the write-only attributes, if one is set.
///
/// # Errors
/// Both are unknown, so that the kind of the token is unknown.
fn write_only_token(config: &RunnerRelease) -> Result<Option<WriteOnlyToken>, Unresolved> {
    use TokenKind::{Authentication, Registration};
    use Value::{Known, Null, Unknown};
    let given = |kind, token: &Secret| WriteOnlyToken { kind, token: Some(token.clone().into_inner()) };
    Ok(match (&config.runner_token_wo, &config.registration_token_wo) {
        (Known(token), _) => Some(given(Authentication, token)),
        (_, Known(token)) => Some(given(Registration, token)),
        (Unknown, Null) => Some(WriteOnlyToken { kind: Authentication, token: None }),
        (Null, Unknown) => Some(WriteOnlyToken { kind: Registration, token: None }),
        (Null, Null) => None,
        (Unknown, Unknown) => return Err(Unresolved::Unknown),
    })
}

/// Distinguishes tokens from each other. A token is long and random, so it cannot be guessed from its hash; this one is
/// in the state anyway, as part of `values`.
fn hash(token: &SecretString) -> String {
    let digest = Sha256::digest(token.expose_secret().trim());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_prefix_determines_the_kind() {
        let kind = |runner: Value<Secret>, registration: Value<Secret>| {
            let config = RunnerRelease {
                runner_token_wo: runner,
                registration_token_wo: registration,
                ..RunnerRelease::default()
            };
            write_only_token(&config).map(|token| token.map(|token| (token.kind, token.token.is_some())))
        };
        let (authentication, registration) = (TokenKind::Authentication, TokenKind::Registration);
        assert_eq!(kind("a".into(), Value::Unknown), Ok(Some((authentication, true))));
        assert_eq!(kind(Value::Unknown, "b".into()), Ok(Some((registration, true))));
        assert_eq!(kind(Value::Null, Value::Unknown), Ok(Some((registration, false))));
        assert_eq!(kind(Value::Null, Value::Null), Ok(None));
        assert_eq!(kind(Value::Unknown, Value::Unknown), Err(Unresolved::Unknown));
    }

    #[test]
    fn unknown_values_files_leave_results_unknown() {
        let planned = RunnerRelease { values: Value::Unknown, ..RunnerRelease::default() };
        assert_eq!(Desired::of(&planned, &planned, None).map(drop), Err(Unresolved::Unknown));
    }
}
