//! OpenCode's identifiers, and the time that is written in them.
//!
//! Owns the reading of ids such as `msg_b96306d83001abcdefghijklmn`: a prefix, twelve hexadecimal digits, fourteen
//! letters and digits of chance. The hexadecimal digits are the low 48 bits of `milliseconds * 4096 + counter`; ids of
//! sessions are written inverted, so that the newest sorts first. It deliberately does not decide which time is near:
//! 48 bits leave 36 for the milliseconds, so a time comes back every [`ERA_MS`] and only the caller knows about when it
//! was.
//!
//! For the parts of the JSON generation that carry no time of their own (steps, patches, files, compactions) this is
//! the only clock there is.
//!
//! Invariants:
//! - An id that OpenCode would not write has no time; nothing is guessed from something that only looks like one.
//! - Order is by (time, id), never by id alone: ids jump back at every new era.

/// Milliseconds after which the time in an id begins again from zero: 2^36, about 795 days.
///
/// An era began at 2024-06-10T02:35:18.400Z, another at 2026-08-14T11:19:55.136Z.
pub const ERA_MS: i64 = 1 << 36;

const TIME_DIGITS: usize = 12;
const CHANCE_CHARACTERS: usize = 14;
const COUNTER_BITS: u32 = 12;
const MASK: u64 = (1 << 48) - 1;

/// An identifier, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// What it names: `ses`, `msg`, `prt`, `per`, `usr`, `pty`, `evt`, `wrk`, ...
    pub prefix: &'a str,
    /// Milliseconds since the beginning of an unknown era, `0..ERA_MS`.
    pub ms_in_era: i64,
    /// Tells ids of the same millisecond apart; the first is 1.
    pub counter: u16,
}

impl<'a> Identifier<'a> {
    /// Takes an id apart; `None` for text that OpenCode does not write as an id.
    #[must_use]
    pub fn parse(id: &'a str) -> Option<Self> {
        let (prefix, rest) = id.split_once('_')?;
        let is_name = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_lowercase());
        if !is_name || rest.len() != TIME_DIGITS + CHANCE_CHARACTERS || !rest.is_ascii() {
            return None;
        }
        let (time, chance) = rest.split_at(TIME_DIGITS);
        let is_hexadecimal = time.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hexadecimal || !chance.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let written = u64::from_str_radix(time, 16).ok()?;
        let number = if is_descending(prefix) { !written & MASK } else { written };
        Some(Self {
            prefix,
            ms_in_era: i64::try_from(number >> COUNTER_BITS).ok()?,
            counter: u16::try_from(number & ((1 << COUNTER_BITS) - 1)).ok()?,
        })
    }

    /// Milliseconds since 1970, in the era that comes nearest to `near_ms`.
    ///
    /// Of two eras equally near, the later; never a time before 1970.
    #[must_use]
    pub fn time_ms(&self, near_ms: i64) -> i64 {
        let half = ERA_MS / 2;
        // The era in which the distance to `near_ms` lies in (-half, half].
        let era = (i128::from(near_ms) - i128::from(self.ms_in_era) + i128::from(half))
            .div_euclid(i128::from(ERA_MS))
            .max(0);
        let time = i128::from(self.ms_in_era) + era * i128::from(ERA_MS);
        i64::try_from(time).unwrap_or(self.ms_in_era)
    }
}

/// Milliseconds since 1970 at which `id` was minted, chosen nearest to `near_ms`; `None` if `id` holds no time.
///
/// A time of the message or session it belongs to is near enough: within 397 days.
///
/// A copy that a fork made keeps its original time in the record but has a new id, so this lies after it.
#[must_use]
pub fn time_ms(id: &str, near_ms: i64) -> Option<i64> {
    Identifier::parse(id).map(|identifier| identifier.time_ms(near_ms))
}

