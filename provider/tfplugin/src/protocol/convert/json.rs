//! A parser for the JSON of hosts. Its numbers can have any number of digits, of which `serde_json` keeps only those of
//! an `f64`. A number with more digits is parsed as a string, which is read as a number where the schema has one.

use serde_json::Value as Json;

use crate::framework::Number;

/// Parses JSON without loss of digits.
///
/// # Errors
/// If the text is not JSON.
pub(super) fn parse(json: &[u8]) -> Result<Json, serde_json::Error> {
    serde_json::from_slice(&quoted(json))
}

/// Returns the JSON with quotes around the numbers that would lose digits.
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

/// Returns the length of the string literal at the start, including its quotes.
fn string_length(json: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = json.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        ends
    });
    end.map_or(json.len(), |end| end + 2)
}

/// Whether the token is a number that neither an `i64` nor the shortest text of an `f64` represents.
fn loses_digits(token: &[u8]) -> bool {
    // An incomplete number such as `1-` is not quoted, so that the parser refuses it.
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
