//! Data sources of the provider.

pub mod spot_instance_types;
