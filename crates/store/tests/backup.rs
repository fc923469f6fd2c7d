//! Backups on both databases: what comes back is what was there, a damaged copy is found out, and nothing
//! unfinished stays behind.

#![expect(clippy::unwrap_used, reason = "the helpers of a test panic as the test does")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use plimsoll_core::digest::TableDigest;
use plimsoll_core::id::Id;
use plimsoll_core::value::Value;
use plimsoll_store::backup::{self, Backup, BackupError};
use plimsoll_store::digest::table_digests;
use plimsoll_store::schema::{self, Dialect};
use plimsoll_store::{DatabaseKind, ErrorClass, Store, StoreUrl, open};
use plimsoll_testkit::postgres_server::{GUARDED_ROLE, PostgresServer};

const NOW: &str = "2026-01-02T03:04:05Z";
const TABLES: &[&str] = &["child", "parent", "odd", "later"];

const SETUP: Dialect = Dialect {
    sqlite: "CREATE TABLE parent (id bigint PRIMARY KEY, code text UNIQUE, up bigint REFERENCES parent (id));
             CREATE TABLE child (id bigint PRIMARY KEY, parent bigint NOT NULL REFERENCES parent (id) ON DELETE CASCADE,
                 note text);
             CREATE INDEX child_note ON child (note);
             CREATE TABLE odd (k text COLLATE NOCASE PRIMARY KEY, a real, b blob, c \"decimal text\", d timestamp,
                 twice text AS (k || k))",
    postgres: "CREATE COLLATION blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
               CREATE TABLE parent (id bigint PRIMARY KEY, code text UNIQUE, up bigint REFERENCES parent (id));
               CREATE TABLE child (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
                   parent bigint NOT NULL REFERENCES parent (id) ON DELETE CASCADE, note text);
               CREATE TABLE odd (k text COLLATE blind PRIMARY KEY, a double precision, b bytea, c numeric, d timestamptz,
                   twice text GENERATED ALWAYS AS (k || k) STORED)",
};

const FILL: Dialect = Dialect {
    sqlite: "INSERT INTO parent VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2), (4, 'd', 4);
             INSERT INTO child (id, parent, note)
                 WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                 SELECT i, 1 + i % 4, 'findable note ' || i FROM n;
             INSERT INTO odd (k, a, b, c, d) VALUES ('x', -0.5, x'00ff', '1.50', '2025-10-01 19:59:54.5'),
                 ('Y', 9e999, NULL, '0.0', NULL)",
    postgres: "INSERT INTO parent VALUES (1, 'a', NULL), (2, 'b', 1), (3, 'c', 2), (4, 'd', 4);
             INSERT INTO child (id, parent, note) OVERRIDING SYSTEM VALUE
                 SELECT i, 1 + i % 4, 'findable note ' || i FROM generate_series(1, 2000) AS i;
             INSERT INTO odd (k, a, b, c, d) VALUES ('x', '-0', '\\x00ff', '1.50', '2025-10-01 19:59:54.5+00'),
                 ('Y', 'infinity', NULL, 'NaN', 'infinity')",
};

/// Changes of every kind, among them swapped unique values and a key that differs in case only.
const CHANGE: Dialect = Dialect {
    sqlite: "UPDATE parent SET code = 't' WHERE id = 1; UPDATE parent SET code = 'a' WHERE id = 2;
             UPDATE parent SET code = 'b' WHERE id = 1;
             DELETE FROM parent WHERE id = 4; INSERT INTO parent VALUES (9, 'd', 3);
             UPDATE parent SET up = 9 WHERE id = 2;
             UPDATE child SET note = NULL WHERE id % 7 = 1; DELETE FROM child WHERE id % 5 = 1;
             INSERT INTO child (id, parent, note) VALUES (9001, 9, 'new');
             UPDATE odd SET k = 'X', c = '1.5' WHERE k = 'x'; UPDATE odd SET k = 'y' WHERE k = 'Y'",
    postgres: "UPDATE parent SET code = 't' WHERE id = 1; UPDATE parent SET code = 'a' WHERE id = 2;
             UPDATE parent SET code = 'b' WHERE id = 1;
             DELETE FROM parent WHERE id = 4; INSERT INTO parent VALUES (9, 'd', 3);
             UPDATE parent SET up = 9 WHERE id = 2;
             UPDATE child SET note = NULL WHERE id % 7 = 1; DELETE FROM child WHERE id % 5 = 1;
             INSERT INTO child (id, parent, note) OVERRIDING SYSTEM VALUE VALUES (9001, 9, 'new');
             UPDATE odd SET k = 'X', a = 0, c = '1.5' WHERE k = 'x'; UPDATE odd SET k = 'y' WHERE k = 'Y'",
};

