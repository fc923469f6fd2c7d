//! Buckets: which part of a rollout a key falls into, by an algorithm that has a name.
//!
//! Owns the hash, the named algorithms and the name under which a rule asks for a bucket. What an algorithm computes
//! never changes under its name: members of a rollout would be replaced by others without anybody having asked for it.
//! It does not decide what a bucket means.
//!
//! Sources of the algorithms: `unleash-1` is the rule of the Unleash client specification (murmur3, `group:id`, 100
//! buckets from 1); `flagd-1`, `flagd-2` and `flagd-3` are the three generations of flagd's `fractional` operation;
//! `plimsoll-1` is ours: murmur3 of `salt:key`, scaled to 10,000 buckets; `quota-1` is ours too: the keys of a known list
//! with the lowest hashes, so that a rollout has exactly the size asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::percent::Percent;

/// How keys are hashed into buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Algorithm {
    /// The Unleash client specification's: whole percent, and every Unleash client agrees.
    #[default]
    #[serde(rename = "unleash-1")]
    Unleash1,
    /// Ours: hundredths of a percent.
    #[serde(rename = "plimsoll-1")]
    Plimsoll1,
    /// An exact number of a known list of keys.
    #[serde(rename = "quota-1")]
    Quota1,
    /// flagd until March 2026: a float percentage.
    #[serde(rename = "flagd-1")]
    Flagd1,
    /// flagd from March 2026: integers, the key a text.
    #[serde(rename = "flagd-2")]
    Flagd2,
    /// flagd from October 2026: integers, the key encoded as CBOR. A salt that begins with `text:` stands for flagd's
    /// explicit `bucketBy`.
    #[serde(rename = "flagd-3")]
    Flagd3,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 6] =
        [Self::Unleash1, Self::Plimsoll1, Self::Quota1, Self::Flagd1, Self::Flagd2, Self::Flagd3];

    /// Its name, which is stored with every rollout.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unleash1 => "unleash-1",
            Self::Plimsoll1 => "plimsoll-1",
            Self::Quota1 => "quota-1",
            Self::Flagd1 => "flagd-1",
            Self::Flagd2 => "flagd-2",
            Self::Flagd3 => "flagd-3",
        }
    }

    /// The bucket of a key, from 0 to `buckets - 1`.
    pub fn bucket(self, salt: &str, key: &str, buckets: u32) -> u32 {
        let buckets = buckets.max(1);
        let scaled = |hash: u32| ((u64::from(hash) * u64::from(buckets)) >> 32) as u32;
        match self {
            Self::Unleash1 => murmur3_32(format!("{salt}:{key}").as_bytes(), 0) % buckets,
            Self::Plimsoll1 | Self::Quota1 => scaled(murmur3_32(format!("{salt}:{key}").as_bytes(), 0)),
            Self::Flagd1 => {
                let signed = murmur3_32(format!("{salt}{key}").as_bytes(), 0) as i32;
                let share = (f64::from(signed) / f64::from(i32::MAX)).abs();
                // The one hash of 2^32 whose share is above 1 belongs to the last bucket.
                ((share * f64::from(buckets)) as u32).min(buckets - 1)
            }
            Self::Flagd2 => scaled(murmur3_32(format!("{salt}{key}").as_bytes(), 0)),
            Self::Flagd3 => scaled(murmur3_32(&cbor(salt, key), 0)),
        }
    }

    /// Whether a key is within `percent`. [`Algorithm::Quota1`] needs the whole list of keys
    /// ([`super::cohort::members`]) and answers false here.
    pub fn includes(self, salt: &str, key: &str, percent: Percent) -> bool {
        match self {
            Self::Unleash1 => self.bucket(salt, key, 100) * 100 < percent.hundredths(),
            Self::Plimsoll1 | Self::Flagd1 | Self::Flagd2 | Self::Flagd3 => {
                self.bucket(salt, key, 10_000) < percent.hundredths()
            }
            Self::Quota1 => false,
        }
    }

    /// Whether it can cut at this percentage.
    pub fn supports(self, percent: Percent) -> bool {
        self != Self::Unleash1 || percent.as_whole().is_some()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no algorithm has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no algorithm `{0}`\nhint: there are unleash-1, plimsoll-1, quota-1, flagd-1, flagd-2, flagd-3"
)]
pub struct NoSuchAlgorithm(String);

impl FromStr for Algorithm {
    type Err = NoSuchAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text);
        found.ok_or_else(|| NoSuchAlgorithm(text.to_owned()))
    }
}

/// A bucket that a constraint asks for as if it were a context field: the engine computes it before the rules are
/// evaluated. Its name says all that the computation needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BucketField {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// How many buckets there are.
    pub buckets: u32,
    /// The context field whose value is hashed.
    pub key: String,
    /// The salt.
    pub salt: String,
}

const BUCKET_PREFIX: &str = "$bucket/";

impl BucketField {
    /// The name under which a constraint asks for it.
    pub fn name(&self) -> String {
        format!("{BUCKET_PREFIX}{}/{}/{}/{}", self.algorithm, self.buckets, self.key, self.salt)
    }

