//! The history: whatever is changed, removed, inserted or reordered is found and named; as-of; export.

use serde_json::json;

use plimsoll_gauges::audit;

use crate::support::{Lab, on_both};

/// Takes away the guards, as somebody with the file in hand can.
fn disarm(lab: &mut Lab) {
    let postgres = lab.session.store.kind() == plimsoll_store::DatabaseKind::Postgres;
    for (table, guards) in [
        ("gauge_history", &["update", "delete"][..]),
        ("gauge_history_subjects", &["update", "delete"]),
        ("gauge_history_head", &["delete", "forward"]),
        ("gauge_set_ids", &["update", "delete"]),
        ("gauge_set_members", &["delete", "frozen", "forward"]),
        ("gauges", &["delete"]),
    ] {
        for guard in guards {
            let on = if postgres { format!(" ON {table}") } else { String::new() };
            lab.session.store.execute(&format!("DROP TRIGGER {table}_guard_{guard}{on}"), &[]).unwrap();
        }
    }
    if postgres {
        lab.session
            .store
            .execute(
                "ALTER TABLE gauge_history_subjects DROP CONSTRAINT gauge_history_subjects_entry_fkey",
                &[],
            )
            .unwrap();
    } else {
        lab.session.store.execute("PRAGMA foreign_keys = OFF", &[]).unwrap();
    }
}

fn story(lab: &mut Lab) -> String {
    let set = lab.set("G1", "N1");
    lab.spare("G2", "go");
    lab.ok("replace", json!({"set": set, "old": "G1", "new": "G2"}));
    lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
    lab.try_as("uma", "return", json!({"set": set})).unwrap();
    lab.ok("qc", json!({"set": set, "result": "pass"}));
    set
}

#[test]
fn whatever_is_tampered_with_is_found_and_named() {
    on_both(|lab: &mut Lab| {
        story(lab);
        lab.sound();
        disarm(lab);
        let last = lab.last_entry();
        let middle = last - 3;
        let swap = format!(
            "UPDATE gauge_history SET entry = 100000 WHERE entry = {middle};
             UPDATE gauge_history SET entry = {middle} WHERE entry = {next};
             UPDATE gauge_history SET entry = {next} WHERE entry = 100000",
            next = middle + 1
        );
        let mut cases: Vec<(String, String)> =
            ["at", "actor", "operation", "set_id", "reason", "detail", "previous", "digest"]
                .iter()
                .map(|column| {
                    let value = if *column == "at" { "'2026-01-05T07:00:00.000Z'" } else { "'{}'" };
                    (
                        format!("UPDATE gauge_history SET {column} = {value} WHERE entry = {middle}"),
                        format!("line {middle}: "),
                    )
                })
                .collect();
        cases.extend([
            (format!("UPDATE gauge_history SET subjects = '[]' WHERE entry = {middle}"), format!("line {middle}: it was changed")),
            (format!("DELETE FROM gauge_history WHERE entry = {middle}"), format!("line {middle} is missing")),
            (format!("DELETE FROM gauge_history WHERE entry = {last}"), format!("line {last}: ")),
            ("DELETE FROM gauge_history WHERE entry = 1".into(), "line 1 is missing".into()),
            (swap, format!("line {middle}: it was changed")),
            (
                format!("INSERT INTO gauge_history SELECT {next}, at, actor, operation, set_id, reason, subjects, detail, previous, digest
                    FROM gauge_history WHERE entry = {last}", next = last + 1),
                format!("line {}: ", last + 1),
            ),
            (format!("DELETE FROM gauge_history_subjects WHERE entry = {middle}"), format!("line {middle}: it is about")),
            ("INSERT INTO gauge_history_subjects VALUES ('set:SP0001', 1)".into(), "line 1: the index".into()),
            ("DELETE FROM gauge_history_head".into(), format!("line {last}: the history ends")),
            ("UPDATE gauges SET status = 'available' WHERE serial = 'G1' OR serial = 'G2'".into(), String::new()),
            ("UPDATE gauges SET status = 'out_of_service' WHERE serial = 'G1'".into(), "gauge G1: status is \"out_of_service\"".into()),
            ("UPDATE gauges SET due_on = '2099-01-01' WHERE serial = 'N1'".into(), "gauge N1: due_on is".into()),
            ("UPDATE gauge_set_members SET serial = 'G1' WHERE serial = 'G2'".into(), "set SP0001: the membership of G1".into()),
            ("UPDATE gauge_set_members SET until_entry = NULL, until_at = NULL WHERE serial = 'G1' AND set_id = 'nothing'".into(), String::new()),
            ("DELETE FROM gauge_set_members WHERE serial = 'G1'".into(), "set SP0001: the membership of G1".into()),
            ("DELETE FROM gauge_set_ids".into(), "set SP0001: its ID is not in the ledger".into()),
        ]);
        for (statement, named) in cases {
            lab.session.store.begin(plimsoll_store::Access::ReadWrite).unwrap();
            lab.session.store.run_script(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
            let found = audit::verify(&mut lab.session).unwrap();
            lab.session.store.rollback().unwrap();
            if named.is_empty() {
                assert!(found.ok(), "{statement}: {:?}", found.problems);
            } else {
                assert!(
                    found.problems.iter().any(|problem| problem.contains(&named)),
                    "{statement}: {:?}",
                    found.problems
                );
            }
        }
        lab.sound();
    });
}

/// The engine's own undo would have to take lines of the history away, which the guards refuse: nothing is written.
#[test]
fn the_engines_undo_does_not_take_history_away() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let run = lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
        let mode = plimsoll_core::undo::UndoMode::Force;
        let runs = plimsoll_engine::change::undo::undo(&mut lab.session, &run, mode, &Default::default(), "")
            .unwrap();
        assert_eq!((runs[0].tally.applied, runs[0].tally.quarantined), (0, 1));
        assert_eq!(lab.status("G1"), "checked_out");
        lab.sound();
    });
}

