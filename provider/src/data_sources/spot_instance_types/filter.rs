//! Filters and orders instance types. Each filter counts the types before it, for the error if none remains.

use std::collections::{BTreeMap, BTreeSet};

/// Filters of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) vcpus: Option<i64>,
    pub(super) memory_gib: (Option<f64>, Option<f64>),
    pub(super) exclude: Vec<String>,
    pub(super) require_all_zones: bool,
    pub(super) max_results: usize,
}

/// An instance type that EC2 describes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) vcpus: i64,
    pub(super) memory_gib: f64,
}

/// A type that matches all filters, with its zones and its price in US dollars per hour.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offer {
    pub(super) candidate: Candidate,
    pub(super) zones: BTreeSet<String>,
    pub(super) price: f64,
}

/// Zones that offer a type, by the name of the type.
pub(super) type Offerings = BTreeMap<String, BTreeSet<String>>;

/// The attribute whose filter excluded all remaining types, and the number of types before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Emptied {
    pub(super) attribute: &'static str,
    pub(super) before: usize,
}

/// Applies the filters that do not depend on prices, one after the other.
pub(super) fn matching(
    wanted: &Wanted,
    candidates: Vec<Candidate>,
    offerings: &Offerings,
    zones: usize,
) -> Result<Vec<Candidate>, Emptied> {
    let none = BTreeSet::new();
    let zones_of = |candidate: &Candidate| offerings.get(&candidate.name).unwrap_or(&none).len();
    let mut left = candidates;
    let mut keep = |attribute, test: &dyn Fn(&Candidate) -> bool| {
        let before = left.len();
        left.retain(|candidate| test(candidate));
        if left.is_empty() { Err(Emptied { attribute, before }) } else { Ok(()) }
    };
    // EC2 has applied this filter. It is repeated so that an empty answer of EC2 is reported for this attribute.
    keep("architecture", &|_| true)?;
    keep("availability_zones", &|candidate| zones_of(candidate) > 0)?;
    if wanted.require_all_zones {
        keep("require_all_zones", &|candidate| zones_of(candidate) >= zones)?;
    }
    if let Some(vcpus) = wanted.vcpus {
        keep("vcpus", &|candidate| candidate.vcpus == vcpus)?;
    }
    let (min, max) = wanted.memory_gib;
    keep("memory_gib", &|candidate| {
        min.is_none_or(|min| candidate.memory_gib >= min) && max.is_none_or(|max| candidate.memory_gib <= max)
    })?;
    keep("exclude", &|candidate| !wanted.exclude.iter().any(|pattern| fits(pattern, &candidate.name)))?;
    Ok(left)
}

/// Returns the cheapest types, cheapest first. Types without a current price are not sold on Spot here and are omitted.
pub(super) fn cheapest(
    wanted: &Wanted,
    candidates: Vec<Candidate>,
    offerings: &Offerings,
    prices: &BTreeMap<String, f64>,
) -> Vec<Offer> {
    let mut offers: Vec<Offer> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let price = *prices.get(&candidate.name)?;
            let zones = offerings.get(&candidate.name).cloned().unwrap_or_default();
            Some(Offer { candidate, zones, price })
        })
        .collect();
    // Equal prices are ordered by name, so that two plans have the same order.
    offers.sort_by(|a, b| a.price.total_cmp(&b.price).then_with(|| a.candidate.name.cmp(&b.candidate.name)));
    offers.truncate(wanted.max_results);
    offers
}

/// Whether a name matches a pattern, in which `*` matches any characters.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).filter_map(|start| rest.get(start..)).any(|rest| fits(after, rest))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, vcpus: i64, memory_gib: f64) -> Candidate {
        Candidate { name: name.to_owned(), vcpus, memory_gib }
    }

    fn candidates() -> Vec<Candidate> {
        vec![candidate("c5.2xlarge", 8, 16.0), candidate("t3.2xlarge", 8, 32.0), candidate("c5.large", 2, 4.0)]
    }

    fn offerings() -> Offerings {
        let zones = |zones: &[&str]| zones.iter().map(|zone| (*zone).to_owned()).collect::<BTreeSet<_>>();
        BTreeMap::from([
            ("c5.2xlarge".to_owned(), zones(&["a", "b"])),
            ("t3.2xlarge".to_owned(), zones(&["a"])),
            ("c5.large".to_owned(), zones(&["b"])),
        ])
    }

    fn wanted() -> Wanted {
        Wanted {
            vcpus: Some(8),
            memory_gib: (Some(8.0), Some(32.0)),
            exclude: vec![],
            require_all_zones: false,
            max_results: 20,
        }
    }

    fn names(found: Result<Vec<Candidate>, Emptied>) -> Result<Vec<String>, &'static str> {
        found
            .map(|found| found.into_iter().map(|candidate| candidate.name).collect())
            .map_err(|emptied| emptied.attribute)
    }

    #[test]
    fn each_filter_is_applied() {
        let run = |wanted: Wanted| names(matching(&wanted, candidates(), &offerings(), 2));
        assert_eq!(run(wanted()), Ok(vec!["c5.2xlarge".to_owned(), "t3.2xlarge".to_owned()]));
        assert_eq!(run(Wanted { require_all_zones: true, ..wanted() }), Ok(vec!["c5.2xlarge".to_owned()]));
        assert_eq!(run(Wanted { vcpus: Some(64), ..wanted() }), Err("vcpus"));
        assert_eq!(run(Wanted { memory_gib: (Some(100.0), None), ..wanted() }), Err("memory_gib"));
        assert_eq!(run(Wanted { exclude: vec!["*.2xlarge".to_owned()], ..wanted() }), Err("exclude"));
        assert_eq!(names(matching(&wanted(), candidates(), &Offerings::new(), 2)), Err("availability_zones"));
        assert_eq!(names(matching(&wanted(), vec![], &offerings(), 2)), Err("architecture"));
    }

    #[test]
    fn types_are_sorted_by_price_and_need_one() {
        let prices = BTreeMap::from([("t3.2xlarge".to_owned(), 0.1), ("c5.2xlarge".to_owned(), 0.2)]);
        let offers = cheapest(&wanted(), candidates(), &offerings(), &prices);
        assert_eq!(
            offers.iter().map(|offer| offer.candidate.name.as_str()).collect::<Vec<_>>(),
            ["t3.2xlarge", "c5.2xlarge"]
        );
        assert_eq!(cheapest(&Wanted { max_results: 1, ..wanted() }, candidates(), &offerings(), &prices).len(), 1);
    }

    #[test]
    fn name_patterns_match() {
        assert!(fits("t3.*", "t3.2xlarge") && fits("*.2xlarge", "t3.2xlarge") && fits("t*.2x*", "t3.2xlarge"));
        assert!(!fits("t3.*", "t3a.2xlarge") && !fits("t3", "t3.large"));
    }
}
