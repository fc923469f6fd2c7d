//! Finding the first rule that the words of a text match, in one pass over the text.
//!
//! Owns the search for the needles of all patterns at once. It deliberately decides nothing that the rules do not say:
//! a pattern that is more than its needle is asked, through [`Pattern`], at each place where the needle stands.
//!
//! Invariants:
//! - The answer is the rule that stands first among those that match, as if each had been searched for in turn.
//! - The text is passed over once, whatever the number of rules.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind, StartKind};

use super::pattern::Pattern;
use super::rules::{Rule, rules};

/// The words of all rules; `None` only if they are more than a search can hold, which a test rules out.
static WORDS: LazyLock<Option<Words>> = LazyLock::new(|| Words::of(rules()).ok());

/// The first of the rules for `reader` that matches `text`, which is in lower case already.
pub(super) fn first_rule(text: &str, reader: char) -> Option<&'static Rule> {
    let at = WORDS.as_ref()?.first(text, reader)?;
    rules().get(at)
}

/// A pattern of a rule.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// The number of the rule.
    rule: usize,
    reads: &'static str,
    pattern: Pattern,
}

/// The needles of many patterns, to be found at once.
struct Words {
    automaton: AhoCorasick,
    /// For each needle the patterns that it stands for, those of earlier rules first.
    asked: Vec<Vec<Asked>>,
}

impl Words {
    fn of(rules: &[Rule]) -> Result<Self, BuildError> {
        let mut needles: Vec<&'static str> = Vec::new();
        let mut numbers: HashMap<&'static str, usize> = HashMap::new();
        let mut asked: Vec<Vec<Asked>> = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            for pattern in &rule.patterns {
                let number = *numbers.entry(pattern.needle()).or_insert_with(|| {
                    needles.push(pattern.needle());
                    asked.push(Vec::new());
                    needles.len() - 1
                });
                asked[number].push(Asked { rule: at, reads: rule.reads, pattern: *pattern });
            }
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .kind(Some(AhoCorasickKind::DFA))
            .build(needles)?;
        Ok(Self { automaton, asked })
    }

    fn first(&self, text: &str, reader: char) -> Option<usize> {
        let mut first = usize::MAX;
        let mut line = Line::default();
        for found in self.automaton.find_overlapping_iter(text) {
            for asked in &self.asked[found.pattern().as_usize()] {
                if asked.rule >= first {
                    break;
                }
                if !asked.reads.contains(reader) {
                    continue;
                }
                let matches = asked.pattern.is_plain()
                    || (asked.pattern.may_match_at(text, found.start()) && {
                        line.move_to(text, found.start());
                        asked.pattern.matches_at(&text[line.from..line.to], found.start() - line.from)
                    });
                if matches {
                    first = asked.rule;
                    break;
                }
            }
        }
        (first != usize::MAX).then_some(first)
    }
}

/// A line of a text, without the character that ends it.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    from: usize,
    to: usize,
}

impl Line {
    /// Goes on to the line of `place`, which stands in this line or in one after it.
    fn move_to(&mut self, text: &str, place: usize) {
        if place >= self.to {
            let skipped = text[self.to..place].rfind('\n');
            self.from = skipped.map_or(self.from, |at| self.to + at + 1);
            self.to = text[place..].find('\n').map_or(text.len(), |at| place + at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_all_rules_can_be_searched_for() {
        assert!(WORDS.is_some());
    }

    #[test]
    fn the_line_of_a_place_is_found_from_any_line_before_it() {
        let text = "one\n\ntwo three\nfour";
        let mut all = Line::default();
        for (place, expected) in [(0, "one"), (2, "one"), (5, "two three"), (9, "two three"), (15, "four")] {
            let mut alone = Line::default();
            for line in [&mut all, &mut alone] {
                line.move_to(text, place);
                assert_eq!(&text[line.from..line.to], expected, "{place}");
            }
        }
    }
}