/// What an auditor asks first: which gauges were in the set on that day, with which certificate.
#[test]
fn who_was_in_the_set_on_a_day() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.spare("G2", "go");
        lab.clock.add_days(10);
        lab.ok("replace", json!({"set": set, "old": "G1", "new": "G2"}));
        lab.clock.add_days(10);
        lab.ok("lose", json!({"serial": "N1"}));
        lab.clock.add_days(10);
        lab.ok("unpair", json!({"set": set}));
        let then = |lab: &mut Lab, at: &str| -> Vec<String> {
            let members = audit::members_at(&mut lab.session, &set, at).unwrap();
            members.iter().map(|member| member.serial.clone()).collect()
        };
        assert_eq!(then(lab, "2026-01-04"), Vec::<String>::new());
        assert_eq!(then(lab, "2026-01-05"), ["G1", "N1"]);
        assert_eq!(then(lab, "2026-01-14"), ["G1", "N1"]);
        assert_eq!(then(lab, "2026-01-15"), ["G2", "N1"]);
        assert_eq!(then(lab, "2026-01-25"), ["G2"]);
        assert_eq!(then(lab, "2026-02-05"), Vec::<String>::new());
        let members = audit::members_at(&mut lab.session, &set, "2026-01-14T12:00:00Z").unwrap();
        assert_eq!(members[0].certificate.as_deref(), Some("C-G1-go"));
        assert!(audit::members_at(&mut lab.session, &set, "last week").is_err());
    });
}

#[test]
fn the_history_of_a_set_and_of_a_gauge_is_whole_and_exported() {
    let lab = &mut Lab::sqlite();
    let set = story(lab);
    let of_set = audit::lines_about(&mut lab.session, &format!("set:{set}")).unwrap();
    let words: Vec<&str> = of_set.iter().map(|line| line.operation.as_str()).collect();
    assert_eq!(words, ["create-set", "replace", "check-out", "return", "qc"]);
    assert!(of_set.iter().all(|line| !line.reason.is_empty() && !line.actor.is_empty()));
    let of_gauge = audit::lines_about(&mut lab.session, "gauge:G1").unwrap();
    assert_eq!(of_gauge.len(), 2, "created, replaced");
    assert!(of_set[1].detail.contains("\"old\":\"G1\"") && of_set[1].detail.contains("\"new\":\"G2\""));
    let csv = audit::to_csv(&of_set);
    assert_eq!(csv.lines().count(), 6);
    assert!(csv.starts_with("entry,at,actor,operation,set_id,reason,subjects,detail,previous,digest\r\n"));
    let evil = plimsoll_gauges::history::Line { reason: "=1+1, \"x\"\n<b>".into(), ..of_set[0].clone() };
    assert!(audit::to_csv(std::slice::from_ref(&evil)).contains(",\"'=1+1, \"\"x\"\"\n<b>\","));
    let found = audit::verify(&mut lab.session).unwrap();
    let html = audit::to_html("Set <SP0001>", &[evil], &found);
    assert!(
        html.contains("Set &lt;SP0001&gt;") && html.contains("&lt;b&gt;") && html.contains("lines is whole")
    );
}
