//! `runners.config`, and the keys of older charts that it replaced.

use gitlabspot_runner_config::catalogue::{RUNNER, entries};
use gitlabspot_runner_config::config_toml::{Config, Place, Rules, from_hcl, from_text, is_same_address};
use gitlabspot_runner_config::version::RunnerVersion;
use serde_json::{Map, Value};
use tfplugin::framework::AttributePath;

use super::environment;
use super::layer::element;
use super::translate::{ValuesTranslator, get, put};
use super::value_type::text;

/// The version of GitLab Runner of chart 0.53, the first one that ignores the older keys.
const OF_CHART_0_53: RunnerVersion = RunnerVersion::new(16, 0);

impl ValuesTranslator<'_> {
    pub(super) fn config(&mut self, key: &str, text: &str, rules: Rules) {
        let at = self.translated.notes.files().find(key);
        let place = Place {
            path: element(at.file),
            version: self.version,
            rules,
            first_line: self.translated.notes.files().block(key),
        };
        // An invalid text is not reported as a missing one too.
        self.translated.has_config = true;
        match from_text(text, self.release, &place) {
            Ok(text) => {
                for remark in text.remarks {
                    self.translated.notes.remark(key, remark);
                }
                if let (Some(inside), Some(outside)) = (
                    text.config.runner.get("url").and_then(toml::Value::as_str),
                    get(&self.settings, "gitlab_url").and_then(Value::as_str),
                ) && !is_same_address(inside, outside)
                {
                    self.note(key, "registration ignores its url; gitlabUrl is used.");
                }
                self.translated.config.push(text.config);
            }
            Err(findings) => self.findings.extend(findings),
        }
    }

    /// Reads the keys that charts since 0.53 do not read, unless the configuration contains the same value. A migration
    /// translates them if the chart of the release has read them.
    pub(super) fn older_keys(&mut self) {
        let in_config = self.translated.config.last().and_then(|config| serde_json::to_value(&config.runner).ok());
        let mut layer = toml::Table::new();
        for (path, to, value) in std::mem::take(&mut self.older) {
            let there = to.split('.').try_fold(in_config.as_ref(), |table, part| Some(table?.get(part))).flatten();
            let is_same =
                |there: &Value| *there == value || text(there).is_some_and(|there| Some(there) == text(&value));
            if there.is_some_and(is_same) {
                continue;
            }
            let is_of_newer_chart = self.context.version.is_some_and(|version| version >= OF_CHART_0_53);
            match self.context.version.and_then(|_| self.variable(path, to, &value)) {
                _ if !self.context.is_migration || is_of_newer_chart => self.ignored_key(path, to, &value),
                Some(runner) => merge(&mut layer, runner),
                None => self.undecided_key(path, to),
            }
        }
        if !layer.is_empty() {
            // These charts set a variable for each key, which in a registration takes precedence over the template.
            self.translated.config.push(Config { runner: layer, ..Config::default() });
        }
    }

    fn ignored_key(&mut self, path: &str, to: &str, value: &Value) {
        let (table, key) = to.rsplit_once('.').unwrap_or(("", to));
        let table = if table.is_empty() { "[[runners]]".to_owned() } else { format!("[runners.{table}]") };
        let more = match (path, value) {
            ("runners.privileged", Value::Bool(true)) => ", so that jobs are not privileged",
            _ => "",
        };
        let text = format!(
            "charts before 0.53 read it; later ones and this resource do not{more}. In runners.config it is {key} in {table}."
        );
        self.note(path, text);
    }

    fn undecided_key(&mut self, path: &str, to: &str) {
        let option = hcl_path(to).unwrap_or_else(|| to.to_owned());
        let how = match self.context.version {
            Some(_) => "",
            None => {
                " Charts before 0.53 have GitLab Runner before 16.0: `--runner-version` sets the version of the release."
            }
        };
        let text =
            format!("charts before 0.53 read it. If the release has such a chart, set `{option}` in `config`.{how}");
        self.translated.tasks.push((path.to_owned(), text));
    }

    /// Returns the configuration of a key for which charts before 0.53 set a variable; `None` for other keys, and for
    /// invalid values.
    fn variable(&self, path: &str, to: &str, value: &Value) -> Option<toml::Table> {
        let is_scalar = matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        if !is_scalar || !has_variable(path) {
            return None;
        }
        // The charts omit the variable of a false value.
        if matches!(value, Value::Bool(false)) || value.as_i64() == Some(0) {
            return Some(toml::Table::new());
        }
        let entry = entries(&RUNNER).into_iter().find(|entry| entry.toml_path == to)?;
        let mut option = Map::new();
        put(&mut option, &entry.hcl_path, environment::value(&self.as_text(value), entry.key.kind));
        from_hcl(&Value::Object(option), &RUNNER, self.version, AttributePath::root()).ok()
    }
}

/// Whether charts before 0.53 set a variable for a key.
fn has_variable(path: &str) -> bool {
    const BELOW_RUNNERS: [&str; 9] = [
        "cloneUrl",
        "image",
        "imagePullPolicy",
        "namespace",
        "outputLimit",
        "pollTimeout",
        "privileged",
        "requestConcurrency",
        "serviceAccountName",
    ];
    const SIZES: [&str; 4] = ["cpuLimit", "cpuRequests", "memoryLimit", "memoryRequests"];
    const CACHE: [&str; 8] = [
        "cachePath",
        "cacheShared",
        "cacheType",
        "gcsBucketName",
        "s3BucketLocation",
        "s3BucketName",
        "s3CacheInsecure",
        "s3ServerAddress",
    ];
    let Some(name) = path.strip_prefix("runners.") else { return false };
    match name.split_once('.') {
        None => BELOW_RUNNERS.contains(&name),
        Some(("builds", name)) => SIZES.contains(&name.trim_end_matches("OverwriteMaxAllowed")),
        Some(("services", name)) => SIZES.contains(&name),
        Some(("helpers", name)) => name == "image" || SIZES.contains(&name),
        Some(("cache", name)) => CACHE.contains(&name),
        Some(_) => false,
    }
}

fn hcl_path(to: &str) -> Option<String> {
    entries(&RUNNER).into_iter().find(|entry| entry.toml_path == to).map(|entry| entry.hcl_path)
}

/// Adds the keys of a table to another one, and those of tables in it.
fn merge(table: &mut toml::Table, other: toml::Table) {
    for (name, value) in other {
        match (table.get_mut(&name), value) {
            (Some(toml::Value::Table(table)), toml::Value::Table(other)) => merge(table, other),
            (_, value) => drop(table.insert(name, value)),
        }
    }
}
