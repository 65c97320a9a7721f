//! Kubernetes quantities: parsing, comparing and adding.

/// A quantity in thousandths, so that `100m` is an integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Quantity {
    thousandths: i128,
}

const BINARY: [(&str, i128); 6] =
    [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40), ("Pi", 1 << 50), ("Ei", 1 << 60)];
const DECIMAL: [(&str, i128); 6] = [
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
];

impl Quantity {
    /// Parses a JSON string, or a number, which the API server stores as a string.
    pub fn of(value: &serde_json::Value) -> Option<Self> {
        match value {
            serde_json::Value::String(text) => Self::parse(text),
            serde_json::Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    /// Parses `2`, `0.5`, `500m`, `16Gi` or `1.5G`. Returns `None` for anything else, including exponents and negative
    /// numbers.
    pub fn parse(text: &str) -> Option<Self> {
        let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, suffix) = text.split_at(digits_end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return None;
        }
        let unit = match suffix {
            "" => 1_000,
            "m" => 1,
            _ => BINARY.iter().chain(&DECIMAL).find(|(name, _)| *name == suffix)?.1 * 1_000,
        };
        // 128 bits, because `8Ei` in thousandths exceeds 64 bits.
        let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
        let scale = 10_i128.checked_pow(fraction.len().try_into().ok()?)?;
        let scaled = digits.checked_mul(unit)?;
        // Kubernetes rounds fractions of a thousandth up.
        Some(Self { thousandths: scaled.div_euclid(scale) + i128::from(scaled.rem_euclid(scale) != 0) })
    }

    pub fn plus(self, other: Self) -> Self {
        Self { thousandths: self.thousandths.saturating_add(other.thousandths) }
    }

    pub fn times(self, count: usize) -> Self {
        Self { thousandths: self.thousandths.saturating_mul(count as i128) }
    }

    pub fn is_zero(self) -> bool {
        self.thousandths == 0
    }

    /// CPU cores, or thousandths of a core: `2`, `2500m`.
    pub fn as_cpu(self) -> String {
        match self.thousandths % 1_000 {
            0 => (self.thousandths / 1_000).to_string(),
            _ => format!("{}m", self.thousandths),
        }
    }

    /// Bytes in the largest binary unit in which they are an integer: `16Gi`, `1500`.
    pub fn as_bytes(self) -> String {
        let bytes = self.thousandths.div_euclid(1_000) + i128::from(self.thousandths.rem_euclid(1_000) != 0);
        let unit = BINARY.iter().rev().find(|(_, size)| bytes != 0 && bytes % size == 0);
        match unit {
            Some((name, size)) => format!("{}{name}", bytes / size),
            None => bytes.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_valid_quantities() {
        let cpu = |value: serde_json::Value| Quantity::of(&value).map(Quantity::as_cpu);
        assert_eq!(cpu(serde_json::json!(1)).as_deref(), Some("1"));
        assert_eq!(cpu(serde_json::json!(0.1)).as_deref(), Some("100m"));
        assert_eq!(cpu(serde_json::json!("100m")), cpu(serde_json::json!(0.1)));
        assert_eq!(cpu(serde_json::json!(true)), None);
    }

    #[test]
    fn quantities_are_parsed_and_formatted() {
        let cpu = |text: &str| Quantity::parse(text).map(Quantity::as_cpu);
        assert_eq!(cpu("2").as_deref(), Some("2"));
        assert_eq!(cpu("0.5").as_deref(), Some("500m"));
        assert_eq!(cpu("1500m").as_deref(), Some("1500m"));
        assert_eq!(cpu("2000m").as_deref(), Some("2"));
        assert_eq!(cpu("0.0001").as_deref(), Some("1m"));
        let bytes = |text: &str| Quantity::parse(text).map(Quantity::as_bytes);
        assert_eq!(bytes("16Gi").as_deref(), Some("16Gi"));
        assert_eq!(bytes("1024Mi").as_deref(), Some("1Gi"));
        assert_eq!(bytes("1.5Gi").as_deref(), Some("1536Mi"));
        assert_eq!(bytes("1G").as_deref(), Some("1000000000"));
        for text in ["", ".", "1K", "1.2.3", "Gi", "1x", "-1", "1e3", "one"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }
}
