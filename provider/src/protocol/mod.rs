//! Terraform's plugin protocol, version 6, spoken for a [`Provider`](crate::framework::Provider).
//!
//! One file per call; each reads the message, asks the framework, and writes the answer. Only this room names the
//! generated types.

mod convert;
