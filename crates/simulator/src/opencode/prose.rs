//! Text of any length: code, sentences, encoded images.
//!
//! Owns a stock of some thousand distinct lines drawn once from the seed, from which texts are put together
//! line by line; a gigabyte of them takes a few seconds. It deliberately knows nothing of sessions.

use super::vocabulary as words;
use crate::random::Random;

const CODE_LINES: usize = 6_000;
const SENTENCES: usize = 2_000;

/// A stock of lines.
#[derive(Debug)]
pub(super) struct Prose {
    code: Vec<String>,
    sentences: Vec<String>,
}

impl Prose {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::named(seed, &["prose"]);
        let mut stock = |templates: &[&str], count: usize| -> Vec<String> {
            (0..count)
                .map(|_| {
                    let template = random.word(templates);
                    fill(&mut random, template)
                })
                .collect()
        };
        Self { code: stock(&words::CODE, CODE_LINES), sentences: stock(&words::SENTENCES, SENTENCES) }
    }

    /// About `bytes` bytes of code, at least one line.
    pub(super) fn code(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 80);
        loop {
            text.push_str(random.pick::<String>(&self.code));
            text.push('\n');
            if text.len() >= bytes {
                return text;
            }
        }
    }

    /// About `bytes` bytes of code with numbered lines, as the read tool shows it.
    pub(super) fn numbered(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 80);
        let mut line = 1 + random.below(40);
        loop {
            text.push_str(&format!("{line:05}| "));
            text.push_str(random.pick::<String>(&self.code));
            text.push('\n');
            line += 1;
            if text.len() >= bytes {
                return text;
            }
        }
    }

    /// About `bytes` bytes of sentences, at least one.
    pub(super) fn sentences(&self, random: &mut Random, bytes: usize) -> String {
        let mut text = random.pick(&self.sentences).clone();
        while text.len() < bytes {
            text.push_str(if random.percent(20) { "\n\n" } else { " " });
            text.push_str(random.pick::<String>(&self.sentences));
        }
        text
    }
}

/// Replaces `{n}` by a number, `{d}` by a digit, `{w}` by an identifier, `{verb}` and `{object}` by those of
/// titles.
pub(super) fn fill(random: &mut Random, template: &str) -> String {
    let mut text = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (length, word) = if rest.starts_with("{n}") {
            (3, random.between(2, 999).to_string())
        } else if rest.starts_with("{d}") {
            (3, random.between(1, 9).to_string())
        } else if rest.starts_with("{w}") {
            (3, random.word(&words::IDENTIFIERS).to_owned())
        } else if rest.starts_with("{verb}") {
            (6, random.word(&words::VERBS).to_owned())
        } else if rest.starts_with("{object}") {
            (8, random.word(&words::OBJECTS).to_owned())
        } else {
            (1, "{".to_owned())
        };
        text.push_str(&word);
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// `count` hexadecimal digits.
pub(super) fn hexadecimal(random: &mut Random, count: usize) -> String {
    let mut text = String::with_capacity(count + 16);
    while text.len() < count {
        text.push_str(&format!("{:016x}", random.next()));
    }
    text.truncate(count);
    text
}

/// About `count` characters that look like an encoded image.
pub(super) fn encoded(random: &mut Random, count: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(count + 16);
    // What every PNG file begins with.
    text.push_str("iVBORw0KGgoAAAANSUhEUgAA");
    while text.len() < count {
        let mut bits = random.next();
        for _ in 0..8 {
            text.push(char::from(LETTERS[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_about_the_length_asked_for_and_repeat_by_seed() {
        let prose = Prose::new(3);
        let mut random = Random::new(5);
        for wanted in [1, 100, 20_000] {
            let code = prose.code(&mut random, wanted);
            assert!(code.len() >= wanted && code.len() < wanted + 200, "{wanted}: {}", code.len());
        }
        let again = Prose::new(3).sentences(&mut Random::new(5), 500);
        assert_eq!(again, prose.sentences(&mut Random::new(5), 500));
    }

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let text = fill(&mut Random::new(1), "{w} {n} { x } {verb} {object}${");
        assert!(text.contains("{ x }") && text.ends_with("${") && !text.contains("{w}"), "{text}");
    }
}
