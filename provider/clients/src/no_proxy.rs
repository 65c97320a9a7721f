//! What `NO_PROXY` says, in the words that the matcher of proxies knows.

/// Tools written in Go, Terraform among them, also take `*.example.com` for what is written `.example.com` here.
pub(super) fn domains(rules: &str) -> String {
    let rules = rules.split(',').map(str::trim);
    rules.map(|rule| if rule.starts_with("*.") { &rule[1..] } else { rule }).collect::<Vec<_>>().join(",")
}