fn at(url: &str) -> Box<dyn Store> {
    open(&url.parse::<StoreUrl>().unwrap()).unwrap()
}

fn id(number: u32) -> Id {
    Id(format!("{number:032x}"))
}

fn digests(store: &mut dyn Store) -> Vec<TableDigest> {
    table_digests(store, TABLES).unwrap()
}

fn filled(url: &str) -> Box<dyn Store> {
    let mut store = at(url);
    schema::upgrade(store.as_mut(), &plimsoll_store::journal::SCHEMA, NOW).unwrap();
    store.run_script(SETUP.of(store.kind())).unwrap();
    store.run_script(FILL.of(store.kind())).unwrap();
    store
}

fn change(store: &mut dyn Store) {
    store.run_script(CHANGE.of(store.kind())).unwrap();
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The whole life of a backup, by whichever method the store uses.
fn life(url: &str, folder: &Path, method: &str) -> (Box<dyn Store>, Backup) {
    let mut store = filled(url);
    let store_mut = store.as_mut();
    let before = digests(store_mut);
    let made = backup::create(store_mut, folder, &id(1), TABLES, NOW).unwrap();
    assert_eq!((made.method.as_str(), &made.digests, made.verified_at.as_str()), (method, &before, NOW));
    assert!(made.bytes > 1000);
    assert!(backup::list(store_mut).unwrap().is_empty());
    backup::record(store_mut, &made).unwrap();
    assert_eq!(backup::list(store_mut).unwrap(), std::slice::from_ref(&made));

    change(store_mut);
    store_mut
        .execute("INSERT INTO plimsoll_event VALUES (1, 'a', 'a', 'k', 's', 'r', 'd', 'p', 'x')", &[])
        .unwrap();
    let changed = digests(store_mut);
    assert!(changed[0] != before[0] && changed[1] != before[1] && changed[2] != before[2]);
    let second = backup::create(store_mut, folder, &id(2), TABLES, NOW).unwrap();
    backup::restore(store_mut, &made, TABLES).unwrap();
    assert_eq!(digests(store_mut), before);
    assert_eq!(store_mut.query("SELECT number FROM plimsoll_event", &[]).unwrap(), [[Value::Integer(1)]]);
    assert_eq!(backup::list(store_mut).unwrap().len(), 1);
    // A restore can be taken back by restoring what was there, and doing it again changes nothing.
    backup::restore(store_mut, &second, TABLES).unwrap();
    backup::restore(store_mut, &second, TABLES).unwrap();
    assert_eq!(digests(store_mut), changed);
    // Constraints hold as before.
    let orphan = store_mut.execute("INSERT INTO parent VALUES (77, 'z', 76)", &[]).unwrap_err();
    assert_eq!(orphan.class, ErrorClass::ForeignKey);

    // A part of the tables is enough, and an unknown table is refused.
    backup::restore(store_mut, &made, &["odd"]).unwrap();
    assert_eq!(digests(store_mut)[2], before[2]);
    assert_eq!(digests(store_mut)[..2], changed[..2]);
    assert!(matches!(backup::restore(store_mut, &made, &["nowhere"]), Err(BackupError::Refused(_))));
    backup::restore(store_mut, &made, TABLES).unwrap();
    assert_eq!(digests(store_mut), before);
    versions_in_between(store_mut, &made, &before);
    a_trigger_that_interferes(store_mut, &made);
    a_guard_that_steps_aside(store_mut, &made);
    (store, made)
}

/// Columns and tables that came since the backup; a column that went.
fn versions_in_between(store: &mut dyn Store, made: &Backup, before: &[TableDigest]) {
    store
        .run_script(
            "ALTER TABLE child ADD COLUMN extra text; UPDATE child SET extra = 'x' WHERE id < 10;
             CREATE TABLE later (id bigint PRIMARY KEY); INSERT INTO later VALUES (1)",
        )
        .unwrap();
    store.forget_shapes();
    assert_ne!(digests(store)[0], before[0]);
    backup::restore(store, made, TABLES).unwrap();
    assert_eq!(digests(store), before);
    store
        .run_script("ALTER TABLE child DROP COLUMN extra; ALTER TABLE child RENAME COLUMN note TO remark")
        .unwrap();
    store.forget_shapes();
    let error = backup::restore(store, made, TABLES).unwrap_err().to_string();
    assert!(error.contains("`note`") && error.contains("hint:"), "{error}");
    store.run_script("ALTER TABLE child RENAME COLUMN remark TO note").unwrap();
    store.forget_shapes();
}

/// A trigger that changes what is written makes the restore fail, and nothing is changed.
fn a_trigger_that_interferes(store: &mut dyn Store, made: &Backup) {
    let (create, drop) = match store.kind() {
        DatabaseKind::Sqlite => (
            "CREATE TRIGGER meddle AFTER INSERT ON parent BEGIN UPDATE parent SET code = code || '!' WHERE id = new.id; END",
            "DROP TRIGGER meddle",
        ),
        DatabaseKind::Postgres => (
            "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.code := new.code || '!'; RETURN new; END $$;
             CREATE TRIGGER meddle BEFORE INSERT OR UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION meddle()",
            "DROP TRIGGER meddle ON parent; DROP FUNCTION meddle",
        ),
    };
    store.run_script("UPDATE parent SET code = 'other' WHERE id = 3").unwrap();
    store.run_script(create).unwrap();
    let changed = digests(store);
    let error = backup::restore(store, made, TABLES).unwrap_err();
    assert!(matches!(&error, BackupError::Damaged { what, .. } if what.contains("restored")), "{error}");
    assert_eq!(digests(store), changed);
    store.run_script(drop).unwrap();
    backup::restore(store, made, TABLES).unwrap();
}

/// A guard refuses everybody but a restore, and stands again after it, also after one that fails.
fn a_guard_that_steps_aside(store: &mut dyn Store, made: &Backup) {
    let (create, drop) = match store.kind() {
        DatabaseKind::Sqlite => (
            "CREATE TRIGGER parent_guard_change BEFORE DELETE ON parent BEGIN SELECT RAISE(ABORT, 'guarded'); END",
            "DROP TRIGGER parent_guard_change",
        ),
        DatabaseKind::Postgres => (
            "CREATE FUNCTION stand() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'guarded'; END $$;
             CREATE TRIGGER parent_guard_change BEFORE UPDATE OR DELETE ON parent FOR EACH ROW EXECUTE FUNCTION stand()",
            "DROP TRIGGER parent_guard_change ON parent; DROP FUNCTION stand",
        ),
    };
    let before = digests(store);
    store.run_script("UPDATE parent SET code = 'other' WHERE id = 3").unwrap();
    store.run_script(create).unwrap();
    let guarded = |store: &mut dyn Store| {
        let error = store.execute("DELETE FROM parent WHERE id = 3", &[]).unwrap_err();
        assert_eq!(error.class, ErrorClass::Trigger, "{error}");
    };
    guarded(store);
    backup::restore(store, made, TABLES).unwrap();
    assert_eq!(digests(store), before);
    guarded(store);
    store.run_script(drop).unwrap();
}

/// Writes all the time while backups are made: each is verified against its own snapshot.
fn under_load(store: &mut dyn Store, folder: &Path) {
    /// Stops the writer also when the test fails.
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    let mut writer = store.reopen().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut next = 100_000_i64;
            while !stop.load(Ordering::Relaxed) {
                let sql = "INSERT INTO parent (id, code) VALUES ($1, NULL)";
                writer.execute(sql, &[Value::Integer(next)]).unwrap();
                next += 1;
            }
        });
        let stopping = Stop(&stop);
        let mut sizes = Vec::new();
        for number in 10..13 {
            let made = backup::create(store, folder, &id(number), TABLES, NOW).unwrap();
            sizes.push(made.digests[1].rows);
        }
        drop(stopping);
        assert!(sizes.is_sorted() && sizes[0] < sizes[2], "the writer did not run: {sizes:?}");
    });
}

