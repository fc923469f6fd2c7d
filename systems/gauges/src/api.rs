//! The routes: every operation and every view in the words of a calibration laboratory.
//!
//! Owns which route stands for which operation or view, and what the answer of an operation tells. What a route takes is
//! declared with its operation or view; serving it is the server's.

use plimsoll_core::change::Change;
use plimsoll_core::value::Value;
use plimsoll_engine::alias::{Alias, Does, Method, StoreView};
use serde_json::{Map, Value as Json};

use crate::view::{audit, gauge, keep, set, study};

const fn get(path: &'static str, view: &'static StoreView) -> Alias {
    Alias { method: Method::Get, path, summary: view.title, does: Does::View(view) }
}

const fn post(path: &'static str, change: &'static str, summary: &'static str) -> Alias {
    Alias { method: Method::Post, path, summary, does: Does::Change { change, tells } }
}

const fn put(path: &'static str, change: &'static str, summary: &'static str) -> Alias {
    Alias { method: Method::Put, ..post(path, change, summary) }
}

/// Every route, below `/api/v1`.
pub static ALIASES: &[Alias] = &[
    get("/gauge-sets", &set::SETS),
    post("/gauge-sets", "create-set", "Register a new GO and a new NO-GO as a set"),
    get("/gauge-sets/incomplete", &set::INCOMPLETE),
    get("/gauge-sets/check-availability/{id}", &set::AVAILABILITY),
    get("/gauge-sets/next-id/{category}", &set::NEXT_ID),
    get("/gauge-sets/unchecked-ids", &audit::UNCHECKED),
    post("/gauge-sets/pair", "pair", "Make a set of two spares"),
    get("/gauge-sets/{set}", &set::SET),
    get("/gauge-sets/{set}/history", &set::HISTORY),
    get("/gauge-sets/{set}/members-at", &set::MEMBERS_AT),
    get("/gauge-sets/{set}/candidates", &set::CANDIDATES),
    post("/gauge-sets/{set}/replace", "replace", "Let a spare take the place of a member, or a vacant place"),
    post("/gauge-sets/{set}/unpair", "unpair", "Break the set up: both are spares, its ID is used up"),
    post("/gauge-sets/{set}/retire", "retire-set", "Retire the set and both members for good"),
    post("/gauge-sets/{set}/check-out", "check-out", "Take both members"),
    post("/gauge-sets/{set}/return", "return", "Bring both members back; they wait for QC"),
    post("/gauge-sets/{set}/transfer", "transfer", "Offer both members to somebody else"),
    post("/gauge-sets/{set}/accept-transfer", "accept-transfer", "Take over what was offered"),
    post("/gauge-sets/{set}/reject-transfer", "reject-transfer", "Refuse what was offered"),
    post("/gauge-sets/{set}/qc", "qc", "Pass or reject what came back"),
    post("/gauge-sets/{set}/location", "move", "Move both members to another place"),
    post("/gauge-sets/{set}/out-of-service", "out-of-service", "Take both members out of service"),
    post("/gauge-sets/{set}/back-in-service", "back-in-service", "Bring both members back into service"),
    post("/gauge-sets/{set}/unseal/ask", "ask-unseal", "Ask for the seals to be opened"),
    post("/gauge-sets/{set}/unseal/approve", "approve-unseal", "Allow the seals to be opened"),
    post("/gauge-sets/{set}/unseal/confirm", "confirm-unseal", "Say that the seals are open"),
    post("/gauge-sets/{set}/unseal/reject", "keep-seal", "Keep the seals"),
    post(
        "/gauge-sets/{set}/verify-certificates",
        "verify-certificate",
        "Say that both certificates were verified",
    ),
    post("/gauge-sets/{set}/release", "release", "Put both back on a shelf after calibration"),
    post("/gauge-sets/{set}/return-to-customer", "return-to-customer", "Return a customer's set"),
    post("/gauge-sets/{set}/delete", "delete", "Delete a set that was registered by mistake"),
    get("/gauges", &gauge::GAUGES),
    post("/gauges", "register", "Register a gauge"),
    get("/gauges/due", &gauge::DUE),
    get("/gauges/due-alerts", &gauge::ALERTS),
    get("/gauges/overdue", &gauge::OVERDUE),
    get("/gauges/interval-review", &gauge::INTERVAL_REVIEW),
    post("/gauges/fall-due", "fall-due", "Flag gauges whose calibration has run out"),
    get("/gauges/{serial}", &gauge::GAUGE),
    get("/gauges/{serial}/history", &gauge::HISTORY),
    get("/gauges/{serial}/certificates", &gauge::CERTIFICATES),
    get("/gauges/{serial}/standards", &gauge::STANDARDS),
    post("/gauges/{serial}/lost", "lose", "Report a gauge lost; its set is incomplete and keeps its ID"),
    post("/gauges/{serial}/found", "find", "Report a lost gauge found; it waits for QC as a spare"),
    post("/gauges/{serial}/check-out", "check-out", "Take a gauge, with its partner"),
    post("/gauges/{serial}/return", "return", "Bring a gauge back, with its partner"),
    post("/gauges/{serial}/qc", "qc", "Pass or reject a gauge that came back"),
    post("/gauges/{serial}/location", "move", "Move a gauge, with its partner"),
    post(
        "/gauges/{serial}/out-of-service",
        "out-of-service",
        "Take a gauge out of service, with its partner",
    ),
    post(
        "/gauges/{serial}/back-in-service",
        "back-in-service",
        "Bring a gauge back into service, with its partner",
    ),
    post("/gauges/{serial}/interval", "set-interval", "Change how often a gauge is calibrated"),
    post("/gauges/{serial}/certificates", "certify", "Add a certificate; the one before is superseded"),
    post(
        "/gauges/{serial}/verify-certificate",
        "verify-certificate",
        "Say that the certificate was verified",
    ),
    post("/gauges/{serial}/release", "release", "Put a gauge back on a shelf after calibration"),
    post("/gauges/{serial}/return-to-customer", "return-to-customer", "Return a customer's gauge"),
    post("/gauges/{serial}/delete", "delete", "Delete a gauge that was registered by mistake"),
    get("/calibration-batches", &keep::BATCHES),
    post("/calibration-batches", "open-batch", "Open a batch for calibration"),
    post("/calibration-batches/{batch}/add", "add-to-batch", "Put gauges into a batch"),
    post("/calibration-batches/{batch}/remove", "remove-from-batch", "Take gauges out of a batch"),
    post("/calibration-batches/{batch}/send", "send-batch", "Send a batch to its laboratory"),
    post(
        "/calibration-batches/{batch}/receive",
        "receive",
        "Receive a gauge with its result, as found and as left",
    ),
    get("/tolerance-cases", &audit::CASES),
    get("/tolerance-cases/{case}/touched", &audit::TOUCHED),
    post(
        "/tolerance-cases/{case}/dispose",
        "dispose-case",
        "Decide what is done about what the gauge may have touched",
    ),
    post("/tolerance-cases/{case}/notify", "notify-case", "Say who was told"),
    post("/tolerance-cases/{case}/close", "close-case", "Close a case"),
    get("/gauge-locations", &keep::LOCATIONS),
    get("/gauge-locations/{location}", &keep::LOCATION),
    put("/gauge-locations/{location}", "keep-location", "Register a place, or change it"),
    get("/gauge-registers/{of}", &keep::REGISTER),
    put("/gauge-users/{user}", "keep-user", "Register a user, or change their role"),
    put("/gauge-categories/{category}", "keep-category", "Register a category"),
    put(
        "/gauge-rejection-reasons/{rejection_reason}",
        "keep-rejection-reason",
        "Register a reason for rejecting",
    ),
    get("/gauge-waiting/{what}", &keep::WAITING),
    get("/gauge-counts", &keep::COUNTS),
    get("/gauge-history/verify", &audit::VERIFY),
    get("/gauge-history/export", &audit::EXPORT),
    post(
        "/gauge-history/{entry}/take-back",
        "take-back",
        "Take an operation back, while nothing followed it",
    ),
    Alias {
        method: Method::Post,
        path: "/gauge-studies/agreement",
        summary: study::AGREEMENT.title,
        does: Does::View(&study::AGREEMENT),
    },
    Alias {
        method: Method::Post,
        path: "/gauge-studies/gage",
        summary: study::GAGE.title,
        does: Does::View(&study::GAGE),
    },
];

/// What an operation's answer tells: its line of history, the set that it is about, and the gauges that it changed.
fn tells(changes: &[Change]) -> Map<String, Json> {
    let mut told = Map::new();
    let mut gauges = Vec::new();
    for change in changes {
        let Some(after) = &change.after else { continue };
        let cell = |column: &str| change.table.get(after, column);
        match change.table.name.as_str() {
            "gauge_history" => {
                for (name, column) in
                    [("entry", "entry"), ("at", "at"), ("set", "set_id"), ("digest", "digest")]
                {
                    told.insert(name.to_owned(), crate::draft::plain(cell(column)));
                }
            }
            "gauges" => {
                let text = |column: &str| Json::from(cell(column).as_text());
                gauges.push(serde_json::json!({
                    "serial": text("serial"), "status": text("status"), "set": text("set_id"), "location": text("location"),
                    "sealed": matches!(cell("sealed"), Value::Boolean(true) | Value::Integer(1)), "due_on": text("due_on"),
                }));
            }
            _ => {}
        }
    }
    told.insert("gauges".to_owned(), Json::from(gauges));
    told
}
