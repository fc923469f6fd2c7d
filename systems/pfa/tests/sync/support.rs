//! A store, a clock and a simulated PEMS.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use plimsoll_core::sync::record::Fields;
use plimsoll_engine::sync::edit;
use plimsoll_engine::sync::pull::{PullReport, Puller};
use plimsoll_engine::sync::read::{self, Filter};
use plimsoll_engine::sync::status::{self, Status};
use plimsoll_engine::sync::worker::{Pace, WorkReport, Worker, WorkerSettings, next_due};
use plimsoll_engine::sync::{Link, prepare};
use plimsoll_engine::{EngineError, Session};
use plimsoll_pfa::{LINKED, PfaLink, fields};
use plimsoll_simulator::pems::{Options, Running, serve};
use plimsoll_store::{Durability, StoreUrl};
use plimsoll_testkit::fixture::SimulatedClock;
use plimsoll_testkit::postgres_server::PostgresServer;
use serde_json::{Map, Value as Json, json};
use tempfile::TempDir;

pub(crate) const SCOPE: &str = "DEMO01";

pub(crate) struct Bench {
    pub(crate) pems: Running,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) pace: Pace,
    url: StoreUrl,
    _folder: Option<TempDir>,
}

impl Bench {
    pub(crate) fn new(options: Options, url: StoreUrl, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(SimulatedClock::default());
        let bench =
            Self { pems: serve(options).unwrap(), pace: Pace::new(None, 0), clock, url, _folder: folder };
        prepare(&mut bench.session("anna"), &LINKED).unwrap();
        bench
    }

    pub(crate) fn sqlite(options: Options) -> Self {
        let folder = TempDir::new().unwrap();
        let url = StoreUrl::Sqlite { path: folder.path().join("pfa.db"), durability: Durability::Normal };
        Self::new(options, url, Some(folder))
    }

    /// SQLite, and PostgreSQL where there is one.
    pub(crate) fn each(options: &Options, test: impl Fn(&Self)) {
        test(&Self::sqlite(options.clone()));
        if let Some(server) = PostgresServer::shared() {
            let url = server.database().unwrap().parse().unwrap();
            test(&Self::new(options.clone(), url, None));
        }
    }

    /// From now on everything happens in another store.
    pub(crate) fn move_to(&mut self, url: StoreUrl) {
        self.url = url;
        prepare(&mut self.session("anna"), &LINKED).unwrap();
    }

    pub(crate) fn session(&self, actor: &str) -> Session {
        let mut session = Session::new(plimsoll_store::open(&self.url).unwrap(), actor);
        session.clock = Arc::<SimulatedClock>::clone(&self.clock);
        session
    }

    fn pulled(&self, complete: bool) -> Result<PullReport, EngineError> {
        let mut session = self.session("anna");
        let mut remote = PfaLink.connect(self.pems.address(), None).unwrap();
        let mut puller =
            Puller { session: &mut session, link: &PfaLink, remote: remote.as_mut(), pace: &self.pace };
        if complete { puller.complete(SCOPE) } else { puller.changes(SCOPE) }
    }

    pub(crate) fn try_pull(&self) -> Result<PullReport, EngineError> {
        self.pulled(false)
    }

    pub(crate) fn pull(&self) -> PullReport {
        self.pulled(false).unwrap()
    }

    pub(crate) fn complete(&self) -> PullReport {
        self.pulled(true).unwrap()
    }

