//! The suite that holds every link to one contract.
//!
//! Owns what `plimsoll_engine::sync::declare` asks of a link: that its declarations fit together, and that its remote
//! tells what it saw, in the few kinds of answers and troubles that decide what may be repeated. The other side is the
//! test's, an [`OtherSide`], and is told to misbehave. What the engine makes of a link is tested with the engine.
//!
//! A check that does not hold panics with what it saw.

use std::collections::BTreeMap;

use plimsoll_core::sync::plan::Dispatch;
use plimsoll_core::sync::record::{Expected, Fields, OperationId, Version};
use plimsoll_core::value::Value;
use plimsoll_engine::sync::Link;
use plimsoll_engine::sync::declare::{Cursor, Page, Remote, RemoteRow, Trouble, Written};

/// Small enough that ten rows are several pages.
const PAGE: u64 = 4;

/// What the other side does to the next request that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misdeed {
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is lost on the way.
    LoseRequest,
    /// It is turned away: too many requests.
    TurnAway,
    /// It fails before anything is done.
    Fail,
}

/// The other side of a link under test, with at least ten rows in one scope.
pub trait OtherSide {
    /// A connection of the link to it.
    fn connect(&self) -> Box<dyn Remote>;
    /// A connection to where nobody listens.
    fn connect_to_nobody(&self) -> Box<dyn Remote>;
    /// The scope.
    fn scope(&self) -> &str;
    /// A key that no row has.
    fn free_key(&self) -> String;
    /// A field of text that may be changed, and emptied, in every row.
    fn field(&self) -> &str;
    /// Fields with which a row can be created.
    fn new_row(&self) -> Fields;
    /// Fields that the remote refuses in every row.
    fn refused(&self) -> Fields;
    /// Somebody else changes the field.
    fn edit(&self, key: &str, value: &str);
    /// Somebody else deletes a row.
    fn delete(&self, key: &str);
    /// How often an operation took effect.
    fn effects(&self, operation: &OperationId) -> u64;
    /// The listing that was opened last is gone when its next page is asked for.
    fn lose_listing(&self);
    /// The next request is met so.
    fn misbehave(&self, misdeed: Misdeed);
}

/// Runs every check.
///
/// # Panics
/// When the link breaks its contract.
pub fn run(link: &dyn Link, other: &dyn OtherSide) {
    declarations(link, other);
    let mut suite = Suite { link, other, remote: other.connect(), operations: 0 };
    suite.pages();
    suite.listings();
    suite.updates();
    suite.creations_and_deletions();
    suite.troubles();
    suite.nobody_answers();
}

fn declarations(link: &dyn Link, other: &dyn OtherSide) {
    let mirror = link.mirror();
    let mut names = mirror.fields.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), mirror.fields.len(), "a field is declared twice: {:?}", mirror.fields);
    let own = [mirror.key, mirror.scope, "remote_version", "remote_changed_ms", "observed_at"];
    assert!(
        own.iter().all(|name| !names.contains(name)),
        "a column of the mirror's own is a field: {names:?}"
    );
    for field in mirror.fields {
        assert_eq!(link.parse(field, ""), Ok(Value::Null), "{field}: an empty text is null");
    }
    for critical in link.critical_fields() {
        assert!(names.contains(critical), "the critical field `{critical}` is no field");
    }
    for field in mirror.fields {
        for together in link.shape().unit_of(field).fields {
            assert!(
                names.contains(&together.as_str()),
                "`{together}`, which goes with `{field}`, is no field"
            );
        }
    }
    assert!(names.contains(&other.field()), "the test's field `{}` is no field", other.field());
    assert!(link.requests_per_second() > 0, "a link that may never ask");
}

struct Suite<'a> {
    link: &'a dyn Link,
    other: &'a dyn OtherSide,
    remote: Box<dyn Remote>,
    operations: u64,
}