/// Flips one byte in the middle of some text of the file.
fn damage(file: &Path, around: &[u8]) {
    let mut bytes = fs::read(file).unwrap();
    let at = bytes.windows(around.len()).position(|window| window == around).unwrap();
    bytes[at + around.len() / 2] ^= 0x20;
    fs::write(file, bytes).unwrap();
}

fn refuses_damage(store: &mut dyn Store, made: &Backup) {
    change(store);
    let changed = digests(store);
    let error = backup::restore(store, made, TABLES).unwrap_err();
    assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("hint:"), "{error}");
    assert_eq!(digests(store), changed, "a damaged copy was used");
}

#[test]
fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let backups = folder.path().join("some/backups");
    let url = format!("sqlite:{}", folder.path().join("main.db").display());
    let (mut store, made) = life(&url, &backups, "sqlite_copy");
    let names = [1, 2].map(|number| format!("main-{}.db", id(number)));
    assert_eq!(files(&backups), names);

    // What unfinished backups left goes; what belongs to others stays.
    for name in
        ["main-77.db.part", "main-77.db.part-journal", "other-1.db.part", "main.db.part", "main-1.txt"]
    {
        fs::write(backups.join(name), "left").unwrap();
    }
    let lock = File::open(&backups).unwrap();
    lock.lock().unwrap();
    let busy = backup::create(store.as_mut(), &backups, &id(3), TABLES, NOW).unwrap_err();
    assert!(busy.to_string().contains("another backup is being made"), "{busy}");
    lock.unlock().unwrap();
    under_load(store.as_mut(), &backups);
    let names = files(&backups);
    let kept: Vec<&str> = names.iter().map(String::as_str).filter(|name| !name.ends_with(".db")).collect();
    assert_eq!((kept, names.len()), (vec!["main-1.txt", "main.db.part", "other-1.db.part"], 8));

    backup::restore(store.as_mut(), &made, TABLES).unwrap();
    // Also where only an index is damaged, so that every row still reads well.
    let whole = fs::read(&made.location).unwrap();
    let note = b"findable note 1234";
    let places: Vec<usize> = (0..whole.len()).filter(|&at| whole[at..].starts_with(note)).collect();
    assert_eq!(places.len(), 2, "in the table and in its index");
    for at in places {
        let mut bytes = whole.clone();
        bytes[at + note.len() / 2] ^= 0x20;
        fs::write(&made.location, bytes).unwrap();
        let error = backup::restore(store.as_mut(), &made, TABLES).unwrap_err();
        assert!(matches!(error, BackupError::Damaged { .. }), "{at}: {error}");
    }
    fs::write(&made.location, whole).unwrap();
    damage(Path::new(&made.location), note);
    refuses_damage(store.as_mut(), &made);
    fs::remove_file(&made.location).unwrap();
    assert!(backup::restore(store.as_mut(), &made, TABLES).is_err());
    assert!(!PathBuf::from(&made.location).exists(), "looking for the copy created a file");

    // A copy that is not made leaves nothing.
    let gone =
        backup::create(store.as_mut(), &backups.join("main-1.txt/x"), &id(4), TABLES, NOW).unwrap_err();
    assert!(matches!(gone, BackupError::File { .. }), "{gone}");
}

