//! What people ask: is this ID free, what is incomplete and how is it repaired, what is due, what did this gauge touch.

use plimsoll_gauges::model::Side;
use plimsoll_gauges::register;
use plimsoll_gauges::rules::set_state::Membership;
use serde_json::json;

use crate::support::{Lab, on_both, spare};

#[test]
fn incomplete_sets_with_their_candidates() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let whole = lab.set("G2", "N2");
        let day = lab.today();
        lab.spare("N8", "nogo");
        lab.ok("register", spare("N9", "nogo", &day));
        let mut wrong = spare("N7", "nogo", &day);
        wrong["thread_class"] = json!("3B");
        lab.ok("register", wrong);
        lab.spare("G9", "go");
        assert!(register::incomplete(&mut lab.session, &day).unwrap().is_empty());
        lab.ok("lose", json!({"serial": "N1"}));
        lab.clock.add_days(9);
        let today = lab.today();
        let found = register::incomplete(&mut lab.session, &today).unwrap();
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!(
            (one.set_id.as_str(), one.missing.as_slice(), one.remaining.as_deref()),
            (set.as_str(), &[Side::NoGo][..], Some("G1"))
        );
        assert_eq!((one.location.as_deref(), one.age_days), (Some("A1"), 9));
        let ranked: Vec<(&str, bool)> =
            one.candidates.iter().map(|candidate| (candidate.serial.as_str(), candidate.fits)).collect();
        assert_eq!(ranked[..2], [("N9", true), ("N8", true)], "the one on the set's shelf first");
        let reasons: Vec<(&str, Vec<&str>)> = one.candidates[2..]
            .iter()
            .map(|candidate| {
                (candidate.serial.as_str(), candidate.refused.iter().map(|refused| refused.rule).collect())
            })
            .collect();
        assert_eq!(reasons, [("N7", vec!["pair.class"]), ("G9", vec!["pair.side"])]);
        let view = register::set(&mut lab.session, &set, &today).unwrap();
        assert_eq!(view.state.membership, Membership::Incomplete { missing: vec![Side::NoGo] });
        assert!(register::set(&mut lab.session, &whole, &today).unwrap().state.usable);
        assert!(register::set(&mut lab.session, "SP7777", &today).is_err());
        // Both lost: still the same set, and the first of two replacements fills the GO.
        lab.ok("lose", json!({"serial": "G1"}));
        let found = register::incomplete(&mut lab.session, &today).unwrap();
        assert_eq!(found[0].missing, [Side::Go, Side::NoGo]);
        assert!(lab.refused("replace", json!({"set": set, "new": "G9"})).contains("[place]"));
        lab.ok("replace", json!({"set": set, "new": "G9", "location": "A1"}));
        lab.ok("replace", json!({"set": set, "new": "N9"}));
        assert!(register::incomplete(&mut lab.session, &today).unwrap().is_empty());
        lab.sound();
    });
}

#[test]
fn whether_an_id_is_free() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let check = |lab: &mut Lab, id: &str| register::check_availability(&mut lab.session, id).unwrap();
        assert!(check(lab, "SP0002").available);
        let used = check(lab, "sp0001");
        assert!(!used.available && used.reason.unwrap().contains("in use"));
        assert_eq!(used.suggestion.as_deref(), Some("SP0002"));
        lab.ok("unpair", json!({"set": set}));
        assert!(check(lab, "SP0001").reason.unwrap().contains("unpaired"));
        assert!(check(lab, "SP1").reason.unwrap().contains("written SP0001"));
        assert!(check(lab, "ZZ0001").reason.unwrap().contains("no category"));
    });
}

