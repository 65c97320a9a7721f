//! The Kubernetes objects: the Secret.

pub(crate) mod secret;
