//! Sets: distinct elements without order.

use super::{Known, Value};

/// The elements of a set attribute. As in Terraform, elements that are not wholly known differ from each other, so that
/// all of them are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T>(Vec<Value<T>>);

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Set<T> {
    /// The elements in sorted order, unknown ones last.
    pub fn iter(&self) -> impl Iterator<Item = &Value<T>> {
        self.0.iter()
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an element is unknown as a whole.
    #[must_use]
    pub fn has_unknown(&self) -> bool {
        self.0.iter().any(Value::is_unknown)
    }
}

impl<T: Known + Ord> FromIterator<Value<T>> for Set<T> {
    fn from_iter<I: IntoIterator<Item = Value<T>>>(elements: I) -> Self {
        let mut elements: Vec<_> = elements.into_iter().collect();
        elements.sort();
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
        Self(elements)
    }
}

impl<T: Known + Ord> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().map(Value::Known).collect()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = Value<T>;
    type IntoIter = std::vec::IntoIter<Value<T>>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_duplicates_are_ignored() {
        let one: Set<String> = ["b", "a", "b"].into_iter().map(str::to_owned).collect();
        let other: Set<String> = ["a", "b"].into_iter().map(str::to_owned).collect();
        assert_eq!(one, other);
        assert_eq!(one.len(), 2);
    }

    #[test]
    fn unknown_elements_are_not_merged() {
        let set: Set<String> = [Value::Unknown, Value::Unknown].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert!(set.has_unknown());
        let list = |element: Value<String>| Value::Known(vec![element]);
        let set: Set<Vec<Value<String>>> =
            [list(Value::Unknown), list("a".into()), list(Value::Unknown), list("a".into())].into_iter().collect();
        assert_eq!(set.len(), 3);
    }
}
