//! A configuration, read so that as much as possible is said of it at once.

use super::attribute_path::AttributePath;
use super::diagnostics::Diagnostics;
use super::null_elements;
use super::schema::{Object, object_type};
use super::value::Raw;

/// Reads what a user wrote. A value that is refused here counts as not known yet, so that the others are checked too;
/// `None` where there is nothing to check.
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
