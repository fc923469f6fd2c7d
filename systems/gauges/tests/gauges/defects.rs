//! The sixteen defects of the earlier system, each by its number: none of them is in this one.

use plimsoll_gauges::model::{Side, Status};
use plimsoll_gauges::operation::OPERATIONS;
use plimsoll_gauges::rules::machine::Step;
use serde_json::{Value as Json, json};

use crate::support::{Lab, new_set, on_both};

/// D1: after retiring or unpairing, the next number is given out, never a gap, never an old one.
#[test]
fn d1_automatic_ids_go_on_after_retiring_and_unpairing() {
    on_both(|lab: &mut Lab| {
        for turn in 1..=4 {
            let (go, nogo) = (format!("G{turn}"), format!("N{turn}"));
            let set = lab.set(&go, &nogo);
            assert_eq!(set, format!("SP{turn:04}"), "the next number");
            match turn % 3 {
                0 => lab.ok("unpair", json!({"set": set})),
                1 => lab.ok("retire-set", json!({"set": set, "reason": "worn beyond its limits"})),
                _ => lab.ok("delete", json!({"set": set, "reason": "clerical error"})),
            };
        }
        // A typed number further on is passed by, too.
        let mut typed = new_set("G8", "N8", &lab.today());
        typed["id"] = json!("sp0010");
        lab.ok("create-set", typed);
        assert_eq!(lab.set("G9", "N9"), "SP0011");
    });
}

/// D2: an ID that was used is refused on every path by which a set can come to be.
#[test]
fn d2_reuse_is_refused_on_every_path() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.ok("unpair", json!({"set": set}));
        let typed = |go: &str, nogo: &str, lab: &Lab| {
            let mut fields = new_set(go, nogo, &lab.today());
            fields["id"] = json!("SP0001");
            fields
        };
        let why = lab.refused("create-set", typed("G2", "N2", lab));
        assert!(
            why.contains("[set_id.used]")
                && why.contains("unpaired at 2026-01-05")
                && why.contains("SP0002 is free"),
            "{why}"
        );
        assert!(
            lab.refused("pair", json!({"go": "G1", "nogo": "N1", "location": "A1", "id": "SP0001"}))
                .contains("[set_id.used]")
        );
        for other in ["SP1", "SP00001", "SP0001-LH", "SR0001", "0001", "SP-0001"] {
            let refused =
                lab.refused("pair", json!({"go": "G1", "nogo": "N1", "location": "A1", "id": other}));
            assert!(refused.contains("[set_id.form]"), "{other}: {refused}");
        }
        // Off: it is given out, and marked in the ledger and in the history.
        lab.reuse_check(false);
        lab.ok("create-set", typed("G2", "N2", lab));
        assert_eq!(lab.number("SELECT count(*) FROM gauge_set_ids WHERE set_id = 'SP0001' AND issue = 2 AND NOT reuse_checked"), 1);
        assert_eq!(
            lab.number(
                "SELECT count(*) FROM gauge_history WHERE detail LIKE '%\"set_id_reuse_check\":\"off\"%'"
            ),
            1
        );
        assert!(
            lab.refused("create-set", typed("G3", "N3", lab)).contains("[set_id.live]"),
            "not while it is in use"
        );
        lab.reuse_check(true);
        lab.ok("unpair", json!({"set": "SP0001"}));
        assert!(lab.refused("create-set", typed("G3", "N3", lab)).contains("[set_id.used]"));
        lab.sound();
    });
}

/// D3: the question whether an ID was used is answered from an index.
#[test]
fn d3_the_historical_check_uses_an_index() {
    let lab = &mut Lab::sqlite();
    for sql in [
        "SELECT issue FROM gauge_set_ids WHERE set_id = 'SP0001'",
        "SELECT entry FROM gauge_history_subjects WHERE subject = 'set:SP0001'",
        "SELECT entry FROM gauge_history WHERE set_id = 'SP0001' ORDER BY entry",
    ] {
        let plan = lab.rows(&format!("EXPLAIN QUERY PLAN {sql}"));
        let text = format!("{plan:?}");
        assert!(text.contains("SEARCH") && !text.contains("SCAN"), "{sql}: {text}");
    }
}

