//! Words and parts of words, as the model was trained on them.
//!
//! Owns cleaning, splitting and the greedy look-up of the longest known part (WordPiece), for uncased BERT models:
//! lower case, accents taken off, every punctuation mark and every CJK character a word of its own.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use crate::error::EngineError;

/// A word longer than this is unknown as a whole.
const LONGEST_WORD: usize = 100;

/// The parts of words that the model knows.
pub(super) struct Vocabulary {
    parts: HashMap<String, u32>,
    unknown: u32,
    begin: u32,
    end: u32,
}

impl Vocabulary {
    /// One part in each line; its number is the line's, from 0.
    pub(super) fn parse(text: &str) -> Result<Self, EngineError> {
        let parts: HashMap<String, u32> = text.lines().map(str::to_owned).zip(0..).collect();
        let special = |name: &str| {
            parts.get(name).copied().ok_or_else(|| {
                EngineError::usage(format!("vocab.txt has no {name}, so it is not that of a BERT model"))
            })
        };
        let (unknown, begin, end) = (special("[UNK]")?, special("[CLS]")?, special("[SEP]")?);
        Ok(Self { parts, unknown, begin, end })
    }

    /// How many parts there are.
    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// The numbers of a text's parts, between the marks of beginning and end; at most `longest`.
    pub(super) fn encode(&self, text: &str, longest: usize) -> Vec<u32> {
        let mut numbers = vec![self.begin];
        for word in words(text) {
            self.split(&word, &mut numbers);
            if numbers.len() >= longest {
                break;
            }
        }
        numbers.truncate(longest - 1);
        numbers.push(self.end);
        numbers
    }

    fn split(&self, word: &str, numbers: &mut Vec<u32>) {
        if word.chars().count() > LONGEST_WORD {
            numbers.push(self.unknown);
            return;
        }
        let before = numbers.len();
        let mut from = 0;
        while from < word.len() {
            let mut to = word.len();
            let found = loop {
                let part = &word[from..to];
                let part = if from == 0 { part.to_owned() } else { format!("##{part}") };
                if let Some(number) = self.parts.get(&part) {
                    break Some(*number);
                }
                match word[from..to].char_indices().next_back() {
                    Some((at, _)) if at > 0 => to = from + at,
                    _ => break None,
                }
            };
            let Some(number) = found else {
                numbers.truncate(before);
                numbers.push(self.unknown);
                return;
            };
            numbers.push(number);
            from = to;
        }
    }
}

/// The words of a text, lower case and without accents.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut end = |word: &mut String| {
        if !word.is_empty() {
            words.push(std::mem::take(word));
        }
    };
    for character in text.chars().flat_map(char::to_lowercase).nfd() {
        if character == '\0' || character == '\u{fffd}' || is_combining_mark(character) {
            continue;
        }
        if character.is_whitespace() {
            end(&mut word);
        } else if character.is_control() {
            // Neither a mark nor a gap.
        } else if is_punctuation(character) || is_cjk(character) {
            end(&mut word);
            word.push(character);
            end(&mut word);
        } else {
            word.push(character);
        }
    }
    end(&mut word);
    words
}

/// All ASCII marks, and the blocks of Unicode that hold little else.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || matches!(character,
            '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}'
            | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' | '\u{ff01}'..='\u{ff0f}'
            | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
            && !matches!(character, '\u{2044}' | '\u{2052}' | '\u{ff04}' | '\u{ff0b}')
}

fn is_cjk(character: char) -> bool {
    matches!(character,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2ebef}'
        | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_into_the_longest_parts_that_are_known() {
        let vocabulary = Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\nun\n##do\n##d\n,\nundone\n").unwrap();
        assert_eq!(vocabulary.encode("Undo, undone xyz", 20), [2, 4, 5, 7, 8, 1, 3]);
        assert_eq!(vocabulary.encode("undo undo undo", 4), [2, 4, 5, 3]);
        assert!(Vocabulary::parse("a\nb\n").is_err());
    }

    #[test]
    fn accents_go_and_marks_stand_alone() {
        assert_eq!(words("Café\tdéjà-vu"), ["cafe", "deja", "-", "vu"]);
        assert_eq!(words("東京x"), ["東", "京", "x"]);
    }
}
