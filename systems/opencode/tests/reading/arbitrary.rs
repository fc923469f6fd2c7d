//! No document breaks a reader: arbitrary bytes, documents with values exchanged, cut, or bitten.

use plimsoll_core::value::Value;
use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, Generation, Rows};
use plimsoll_opencode::documents::OpenCode;
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::support::buffers;

/// Texts that mean something to some reader.
pub(crate) const WORDS: &[&str] = &[
    "text",
    "reasoning",
    "tool",
    "step-start",
    "step-finish",
    "patch",
    "snapshot",
    "file",
    "agent",
    "retry",
    "subtask",
    "compaction",
    "user",
    "assistant",
    "completed",
    "error",
    "running",
    "pending",
    "streaming",
    "bash",
    "shell",
    "edit",
    "write",
    "read",
    "apply_patch",
    "multiedit",
    "grep",
    "glob",
    "list",
    "task",
    "type",
    "role",
    "state",
    "status",
    "input",
    "output",
    "metadata",
    "time",
    "start",
    "end",
    "created",
    "completed",
    "tokens",
    "cache",
    "cost",
    "exit",
    "command",
    "content",
    "filediff",
    "additions",
    "files",
    "data",
    "name",
    "message",
    "statusCode",
    "git commit -m x",
    "rm -rf /",
    "*** Begin Patch\n*** Update File: a\n@@\n-x\n+y\n*** End Patch",
    "data:;base64,====",
    "ses_",
    "msg_ffffffffffffAAAAAAAAAAAAAA",
    "diff",
    "@@\n+x",
    "patchText",
    "filePath",
    "summary",
    "model",
    "system",
    "synthetic",
    "idle",
    "retry",
    "attempt",
    "at",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        1 => any::<bool>().prop_map(Json::from),
        1 => any::<i64>().prop_map(Json::from),
        1 => any::<f64>().prop_map(Json::from),
        4 => word().prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 60, 8, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            3 => prop::collection::vec((word(), inner), 0..10).prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

/// Documents in which every reader finds what it looks for.
pub(crate) const DOCUMENTS: &[&str] = &[
    r#"{"type":"tool","callID":"c","tool":"bash","state":{"status":"completed","input":{"command":"git commit -m 'x' && rm -rf /"},"output":"[main 1234567] x\n 1 file changed, 2 insertions(+)","title":"t","metadata":{"exit":0},"time":{"start":1,"end":2}}}"#,
    r#"{"type":"tool","tool":"edit","state":{"status":"completed","input":{"filePath":"/a.rs"},"metadata":{"diff":"@@\n+x","filediff":{"additions":1,"deletions":2}},"time":{"start":1,"end":2}}}"#,
    r#"{"type":"tool","tool":"apply_patch","state":{"status":"completed","input":{"patchText":"*** Begin Patch\n*** Add File: a\n+x\n*** End Patch"},"output":""}}"#,
    r#"{"type":"step-finish","cost":0.1,"tokens":{"input":1,"cache":{"read":2}}}"#,
    r#"{"type":"retry","attempt":1,"error":{"name":"APIError","data":{"message":"m","statusCode":500}},"time":{"created":1}}"#,
    r#"{"type":"file","mime":"a","url":"data:;base64,QUJD","source":{"path":"p"}}"#,
    r#"{"role":"assistant","time":{"created":1,"completed":2},"cost":1,"tokens":{"input":1},"error":{"name":"n","data":{"message":"m"}},"path":{"cwd":"a"},"summary":true}"#,
    r#"{"role":"user","time":{"created":1},"summary":{"title":"t","diffs":[]},"model":{"providerID":"p"}}"#,
    r#"{"agent":"a","content":[{"type":"text","text":"t"},{"type":"tool","id":"i","name":"shell","state":{"status":"error","input":{"command":"ls"},"error":{"message":"m"}},"time":{"created":1,"ran":2}}],"cost":1,"retry":{"attempt":1,"error":{}}}"#,
    r#"{"text":"t","files":[{"uri":"u"}],"agents":[{"name":"n"}],"skills":[1]}"#,
    r#"[{"content":"c","status":"s"},{"file":"f","additions":1}]"#,
];

/// One reader reads the text.
fn read(kind: usize, generation: Generation, body: Body<'_>, rows: &mut Rows) {
    let document =
        Document { kind, id: "prt_200c72d43001FXNalKtNyYz3mu", parent: Some("msg_1"), generation, body };
    drop(OpenCode.read(&document, rows));
}

/// Every reader reads the text.
fn read_everywhere(text: &str) {
    let mut rows: Rows = buffers();
    for kind in 0..OpenCode.kinds().len() + 1 {
        read(kind, Generation::Json, Body::File(text), &mut rows);
        let columns = [
            ("id", Value::text("x")),
            ("session_id", Value::text(text)),
            ("model", Value::text(text)),
            ("revert", Value::text(text)),
            ("time_created", Value::Integer(i64::MAX)),
            ("cost", Value::Float(f64::NAN)),
            ("data", Value::text(text)),
        ];
        read(kind, Generation::SqliteV1, Body::Row(&columns), &mut rows);
    }
    for kind in ["assistant", "user", "shell", "compaction", "skill", "system", "idle", "new"] {
        let columns =
            [("type", Value::text(kind)), ("time_created", Value::Integer(5)), ("data", Value::text(text))];
        read(2, Generation::SqliteV2, Body::Row(&columns), &mut rows);
    }
    // What was read is taken by the table it is for.
    for buffer in rows.buffers() {
        assert!(buffer.len() < 10_000, "{}", buffer.table().name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        read_everywhere(&text);
    }

    #[test]
    fn any_document_is_read_or_refused(value in any_json()) {
        read_everywhere(&value.to_string());
    }

    #[test]
    fn a_changed_document_is_read_or_refused(
        which in prop::sample::select(DOCUMENTS),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any_json()), 1..4),
        cut in prop::option::of(any::<prop::sample::Index>()),
        byte in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut value: Json = serde_json::from_str(which).unwrap();
        for (at, new) in changes {
            let pointers = pointers(&value);
            *value.pointer_mut(&pointers[at.index(pointers.len())]).unwrap() = new;
        }
        let mut bytes = value.to_string().into_bytes();
        if let Some((at, byte)) = byte {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        read_everywhere(&String::from_utf8_lossy(&bytes));
    }
}

fn pointers(value: &Json) -> Vec<String> {
    fn walk(value: &Json, pointer: &str, found: &mut Vec<String>) {
        found.push(pointer.to_owned());
        match value {
            Json::Object(map) => {
                for (key, value) in map {
                    let key = key.replace('~', "~0").replace('/', "~1");
                    walk(value, &format!("{pointer}/{key}"), found);
                }
            }
            Json::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    walk(value, &format!("{pointer}/{at}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(value, "", &mut found);
    found
}