    /// Reads a name; `None` when it is an ordinary context field.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_prefix(BUCKET_PREFIX)?.splitn(4, '/');
        Some(Self {
            algorithm: parts.next()?.parse().ok()?,
            buckets: parts.next()?.parse().ok()?,
            key: parts.next()?.to_owned(),
            salt: parts.next()?.to_owned(),
        })
    }
}

/// MurmurHash3, the 32-bit variant for x86 (Austin Appleby, public domain).
pub fn murmur3_32(bytes: &[u8], seed: u32) -> u32 {
    const C1: u32 = 0xcc9e_2d51;
    const C2: u32 = 0x1b87_3593;
    let mix = |k: u32| k.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2);
    let mut hash = seed;
    let mut blocks = bytes.chunks_exact(4);
    for block in &mut blocks {
        let k = block.iter().rev().fold(0_u32, |k, byte| (k << 8) | u32::from(*byte));
        hash = (hash ^ mix(k)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = blocks.remainder();
    if !rest.is_empty() {
        hash ^= mix(rest.iter().rev().fold(0_u32, |k, byte| (k << 8) | u32::from(*byte)));
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

/// What flagd-3 hashes, in CBOR (RFC 8949, section 3): the pair of salt and key; for a salt that begins with `text:`, which
/// stands for flagd's explicit `bucketBy`, the rest of it joined with the key, as one text.
fn cbor(salt: &str, key: &str) -> Vec<u8> {
    let joined = salt.strip_prefix("text:").map(|rest| format!("{rest}{key}"));
    let (mut out, texts) = match &joined {
        Some(joined) => (Vec::new(), vec![joined.as_str()]),
        None => (vec![0x82], vec![salt, key]),
    };
    for text in texts {
        let length = text.len();
        match length {
            0..24 => out.push(0x60 | length as u8),
            24..0x100 => out.extend([0x78, length as u8]),
            0x100..0x1_0000 => {
                out.push(0x79);
                out.extend((length as u16).to_be_bytes());
            }
            _ => {
                out.push(0x7a);
                out.extend((length as u32).to_be_bytes());
            }
        }
        out.extend(text.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors of the SMHasher test suite and of the Unleash client specification.
    #[test]
    fn murmur3_agrees_with_published_vectors() {
        for (text, seed, hash) in [
            ("", 0, 0),
            ("", 1, 0x514e_28b7),
            ("", 0xffff_ffff, 0x81f1_6f39),
            ("test", 0, 0xba6b_d213),
            ("test", 0x9747_b28c, 0x704b_81dc),
            ("Hello, world!", 0, 0xc036_3e43),
            ("The quick brown fox jumps over the lazy dog", 0, 0x2e4f_f723),
        ] {
            assert_eq!(murmur3_32(text.as_bytes(), seed), hash, "{text:?} {seed}");
        }
    }

    /// The buckets of fixed keys. A change of any of these numbers is a change of who gets what, on every machine.
    #[test]
    fn buckets_are_the_same_everywhere_and_for_ever() {
        // From the Unleash client specification: `normalizedValue("123", "gr1") = 73`, `("999", "groupX") = 25`.
        assert_eq!(Algorithm::Unleash1.bucket("gr1", "123", 100) + 1, 73);
        assert_eq!(Algorithm::Unleash1.bucket("groupX", "999", 100) + 1, 25);
        let row = |algorithm: Algorithm| {
            ["1", "17", "customer-4711", "äöü"].map(|key| algorithm.bucket("pilot", key, 10_000))
        };
        assert_eq!(row(Algorithm::Plimsoll1), FIXED[0]);
        assert_eq!(row(Algorithm::Flagd1), FIXED[1]);
        assert_eq!(row(Algorithm::Flagd2), FIXED[2]);
        assert_eq!(row(Algorithm::Flagd3), FIXED[3]);
    }

    /// Computed by a second implementation, in another language.
    const FIXED: [[u32; 4]; 4] = [
        [6_430, 8_549, 9_898, 1_266],
        [5_338, 6_267, 6_688, 6_186],
        [7_330, 6_866, 6_655, 6_906],
        [2_478, 3_897, 5_484, 8_756],
    ];

    #[test]
    fn a_bucket_field_reads_back_whatever_the_salt() {
        for salt in ["pilot", "a/b/c", "", "$bucket/x"] {
            let field = BucketField {
                algorithm: Algorithm::Flagd3,
                buckets: 100,
                key: "userId".into(),
                salt: salt.into(),
            };
            assert_eq!(BucketField::parse(&field.name()), Some(field));
        }
        assert_eq!(BucketField::parse("userId"), None);
        assert_eq!(BucketField::parse("$bucket/nonsense"), None);
    }

    #[test]
    fn names_are_stable() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
            assert_eq!(serde_json::to_string(&algorithm).unwrap(), format!("\"{algorithm}\""));
        }
        assert!("murmur".parse::<Algorithm>().is_err());
    }
}