    pub(crate) fn worker(&self, name: &str) -> Worker<'_> {
        let remote = PfaLink.connect(self.pems.address(), None).unwrap();
        Worker::new(self.session(name), &PfaLink, remote, &self.pace, WorkerSettings::named(name)).unwrap()
    }

    /// One worker works until nothing is due at the moment.
    pub(crate) fn send(&self) -> WorkReport {
        self.worker("worker").drain(&AtomicBool::new(false)).unwrap()
    }

    /// As [`Bench::send`], over every wait: until nothing waits for a next attempt any more.
    pub(crate) fn settle(&self) -> WorkReport {
        let mut report = WorkReport::default();
        for _ in 0..200 {
            report.add(&self.send());
            let Some(due) = next_due(&mut self.session("look"), &PfaLink).unwrap() else { return report };
            let now = self.now_ms();
            self.clock.advance_us((due.saturating_sub(now) + 1) * 1_000);
        }
        panic!("no rest: {:?}", self.status());
    }

    pub(crate) fn now_ms(&self) -> u64 {
        use plimsoll_core::clock::Clock as _;

        let now: jiff::Timestamp = self.clock.now().parse().unwrap();
        u64::try_from(now.as_millisecond()).unwrap()
    }

    pub(crate) fn status(&self) -> Status {
        status::of(&mut self.session("anna"), &PfaLink).unwrap()
    }

    /// A key of the organization, by its place.
    pub(crate) fn key(&self, at: usize) -> String {
        self.pems.rows(Some(SCOPE))[at]["pfs_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn try_edit(
        &self,
        author: &str,
        key: &str,
        words: &[(&str, &str)],
    ) -> Result<String, EngineError> {
        let mut session = self.session(author);
        let (id, _) = edit::draft(&mut session, &PfaLink, key, Some(SCOPE), Some(&values(words)))?;
        edit::commit(&mut session, &PfaLink, &id)?;
        Ok(id)
    }

    pub(crate) fn edit(&self, author: &str, key: &str, words: &[(&str, &str)]) -> String {
        self.try_edit(author, key, words).unwrap()
    }

    /// Another user edits at PEMS.
    pub(crate) fn elsewhere(&self, key: &str, words: &[(&str, &str)]) {
        let map: Map<String, Json> = words
            .iter()
            .map(|(name, text)| (fields::find(name).unwrap().wire.to_owned(), json!(text)))
            .collect();
        self.pems.edit(key, &map).unwrap();
    }

    /// A field as it is at PEMS.
    pub(crate) fn there(&self, key: &str, field: &str) -> Option<String> {
        let row = self.pems.row(key).unwrap();
        row[fields::find(field).unwrap().wire].as_str().map(str::to_owned)
    }

    /// A field as `reader` sees it here, and the state of the record.
    pub(crate) fn here(&self, reader: &str, key: &str, field: &str) -> (Option<String>, &'static str) {
        let row = read::row(&mut self.session(reader), &PfaLink, reader, key).unwrap().unwrap();
        let at = fields::NAMES.iter().position(|name| *name == field).unwrap();
        (row.fields[at].as_text().map(str::to_owned), row.badge)
    }

    /// The state of an edit and why.
    pub(crate) fn edit_state(&self, edit: &str) -> (String, Option<String>) {
        let mut session = self.session("anna");
        let filter = edit::EditFilter { limit: 100_000, ..edit::EditFilter::default() };
        let line = edit::list(&mut session, &PfaLink, filter).unwrap();
        let line = line.into_iter().find(|line| line.edit == edit).unwrap();
        (line.state, line.reason)
    }

    /// Every row here is the row at PEMS, and the other way round.
    pub(crate) fn assert_converged(&self) {
        let here = read::rows(
            &mut self.session("nobody"),
            &PfaLink,
            "nobody",
            &Filter { scope: Some(SCOPE.into()), ..Filter::default() },
        )
        .unwrap();
        let there = self.pems.rows(Some(SCOPE));
        let keys = |rows: Vec<String>| rows.into_iter().collect::<std::collections::BTreeSet<_>>();
        let mine = keys(here.iter().map(|row| row.key.clone()).collect());
        let theirs = keys(there.iter().map(|row| row["pfs_id"].as_str().unwrap().to_owned()).collect());
        assert_eq!(mine, theirs);
        for row in here {
            let remote = there.iter().find(|remote| remote["pfs_id"] == row.key.as_str()).unwrap();
            for (field, value) in fields::FIELDS.iter().zip(&row.fields) {
                assert_eq!(value.as_text(), remote[field.wire].as_str(), "{} {}", row.key, field.name);
            }
        }
    }

    /// No operation had more than one effect.
    pub(crate) fn assert_sent_once(&self) {
        for (operation, times) in self.pems.effects().operations {
            assert_eq!(times, 1, "{operation}");
        }
    }
}

pub(crate) fn values(words: &[(&str, &str)]) -> Fields {
    words
        .iter()
        .map(|(name, text)| ((*name).to_owned(), fields::find(name).unwrap().parse(text).unwrap()))
        .collect()
}
