//! An error text as the rules read it: its ends, in lower case.
//!
//! Owns which part of a text is read, and the status that it names. It deliberately keeps the words as they are; what
//! they mean is said by the rules.
//!
//! Invariants:
//! - Lower case is that of [`str::to_lowercase`]; it is only made faster here.

/// Bytes that are read from either end of a text; errors stand at its ends.
pub(super) const READ_AT_EACH_END: usize = 6_000;

/// What stands before a status, the surest first.
const BEFORE_STATUS: [&str; 8] =
    ["status code", "error (", "http error ", "http ", "status ", "failed: ", "error: ", "error "];

/// The lines of both ends of a text, in lower case, without the program text that tracebacks quote.
pub(super) fn both_ends(text: &str) -> String {
    let head_end = text.floor_char_boundary(READ_AT_EACH_END);
    let tail_start = text.ceil_char_boundary(text.len().saturating_sub(READ_AT_EACH_END)).max(head_end);
    let mut lower = lower_case(&text[..head_end]);
    if tail_start > head_end {
        lower.push('\n');
    }
    if tail_start < text.len() {
        lower.push_str(&lower_case(&text[tail_start..]));
    }
    if lower.contains("traceback (most recent call last)") {
        lower = without_quoted_program(&lower);
    }
    lower
}

/// The status that a text names: `status code: 404`, `error (503)`, `HTTP 429`.
pub(super) fn status_in(text: &str) -> Option<i64> {
    let lower = lower_case(&text[..text.floor_char_boundary(READ_AT_EACH_END)]);
    BEFORE_STATUS.into_iter().find_map(|mark| {
        // Whether a mark is there at all is asked first: that answer is many times faster than where.
        let (_, after) = lower.contains(mark).then(|| lower.split_once(mark))??;
        let digits: String =
            after.trim_start_matches([':', ' ']).chars().take_while(char::is_ascii_digit).take(4).collect();
        digits.parse().ok().filter(|status| (100..600).contains(status))
    })
}

/// As [`str::to_lowercase`], which takes each letter by itself from the first one that is not ASCII.
fn lower_case(text: &str) -> String {
    // The lower case of a capital sigma depends on what stands around it; no other letter's does.
    if !text.is_ascii() && text.contains('Σ') {
        return text.to_lowercase();
    }
    let mut lower = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let plain = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        lower.push_str(&rest[..plain]);
        rest = &rest[plain..];
        let other = rest.bytes().position(|byte| byte.is_ascii()).unwrap_or(rest.len());
        for letter in rest[..other].chars() {
            match letter {
                // Punctuation, arrows, mathematics, boxes and the scripts of East Asia have one case.
                '\u{2000}'..='\u{20ff}'
                | '\u{2190}'..='\u{245f}'
                | '\u{2500}'..='\u{2bff}'
                | '\u{2e80}'..='\u{a63f}' => lower.push(letter),
                _ => lower.extend(letter.to_lowercase()),
            }
        }
        rest = &rest[other..];
    }
    lower.make_ascii_lowercase();
    lower
}

/// Leaves out the lines that Python quotes below `File "..", line ..`: their words say nothing about the error.
pub(super) fn without_quoted_program(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut after_place = false;
    for line in text.lines() {
        let is_place = line.starts_with("  file \"");
        if !(after_place && line.starts_with("    ")) {
            kept.push_str(line);
            kept.push('\n');
        }
        after_place = is_place || (after_place && line.starts_with("    "));
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::reference;
    use super::*;

    #[test]
    fn a_status_in_words_counts_as_a_status() {
        for (text, expected) in [
            ("Request failed with status code: 404", Some(404)),
            ("failed with status code 503 (try later)", Some(503)),
            ("Search error (429): slow down", Some(429)),
            ("HTTP 502 from upstream", Some(502)),
            ("status code: 9", None),
            ("status code", None),
            ("exit code 404", None),
        ] {
            assert_eq!(status_in(text), expected, "{text}");
        }
    }

    #[test]
    fn the_lower_case_of_every_letter_is_that_of_the_standard_library() {
        for letter in '\0'..=char::MAX {
            let text = letter.to_string();
            assert_eq!(lower_case(&text), text.to_lowercase(), "{letter:?}");
        }
    }

    proptest! {
        #[test]
        fn lower_case_is_that_of_the_standard_library(text in "([A-Za-z .\\n]{0,8}|[ΣσİKÉéßẞΑΟ✖\\u{10400}]|\\PC){0,12}") {
            prop_assert_eq!(lower_case(&text), text.to_lowercase());
        }

        #[test]
        fn a_status_is_the_one_that_a_search_for_each_mark_finds(
            pieces in prop::collection::vec(
                prop_oneof![
                    prop::sample::select(&BEFORE_STATUS[..]).prop_map(str::to_owned),
                    prop::sample::select(&BEFORE_STATUS[..]).prop_map(str::to_uppercase),
                    "[: ]{0,2}[0-9]{1,5}",
                    "[a-zé: (]{0,3}",
                ],
                0..8,
            ),
        ) {
            let text = pieces.concat();
            prop_assert_eq!(status_in(&text), reference::status_in(&text));
        }
    }
}
