//! The life of a set from its first day to its last, and who may do what in it.

use serde_json::json;

use crate::support::{Lab, on_both};

#[test]
fn a_set_lives_through_every_operation() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        assert_eq!(set, "SP0001");
        let out = json!({"set": set, "work_job": "J-1", "part": "P-9", "work_order": "W-3", "expected_on": "2026-01-09"});
        lab.try_as("uma", "check-out", out).unwrap();
        assert_eq!((lab.status("G1"), lab.status("N1")), ("checked_out".into(), "checked_out".into()));
        assert!(lab.refused("unpair", json!({"set": set})).contains("checked_out"));
        // Somebody else takes over, and returns for them only when they say so.
        lab.try_as("uma", "transfer", json!({"serial": "N1", "to": "ulf"})).unwrap();
        assert!(lab.refused_as("uma", "accept-transfer", json!({"set": set})).contains("[transfer.to]"));
        lab.try_as("ulf", "accept-transfer", json!({"set": set})).unwrap();
        assert_eq!(
            lab.number(
                "SELECT count(*) FROM gauge_checkouts WHERE returned_entry IS NULL AND holder = 'ulf'"
            ),
            2
        );
        assert!(lab.refused_as("quinn", "return", json!({"set": set})).contains("[return.acknowledged]"));
        lab.try_as("quinn", "return", json!({"set": set, "acknowledged": true})).unwrap();
        assert_eq!(lab.status("G1"), "pending_qc");
        lab.try_as("quinn", "qc", json!({"serial": "G1", "result": "pass"})).unwrap();
        assert!(
            lab.refused("qc", json!({"serial": "N1", "result": "fail", "rejection_reason": "mood"}))
                .contains("[qc.reason]")
        );
        lab.ok("qc", json!({"serial": "N1", "result": "fail", "rejection_reason": "worn"}));
        assert!(lab.refused("check-out", json!({"set": set})).contains("N1 is out_of_service"));

        // The worn one is replaced: same ID, the old one is a spare, the new one moves to the set.
        lab.spare("N2", "nogo");
        lab.ok("replace", json!({"set": set, "old": "N1", "new": "N2"}));
        assert_eq!((lab.set_of("N1"), lab.set_of("N2")), (None, Some(set.clone())));
        assert_eq!(lab.text("SELECT location FROM gauges WHERE serial = 'N2'").as_deref(), Some("A1"));
        lab.ok("move", json!({"serial": "G1", "location": "B2"}));
        assert_eq!(
            lab.text("SELECT location FROM gauges WHERE serial = 'N2'").as_deref(),
            Some("B2"),
            "both move"
        );
        lab.ok("out-of-service", json!({"serial": "N2"}));
        assert_eq!(lab.status("G1"), "out_of_service", "it takes its partner along");
        lab.ok("back-in-service", json!({"set": set}));

        // Calibration in seven steps, both gauges.
        lab.ok("open-batch", json!({"batch": "B-1", "kind": "external", "vendor": "Lab One"}));
        lab.ok("add-to-batch", json!({"batch": "B-1", "serials": "G1,N2"}));
        assert!(
            lab.refused("retire-set", json!({"set": set, "reason": "worn beyond its limits"}))
                .contains("[calibration.listed]")
        );
        lab.ok("send-batch", json!({"batch": "B-1"}));
        assert_eq!(lab.status("N2"), "out_for_calibration");
        for serial in ["G1", "N2"] {
            let today = lab.today();
            lab.ok(
                "receive",
                json!({"batch": "B-1", "serial": serial, "result": "pass", "calibrated_on": today,
                "laboratory": "Lab One", "as_found": "in", "in_tolerance": true, "as_left": "in"}),
            );
        }
        assert_eq!(lab.text("SELECT state FROM gauge_calibration_batches").as_deref(), Some("completed"));
        assert!(lab.refused("verify-certificate", json!({"set": set})).contains("[certificate.missing]"));
        for serial in ["G1", "N2"] {
            let today = lab.today();
            lab.ok("certify", json!({"serial": serial, "certificate": format!("C2-{serial}"), "laboratory": "Lab One", "issued_on": today}));
        }
        lab.ok("verify-certificate", json!({"set": set}));
        lab.ok("release", json!({"set": set, "location": "A1"}));
        assert_eq!(
            lab.number("SELECT count(*) FROM gauge_certificates WHERE superseded_entry IS NOT NULL"),
            2
        );
        // Sealed since calibration: its clock begins when it is unsealed.
        assert_eq!(lab.text("SELECT due_on FROM gauges WHERE serial = 'G1'"), None);
        assert!(lab.refused("check-out", json!({"set": set})).contains("[checkout.sealed]"));
        lab.clock.add_days(100);
        lab.try_as("uma", "ask-unseal", json!({"set": set})).unwrap();
        assert!(lab.refused("confirm-unseal", json!({"set": set})).contains("[unseal.request]"));
        lab.ok("approve-unseal", json!({"set": set}));
        lab.ok("confirm-unseal", json!({"set": set}));
        assert_eq!(lab.text("SELECT due_on FROM gauges WHERE serial = 'G1'").as_deref(), Some("2027-04-15"));

        lab.ok("retire-set", json!({"set": set, "reason": "worn beyond its limits"}));
        assert_eq!(
            (lab.status("G1"), lab.set_of("G1")),
            ("retired".into(), Some(set.clone())),
            "the row and its set stay"
        );
        assert!(lab.refused("check-out", json!({"set": set})).contains("[set.ended]"));
        lab.sound();
    });
}

