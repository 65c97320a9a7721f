//! Go's duration syntax.

// Go accepts the micro sign (U+00B5) and the Greek letter mu (U+03BC).
const UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];

/// Whether Go's `time.ParseDuration` accepts the string: `300ms`, `1.5h`, `1h30m`, `0`.
pub(super) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    // Only zero needs no unit.
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let digits = number.chars().filter(char::is_ascii_digit).count();
        if digits == 0 || number.len() - digits > 1 {
            return false;
        }
        let unit_end = tail.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        if !UNITS.contains(&unit) {
            return false;
        }
        rest = tail;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_parse_as_in_go() {
        for text in ["0", "5m", "1h30m", "1.5h", ".5s", "-2s", "300ms", "1h2m3s4ms5us6ns"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["", "5", "m", "5 m", "1d", "1h30", "1..5h", "1h30min", "-", "."] {
            assert!(!is_duration(text), "{text}");
        }
    }
}
