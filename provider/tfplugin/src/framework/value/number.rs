//! Terraform's numbers: decimal, of any size.

mod digits;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde_json::Value as Json;

use self::digits::Digits;

/// A number. Terraform calculates with 512 bits, so that neither `i64` nor `f64` holds every value: `0.1` is not the
/// `f64` 0.1. Other numbers are stored as their decimal text, and sent back unchanged. Two numbers are equal if all
/// their digits are equal.
#[derive(Clone, Debug)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// A number that `f64` holds exactly.
    Float(f64),
    /// Any other number, in decimal digits.
    Decimal(String),
}

impl Number {
    /// Parses decimal digits; `None` if they are not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse::<i64>() {
            return Some(Self::Integer(integer));
        }
        // The text is stored and not the float, because core must receive `0.1` as "0.1".
        text.parse::<f64>().ok().filter(|float| float.is_finite()).map(|_| Self::Decimal(text.to_owned()))
    }

    /// The value as `i64`, if it is a whole number in that range.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            Self::Float(_) | Self::Decimal(_) => self.digits().as_i64(),
        }
    }

    /// Whether it is a whole number.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Integer(_)) || self.digits().is_whole()
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "the nearest one is asked for")]
            Self::Integer(integer) => *integer as f64,
            Self::Float(float) => *float,
            Self::Decimal(text) => text.parse().unwrap_or(f64::NAN),
        }
    }

    fn digits(&self) -> Digits {
        match self {
            Self::Integer(integer) => Digits::read(&integer.to_string()),
            Self::Float(float) => Digits::of(*float),
            Self::Decimal(text) => Digits::read(text),
        }
    }
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

/// The shortest decimal digits that represent this `f64`, which are those of its literal.
impl From<f64> for Number {
    fn from(float: f64) -> Self {
        Self::parse(&float.to_string()).unwrap_or(Self::Float(float))
    }
}

/// A JSON number if that has all digits, otherwise a string.
impl From<&Number> for Json {
    fn from(number: &Number) -> Self {
        match number.as_i64() {
            Some(integer) => Self::from(integer),
            None if Number::from(number.as_f64()) == *number => Self::from(number.as_f64()),
            None => Self::from(number.to_string()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Float(float) => write!(f, "{float}"),
            Self::Decimal(text) => f.write_str(text),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) if a == b => Ordering::Equal,
            _ => self.digits().cmp(&other.digits()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Number {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Equal numbers of different variants must have equal hashes.
        self.digits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_fractions_are_exact() {
        let tenth = Number::parse("0.1");
        assert_eq!(tenth.as_ref().map(ToString::to_string), Some("0.1".to_owned()));
        assert_eq!(tenth, Some(Number::from(0.1)));
        assert_eq!(Number::from(0.1).to_string(), "0.1");
        assert_eq!(Number::parse("x"), None);
    }

    #[test]
    fn whole_numbers_are_recognised_in_every_form() {
        assert_eq!(Number::Float(3.0).as_i64(), Some(3));
        assert_eq!(Number::parse("3.5").and_then(|number| number.as_i64()), None);
        assert_eq!(Number::Float(3.0), Number::Integer(3));
    }

    #[test]
    fn every_digit_is_compared() {
        let number = |text: &str| Number::parse(text).unwrap();
        let two_thirds = "0.66666666666666666666666666666666666667";
        assert_ne!(number(two_thirds), Number::from(2.0 / 3.0));
        assert_eq!(number(two_thirds).to_string(), two_thirds);
        assert_eq!(number("5.0"), 5.into());
        assert_eq!((number("5.0").as_i64(), number("5e3").as_i64()), (Some(5), Some(5000)));
        assert_eq!(number("2.00000000000000000000000000000001").as_i64(), None);
        assert_eq!(number("9223372036854775807.0").as_i64(), Some(i64::MAX));
        assert_eq!((number("9223372036854775808").as_i64(), number("9223372036854775808").is_whole()), (None, true));
        assert!(!number("2.5").is_whole() && !Number::Float(f64::INFINITY).is_whole());
        assert_ne!(Number::Float(0.1), number("0.1"));
    }

    #[test]
    fn numbers_are_ordered() {
        let number = |text: &str| Number::parse(text).unwrap();
        let ordered = [
            Number::Float(f64::NEG_INFINITY),
            number("-20.5"),
            number("-20"),
            number("-0.5"),
            number("0"),
            number("1e-40"),
            Number::Float(0.5),
            number("0.50000000000000000000000000000001"),
            number("19.5"),
            number("20"),
            number("1e300"),
            Number::Float(f64::INFINITY),
        ];
        assert!(ordered.is_sorted() && ordered.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(Number::Float(-0.0), number("0.000"));
    }
}