#[test]
fn postgres_dump() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = server.database().unwrap();
    let (mut store, made) = life(&url, folder.path(), "pg_dump");
    assert_eq!(files(folder.path()).len(), 2);
    let scratches = |store: &mut dyn Store| {
        let sql = "SELECT datname::text FROM pg_database WHERE datname LIKE 'plimsoll_verify%'";
        store.query(sql, &[]).unwrap()
    };
    assert!(scratches(store.as_mut()).is_empty());

    let database = made.location.rsplit('/').next().unwrap().split('-').next().unwrap().to_owned();
    store.run_script("CREATE DATABASE plimsoll_verify_77").unwrap();
    store.run_script("CREATE DATABASE plimsoll_verify_78").unwrap();
    store
        .run_script(&format!(
            "COMMENT ON DATABASE plimsoll_verify_77 IS 'scratch of a plimsoll backup of {database}'"
        ))
        .unwrap();
    fs::write(folder.path().join(format!("{database}-77.dump.part")), "left").unwrap();
    under_load(store.as_mut(), folder.path());
    assert_eq!(scratches(store.as_mut()), [[Value::text("plimsoll_verify_78")]]);
    store.run_script("DROP DATABASE plimsoll_verify_78").unwrap();
    assert!(files(folder.path()).iter().all(|name| name.ends_with(".dump")));

    backup::restore(store.as_mut(), &made, TABLES).unwrap();
    let whole = fs::read(&made.location).unwrap();
    let mut found = 0;
    for part in 1..5 {
        let mut bytes = whole.clone();
        bytes[whole.len() * part / 5] ^= 0x55;
        fs::write(&made.location, bytes).unwrap();
        change(store.as_mut());
        let changed = digests(store.as_mut());
        match backup::restore(store.as_mut(), &made, TABLES) {
            // A byte that means nothing for the rows, such as one of a comment or an owner's name.
            Ok(()) => assert_eq!(digests(store.as_mut()), made.digests),
            Err(error) => {
                found += 1;
                assert!(matches!(error, BackupError::Damaged { .. }), "{error}");
                assert_eq!(digests(store.as_mut()), changed);
                fs::write(&made.location, &whole).unwrap();
                backup::restore(store.as_mut(), &made, TABLES).unwrap();
            }
        }
    }
    assert!(found > 1, "only {found} of 4 damages were found");
    assert!(scratches(store.as_mut()).is_empty());
}

