//! Sets: elements without order and without doubles.

use std::collections::BTreeSet;

use super::Value;

/// The elements of a set attribute. Unknown elements count as different from one another, as Terraform has it, so they
/// are kept beside the known ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T: Ord> {
    known: BTreeSet<Value<T>>,
    unknown: usize,
}

impl<T: Ord> Default for Set<T> {
    fn default() -> Self {
        Self { known: BTreeSet::new(), unknown: 0 }
    }
}

impl<T: Ord> Set<T> {
    /// The elements in a fixed order, unknown ones last.
    pub fn iter(&self) -> impl Iterator<Item = &Value<T>> {
        self.known.iter().chain(std::iter::repeat_n(&Value::Unknown, self.unknown))
    }

    /// How many elements there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len() + self.unknown
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether an element is not known yet.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.unknown > 0
    }
}

impl<T: Ord> FromIterator<Value<T>> for Set<T> {
    fn from_iter<I: IntoIterator<Item = Value<T>>>(elements: I) -> Self {
        let mut set = Self::default();
        for element in elements {
            if element.is_unknown() {
                set.unknown += 1;
            } else {
                set.known.insert(element);
            }
        }
        set
    }
}

impl<T: Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().map(Value::Known).collect()
    }
}

impl<T: Ord> IntoIterator for Set<T> {
    type Item = Value<T>;
    type IntoIter = std::vec::IntoIter<Value<T>>;
    fn into_iter(self) -> Self::IntoIter {
        let unknown = (0..self.unknown).map(|_| Value::Unknown);
        self.known.into_iter().chain(unknown).collect::<Vec<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_doubles_do_not_matter() {
        let one: Set<String> = ["b", "a", "b"].into_iter().map(str::to_owned).collect();
        let other: Set<String> = ["a", "b"].into_iter().map(str::to_owned).collect();
        assert_eq!(one, other);
        assert_eq!(one.len(), 2);
    }

    #[test]
    fn two_unknown_elements_are_two() {
        let set: Set<String> = [Value::Unknown, Value::Unknown].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert!(set.has_unknown());
    }
}
