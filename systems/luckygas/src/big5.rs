//! Big5 as the legacy database has it: bytes to text and back, exactly, or not at all.
//!
//! Owns the one table of byte pairs that are taken, and the two ways through it. It replaces nothing: bytes or a
//! character that it cannot carry are named with their place, and the caller quarantines the row (the earlier system
//! put a question mark in their stead, defect L9).
//!
//! There are many Big5s. The legacy program ran on Windows, whose code page is 950; the decoder here is the WHATWG's
//! (crate `encoding_rs`), which takes the Hong Kong additions too. A pair is taken only where both decode it alike and
//! both encode the character back to that pair, so whichever of the two wrote a text, it is read as it was meant and
//! written back as the same bytes. What is left out, beside lead bytes of one code page alone:
//!
//! | pairs | why |
//! |---|---|
//! | C6A1 to C8FE | user-defined in code page 950, other characters in each extension |
//! | A3C0 to A3E0 | pictures of control characters, which code page 950 does not have |
//! | A2CC, A2CE | second places of 十 (A451) and 卅 (A4CA) |
//! | A2A4 to A2A7, F9E9 to F9EB, F9F9 to F9FE | box drawing that has two places each, and which of them is written differs |
//!
//! C969 (仝) is taken though the WHATWG's encoder writes C6DF: that pair lies in the first range, so there is no doubt.
//! Characters in names that code page 950 has no place for, such as 堃, 喆, 煊, 栢, 着 and 峯, are refused; the WHATWG's
//! encoder would write bytes for them that the legacy program shows as something else.
//!
//! Invariants: `encode(decode(bytes)) == bytes` and `decode(encode(text)) == text` wherever they answer.

use std::ops::RangeInclusive;
use std::sync::LazyLock;

/// The lead bytes of pairs that are taken.
const LEADS: RangeInclusive<u8> = 0xA1..=0xF9;

/// Pairs that are left out for the reasons in the module's table.
const REFUSED: &[RangeInclusive<u16>] = &[
    0xA3C0..=0xA3E0,
    0xA2A4..=0xA2A7,
    0xA2CC..=0xA2CC,
    0xA2CE..=0xA2CE,
    0xC6A1..=0xC8FE,
    0xF9E9..=0xF9EB,
    0xF9F9..=0xF9FE,
];

/// Bytes that stand for no character here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} of the text is no Big5: {}", hexadecimal(.bytes))]
pub struct Undecodable {
    /// Where, counted from 0.
    pub at: usize,
    /// The byte, and the one after it where there is one.
    pub bytes: Vec<u8>,
}

/// A character that Big5 cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Big5 has no `{character}` (U+{:04X}, character {at} of the text)", u32::from(*.character))]
pub struct Unencodable {
    /// The character.
    pub character: char,
    /// Which one of the text, counted from 0.
    pub at: usize,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Both directions. All characters lie in the basic plane; 0 stands for none.
struct Table {
    /// By pair, from lead A1 on.
    characters: Vec<u16>,
    /// By character.
    pairs: Vec<u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table =
        Table { characters: vec![0; LEADS.len() << 8], pairs: vec![0; usize::from(u16::MAX) + 1] };
    for lead in LEADS {
        for trail in (0x40..=0x7E).chain(0xA1..=0xFE) {
            let pair = u16::from_be_bytes([lead, trail]);
            if REFUSED.iter().any(|refused| refused.contains(&pair)) {
                continue;
            }
            let bytes = [lead, trail];
            let text = encoding_rs::BIG5.decode_without_bom_handling_and_without_replacement(&bytes);
            let mut units = text.iter().flat_map(|text| text.encode_utf16());
            if let (Some(unit), None) = (units.next(), units.next()) {
                table.characters[place(lead, trail)] = unit;
                table.pairs[usize::from(unit)] = pair;
            }
        }
    }
    table
});

fn place(lead: u8, trail: u8) -> usize {
    usize::from(lead - LEADS.start()) << 8 | usize::from(trail)
}

