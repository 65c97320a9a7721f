//! Walks the merged values and carries each key to where it belongs.

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::super::catalogue::{GLOBAL, RUNNER, Table};
use super::super::config_toml::{Config, GlobalKeys, Place, Release, from_hcl, from_text};
use super::super::finding::{Finding, attribute};
use super::super::suggest::did_you_mean;
use super::super::validate::is_of_registration;
use super::super::version::RunnerVersion;
use super::keys::{Becomes, KEYS, Shape, ValuesKey};
use super::shape::{Misshapen, shaped};
use super::{ChartValues, Context};

pub(super) fn carry(values: &Map<String, Value>, context: Context<'_>) -> Result<ChartValues, Vec<Finding>> {
    let job_namespace = values.get("runners").and_then(|runners| runners.get("jobNamespace"));
    let release = Release {
        name: context.release,
        namespace: context.namespace,
        job_namespace: job_namespace.and_then(Value::as_str).filter(|name| !name.is_empty()),
    };
    let tag = values.get("image").and_then(|image| image.get("tag")).and_then(Value::as_str);
    let mut carrier = Carrier {
        context,
        version: context.version.or_else(|| RunnerVersion::of_image_tag(tag?)).unwrap_or(RunnerVersion::DEFAULT),
        release,
        inputs: Map::new(),
        global: Map::new(),
        runner: Map::new(),
        specials: Map::new(),
        findings: Vec::new(),
    };
    carrier.walk(values, "");
    carrier.finish()
}

struct Carrier<'a> {
    context: Context<'a>,
    version: RunnerVersion,
    release: Release<'a>,
    /// In the shape of `ReleaseInputs`.
    inputs: Map<String, Value>,
    /// Under HCL names, like `runner`.
    global: Map<String, Value>,
    runner: Map<String, Value>,
    /// Keys that are read together, by their own path.
    specials: Map<String, Value>,
    findings: Vec<Finding>,
}

