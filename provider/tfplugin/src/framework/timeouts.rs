//! The attribute `timeouts = { create = "30m" }`, with durations in Go's notation.

use std::time::Duration;

use super::attribute_path::AttributePath;
use super::diagnostics::Diagnostics;
use super::value::Value;

/// The nested attribute `timeouts` of a resource.
#[derive(Clone, Default, PartialEq, crate::framework::Object)]
pub struct Timeouts {
    /// Timeout of a create, for example `"30m"`.
    #[attr(optional)]
    pub create: Value<String>,
    /// Timeout of an update, for example `"30m"`.
    #[attr(optional)]
    pub update: Value<String>,
    /// Timeout of a destroy, for example `"30m"`.
    #[attr(optional)]
    pub delete: Value<String>,
}

impl Timeouts {
    /// Checks the durations of the attribute `timeouts`.
    pub fn validate(timeouts: &Value<Self>, diagnostics: &mut Diagnostics) {
        let Value::Known(timeouts) = timeouts else { return };
        let path = AttributePath::of("timeouts");
        for (name, value) in [("create", &timeouts.create), ("update", &timeouts.update), ("delete", &timeouts.delete)]
        {
            if let Some(text) = value.as_str()
                // Zero would end every wait after the first request.
                && parse(text).is_none_or(|duration| duration.is_zero())
            {
                diagnostics.error(
                    path.attribute(name),
                    "Invalid timeout",
                    format!(
                        "{text:?} is not a duration. Write a number with a unit, for example \"30m\" or \"1h30m\"."
                    ),
                );
            }
        }
    }

    /// The timeout of a create, or `default` if it is not set.
    pub fn create(timeouts: &Value<Self>, default: Duration) -> Duration {
        Self::pick(timeouts, default, |timeouts| &timeouts.create)
    }

    /// The timeout of an update, or `default` if it is not set.
    pub fn update(timeouts: &Value<Self>, default: Duration) -> Duration {
        Self::pick(timeouts, default, |timeouts| &timeouts.update)
    }

    /// The timeout of a destroy, or `default` if it is not set.
    pub fn delete(timeouts: &Value<Self>, default: Duration) -> Duration {
        Self::pick(timeouts, default, |timeouts| &timeouts.delete)
    }

    fn pick(timeouts: &Value<Self>, default: Duration, which: fn(&Self) -> &Value<String>) -> Duration {
        timeouts.known().and_then(|timeouts| which(timeouts).as_str()).and_then(parse).unwrap_or(default)
    }
}

/// Parses a duration in Go's notation: numbers, each with a unit of `h`, `m`, `s`, `ms`. `None` if it is invalid.
#[must_use]
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        seconds += number
            * match rest.get(..letters)? {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = rest.get(letters..)?;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// Formats a duration in Go's notation, to the second: `1h30m`, and `1m30s` for 90 seconds.
#[must_use]
pub fn format(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds == 0 {
        return format!("{}ms", duration.as_millis());
    }
    [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_parsed_as_in_go() {
        assert_eq!(parse("1h30m"), Some(Duration::from_secs(5400)));
        assert_eq!(parse("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(parse("100ms"), Some(Duration::from_millis(100)));
        for wrong in ["", "5", "m", "5 m", "-1m", "1x", "1..2s"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(format(Duration::from_secs(5400)), "1h30m");
        assert_eq!(format(Duration::from_millis(20)), "20ms");
    }

    #[test]
    fn invalid_duration_is_named() {
        let mut diagnostics = Diagnostics::new();
        let timeouts = Timeouts { create: "soon".into(), ..Timeouts::default() };
        Timeouts::validate(&Value::Known(timeouts), &mut diagnostics);
        assert_eq!(diagnostics.iter().map(|d| d.path.to_string()).collect::<Vec<_>>(), ["timeouts.create"]);
    }
}