/// D4: replace compares everything, the side too, and asks where every gauge is.
#[test]
fn d4_replace_refuses_what_does_not_fit() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let day = lab.today();
        let mut made = 0;
        let mut spare = |lab: &mut Lab, changes: Json| {
            made += 1;
            let serial = format!("X{made}");
            let mut fields = crate::support::spare(&serial, "go", &day);
            for (name, value) in changes.as_object().unwrap() {
                fields[name] = value.clone();
            }
            lab.ok("register", fields);
            serial
        };
        for (changes, rule) in [
            (json!({"thread_size": ".250-28"}), "pair.size"),
            (json!({"thread_class": "3B"}), "pair.class"),
            (json!({"thread_form": "UN"}), "pair.form"),
            (json!({"hand": "LH"}), "pair.hand"),
            (json!({"side": "nogo"}), "pair.side"),
            (json!({"category": "SR"}), "pair.gauge_type"),
            (json!({"category": "MP", "thread_form": null}), "pair.type"),
            (json!({"ownership": "customer", "customer": "Acme"}), "pair.owner"),
            (json!({"ownership": "employee", "employee": "Bo"}), "pair.owner"),
        ] {
            let new = spare(lab, changes);
            let why = lab.refused("replace", json!({"set": set, "old": "G1", "new": new}));
            assert!(why.contains(&format!("[{rule}]")), "{rule}: {why}");
        }
        let good = spare(lab, json!({}));
        lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
        let why = lab.refused("replace", json!({"set": set, "old": "G1", "new": good}));
        assert!(why.contains("[replace.checked_out]"), "{why}");
        assert!(why.contains("gauge N1 is checked out"), "each is named: {why}");
    });
}

/// D5 and D6: a lost gauge leaves its set incomplete, under its ID; a spare completes it again.
#[test]
fn d5_d6_lost_then_incomplete_then_replaced_under_the_same_id() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.spare("N2", "nogo");
        lab.ok("lose", json!({"serial": "N1"}));
        assert_eq!(
            (lab.set_of("G1"), lab.set_of("N1")),
            (Some(set.clone()), None),
            "the partner stays, the lost one does not"
        );
        assert_eq!(lab.text(&format!("SELECT ended FROM gauge_sets WHERE set_id = '{set}'")), None);
        assert!(lab.refused("check-out", json!({"set": set})).contains("the NO-GO is missing"));
        assert!(
            lab.refused("retire-set", json!({"set": set, "reason": "worn beyond its limits"}))
                .contains("[retire.two]")
        );
        lab.ok("replace", json!({"set": set, "new": "N2"}));
        lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
        lab.ok("find", json!({"serial": "N1", "location": "QC"}));
        assert_eq!(lab.status("N1"), "pending_qc");
        // Failing calibration is the same rule.
        lab.try_as("uma", "return", json!({"set": set})).unwrap();
        lab.ok("qc", json!({"set": set, "result": "pass"}));
        lab.ok("open-batch", json!({"batch": "B", "kind": "internal"}));
        lab.ok("add-to-batch", json!({"batch": "B", "serials": "G1"}));
        lab.ok("send-batch", json!({"batch": "B"}));
        let today = lab.today();
        lab.ok("receive", json!({"batch": "B", "serial": "G1", "result": "fail", "calibrated_on": today, "laboratory": "L", "as_found": "worn", "as_left": "worn"}));
        assert_eq!((lab.status("G1"), lab.set_of("N2")), ("retired".into(), Some(set.clone())));
        lab.spare("G2", "go");
        lab.ok("replace", json!({"set": set, "new": "G2"}));
        lab.sound();
    });
}

