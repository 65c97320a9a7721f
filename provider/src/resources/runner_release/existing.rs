//! The kind of token in a Secret that this provider does not manage.

use gitlabspot_clients::kubernetes::{self, KubernetesError};
use gitlabspot_runner_config::version::RunnerVersion;
use serde_json::Value as Json;
use tfplugin::framework::value::known_list;
use tfplugin::framework::{Context, Diagnostic, Value};

use super::error::Error;
use super::private::Private;
use super::schema::RunnerRelease;
use super::spec::TokenKind;
use super::{Session, live, values};
use crate::configured::Data;
use crate::objects::{During as _, Step};

/// Result of reading the Secret for a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// The kind of its token; `None` if the configuration refers to no Secret.
    Known(Option<TokenKind>),
    /// The Secret of this name does not exist yet.
    Missing(String),
    /// The Secret of this name has neither key.
    Keyless(String),
    /// The Secret cannot be read yet: the apply reads it.
    Later,
}

/// Returns the name of the existing Secret with the token, or `Some(None)` if there is none. `None` if this is unknown.
fn secret_name(planned: &RunnerRelease, config: &RunnerRelease) -> Option<Option<String>> {
    match &planned.token_secret_name {
        Value::Known(name) => return Some(Some(name.clone())),
        Value::Unknown => return None,
        Value::Null => {}
    }
    if !config.runner_token_wo.is_null() || !config.registration_token_wo.is_null() {
        return Some(None);
    }
    let files = match &planned.values {
        Value::Null => return Some(None),
        values => known_list(values)?,
    };
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let version = planned.runner_version.as_str();
    let context = values::Context {
        release: planned.name.as_str()?,
        namespace: planned.namespace.as_str()?,
        version: version.and_then(RunnerVersion::parse),
        app_version: version,
        is_migration: false,
    };
    Some(values::token_secret(&files, context))
}

/// Reads the Secret for a plan.
pub(super) async fn look(
    context: &Context<Data>,
    planned: &RunnerRelease,
    config: &RunnerRelease,
    private: &Private,
) -> Existing {
    let Some(name) = secret_name(planned, config) else { return Existing::Later };
    let Some(name) = name else { return Existing::Known(None) };
    // A plan works without access to the cluster too, with the recorded kind if there is one.
    let found = match Session::connect(context, planned, &mut private.objects.clone()).await {
        Ok(session) => session.find(planned, &name).await.ok(),
        Err(_) => None,
    };
    match (found, private.existing_token) {
        (Some(Found::Token(kind)), _) | (_, Some(kind)) => Existing::Known(Some(kind)),
        (Some(Found::Nothing), None) => Existing::Missing(name),
        (Some(Found::OtherKeys), None) => Existing::Keyless(name),
        (None, None) => Existing::Later,
    }
}

impl Existing {
    /// Returns a warning if the Secret contains no token.
    pub(super) fn warning(&self, namespace: &str) -> Option<Diagnostic> {
        let what = match self {
            Self::Missing(name) => {
                format!("The Secret {name} of the runner's token does not exist in the namespace {namespace}.")
            }
            Self::Keyless(name) => format!(
                "The Secret {name} in the namespace {namespace} has neither the key runner-token nor the key \
                 runner-registration-token."
            ),
            Self::Known(_) | Self::Later => return None,
        };
        let detail = format!(
            "{what} The manager does not start without it: store an authentication token (glrt-...) in the key \
             runner-token, or a registration token in runner-registration-token, before or during this apply. Until \
             then the plan cannot show the objects of the release."
        );
        Some(Diagnostic::warning("Secret of the runner token not found", detail))
    }
}

/// Result of reading the Secret.
enum Found {
    Nothing,
    OtherKeys,
    Token(TokenKind),
}

impl Session<'_> {
    /// Reads the Secret for an apply, and records the kind of its token. For a missing Secret, an authentication token
    /// is assumed.
    pub(super) async fn existing(
        &self,
        planned: &RunnerRelease,
        config: &RunnerRelease,
        private: &mut Private,
    ) -> Result<Option<TokenKind>, Error> {
        let Some(name) = secret_name(planned, config).flatten() else {
            private.existing_token = None;
            return Ok(None);
        };
        let kind = match self.find(planned, &name).await {
            Ok(Found::Token(kind)) => kind,
            Ok(Found::Nothing | Found::OtherKeys) | Err(KubernetesError::Forbidden { .. }) => {
                private.existing_token.unwrap_or(TokenKind::Authentication)
            }
            Err(source) => return Ok(Err(source).during(Step::Check, self)?),
        };
        private.existing_token = Some(kind);
        Ok(Some(kind))
    }

    async fn find(&self, planned: &RunnerRelease, name: &str) -> Result<Found, KubernetesError> {
        let place = live::secret(planned.namespace.as_str().unwrap_or_default(), name);
        let secret = kubernetes::get(&self.client, &place).await?;
        Ok(match secret {
            None => Found::Nothing,
            Some(secret) => kind(&secret).map_or(Found::OtherKeys, Found::Token),
        })
    }
}

/// Returns the kind of the token in a Secret. If it has both keys, the authentication token is used unless it is empty.
fn kind(secret: &Json) -> Option<TokenKind> {
    let has = |key: &str| secret["data"][key].as_str().is_some_and(|value| !value.is_empty());
    match (has("runner-token"), has("runner-registration-token")) {
        (true, _) => Some(TokenKind::Authentication),
        (false, true) => Some(TokenKind::Registration),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_determine_the_kind() {
        let of = |data: Json| kind(&json!({ "data": data }));
        assert_eq!(of(json!({ "runner-token": "eA==" })), Some(TokenKind::Authentication));
        assert_eq!(
            of(json!({ "runner-token": "", "runner-registration-token": "eA==" })),
            Some(TokenKind::Registration)
        );
        assert_eq!(of(json!({ "token": "eA==" })), None);
    }
}
