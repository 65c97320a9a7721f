//! Paths of values in a configuration or state: `taints[0].key`.

use std::fmt;

/// One step into an object, a map, or a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute of an object.
    Attribute(String),
    /// An element of a map.
    Key(String),
    /// An element of a list, counted from zero.
    Index(usize),
}

/// Steps from the root of a resource, data source or provider to one value. The empty path is the whole object.
///
/// Elements of sets have no path: a path into a set ends at the set.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributePath(Vec<Step>);

impl AttributePath {
    /// The path of the whole object.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of a top-level attribute.
    #[must_use]
    pub fn of(attribute: impl Into<String>) -> Self {
        Self::root().attribute(attribute)
    }

    /// This path, with the step to an attribute.
    #[must_use]
    pub fn attribute(&self, name: impl Into<String>) -> Self {
        self.with(Step::Attribute(name.into()))
    }

    /// This path, with the step to an element of a map.
    #[must_use]
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// This path, with the step to an element of a list.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// The steps, outermost first.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the whole object.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of `a.b.c`, all of them attributes.
    #[must_use]
    pub fn dotted(attributes: &str) -> Self {
        attributes.split('.').map(|name| Step::Attribute(name.to_owned())).collect()
    }

    /// This path, with a further step.
    #[must_use]
    pub fn with(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }
}

impl FromIterator<Step> for AttributePath {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl From<&str> for AttributePath {
    fn from(attribute: &str) -> Self {
        Self::of(attribute)
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(f, "{name}")?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Key(key) => write!(f, "[{key:?}]")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_displayed_as_hcl() {
        let path = AttributePath::of("taints").index(0).attribute("labels").key("a/b");
        assert_eq!(path.to_string(), r#"taints[0].labels["a/b"]"#);
        assert_eq!(AttributePath::root().to_string(), "");
    }
}
