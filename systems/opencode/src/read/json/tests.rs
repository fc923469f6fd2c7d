//! Tests of the tape against serde_json.

use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::*;

/// What serde makes of the value, with halves of pairs read as we do.
fn rebuild(json: Json<'_>) -> Value {
    match json.kind() {
        Kind::Object => Value::Object(
            json.entries().map(|(key, value)| (key.text().unwrap().into(), rebuild(value))).collect(),
        ),
        Kind::Array => Value::Array(json.items().map(rebuild).collect()),
        Kind::String | Kind::EscapedString => Value::String(json.text().unwrap().into()),
        _ => serde_json::from_str(json.raw()).unwrap(),
    }
}

fn same_as_serde(text: &str) {
    let ours = Tape::new(text);
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => {
            let tape = ours.unwrap_or_else(|_| panic!("refused: {text:?}"));
            assert_eq!(tape.root().raw(), text.trim_matches([' ', '\n', '\r', '\t']), "{text:?}");
            if let Ok(value) = serde_json::from_str::<Value>(text) {
                assert_eq!(rebuild(tape.root()), value, "{text:?}");
            }
        }
        Err(error) => assert!(ours.is_err(), "taken: {text:?}, serde says {error}"),
    }
}

#[test]
fn the_same_texts_are_taken_as_by_serde() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "{}",
        "[]",
        "[ ]",
        "{ }",
        "[1,]",
        "[,1]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1}",
        "{\"a\":1 \"b\":2}",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "nul",
        "null",
        "nullx",
        "truee",
        "-",
        "-0",
        "01",
        "1.",
        ".1",
        "1e",
        "1e+",
        "1e5",
        "1E-5",
        "-1.5e+3",
        "1 2",
        "\"",
        "\"a",
        "\"\\",
        "\"\\u12",
        "\"\\u12g4\"",
        "\"\\x\"",
        "\"\\u0041\"",
        "\"\\ud83d\\ude00\"",
        "\"tab\there\"",
        "\"tab\\there\"",
        "\"ä\u{1f600}\"",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":[]}",
        "{\"a\":1,\"a\":2}",
        "{\"\\u0061\":1}",
        "\u{feff}{}",
        "{\n  \"a\" : [ true , false , null ]\r\n}\t",
        "\"123456789\\n123456\\\"7\\\\89\"",
        "\"12345678\u{1}\"",
        "[[[[]]]]",
    ] {
        same_as_serde(text);
    }
}

#[test]
fn half_a_pair_is_replaced() {
    for (text, expected) in [
        (r#""cut \ud83d""#, "cut \u{fffd}"),
        (r#""\ude00 cut""#, "\u{fffd} cut"),
        (r#""\ud83dx""#, "\u{fffd}x"),
        (r#""\ud83d\u0041""#, "\u{fffd}A"),
        (r#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
    ] {
        let tape = Tape::new(text).unwrap();
        assert_eq!(tape.root().text().unwrap(), expected, "{text}");
    }
}

#[test]
fn depth_has_no_limit() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let tape = Tape::new(&deep).unwrap();
    assert_eq!(tape.root().items().count(), 1);
    assert!(Tape::new(&deep[..399_999]).is_err());
}

#[test]
fn a_key_is_found_however_it_is_written_and_the_last_wins() {
    let tape = Tape::new(r#"{"a":1,"\u0062":"x","a":3,"deep":{"a":4}}"#).unwrap();
    let root = tape.root();
    assert_eq!(root.integer_of("a"), Some(3));
    assert_eq!(root.text_of("b").as_deref(), Some("x"));
    assert_eq!(root.get("deep").unwrap().raw(), r#"{"a":4}"#);
    assert!(root.get("c").is_none());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[a-z\"\\\\\n\t\u{1}\u{1f600} ]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        same_as_serde(&text);
    }

    #[test]
    fn a_damaged_text_is_judged_as_serde_does(value in any_json(), at in any::<prop::sample::Index>(), with in any::<char>()) {
        let text = serde_json::to_string(&value).unwrap();
        let mut letters: Vec<char> = text.chars().collect();
        let at = at.index(letters.len());
        same_as_serde(&letters[..at].iter().collect::<String>());
        letters[at] = with;
        same_as_serde(&letters.iter().collect::<String>());
    }

    #[test]
    fn any_text_is_judged_as_serde_does(text in "[\\[\\]{}:,\"\\\\0-9eE+.tfn alseru-]{0,24}") {
        same_as_serde(&text);
    }
}
