//! Reading of a configuration, with as many errors at once as possible.

use super::attribute_path::AttributePath;
use super::diagnostics::Diagnostics;
use super::null_elements;
use super::schema::{Object, object_type};
use super::value::Raw;

/// Reads a configuration. An invalid value is replaced by an unknown one, so that the other values are still validated.
/// `None` if nothing remains to validate.
pub(crate) fn read<T: Object>(mut config: Raw, diagnostics: &mut Diagnostics) -> Option<T> {
    null_elements::refuse(&object_type(&T::attributes()), &config, &AttributePath::root(), diagnostics);
    loop {
        let mismatch = match T::from_raw(config.clone()) {
            Ok(read) => return read,
            Err(mismatch) => mismatch,
        };
        let can_go_on = mismatch.is_of_user && config.put(&mismatch.path, Raw::unknown());
        diagnostics.push(mismatch.into());
        if !can_go_on {
            return None;
        }
    }
}
