//! The service account and its permissions.

use serde_json::{Value, json};

use super::translate::{ValuesTranslator, get, object, put};

impl ValuesTranslator<'_> {
    /// The chart creates a service account if `serviceAccount.create` is true, or null and roles are created.
    pub(super) fn service_account(&mut self) {
        let creates_roles = get(&self.settings, "rbac.create").and_then(Value::as_bool).unwrap_or(false);
        put(&mut self.settings, "rbac.create", Value::Bool(creates_roles));
        let explicit = get(&self.settings, "service_account.create").and_then(Value::as_bool);
        put(&mut self.settings, "service_account.create", Value::Bool(explicit.unwrap_or(creates_roles)));
        self.older_account_names(creates_roles, explicit == Some(true));
        if let Some(Value::Object(old)) = self.specials.remove("rbac.serviceAccountAnnotations") {
            for (name, value) in old {
                let annotations = object(&mut self.settings, &["service_account", "annotations"]);
                annotations.entry(name).or_insert(value);
            }
        }
        if let Some(Value::Array(mut names)) = self.specials.remove("rbac.imagePullSecrets") {
            if let Some(Value::Array(own)) = get(&self.settings, "service_account.image_pull_secrets") {
                names.extend(own.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
            }
            put(&mut self.settings, "service_account.image_pull_secrets", Value::Array(names));
        }
    }

    /// The chart uses these names only if `serviceAccount` neither has a name nor is created explicitly.
    fn older_account_names(&mut self, creates_roles: bool, creates_account: bool) {
        let has_name = get(&self.settings, "service_account.name").is_some();
        for (key, is_for_roles) in [("rbac.generatedServiceAccountName", true), ("rbac.serviceAccountName", false)] {
            let Some(name) = self.text(key) else { continue };
            let instead = match is_for_roles == creates_roles {
                _ if has_name => "serviceAccount.name is used",
                _ if creates_account => "serviceAccount.create creates an account with the name of the release",
                false if creates_roles => "with rbac.create the name of the account is that of serviceAccount.name",
                false => "it has an effect with rbac.create only",
                true => {
                    put(&mut self.settings, "service_account.name", Value::String(name));
                    continue;
                }
            };
            if get(&self.settings, "service_account.name") != Some(&Value::String(name)) {
                self.note(key, format!("it has no effect: {instead}."));
            }
        }
    }

    pub(super) fn rules(&mut self) {
        let older = [("resources", "rbac.resources"), ("verbs", "rbac.verbs")]
            .map(|(part, key)| (part, self.specials.remove(key)));
        let rules = match self.specials.remove("rbac.rules") {
            Some(Value::Array(rules)) => rules,
            _ if older.iter().any(|(_, value)| value.is_some()) => {
                let parts = older.into_iter().filter_map(|(part, value)| Some((part.to_owned(), value?)));
                vec![Value::Object(parts.collect())]
            }
            _ => return,
        };
        let rules = rules.iter().map(|rule| {
            let part = |name: &str, fallback: &str| rule.get(name).cloned().unwrap_or_else(|| json!([fallback]));
            json!({
                "api_groups": part("apiGroups", ""),
                "resources": part("resources", "*"),
                "resource_names": rule.get("resourceNames"),
                "verbs": part("verbs", "*"),
            })
        });
        let rules = Value::Array(rules.collect());
        put(&mut self.settings, "rbac.rules", rules);
    }
}
