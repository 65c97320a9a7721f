//! Conversion of `NO_PROXY` for the matcher of proxies.

/// Converts `*.example.com`, which tools written in Go such as Terraform accept, to the equivalent `.example.com`.
pub(super) fn domains(rules: &str) -> String {
    let rules = rules.split(',').map(str::trim);
    rules.map(|rule| if rule.starts_with("*.") { &rule[1..] } else { rule }).collect::<Vec<_>>().join(",")
}
