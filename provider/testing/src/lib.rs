//! An AWS account and a Kubernetes API server in memory, for unit tests.
//!
//! Both behave as documented in the references of their APIs, as far as the provider uses them, record every call, and
//! can inject faults. The crate depends neither on the clients nor on the resources, so that the tests of both can use
//! it.

pub mod aws;
pub mod kubernetes;
