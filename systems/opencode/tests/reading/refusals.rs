//! What cannot be read is refused by class, with a place; nothing of it is stored.

use plimsoll_core::value::Value;

use crate::support::{buffers, foreign, read_file, read_file_into, read_row};

const PART: &str = "storage/part/msg_1/prt_1.json";

#[test]
fn refusals_tell_the_class_and_the_place() {
    for (path, content, class, reason) in [
        (PART, "", "empty", "0 bytes"),
        (PART, " \n", "empty", "white space"),
        (PART, "\0\0\0", "nul-bytes", "3 NUL bytes of 3, the first at byte 0"),
        (PART, "{\"type\":\"te\0\0", "nul-bytes", "the first at byte 11"),
        (PART, "{\n  \"type\": \"text\",\n  \"text\": \"half", "truncated", "line 3 column 15"),
        (PART, "{\"type\":\"text\"", "truncated", "line 1 column 14"),
        (PART, "{\n\"type\":\"text\",}", "not-json", "line 2 column 15"),
        (PART, "{\"type\":\"text\"} trailing", "not-json", "line 1"),
        (PART, "<html>", "not-json", "line 1 column 1"),
        (PART, "[]", "wrong-shape", "part"),
        (PART, "null", "wrong-shape", "part"),
        (PART, "{}", "wrong-shape", "`type`"),
        (PART, "{\"type\":{}}", "wrong-shape", "`type`"),
        ("storage/message/ses_1/msg_1.json", "{}", "wrong-shape", "`role`"),
        ("storage/message/ses_1/msg_1.json", "3", "wrong-shape", "message"),
        ("storage/session/p/ses_1.json", "[]", "wrong-shape", "session"),
        ("storage/project/p.json", "\"x\"", "wrong-shape", "project"),
        ("storage/todo/ses_1.json", "{}", "wrong-shape", "array"),
        ("storage/session_diff/ses_1.json", "{}", "wrong-shape", "array"),
    ] {
        let refusal = read_file(path, content).unwrap_err();
        assert_eq!(refusal.class, class, "{path}: {content:?}: {refusal}");
        assert!(refusal.reason.contains(reason), "{path}: {content:?}: {refusal}");
        let mut rows = buffers();
        assert!(read_file_into(path, content, &mut rows).is_err());
        assert!(
            rows.buffers().iter().all(plimsoll_engine::ingest::RowBuffer::is_empty),
            "{content:?} left rows"
        );
    }
}

#[test]
fn a_row_without_its_document_is_refused() {
    for table in ["message", "part", "session_message"] {
        let refusal = read_row(table, &[("id", Value::text("x"))]).unwrap_err();
        assert_eq!(refusal.class, "wrong-shape", "{table}");
        assert!(refusal.reason.contains("data"), "{refusal}");
        assert!(foreign(table).columns.contains(&"data"));
    }
    let refusal =
        read_row("session_message", &[("id", Value::text("x")), ("data", Value::text("{}"))]).unwrap_err();
    assert!(refusal.reason.contains("`type`"), "{refusal}");
}

#[test]
fn lists_without_lines_are_read() {
    assert!(read_file("storage/todo/ses_1.json", "[]").unwrap().tables.is_empty());
    assert!(read_file("storage/session_diff/ses_1.json", "[]").unwrap().tables.is_empty());
}
