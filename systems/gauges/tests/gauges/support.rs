//! A laboratory for tests: a store with registers, people, and a clock that the test turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll_core::clock::Clock;
use plimsoll_core::flag::{Flag, State};
use plimsoll_core::id::Id;
use plimsoll_engine::alias::{Answered, Asked};
use plimsoll_engine::change::request::{self, Answer};
use plimsoll_engine::change::setup;
use plimsoll_engine::flag::{AskedFlags, How, change};
use plimsoll_engine::{EngineError, Session};
use plimsoll_gauges::{SYSTEM, operation};
use plimsoll_store::StoreUrl;
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::{Map, Value as Json, json};

/// A clock that a test turns.
pub(crate) struct TurnedClock(AtomicU64);

impl TurnedClock {
    pub(crate) fn add_seconds(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }
    pub(crate) fn add_days(&self, days: u64) {
        self.add_seconds(days * 86_400);
    }
}

impl Clock for TurnedClock {
    fn now(&self) -> String {
        let start: jiff::Timestamp = "2026-01-05T08:00:00Z".parse().unwrap();
        let past = i64::try_from(self.0.load(Ordering::SeqCst)).unwrap();
        start.checked_add(jiff::SignedDuration::from_millis(past)).unwrap().to_string()
    }
    fn monotonic_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn sleep_ms(&self, ms: u64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
        std::thread::yield_now();
    }
}

/// A laboratory.
pub(crate) struct Lab {
    pub(crate) session: Session,
    pub(crate) clock: Arc<TurnedClock>,
    /// The control store with the flags.
    pub(crate) control: Session,
    _folders: Vec<tempfile::TempDir>,
}

/// Everybody, with their roles.
pub(crate) const PEOPLE: &[(&str, &str)] =
    &[("ada", "admin"), ("sue", "supervisor"), ("quinn", "qc"), ("uma", "user"), ("ulf", "user")];

impl Lab {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url: StoreUrl = format!("sqlite:{}/lab.db", folder.path().display()).parse().unwrap();
        let mut lab = Self::on(&url, Some(folder));
        lab.furnish();
        lab
    }

    /// A store with nothing in it.
    pub(crate) fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url: StoreUrl = format!("sqlite:{}/lab.db", folder.path().display()).parse().unwrap();
        Self::on(&url, Some(folder))
    }

    /// None, with a printed line, where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let Some(server) = PostgresServer::shared() else {
            println!("skipped: PostgreSQL is not installed");
            return None;
        };
        let url: StoreUrl = server.database().unwrap().parse().unwrap();
        let mut lab = Self::on(&url, None);
        lab.furnish();
        Some(lab)
    }

    fn on(url: &StoreUrl, folder: Option<tempfile::TempDir>) -> Self {
        let clock = Arc::new(TurnedClock(AtomicU64::new(0)));
        let mut session = Session::new(plimsoll_store::open(url).unwrap(), "ada");
        session.clock = Arc::clone(&clock) as Arc<dyn Clock>;
        setup::prepare(&mut session, Some(&SYSTEM)).unwrap();
        let flags = tempfile::tempdir().unwrap();
        let url: StoreUrl = format!("sqlite:{}/control.db", flags.path().display()).parse().unwrap();
        let mut control = Session::new(plimsoll_store::open(&url).unwrap(), "ada");
        plimsoll_engine::control::prepare(&mut control).unwrap();
        session.switches = Some(Arc::new(AskedFlags::of(url)));
        Self { session, clock, control, _folders: folder.into_iter().chain([flags]).collect() }
    }

    /// Turns the flag of the reuse check, which exists from then on.
    pub(crate) fn reuse_check(&mut self, on: bool) {
        let how = How::because("a reason of the test");
        let name = plimsoll_gauges::facts::REUSE_CHECK.name;
        if plimsoll_engine::flag::store::lookup(self.control.store.as_mut(), name).unwrap().is_none() {
            change::create(&mut self.control, Flag::new(name), &how).unwrap();
        }
        change::update(&mut self.control, name, "flag.changed", &how, |flag| {
            flag.state = if on { State::On } else { State::Off };
            Ok(())
        })
        .unwrap();
    }

    /// Asks a view.
    pub(crate) fn view(&mut self, name: &str, fields: Json) -> Json {
        let view = SYSTEM.view(name).unwrap();
        let asked = Asked::read(fields.as_object().cloned().unwrap(), view.fields).unwrap();
        match plimsoll_engine::alias::ask(&mut self.session, view, &asked).unwrap() {
            Answered::Json(document) => document,
            Answered::File { body, .. } => Json::from(body),
            Answered::Missing(what) => panic!("{what}"),
        }
    }

    fn furnish(&mut self) {
        for (user, role) in PEOPLE {
            self.ok(
                "keep-user",
                json!({"user": user, "full_name": user, "role": role, "department": "shop"}),
            );
        }
        for (category, thread_type, gauge_type) in [
            ("SP", "standard", "plug"),
            ("SR", "standard", "ring"),
            ("MP", "metric", "plug"),
            ("AC", "acme", "plug"),
            ("NPT", "npt", "plug"),
        ] {
            self.ok(
                "keep-category",
                json!({"category": category, "title": category, "equipment_type": "thread_gauge",
                    "thread_type": thread_type, "gauge_type": gauge_type}),
            );
        }
        for (category, kind) in
            [("CS", "calibration_standard"), ("LE", "large_equipment"), ("CA", "hand_tool")]
        {
            self.ok(
                "keep-category",
                json!({"category": category, "title": category, "equipment_type": kind}),
            );
        }
        for place in ["A1", "B2", "QC"] {
            self.ok("keep-location", json!({"location": place, "kind": "shelf", "title": place}));
        }
        self.ok("keep-rejection-reason", json!({"rejection_reason": "worn", "title": "worn"}));
    }

    /// Performs as an actor, with a reason unless there is one.
    pub(crate) fn try_as(&mut self, actor: &str, name: &str, fields: Json) -> Result<Id, String> {
        self.clock.add_seconds(1);
        self.session.actor = actor.to_owned();
        perform(&mut self.session, name, fields).unwrap()
    }

    /// Performs as the admin; panics when refused.
    pub(crate) fn ok(&mut self, name: &str, fields: Json) -> Id {
        self.try_as("ada", name, fields.clone()).unwrap_or_else(|why| panic!("{name} {fields}: {why}"))
    }

    /// Performs as the admin; the reasons of the refusal.
    pub(crate) fn refused(&mut self, name: &str, fields: Json) -> String {
        self.refused_as("ada", name, fields)
    }

    pub(crate) fn refused_as(&mut self, actor: &str, name: &str, fields: Json) -> String {
        match self.try_as(actor, name, fields.clone()) {
            Ok(_) => panic!("{name} {fields} was not refused"),
            Err(why) => why,
        }
    }

    /// A new set of two new, calibrated gauges; returns its ID.
    pub(crate) fn set(&mut self, go: &str, nogo: &str) -> String {
        self.ok("create-set", new_set(go, nogo, &self.today()));
        self.text(&format!("SELECT set_id FROM gauges WHERE serial = '{go}'")).unwrap()
    }

    /// A new calibrated spare like the members of [`Self::set`].
    pub(crate) fn spare(&mut self, serial: &str, side: &str) {
        let mut fields = spare(serial, side, &self.today());
        fields["location"] = json!("B2");
        self.ok("register", fields);
    }

    pub(crate) fn today(&self) -> String {
        self.clock.now()[..10].to_owned()
    }

    pub(crate) fn rows(&mut self, sql: &str) -> Vec<Vec<plimsoll_core::value::Value>> {
        self.session.store.query(sql, &[]).unwrap()
    }

    pub(crate) fn text(&mut self, sql: &str) -> Option<String> {
        self.rows(sql).first().and_then(|row| row[0].as_text().map(str::to_owned))
    }

    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        self.rows(sql)[0][0].as_integer().unwrap()
    }

    pub(crate) fn status(&mut self, serial: &str) -> String {
        self.text(&format!("SELECT status FROM gauges WHERE serial = '{serial}'")).unwrap()
    }

    pub(crate) fn set_of(&mut self, serial: &str) -> Option<String> {
        self.text(&format!("SELECT set_id FROM gauges WHERE serial = '{serial}'"))
    }

    pub(crate) fn last_entry(&mut self) -> i64 {
        self.number("SELECT max(entry) FROM gauge_history")
    }

    /// Panics unless the audit finds nothing.
    pub(crate) fn sound(&mut self) {
        let audit = plimsoll_gauges::audit::verify(&mut self.session).unwrap();
        assert!(audit.ok(), "{:#?}", audit.problems);
    }
}

