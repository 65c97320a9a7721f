use std::collections::BTreeSet;

use super::*;

mod misspellings;

/// Converts names such as `BucketName` and `tls-ca-file` to snake case.
fn snake_case(toml: &str) -> String {
    let letters: Vec<char> = toml.replace('-', "_").chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|i| letters.get(i));
        let after = letters.get(at + 1);
        let starts_word = letter.is_uppercase()
            && before
                .is_some_and(|b| b.is_lowercase() || (b.is_uppercase() && after.is_some_and(|a| a.is_lowercase())));
        if starts_word {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

#[test]
fn hcl_names_are_the_snake_case_of_the_toml_names() {
    for entry in entries(&GLOBAL).into_iter().chain(entries(&RUNNER)) {
        assert_eq!(entry.key.hcl, snake_case(entry.key.toml), "{}", entry.toml_path);
    }
}

#[test]
fn keys_are_unique_and_described() {
    for root in [&GLOBAL, &RUNNER] {
        let mut seen = BTreeSet::new();
        for entry in entries(root) {
            assert!(seen.insert(entry.toml_path.clone()), "{} twice", entry.toml_path);
            assert!(entry.key.about.ends_with('.'), "{}", entry.toml_path);
            assert!(entry.key.about.len() >= 8, "{}", entry.toml_path);
        }
    }
}

#[test]
fn kubernetes_table_is_complete() {
    let Some(Kind::Table(kubernetes)) = RUNNER.by_toml("kubernetes").map(|key| key.kind) else {
        unreachable!("kubernetes is a table")
    };
    assert_eq!(kubernetes.keys().count(), 114);
}

#[test]
fn secret_keys_are_marked() {
    let secrets: Vec<String> = entries(&GLOBAL)
        .into_iter()
        .chain(entries(&RUNNER))
        .filter(|entry| entry.key.sensitive)
        .map(|entry| entry.toml_path)
        .collect();
    assert_eq!(
        secrets,
        [
            "sentry_dsn",
            "token",
            "cache.s3.AccessKey",
            "cache.s3.SecretKey",
            "cache.s3.SessionToken",
            "cache.gcs.AccessID",
            "cache.gcs.PrivateKey",
            "cache.azure.AccountKey",
            "kubernetes.bearer_token",
        ]
    );
}

/// Keys of GitLab Runner's structs that are not in all tags from v15.0.0 to v19.3.0, each with the first tag that
/// contains it, or the last.
const TAGS: &str = include_str!("../testdata/runner-keys.txt");

#[test]
fn versions_equal_those_of_the_runner_tags() {
    let tags: Vec<(&str, &str)> =
        TAGS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect();
    let mut wrong = Vec::new();
    let global = entries(&GLOBAL).into_iter().map(|entry| (entry.toml_path.clone(), entry));
    let runner = entries(&RUNNER).into_iter().map(|entry| (format!("runners.{}", entry.toml_path), entry));
    for (path, entry) in global.chain(runner) {
        // The catalogue contains keys that are newer than the newest tag.
        if entry.since > RunnerVersion::new(19, 3) {
            continue;
        }
        let known = tags.iter().find(|(_, key)| path.eq_ignore_ascii_case(key)).map(|(tag, _)| *tag);
        let ours = match entry.key.until {
            Some((last, _)) => Some(format!("-{last}")),
            None => (entry.since != RunnerVersion::ANY).then(|| entry.since.to_string()),
        };
        if ours.as_deref() != known {
            wrong.push(format!("{path}: {ours:?}, and the tags say {known:?}"));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn versions_of_recent_keys() {
    let newer: Vec<String> = entries(&RUNNER)
        .into_iter()
        .filter(|entry| entry.key.since >= RunnerVersion::new(19, 0))
        .map(|entry| format!("{} {}", entry.since, entry.toml_path))
        .collect();
    assert!(newer.contains(&"19.0 kubernetes.volumes.nfs".to_owned()), "{newer:?}");
    assert!(newer.contains(&"19.0 prepare_timeout".to_owned()), "{newer:?}");
    assert!(newer.contains(&"19.4 kubernetes.services.suspend_data_path".to_owned()), "{newer:?}");
    let inherited = entries(&RUNNER).into_iter().find(|entry| entry.toml_path == "kubernetes.volumes.nfs.server");
    assert_eq!(inherited.map(|entry| entry.since), Some(RunnerVersion::new(19, 0)));
}