#[test]
fn each_operation_asks_who_and_why() {
    let lab = &mut Lab::sqlite();
    let set = lab.set("G1", "N1");
    let before = lab.last_entry();
    assert!(lab.refused_as("uma", "unpair", json!({"set": set})).contains("[role]"));
    assert!(lab.refused_as("quinn", "retire-set", json!({"set": set})).contains("[role]"));
    assert!(lab.refused_as("nobody", "check-out", json!({"set": set})).contains("[actor]"));
    assert!(lab.refused("check-out", json!({"set": set, "reason": "  "})).contains("[reason]"));
    assert!(lab.refused("check-out", json!({"set": set, "hodler": "uma"})).contains("no field `hodler`"));
    assert!(lab.refused("pair", json!({"go": "G1"})).contains("the field `nogo` is missing"));
    lab.ok("keep-user", json!({"user": "uma", "full_name": "uma", "role": "user", "inactive": true}));
    assert!(lab.refused_as("uma", "check-out", json!({"set": set})).contains("not active"));
    assert_eq!(lab.last_entry(), before + 1, "a refusal is no line of history");
}

#[test]
fn nothing_is_written_when_one_row_cannot_be() {
    // D9: the move of the second gauge fails in the database; the first does not move either.
    let lab = &mut Lab::sqlite();
    let set = lab.set("G1", "N1");
    lab.session
        .store
        .run_script("CREATE TRIGGER broken BEFORE UPDATE ON gauges WHEN NEW.serial = 'N1' BEGIN SELECT RAISE(ABORT, 'broken'); END;")
        .unwrap();
    let (before, movements) = (lab.last_entry(), lab.number("SELECT count(*) FROM gauge_movements"));
    assert!(lab.refused("move", json!({"set": set, "location": "B2"})).contains("broken"));
    assert_eq!(lab.text("SELECT location FROM gauges WHERE serial = 'G1'").as_deref(), Some("A1"));
    assert_eq!((lab.last_entry(), lab.number("SELECT count(*) FROM gauge_movements")), (before, movements));
    lab.sound();
}

#[test]
fn an_operation_is_taken_back_until_something_else_happens() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.spare("G2", "go");
        lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
        let entry = lab.last_entry();
        lab.ok("take-back", json!({"entry": entry}));
        assert_eq!(lab.status("N1"), "available");
        assert_eq!(lab.number("SELECT count(*) FROM gauge_checkouts WHERE returned_entry IS NULL"), 0);
        lab.ok("replace", json!({"set": set, "old": "G1", "new": "G2"}));
        let replaced = lab.last_entry();
        lab.ok("take-back", json!({"entry": replaced}));
        assert_eq!((lab.set_of("G1"), lab.set_of("G2")), (Some(set.clone()), None));
        assert_eq!(lab.text("SELECT location FROM gauges WHERE serial = 'G2'").as_deref(), Some("B2"));
        lab.ok("lose", json!({"serial": "N1"}));
        let lost = lab.last_entry();
        lab.ok("take-back", json!({"entry": lost}));
        assert_eq!((lab.set_of("N1"), lab.status("N1")), (Some(set.clone()), "available".into()));
        assert!(lab.refused("take-back", json!({"entry": lost})).contains("[take_back.later]"));
        lab.ok("unpair", json!({"set": set}));
        let unpaired = lab.last_entry();
        assert!(lab.refused("take-back", json!({"entry": unpaired})).contains("[take_back.never]"));
        lab.ok("pair", json!({"go": "G1", "nogo": "N1", "location": "A1"}));
        let paired = lab.last_entry();
        lab.ok("take-back", json!({"entry": paired}));
        assert!(
            lab.refused("pair", json!({"go": "G1", "nogo": "N1", "location": "A1", "id": "SP0002"}))
                .contains("[set_id.used]")
        );
        lab.sound();
    });
}

#[test]
fn customers_gauges_and_clerical_errors() {
    on_both(|lab: &mut Lab| {
        let day = lab.today();
        let mut fields = crate::support::new_set("CG", "CN", &day);
        fields["ownership"] = json!("customer");
        fields["customer"] = json!("Acme");
        lab.ok("create-set", fields);
        lab.spare("G1", "go");
        let set = lab.set_of("CG").unwrap();
        assert!(
            lab.refused("replace", json!({"set": set, "old": "CG", "new": "G1"})).contains("[pair.owner]")
        );
        assert!(lab.refused("return-to-customer", json!({"serial": "G1"})).contains("[customer.owner]"));
        lab.ok("return-to-customer", json!({"serial": "CG"}));
        assert_eq!(
            (lab.status("CG"), lab.status("CN"), lab.set_of("CN")),
            ("returned".into(), "available".into(), None)
        );
        assert!(
            lab.refused("delete", json!({"serial": "G1", "reason": "do not like it"}))
                .contains("[delete.reason]")
        );
        lab.ok("delete", json!({"serial": "G1", "reason": "clerical error: wrong class"}));
        assert!(lab.refused("register", crate::support::spare("G1", "go", &day)).contains("[serial.used]"));
        let other = lab.set("G5", "N5");
        lab.ok("delete", json!({"set": other, "reason": "Clerical error, twice entered"}));
        let mut again = crate::support::new_set("G6", "N6", &day);
        again["id"] = json!(other);
        assert!(lab.refused("create-set", again).contains("[set_id.used]"));
        lab.sound();
    });
}
