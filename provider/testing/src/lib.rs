//! An AWS account and a Kubernetes API server in memory, for unit tests.
//!
//! Both behave as their references document, as far as the provider uses them, log every call, and fail on demand. The
//! crate knows neither the clients nor the resources, so that tests of both use it.

pub mod aws;
pub mod kubernetes;
