//! The fast search for secrets held to the plain one, on texts made of what both look for and what stands around it.

use proptest::prelude::*;

use super::reference;
use crate::security::secret::{KEY_MARK, TOKENS, first_line_with_one, masked};

fn piece() -> impl Strategy<Value = String> {
    let begin = prop::sample::select(TOKENS).prop_map(|(begin, _)| begin.to_owned());
    prop_oneof![
        4 => (begin.clone(), "[a-zA-Z0-9_.-]{0,60}").prop_map(|(begin, rest)| begin + &rest),
        2 => begin,
        1 => prop::sample::select(TOKENS).prop_map(|(begin, least)| format!("{begin}{}", "a1".repeat(least.div_ceil(2)))),
        3 => "(https?|postgres)://[a-z]{0,3}:?(pass|test|x|[$<]?[a-z0-9:@]{0,6})@?[a-z.]{0,4}[/ ?\"'\r]?",
        1 => Just("://".to_owned()),
        1 => Just(KEY_MARK.to_owned()),
        1 => Just(concat!("RSA PRIVATE", " KEY-----").to_owned()),
        3 => "[ \"'=:@/?\r.-]{1,2}",
        3 => "\r?\n",
        2 => "[a-zA-Z0-9\u{e9}\u{2716}]{0,8}",
        1 => "\\PC{0,10}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn both_searches_find_and_mask_alike(pieces in prop::collection::vec(piece(), 0..16)) {
        let text = pieces.concat();
        prop_assert_eq!(first_line_with_one(&text), reference::first_line_with_one(&text), "{:?}", text);
        prop_assert_eq!(masked(&text), reference::masked(&text), "{:?}", text);
    }
}

#[test]
fn both_searches_answer_alike_on_every_command_of_the_cases() {
    for (_, hits, near_misses) in super::CASES {
        for text in hits.iter().chain(*near_misses) {
            assert_eq!(first_line_with_one(text), reference::first_line_with_one(text), "{text}");
            assert_eq!(masked(text), reference::masked(text), "{text}");
        }
    }
}
