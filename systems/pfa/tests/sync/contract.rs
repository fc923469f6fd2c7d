//! The contract of links, held against PEMS; and adapters that break it, which the suite has to notice.

use std::panic::{AssertUnwindSafe, catch_unwind};

use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Expected, Fields, OperationId};
use plimsoll_engine::sync::Link as _;
use plimsoll_engine::sync::declare::{Cursor, ListingPage, Page, Remote, RemoteRow, Trouble, Written};
use plimsoll_pfa::PfaLink;
use plimsoll_simulator::pems::{FaultKind, Options, Running, serve};
use plimsoll_testkit::conformance::link::{Misdeed, OtherSide, run};
use serde_json::json;

use crate::support::{SCOPE, values};

/// An adapter, or one that breaks the contract.
type Adapter = fn(Box<dyn Remote>) -> Box<dyn Remote>;

struct PemsSide {
    pems: Running,
    adapter: Adapter,
}

impl OtherSide for PemsSide {
    fn connect(&self) -> Box<dyn Remote> {
        (self.adapter)(PfaLink.connect(self.pems.address(), None).unwrap())
    }

    fn connect_to_nobody(&self) -> Box<dyn Remote> {
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        (self.adapter)(PfaLink.connect(&format!("http://127.0.0.1:{port}"), None).unwrap())
    }

    fn scope(&self) -> &str {
        SCOPE
    }

    fn free_key(&self) -> String {
        format!("{SCOPE}-NEW001")
    }

    fn field(&self) -> &str {
        "model"
    }

    fn new_row(&self) -> Fields {
        values(&[
            ("category", "Cranes"),
            ("class", "Demo class"),
            ("model", "Demo new"),
            ("source", "Rental"),
            ("monthly_rate", "120.50"),
            ("dor", "PROJECT"),
            ("is_actualized", "N"),
            ("is_discontinued", "N"),
            ("is_funds_transferable", "N"),
        ])
    }

    fn refused(&self) -> Fields {
        values(&[("original_start", "2026-05-02"), ("original_end", "2026-05-01")])
    }

    fn edit(&self, key: &str, value: &str) {
        let fields = [("pfs_f_model".to_owned(), json!(value))].into_iter().collect();
        self.pems.edit(key, &fields).unwrap();
    }

    fn delete(&self, key: &str) {
        self.pems.delete(key).unwrap();
    }

    fn effects(&self, operation: &OperationId) -> u64 {
        self.pems.effects().operations.get(&operation.to_string()).copied().unwrap_or(0)
    }

    fn lose_listing(&self) {
        self.pems.force(FaultKind::GridLost, 1);
    }

    fn misbehave(&self, misdeed: Misdeed) {
        let fault = match misdeed {
            Misdeed::LoseAnswer => FaultKind::LostAcknowledgement,
            Misdeed::LoseRequest => FaultKind::LostRequest,
            Misdeed::TurnAway => FaultKind::RateLimited,
            Misdeed::Fail => FaultKind::ServerError,
        };
        self.pems.force(fault, 1);
    }
}

fn side(adapter: Adapter) -> PemsSide {
    let options = Options { organizations: 2, rows_per_organization: 12, ..Options::default() };
    PemsSide { pems: serve(options).unwrap(), adapter }
}

#[test]
fn pems_keeps_the_contract_of_links() {
    run(&PfaLink, &side(|remote| remote));
}

/// What an adapter does wrong.
#[derive(Clone, Copy)]
enum Wrong {
    /// It sends a request again that was not answered.
    Repeats,
    /// It guards the newest version instead of the one that its author saw.
    Newest,
    /// It takes silence for "not sent".
    Denies,
    /// It forgets the rows of later pages.
    Forgets,
    /// It takes a row that is gone for one that cannot be read.
    Excuses,
}

struct Broken {
    inner: Box<dyn Remote>,
    wrong: Wrong,
}

impl Remote for Broken {
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble> {
        match (self.inner.read(key), self.wrong) {
            (Ok(None), Wrong::Excuses) => Err(Trouble::Unknown("not found".into())),
            (answer, _) => answer,
        }
    }

    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        let mut dispatch = dispatch.clone();
        if let (Wrong::Newest, Expected::Version(version)) = (self.wrong, &mut dispatch.expected)
            && let Ok(Some(row)) = self.inner.read(key)
        {
            *version = row.version;
        }
        match (self.inner.write(key, scope, &dispatch), self.wrong) {
            (Err(Trouble::Unknown(_)), Wrong::Repeats) => self.inner.write(key, scope, &dispatch),
            (Err(Trouble::Unknown(why)), Wrong::Denies) => Err(Trouble::NotSent(why)),
            (answer, _) => answer,
        }
    }

    fn changes(&mut self, scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble> {
        let mut page = self.inner.changes(scope, cursor, limit)?;
        page.more &= !matches!(self.wrong, Wrong::Forgets);
        Ok(page)
    }

    fn listing(
        &mut self,
        scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble> {
        self.inner.listing(scope, listing, offset, limit)
    }

    fn before(&self, cursor: &Cursor, overlap_ms: u64) -> Cursor {
        self.inner.before(cursor, overlap_ms)
    }
}

#[test]
fn adapters_that_break_the_contract_are_noticed() {
    fn broken(inner: Box<dyn Remote>, wrong: Wrong) -> Box<dyn Remote> {
        Box::new(Broken { inner, wrong })
    }
    let adapters: [(&str, Adapter); 5] = [
        ("repeats", |inner| broken(inner, Wrong::Repeats)),
        ("newest", |inner| broken(inner, Wrong::Newest)),
        ("denies", |inner| broken(inner, Wrong::Denies)),
        ("forgets", |inner| broken(inner, Wrong::Forgets)),
        ("excuses", |inner| broken(inner, Wrong::Excuses)),
    ];
    for (name, adapter) in adapters {
        let other = side(adapter);
        let kept = catch_unwind(AssertUnwindSafe(|| run(&PfaLink, &other))).is_ok();
        assert!(!kept, "nobody noticed the adapter that {name}");
    }
}
