//! Sizes, with eksctl's defaults.

use serde_json::{Map, Value as Json};

use super::EksctlError;
use super::document::{Document, get};

/// eksctl's number of nodes where the file has none.
const NODES: i64 = 2;

/// Sizes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) min: i64,
    pub(super) max: i64,
    pub(super) desired: Option<i64>,
    /// Whether a default of eksctl is among them.
    pub(super) has_default: bool,
}

pub(super) fn read(document: &Document, prefix: &str, group: &Map<String, Json>) -> Result<Sizes, EksctlError> {
    let size = |name: &str| {
        let path = format!("{prefix}.{name}");
        get(group, name).map(|value| document.integer(&path, value)).transpose()
    };
    let (min, max, desired) = (size("minSize")?, size("maxSize")?, size("desiredCapacity")?);
    let sizes = with_defaults(min, max, desired);
    if sizes.min > sizes.max || desired.is_some_and(|desired| desired < sizes.min || desired > sizes.max) {
        let desired = desired.map(|desired| format!(", desiredCapacity = {desired}")).unwrap_or_default();
        let why = format!(
            "minSize = {}{desired} and maxSize = {} are not in this order{}",
            sizes.min,
            sizes.max,
            if sizes.has_default { ", with eksctl's default for the one that is missing" } else { "" }
        );
        return Err(document.invalid(&format!("{prefix}.{}", first(group)), &why));
    }
    Ok(sizes)
}

fn first(group: &Map<String, Json>) -> &'static str {
    ["minSize", "maxSize", "desiredCapacity"].into_iter().find(|name| group.contains_key(*name)).unwrap_or("name")
}

fn with_defaults(min: Option<i64>, max: Option<i64>, desired: Option<i64>) -> Sizes {
    let least = min.or(desired).unwrap_or(NODES);
    Sizes {
        min: least,
        max: max.unwrap_or_else(|| desired.unwrap_or(least).max(1)),
        desired,
        has_default: min.is_none() || max.is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_defaults_equal_those_of_eksctl() {
        let of = |min, max, desired| {
            let sizes = with_defaults(min, max, desired);
            (sizes.min, sizes.max, sizes.has_default)
        };
        assert_eq!(of(Some(0), Some(5), Some(0)), (0, 5, false));
        assert_eq!(of(None, None, Some(3)), (3, 3, true));
        assert_eq!(of(None, None, None), (2, 2, true));
        assert_eq!(of(Some(0), None, None), (0, 1, true));
        assert_eq!(of(Some(1), None, Some(2)), (1, 2, true));
        assert_eq!(of(None, Some(9), Some(1)), (1, 9, true));
    }
}
