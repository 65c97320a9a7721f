//! What a developer sets so that the host attaches to a running provider instead of starting one.

use serde_json::json;

/// Whoever writes only `namespace/name` means the registry of the program at hand.
const REGISTRIES: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// The text to print. `source` is `namespace/name`, `address` the socket's path.
pub(super) fn instructions(source: &str, process: u32, address: &str) -> String {
    let attach = json!({
        "Protocol": "grpc",
        "ProtocolVersion": 6,
        "Pid": process,
        // The host must not end a process that it did not start.
        "Test": true,
        "Addr": { "Network": "unix", "String": address },
    });
    let providers: serde_json::Map<_, _> =
        REGISTRIES.iter().map(|registry| (format!("{registry}/{source}"), attach.clone())).collect();
    let value = serde_json::Value::Object(providers).to_string().replace('\'', r"'\''");
    format!(
        "Provider started. To attach Terraform or OpenTofu, set the TF_REATTACH_PROVIDERS \
         environment variable with the following:\n\n\tTF_REATTACH_PROVIDERS='{value}'\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_can_be_pasted_into_a_shell() {
        let text = instructions("example/thing", 123, "/tmp/plugin1/s");
        let line = text.lines().find(|line| line.contains('=')).unwrap();
        let value = line.trim().strip_prefix("TF_REATTACH_PROVIDERS='").unwrap();
        let value: serde_json::Value = serde_json::from_str(value.strip_suffix('\'').unwrap()).unwrap();
        let attach = json!({
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": 123,
            "Test": true,
            "Addr": { "Network": "unix", "String": "/tmp/plugin1/s" },
        });
        assert_eq!(
            value,
            json!({
                "registry.terraform.io/example/thing": attach,
                "registry.opentofu.org/example/thing": attach,
            })
        );
    }
}
