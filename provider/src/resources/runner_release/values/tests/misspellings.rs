//! Every key of the chart, misspelled at random, is reported with the right one.

use gitlabspot_runner_config::misspelling::each;
use serde_json::json;

use super::super::{Context, KEYS, read};

#[test]
fn in_values_files() {
    let context =
        Context { release: "gitlab-runner", namespace: "ci", version: None, app_version: None, is_migration: false };
    for key in KEYS {
        let (parent, _) = key.path.rsplit_once('.').unwrap_or(("", key.path));
        let prefix = if parent.is_empty() { String::new() } else { format!("{parent}.") };
        let below = KEYS.iter().filter_map(|other| other.path.strip_prefix(&prefix)?.split('.').next());
        let known: Vec<String> = below.map(str::to_owned).collect();
        each(key.path, &known, |wrong| {
            let mut object = json!({ wrong: 1 });
            for name in parent.split('.').filter(|name| !name.is_empty()).rev() {
                object = json!({ name: object });
            }
            let read = read(&[&object.to_string()], context);
            let warnings = read.notes.into_findings().into_iter().map(|found| found.detail);
            warnings.flat_map(|detail| detail.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()).collect()
        });
    }
}