/// Whether ids with this prefix are written inverted.
fn is_descending(prefix: &str) -> bool {
    prefix == "ses"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHANCE: &str = "A0z9ExampleXYZ";

    fn encode(prefix: &str, ms: i64, counter: u64) -> String {
        let number = (u64::try_from(ms).unwrap() * 0x1000 + counter) & MASK;
        let written = if prefix == "ses" { !number & MASK } else { number };
        format!("{prefix}_{written:012x}{CHANCE}")
    }

    #[test]
    fn ids_seen_in_the_wild_give_their_times() {
        // 2026-01-07T02:01:54.819Z and, inverted, 32 ms before it.
        let near = 1_767_700_000_000;
        assert_eq!(time_ms(&format!("msg_b96306d83001{CHANCE}"), near), Some(1_767_751_314_819));
        assert_eq!(time_ms(&format!("ses_469cf929cffe{CHANCE}"), near), Some(1_767_751_314_787));
        // The message says itself that it was created at 1795308965935; the wrap of August 2026 lies before.
        assert_eq!(time_ms("msg_200c0d02f001hN5X12LK83kX3F", 1_795_308_000_000), Some(1_795_308_965_935));
    }

    #[test]
    fn the_eras_begin_when_the_reference_says() {
        let zero = format!("prt_000000000001{CHANCE}");
        for begins in [1_717_986_918_400_i64, 1_786_706_395_136, 1_855_425_871_872] {
            assert_eq!(begins % ERA_MS, 0, "{begins}");
            for near in [begins - 86_400_000, begins, begins + 86_400_000] {
                assert_eq!(time_ms(&zero, near), Some(begins), "near {near}");
            }
        }
    }

    #[test]
    fn the_last_moment_of_an_era_is_found_from_the_next() {
        let begins = 1_786_706_395_136;
        let last = encode("msg", begins - 1, 3);
        assert!(last.starts_with("msg_fffffffff003"));
        assert_eq!(time_ms(&last, begins + 5_000), Some(begins - 1));
        assert_eq!(time_ms(&last, begins - 5_000), Some(begins - 1));
    }

    #[test]
    fn of_two_eras_equally_near_the_later_is_taken() {
        let identifier = Identifier { prefix: "msg", ms_in_era: 0, counter: 1 };
        assert_eq!(identifier.time_ms(20 * ERA_MS + ERA_MS / 2), 21 * ERA_MS);
        assert_eq!(identifier.time_ms(20 * ERA_MS + ERA_MS / 2 - 1), 20 * ERA_MS);
    }

    #[test]
    fn no_time_is_read_where_none_is_written() {
        let good = format!("msg_b96306d83001{CHANCE}");
        assert!(time_ms(&good, 0).is_some());
        for id in [
            "",
            "msg_",
            "global",
            "b96306d83001A0z9ExampleXYZ",
            "_b96306d83001A0z9ExampleXYZ",
            "msg_b96306d83001",
            "msg_B96306D83001A0z9ExampleXYZ",
            "msg_g96306d83001A0z9ExampleXYZ",
            "msg_+96306d83001A0z9ExampleXYZ",
            "msg_b96306d83001A0z9-xampleXYZ",
            "msg_b96306d83001A0z9ExampleXYZ1",
            "msg_b96306d8300éA0z9ExampleXY",
            "4b0ea68d7af9a6031a7ffda7ad66e0cb83315750",
        ] {
            assert_eq!(time_ms(id, 1_767_700_000_000), None, "{id}");
        }
    }

    #[test]
    fn no_reference_time_breaks_it() {
        let id = format!("ses_469cf929cffe{CHANCE}");
        assert!(time_ms(&id, i64::MIN).unwrap() >= 0);
        assert!(time_ms(&id, i64::MAX).is_some());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded_in_every_era(
            ms in 0_i64..40 * ERA_MS,
            counter in 1_u64..4096,
            away in -(ERA_MS / 2 - 1)..(ERA_MS / 2),
            prefix in prop::sample::select(vec!["ses", "msg", "prt", "evt"]),
        ) {
            let id = encode(prefix, ms, counter);
            let identifier = Identifier::parse(&id).unwrap();
            prop_assert_eq!(identifier.prefix, prefix);
            prop_assert_eq!(u64::from(identifier.counter), counter);
            prop_assert_eq!(time_ms(&id, ms + away), Some(ms));
        }

        #[test]
        fn any_text_is_taken_or_refused(id in ".{0,40}", near in any::<i64>()) {
            let _ = time_ms(&id, near);
        }
    }
}
