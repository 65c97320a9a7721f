//! Operations of one run on objects of one name, one after the other.
//!
//! Hosts run operations of resources that do not depend on each other at the same time, also where two make the same
//! objects, or one deletes what the other makes. Ids on objects tell whose they are only when they are there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gitlabspot_clients::kubernetes::ObjectRef;
use tfplugin::framework::wait::{Look, Wait, WaitError};

/// What an operation does to the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    Making,
    Removing,
}

/// Names in use by operations of this process.
#[derive(Clone, Debug, Default)]
pub struct Turns(Arc<Mutex<BTreeMap<String, Doing>>>);

/// Names that one operation has for itself, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    names: Vec<String>,
}

/// What another operation of this run makes at this moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is being created by another resource in this run")]
pub(crate) struct Taken(String);

/// The names of objects in a cluster, and that of their resource.
pub(crate) fn names(cluster: Option<&str>, resource: &str, places: &[ObjectRef]) -> Vec<String> {
    let all = std::iter::once(resource.to_owned()).chain(places.iter().map(ToString::to_string));
    match cluster {
        Some(cluster) => all.map(|name| format!("{name} in {cluster}")).collect(),
        None => all.collect(),
    }
}

impl Turns {
    /// Takes the names. Waits for those that are being removed; what is being made by another resource stays its own.
    pub(crate) async fn make(&self, names: Vec<String>, wait: Wait) -> Result<Turn, WaitError<Taken>> {
        wait.until(|| async {
            match self.take(&names, Doing::Making) {
                Ok(turn) => Ok(Look::Done(turn)),
                Err((name, Doing::Making)) => Err(Taken(name)),
                Err((name, Doing::Removing)) => {
                    Ok(Look::Pending(format!("{name} is being deleted by another resource")))
                }
            }
        })
        .await
    }

    /// Takes the names for a removal, and waits for those in use.
    pub(crate) async fn remove(&self, names: Vec<String>, wait: Wait) -> Result<Turn, WaitError<Taken>> {
        wait.until(|| async {
            Ok(match self.take(&names, Doing::Removing) {
                Ok(turn) => Look::Done(turn),
                Err((name, _)) => Look::Pending(format!("{name} is in use by another resource")),
            })
        })
        .await
    }

    fn take(&self, names: &[String], doing: Doing) -> Result<Turn, (String, Doing)> {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, by)) = names.iter().find_map(|name| Some((name.clone(), *taken.get(name)?))) {
            return Err((name, by));
        }
        taken.extend(names.iter().map(|name| (name.clone(), doing)));
        Ok(Turn { turns: self.clone(), names: names.to_vec() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            taken.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_one_hand() {
        let turns = Turns::default();
        let names = ["a".to_owned(), "b".to_owned()];
        let turn = turns.take(&names, Doing::Making).unwrap();
        assert_eq!(turns.take(&names[1..], Doing::Removing).unwrap_err(), ("b".to_owned(), Doing::Making));
        drop(turn);
        let _turn = turns.take(&names[1..], Doing::Removing).unwrap();
        assert_eq!(turns.take(&names, Doing::Making).unwrap_err(), ("b".to_owned(), Doing::Removing));
        assert!(turns.take(&names[..1], Doing::Making).is_ok());
    }
}
