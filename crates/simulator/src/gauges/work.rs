//! The registers of the laboratory, and what happens in it in the first week after the backfill.
//!
//! Owns requests in the order in which they are made. None of them should be refused.

use serde_json::json;

use super::earlier::{Fit, Kind};
use super::{Manifest, Request, Settings, before};
use crate::random::Random;

const PEOPLE: &[(&str, &str, &str, &str)] = &[
    ("demo-sue", "Demo Sue", "supervisor", "quality"),
    ("demo-quinn", "Demo Quinn", "qc", "quality"),
    ("demo-uma", "Demo Uma", "user", "turning"),
    ("demo-ulf", "Demo Ulf", "user", "milling"),
];

/// Prefix, title, equipment, thread type, plug or ring.
type Category = (&'static str, &'static str, &'static str, Option<&'static str>, Option<&'static str>);

const CATEGORIES: &[Category] = &[
    ("SP", "Thread plugs", "thread_gauge", Some("standard"), Some("plug")),
    ("SR", "Thread rings", "thread_gauge", Some("standard"), Some("ring")),
    ("MP", "Metric thread plugs", "thread_gauge", Some("metric"), Some("plug")),
    ("MR", "Metric thread rings", "thread_gauge", Some("metric"), Some("ring")),
    ("NPT", "Pipe thread plugs", "thread_gauge", Some("npt"), Some("plug")),
    ("CS", "Calibration standards", "calibration_standard", None, None),
    ("CA", "Calipers", "hand_tool", None, None),
];

/// Everything that has to be there first.
pub(super) fn registers(settings: &Settings) -> Vec<Request> {
    let reason = "setting up the demo laboratory";
    let mut all = vec![Request::new(
        "keep-user",
        reason,
        json!({"user": settings.admin, "full_name": "Demo administrator", "role": "admin", "department": "quality"}),
    )];
    all.extend(PEOPLE.iter().map(|(user, full_name, role, department)| {
        let fields = json!({"user": user, "full_name": full_name, "role": role, "department": department});
        Request::new("keep-user", reason, fields)
    }));
    all.extend(CATEGORIES.iter().map(|(category, title, equipment, thread, gauge)| {
        let mut fields = json!({"category": category, "title": title, "equipment_type": equipment});
        for (name, value) in [("thread_type", thread), ("gauge_type", gauge)] {
            if let Some(value) = value {
                fields[name] = json!(value);
            }
        }
        Request::new("keep-category", reason, fields)
    }));
    for (place, kind) in [("CAB-1", "cabinet"), ("CAB-2", "cabinet"), ("RACK-1", "rack"), ("QC-IN", "shelf")]
    {
        let fields = json!({"location": place, "kind": kind, "title": format!("Demo {place}"), "building": "Demo hall"});
        all.push(Request::new("keep-location", reason, fields));
    }
    for (code, title) in [("worn", "Worn beyond its limit"), ("damaged", "Damaged thread")] {
        all.push(Request::new(
            "keep-rejection-reason",
            reason,
            json!({"rejection_reason": code, "title": title}),
        ));
    }
    let certified = before(&settings.today, 40);
    let standard = json!({"serial": "DEMO-STANDARD-1", "category": "CS", "name": "Demo setting plug", "location": "CAB-1",
        "certified_on": certified, "certificate": "DEMO-NMI-1", "laboratory": "Demo national institute"});
    all.push(Request::new("register", reason, standard));
    all
}

/// A spare like the members of a set.
fn spare(settings: &Settings, serial: &str, side: &str, kind: &Kind) -> Request {
    let mut fields = json!({
        "serial": serial, "side": side, "category": kind.category, "name": format!("Demo thread gauge {}", kind.size),
        "location": "CAB-2", "thread_size": kind.size, "thread_class": kind.class, "hand": kind.hand,
        "certified_on": before(&settings.today, 20), "certificate": format!("DEMO-C-{serial}"), "laboratory": "Demo laboratory",
    });
    if let Some(form) = kind.form {
        fields["thread_form"] = json!(form);
    }
    Request::new("register", "bought as a spare", fields)
}

/// One in so many sets has something happen to it.
const EVERY: usize = 25;

/// The first week.
pub(super) fn first_week(settings: &Settings, fit: &[Fit], manifest: &mut Manifest) -> Vec<Request> {
    let mut random = Random::named(settings.seed, &["gauges", "work"]);
    let mut all = Vec::new();
    for (at, set) in fit.iter().enumerate().filter(|(_, set)| !set.overdue) {
        let named = json!({"set": set.set_id});
        match at % EVERY {
            1 => {
                manifest.checked_out += 1;
                let fields = json!({"set": set.set_id, "holder": random.pick(&["demo-uma", "demo-ulf"]),
                    "work_job": format!("DEMO-J{}", 100 + at), "part": format!("DEMO-P{}", random.below(40)),
                    "work_order": format!("DEMO-W{}", random.below(900))});
                all.push(Request::new("check-out", "for the demo job", fields));
            }
            3 => {
                all.push(Request::new(
                    "check-out",
                    "for the demo job",
                    json!({"set": set.set_id, "work_job": "DEMO-J1"}),
                ));
                all.push(Request::new("return", "job done", named.clone()));
                all.push(Request::new("qc", "looks good", json!({"set": set.set_id, "result": "pass"})));
            }
            5 => {
                // Lost, and nobody has replaced it yet; a spare that fits lies on the shelf of every other one.
                manifest.lost += 1;
                all.push(Request::new("lose", "not found on the floor", json!({"serial": set.nogo})));
                if manifest.lost.is_multiple_of(2) {
                    manifest.spares += 1;
                    all.push(spare(settings, &format!("DEMO-SPARE-{at:04}"), "nogo", &set.kind));
                }
            }
            7 => {
                manifest.spares += 1;
                let serial = format!("DEMO-SPARE-{at:04}");
                all.push(spare(settings, &serial, "go", &set.kind));
                let fields = json!({"set": set.set_id, "old": set.go, "new": serial});
                all.push(Request::new("replace", "thread is chipped", fields));
            }
            9 => all.push(Request::new(
                "move",
                "closer to the machines",
                json!({"set": set.set_id, "location": "QC-IN"}),
            )),
            11 if at < 200 => all.push(Request::new("unpair", "paired by mistake", named)),
            13 if at < 200 => all.push(Request::new("retire-set", "both members are worn out", named)),
            _ => {}
        }
    }
    all
}
