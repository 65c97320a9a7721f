//! Owner of an object: the resource, of this or of another state, that manages it.
//!
//! Names do not identify the owner. With `create_before_destroy`, after a rename without `moved`, and with two
//! resources of the same name, the objects that a create finds belong to another resource, and the update or delete of
//! that resource would act on the same objects. For this reason each resource has an ID, which is in its private state
//! and in an annotation of its objects. The annotation is not in the pod template, so that it does not replace pods,
//! and plans do not show it.
//!
//! A create that was killed may leave objects that no state contains. They are identified by a mark on the workload,
//! which is removed when a create completes. Another create may take over objects with this mark.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::requests::is_ours;
use crate::names;

/// Annotation of each object: the ID of its resource.
const OWNER: &str = "gitlabspot.io/owner";

/// Annotation of the workload until its create has completed.
const UNFINISHED: &str = "gitlabspot.io/unfinished";

/// Paths of both annotations as in field conflicts. Plans do not show them.
pub(crate) const HIDDEN: [&str; 2] =
    [".metadata.annotations.gitlabspot.io/owner", ".metadata.annotations.gitlabspot.io/unfinished"];

/// The ID of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner(String);

impl Owner {
    /// Generates a unique ID.
    pub(crate) fn new() -> Self {
        Self(names::generated("", 24))
    }

    /// The ID in the private state, or otherwise that of the workload, for instance after an import.
    pub(crate) fn of_or_found(kept: Option<&Self>, main: Option<&Json>) -> Option<Self> {
        kept.cloned().or_else(|| main.filter(|main| is_ours(main)).and_then(Self::on))
    }

    /// The ID in the annotation of an object.
    pub(crate) fn on(object: &Json) -> Option<Self> {
        object.pointer("/metadata/annotations")?.get(OWNER)?.as_str().map(|id| Self(id.to_owned()))
    }

    /// Adds the ID to an object.
    pub(crate) fn stamp(&self, object: &Json) -> Json {
        let mut object = object.clone();
        object["metadata"]["annotations"][OWNER] = json!(self.0);
        object
    }

    /// Adds the ID and the mark of a create that has not completed.
    pub(crate) fn stamp_unfinished(&self, object: &Json) -> Json {
        let mut object = self.stamp(object);
        object["metadata"]["annotations"][UNFINISHED] = json!("true");
        object
    }
}

/// How long a create waits for the destroy of the existing objects to begin. After a rename without `moved`, hosts
/// start both at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Whether an object has the ID of another resource. An object without an ID does not: an older version of this
/// provider created it, or the annotation was removed.
pub(crate) fn is_of_other(object: &Json, own: Option<&Owner>) -> bool {
    Owner::on(object).is_some_and(|found| Some(&found) != own)
}

/// Whether an object has the mark of a create that has not completed.
pub(crate) fn is_unfinished(object: &Json) -> bool {
    object.pointer("/metadata/annotations").is_some_and(|all| all[UNFINISHED] == "true")
}

/// Advice about objects of another resource. `id` is their import ID.
pub(crate) fn advice(id: &str) -> String {
    format!(
        "If the resource was renamed, add a `moved` block. If it has create_before_destroy, remove that argument: two \
         objects cannot have the same name. If no state contains it, import it with the ID \"{id}\". Otherwise choose \
         another name."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_annotated_with_their_owner() {
        let (one, other) = (Owner::new(), Owner::new());
        assert_ne!(one, other);
        let object = json!({ "metadata": { "name": "a", "annotations": { "b": "c" } } });
        assert!(!is_of_other(&object, Some(&one)) && !is_of_other(&object, None));
        let stamped = one.stamp(&object);
        assert_eq!(stamped["metadata"]["annotations"]["b"], "c");
        assert!(
            !is_of_other(&stamped, Some(&one)) && is_of_other(&stamped, Some(&other)) && is_of_other(&stamped, None)
        );
        assert!(!is_unfinished(&stamped) && is_unfinished(&one.stamp_unfinished(&object)));
    }

    #[test]
    fn a_state_without_an_id_takes_that_of_its_object() {
        let main =
            Owner::new().stamp(&json!({ "metadata": { "labels": { "app.kubernetes.io/managed-by": "gitlabspot" } } }));
        assert_eq!(Owner::of_or_found(None, Some(&main)), Owner::on(&main));
        assert_eq!(Owner::of_or_found(None, None), None);
        let own = Owner::new();
        assert_eq!(Owner::of_or_found(Some(&own), Some(&main)), Some(own.clone()));
    }
}
