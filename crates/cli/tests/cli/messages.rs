//! What strangers are told when something is wrong (HB-48): what happened, where, and what to do.

use crate::support::Desk;

#[test]
fn wrong_usage_says_what_and_hints_how() {
    let desk = Desk::generated(30, 3, 0, 61);
    let cases: [(&[&str], i32, &str); 8] = [
        (&["run", "nothing", "daily-update", "--source", "x"], 2, "there is no system `nothing`"),
        (&["run", "hearings", "nothing", "--source", "x"], 2, "has no change `nothing`"),
        (
            &["run", "hearings", "daily-update", "--source", "nowhere"],
            2,
            "neither an http address nor a folder",
        ),
        (&["run", "hearings", "daily-update"], 2, "no source is named"),
        (&["undo", "zz"], 2, "is no run id"),
        (&["undo", "abcdef"], 2, "there is no run `abcdef`"),
        (&["show", "abcdef"], 2, "nothing has the id"),
        (&["purge", "--before", "2020-01-01", "--nonsense"], 2, "unexpected argument"),
    ];
    for (words, code, text) in cases {
        let ended = desk.plimsoll(words);
        assert_eq!(ended.code, code, "{words:?}: {ended:?}");
        assert!(ended.err.contains(text), "{words:?}: {}", ended.err);
        assert!(ended.err.contains("hint:") || ended.err.contains("--help"), "{words:?}: {}", ended.err);
        assert!(ended.out.is_empty(), "talk goes to standard error: {}", ended.out);
    }
}

#[test]
fn a_wrong_store_or_setting_is_named() {
    let mut desk = Desk::generated(30, 3, 0, 62);
    let ended = desk.plimsoll_on("mysql://x", &["log"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("is not a store address") && ended.err.contains("hint:"), "{}", ended.err);
    let ended = desk.plimsoll_on("postgres://me:topsecret@127.0.0.1:1/none", &["log"]);
    assert_ne!(ended.code, 0);
    assert!(!ended.err.contains("topsecret"), "a password is never printed: {}", ended.err);
    desk.set("BATCH_SIZE", "many");
    let ended = desk.plimsoll(&["log"]);
    assert_eq!(ended.code, 2);
    assert!(ended.err.contains("BATCH_SIZE is `many`"), "{}", ended.err);
    desk.set("BATCH_SIZE", "0");
    assert_eq!(desk.plimsoll(&["log"]).code, 2);
}

#[test]
fn a_source_that_does_not_answer_leaves_the_store_as_it_was() {
    let desk = Desk::generated(30, 3, 0, 63);
    let before = desk.digest();
    let ended =
        desk.plimsoll(&["run", "hearings", "daily-update", "--source", "http://127.0.0.1:9", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.err.contains("127.0.0.1:9"), "{}", ended.err);
    assert_eq!(desk.digest(), before);
    assert_eq!(desk.figure("SELECT count(*) FROM plimsoll_plan"), 0, "no half-made plan is left");
}

#[test]
fn every_quarantined_record_says_what_where_and_what_to_do() {
    let desk = Desk::generated(200, 20, 20, 64);
    desk.update(&["--batch-size", "20"]);
    let items = desk.quarantined();
    assert_eq!(items.len(), 20);
    for item in items {
        let reason = item["reason"].as_str().unwrap();
        assert!(!item["class"].as_str().unwrap().is_empty());
        assert!(reason.len() > 20, "{reason}");
        let database =
            ["check", "unique", "not_null", "foreign_key"].contains(&item["class"].as_str().unwrap());
        assert!(reason.contains("hint:") || database, "{reason}");
    }
}
