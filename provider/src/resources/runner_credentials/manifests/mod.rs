//! The manifest of the Kubernetes Secret.

pub(crate) mod secret;
