//! Any bytes to every reader of the OpenCode system.
//!
//! The first byte chooses the kind of document, the second its generation; the rest is the document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::value::Value;
use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, Generation, Rows};
use plimsoll_opencode::documents::OpenCode;

const TYPES: [&str; 8] = ["assistant", "user", "shell", "compaction", "skill", "system", "idle", "new"];

fuzz_target!(|data: &[u8]| {
    let [kind, generation, rest @ ..] = data else { return };
    let text = String::from_utf8_lossy(rest);
    let kind = usize::from(*kind) % OpenCode.kinds().len();
    let columns = [
        ("id", Value::text("prt_200c72d43001FXNalKtNyYz3mu")),
        ("session_id", Value::text("ses_dff390409ffe8jzEmib6KCyfrt")),
        ("type", Value::text(TYPES[usize::from(*generation) / 3 % TYPES.len()])),
        ("model", Value::text(&*text)),
        ("time_created", Value::Integer(1_795_309_382_979)),
        ("data", Value::text(&*text)),
    ];
    let (generation, body) = match generation % 3 {
        0 => (Generation::Json, Body::File(&text)),
        1 => (Generation::SqliteV1, Body::Row(&columns)),
        _ => (Generation::SqliteV2, Body::Row(&columns)),
    };
    let document = Document { kind, id: "prt_200c72d43001FXNalKtNyYz3mu", parent: Some("msg_1"), generation, body };
    let (mut first, mut second) = (Rows::new(OpenCode.tables()), Rows::new(OpenCode.tables()));
    let outcome = OpenCode.read(&document, &mut first);
    // The same document gives the same rows.
    assert_eq!(outcome, OpenCode.read(&document, &mut second));
    assert_eq!((first.bytes(), &first.unknown), (second.bytes(), &second.unknown));
});
