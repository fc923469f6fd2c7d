//! Error classes, each found by planting the violation.

use plimsoll_core::value::Value;
use plimsoll_store::schema::Dialect;
use plimsoll_store::{Access, ErrorClass, Store};

use super::Open;
use super::fixture::{count, filled, insert, item, row, try_write, update, write};

pub(super) fn run(open: &mut Open<'_>) {
    violations_have_their_class(filled(open).as_mut());
    misuse_has_its_class(filled(open).as_mut());
    deferred_constraints(open().as_mut());
}

const STRICT: Dialect = Dialect {
    sqlite: "CREATE TABLE strict_one (id integer PRIMARY KEY, whole integer) STRICT",
    postgres: "CREATE TABLE strict_one (id bigint PRIMARY KEY, whole bigint)",
};

const GUARD: Dialect = Dialect {
    sqlite: "CREATE TRIGGER guard BEFORE UPDATE ON item WHEN new.label = 'forbidden'
             BEGIN SELECT RAISE(ABORT, 'the label is forbidden'); END",
    postgres: "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $body$
               BEGIN
                   IF new.label = 'forbidden' THEN RAISE EXCEPTION 'the label is forbidden'; END IF;
                   RETURN new;
               END $body$;
               CREATE TRIGGER guard BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION guard()",
};

fn violations_have_their_class(store: &mut dyn Store) {
    store.run_script(STRICT.of(store.kind())).unwrap();
    store.run_script(GUARD.of(store.kind())).unwrap();
    let good = [insert(store, "item", item(1, "a", Some("x"), Some(1)))];
    write(store, &good);
    let mut orphan = item(2, "b", None, None);
    orphan[1] = Value::Integer(99);
    let mut nameless = item(2, "b", None, None);
    nameless[2] = Value::Null;
    let planted = [
        (ErrorClass::Unique, insert(store, "item", item(2, "b", Some("x"), None)), "code"),
        (ErrorClass::ForeignKey, insert(store, "item", orphan), ""),
        (ErrorClass::Check, insert(store, "item", item(2, "b", None, Some(-1))), "quantity"),
        (ErrorClass::NotNull, insert(store, "item", nameless), "label"),
        (
            ErrorClass::Value,
            insert(store, "strict_one", vec![Value::Integer(1), Value::text("many")]),
            "whole",
        ),
        (
            ErrorClass::Trigger,
            update(store, "item", item(1, "a", Some("x"), Some(1)), item(1, "forbidden", Some("x"), Some(1))),
            "the label is forbidden",
        ),
    ];
    for (class, change, named) in planted {
        let alone = try_write(store, std::slice::from_ref(&change)).unwrap_err();
        assert_eq!(alone.class, class, "{alone}");
        assert!(alone.class.is_data());
        assert!(alone.message.contains(named), "{class} names {named:?}: {alone}");
        assert_eq!(alone.at, Some(0));
        // Among good neighbours the failure takes the whole call with it.
        let (before, after) = (
            insert(store, "item", item(5, "x", None, None)),
            insert(store, "item", item(6, "y", None, None)),
        );
        let among = try_write(store, &[before, change, after]).unwrap_err();
        assert_eq!(among.class, class);
        assert!(among.at.is_none_or(|at| at == 1), "{:?}", among.at);
        assert_eq!((count(store, "item"), count(store, "strict_one")), (1, 0));
    }
    assert_eq!(row(store, "item", 1), Some(item(1, "a", Some("x"), Some(1))));
}

fn misuse_has_its_class(store: &mut dyn Store) {
    for sql in ["SELEKT 1", "SELECT nothing FROM owner", "SELECT 1 FROM nowhere"] {
        let error = store.query(sql, &[]).unwrap_err();
        assert!(!error.class.is_data(), "{sql}: {error}");
    }
    assert_eq!(store.query("SELECT 1 FROM nowhere", &[]).unwrap_err().class, ErrorClass::Schema);
    assert!(store.shape("nowhere").unwrap().is_none());
    store.run_script("CREATE TABLE keyless (a text)").unwrap();
    let error = store.shape("keyless").unwrap_err();
    assert!(error.class == ErrorClass::Schema && error.message.contains("hint:"), "{error}");
}

fn deferred_constraints(store: &mut dyn Store) {
    store
        .run_script(
            "CREATE TABLE head (id bigint PRIMARY KEY);
             CREATE TABLE tail (
                 id bigint PRIMARY KEY,
                 head bigint NOT NULL REFERENCES head (id) DEFERRABLE INITIALLY DEFERRED
             );",
        )
        .unwrap();
    let tail = |store: &mut dyn Store, id: i64| insert(store, "tail", [id, id].map(Value::Integer).to_vec());
    let head = |store: &mut dyn Store, id: i64| insert(store, "head", vec![Value::Integer(id)]);
    let changes = [tail(store, 1), head(store, 1), tail(store, 2), tail(store, 3)];
    store.begin(Access::ReadWrite).unwrap();
    store.check_deferred().unwrap();
    store.savepoint("attempt").unwrap();
    store.write_rows(&[&changes[0], &changes[1]]).unwrap();
    store.check_deferred().unwrap();
    store.release("attempt").unwrap();
    store.savepoint("attempt").unwrap();
    store.write_rows(&[&changes[2]]).unwrap();
    assert_eq!(store.check_deferred().unwrap_err().class, ErrorClass::ForeignKey);
    store.rollback_to("attempt").unwrap();
    store.release("attempt").unwrap();
    store.check_deferred().unwrap();
    store.commit().unwrap();
    assert_eq!((count(store, "head"), count(store, "tail")), (1, 1));

    // After a check the constraint is still deferred; the commit is what fails, and keeps nothing.
    store.begin(Access::ReadWrite).unwrap();
    store.check_deferred().unwrap();
    store.write_rows(&[&changes[3]]).unwrap();
    assert_eq!(store.commit().unwrap_err().class, ErrorClass::ForeignKey);
    assert_eq!(count(store, "tail"), 1);
    store.begin(Access::ReadWrite).unwrap();
    store.rollback().unwrap();
}
