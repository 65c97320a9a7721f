//! Acceptance tests with OpenTofu and Terraform on the local cloud: one binary, with a module for each subject.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod adopt;
mod autoscaler_tags;
mod cache_bucket;
mod complete;
mod docs;
mod examples;
mod generate_config;
mod harness;
mod install;
mod kubernetes_connection;
mod migrate;
mod modules;
mod node_group;
mod pipelines;
mod provider_aws;
mod real_node;
mod runner_config;
mod runner_credentials;
mod runner_release;
mod secrets;
mod spot_instance_types;
mod warm_capacity;
