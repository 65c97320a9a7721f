//! Numbers as Terraform has them: decimal, of any size.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A number. Terraform calculates with 512 bits, so neither `i64` nor `f64` holds every value: `0.1` is not the `f64`
/// 0.1. What does not fit is kept as the decimal text that came in, and goes out as it came.
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
    /// Reads decimal digits; `None` if they are not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(integer) = text.parse::<i64>() {
            return Some(Self::Integer(integer));
        }
        text.parse::<f64>().ok().filter(|float| float.is_finite()).map(|_| Self::Decimal(text.to_owned()))
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(*integer),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a fraction or an overflow is noticed by the comparison"
            )]
            Self::Float(_) | Self::Decimal(_) => {
                let float = self.as_f64();
                let integer = float as i64;
                #[expect(clippy::cast_precision_loss, reason = "see above")]
                (float == integer as f64 && float.abs() < 9e15).then_some(integer)
            }
        }
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
}

impl From<i64> for Number {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

/// The shortest decimal digits that mean this `f64`: what the user who wrote it wrote.
impl From<f64> for Number {
    fn from(float: f64) -> Self {
        Self::parse(&float.to_string()).unwrap_or(Self::Float(float))
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
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Decimal(a), Self::Decimal(b)) if a == b => true,
            _ => self.as_f64().total_cmp(&other.as_f64()) == Ordering::Equal,
        }
    }
}

impl Eq for Number {}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
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
        self.as_f64().to_bits().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_stays_a_tenth() {
        let tenth = Number::parse("0.1");
        assert_eq!(tenth.as_ref().map(ToString::to_string), Some("0.1".to_owned()));
        assert_eq!(tenth, Some(Number::from(0.1)));
        assert_eq!(Number::from(0.1).to_string(), "0.1");
        assert_eq!(Number::parse("x"), None);
    }

    #[test]
    fn whole_numbers_are_recognised_however_they_came() {
        assert_eq!(Number::Float(3.0).as_i64(), Some(3));
        assert_eq!(Number::parse("3.5").and_then(|number| number.as_i64()), None);
        assert_eq!(Number::Float(3.0), Number::Integer(3));
    }
}
