//! How long reading takes, without the disk. Not part of the tests: `--run-ignored only -E 'test(speed)'`.

use std::time::Instant;

use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, Generation};
use plimsoll_opencode::documents::OpenCode;

use crate::support::{buffers, corpus, files};

/// The most that a document of 5 KB may take when the readers are optimized, in microseconds; three times as much
/// fails, so that a busy machine does not.
const LARGEST_MICROSECONDS: f64 = 8.0;

fn microseconds_each(documents: &[(String, String)], times: usize) -> f64 {
    let identities: Vec<_> = documents.iter().map(|(path, _)| OpenCode.identify(path).unwrap()).collect();
    let mut rows = buffers();
    let mut best = f64::MAX;
    for _ in 0..times {
        let begun = Instant::now();
        for ((_, text), identity) in documents.iter().zip(&identities) {
            let document = Document {
                kind: identity.kind,
                id: &identity.id,
                parent: identity.parent.as_deref(),
                generation: Generation::Json,
                body: Body::File(text),
            };
            OpenCode.read(&document, &mut rows).unwrap();
            if rows.bytes() > 4 << 20 {
                rows.clear();
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of documents is exact")]
        let each = begun.elapsed().as_secs_f64() * 1e6 / documents.len() as f64;
        best = best.min(each);
        rows.clear();
    }
    best
}

#[test]
#[ignore = "measures"]
fn speed_of_a_document_of_5_kb() {
    let line = "    let value = source.next().ok_or_else(|| \\\"nothing there\\\".to_owned())?; // a line of code\\n";
    let long = |bytes: usize| line.repeat(bytes / line.len());
    let part = |fields: &str| {
        format!(
            r#"{{"id":"prt_200c72d43001FXNalKtNyYz3mu","sessionID":"ses_dff390409ffe8jzEmib6KCyfrt","messageID":"msg_200c6fdd8001qqUjy1EAXzKpjb",{fields}}}"#
        )
    };
    let time = r#""time":{"start":1795309382980,"end":1795309382990}"#;
    let state = |tool: &str, input: &str, output: &str, metadata: &str| {
        part(&format!(
            r#""type":"tool","callID":"call_1","tool":"{tool}","state":{{"status":"completed","input":{{{input}}},"output":"{output}","title":"t","metadata":{{{metadata}}},{time}}}"#
        ))
    };
    let half = long(2_500);
    let documents = [
        ("text", part(&format!(r#""type":"text","text":"{}",{time}"#, long(5_000)))),
        (
            "read",
            state("read", r#""filePath":"/srv/dev/acme/src/lib.rs""#, &long(5_000), r#""truncated":false"#),
        ),
        (
            "bash",
            state(
                "bash",
                r#""command":"cargo test && git status""#,
                &half,
                &format!(r#""output":"{half}","exit":0"#),
            ),
        ),
        (
            "write",
            state(
                "write",
                &format!(r#""filePath":"/srv/dev/acme/src/lib.rs","content":"{}""#, long(5_000)),
                "",
                r#""exists":true"#,
            ),
        ),
        (
            "failure",
            state("bash", r#""command":"cargo test""#, &half, &format!(r#""output":"{half}","exit":101"#)),
        ),
        (
            "edit",
            state(
                "edit",
                &format!(
                    r#""filePath":"/srv/dev/acme/src/lib.rs","oldString":"{}","newString":"{}""#,
                    long(600),
                    long(600)
                ),
                "",
                &format!(
                    r#""diff":"{}","filediff":{{"file":"/srv/dev/acme/src/lib.rs","before":"{}","after":"{}","additions":1,"deletions":1}}"#,
                    long(800),
                    long(1_500),
                    long(1_500)
                ),
            ),
        ),
    ];
    let path = "storage/part/msg_200c6fdd8001qqUjy1EAXzKpjb/prt_200c72d43001FXNalKtNyYz3mu.json";
    for (name, text) in documents {
        let pretty: serde_json::Value = serde_json::from_str(&text).unwrap();
        let text = serde_json::to_string_pretty(&pretty).unwrap();
        let bytes = text.len();
        let each = microseconds_each(&vec![(path.to_owned(), text); 2_000], 5);
        println!("{name}: {bytes} bytes, {each:.2} us");
        let is_optimized = !cfg!(debug_assertions);
        assert!(!is_optimized || each < 3.0 * LARGEST_MICROSECONDS, "{name}: {each:.2} us");
    }
    if let Some((_folder, root)) = corpus("opencode_1.1.16_json") {
        let mut documents = files(&root);
        documents.retain(|(path, _)| OpenCode.identify(path).is_some());
        let each = microseconds_each(&documents, 20);
        println!("the JSON corpus: {} documents, {each:.2} us each", documents.len());
    }
}
