//! What the next apply does after one that failed. A create that failed leaves the resource tainted, and engines replace
//! what is tainted: only an update is gone on with.

/// After a create that left something behind.
pub(crate) const REPLACES: &str =
    "A failed create leaves the resource tainted, so that the next apply deletes and recreates it.";

/// As sentences, for a resource that an update completes.
pub(crate) fn next_apply(is_new: bool) -> String {
    if is_new {
        format!("{REPLACES} To keep it, run \"tofu untaint ADDRESS\" first: the apply then creates what is missing.")
    } else {
        "Apply again when the cause is resolved.".to_owned()
    }
}
