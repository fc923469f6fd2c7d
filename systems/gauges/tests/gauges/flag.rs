//! The reuse check as a flag of the control store: on by default, asked inside the operation, told when it is off.

use plimsoll_engine::flag::{How, change};
use plimsoll_gauges::facts::REUSE_CHECK;
use serde_json::json;

use crate::support::{Lab, new_set, on_both, perform};

#[test]
fn without_a_flag_the_check_is_on_and_a_new_flag_is_off() {
    on_both(|lab: &mut Lab| {
        let set = lab.set("G1", "N1");
        lab.ok("unpair", json!({"set": set}));
        let mut again = new_set("G2", "N2", &lab.today());
        again["id"] = json!(set);
        assert!(lab.refused("create-set", again.clone()).contains("[set_id.used]"), "no flag: on");
        // GS-20: a flag that was just made is off.
        let flag = plimsoll_core::flag::Flag::new(REUSE_CHECK.name);
        change::create(&mut lab.control, flag, &How::because("rollout")).unwrap();
        let run = lab.ok("create-set", again);
        let told =
            format!("SELECT detail FROM plimsoll_event WHERE kind = 'request.notice' AND subject = '{run}'");
        let told = lab.text(&told).expect("somebody hears of it");
        assert!(told.contains("SP0001, which was used before, was given out"), "{told}");
        let unchecked = lab.view("unchecked-ids", json!({}));
        assert_eq!((&unchecked["total"], &unchecked["items"][0]["issue"]), (&json!(1), &json!(2)));
        let detail = lab.text("SELECT detail FROM gauge_history ORDER BY entry DESC LIMIT 1").unwrap();
        assert!(detail.contains("\"set_id_reuse_check_version\":"), "the version that decided: {detail}");
        lab.sound();
    });
}

/// GS-19: whoever flips the flag fails nobody, and each ID says under which answer it was given out.
#[test]
fn flipping_the_flag_under_load_fails_no_request() {
    on_both(|lab: &mut Lab| {
        lab.reuse_check(true);
        let day = lab.today();
        let done = std::sync::atomic::AtomicBool::new(false);
        let mut others: Vec<_> = (0..4).map(|_| lab.session.fork().unwrap()).collect();
        let flips = std::thread::scope(|scope| {
            let workers: Vec<_> = others
                .iter_mut()
                .enumerate()
                .map(|(who, session)| {
                    let day = &day;
                    scope.spawn(move || {
                        for turn in 0..12 {
                            let (go, nogo) = (format!("G{who}-{turn}"), format!("N{who}-{turn}"));
                            perform(session, "create-set", new_set(&go, &nogo, day)).unwrap().unwrap();
                        }
                    })
                })
                .collect();
            let flipper = scope.spawn(|| {
                let mut flips = 0;
                while !done.load(std::sync::atomic::Ordering::SeqCst) {
                    flips += 1;
                    lab.reuse_check(flips % 2 == 0);
                }
                flips
            });
            for worker in workers {
                worker.join().unwrap();
            }
            done.store(true, std::sync::atomic::Ordering::SeqCst);
            flipper.join().unwrap()
        });
        assert!(flips > 1);
        assert_eq!(lab.number("SELECT count(*) FROM gauge_set_ids"), 48);
        assert_eq!(lab.number("SELECT count(DISTINCT set_id) FROM gauge_set_ids"), 48);
        let unchecked = lab.number("SELECT count(*) FROM gauge_set_ids WHERE NOT reuse_checked");
        let told = lab.number("SELECT count(*) FROM plimsoll_event WHERE kind = 'request.notice'");
        let lines = lab.number(
            "SELECT count(*) FROM gauge_history WHERE detail LIKE '%\"set_id_reuse_check\":\"off\"%'",
        );
        assert_eq!((unchecked, unchecked), (told, lines), "ledger, log and history say the same");
        lab.sound();
    });
}

/// A store of flags that cannot be read leaves the check on.
#[test]
fn a_flag_that_cannot_be_asked_is_the_default() {
    let lab = &mut Lab::sqlite();
    lab.reuse_check(false);
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("control.db");
    std::fs::write(&broken, "this is no database, and long enough that nobody takes it for one").unwrap();
    let url = format!("sqlite:{}", broken.display()).parse().unwrap();
    lab.session.switches = Some(std::sync::Arc::new(plimsoll_engine::flag::AskedFlags::of(url)));
    let set = lab.set("G1", "N1");
    lab.ok("unpair", json!({"set": set}));
    let mut again = new_set("G2", "N2", &lab.today());
    again["id"] = json!(set);
    assert!(lab.refused("create-set", again).contains("[set_id.used]"));
}