/// The text of these bytes.
///
/// # Errors
/// The first bytes that stand for nothing here.
pub fn decode(bytes: &[u8]) -> Result<String, Undecodable> {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2);
    let mut at = 0;
    while let Some(&lead) = bytes.get(at) {
        if lead.is_ascii() {
            text.push(char::from(lead));
            at += 1;
            continue;
        }
        let trail = bytes.get(at + 1).filter(|_| LEADS.contains(&lead));
        let unit = trail.map_or(0, |trail| TABLE.characters[place(lead, *trail)]);
        let Some(character) = char::from_u32(u32::from(unit)).filter(|_| unit != 0) else {
            let end = bytes.len().min(at + 2);
            return Err(Undecodable { at, bytes: bytes[at..end].to_vec() });
        };
        text.push(character);
        at += 2;
    }
    Ok(text)
}

/// The bytes of this text.
///
/// # Errors
/// The first character that has no place.
pub fn encode(text: &str) -> Result<Vec<u8>, Unencodable> {
    let mut bytes = Vec::with_capacity(text.len());
    for (at, character) in text.chars().enumerate() {
        if character.is_ascii() {
            bytes.push(character as u8);
            continue;
        }
        let unit = u16::try_from(u32::from(character)).unwrap_or(0);
        match TABLE.pairs[usize::from(unit)] {
            0 => return Err(Unencodable { character, at }),
            pair => bytes.extend(pair.to_be_bytes()),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    /// Pairs taken, and the SHA-256 over (pair, character in UTF-16, big endian) of all of them in order.
    const TAKEN: (usize, &str) = (13_488, "97ea2a132aae72b8bf12dee2b0cbcc2b2cbcebf20c02852aae6ef49927901743");

    /// Every two bytes, and what they are.
    fn pairs() -> impl Iterator<Item = ([u8; 2], Option<String>)> {
        (0..=u16::MAX).map(u16::to_be_bytes).map(|pair| (pair, decode(&pair).ok()))
    }

    /// The table is a fact about two others, so it is held against both: each pair taken is one that code page 950 has,
    /// with the same character, and the digest is over all of them. To see it from code page 950's side:
    ///
    /// ```text
    /// python3 - <<'END'
    /// import hashlib
    /// def refused(p):
    ///     return (0xC6A1 <= p <= 0xC8FE or p in (0xA2CC, 0xA2CE) or 0xA2A4 <= p <= 0xA2A7
    ///             or 0xF9E9 <= p <= 0xF9EB or 0xF9F9 <= p <= 0xF9FE)
    /// count, digest = 0, hashlib.sha256()
    /// for p in range(0xA140, 0xF9FF):
    ///     try: text = p.to_bytes(2, 'big').decode('cp950')
    ///     except UnicodeDecodeError: continue
    ///     if len(text) != 1 or refused(p): continue
    ///     count += 1; digest.update(p.to_bytes(2, 'big') + text.encode('utf-16-be'))
    /// print(count, digest.hexdigest())
    /// END
    /// ```
    #[test]
    fn every_pair_is_one_of_code_page_950() {
        let taken: Vec<([u8; 2], char)> = pairs()
            .filter(|(pair, _)| !pair[0].is_ascii())
            .filter_map(|(pair, text)| {
                let mut characters = text?.chars().collect::<Vec<_>>();
                assert_eq!(characters.len(), 1, "{pair:X?}");
                characters.pop().map(|character| (pair, character))
            })
            .collect();
        let mut all = Vec::new();
        for (pair, character) in &taken {
            let mut unit = [0; 2];
            all.extend(pair);
            all.extend(character.encode_utf16(&mut unit)[0].to_be_bytes());
        }
        let digest = Sha256::digest(&all).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!((taken.len(), digest.as_str()), TAKEN);
    }

    /// Of all 65,536: taken and the way back is the same bytes, or refused with its place. The WHATWG's encoder writes
    /// the same bytes but for the one character of the module's header.
    #[test]
    fn every_pair_goes_there_and_back_or_is_refused() {
        for (pair, text) in pairs() {
            let Some(text) = text else {
                let refused = decode(&pair).unwrap_err();
                let second = pair[0].is_ascii();
                assert_eq!(refused.at, usize::from(second), "{pair:X?}");
                assert_eq!(refused.bytes, pair[refused.at..], "{pair:X?}");
                continue;
            };
            assert_eq!(encode(&text).unwrap(), pair, "{text}");
            let (written, _, replaced) = encoding_rs::BIG5.encode(&text);
            assert!(!replaced && (*written == pair || text == "仝"), "{text} {written:X?}");
        }
        let ascii = pairs().filter(|(pair, text)| pair.is_ascii() && text.is_some()).count();
        assert_eq!(ascii, 128 * 128);
    }

    /// Of all characters: encoded and the way back is the same character, or refused by name.
    #[test]
    fn every_character_goes_there_and_back_or_is_refused() {
        let mut held = 0;
        for character in '\0'..=char::MAX {
            let text = format!("a{character}");
            match encode(&text) {
                Ok(bytes) => {
                    assert_eq!(decode(&bytes).unwrap(), text);
                    held += 1;
                }
                Err(refused) => assert_eq!(refused, Unencodable { character, at: 1 }),
            }
        }
        assert_eq!(held, 128 + TAKEN.0);
    }

    #[test]
    fn the_edges_are_as_the_header_says() {
        let refused = [
            [0xC6, 0xA1],
            [0xC6, 0xDF],
            [0xC7, 0xF2],
            [0xC8, 0xFE],
            [0xA2, 0xCC],
            [0xA2, 0xCE],
            [0xA2, 0xA4],
            [0xA2, 0xA7],
            [0xF9, 0xE9],
            [0xF9, 0xEB],
            [0xF9, 0xF9],
            [0xF9, 0xFE],
            [0x81, 0x40],
            [0xFA, 0x40],
            [0x80, 0x41],
            [0xFF, 0x41],
            [0xA4, 0x7F],
            [0xA4, 0xA0],
            [0xA4, 0xFF],
        ];
        for pair in refused {
            assert_eq!(decode(&pair), Err(Undecodable { at: 0, bytes: pair.to_vec() }), "{pair:X?}");
        }
        // Trail bytes that are a backslash or a bar in ASCII.
        for (text, bytes) in [
            ("許功蓋", &[0xB3, 0x5C, 0xA5, 0x5C, 0xBB, 0x5C][..]),
            ("仝", &[0xC9, 0x69]),
            ("十卅", &[0xA4, 0x51, 0xA4, 0xCA]),
            ("€", &[0xA3, 0xE1]),
            (
                "碁銹裏墻恒粧嫺",
                &[0xF9, 0xD6, 0xF9, 0xD7, 0xF9, 0xD8, 0xF9, 0xD9, 0xF9, 0xDA, 0xF9, 0xDB, 0xF9, 0xDC],
            ),
            ("", &[]),
        ] {
            assert_eq!(encode(text).as_deref(), Ok(bytes), "{text}");
            assert_eq!(decode(bytes).as_deref(), Ok(text));
        }
        for character in "堃喆煊栢着峯═╞\u{80}\u{e000}😀".chars() {
            let refused = encode(&format!("游錫{character}")).unwrap_err();
            assert_eq!(refused, Unencodable { character, at: 2 });
        }
        let message = encode("游錫堃").unwrap_err().to_string();
        assert_eq!(message, "Big5 has no `堃` (U+5803, character 2 of the text)");
        let message = decode(&[b'a', 0xA4]).unwrap_err().to_string();
        assert_eq!(message, "byte 1 of the text is no Big5: A4");
    }

    proptest! {
        /// Whatever bytes: if they decode, they come back.
        #[test]
        fn bytes_come_back(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0xA4_u8..=0xC6, 0x40_u8..=0x7E], 0..24)) {
            if let Ok(text) = decode(&bytes) {
                prop_assert_eq!(encode(&text).unwrap(), bytes);
            }
        }

        /// Whatever text: if it encodes, it comes back.
        #[test]
        fn text_comes_back(text in "[a-z台北市信義區許功蓋堃€]{0,24}") {
            match encode(&text) {
                Ok(bytes) => prop_assert_eq!(decode(&bytes).unwrap(), text),
                Err(refused) => prop_assert_eq!(Some(refused.character), text.chars().nth(refused.at)),
            }
        }
    }
}
