//! Random configurations from the catalogue are unchanged after writing and reading; misspelt ones are rejected.

use proptest::prelude::*;
use proptest::strategy::Union;
use toml::Value;

use super::*;
use crate::catalogue::{GLOBAL, Key, Kind, RUNNER, Table, entries};

fn any_text() -> BoxedStrategy<String> {
    // Without braces, because two of them begin a template expression.
    "[^{}]{0,12}".boxed()
}

fn any_value(kind: Kind) -> BoxedStrategy<Value> {
    let texts = prop::collection::vec(any_text().prop_map(Value::String), 0..3).prop_map(Value::Array);
    match kind {
        Kind::Text => any_text().prop_map(Value::String).boxed(),
        Kind::Choice(of) => prop::sample::select(of.of).prop_map(Value::from).boxed(),
        Kind::Integer => any::<i64>().prop_map(Value::Integer).boxed(),
        Kind::Float => any::<i32>().prop_map(|n| Value::Float(f64::from(n) / 8.0)).boxed(),
        Kind::Flag => any::<bool>().prop_map(Value::Boolean).boxed(),
        Kind::Duration => (0..99u8, 0..60u8).prop_map(|(h, m)| Value::from(format!("{h}h{m}m"))).boxed(),
        Kind::Timestamp => Just(Value::from("2026-01-02T03:04:05Z")).boxed(),
        Kind::Texts => texts.boxed(),
        Kind::Choices(of) | Kind::ChoiceOrChoices(of) => {
            prop::collection::vec(prop::sample::select(of.of).prop_map(Value::from), 0..3)
                .prop_map(Value::Array)
                .boxed()
        }
        Kind::Integers => {
            prop::collection::vec(any::<i64>().prop_map(Value::Integer), 0..3).prop_map(Value::Array).boxed()
        }
        Kind::Floats => prop::collection::vec(any::<i16>().prop_map(|n| Value::Float(f64::from(n))), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        Kind::TextMap => any_map(any_text().prop_map(Value::String).boxed()),
        Kind::FlagMap => any_map(any::<bool>().prop_map(Value::Boolean).boxed()),
        Kind::IntegerMap => any_map(any::<i64>().prop_map(Value::Integer).boxed()),
        Kind::Table(of) => any_table(of).prop_map(Value::Table).boxed(),
        Kind::Tables(of) => {
            prop::collection::vec(any_table(of).prop_map(Value::Table), 1..3).prop_map(Value::Array).boxed()
        }
    }
}

fn any_map(value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::btree_map(any_text(), value, 0..3).prop_map(|map| Value::Table(map.into_iter().collect())).boxed()
}

/// Some keys of the table with valid values.
fn any_table(of: &'static Table) -> BoxedStrategy<toml::Table> {
    // The newest runner does not support the other keys.
    let keys: Vec<&'static Key> = of.keys().filter(|key| key.until.is_none()).collect();
    let most = keys.len().min(4);
    prop::sample::subsequence(keys, 0..=most)
        .prop_flat_map(|keys| {
            keys.into_iter()
                .map(|key| any_value(key.kind).prop_map(|value| (key.toml.to_owned(), value)))
                .collect::<Vec<_>>()
        })
        .prop_map(|pairs| pairs.into_iter().collect())
        .boxed()
}

fn any_config() -> impl Strategy<Value = Config> {
    (any_table(&GLOBAL), any_table(&RUNNER)).prop_map(|(global, mut runner)| {
        runner.insert("limit".to_owned(), Value::Integer(1));
        Config { global, runner }
    })
}

/// The header of a table, and a key of it with an additional letter.
fn any_misspelling() -> impl Strategy<Value = (String, String)> {
    let keys: Vec<(String, &'static str)> = entries(&RUNNER)
        .into_iter()
        .filter(|entry| !entry.toml_path.contains('.') || entry.toml_path.starts_with("kubernetes."))
        .filter(|entry| entry.toml_path.matches('.').count() <= 1)
        .map(|entry| {
            let parent = entry.toml_path.strip_suffix(entry.key.toml).unwrap_or_default();
            (format!("[[runners]]\n{}", if parent.is_empty() { "" } else { "[runners.kubernetes]\n" }), entry.key.toml)
        })
        .collect();
    let change = (prop::sample::select(keys), any::<prop::sample::Index>(), "[a-z]");
    change.prop_map(|((head, key), at, letter)| {
        let at = at.index(key.len());
        let mut misspelt = key.to_owned();
        misspelt.insert_str(at, &letter);
        (head, misspelt)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rendered_config_reads_back_unchanged(config in any_config()) {
        let text = render(&config).unwrap();
        let read = from_text(&text, RELEASE, &place(19, 4));
        prop_assert_eq!(read.unwrap().config, config.clone());
        prop_assert_eq!(render(&config).unwrap(), text);
    }

    #[test]
    fn config_survives_conversion_to_hcl(config in any_config()) {
        let object = to_hcl(&config.runner, &RUNNER);
        let back = from_hcl(&object, &RUNNER, RunnerVersion::new(19, 4), AttributePath::root());
        prop_assert_eq!(back.unwrap(), config.runner);
    }

    #[test]
    fn misspelt_key_is_refused((head, key) in any_misspelling()) {
        let known = entries(&RUNNER).iter().any(|entry| entry.key.toml == key);
        prop_assume!(!known);
        let found = details(&format!("{head}{key} = 1\n"));
        prop_assert_eq!(found.len(), 1);
        prop_assert!(found[0].contains(&key), "{:?}", found);
    }
}

#[test]
fn every_key_survives_the_round_trip() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for (root, of) in [("global", &GLOBAL), ("runner", &RUNNER)] {
        let each: Vec<_> = of
            .keys()
            .filter(|key| key.until.is_none())
            .map(|key| any_value(key.kind).prop_map(move |v| (key.toml, v)))
            .collect();
        runner
            .run(&Union::new(each), |(name, value)| {
                let table: toml::Table = [(name.to_owned(), value)].into_iter().collect();
                let mut config = Config::default();
                config.runner.insert("limit".to_owned(), Value::Integer(1));
                match root {
                    "global" => config.global = table,
                    _ => config.runner.extend(table),
                }
                let text = render(&config).unwrap();
                let read = from_text(&text, RELEASE, &place(19, 4)).unwrap().config;
                prop_assert_eq!(read, config);
                Ok(())
            })
            .unwrap();
    }
}
