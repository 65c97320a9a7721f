//! The dependencies between the modules of `gitlabspot_runner_release`, which convert attributes to objects step by
//! step.

use super::source::sources;

const RELEASE: &str = "provider/src/resources/runner_release/";

/// The modules in order. Each depends only on those before it.
const MODULES: [&str; 6] = ["schema", "settings", "values", "spec", "manifests", "expand"];

/// The modules after `module` that its code uses.
fn backwards(module: &str, code: &str) -> Vec<&'static str> {
    let later = MODULES.iter().skip_while(|it| **it != module).skip(1);
    let is_named = |name: &str| {
        [format!("super::{name}::"), format!("runner_release::{name}::")]
            .iter()
            .any(|path| code.contains(path.as_str()))
    };
    later.copied().filter(|name| is_named(name)).collect()
}

#[test]
fn modules_of_a_release_depend_in_one_direction() {
    let mut found = Vec::new();
    for source in sources(RELEASE) {
        let module = source.path[RELEASE.len()..].split('/').next().unwrap_or_default().trim_end_matches(".rs");
        found.extend(backwards(module, &source.shipped()).into_iter().map(|name| format!("{}: {name}", source.path)));
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn check_finds_violations() {
    assert_eq!(backwards("values", "use super::super::spec::security_context;"), ["spec"]);
    assert_eq!(backwards("spec", "use super::super::values::{self, Context}; use super::schema::Probe;"), [""; 0]);
    assert_eq!(backwards("mod", "use self::spec::TokenKind; use super::spec::Start;"), [""; 0]);
}
