//! The environment variable with which a host attaches to a running provider instead of starting one.

use serde_json::json;

use super::transport::Address;

/// A source without a host name belongs to the default registry of the product, so that both are set.
const REGISTRIES: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// The command lines that set the variable, by shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shells {
    Posix,
    /// The Command Prompt and PowerShell.
    Windows,
}

impl Shells {
    pub(super) const OF_SYSTEM: Self = if cfg!(windows) { Self::Windows } else { Self::Posix };

    fn commands(self, value: &str) -> String {
        match self {
            Self::Posix => format!("\tTF_REATTACH_PROVIDERS='{}'\n", value.replace('\'', r"'\''")),
            Self::Windows => format!(
                "\tCommand Prompt:\tset \"TF_REATTACH_PROVIDERS={value}\"\n\
                 \tPowerShell:\t$env:TF_REATTACH_PROVIDERS='{}'\n",
                value.replace('\'', "''")
            ),
        }
    }
}

/// Returns the text to print. `source` is `namespace/name`.
pub(super) fn instructions(source: &str, process: u32, address: &Address, shells: Shells) -> String {
    let attach = json!({
        "Protocol": "grpc",
        // Hosts treat a missing version as 5.
        "ProtocolVersion": 6,
        "Pid": process,
        // The host must not end a process that it did not start.
        "Test": true,
        "Addr": { "Network": address.network, "String": address.address },
    });
    let providers: serde_json::Map<_, _> =
        REGISTRIES.iter().map(|registry| (format!("{registry}/{source}"), attach.clone())).collect();
    let commands = shells.commands(&serde_json::Value::Object(providers).to_string());
    format!(
        "Provider started. To attach Terraform or OpenTofu, set the TF_REATTACH_PROVIDERS \
         environment variable with the following:\n\n{commands}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reattach_variable_is_quoted_for_the_shell() {
        let socket = Address { network: "unix", address: "/tmp/plugin1/s".to_owned() };
        let text = instructions("example/thing", 123, &socket, Shells::Posix);
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

    #[test]
    fn reattach_commands_for_windows_shells() {
        let tcp = Address { network: "tcp", address: "127.0.0.1:10000".to_owned() };
        let text = instructions("example/it's", 123, &tcp, Shells::Windows);
        assert!(text.contains(r#"set "TF_REATTACH_PROVIDERS={"registry.terraform.io/example/it's":{"#), "{text}");
        assert!(text.contains(r#"$env:TF_REATTACH_PROVIDERS='{"registry.terraform.io/example/it''s":{"#), "{text}");
        assert!(text.contains(r#""Addr":{"Network":"tcp","String":"127.0.0.1:10000"}"#), "{text}");
    }
}