impl Carrier<'_> {
    fn walk(&mut self, values: &Map<String, Value>, prefix: &str) {
        for (name, value) in values {
            let path = format!("{prefix}{name}");
            if let Some(key) = KEYS.iter().find(|key| key.path == path) {
                self.key(key, value);
                continue;
            }
            let below = format!("{path}.");
            match value {
                _ if !KEYS.iter().any(|key| key.path.starts_with(&below)) => self.unknown(name, &path, prefix),
                Value::Object(values) => self.walk(values, &below),
                _ => self.error("Wrong value in a values file", format!("{path} must be a map.")),
            }
        }
    }

    fn key(&mut self, key: &ValuesKey, value: &Value) {
        let value = match shaped(value, key.shape, self.release) {
            Ok(value) => value,
            Err(Misshapen::Findings(findings)) => return self.findings.extend(findings),
            Err(Misshapen::Wanted(wanted)) => {
                return self.error("Wrong value in a values file", format!("{} must be {wanted}.", key.path));
            }
        };
        // The chart takes an empty text for one that is not there; only a registry may be empty.
        if value.as_str() == Some("") && key.path != "image.registry" {
            return;
        }
        match key.becomes {
            Becomes::Attribute(to) => put(&mut self.inputs, to, value),
            Becomes::Global(to) => put(&mut self.global, to, value),
            Becomes::Runner(to) => put(&mut self.runner, to, value),
            Becomes::Special(_) => drop(self.specials.insert(key.path.to_owned(), value)),
            Becomes::Nothing(_) => {}
            Becomes::Refused(reason) => {
                self.error("Key of a values file is not supported", format!("{}: {reason}.", key.path));
            }
        }
    }

    fn unknown(&mut self, name: &str, path: &str, prefix: &str) {
        let siblings = KEYS.iter().filter_map(|key| key.path.strip_prefix(prefix)?.split('.').next());
        let hint = did_you_mean(name, siblings);
        self.error(
            "Unknown key in a values file",
            format!("The gitlab-runner chart knows no key {path}, and Helm would ignore it without a word.{hint}"),
        );
    }

    fn error(&mut self, summary: &'static str, detail: String) {
        self.findings.push(Finding::error(attribute("values"), summary, detail));
    }

    fn finish(mut self) -> Result<ChartValues, Vec<Finding>> {
        let mut carried = ChartValues::default();
        self.tokens(&mut carried);
        self.constraints();
        self.service_account();
        self.registration();
        self.pod();
        let text = self.specials.remove("runners.config").and_then(|text| text.as_str().map(str::to_owned));
        let weak = Config { global: self.table("global", &GLOBAL), runner: self.table("runner", &RUNNER) };
        carried.config.push(weak);
        if let Some(text) = text {
            let place = Place { path: attribute("values"), version: self.version };
            match from_text(&text, self.release, GlobalKeys::Refused, &place) {
                Ok(config) => {
                    carried.config.push(config);
                    carried.has_config = true;
                }
                Err(findings) => self.findings.extend(findings),
            }
        }
        match serde_json::from_value(Value::Object(std::mem::take(&mut self.inputs))) {
            Ok(inputs) => carried.inputs = inputs,
            Err(error) => {
                self.error("Wrong value in a values file", format!("A list holds what does not belong there: {error}."))
            }
        }
        match self.findings.is_empty() {
            true => Ok(carried),
            false => Err(self.findings),
        }
    }

    fn table(&mut self, which: &str, catalogue: &'static Table) -> toml::Table {
        let object = std::mem::take(if which == "global" { &mut self.global } else { &mut self.runner });
        match from_hcl(&Value::Object(object), catalogue, self.version, Vec::new()) {
            Ok(table) => table,
            Err(findings) => {
                self.findings
                    .extend(findings.into_iter().map(|finding| Finding { path: attribute("values"), ..finding }));
                toml::Table::new()
            }
        }
    }

    fn tokens(&mut self, carried: &mut ChartValues) {
        for (key, attribute_name) in
            [("runnerToken", "runner_token_wo"), ("runnerRegistrationToken", "registration_token_wo")]
        {
            let Some(Value::String(token)) = self.specials.remove(key) else { continue };
            if key == "runnerToken" && is_of_registration(&token) {
                self.error(
                    "Not an authentication token",
                    "runnerToken is a registration token (GR1348941...). Take it out of the values and set \
                     `registration_token_wo`."
                        .into(),
                );
                continue;
            }
            let is_of_runner = token.trim().starts_with("glrt-");
            let attribute_name = if is_of_runner { "runner_token_wo" } else { attribute_name };
            // A line break at its end is the usual accident, and an invalid HTTP header later.
            let token = Some(SecretString::from(token.trim()));
            match key {
                "runnerToken" => carried.runner_token = token,
                _ => carried.registration_token = token,
            }
            carried.warnings.push(Finding::warning(
                attribute("values"),
                "Token in a values file",
                format!(
                    "{key} is used, but `values` are kept in plan and state as they are written. \
                     Take it out and set `{attribute_name}`, which is never stored."
                ),
            ));
        }
    }

    fn constraints(&mut self) {
        if let Some(namespace) = self.text("namespace")
            && namespace != self.context.namespace
        {
            self.error(
                "Namespace given twice",
                "namespace differs from the resource's `namespace`. Set `namespace` and take it out of the values."
                    .into(),
            );
        }
        if self.text("runners.executor").is_some_and(|executor| executor != "kubernetes") {
            self.error("Key of a values file is not supported", "runners.executor must be kubernetes.".into());
        }
        if self.text("runners.configPath").is_some() {
            self.error(
                "Key of a values file is not supported",
                "runners.configPath: a file inside the container cannot be checked at plan. Put its text in runners.config.".into(),
            );
        }
        if self.specials.remove("rbac.podSecurityPolicy.enabled") == Some(Value::Bool(true)) {
            self.error(
                "Key of a values file is not supported",
                "rbac.podSecurityPolicy: Kubernetes 1.25 removed PodSecurityPolicy. Take it out.".into(),
            );
        }
        if self.specials.remove("extraObjects").is_some_and(|objects| !is_empty(&objects)) {
            self.error(
                "Key of a values file is not supported",
                "extraObjects: objects of other kinds are resources of their own, such as kubernetes_manifest.".into(),
            );
        }
    }

    /// The chart creates an account when told to, or when it creates roles and was told nothing.
    fn service_account(&mut self) {
        let creates_roles = get(&self.inputs, "rbac.create").and_then(Value::as_bool).unwrap_or(false);
        put(&mut self.inputs, "rbac.create", Value::Bool(creates_roles));
        let told = get(&self.inputs, "service_account.create").and_then(Value::as_bool);
        put(&mut self.inputs, "service_account.create", Value::Bool(told.unwrap_or(creates_roles)));
        let generated = self.text("rbac.generatedServiceAccountName");
        let existing = self.text("rbac.serviceAccountName");
        if get(&self.inputs, "service_account.name").is_none()
            && let Some(name) = if creates_roles { generated } else { existing }
        {
            put(&mut self.inputs, "service_account.name", Value::String(name));
        }
        if let Some(Value::Object(old)) = self.specials.remove("rbac.serviceAccountAnnotations") {
            for (name, value) in old {
                let annotations = object(&mut self.inputs, &["service_account", "annotations"]);
                annotations.entry(name).or_insert(value);
            }
        }
        if let Some(Value::Array(mut names)) = self.specials.remove("rbac.imagePullSecrets")
            && !names.is_empty()
        {
            if let Some(Value::Array(own)) = get(&self.inputs, "service_account.image_pull_secrets") {
                names.extend(own.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
            }
            put(&mut self.inputs, "service_account.image_pull_secrets", Value::Array(names));
        }
        if let Some(Value::Array(rules)) = self.specials.remove("rbac.rules")
            && !rules.is_empty()
        {
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
            put(&mut self.inputs, "rbac.rules", rules);
        }
    }

    fn registration(&mut self) {
        if let Some(tags) = self.text("runners.tags") {
            let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(Value::from).collect();
            put(&mut self.inputs, "registration.tag_list", Value::Array(tags));
        }
        if self.specials.remove("runners.protected") == Some(Value::Bool(true)) {
            put(&mut self.inputs, "registration.access_level", Value::from("ref_protected"));
        }
        if let Some(name) = self.text("runners.name") {
            put(&mut self.inputs, "runner_name", Value::String(name));
        }
    }

    fn pod(&mut self) {
        if let Some(constraints) = self.specials.remove("topologySpreadConstraints")
            && !is_empty(&constraints)
        {
            put(&mut self.inputs, "topology_spread_constraints", constraints);
        }
        let variables = self.specials.remove("envVars");
        for variable in variables.as_ref().and_then(Value::as_array).into_iter().flatten() {
            let Some(name) = variable.get("name").and_then(Value::as_str) else {
                self.error("Wrong value in a values file", "envVars must be a list of {name, value}.".into());
                return;
            };
            let (map, value) = match variable.get("valueFrom") {
                Some(from) => ("extra_env_from", Ok(from.clone())),
                None => ("extra_env", shaped(variable.get("value").unwrap_or(&Value::Null), Shape::Text, self.release)),
            };
            let value = value.unwrap_or_else(|_| Value::from(""));
            object(&mut self.inputs, &[map]).entry(name).or_insert(value);
        }
    }

    fn text(&mut self, special: &str) -> Option<String> {
        self.specials.remove(special).and_then(|value| value.as_str().map(str::to_owned))
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn put(map: &mut Map<String, Value>, dotted: &str, value: Value) {
    let (parents, name) = dotted.rsplit_once('.').unwrap_or(("", dotted));
    let parents: Vec<&str> = parents.split('.').filter(|part| !part.is_empty()).collect();
    object(map, &parents).insert(name.to_owned(), value);
}

fn get<'a>(map: &'a Map<String, Value>, dotted: &str) -> Option<&'a Value> {
    let mut parts = dotted.split('.');
    let first = map.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

/// The object at the end of the path, made where it is missing.
fn object<'a>(map: &'a mut Map<String, Value>, path: &[&str]) -> &'a mut Map<String, Value> {
    let Some((first, rest)) = path.split_first() else { return map };
    let entry = map.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(next) => object(next, rest),
        _ => unreachable!("made an object of it just now"),
    }
}
