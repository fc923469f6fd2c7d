//! OpenCode's identifiers: a prefix, 48 bits of time and counter, and 14 random characters.
//!
//! Owns their making and the decoding of their time. Messages and parts ascend; sessions descend (the bits
//! are inverted, so that the newest sorts first). Source of the rule: OpenCode's own published binaries.
//!
//! Invariant: only 36 bits are left for milliseconds, so the text order of identifiers breaks every
//! [`ERA`] milliseconds, as in reality.

use crate::random::Random;

/// How long it takes until the time inside an identifier starts again at 0, in milliseconds.
pub(super) const ERA: u64 = 1 << 36;
/// The last instant at which it did, 2026-08-14T11:19:55.136Z, in milliseconds since 1970.
pub(super) const WRAP: u64 = 26 * ERA;

const LOW_48: u64 = (1 << 48) - 1;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Makes the identifiers of one session.
#[derive(Debug, Clone)]
pub(super) struct Mint {
    random: Random,
    last: u64,
    counter: u64,
}

impl Mint {
    pub(super) fn new(random: Random) -> Self {
        Self { random, last: 0, counter: 0 }
    }

    /// An ascending identifier minted at `time`.
    pub(super) fn ascending(&mut self, prefix: &str, time: u64) -> String {
        if time != self.last {
            (self.last, self.counter) = (time, 0);
        }
        self.counter += 1;
        let bits = (time.wrapping_mul(0x1000) + self.counter) & LOW_48;
        self.finish(prefix, bits)
    }

    /// A descending identifier minted at `time`.
    pub(super) fn descending(&mut self, prefix: &str, time: u64) -> String {
        let bits = !(time.wrapping_mul(0x1000) + 1) & LOW_48;
        self.finish(prefix, bits)
    }

    fn finish(&mut self, prefix: &str, bits: u64) -> String {
        let mut text = format!("{prefix}_{bits:012x}");
        text.extend((0..14).map(|_| char::from(BASE62[self.random.below(BASE62.len())])));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mint() -> Mint {
        Mint::new(Random::new(1))
    }

    #[test]
    fn identifiers_carry_their_time_as_real_ones_do() {
        // Both pairs are of a real store: OpenCode 1.1.16, 2026-11-22.
        let message = mint().ascending("msg", 1_795_308_965_935);
        assert!(message.starts_with("msg_200c0d02f001"), "{message}");
        assert_eq!(message.len(), 30);
        let session = mint().descending("ses", 1_795_308_965_920);
        assert!(session.starts_with("ses_dff3f2fdfffe"), "{session}");
    }

    #[test]
    fn identifiers_of_one_millisecond_ascend_and_the_wrap_breaks_the_order() {
        let mut mint = mint();
        let first = mint.ascending("prt", WRAP - 1);
        let second = mint.ascending("prt", WRAP - 1);
        let third = mint.ascending("prt", WRAP);
        assert!(first < second);
        assert!(third < first, "{third} {first}");
        assert!(third.starts_with("prt_000000000001"));
    }
}
