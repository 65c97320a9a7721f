//! Resolves plain scalars as Go's `yaml.v2`, with which Helm reads values.

use serde_json::{Number, Value};

/// The value of a plain scalar, which has no quotes.
pub(super) fn resolve(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Value::Bool(true),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::from(text)),
    }
}

fn number(text: &str) -> Option<Value> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    integer(&plain).map(Value::from).or_else(|| float(&plain))
}

/// Parses an integer with the base of its prefix, as `strconv.ParseInt` does.
fn integer(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let based = |digits: &str, base| {
        // `from_str_radix` would accept a second sign.
        digits
            .starts_with(|c: char| c.is_ascii_alphanumeric())
            .then(|| i64::from_str_radix(digits, base).ok())
            .flatten()
    };
    let prefix: String = digits.chars().take(2).collect::<String>().to_ascii_lowercase();
    let value = match prefix.as_str() {
        "0x" => based(digits.get(2..)?, 16),
        "0o" => based(digits.get(2..)?, 8),
        "0b" => based(digits.get(2..)?, 2),
        _ if digits.len() > 1 && digits.starts_with('0') => based(digits, 8),
        _ => based(digits, 10),
    }?;
    Some(if is_negative { -value } else { value })
}

fn float(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_like_one = unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
        && unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && unsigned.contains(|c: char| c.is_ascii_digit());
    let float: f64 = is_like_one.then(|| text.parse().ok()).flatten()?;
    // Go formats 8.0 as 8. Up to 2^53, a float represents every integer exactly.
    if float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 {
        return Some(Value::from(float as i64));
    }
    Number::from_f64(float).map(Value::Number)
}

/// The text of a key. Keys are strings, even if they look like numbers or booleans.
pub(super) fn key_text(key: &Value) -> String {
    match key {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
