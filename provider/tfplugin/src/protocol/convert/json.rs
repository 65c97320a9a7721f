//! JSON as the host writes it. Its numbers have as many digits as there are, and `serde_json` keeps what an `f64` holds:
//! a number with more digits is read as text, which is a number wherever the schema wants one.

use serde_json::Value as Json;

use crate::framework::Number;

/// Reads JSON without loss of digits.
///
/// # Errors
/// When it is not JSON.
pub(super) fn parse(json: &[u8]) -> Result<Json, serde_json::Error> {
    serde_json::from_slice(&quoted(json))
}

/// The same JSON with quotes around the numbers that would lose digits.
fn quoted(json: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some((first, after)) = rest.split_first() {
        let length = match first {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => rest.iter().take_while(|byte| is_of_number(**byte)).count(),
            _ => 1,
        };
        let (token, remaining) = rest.split_at_checked(length.max(1)).unwrap_or((rest, &[]));
        if *first != b'"' && loses_digits(token) {
            quoted.extend([b"\"", token, b"\""].concat());
        } else {
            quoted.extend(token);
        }
        rest = if token.is_empty() { after } else { remaining };
    }
    quoted
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// How long the string is with which this begins, its quotes included.
fn string_length(json: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

/// Whether this is a number that neither `i64` nor the shortest text of an `f64` stands for.
fn loses_digits(token: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(token).ok().filter(|text| text.ends_with(|c: char| c.is_ascii_digit())) else {
        return false;
    };
    let Ok(float) = text.parse::<f64>() else { return false };
    text.parse::<i64>().is_err() && Number::parse(text).is_none_or(|number| number != Number::from(float))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let read = |text: &str| parse(text.as_bytes()).unwrap();
        assert_eq!(
            read(
                r#"{"a\"1":[0.1, -2.5e3,7 , 0.66666666666666666666666667,1e999],"b":"0.66666666666666666666666667\\"}"#
            ),
            json!({"a\"1": [0.1, -2500.0, 7, "0.66666666666666666666666667", "1e999"], "b": "0.66666666666666666666666667\\"})
        );
        assert_eq!(read("18446744073709551616"), json!("18446744073709551616"));
        assert_eq!(read("9007199254740993"), json!(9_007_199_254_740_993_i64));
    }

    #[test]
    fn invalid_json_is_refused() {
        for text in ["", "{", "\"a", "1-", "--1", "\"\\", "1 2"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
