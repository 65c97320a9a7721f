//! The token of the runner, and keys that must match the resource.

use secrecy::SecretString;
use serde_json::Value;
use tfplugin::framework::Diagnostic;

use super::translate::{ValuesTranslator, put};

/// Whether a token has the prefix of registration tokens of projects and groups. Those of older versions of GitLab, and
/// of whole instances, have no prefix.
pub fn is_registration_token(token: &str) -> bool {
    token.trim().starts_with("GR1348941")
}

impl ValuesTranslator<'_> {
    pub(super) fn tokens(&mut self) {
        for key in ["runnerToken", "runnerRegistrationToken"] {
            let Some(token) = self.text(key) else { continue };
            // A line break at the end is a frequent mistake, and invalid in an HTTP header.
            let token = token.trim();
            if key == "runnerToken" && is_registration_token(token) {
                let wrong = Diagnostic::error(
                    "Invalid authentication token",
                    "runnerToken is a registration token (GR1348941...). Remove it from the values and set \
                     `registration_token_wo`.",
                );
                self.translated.wrong_token = Some(self.translated.notes.placed(key, wrong));
            }
            let is_of_runner = key == "runnerToken" || token.starts_with("glrt-");
            if is_of_runner && key != "runnerToken" {
                self.note(key, "this is an authentication token (glrt-...) and is used as such.");
            }
            let (held, attribute) = match is_of_runner {
                true => (&mut self.translated.runner_token, "runner_token_wo"),
                false => (&mut self.translated.registration_token, "registration_token_wo"),
            };
            held.get_or_insert_with(|| SecretString::from(token));
            self.translated.token_key.get_or_insert((key, attribute));
        }
        if self.translated.runner_token.is_some() && self.translated.registration_token.take().is_some() {
            self.note("runnerRegistrationToken", "it has no effect beside an authentication token. Keep runnerToken.");
        }
    }

    pub(super) fn constraints(&mut self) {
        if self.text("namespace").is_some_and(|namespace| namespace != self.context.namespace) {
            let namespace = self.context.namespace;
            self.note(
                "namespace",
                format!(
                    "the release is in {namespace}, which `namespace` of the resource specifies, or `--namespace` of a \
                     migration. Set that instead."
                ),
            );
        }
        if let Some(executor) = self.text("runners.executor").filter(|executor| executor != "kubernetes") {
            self.error(
                "runners.executor",
                "Executor is not supported",
                &format!(
                    "runners.executor is {executor:?}, but this resource only supports the Kubernetes executor. Set it \
                     to kubernetes, or remove the key."
                ),
            );
        }
        if let Some(path) = self.text("runners.configPath") {
            let has_text =
                ["runners.config", "runners.configOverride"].iter().any(|key| self.specials.contains_key(*key));
            match has_text {
                true => self.note("runners.configPath", "it has no effect beside runners.config."),
                false => self.error(
                    "runners.configPath",
                    "Configuration cannot be read",
                    &format!(
                        "runners.configPath is {path:?}, a file in the container, which cannot be validated at plan. \
                         Move its content to runners.config."
                    ),
                ),
            }
        }
    }

    pub(super) fn registration(&mut self) {
        let tags: Vec<String> = match self.specials.remove("runners.tags") {
            Some(Value::Array(tags)) => tags.iter().map(|tag| self.as_text(tag)).collect(),
            Some(tags) => self.as_text(&tags).split(',').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let tags: Vec<Value> =
            tags.iter().map(|tag| tag.trim()).filter(|tag| !tag.is_empty()).map(Value::from).collect();
        if !tags.is_empty() {
            put(&mut self.settings, "registration.tag_list", Value::Array(tags));
        }
        if self.specials.remove("runners.protected") == Some(Value::Bool(true)) {
            put(&mut self.settings, "registration.access_level", Value::from("ref_protected"));
        }
        if let Some(name) = self.text("runners.name") {
            put(&mut self.settings, "runner_name", Value::String(name));
        }
    }
}