/// A role that may not create databases gets copies of the tables, and can restore them as their owner.
#[test]
fn postgres_tables_and_passwords() {
    let Some(server) = PostgresServer::shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let database = server.database().unwrap();
    let name = database.split('/').nth(3).unwrap().split('?').next().unwrap().to_owned();
    let mut admin = at(&database);
    admin
        .run_script(&format!(
            "CREATE ROLE {GUARDED_ROLE} LOGIN PASSWORD 'open sesame'; ALTER DATABASE {name} OWNER TO {GUARDED_ROLE};
             ALTER SCHEMA public OWNER TO {GUARDED_ROLE}"
        ))
        .unwrap();
    let url = server.url_for(&format!("{GUARDED_ROLE}:open%20sesame"), &name);
    let (mut store, made) = life(&url, folder.path(), "table_copy");
    assert!(files(folder.path()).is_empty());
    assert_eq!(made.location, format!("plimsoll_backup_{}", id(1)));
    under_load(store.as_mut(), folder.path());
    backup::restore(store.as_mut(), &made, TABLES).unwrap();
    let forged = format!("UPDATE {}.child SET note = 'forged' WHERE id = 5", made.location);
    store.execute(&forged, &[]).unwrap();
    refuses_damage(store.as_mut(), &made);

    // With the right to create databases the same role dumps, and its password goes with the programs.
    admin.run_script(&format!("ALTER ROLE {GUARDED_ROLE} CREATEDB")).unwrap();
    let dumped = backup::create(store.as_mut(), folder.path(), &id(20), TABLES, NOW).unwrap();
    assert_eq!(dumped.method, "pg_dump");
    let before = digests(store.as_mut());
    store.run_script("DELETE FROM odd; UPDATE child SET note = 'x'").unwrap();
    backup::restore(store.as_mut(), &dumped, TABLES).unwrap();
    assert_eq!(digests(store.as_mut()), before);
    let wrong = server.url_for(&format!("{GUARDED_ROLE}:wrong%20secret"), &name);
    let error = open(&wrong.parse().unwrap()).err().unwrap();
    assert_eq!(error.class, ErrorClass::Refused);
    assert!(!error.message.contains("secret"), "{error}");
}