/// D7 and D8: every operation on a member in every status does what the matrix says, no more and no less.
#[test]
fn d7_every_cell_of_the_matrix() {
    let lab = &mut Lab::sqlite();
    let cases: &[(&str, Step, Json)] = &[
        ("check-out", Step::CheckOut, json!({})),
        ("return", Step::Return, json!({})),
        ("move", Step::Move, json!({"location": "B2"})),
        ("out-of-service", Step::OutOfService, json!({})),
        ("back-in-service", Step::BackInService, json!({})),
        ("qc", Step::QcPass, json!({"result": "pass"})),
        ("qc", Step::QcFail, json!({"result": "fail", "rejection_reason": "worn"})),
        ("unpair", Step::Leave, json!({})),
        ("retire-set", Step::Retire, json!({"reason": "worn beyond its limits"})),
        ("delete", Step::Delete, json!({"reason": "clerical error"})),
    ];
    let mut cells = 0;
    for (name, step, fields) in cases {
        for status in Status::ALL.iter().filter(|status| !status.is_final() && **status != Status::Lost) {
            cells += 1;
            let (go, nogo) = (format!("G{cells}"), format!("N{cells}"));
            let set = lab.set(&go, &nogo);
            let forced = format!("UPDATE gauges SET status = '{status}' WHERE set_id = '{set}'");
            lab.session.store.execute(&forced, &[]).unwrap();
            let mut fields = fields.clone();
            fields["set"] = json!(set);
            let answer = lab.try_as("ada", name, fields);
            match step.from(*status) {
                Some(to) => {
                    answer.unwrap_or_else(|why| panic!("{name} from {status}: {why}"));
                    assert_eq!(
                        (lab.status(&go), lab.status(&nogo)),
                        (to.to_string(), to.to_string()),
                        "D8: both, {name}"
                    );
                }
                None => {
                    let why = answer.expect_err(&format!("{name} from {status}"));
                    assert!(why.contains("[status]"), "{name} from {status}: {why}");
                    assert_eq!(lab.status(&go), status.as_str());
                }
            }
        }
    }
    assert_eq!(cells, 90);
}

/// D8: who takes one member takes both, and who brings one back brings both.
#[test]
fn d8_both_members_go_and_come_together() {
    on_both(|lab: &mut Lab| {
        lab.set("G1", "N1");
        lab.try_as("uma", "check-out", json!({"serial": "G1"})).unwrap();
        assert_eq!((lab.status("G1"), lab.status("N1")), ("checked_out".into(), "checked_out".into()));
        lab.try_as("uma", "return", json!({"serial": "N1"})).unwrap();
        assert_eq!((lab.status("G1"), lab.status("N1")), ("pending_qc".into(), "pending_qc".into()));
        lab.spare("N2", "nogo");
        assert!(lab.refused("check-out", json!({"serial": "N2"})).contains("[checkout.complete]"));
        lab.sound();
    });
}

/// D9: nothing moves when one of two cannot (see also `life::nothing_is_written_when_one_row_cannot_be`).
#[test]
fn d9_a_move_is_all_or_nothing() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.session
            .store
            .execute("UPDATE gauges SET status = 'checked_out' WHERE serial = 'N1'", &[])
            .unwrap();
        assert!(lab.refused("move", json!({"set": set, "location": "B2"})).contains("[status]"));
        assert_eq!(lab.text("SELECT location FROM gauges WHERE serial = 'G1'").as_deref(), Some("A1"));
        assert!(lab.refused("move", json!({"set": set, "location": "nowhere"})).contains("[place]"));
        assert_eq!(lab.number("SELECT count(*) FROM gauge_movements"), 2, "registered, both");
    });
}

/// D10: a gauge is paired once.
#[test]
fn d10_a_gauge_is_in_one_set_at_a_time() {
    on_both(|lab: &mut Lab| {
        lab.set("G1", "N1");
        lab.spare("N2", "nogo");
        let why = lab.refused("pair", json!({"go": "G1", "nogo": "N2", "location": "A1"}));
        assert!(why.contains("[pair.spare]"), "{why}");
        let forced = "INSERT INTO gauge_set_members (set_id, side, from_entry, from_at, serial) VALUES ('SP0001', 'go', 99, '2026-01-05T08:00:00.000Z', 'G1')";
        assert_eq!(lab.session.store.execute(forced, &[]).unwrap_err().class.as_str(), "unique");
    });
}

