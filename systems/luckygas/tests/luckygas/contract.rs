//! The legacy database held to the contract of links, the one that PEMS is held to.
//!
//! A database loses no answers by itself, so the network's misdeeds are played between the suite and the remote.

use std::sync::{Arc, Mutex};

use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Fields, OperationId};
use plimsoll_core::value::Value;
use plimsoll_engine::pilot::declare::Pilot;
use plimsoll_engine::pilot::remote::{LegacyRemote, SCOPE, born_new};
use plimsoll_engine::sync::declare::{Cursor, ListingPage, Page, Remote, RemoteRow, Trouble, Written};
use plimsoll_luckygas::pilot::LuckyGas;
use plimsoll_luckygas::schema::{LEGACY, NEW, before_capture};
use plimsoll_simulator::luckygas::{Settings, generate};
use plimsoll_store::{Store, schema};
use plimsoll_testkit::conformance::link::{Misdeed, OtherSide, run};

use crate::support::{Database, NOW, big5};

/// What is to happen to the next request.
#[derive(Default)]
struct Wire {
    misdeed: Option<Misdeed>,
    lose_listing: bool,
    nobody: bool,
}

struct OverWire {
    inner: LegacyRemote,
    wire: Arc<Mutex<Wire>>,
}

impl OverWire {
    fn reached(&self) -> Result<(), Trouble> {
        if self.wire.lock().unwrap().nobody { Err(Trouble::NotSent("nobody answers".into())) } else { Ok(()) }
    }
}

impl Remote for OverWire {
    fn read(&mut self, key: &str) -> Result<Option<RemoteRow>, Trouble> {
        self.reached()?;
        self.inner.read(key)
    }

    fn write(&mut self, key: &str, scope: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        self.reached()?;
        let misdeed = self.wire.lock().unwrap().misdeed.take();
        match misdeed {
            None => self.inner.write(key, scope, dispatch),
            Some(Misdeed::LoseAnswer) => {
                self.inner.write(key, scope, dispatch)?;
                Err(Trouble::Unknown("the answer was lost".into()))
            }
            Some(Misdeed::TurnAway) => Err(Trouble::Busy { retry_after_ms: None }),
            Some(Misdeed::LoseRequest | Misdeed::Fail) => Err(Trouble::Unknown("it was lost".into())),
        }
    }

    fn changes(&mut self, scope: &str, cursor: &Cursor, limit: u64) -> Result<Page, Trouble> {
        self.reached()?;
        self.inner.changes(scope, cursor, limit)
    }

    fn listing(
        &mut self,
        scope: &str,
        listing: Option<&str>,
        offset: u64,
        limit: u64,
    ) -> Result<ListingPage, Trouble> {
        self.reached()?;
        if std::mem::take(&mut self.wire.lock().unwrap().lose_listing) {
            // Another request on the connection gives the listing's snapshot up.
            self.inner.read("1")?;
        }
        self.inner.listing(scope, listing, offset, limit)
    }

    fn before(&self, cursor: &Cursor, overlap_ms: u64) -> Cursor {
        let place = cursor.stamp.parse::<u64>().unwrap_or(0).saturating_sub(overlap_ms);
        // The suite asks for what was shown; a position is no time, so all of it.
        Cursor { stamp: format!("{place:020}"), ..self.inner.before(cursor, overlap_ms) }
    }
}

struct Legacy {
    base: String,
    store: Mutex<Box<dyn Store>>,
    wire: Arc<Mutex<Wire>>,
}

impl Legacy {
    fn execute(&self, sql: &str, parameters: &[Value]) {
        assert_eq!(self.store.lock().unwrap().execute(sql, parameters).unwrap(), 1, "{sql}");
    }

    fn remote(&self, wire: Arc<Mutex<Wire>>) -> Box<dyn Remote> {
        Box::new(OverWire { inner: LegacyRemote::open(&LuckyGas, "customer", &self.base).unwrap(), wire })
    }
}

fn number(key: &str) -> Value {
    Value::Integer(key.parse().unwrap())
}

impl OtherSide for Legacy {
    fn connect(&self) -> Box<dyn Remote> {
        self.remote(Arc::clone(&self.wire))
    }

    fn connect_to_nobody(&self) -> Box<dyn Remote> {
        self.remote(Arc::new(Mutex::new(Wire { nobody: true, ..Wire::default() })))
    }

    fn scope(&self) -> &str {
        SCOPE
    }

    fn free_key(&self) -> String {
        born_new("FREE-1")
    }

    fn field(&self) -> &str {
        "notes"
    }

    fn new_row(&self) -> Fields {
        [("client_code".to_owned(), Value::text("FREE-1")), ("short_name".to_owned(), Value::text("示範"))]
            .into()
    }

    /// A character that Big5 does not have (L9).
    fn refused(&self) -> Fields {
        [("notes".to_owned(), Value::text("堃"))].into()
    }

    fn edit(&self, key: &str, value: &str) {
        self.execute("UPDATE clients SET notes = $1 WHERE id = $2", &[big5(value), number(key)]);
    }

    fn delete(&self, key: &str) {
        self.execute("DELETE FROM clients WHERE id = $1", &[number(key)]);
    }

    fn effects(&self, operation: &OperationId) -> u64 {
        let sql = "SELECT count(*) FROM luckygas_outbox WHERE origin = $1";
        let rows = self.store.lock().unwrap().query(sql, &[Value::text(operation.to_string())]).unwrap();
        u64::try_from(rows[0][0].as_integer().unwrap()).unwrap()
    }

    fn lose_listing(&self) {
        self.wire.lock().unwrap().lose_listing = true;
    }

    fn misbehave(&self, misdeed: Misdeed) {
        self.wire.lock().unwrap().misdeed = Some(misdeed);
    }
}

#[test]
fn the_legacy_database_keeps_the_contract_of_links() {
    let settings =
        Settings { clients: 12, deliveries: 0, new_customers: 0, dirty_percent: 0, ..Settings::of(100, 8) };
    let mut legacy = Database::sqlite(&before_capture(&LEGACY));
    let mut new = Database::sqlite(&NEW);
    generate(&settings, legacy.store.as_mut(), new.store.as_mut(), &mut |_, _| {}).unwrap();
    schema::upgrade(legacy.store.as_mut(), &LEGACY, NOW).unwrap();
    // Changes are told from the moment on at which they are captured.
    assert_eq!(legacy.store.execute("UPDATE clients SET area = NULL", &[]).unwrap(), 12);
    let other = Legacy {
        base: legacy.store.url().to_string(),
        store: Mutex::new(legacy.store.reopen().unwrap()),
        wire: Arc::default(),
    };
    run(LuckyGas.link("customer"), &other);
}
