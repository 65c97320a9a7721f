//! The decimal digits of a number, so that numbers are compared exactly, and not as `f64`.

use std::cmp::Ordering;

/// Digits after the point with which the exponent notation is exact for every `f64`.
const DIGITS_OF_F64: usize = 766;

/// `0.DIGITS` times ten to the power of `exponent`. The form is unique: the first and the last digit are not zero, and
/// zero has no digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Digits {
    negative: bool,
    exponent: i64,
    digits: Vec<u8>,
}

impl Digits {
    /// Reads decimal text, with or without an exponent. Text that is no number is zero: callers check it beforehand.
    pub(super) fn read(text: &str) -> Self {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digit = |character: char| character.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
        let all: Vec<u8> = whole.chars().chain(fraction.chars()).filter_map(digit).collect();
        let zeros = all.iter().take_while(|digit| **digit == 0).count();
        let end = all.iter().rposition(|digit| *digit != 0).map_or(zeros, |last| last + 1);
        let digits = all.get(zeros..end).unwrap_or_default().to_vec();
        if digits.is_empty() {
            return Self { negative: false, exponent: 0, digits };
        }
        let power = power.parse().unwrap_or(if power.starts_with('-') { i64::MIN } else { i64::MAX });
        let exponent = power.saturating_add(count(whole.len())).saturating_sub(count(zeros));
        Self { negative, exponent, digits }
    }

    /// Returns all digits of a float, which are more than those of its shortest text.
    pub(super) fn of(float: f64) -> Self {
        if float.is_finite() {
            Self::read(&format!("{float:.DIGITS_OF_F64$e}"))
        } else {
            // Infinity is ordered after all numbers by the largest exponent.
            Self { negative: float.is_sign_negative(), exponent: i64::MAX, digits: vec![1] }
        }
    }

    /// Whether it is a whole number.
    pub(super) fn is_whole(&self) -> bool {
        count(self.digits.len()) <= self.exponent.max(0) && self.exponent < i64::MAX
    }

    /// The value as `i64`, if it is a whole number in that range.
    pub(super) fn as_i64(&self) -> Option<i64> {
        // `i64` has at most 19 digits.
        let places = usize::try_from(self.exponent).ok().filter(|places| *places <= 19)?;
        if self.digits.len() > places {
            return None;
        }
        let digits = self.digits.iter().copied().chain(std::iter::repeat(0)).take(places);
        let sign = if self.negative { -1 } else { 1 };
        let whole = digits.fold(0_i128, |sum, digit| sum * 10 + i128::from(digit));
        i64::try_from(sign * whole).ok()
    }

    /// Negative, zero or positive.
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Digits {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        self.sign().cmp(&other.sign()).then_with(|| if self.negative { size().reverse() } else { size() })
    }
}

impl PartialOrd for Digits {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
