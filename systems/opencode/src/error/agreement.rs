//! The fast decision held to the plain one: [`super::decide`] to [`super::reference`].
//!
//! Owns the texts on which both are asked: those that a person labeled, and texts made of what the rules look for and
//! what stands around it.

use proptest::prelude::*;

use super::{Category, Failure, FailureSource, accuracy, decide, reference, rules};

const SOURCES: [FailureSource; 3] =
    [FailureSource::ToolError, FailureSource::BashExit, FailureSource::MessageError];

fn both(source: FailureSource, text: &str, status_code: Option<i64>) -> [(Category, &'static str); 2] {
    let failure = Failure { source, tool: "bash", name: "APIError", text, exit: Some(1), status_code };
    [decide(&failure), reference::decide(&failure)]
}

#[test]
fn both_decide_alike_on_every_labeled_text() {
    let labelled = accuracy::all();
    assert!(labelled.len() > 600, "{}", labelled.len());
    for text in labelled.iter().map(|labelled| labelled.failure.text) {
        for source in SOURCES {
            let [fast, plain] = both(source, text, None);
            assert_eq!(fast, plain, "{source:?} {text:?}");
        }
    }
    for labelled in &labelled {
        assert_eq!(decide(&labelled.failure), reference::decide(&labelled.failure), "{:?}", labelled.failure);
    }
}

#[test]
fn both_decide_alike_on_each_pattern_and_what_it_nearly_matches() {
    let patterns = rules::rules().iter().flat_map(|rule| &rule.patterns).map(super::pattern::Pattern::text);
    for pattern in patterns {
        let bare = pattern.trim_start_matches('^').trim_end_matches('$');
        for text in [
            bare.replace('#', "12").replace('*', "any"),
            bare.replace('#', "7").replace('*', ""),
            bare.replace('#', "").replace('*', " é "),
            bare.replace('*', "\n").replace('#', "0"),
            bare.to_owned(),
        ] {
            for (before, after) in
                [("", ""), ("  ", " \r\n"), ("x", ""), ("", "x"), ("first\n", "\nlast\r"), ("1", "2")]
            {
                let text = format!("{before}{text}{after}");
                for source in SOURCES {
                    let [fast, plain] = both(source, &text, None);
                    assert_eq!(fast, plain, "{source:?} {text:?}");
                }
            }
        }
    }
}

/// Pieces of patterns, whole and cut, and what stands around them.
fn piece() -> impl Strategy<Value = String> {
    let patterns: Vec<&'static str> =
        rules::rules().iter().flat_map(|rule| &rule.patterns).map(super::pattern::Pattern::text).collect();
    let pattern = prop::sample::select(patterns);
    let filled =
        (pattern.clone(), "[0-9]{0,3}", "[a-zA-Z0-9 .:é✖]{0,6}").prop_map(|(pattern, number, any)| {
            pattern.trim_start_matches('^').trim_end_matches('$').replace('#', &number).replace('*', &any)
        });
    let needle = pattern.prop_map(|pattern| {
        pattern.split(['*', '#', '^', '$']).max_by_key(|piece| piece.len()).unwrap_or_default().to_owned()
    });
    let cut = (needle.clone(), 0..30_usize).prop_map(|(needle, at)| needle.chars().take(at).collect());
    prop_oneof![
        3 => filled.clone(),
        2 => filled.prop_map(|text| text.to_uppercase()),
        2 => needle,
        2 => cut,
        4 => "[ \t\r\n:;.,'`\"()\\[\\]0-9]{1,3}",
        2 => "\n",
        2 => "[a-zA-Zİσ\u{3a3}é✖\u{a0}]{0,12}",
        1 => Just("Traceback (most recent call last):\n  File \"a.py\", line 3\n    ".to_owned()),
        1 => "\\PC{0,20}",
        1 => (1_000..7_000_usize).prop_map(|length| "filler é\n".repeat(length / 10)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_decide_alike_on_texts_made_of_needles(
        pieces in prop::collection::vec(piece(), 0..14),
        status in prop::option::weighted(0.2, 390_i64..610),
    ) {
        let text = pieces.concat();
        for source in SOURCES {
            let [fast, plain] = both(source, &text, status);
            prop_assert_eq!(fast, plain, "{:?} {:?}", source, text);
        }
    }
}
