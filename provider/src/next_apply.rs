//! What the next apply does after one that failed. A create that failed leaves the resource tainted, and engines replace
//! what is tainted: only an update is gone on with.

/// After a create that left something behind.
pub(crate) const REPLACES: &str =
    "A create that failed leaves it tainted, so that the next apply deletes it and makes it anew.";

/// As sentences, for a resource that an update completes.
pub(crate) fn next_apply(is_new: bool) -> String {
    if is_new {
        format!("{REPLACES} To keep it, run \"tofu untaint ADDRESS\" before: then the apply makes what is missing.")
    } else {
        "Apply again when the cause is gone.".to_owned()
    }
}
