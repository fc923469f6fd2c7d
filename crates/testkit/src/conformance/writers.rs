//! Two connections that write: they wait for each other, and nothing is lost or doubled.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use plimsoll_core::change::Change;
use plimsoll_core::value::Value;
use plimsoll_store::{Access, Store, StoreError, in_transaction};

use super::Open;
use super::fixture::{filled, insert, item, row, shape, update, write};

/// How long the second writer is watched before it counts as waiting.
const WAITING: Duration = Duration::from_millis(200);

/// How often each writer counts up.
const ROUNDS: i64 = 60;

pub(super) fn run(open: &mut Open<'_>) {
    the_second_writer_waits_and_then_sees_the_change(filled(open).as_mut());
    counting_loses_nothing(filled(open).as_mut());
}

fn the_second_writer_waits_and_then_sees_the_change(store: &mut dyn Store) {
    let (old, first, second) =
        (item(1, "old", None, None), item(1, "first", None, None), item(1, "second", None, None));
    let change = insert(store, "item", old.clone());
    write(store, &[change]);
    let ours = update(store, "item", old.clone(), first.clone());
    let theirs = update(store, "item", old, second);
    let mut other = store.reopen().unwrap();
    let (done, finished) = mpsc::channel();
    store.begin(Access::ReadWrite).unwrap();
    assert_eq!(store.write_rows(&[&ours]).unwrap(), [true]);
    let writer = thread::spawn(move || {
        let written = in_transaction(other.as_mut(), Access::ReadWrite, |other| other.write_rows(&[&theirs]));
        done.send(()).unwrap();
        written.unwrap()
    });
    assert!(finished.recv_timeout(WAITING).is_err(), "the second writer did not wait");
    store.commit().unwrap();
    assert_eq!(writer.join().unwrap(), [false], "the second writer overwrote the first");
    assert_eq!(row(store, "item", 1), Some(first));
}

fn counting_loses_nothing(store: &mut dyn Store) {
    let change = insert(store, "item", item(1, "counter", None, Some(0)));
    write(store, &[change]);
    let count_up = |mut store: Box<dyn Store>| {
        thread::spawn(move || {
            let table = shape(store.as_mut(), "item");
            let mut counted = 0;
            while counted < ROUNDS {
                let written = in_transaction(store.as_mut(), Access::ReadWrite, |store| {
                    let before = row(store, "item", 1).unwrap();
                    let mut after = before.clone();
                    after[4] = Value::Integer(before[4].as_integer().unwrap() + 1);
                    let change = Change::new(table.clone(), Some(before), Some(after)).unwrap();
                    let written = store.write_rows(&[&change])?;
                    Ok::<_, StoreError>(written == [true])
                });
                counted += i64::from(written.unwrap());
            }
        })
    };
    let writers = [count_up(store.reopen().unwrap()), count_up(store.reopen().unwrap())];
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(row(store, "item", 1), Some(item(1, "counter", None, Some(2 * ROUNDS))));
}
