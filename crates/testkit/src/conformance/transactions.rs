//! Transactions, savepoints and snapshots.

use plimsoll_core::value::Value;
use plimsoll_store::{Access, ErrorClass, Store, StoreError, in_transaction};

use super::Open;
use super::fixture::{count, filled, owner};

pub(super) fn run(open: &mut Open<'_>) {
    commit_keeps_and_rollback_takes_back(filled(open).as_mut());
    misuse_is_refused(filled(open).as_mut());
    savepoints_nest_and_stay_set(filled(open).as_mut());
    a_failed_statement_is_taken_back_to_the_savepoint(filled(open).as_mut());
    a_reader_sees_one_snapshot(filled(open).as_mut());
    a_reader_does_not_write(filled(open).as_mut());
}

fn add(store: &mut dyn Store, id: i64) {
    let change = owner(store, id, &format!("owner {id}"));
    assert_eq!(store.write_rows(&[&change]).unwrap(), [true]);
}

fn commit_keeps_and_rollback_takes_back(store: &mut dyn Store) {
    store.begin(Access::ReadWrite).unwrap();
    add(store, 10);
    store.rollback().unwrap();
    assert_eq!(count(store, "owner"), 2);
    store.begin(Access::ReadWrite).unwrap();
    add(store, 10);
    store.commit().unwrap();
    assert_eq!(count(store, "owner"), 3);
    let failed = in_transaction(store, Access::ReadWrite, |store| {
        add(store, 11);
        Err::<(), _>(StoreError::new(ErrorClass::Other, "enough"))
    });
    assert_eq!(failed.unwrap_err().message, "enough");
    assert_eq!(count(store, "owner"), 3);
    let mut other = store.reopen().unwrap();
    assert_eq!(count(other.as_mut(), "owner"), 3);
    assert_eq!(other.url(), store.url());
}

fn misuse_is_refused(store: &mut dyn Store) {
    store.rollback().unwrap();
    assert!(store.commit().is_err(), "a commit without a transaction");
    store.begin(Access::ReadWrite).unwrap();
    assert!(store.begin(Access::ReadWrite).is_err(), "a transaction inside a transaction");
    add(store, 10);
    store.commit().unwrap();
    assert_eq!(count(store, "owner"), 3);
}

fn savepoints_nest_and_stay_set(store: &mut dyn Store) {
    store.begin(Access::ReadWrite).unwrap();
    add(store, 10);
    store.savepoint("outer_point").unwrap();
    add(store, 11);
    store.savepoint("inner_point").unwrap();
    add(store, 12);
    store.rollback_to("inner_point").unwrap();
    assert_eq!(count(store, "owner"), 4);
    add(store, 12);
    store.rollback_to("inner_point").unwrap();
    add(store, 13);
    store.release("inner_point").unwrap();
    assert_eq!(count(store, "owner"), 5);
    store.rollback_to("outer_point").unwrap();
    assert_eq!(count(store, "owner"), 3);
    add(store, 14);
    store.release("outer_point").unwrap();
    store.commit().unwrap();
    let kept = store.query("SELECT id FROM owner ORDER BY id", &[]).unwrap();
    assert_eq!(kept.concat(), [1, 2, 10, 14].map(Value::Integer));
}

fn a_failed_statement_is_taken_back_to_the_savepoint(store: &mut dyn Store) {
    store.begin(Access::ReadWrite).unwrap();
    add(store, 10);
    for sql in ["INSERT INTO owner (id, name) VALUES (11, 'ada')", "SELECT nothing FROM nowhere"] {
        store.savepoint("attempt").unwrap();
        add(store, 20);
        assert!(store.execute(sql, &[]).is_err());
        store.rollback_to("attempt").unwrap();
        store.release("attempt").unwrap();
    }
    add(store, 12);
    store.commit().unwrap();
    let kept = store.query("SELECT id FROM owner ORDER BY id", &[]).unwrap();
    assert_eq!(kept.concat(), [1, 2, 10, 12].map(Value::Integer));
}

fn a_reader_sees_one_snapshot(store: &mut dyn Store) {
    let mut writer = store.reopen().unwrap();
    store.begin(Access::ReadOnly).unwrap();
    assert_eq!(count(store, "owner"), 2);
    in_transaction(writer.as_mut(), Access::ReadWrite, |writer| {
        add(writer, 10);
        Ok::<_, StoreError>(())
    })
    .unwrap();
    assert_eq!(count(writer.as_mut(), "owner"), 3);
    assert_eq!(count(store, "owner"), 2);
    store.commit().unwrap();
    assert_eq!(count(store, "owner"), 3);
}

fn a_reader_does_not_write(store: &mut dyn Store) {
    let change = owner(store, 10, "zoe");
    for way_out in [Store::commit, Store::rollback] {
        store.begin(Access::ReadOnly).unwrap();
        assert_eq!(store.write_rows(&[&change]).unwrap_err().class, ErrorClass::Refused);
        // PostgreSQL has ended the transaction, SQLite has not: either way nothing is written.
        drop(way_out(store));
        store.rollback().unwrap();
        assert_eq!(count(store, "owner"), 2);
    }
    add(store, 10);
}
