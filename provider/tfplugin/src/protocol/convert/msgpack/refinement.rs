//! Unknown values and their refinements.

use rmpv::Value as Msgpack;

use super::decode::number as read_number;
use super::encode::number as write_number;
use crate::framework::Number;
use crate::framework::value::Refinement;

/// No refinement.
pub(super) const NONE: Refinement =
    Refinement { null: None, prefix: None, minimum: None, maximum: None, minimum_length: None, maximum_length: None };

/// Extension code of an unknown value with refinements. Its body is a map with the keys below.
const REFINED: i8 = 12;
const NULL: i64 = 1;
const PREFIX: i64 = 2;
const MINIMUM: i64 = 3;
const MAXIMUM: i64 = 4;
const MINIMUM_LENGTH: i64 = 5;
const MAXIMUM_LENGTH: i64 = 6;
/// Core refuses longer bodies.
const MAX_BODY: usize = 1024;

/// Decodes a refinement. If it cannot be read, it is ignored, which is always allowed.
pub(super) fn decode(code: i8, body: &[u8]) -> Refinement {
    let mut rest = body;
    if code != REFINED || body.len() > MAX_BODY {
        return NONE;
    }
    match rmpv::decode::read_value_with_max_depth(&mut rest, 8) {
        Ok(Msgpack::Map(pairs)) => pairs.iter().fold(NONE, |refinement, (key, value)| with(refinement, key, value)),
        _ => NONE,
    }
}

fn with(mut refinement: Refinement, key: &Msgpack, value: &Msgpack) -> Refinement {
    match key.as_i64() {
        Some(NULL) => refinement.null = value.as_bool(),
        Some(PREFIX) => refinement.prefix = value.as_str().map(str::to_owned),
        Some(MINIMUM) => refinement.minimum = bound(value),
        Some(MAXIMUM) => refinement.maximum = bound(value),
        Some(MINIMUM_LENGTH) => refinement.minimum_length = value.as_i64(),
        Some(MAXIMUM_LENGTH) => refinement.maximum_length = value.as_i64(),
        _ => {}
    }
    refinement
}

/// Reads a bound, which is `[number, inclusive]`.
fn bound(value: &Msgpack) -> Option<(Number, bool)> {
    let [limit, inclusive] = value.as_array()?.as_slice() else { return None };
    Some((read_number(limit)?, inclusive.as_bool()?))
}

/// Encodes an unknown value, without its refinement if that is too long for core.
pub(super) fn encode(refinement: &Refinement) -> Msgpack {
    let plain = Msgpack::Ext(0, vec![0]);
    if refinement == &NONE {
        return plain;
    }
    let limit = |(limit, inclusive): &(Number, bool)| Msgpack::Array(vec![write_number(limit), (*inclusive).into()]);
    let promises = [
        (NULL, refinement.null.map(Msgpack::from)),
        (PREFIX, refinement.prefix.as_deref().map(Msgpack::from)),
        (MINIMUM, refinement.minimum.as_ref().map(limit)),
        (MAXIMUM, refinement.maximum.as_ref().map(limit)),
        (MINIMUM_LENGTH, refinement.minimum_length.map(Msgpack::from)),
        (MAXIMUM_LENGTH, refinement.maximum_length.map(Msgpack::from)),
    ];
    let pairs = promises.into_iter().filter_map(|(key, value)| Some((Msgpack::from(key), value?))).collect();
    let mut body = Vec::new();
    match rmpv::encode::write_value(&mut body, &Msgpack::Map(pairs)) {
        Ok(()) if body.len() <= MAX_BODY => Msgpack::Ext(REFINED, body),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refinements_survive_the_round_trip() {
        let refinement = Refinement {
            null: Some(false),
            prefix: Some("arn:".to_owned()),
            minimum: Some((1.into(), true)),
            maximum: Some((0.1.into(), false)),
            minimum_length: Some(1),
            maximum_length: Some(300),
        };
        let Msgpack::Ext(code, body) = encode(&refinement) else { panic!("not an extension") };
        assert_eq!(decode(code, &body), refinement);
    }

    #[test]
    fn bytes_equal_those_of_core() {
        let not_null = Refinement { null: Some(false), ..NONE };
        assert_eq!(encode(&not_null), Msgpack::Ext(12, b"\x81\x01\xc2".to_vec()));
        assert_eq!(encode(&NONE), Msgpack::Ext(0, vec![0]));
    }

    #[test]
    fn unreadable_refinements_are_dropped() {
        for body in [b"".as_slice(), b"\xc0", b"\x81\x03\x05", b"\x81\x63\x01", &[0x91; 2000]] {
            assert_eq!(decode(12, body), NONE, "{body:x?}");
        }
        let long = Refinement { prefix: Some("x".repeat(MAX_BODY)), ..NONE };
        assert_eq!(encode(&long), Msgpack::Ext(0, vec![0]));
    }
}
