//! The modules of a resource that only compute.

use super::source::{contains_name, sources};

const PURE: [&str; 6] = ["schema", "model", "validate", "plan", "expand", "flatten"];

/// Names that computations do not need.
const IMPURE: [&str; 4] = ["async", "gitlabspot_clients", "Client", "std::env"];

fn is_pure_chapter(path: &str) -> bool {
    let Some((_, rest)) = path.strip_prefix("provider/src/resources/").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    PURE.contains(&rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs"))
}

fn impurities(code: &str) -> Vec<&'static str> {
    IMPURE.into_iter().filter(|word| contains_name(code, word)).collect()
}

#[test]
fn pure_modules_neither_await_nor_call() {
    let found: Vec<_> = sources("provider/src/resources/")
        .iter()
        .filter(|it| is_pure_chapter(&it.path))
        .flat_map(|it| {
            impurities(&it.shipped()).into_iter().map(|word| format!("{}: {word}", it.path)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn check_finds_violations() {
    assert!(
        is_pure_chapter("provider/src/resources/a/plan.rs")
            && is_pure_chapter("provider/src/resources/a/validate/b.rs")
    );
    assert!(!is_pure_chapter("provider/src/resources/a/mod.rs") && !is_pure_chapter("provider/src/resources/plan.rs"));
    assert_eq!(impurities("async fn plan(client: &aws_sdk_s3::Client) {"), ["async", "Client"]);
    assert_eq!(impurities("fn plan() {}"), [""; 0]);
}
