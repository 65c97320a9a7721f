//! Validates sizes, and the settings of updates, versions and the autoscaler.

use tfplugin::framework::value::known_map;
use tfplugin::framework::{AttributePath, Diagnostics, Value, timeouts};

use super::super::release;
use super::super::schema::NodeGroup;
use super::given;

pub(super) fn check(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let wrong = "Invalid size";
    let min = config.min_size.known().copied();
    if let Some(min) = min.filter(|min| *min < 0) {
        diagnostics.error("min_size", wrong, format!("{min} is not a valid number of nodes. It must be at least 0."));
    }
    if let Some(max) = config.max_size.known() {
        if *max < 1 {
            diagnostics.error("max_size", wrong, format!("{max} is less than 1, the minimum that EKS accepts."));
        }
        if let Some(min) = min.filter(|min| min > max) {
            diagnostics.error(
                "min_size",
                wrong,
                format!(
                    "min_size is {min}, but must not be more than max_size, \
                {max}."
                ),
            );
        }
        if let Some(desired) = config.desired_size.known().filter(|desired| *desired > max) {
            let text = format!("desired_size is {desired}, but must not be more than max_size, {max}.");
            diagnostics.error("desired_size", wrong, text);
        }
    }
    if let Some(desired) = config.desired_size.known().filter(|desired| **desired < 0) {
        diagnostics.error(
            "desired_size",
            wrong,
            format!(
                "{desired} is not a valid number of nodes. It must be at \
            least 0."
            ),
        );
    }
    if let Some(size) = config.disk_size.known().filter(|size| **size < 1) {
        diagnostics.error("disk_size", wrong, format!("{size} GiB is not a valid size. It must be at least 1."));
    }
    update_config(config, diagnostics);
    versions(config, diagnostics);
    autoscaler(config, diagnostics);
}

fn update_config(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(update) = &config.update_config else { return };
    let path = AttributePath::of("update_config");
    let number = given(&update.max_unavailable);
    if number.is_some() && number == given(&update.max_unavailable_percentage) {
        let text = "Only one of max_unavailable and max_unavailable_percentage can be set.";
        diagnostics.error(path.clone(), "Conflicting arguments", text);
    }
    for (name, number) in [
        ("max_unavailable", &update.max_unavailable),
        ("max_unavailable_percentage", &update.max_unavailable_percentage),
    ] {
        if let Some(number) = number.known().filter(|number| !(1..=100).contains(*number)) {
            diagnostics.error(path.attribute(name), "Invalid size", format!("{number} is not between 1 and 100."));
        }
    }
    if let Some(strategy) = update.update_strategy.as_str()
        && !["DEFAULT", "MINIMAL"].contains(&strategy)
    {
        let text = format!("{strategy:?} is not supported. Use \"DEFAULT\" or \"MINIMAL\".");
        diagnostics.error(path.attribute("update_strategy"), "Invalid update strategy", text);
    }
}

fn versions(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    if let Some(problem) = release::contradiction(config) {
        diagnostics.error("release_version", "Conflicting arguments", problem);
    }
    let Some(version) = config.version.as_str() else { return };
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !version.split_once('.').is_some_and(|(major, minor)| number(major) && number(minor)) {
        let text = format!("{version:?} is not a Kubernetes version, for example \"1.34\".");
        diagnostics.error("version", "Invalid version", text);
    }
}

fn autoscaler(config: &NodeGroup, diagnostics: &mut Diagnostics) {
    let Value::Known(autoscaler) = &config.autoscaler else { return };
    let path = AttributePath::of("autoscaler");
    let further = autoscaler.resources.known().is_some() || autoscaler.options.known().is_some();
    if autoscaler.tags == Value::Known(false) && further {
        let text = "The cluster autoscaler reads resources and options from tags. Remove tags = false, or remove \
                    resources and options.";
        diagnostics.error(path.attribute("tags"), "Conflicting arguments", text);
    }
    for (name, quantity) in known_map(&autoscaler.resources).unwrap_or_default() {
        if !is_quantity(&quantity) {
            let text = format!("{quantity:?} is not a quantity, for example \"4\", \"500m\" or \"100G\".");
            diagnostics.error(path.attribute("resources").key(name), "Invalid quantity", text);
        }
    }
    let Value::Known(options) = &autoscaler.options else { return };
    let path = path.attribute("options");
    for (name, threshold) in [
        ("scale_down_utilization_threshold", &options.scale_down_utilization_threshold),
        ("scale_down_gpu_utilization_threshold", &options.scale_down_gpu_utilization_threshold),
    ] {
        if let Some(threshold) = threshold.known().filter(|threshold| !(0.0..=1.0).contains(&threshold.as_f64())) {
            diagnostics.error(
                path.attribute(name),
                "Invalid threshold",
                format!("{threshold} is not between 0 and 1."),
            );
        }
    }
    for (name, time) in [
        ("scale_down_unneeded_time", &options.scale_down_unneeded_time),
        ("scale_down_unready_time", &options.scale_down_unready_time),
    ] {
        if let Some(time) = time.as_str().filter(|time| timeouts::parse(time).is_none()) {
            let text = format!("{time:?} is not a duration. Write a number with a unit, for example \"10m\".");
            diagnostics.error(path.attribute(name), "Invalid duration", text);
        }
    }
}

/// Whether a text is a Kubernetes quantity.
fn is_quantity(text: &str) -> bool {
    const UNITS: [&str; 15] = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    number.parse::<f64>().is_ok() && (UNITS.contains(&unit) || unit == "Ei")
}

#[cfg(test)]
mod tests {
    use super::super::super::schema::{Autoscaler, AutoscalerOptions, UpdateConfig};
    use super::super::tests::{minimal, one, problems};
    use super::*;

    #[test]
    fn sizes_fit_one_another() {
        let config = NodeGroup { min_size: 3.into(), max_size: 2.into(), desired_size: 4.into(), ..minimal() };
        assert_eq!(problems(&config), [one("min_size", "Invalid size"), one("desired_size", "Invalid size")].concat());
        let config = NodeGroup { min_size: 1.into(), desired_size: 0.into(), ..minimal() };
        assert_eq!(problems(&config), []);
    }

    #[test]
    fn options_use_the_keys_of_the_autoscaler() {
        let options = AutoscalerOptions {
            scale_down_utilization_threshold: 50.0.into(),
            scale_down_unneeded_time: "soon".into(),
            ..AutoscalerOptions::default()
        };
        let resources = [("ephemeral-storage".to_owned(), "100 GB".into())].into_iter().collect();
        let autoscaler =
            Autoscaler { options: Value::Known(options), resources: Value::Known(resources), ..Autoscaler::default() };
        assert_eq!(
            problems(&NodeGroup { autoscaler: Value::Known(autoscaler), ..minimal() }),
            [
                one("autoscaler.resources[\"ephemeral-storage\"]", "Invalid quantity"),
                one("autoscaler.options.scale_down_utilization_threshold", "Invalid threshold"),
                one("autoscaler.options.scale_down_unneeded_time", "Invalid duration"),
            ]
            .concat()
        );
        assert!(["4", "500m", "100G", "1.5Gi"].iter().all(|text| is_quantity(text)));
    }

    #[test]
    fn an_update_has_one_measure() {
        let update = UpdateConfig { update_strategy: "FAST".into(), ..UpdateConfig::default() };
        assert_eq!(
            problems(&NodeGroup { update_config: Value::Known(update), ..minimal() }),
            [
                one("update_config", "Conflicting arguments"),
                one("update_config.update_strategy", "Invalid update strategy")
            ]
            .concat()
        );
    }
}