/// D11: an inconsistent state is reported, by name, and an operation does not put it right in passing.
#[test]
fn d11_what_is_inconsistent_is_reported_and_not_corrected() {
    let lab = &mut Lab::sqlite();
    let set = lab.set("G1", "N1");
    lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
    lab.session
        .store
        .execute("UPDATE gauges SET status = 'calibration_due' WHERE serial = 'N1'", &[])
        .unwrap();
    assert!(lab.refused_as("uma", "return", json!({"set": set})).contains("gauge N1 is calibration_due"));
    assert_eq!((lab.status("G1"), lab.status("N1")), ("checked_out".into(), "calibration_due".into()));
    let found = plimsoll_gauges::audit::verify(&mut lab.session).unwrap();
    assert_eq!(
        found.problems,
        ["gauge N1: status is \"calibration_due\", and the history says \"checked_out\""]
    );
}

/// D13: the partner of a gauge is found by membership; releasing a set releases both.
#[test]
fn d13_a_set_is_released_together() {
    on_both(|lab: &mut Lab| {
        // IDs of sets and serials look alike and do not match by chance.
        let set = lab.set("SP0002", "SP0003");
        assert_eq!(set, "SP0001");
        lab.set("SP0001", "X9");
        lab.ok("open-batch", json!({"batch": "B", "kind": "internal"}));
        lab.ok("add-to-batch", json!({"batch": "B", "serials": ["SP0002", "SP0003"]}));
        lab.ok("send-batch", json!({"batch": "B"}));
        let today = lab.today();
        let receive = |serial: &str| {
            json!({"batch": "B", "serial": serial, "result": "pass", "calibrated_on": today,
            "laboratory": "L", "as_found": "in", "in_tolerance": true, "as_left": "in"})
        };
        let certify = |serial: &str| json!({"serial": serial, "certificate": format!("D-{serial}"), "laboratory": "L", "issued_on": today});
        lab.ok("receive", receive("SP0002"));
        lab.ok("certify", certify("SP0002"));
        lab.ok("verify-certificate", json!({"serial": "SP0002"}));
        assert!(
            lab.refused("release", json!({"serial": "SP0002", "location": "A1"})).contains("[release.both]")
        );
        lab.ok("receive", receive("SP0003"));
        lab.ok("certify", certify("SP0003"));
        lab.ok("verify-certificate", json!({"set": set}));
        lab.ok("release", json!({"serial": "SP0003", "location": "A1"}));
        assert_eq!((lab.status("SP0002"), lab.status("SP0003")), ("available".into(), "available".into()));
        assert_eq!(lab.text("SELECT state FROM gauge_calibration_batches").as_deref(), Some("completed"));
        lab.sound();
    });
}

/// D15: what was planned and never built is there (views, metrics and routes are tested where they are).
#[test]
fn d15_what_was_planned_is_there() {
    let names: Vec<&str> = OPERATIONS.iter().map(|operation| operation.name).collect();
    for name in ["replace", "unpair", "retire-set", "pair", "lose", "take-back"] {
        assert!(names.contains(&name), "{name}");
    }
    let lab = &mut Lab::sqlite();
    let set = lab.set("G1", "N1");
    lab.ok("lose", json!({"serial": "G1"}));
    let history = plimsoll_gauges::audit::lines_about(&mut lab.session, &format!("set:{set}")).unwrap();
    assert_eq!(history.len(), 2);
    let today = lab.today();
    let incomplete = plimsoll_gauges::register::incomplete(&mut lab.session, &today).unwrap();
    assert_eq!((incomplete.len(), incomplete[0].missing.as_slice()), (1, &[Side::Go][..]));
}

/// D16: no operation changes a serial, in the code and in the database.
#[test]
fn d16_a_serial_is_what_is_engraved() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("ENGRAVED-1", "ENGRAVED-2");
        lab.spare("ENGRAVED-3", "go");
        lab.ok("replace", json!({"set": set, "old": "ENGRAVED-1", "new": "ENGRAVED-3"}));
        lab.ok("unpair", json!({"set": set}));
        lab.ok("pair", json!({"go": "ENGRAVED-1", "nogo": "ENGRAVED-2", "location": "A1"}));
        let serials: Vec<String> = lab
            .rows("SELECT serial FROM gauges ORDER BY serial")
            .iter()
            .map(|row| row[0].as_text().unwrap().to_owned())
            .collect();
        assert_eq!(serials, ["ENGRAVED-1", "ENGRAVED-2", "ENGRAVED-3"]);
    });
}
