//! What is read and not managed.

pub mod spot_instance_types;
