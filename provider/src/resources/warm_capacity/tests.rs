//! Scenarios: to come.