#[test]
fn what_is_due_and_who_has_it() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.ok("set-interval", json!({"serial": "N1", "interval_days": "20"}));
        lab.ok("set-interval", json!({"serial": "G1", "interval_days": "30"}));
        let today = lab.today();
        let alerts = register::alerts(&mut lab.session, &today).unwrap();
        assert_eq!(
            alerts.iter().map(|due| (due.serial.as_str(), due.days)).collect::<Vec<_>>(),
            [("G1", Some(30))]
        );
        lab.try_as("uma", "check-out", json!({"set": set})).unwrap();
        lab.clock.add_days(21);
        let today = lab.today();
        let overdue = register::overdue(&mut lab.session, &today).unwrap();
        assert_eq!(overdue.len(), 1);
        assert_eq!(
            (overdue[0].serial.as_str(), overdue[0].days, overdue[0].holder.as_deref()),
            ("N1", Some(-1), Some("uma"))
        );
        let view = register::set(&mut lab.session, &set, &today).unwrap();
        assert!(!view.state.usable);
        lab.try_as("uma", "return", json!({"set": set})).unwrap();
        lab.ok("qc", json!({"set": set, "result": "pass"}));
        assert!(lab.refused("check-out", json!({"set": set})).contains("[checkout.overdue]"));
        assert!(lab.refused("fall-due", json!({"serials": "G1"})).contains("[due]"));
        lab.ok("fall-due", json!({"serials": "N1"}));
        assert_eq!(
            (lab.status("N1"), lab.status("G1")),
            ("calibration_due".into(), "available".into()),
            "its partner stays as it is"
        );
        lab.sound();
    });
}

/// Found out of tolerance: who had it, for which job and part, since its last good calibration; then the case is closed.
#[test]
fn an_out_of_tolerance_case_from_finding_to_closure() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        let use_it = |lab: &mut Lab, who: &str, job: &str| {
            lab.try_as(
                who,
                "check-out",
                json!({"set": set, "work_job": job, "part": "P-1", "work_order": "W-1"}),
            )
            .unwrap();
            lab.clock.add_days(2);
            lab.try_as(who, "return", json!({"set": set})).unwrap();
            lab.ok("qc", json!({"set": set, "result": "pass"}));
        };
        lab.clock.add_days(3);
        use_it(lab, "uma", "J-1");
        use_it(lab, "ulf", "J-2");
        let standard = json!({"serial": "STD", "category": "CS", "name": "setting plug", "location": "QC",
            "certified_on": lab.today(), "certificate": "NMI-7", "laboratory": "Institute"});
        lab.ok("register", standard);
        lab.ok("open-batch", json!({"batch": "B", "kind": "internal"}));
        lab.ok("add-to-batch", json!({"batch": "B", "serials": "G1"}));
        lab.ok("send-batch", json!({"batch": "B"}));
        let day = lab.today();
        let mut finding = json!({"batch": "B", "serial": "G1", "result": "pass", "calibrated_on": day, "laboratory": "Own",
            "as_found": "pitch diameter 0.0004 under", "as_left": "reset", "standards": ["STD"]});
        finding["standards"] = json!(["N1"]);
        assert!(lab.refused("receive", finding.clone()).contains("[standard.kind]"));
        finding["standards"] = json!(["STD"]);
        lab.ok("receive", finding);
        let case = lab.number("SELECT case_entry FROM gauge_tolerance_cases");
        let touched = register::touched(&mut lab.session, case).unwrap();
        let jobs: Vec<(&str, Option<&str>)> =
            touched.iter().map(|one| (one.holder.as_str(), one.work_job.as_deref())).collect();
        assert_eq!(jobs, [("uma", Some("J-1")), ("ulf", Some("J-2"))]);
        assert_eq!(
            (touched[0].part.as_deref(), touched[0].department.as_deref()),
            (Some("P-1"), Some("shop"))
        );
        let chain = register::chain(&mut lab.session, "G1").unwrap();
        assert_eq!(
            (chain.len(), chain[0].standard.as_str(), chain[0].standard_certificate.as_deref()),
            (1, "STD", Some("NMI-7"))
        );
        let number = case.to_string();
        assert!(lab.refused("close-case", json!({"case": number})).contains("[case.state]"));
        assert!(
            lab.refused("notify-case", json!({"case": number, "notified": "customer"}))
                .contains("[case.state]")
        );
        lab.ok("dispose-case", json!({"case": number, "disposition": "12 parts sorted, 1 scrapped"}));
        lab.ok("notify-case", json!({"case": number, "notified": "customer, quality manager"}));
        assert!(lab.refused_as("quinn", "close-case", json!({"case": number})).contains("[role]"));
        lab.try_as("sue", "close-case", json!({"case": number})).unwrap();
        lab.sound();
    });
}
