//! Which resource of which state an object belongs to.
//!
//! Names do not tell: with `create_before_destroy`, after a rename without `moved`, and with two resources of one name, the
//! objects that a create finds belong to another resource, whose delete or update would act on the same objects. So each
//! resource has an id of its own, kept in private state and on its objects. The id stands in their metadata, where no pod
//! is started anew for it, and in no plan.
//!
//! A create that was killed left objects without a state. It is told by a mark on the object that makes the pods, which is
//! removed when a create ends: what has the mark may be taken over by another create.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::requests::is_ours;
use crate::names;

/// On each object: the id of its resource.
const OWNER: &str = "gitlabspot.io/owner";

/// Annotation of the Deployment or CronJob while its create has not ended.
const UNFINISHED: &str = "gitlabspot.io/unfinished";

/// Paths of both annotations, as field conflicts name them. Plans do not show them.
pub(crate) const HIDDEN: [&str; 2] =
    [".metadata.annotations.gitlabspot.io/owner", ".metadata.annotations.gitlabspot.io/unfinished"];

/// The id of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner(String);

impl Owner {
    /// One that no other resource has.
    pub(crate) fn new() -> Self {
        Self(names::generated("", 24))
    }

    /// That of the state; else that of the object which makes its pods, for instance after an import.
    pub(crate) fn of_or_found(kept: Option<&Self>, main: Option<&Json>) -> Option<Self> {
        kept.cloned().or_else(|| main.filter(|main| is_ours(main)).and_then(Self::on))
    }

    /// That which an object has.
    pub(crate) fn on(object: &Json) -> Option<Self> {
        object.pointer("/metadata/annotations")?.get(OWNER)?.as_str().map(|id| Self(id.to_owned()))
    }

    /// The object with the id on it.
    pub(crate) fn stamp(&self, object: &Json) -> Json {
        let mut object = object.clone();
        object["metadata"]["annotations"][OWNER] = json!(self.0);
        object
    }

    /// The same, of a create that has not ended.
    pub(crate) fn stamp_unfinished(&self, object: &Json) -> Json {
        let mut object = self.stamp(object);
        object["metadata"]["annotations"][UNFINISHED] = json!("true");
        object
    }
}

/// How long a create waits for the destroy of what is in its place to begin. After a rename without `moved` hosts start both
/// at the same time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Whether an object has the id of another resource than that of this state. One without an id was made before there were
/// ids, or somebody has removed it.
pub(crate) fn is_of_other(object: &Json, own: Option<&Owner>) -> bool {
    Owner::on(object).is_some_and(|found| Some(&found) != own)
}

/// Whether the create that made an object has not ended.
pub(crate) fn is_unfinished(object: &Json) -> bool {
    object.pointer("/metadata/annotations").is_some_and(|all| all[UNFINISHED] == "true")
}

/// What to do about objects of another resource. `id` imports them.
pub(crate) fn advice(id: &str) -> String {
    format!(
        "If the resource was renamed, write a `moved` block. If it has create_before_destroy, remove that: two objects \
         cannot have the same name. If no state contains it, import it as \"{id}\". Otherwise choose another name."
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
