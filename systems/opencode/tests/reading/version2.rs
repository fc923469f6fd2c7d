//! Messages of the second SQLite generation: one row becomes a message and its parts.

use plimsoll_core::value::Value;

use crate::support::{Row, Stored, read_row, same, text};

const ID: &str = "msg_200c6fdd8001qqUjy1EAXzKpjb";
const SESSION: &str = "ses_dff390409ffe8jzEmib6KCyfrt";
const CREATED: &str = "1795309370840000";

fn read(kind: &str, data: &str) -> Stored {
    let columns = [
        ("id", Value::text(ID)),
        ("session_id", Value::text(SESSION)),
        ("type", Value::text(kind)),
        ("seq", Value::Integer(7)),
        ("time_created", Value::Integer(1_795_309_370_900)),
        ("time_updated", Value::Integer(1_795_309_370_999)),
        ("data", Value::text(data)),
    ];
    read_row("session_message", &columns).unwrap()
}

/// The rows of a table, without the columns that all rows of parts have alike.
fn expect(stored: &Stored, table: &str, expected: &[&[(&str, &str)]]) {
    let rows: &[Row] = stored.rows(table);
    assert_eq!(rows.len(), expected.len(), "{table}: {rows:#?}");
    for (row, expected) in rows.iter().zip(expected) {
        same(table, row, &["message_id", "session_id", "generation", "document_id"], expected);
        assert_eq!(text(&row["document_id"]), ID, "{table}");
        assert_eq!(text(&row["message_id"]), ID, "{table}");
        assert_eq!(text(&row["session_id"]), SESSION, "{table}");
    }
}

fn message(stored: &Stored, expected: &[(&str, &str)]) {
    let mut cells = vec![
        ("id", ID),
        ("session_id", SESSION),
        ("sequence", "7"),
        ("time_minted", CREATED),
        ("time_created", CREATED),
        ("time_source", "field"),
        ("generation", "sqlite-v2"),
    ];
    cells.extend(expected);
    stored.expect("messages", &[], &cells);
}

fn part(place: &str) -> String {
    format!("{ID}#{place}")
}

const ANSWER: &str = r#"{"agent":"build","model":{"id":"gpt-5","providerID":"mock","variant":"high"},
    "content":[
        {"type":"reasoning","text":"Hm.","time":{"created":1795309370850,"completed":1795309370860}},
        {"type":"text","text":"I look."},
        {"type":"tool","id":"call_1","name":"shell","executed":false,
         "state":{"status":"completed","input":{"command":"ls nowhere"},"content":[{"type":"text","text":"ls: cannot access"}],"metadata":{"exit":2}},
         "time":{"created":1795309370861,"ran":1795309370870,"completed":1795309370880}},
        {"type":"tool","id":"call_2","name":"read",
         "state":{"status":"error","input":{"path":"/w/a.rs"},"error":{"type":"not-found","message":"no such file"}},
         "time":{"created":1795309370881,"completed":1795309370890}},
        {"type":"tool","id":"call_3","name":"edit","state":{"status":"streaming","input":"{\"pa"},"time":{"created":1795309370891}},
        {"type":"text","text":"Done."}],
    "snapshot":{"start":"s1","end":"s2","files":["a"]},"finish":"stop","rawFinish":"end_turn","cost":0.5,
    "tokens":{"input":1,"output":2,"reasoning":3,"cache":{"read":4,"write":5}},
    "retry":{"attempt":2,"at":1795309370845,"error":{"type":"rate-limit","message":"slow down"}},
    "time":{"created":1795309370840,"streamed":1795309370895,"completed":1795309370899}}"#;

