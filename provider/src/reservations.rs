//! Reserves names of objects, so that operations of one run on the same objects do not overlap.
//!
//! Hosts run operations of resources that do not depend on each other at the same time, even if two create the same
//! objects, or if one deletes the objects that the other one creates. The annotation with the owner is not sufficient,
//! because it requires an object that exists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use gitlabspot_clients::kubernetes::ObjectRef;
use tfplugin::framework::wait::{Look, Wait, WaitError};

/// Purpose of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Create,
    Delete,
}

/// The names that operations of this process have reserved.
#[derive(Clone, Debug, Default)]
pub struct Reservations(Arc<Mutex<BTreeMap<String, Purpose>>>);

/// The names that one operation has reserved, until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    reservations: Reservations,
    names: Vec<String>,
}

/// Another operation of this run creates an object of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is being created by another resource in this run")]
pub(crate) struct Reserved(String);

/// The names to reserve: those of the objects and that of their resource, with the cluster.
pub(crate) fn names(cluster: Option<&str>, resource: &str, places: &[ObjectRef]) -> Vec<String> {
    let all = std::iter::once(resource.to_owned()).chain(places.iter().map(ToString::to_string));
    match cluster {
        Some(cluster) => all.map(|name| format!("{name} in {cluster}")).collect(),
        None => all.collect(),
    }
}

impl Reservations {
    /// Reserves names for a create. Waits for deletes of these names to complete.
    ///
    /// # Errors
    /// Another operation creates an object with one of the names, or a delete did not complete in time.
    pub(crate) async fn for_create(&self, names: Vec<String>, wait: Wait) -> Result<Reservation, WaitError<Reserved>> {
        wait.until(|| async {
            match self.reserve(&names, Purpose::Create) {
                Ok(reservation) => Ok(Look::Done(reservation)),
                // Waiting would not help: the object would exist afterwards, and belong to the other resource.
                Err((name, Purpose::Create)) => Err(Reserved(name)),
                Err((name, Purpose::Delete)) => {
                    Ok(Look::Pending(format!("{name} is being deleted by another resource")))
                }
            }
        })
        .await
    }

    /// Reserves names for a delete. Waits for all other operations on these names to complete.
    pub(crate) async fn for_delete(&self, names: Vec<String>, wait: Wait) -> Result<Reservation, WaitError<Reserved>> {
        wait.until(|| async {
            Ok(match self.reserve(&names, Purpose::Delete) {
                Ok(reservation) => Look::Done(reservation),
                Err((name, _)) => Look::Pending(format!("{name} is in use by another resource")),
            })
        })
        .await
    }

    fn reserve(&self, names: &[String], purpose: Purpose) -> Result<Reservation, (String, Purpose)> {
        let mut reserved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // All names or none are reserved under one lock. Two operations that each held a part would wait for each
        // other.
        if let Some((name, by)) = names.iter().find_map(|name| Some((name.clone(), *reserved.get(name)?))) {
            return Err((name, by));
        }
        reserved.extend(names.iter().map(|name| (name.clone(), purpose)));
        Ok(Reservation { reservations: self.clone(), names: names.to_vec() })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut reserved = self.reservations.0.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            reserved.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_reserved_once() {
        let reservations = Reservations::default();
        let names = ["a".to_owned(), "b".to_owned()];
        let reservation = reservations.reserve(&names, Purpose::Create).unwrap();
        assert_eq!(reservations.reserve(&names[1..], Purpose::Delete).unwrap_err(), ("b".to_owned(), Purpose::Create));
        drop(reservation);
        let _reservation = reservations.reserve(&names[1..], Purpose::Delete).unwrap();
        assert_eq!(reservations.reserve(&names, Purpose::Create).unwrap_err(), ("b".to_owned(), Purpose::Delete));
        assert!(reservations.reserve(&names[..1], Purpose::Create).is_ok());
    }
}