/// Performs an operation on a session; the reasons of a refusal are an `Err`.
pub(crate) fn perform(
    session: &mut Session,
    name: &str,
    fields: Json,
) -> Result<Result<Id, String>, EngineError> {
    let mut fields: Map<String, Json> = fields.as_object().cloned().unwrap();
    fields.entry("reason").or_insert_with(|| Json::from("a reason of the test"));
    let operation = operation::find(name).unwrap_or_else(|| panic!("there is no operation {name}"));
    let reason = fields["reason"].as_str().unwrap_or_default().to_owned();
    let record = operation::record(name, fields);
    Ok(match request::perform(session, &SYSTEM, operation, &record, &reason)? {
        Answer::Done { run, .. } => Ok(run),
        Answer::Unchanged => Err("unchanged".into()),
        Answer::Refused(refusal) => Err(format!("{} [{}]", refusal.reason, refusal.class)),
    })
}

/// The request for a new set.
pub(crate) fn new_set(go: &str, nogo: &str, day: &str) -> Json {
    json!({"go": go, "nogo": nogo, "category": "SP", "name": "plug", "location": "A1", "thread_size": ".500-20",
        "thread_form": "UNF", "thread_class": "2B", "certified_on": day, "certificate": format!("C-{go}"),
        "laboratory": "Lab One"})
}

/// The request for a new spare.
pub(crate) fn spare(serial: &str, side: &str, day: &str) -> Json {
    json!({"serial": serial, "side": side, "category": "SP", "name": "plug", "location": "A1",
        "thread_size": ".500-20", "thread_form": "UNF", "thread_class": "2B", "certified_on": day,
        "certificate": format!("C-{serial}"), "laboratory": "Lab One"})
}

/// Runs a test on SQLite and, where it is installed, on PostgreSQL.
pub(crate) fn on_both(test: impl Fn(&mut Lab)) {
    test(&mut Lab::sqlite());
    if let Some(mut lab) = Lab::postgres() {
        test(&mut lab);
    }
}
