//! Long runs: changed documents to every reader, without a fuzzer; and the first inputs for one.
//!
//! Not part of the tests: `--run-ignored only -E 'test(fuzz_minutes)'`, `-E 'test(fuzz_corpus)'`.

use std::path::Path;
use std::time::{Duration, Instant};

use plimsoll_core::value::Value;
use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, Generation, Rows};
use plimsoll_opencode::documents::OpenCode;

use crate::arbitrary::{DOCUMENTS, WORDS};
use crate::support::{Stored, buffers};

/// How long [`fuzz_minutes`] runs.
const MINUTES: u64 = 10;
/// After so many bytes of rows they are written into DuckDB, which has to take them.
const WRITTEN: usize = 8 << 20;
const TYPES: [&str; 8] = ["assistant", "user", "shell", "compaction", "skill", "system", "idle", "new"];

/// Chance that can be repeated (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

/// Changes a document in a few places.
fn change(document: &str, chance: &mut Chance) -> String {
    let mut bytes = document.as_bytes().to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        match chance.below(8) {
            0 => bytes.truncate(at),
            1 | 2 if at < bytes.len() => bytes[at] = u8::try_from(chance.below(256)).unwrap(),
            3 => {
                // A word in place of what stands between two quotes.
                let quote =
                    |from: usize| bytes[from..].iter().position(|byte| *byte == b'"').map(|far| from + far);
                if let Some(begin) = quote(at)
                    && let Some(end) = quote(begin + 1)
                {
                    let word = WORDS[chance.below(WORDS.len())];
                    bytes.splice(
                        begin + 1..end,
                        serde_json::to_string(word).unwrap().trim_matches('"').bytes(),
                    );
                }
            }
            4 => {
                let values = [
                    "null",
                    "[]",
                    "{}",
                    "-1",
                    "1e400",
                    "0.1",
                    "true",
                    "\"\\ud83d\"",
                    "[1,{\"a\":null}]",
                    "18446744073709551616",
                ];
                let value = values[chance.below(values.len())];
                if let Some(colon) = bytes[at..].iter().position(|byte| *byte == b':') {
                    let begin = at + colon + 1;
                    let end = bytes[begin..].iter().position(|byte| matches!(byte, b',' | b'}' | b']'));
                    bytes.splice(begin..end.map_or(bytes.len(), |end| begin + end), value.bytes());
                }
            }
            5 => {
                let other = DOCUMENTS[chance.below(DOCUMENTS.len())].as_bytes();
                let from = chance.below(other.len());
                let to = from + chance.below(other.len() - from);
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let from = at.min(chance.below(bytes.len() + 1));
                bytes.drain(from..at.min(from + 40));
            }
            _ => {
                let again = bytes[at.saturating_sub(60)..at].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn read(text: &str, kind: usize, form: usize, rows: &mut Rows) {
    let columns = [
        ("id", Value::text("x")),
        ("session_id", Value::text("ses_1")),
        ("type", Value::text(TYPES[form / 3 % TYPES.len()])),
        ("model", Value::text(text)),
        ("revert", Value::text(text)),
        ("time_created", Value::Integer(1_795_309_382_979)),
        ("data", Value::text(text)),
    ];
    let (generation, body) = match form % 3 {
        0 => (Generation::Json, Body::File(text)),
        1 => (Generation::SqliteV1, Body::Row(&columns)),
        _ => (Generation::SqliteV2, Body::Row(&columns)),
    };
    let id = "prt_200c72d43001FXNalKtNyYz3mu";
    drop(OpenCode.read(&Document { kind, id, parent: Some("msg_1"), generation, body }, rows));
}

#[test]
#[ignore = "runs for ten minutes"]
fn fuzz_minutes() {
    run(Duration::from_secs(60 * MINUTES), 0x9E37_79B9_7F4A_7C15);
}

#[test]
fn a_moment_of_fuzzing_breaks_nothing() {
    run(Duration::from_millis(1_500), 88_172_645_463_325_252);
}

fn run(time: Duration, seed: u64) {
    let begun = Instant::now();
    let mut chance = Chance(seed);
    let mut rows = buffers();
    let mut documents = 0_u64;
    while begun.elapsed() < time {
        for _ in 0..500 {
            let text = change(DOCUMENTS[chance.below(DOCUMENTS.len())], &mut chance);
            let (kind, form) = (chance.below(OpenCode.kinds().len()), chance.below(24));
            read(&text, kind, form, &mut rows);
            documents += 1;
        }
        if rows.bytes() > WRITTEN {
            // JSON columns are JSON, or the store says so.
            check_json(&Stored::of(std::mem::replace(&mut rows, buffers())));
        }
    }
    check_json(&Stored::of(rows));
    println!("{documents} documents");
}

fn check_json(stored: &Stored) {
    for (name, rows) in &stored.tables {
        let table = OpenCode.tables().iter().find(|table| table.name == *name).unwrap();
        let is_json = |column: &str| table.columns[table.position(column).unwrap()].kind.sql() == "JSON";
        for (column, cell) in rows.iter().flatten().filter(|(column, _)| is_json(column)) {
            let text = crate::support::text(cell);
            let valid = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            assert!(valid.is_ok(), "{name}.{column}: {text}");
        }
    }
}

#[test]
#[ignore = "writes the first inputs of the fuzzer"]
fn fuzz_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/opencode_read");
    std::fs::create_dir_all(&folder).unwrap();
    for (at, text) in DOCUMENTS.iter().enumerate() {
        for kind in 0..6_u8 {
            for form in [0_u8, 1, 2, 5, 8, 11] {
                let mut bytes = vec![kind, form];
                bytes.extend_from_slice(text.as_bytes());
                std::fs::write(folder.join(format!("{at}-{kind}-{form}")), bytes).unwrap();
            }
        }
    }
}
