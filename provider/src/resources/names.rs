//! Names that are made up.

/// The prefix with so many random small letters and digits.
///
/// Random bits of the operating system; without them the name would be the same each time, so that AWS would refuse it.
pub(crate) fn generated(prefix: &str, characters: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = vec![0; characters];
    if getrandom::fill(&mut random).is_err() {
        tracing::warn!("the operating system gives no random numbers");
    }
    let suffix = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    prefix.chars().chain(suffix).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        let name = generated("ci-", 12);
        assert_eq!(name.len(), 15);
        assert!(name.starts_with("ci-"));
        assert_ne!(name, generated("ci-", 12));
    }
}