/// A document of every type that has objects in it.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    ("assistant", ANSWER),
    (
        "user",
        r#"{"text":"t","files":[{"uri":"u","source":{"path":"p"}}],"agents":[{"name":"n","source":{"start":0}}],"skills":[{"name":"s"}],"time":{"created":1}}"#,
    ),
    ("shell", r#"{"command":"c","time":{"created":1}}"#),
    ("compaction", r#"{"summary":"s","tokens":{"input":1,"cache":{"read":1}},"time":{"created":1}}"#),
    ("model-switched", r#"{"model":{"id":"m"},"previous":{"id":"n"}}"#),
    ("location-switched", r#"{"location":{"directory":"d"}}"#),
    ("idle", r#"{"outcome":"o"}"#),
    ("synthetic", r#"{"text":"t"}"#),
    ("skill", r#"{"text":"t","name":"n"}"#),
    ("new", r#"{"deep":{"er":1}}"#),
];

#[test]
fn an_answer_becomes_a_message_and_its_parts() {
    let stored = read("assistant", ANSWER);
    assert!(stored.unknown.is_empty(), "{:?}", stored.unknown);
    message(
        &stored,
        &[
            ("role", "assistant"),
            ("provider", "mock"),
            ("model", "gpt-5"),
            ("model_variant", "high"),
            ("agent", "build"),
            ("finish", "stop"),
            ("snapshot", r#"{"start":"s1","end":"s2","files":["a"]}"#),
            ("stored_cost", "0.5"),
            ("tokens_input", "1"),
            ("tokens_output", "2"),
            ("tokens_reasoning", "3"),
            ("tokens_cache_read", "4"),
            ("tokens_cache_write", "5"),
            ("time_completed", "1795309370899000"),
            ("extra", r#"{"time":{"streamed":1795309370895},"rawFinish":"end_turn"}"#),
        ],
    );
    let row = |place: &str, kind: &str, time: &str, more: &[(&str, &str)]| {
        let id = part(place);
        let row = stored.rows("parts").iter().find(|row| text(&row["id"]) == id).unwrap();
        let mut cells =
            vec![("id", id.as_str()), ("part_type", kind), ("time_created", time), ("time_source", "field")];
        cells.extend(more);
        same("parts", row, &["message_id", "session_id", "generation", "document_id"], &cells);
    };
    assert_eq!(stored.rows("parts").len(), 8);
    row("0001", "reasoning", "1795309370850000", &[("character_count", "3")]);
    row("0002", "text", "1795309370860000", &[("character_count", "7")]);
    row(
        "0003",
        "tool",
        "1795309370870000",
        &[("character_count", "17"), ("extra", r#"{"time":{"created":1795309370861}}"#)],
    );
    row("0004", "tool", "1795309370881000", &[("character_count", "12")]);
    row("0005", "tool", "1795309370891000", &[]);
    row("0006", "text", "1795309370891000", &[("character_count", "5")]);
    row("retry", "retry", "1795309370845000", &[]);
    row("finish", "step-finish", "1795309370899000", &[]);

    expect(
        &stored,
        "step_events",
        &[&[
            ("part_id", &part("finish")),
            ("event", "finish"),
            ("snapshot", "s2"),
            ("reason", "stop"),
            ("cost", "0.5"),
            ("tokens_input", "1"),
            ("tokens_output", "2"),
            ("tokens_reasoning", "3"),
            ("tokens_cache_read", "4"),
            ("tokens_cache_write", "5"),
            ("time_created", "1795309370899000"),
        ]],
    );
    expect(
        &stored,
        "tool_calls",
        &[
            &[
                ("part_id", &part("0003")),
                ("call_id", "call_1"),
                ("tool", "shell"),
                ("tool_name", "bash"),
                ("status", "completed"),
                ("input", r#"{"command":"ls nowhere"}"#),
                ("output", "ls: cannot access"),
                ("output_character_count", "17"),
                ("state_metadata", r#"{"exit":2}"#),
                ("executed", "false"),
                ("time_start", "1795309370870000"),
                ("time_end", "1795309370880000"),
                ("execution_time_ms", "10"),
                ("exit_code", "2"),
                ("is_failure", "true"),
                ("is_aborted", "false"),
                ("command", "ls nowhere"),
            ],
            &[
                ("part_id", &part("0004")),
                ("call_id", "call_2"),
                ("tool", "read"),
                ("tool_name", "read"),
                ("status", "error"),
                ("input", r#"{"path":"/w/a.rs"}"#),
                ("error", "no such file"),
                ("time_start", "1795309370881000"),
                ("time_end", "1795309370890000"),
                ("execution_time_ms", "9"),
                ("is_failure", "true"),
                ("is_aborted", "false"),
                ("file_path", "/w/a.rs"),
            ],
            &[
                ("part_id", &part("0005")),
                ("call_id", "call_3"),
                ("tool", "edit"),
                ("tool_name", "edit"),
                ("status", "pending"),
                ("raw", "{\"pa"),
                ("time_start", "1795309370891000"),
                ("is_failure", "false"),
                ("is_aborted", "false"),
            ],
        ],
    );
    let origins: Vec<(String, String)> =
        stored.rows("errors").iter().map(|row| (text(&row["id"]), text(&row["origin"]))).collect();
    let expected = [("0003", "command"), ("0004", "tool"), ("retry", "retry")];
    assert_eq!(origins, expected.map(|(place, origin)| (part(place), origin.to_owned())));
}

#[test]
fn what_a_user_gives_becomes_parts() {
    let stored = read(
        "user",
        r#"{"text":"Look at @a.rs","files":[{"uri":"file:///w/a.rs","mime":"text/x-rust","name":"a.rs","description":"d","source":{"path":"/w/a.rs"}}],"agents":[{"name":"explore","source":{"start":0}}],"skills":[{"name":"s"}],"time":{"created":1795309370840}}"#,
    );
    assert!(stored.unknown.is_empty(), "{:?}", stored.unknown);
    message(&stored, &[("role", "user")]);
    expect(
        &stored,
        "text_messages",
        &[&[
            ("part_id", &part("0001")),
            ("text", "Look at @a.rs"),
            ("character_count", "13"),
            ("line_count", "1"),
            ("format", "plain"),
        ]],
    );
    expect(
        &stored,
        "attachments",
        &[&[
            ("part_id", &part("0002")),
            ("mime", "text/x-rust"),
            ("filename", "a.rs"),
            ("url_scheme", "file"),
            ("url", "file:///w/a.rs"),
            ("source", r#"{"path":"/w/a.rs"}"#),
            ("source_path", "/w/a.rs"),
            ("time_created", CREATED),
        ]],
    );
    expect(
        &stored,
        "agent_mentions",
        &[&[
            ("part_id", &part("0003")),
            ("name", "explore"),
            ("source", r#"{"start":0}"#),
            ("time_created", CREATED),
        ]],
    );
    let extras: Vec<Option<String>> =
        stored.rows("parts").iter().map(|row| row.get("extra").map(text)).collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(extras, [None, some(r#"{"description":"d"}"#), None, some(r#"{"skill":{"name":"s"}}"#)]);
}

#[test]
fn a_command_of_the_user_is_a_call_of_the_shell() {
    let stored = read(
        "shell",
        r#"{"shellID":"sh_1","command":"false","status":"exited","exit":1,"output":"x","time":{"created":1795309370840,"completed":1795309370850}}"#,
    );
    assert!(stored.unknown.is_empty(), "{:?}", stored.unknown);
    message(
        &stored,
        &[("role", "shell"), ("time_completed", "1795309370850000"), ("extra", r#"{"status":"exited"}"#)],
    );
    expect(
        &stored,
        "tool_calls",
        &[&[
            ("part_id", &part("0001")),
            ("call_id", "sh_1"),
            ("tool", "shell"),
            ("tool_name", "bash"),
            ("status", "completed"),
            ("output", "x"),
            ("output_character_count", "1"),
            ("time_start", CREATED),
            ("time_end", "1795309370850000"),
            ("execution_time_ms", "10"),
            ("exit_code", "1"),
            ("is_failure", "true"),
            ("is_aborted", "false"),
            ("command", "false"),
        ]],
    );
    assert_eq!(stored.rows("errors").len(), 1);
}

#[test]
fn a_compaction_keeps_its_summary_and_its_cost() {
    let stored = read(
        "compaction",
        r#"{"status":"completed","reason":"auto","summary":"So far","recent":["msg_1"],"cost":0.25,"tokens":{"input":9,"output":1,"reasoning":0,"cache":{"read":0,"write":0}},"time":{"created":1795309370840}}"#,
    );
    assert!(stored.unknown.is_empty(), "{:?}", stored.unknown);
    message(
        &stored,
        &[
            ("role", "compaction"),
            ("is_summary", "true"),
            ("stored_cost", "0.25"),
            ("tokens_input", "9"),
            ("tokens_output", "1"),
            ("tokens_reasoning", "0"),
            ("tokens_cache_read", "0"),
            ("tokens_cache_write", "0"),
            ("extra", r#"{"reason":"auto"}"#),
        ],
    );
    expect(
        &stored,
        "compactions",
        &[&[
            ("part_id", &part("0001")),
            ("automatic", "true"),
            ("status", "completed"),
            ("summary", "So far"),
            ("recent", r#"["msg_1"]"#),
            ("time_created", CREATED),
        ]],
    );
    assert_eq!(text(&stored.only("step_events")["cost"]), "0.25");
}

#[test]
fn the_other_types_are_kept() {
    let time = r#""time":{"created":1795309370840}"#;
    for (kind, fields, cells) in [
        (
            "agent-switched",
            r#""agent":"plan","previous":"build""#,
            &[("agent", "plan"), ("extra", r#"{"previous":"build"}"#)][..],
        ),
        (
            "model-switched",
            r#""model":{"id":"m","providerID":"p"},"previous":{"id":"n"}"#,
            &[("model", "m"), ("provider", "p"), ("extra", r#"{"previous":{"id":"n"}}"#)],
        ),
        (
            "location-switched",
            r#""location":{"directory":"/w"}"#,
            &[("extra", r#"{"location":{"directory":"/w"}}"#)],
        ),
        ("idle", r#""outcome":"done""#, &[("extra", r#"{"outcome":"done"}"#)]),
    ] {
        let stored = read(kind, &format!("{{{fields},{time}}}"));
        assert!(stored.unknown.is_empty(), "{kind}: {:?}", stored.unknown);
        let mut expected = vec![("role", kind)];
        expected.extend(cells);
        message(&stored, &expected);
        assert_eq!(stored.filled(), ["messages"], "{kind}");
    }
    for kind in ["system", "synthetic", "skill"] {
        let stored = read(kind, &format!(r#"{{"text":"hear","name":"n",{time}}}"#));
        let row = stored.only("text_messages");
        assert_eq!((text(&row["text"]), text(&row["synthetic"])), ("hear".into(), "true".into()), "{kind}");
    }
    let stored = read("hologram", &format!(r#"{{"depth":3,{time}}}"#));
    message(&stored, &[("role", "hologram"), ("extra", r#"{"depth":3}"#)]);
    assert_eq!(stored.unknown.keys().collect::<Vec<_>>(), ["session_message.hologram"]);
}

#[test]
fn unknown_content_is_kept_whole_and_counted() {
    let stored = read(
        "assistant",
        r#"{"content":[{"type":"picture","data":"x"},"odd",{"type":"text","text":"t","glow":1}],"time":{"created":1795309370840}}"#,
    );
    let extras: Vec<String> = stored.rows("parts").iter().map(|row| text(&row["extra"])).collect();
    assert_eq!(extras, [r#"{"type":"picture","data":"x"}"#, r#"{"content":"odd"}"#, r#"{"glow":1}"#]);
    let places: Vec<&str> = stored.unknown.keys().map(String::as_str).collect();
    assert_eq!(
        places,
        ["session_message.content.picture", "session_message.content.text.glow", "session_message.content[]"]
    );
}

#[test]
fn what_a_provider_wants_back_is_metadata_under_all_its_names() {
    for (fields, metadata, extra) in [
        (r#""state":{"signature":"s"}"#, r#"{"signature":"s"}"#, None),
        (r#""native":{"a":1}"#, r#"{"a":1}"#, None),
        (r#""state":{"s":1},"metadata":{"m":1}"#, r#"{"m":1}"#, Some(r#"{"state":{"s":1}}"#)),
    ] {
        let stored =
            read("assistant", &format!(r#"{{"content":[{{"type":"reasoning","text":"t",{fields}}}]}}"#));
        assert!(stored.unknown.is_empty(), "{fields}: {:?}", stored.unknown);
        assert_eq!(text(&stored.only("thinking_blocks")["metadata"]), metadata, "{fields}");
        assert_eq!(stored.only("parts").get("extra").map(text).as_deref(), extra, "{fields}");
    }
}

#[test]
fn outputs_of_several_blocks_are_joined_and_other_blocks_are_kept() {
    let tool = |content: &str| {
        let stored = read(
            "assistant",
            &format!(
                r#"{{"content":[{{"type":"tool","id":"c","name":"x","state":{{"status":"completed","input":{{}},"content":{content}}}}}]}}"#
            ),
        );
        let row = stored.only("tool_calls").clone();
        (row.get("output").map(text), row.get("attachments").map(text))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(tool(r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#), (some("a\nb"), None));
    let mixed = r#"[{"type":"text","text":"a"},{"type":"file","uri":"data:,x"}]"#;
    assert_eq!(tool(mixed), (some("a"), some(mixed)));
    assert_eq!(tool("\"plain\""), (some("plain"), None));
    assert_eq!(tool("[]"), (None, None));
}
