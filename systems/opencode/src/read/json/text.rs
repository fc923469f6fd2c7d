//! The letters of strings.
//!
//! Owns finding the end of a string, eight bytes at a time, and what its escapes stand for.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Marks the high bit of every byte that is zero. Bytes above a marked one may be marked wrongly, the lowest never is.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The first byte from `at` on that may not simply stand in a string: a quote, a backslash, a control character.
pub(super) fn special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        let [quote, escape] = [b'"', b'\\'].map(|byte| zero_bytes(word ^ (ONES * u64::from(byte))));
        let found = control | quote | escape;
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

/// The text that an already checked string's inside stands for.
pub(super) fn unescape(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut at = 0;
    loop {
        let next = backslash(inside.as_bytes(), at);
        text.push_str(&inside[at..next]);
        let Some(escape) = inside.as_bytes().get(next + 1) else { return text };
        at = next + 2;
        text.push(match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let (letter, length) = unicode(&inside[at..]);
                at += length;
                letter
            }
            other => char::from(*other),
        });
    }
}

/// The first backslash from `at` on, or the end.
fn backslash(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..at + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let found = zero_bytes(u64::from_le_bytes(chunk) ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && bytes[at] != b'\\' {
        at += 1;
    }
    at
}

/// The character of `\uXXXX`, or of a pair of them, and how many bytes behind the `u` it takes.
fn unicode(rest: &str) -> (char, usize) {
    let unit = |text: &str| text.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let Some(first) = unit(rest) else { return (char::REPLACEMENT_CHARACTER, 0) };
    if let 0xD800..0xDC00 = first
        && let Some(second @ 0xDC00..0xE000) = rest[4..].strip_prefix("\\u").and_then(unit)
    {
        let pair = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        return (char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}
