//! `runners.config`, and the keys of older charts that it replaced.

use gitlabspot_runner_config::config_toml::{Place, Rules, from_text, is_same_address};
use serde_json::Value;

use super::keys::CHART;
use super::layer::element;
use super::translate::{ValuesTranslator, get};
use super::value_type::text;

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

    /// Adds notes about keys that the current chart does not read, unless the configuration contains the same value.
    pub(super) fn older_keys(&mut self) {
        let in_config = self.translated.config.last().and_then(|config| serde_json::to_value(&config.runner).ok());
        for (path, to, value) in std::mem::take(&mut self.older) {
            let there = to.split('.').try_fold(in_config.as_ref(), |table, part| Some(table?.get(part))).flatten();
            let is_same =
                |there: &Value| *there == value || text(there).is_some_and(|there| Some(there) == text(&value));
            if there.is_some_and(is_same) {
                continue;
            }
            let (table, key) = to.rsplit_once('.').unwrap_or(("", to));
            let table = if table.is_empty() { "[[runners]]".to_owned() } else { format!("[runners.{table}]") };
            let more = match (path, &value) {
                ("runners.privileged", Value::Bool(true)) => " It does not make jobs privileged.",
                _ => "",
            };
            self.note(
                path,
                format!("the chart ({CHART}) no longer reads it. In runners.config it is {key} in {table}.{more}"),
            );
        }
    }
}
