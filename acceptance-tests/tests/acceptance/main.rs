//! Real tofu and terraform against the local cloud: one binary, a module per subject.

mod harness;
