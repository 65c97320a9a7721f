//! The wire contract and nothing else: messages, servers and clients as the `.proto` files beside
//! this crate describe them.
//!
//! The code under `generated/` is checked in, so that building needs neither `protoc` nor a build
//! script; `tests/generated_code_is_current.rs` proves that it belongs to the `.proto` files, and
//! rewrites it when run with `UPDATE_GENERATED=1`.

/// The service a Terraform or OpenTofu core talks to, from `tfplugin6.proto`.
#[expect(clippy::allow_attributes, reason = "tonic writes #[allow] into the code it generates")]
pub mod tfplugin6 {
    include!("generated/tfplugin6.rs");
}

/// What a go-plugin process serves beside its own service, from `go_plugin/*.proto`.
#[expect(clippy::allow_attributes, reason = "tonic writes #[allow] into the code it generates")]
pub mod go_plugin {
    include!("generated/plugin.rs");
}
