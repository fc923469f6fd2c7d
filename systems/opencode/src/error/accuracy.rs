//! How often the rules agree with a person, on texts that a person labeled.
//!
//! Owns the measurement: it prints the share for the texts that the rules were written with, and for those held out,
//! with every disagreement.

use std::collections::BTreeMap;

use super::{Category, Failure, FailureSource, classify};

const LABELLED: &str = include_str!("labelled.tsv");
/// Of all texts, in hundredths.
const REQUIRED: usize = 95;
/// Of the texts held out, in hundredths: what was measured when they were written, rounded down.
const REQUIRED_HELD_OUT: usize = 87;

pub(super) struct Labelled<'a> {
    set: &'a str,
    category: Category,
    pub(super) failure: Failure<'a>,
}

fn read(line: &'static str, texts: &'static [String], at: usize) -> Labelled<'static> {
    let fields: Vec<_> = line.splitn(7, '\t').collect();
    let [set, category, source, subject, exit, status, _] = fields[..] else { panic!("fields: {line}") };
    let source = match source {
        "tool" => FailureSource::ToolError,
        "bash" => FailureSource::BashExit,
        "message" => FailureSource::MessageError,
        other => panic!("source {other}: {line}"),
    };
    let is_message = source == FailureSource::MessageError;
    let failure = Failure {
        source,
        tool: if is_message { "" } else { subject },
        name: if is_message { subject } else { "" },
        text: &texts[at],
        exit: exit.parse().ok(),
        status_code: status.parse().ok(),
    };
    let category = Category::from_name(category).unwrap_or_else(|| panic!("category {category}: {line}"));
    Labelled { set, category, failure }
}

pub(super) fn all() -> Vec<Labelled<'static>> {
    let lines: Vec<&'static str> = LABELLED.lines().filter(|line| !line.starts_with('#')).collect();
    let texts: Vec<String> = lines
        .iter()
        .map(|line| line.rsplit('\t').next().unwrap_or_default().replace("\\n", "\n").replace("\\t", "\t"))
        .collect();
    let texts: &'static [String] = Vec::leak(texts);
    lines.iter().enumerate().map(|(at, line)| read(line, texts, at)).collect()
}

#[test]
fn the_rules_agree_with_a_person_on_at_least_95_of_100_texts() {
    let labelled = all();
    let mut right: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for Labelled { set, category, failure } in &labelled {
        let found = classify(failure);
        let (agreed, of) = right.entry(set).or_default();
        *of += 1;
        if found.category == *category {
            *agreed += 1;
        } else {
            let first: String = failure.text.chars().take(90).collect();
            println!(
                "{set}: a person says {category}, rule {} says {}: {first:?}",
                found.rule, found.category
            );
        }
    }
    let mut sum = (0, 0);
    for (set, (agreed, of)) in &right {
        println!("{set}: {agreed} of {of}");
        sum = (sum.0 + agreed, sum.1 + of);
    }
    let (agreed, of) = right["held_out"];
    assert!(agreed * 100 >= of * REQUIRED_HELD_OUT, "held out: {agreed} of {of}");
    println!("all: {} of {} in {} categories", sum.0, sum.1, Category::ALL.len());
    assert!(labelled.len() >= 220, "{} texts", labelled.len());
    assert!(sum.0 * 100 >= sum.1 * REQUIRED, "{} of {}", sum.0, sum.1);
}

#[test]
fn a_third_is_held_out_and_every_category_is_among_the_texts() {
    let labelled = all();
    let held_out = labelled.iter().filter(|labelled| labelled.set == "held_out").count();
    assert!(held_out * 3 >= labelled.len(), "{held_out} of {}", labelled.len());
    for category in Category::ALL {
        assert!(labelled.iter().any(|labelled| labelled.category == *category), "{category}");
    }
    let mut texts: Vec<_> = labelled.iter().map(|labelled| format!("{:?}", labelled.failure)).collect();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), labelled.len(), "a text stands there twice");
}
