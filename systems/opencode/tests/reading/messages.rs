//! Every field of messages, sessions, projects, todo lists and lists of changed files.

use plimsoll_core::value::Value;
use serde_json::Value as Json;

use crate::support::{read_file, read_row, same, text};

const PATH: &str = "storage/message/ses_dff390409ffe8jzEmib6KCyfrt/msg_200c6fdd8001qqUjy1EAXzKpjb.json";
const ID: &str = "msg_200c6fdd8001qqUjy1EAXzKpjb";
const SESSION: &str = "ses_dff390409ffe8jzEmib6KCyfrt";

const USER: &str = r#""role":"user","time":{"created":1795309370840},"summary":{"title":"T","body":"B","diffs":[{"file":"a"}]},"agent":"plan","model":{"providerID":"mock","modelID":"gpt-5","variant":"high"},"system":"be brief","tools":{"bash":false},"format":{"type":"text"}"#;
const USER_CELLS: &[(&str, &str)] = &[
    ("id", ID),
    ("session_id", SESSION),
    ("role", "user"),
    ("provider", "mock"),
    ("model", "gpt-5"),
    ("model_variant", "high"),
    ("agent", "plan"),
    ("summary_title", "T"),
    ("summary_body", "B"),
    ("summary_diffs", r#"[{"file":"a"}]"#),
    ("system", r#""be brief""#),
    ("tools", r#"{"bash":false}"#),
    ("format", r#"{"type":"text"}"#),
    ("time_created", "1795309370840000"),
    ("time_minted", "1795309370840000"),
    ("time_source", "field"),
];

const ASSISTANT: &str = r#""role":"assistant","parentID":"msg_p","time":{"created":1795309370840,"completed":1795309370950},"modelID":"gpt-5","providerID":"mock","mode":"build","agent":"plan","variant":"low","path":{"cwd":"/w/x","root":"/w"},"summary":true,"cost":1e-7,"tokens":{"total":10,"input":1,"output":2,"reasoning":3,"cache":{"read":4,"write":5}},"finish":"stop","structured":{"a":1},"system":["s"],"error":{"name":"APIError","data":{"message":"Overloaded","statusCode":529,"isRetryable":true}}"#;
const ASSISTANT_CELLS: &[(&str, &str)] = &[
    ("id", ID),
    ("session_id", SESSION),
    ("role", "assistant"),
    ("parent_id", "msg_p"),
    ("provider", "mock"),
    ("model", "gpt-5"),
    ("model_variant", "low"),
    ("mode", "build"),
    ("agent", "plan"),
    ("root_path", "/w"),
    ("working_directory", "/w/x"),
    ("finish", "stop"),
    ("is_summary", "true"),
    ("system", r#"["s"]"#),
    ("structured", r#"{"a":1}"#),
    ("stored_cost", "0.0000001"),
    ("tokens_input", "1"),
    ("tokens_output", "2"),
    ("tokens_reasoning", "3"),
    ("tokens_cache_read", "4"),
    ("tokens_cache_write", "5"),
    ("tokens_total", "10"),
    ("error_name", "APIError"),
    ("error_data", r#"{"message":"Overloaded","statusCode":529,"isRetryable":true}"#),
    ("time_created", "1795309370840000"),
    ("time_completed", "1795309370950000"),
    ("time_minted", "1795309370840000"),
    ("time_source", "field"),
];

/// A document of every role.
pub(crate) fn examples() -> impl Iterator<Item = String> {
    [USER, ASSISTANT].into_iter().map(|fields| format!("{{{fields}}}"))
}

fn row(data: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("id", Value::text(ID)),
        ("session_id", Value::text(SESSION)),
        ("time_created", Value::Integer(1_795_309_370_840)),
        ("time_updated", Value::Integer(1_795_309_370_999)),
        ("data", Value::text(format!("{{{data}}}"))),
    ]
}

#[test]
fn every_field_of_a_message_becomes_a_cell() {
    for (fields, cells) in [(USER, USER_CELLS), (ASSISTANT, ASSISTANT_CELLS)] {
        let text = format!(r#"{{"id":"{ID}","sessionID":"{SESSION}",{fields}}}"#);
        let file = read_file(PATH, &text).unwrap();
        assert!(file.unknown.is_empty(), "{:?}", file.unknown);
        file.expect("messages", &["generation"], cells);
        let row = read_row("message", &row(fields)).unwrap();
        assert!(row.unknown.is_empty(), "{:?}", row.unknown);
        row.expect("messages", &["generation"], cells);
        assert_eq!(text_of(&row, "generation"), "sqlite-v1");
        let oldest =
            read_file(&format!("project/p/storage/session/message/{SESSION}/{ID}.json"), &text).unwrap();
        oldest.expect("messages", &["generation"], cells);
    }
}

fn text_of(stored: &crate::support::Stored, column: &str) -> String {
    text(&stored.only("messages")[column])
}

#[test]
fn the_error_of_a_message_is_an_error() {
    let stored = read_row("message", &row(ASSISTANT)).unwrap();
    let error = stored.only("errors");
    for (column, expected) in [
        ("id", ID),
        ("origin", "message"),
        ("message_id", ID),
        ("session_id", SESSION),
        ("error_name", "APIError"),
        ("text", "Overloaded"),
        ("retryable", "true"),
        ("time_created", "1795309370950000"),
        ("document_id", ID),
    ] {
        assert_eq!(text(&error[column]), expected, "{column}");
    }
    assert!(!error.contains_key("part_id"));
    let data: Json = serde_json::from_str(&text(&error["error_data"])).unwrap();
    assert_eq!(data["code"], 529);
    assert_eq!(data["text"], "Overloaded");
    assert_eq!(data["stored"]["statusCode"], 529);
    assert!(data["type"].is_string());
}

#[test]
fn errors_of_every_shape_are_kept() {
    for (error, name, data) in [
        (r#"{"name":"MessageOutputLengthError","data":{}}"#, Some("MessageOutputLengthError"), "{}"),
        (
            r#"{"name":"MessageAbortedError","data":{"message":"x"}}"#,
            Some("MessageAbortedError"),
            r#"{"message":"x"}"#,
        ),
        (r#"{"name":"X"}"#, Some("X"), r#"{"name":"X"}"#),
        (
            r#"{"type":"provider.rate-limit","message":"m"}"#,
            Some("provider.rate-limit"),
            r#"{"type":"provider.rate-limit","message":"m"}"#,
        ),
        (r#""just words""#, None, r#""just words""#),
        ("42", None, "42"),
    ] {
        let stored = read_row("message", &row(&format!(r#""role":"assistant","error":{error}"#))).unwrap();
        let message = stored.only("messages");
        assert_eq!(message.get("error_name").map(text).as_deref(), name, "{error}");
        assert_eq!(text(&message["error_data"]), data, "{error}");
        assert_eq!(stored.rows("errors").len(), 1, "{error}");
        assert!(stored.unknown.is_empty());
    }
    let stored = read_row("message", &row(r#""role":"assistant","error":null"#)).unwrap();
    assert!(stored.rows("errors").is_empty());
}

#[test]
fn an_answer_of_before_agents_has_its_mode_as_agent() {
    let stored = read_row("message", &row(r#""role":"assistant","mode":"plan""#)).unwrap();
    assert_eq!(text_of(&stored, "agent"), "plan");
    let stored = read_row("message", &row(r#""role":"user","mode":"plan""#)).unwrap();
    assert!(!stored.only("messages").contains_key("agent"));
}

#[test]
fn a_copy_by_a_fork_is_minted_after_it_was_created() {
    let stored = read_row("message", &row(r#""role":"user","time":{"created":1780000000000}"#)).unwrap();
    assert_eq!(text_of(&stored, "time_created"), "1780000000000000");
    assert_eq!(text_of(&stored, "time_minted"), "1795309370840000");
}

#[test]
fn every_field_of_a_session_becomes_a_cell() {
    let cells: &[(&str, &str)] = &[
        ("id", SESSION),
        ("project_id", "abc"),
        ("parent_id", "ses_p"),
        ("slug", "gentle-harbor"),
        ("directory", "/w"),
        ("path", "sub"),
        ("title", "T"),
        ("version", "1.18.33"),
        ("share_url", "https://s"),
        ("summary_additions", "1"),
        ("summary_deletions", "2"),
        ("summary_files", "3"),
        ("summary_diffs", r#"[{"file":"a"}]"#),
        ("revert", r#"{"messageID":"m"}"#),
        ("permission", r#"[{"action":"ask"}]"#),
        ("metadata", r#"{"m":1}"#),
        ("workspace_id", "wrk_1"),
        ("agent", "plan"),
        ("provider", "mock"),
        ("model", "gpt-5"),
        ("model_variant", "high"),
        ("stored_cost", "0.021250875"),
        ("stored_tokens_input", "1"),
        ("stored_tokens_output", "2"),
        ("stored_tokens_reasoning", "3"),
        ("stored_tokens_cache_read", "4"),
        ("stored_tokens_cache_write", "5"),
        ("time_created", "1795309370358000"),
        ("time_updated", "1795309387968000"),
        ("time_compacting", "1795309387969000"),
        ("time_archived", "1795309387970000"),
    ];
    let file = r#"{"id":"ses_dff390409ffe8jzEmib6KCyfrt","projectID":"abc","parentID":"ses_p","slug":"gentle-harbor","directory":"/w","path":"sub","title":"T","version":"1.18.33","share":{"url":"https://s","secret":"hush"},"summary":{"additions":1,"deletions":2,"files":3,"diffs":[{"file":"a"}]},"revert":{"messageID":"m"},"permission":[{"action":"ask"}],"metadata":{"m":1},"workspaceID":"wrk_1","agent":"plan","model":{"id":"gpt-5","providerID":"mock","variant":"high"},"cost":0.021250875,"tokens":{"input":1,"output":2,"reasoning":3,"cache":{"read":4,"write":5}},"time":{"created":1795309370358,"updated":1795309387968,"compacting":1795309387969,"archived":1795309387970}}"#;
    let stored = read_file(&format!("storage/session/abc/{SESSION}.json"), file).unwrap();
    assert!(stored.unknown.is_empty(), "{:?}", stored.unknown);
    stored.expect("sessions", &["generation"], cells);

    let mut columns = session_row();
    let stored = read_row("session", &columns).unwrap();
    stored.expect("sessions", &["generation"], cells);

    columns.extend([
        ("fork_session_id", Value::text("ses_f")),
        ("fork_boundary", Value::text("msg_b")),
        ("time_suspended", Value::Integer(1)),
        ("resume_attempts", Value::Integer(2)),
        ("time_idle", Value::Integer(3)),
        ("time_viewed", Value::Integer(4)),
        ("idle_outcome", Value::text("done")),
    ]);
    let stored = read_row("session_v2", &columns).unwrap();
    let mut cells = cells.to_vec();
    cells.extend([
        ("fork_session_id", "ses_f"),
        ("fork_boundary", "msg_b"),
        ("time_suspended", "1000"),
        ("resume_attempts", "2"),
        ("time_idle", "3000"),
        ("time_viewed", "4000"),
        ("idle_outcome", "done"),
        ("generation", "sqlite-v2"),
    ]);
    stored.expect("sessions", &[], &cells);
}

fn session_row() -> Vec<(&'static str, Value)> {
    let text = |text: &str| Value::text(text);
    vec![
        ("id", text(SESSION)),
        ("project_id", text("abc")),
        ("workspace_id", text("wrk_1")),
        ("parent_id", text("ses_p")),
        ("slug", text("gentle-harbor")),
        ("directory", text("/w")),
        ("path", text("sub")),
        ("title", text("T")),
        ("version", text("1.18.33")),
        ("share_url", text("https://s")),
        ("summary_additions", Value::Integer(1)),
        ("summary_deletions", Value::Integer(2)),
        ("summary_files", Value::Integer(3)),
        ("summary_diffs", text(r#"[{"file":"a"}]"#)),
        ("metadata", text(r#"{"m":1}"#)),
        ("cost", Value::Float(0.021_250_875)),
        ("tokens_input", Value::Integer(1)),
        ("tokens_output", Value::Integer(2)),
        ("tokens_reasoning", Value::Integer(3)),
        ("tokens_cache_read", Value::Integer(4)),
        ("tokens_cache_write", Value::Integer(5)),
        ("revert", text(r#"{"messageID":"m"}"#)),
        ("permission", text(r#"[{"action":"ask"}]"#)),
        ("agent", text("plan")),
        ("model", text(r#"{"id":"gpt-5","providerID":"mock","variant":"high"}"#)),
        ("time_created", Value::Integer(1_795_309_370_358)),
        ("time_updated", Value::Integer(1_795_309_387_968)),
        ("time_compacting", Value::Integer(1_795_309_387_969)),
        ("time_archived", Value::Integer(1_795_309_387_970)),
    ]
}

#[test]
fn a_column_that_should_hold_json_and_does_not_is_stored_as_text() {
    let columns =
        [("id", Value::text("s")), ("revert", Value::text("not json")), ("model", Value::text("gpt-5"))];
    let stored = read_row("session", &columns).unwrap();
    stored.expect(
        "sessions",
        &["generation"],
        &[("id", "s"), ("revert", r#""not json""#), ("model", "gpt-5")],
    );
}

#[test]
fn the_path_overrules_what_a_session_says_and_what_it_says_is_kept() {
    let stored = read_file("storage/session/new/ses_1.json", r#"{"id":"ses_1","projectID":"old"}"#).unwrap();
    stored.expect(
        "sessions",
        &["generation"],
        &[("id", "ses_1"), ("project_id", "new"), ("extra", r#"{"projectID":"old"}"#)],
    );
    // In the oldest layout the path names a folder, not a project.
    let path = "project/home-x/storage/session/info/ses_1.json";
    let stored = read_file(path, r#"{"id":"ses_1","title":"T"}"#).unwrap();
    stored.expect("sessions", &["generation"], &[("id", "ses_1"), ("title", "T")]);
}

#[test]
fn every_field_of_a_project_becomes_a_cell() {
    let cells = [
        ("id", "abc"),
        ("worktree", "/w"),
        ("vcs", "git"),
        ("name", "N"),
        ("icon", r##"{"url":"u","override":"o","color":"#fff"}"##),
        ("sandboxes", r#"["/s"]"#),
        ("commands", r#"{"start":"make"}"#),
        ("time_created", "1000"),
        ("time_updated", "2000"),
        ("time_initialized", "3000"),
    ];
    let file = r##"{"id":"abc","worktree":"/w","vcs":"git","name":"N","icon":{"url":"u","override":"o","color":"#fff"},"sandboxes":["/s"],"commands":{"start":"make"},"time":{"created":1,"updated":2,"initialized":3}}"##;
    let stored = read_file("storage/project/abc.json", file).unwrap();
    assert!(stored.unknown.is_empty());
    stored.expect("projects", &["generation"], &cells);
    let columns = [
        ("id", Value::text("abc")),
        ("worktree", Value::text("/w")),
        ("vcs", Value::text("git")),
        ("name", Value::text("N")),
        ("icon_url", Value::text("u")),
        ("icon_url_override", Value::text("o")),
        ("icon_color", Value::text("#fff")),
        ("sandboxes", Value::text(r#"["/s"]"#)),
        ("commands", Value::text(r#"{"start":"make"}"#)),
        ("time_created", Value::Integer(1)),
        ("time_updated", Value::Integer(2)),
        ("time_initialized", Value::Integer(3)),
    ];
    read_row("project", &columns).unwrap().expect("projects", &["generation"], &cells);
}

#[test]
fn todo_lists_are_read_line_by_line() {
    let list = r#"[{"id":"1","content":"a","status":"completed","priority":"high"},"odd",{"content":"b","due":"soon"}]"#;
    let stored = read_file("storage/todo/ses_1.json", list).unwrap();
    let rows = stored.rows("todos");
    let same = |row, expected: &[(&str, &str)]| {
        same("todos", row, &["generation", "document_id", "session_id"], expected);
    };
    assert_eq!(rows.len(), 3);
    same(
        &rows[0],
        &[
            ("position", "0"),
            ("todo_id", "1"),
            ("content", "a"),
            ("status", "completed"),
            ("priority", "high"),
        ],
    );
    same(&rows[1], &[("position", "1"), ("extra", r#""odd""#)]);
    same(&rows[2], &[("position", "2"), ("content", "b"), ("extra", r#"{"due":"soon"}"#)]);
    assert!(
        rows.iter().all(|row| text(&row["session_id"]) == "ses_1" && text(&row["document_id"]) == "ses_1/0")
    );
    assert_eq!(stored.unknown.keys().collect::<Vec<_>>(), ["todo.due", "todo[]"]);

    let columns = [
        ("session_id", Value::text("ses_1")),
        ("content", Value::text("a")),
        ("status", Value::text("completed")),
        ("priority", Value::text("high")),
        ("position", Value::Integer(0)),
        ("time_created", Value::Integer(5)),
        ("time_updated", Value::Integer(6)),
    ];
    let stored = read_row("todo", &columns).unwrap();
    stored.expect(
        "todos",
        &["generation"],
        &[
            ("session_id", "ses_1"),
            ("position", "0"),
            ("content", "a"),
            ("status", "completed"),
            ("priority", "high"),
            ("time_created", "5000"),
            ("time_updated", "6000"),
            ("document_id", "ses_1/0"),
        ],
    );
}

#[test]
fn lists_of_changed_files_are_read_in_every_writer_s_form() {
    let list = r#"[
        {"file":"a.rs","before":"x","after":"y","additions":1,"deletions":2},
        {"file":"b.rs","patch":"p","additions":3,"deletions":4,"status":"added"},
        {"path":"c.rs","status":"deleted","additions":0,"deletions":5,"patch":"q"}]"#;
    let stored = read_file("storage/session_diff/ses_1.json", list).unwrap();
    assert!(stored.unknown.is_empty());
    let expected: [&[(&str, &str)]; 3] = [
        &[
            ("position", "0"),
            ("path", "a.rs"),
            ("before", "x"),
            ("after", "y"),
            ("additions", "1"),
            ("deletions", "2"),
        ],
        &[
            ("position", "1"),
            ("path", "b.rs"),
            ("patch", "p"),
            ("additions", "3"),
            ("deletions", "4"),
            ("status", "added"),
        ],
        &[
            ("position", "2"),
            ("path", "c.rs"),
            ("patch", "q"),
            ("additions", "0"),
            ("deletions", "5"),
            ("status", "deleted"),
        ],
    ];
    for (row, expected) in stored.rows("session_diffs").iter().zip(expected) {
        same("session_diffs", row, &["generation", "session_id"], expected);
    }
}