impl Suite<'_> {
    fn operation(&mut self) -> OperationId {
        self.operations += 1;
        OperationId { stream: format!("{}/conformance", self.link.name()), number: self.operations }
    }

    fn dispatch(&mut self, expected: Expected, fields: Option<Fields>) -> Dispatch {
        Dispatch { operation: self.operation(), expected, fields, attempt: 1 }
    }

    /// A write of the test's field.
    fn write_of(&mut self, row: &RemoteRow, value: &str) -> Dispatch {
        let fields = [(self.other.field().to_owned(), Value::text(value))].into();
        self.dispatch(Expected::Version(row.version), Some(fields))
    }

    fn send(&mut self, key: &str, dispatch: &Dispatch) -> Result<Written, Trouble> {
        self.remote.write(key, self.other.scope(), dispatch)
    }

    /// The row that an acknowledgement holds.
    fn applied(&mut self, key: &str, dispatch: &Dispatch) -> RemoteRow {
        match self.send(key, dispatch) {
            Ok(Written::Applied(row)) => *row,
            answer => panic!("{dispatch:?} was not applied: {answer:?}"),
        }
    }

    fn read(&mut self, key: &str) -> RemoteRow {
        self.remote.read(key).unwrap().unwrap_or_else(|| panic!("{key} is gone"))
    }

    /// All rows behind a cursor, page by page, and the cursor behind them.
    fn changes(&mut self, mut cursor: Cursor, limit: u64) -> (Vec<RemoteRow>, Cursor) {
        let mut rows = Vec::new();
        loop {
            let Page { rows: some, gone: _, next, more } =
                self.remote.changes(self.other.scope(), &cursor, limit).unwrap();
            assert!(some.len() as u64 <= limit, "{} rows where {limit} were asked for", some.len());
            rows.extend(some);
            assert!(!more || next != cursor, "more is there, and the cursor stands still");
            cursor = next;
            if !more {
                return (rows, cursor);
            }
        }
    }

    fn all(&mut self) -> BTreeMap<String, RemoteRow> {
        let (rows, _) = self.changes(Cursor::default(), 1_000);
        rows.into_iter().map(|row| (row.key.clone(), row)).collect()
    }

    fn key(&mut self, at: usize) -> String {
        self.all().into_keys().nth(at).unwrap()
    }

    fn pages(&mut self) {
        let (whole, end) = self.changes(Cursor::default(), 1_000);
        let (pages, same_end) = self.changes(Cursor::default(), PAGE);
        assert!(whole.len() >= 10, "the suite wants ten rows, there are {}", whole.len());
        assert_eq!(pages, whole, "small pages and a large one hold the same rows in the same order");
        assert_eq!(same_end, end);
        let names = self.link.mirror().fields;
        for row in &whole {
            assert_eq!(row.scope, self.other.scope(), "{}", row.key);
            assert!(row.fields.keys().all(|name| names.contains(&name.as_str())), "{row:?}");
            assert_eq!(row.unknown, Vec::<String>::new(), "{}: a field that the link does not know", row.key);
            assert!(self.link.critical_fields().iter().all(|name| row.fields.contains_key(*name)), "{row:?}");
            assert_eq!(&self.read(&row.key), row, "a page and a reading tell the same");
        }
        assert_eq!(self.changes(end.clone(), PAGE), (Vec::new(), end.clone()), "nothing changed since");
        let key = self.key(3);
        let before = self.read(&key);
        self.other.edit(&key, "Demo elsewhere");
        let (changed, after) = self.changes(end.clone(), PAGE);
        assert_eq!(changed.iter().map(|row| &row.key).collect::<Vec<_>>(), [&key], "what changed since");
        assert!(changed[0].version > before.version, "an edit makes a newer version");
        assert!(changed[0].changed_ms >= before.changed_ms, "and not an earlier one");
        let (again, _) = self.changes(self.remote.before(&after, 60_000), PAGE);
        assert!(again.iter().any(|row| row.key == key), "an earlier cursor shows again what was shown");
    }

    fn listings(&mut self) {
        let scope = self.other.scope().to_owned();
        let all = self.all();
        let (mut seen, mut listing, mut offset) = (BTreeMap::new(), None, 0);
        loop {
            let page = self.remote.listing(&scope, listing.as_deref(), offset, PAGE).unwrap();
            assert_eq!(page.total, all.len() as u64, "a listing tells how many rows it has");
            assert!(listing.is_none_or(|listing| listing == page.listing), "one listing to the end");
            assert!(!page.rows.is_empty(), "an empty page before the end");
            listing = Some(page.listing);
            offset += page.rows.len() as u64;
            seen.extend(page.rows.into_iter().map(|row| (row.key.clone(), row)));
            if offset >= page.total {
                break;
            }
        }
        assert_eq!(seen, all, "a listing holds every row once, as it is");
        let listing = self.remote.listing(&scope, None, 0, PAGE).unwrap().listing;
        self.other.lose_listing();
        let gone = self.remote.listing(&scope, Some(&listing), PAGE, PAGE);
        assert!(matches!(gone, Err(Trouble::ListingGone(_))), "a listing that is gone: {gone:?}");
    }

    fn updates(&mut self) {
        let (key, field) = (self.key(1), self.other.field().to_owned());
        let before = self.read(&key);
        let write = self.write_of(&before, "Demo update");
        let after = self.applied(&key, &write);
        assert_eq!(self.other.effects(&write.operation), 1, "under the operation's id");
        assert!(after.version > before.version, "an update makes a newer version");
        let mut expected = before.fields.clone();
        expected.insert(field.clone(), Value::text("Demo update"));
        assert_eq!(after.fields, expected, "what was sent is there, and nothing else changed");
        assert_eq!(self.read(&key), after, "the acknowledgement is the row");
        // A value that is taken away is null, not an empty text.
        let empty = [(field.clone(), Value::Null)].into();
        let write = self.dispatch(Expected::Version(after.version), Some(empty));
        let emptied = self.applied(&key, &write);
        assert_eq!(emptied.fields[&field], Value::Null);
        // The version that the author saw decides, not the newest one.
        let stale = self.write_of(&before, "Demo stale");
        assert_eq!(self.send(&key, &stale), Ok(Written::Rejected), "a version that moved");
        assert_eq!(self.other.effects(&stale.operation), 0);
        assert_eq!(self.read(&key), emptied, "a rejected write changes nothing");
        let refused = self.dispatch(Expected::Version(emptied.version), Some(self.other.refused()));
        let answer = self.send(&key, &refused);
        assert!(matches!(&answer, Ok(Written::Refused(reason)) if !reason.is_empty()), "{answer:?}");
        assert_eq!(self.read(&key), emptied, "a refused write changes nothing");
    }

    fn creations_and_deletions(&mut self) {
        let key = self.other.free_key();
        assert_eq!(self.remote.read(&key), Ok(None), "{key} is free");
        let absent = Expected::Absent { gone: None };
        let create = self.dispatch(absent, Some(self.other.new_row()));
        let row = self.applied(&key, &create);
        assert_eq!((&row.key, row.scope.as_str()), (&key, self.other.scope()));
        assert_eq!(self.read(&key), row, "the acknowledgement is the row");
        let again = self.dispatch(absent, Some(self.other.new_row()));
        assert_eq!(self.send(&key, &again), Ok(Written::Rejected), "a row that is there already");
        let stale = self.dispatch(Expected::Version(Version(row.version.0 + 7)), None);
        assert_eq!(self.send(&key, &stale), Ok(Written::Rejected), "a deletion of another version");
        let delete = self.dispatch(Expected::Version(row.version), None);
        assert_eq!(self.send(&key, &delete), Ok(Written::Deleted));
        assert_eq!(self.other.effects(&delete.operation), 1);
        assert_eq!(self.remote.read(&key), Ok(None), "a deleted row is gone");
        let late = self.write_of(&row, "Demo late");
        assert_eq!(self.send(&key, &late), Ok(Written::Rejected), "an update of a row that is gone");
        let twice = self.dispatch(Expected::Version(row.version), None);
        assert_eq!(self.send(&key, &twice), Ok(Written::Rejected), "a deletion of a row that is gone");
        // And one that somebody else deleted.
        let key = self.key(0);
        let row = self.read(&key);
        self.other.delete(&key);
        assert_eq!(self.remote.read(&key), Ok(None));
        let late = self.write_of(&row, "Demo late");
        assert_eq!(self.send(&key, &late), Ok(Written::Rejected), "an update of a row that is gone");
    }

    /// What may be repeated depends on the kind of trouble, and the remote itself repeats nothing.
    fn troubles(&mut self) {
        let key = self.key(2);
        for misdeed in [Misdeed::LoseAnswer, Misdeed::LoseRequest, Misdeed::TurnAway, Misdeed::Fail] {
            let before = self.read(&key);
            let write = self.write_of(&before, &format!("Demo {misdeed:?}"));
            self.other.misbehave(misdeed);
            let trouble = match self.send(&key, &write) {
                Err(trouble) => trouble,
                answer => panic!("{misdeed:?}: {answer:?}"),
            };
            assert!(!trouble.reason().is_empty(), "{misdeed:?}: what happened is said");
            let done = u64::from(misdeed == Misdeed::LoseAnswer);
            assert_eq!(self.other.effects(&write.operation), done, "{misdeed:?}: {trouble:?}");
            let known = match misdeed {
                Misdeed::TurnAway => matches!(trouble, Trouble::Busy { .. }),
                _ => matches!(trouble, Trouble::Unknown(_)),
            };
            assert!(known, "{misdeed:?} is told as {trouble:?}");
            assert_eq!(self.read(&key).version > before.version, done == 1, "{misdeed:?}: read back");
        }
    }

    fn nobody_answers(&mut self) {
        let key = self.key(2);
        let row = self.read(&key);
        let write = self.write_of(&row, "Demo nobody");
        let mut nobody = self.other.connect_to_nobody();
        let answer = nobody.write(&key, self.other.scope(), &write);
        assert!(matches!(answer, Err(Trouble::NotSent(_))), "nothing left this machine: {answer:?}");
        let answer = nobody.read(&key);
        assert!(matches!(answer, Err(Trouble::NotSent(_))), "{answer:?}");
    }
}
