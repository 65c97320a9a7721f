//! The Kubernetes objects: the Secret, and the namespace where it is made here.

pub(crate) mod namespace;
pub(crate) mod secret;
