//! Every field of every type of part, from the file and from the row.

use plimsoll_core::value::Value;
use serde_json::Value as Json;

use crate::support::{Stored, read_file, read_row};

const PATH: &str = "storage/part/msg_200c6fdd8001qqUjy1EAXzKpjb/prt_200c72d43001FXNalKtNyYz3mu.json";
const ID: &str = "prt_200c72d43001FXNalKtNyYz3mu";
const MESSAGE: &str = "msg_200c6fdd8001qqUjy1EAXzKpjb";
const SESSION: &str = "ses_dff390409ffe8jzEmib6KCyfrt";
/// When the identifier was made.
const MADE: &str = "1795309382979000";

/// A type of part: its fields besides identifiers, and the cells that they become.
struct Case {
    fields: &'static str,
    table: &'static str,
    cells: &'static [(&'static str, &'static str)],
    /// `time_created`, and where it comes from, in `parts`.
    time: (&'static str, &'static str),
    characters: Option<&'static str>,
}

const CASES: &[Case] = &[
    Case {
        fields: r##""type":"text","text":"# Größe\nzwei","synthetic":true,"ignored":false,"time":{"start":1795309382980,"end":1795309382990},"metadata":{"openai":{"itemId":"m1"}}"##,
        table: "text_messages",
        cells: &[
            ("text", "# Größe\nzwei"),
            ("character_count", "12"),
            ("line_count", "2"),
            ("format", "markdown"),
            ("synthetic", "true"),
            ("ignored", "false"),
            ("metadata", r#"{"openai":{"itemId":"m1"}}"#),
            ("time_start", "1795309382980000"),
            ("time_end", "1795309382990000"),
        ],
        time: ("1795309382980000", "field"),
        characters: Some("12"),
    },
    Case {
        fields: r#""type":"text","text":"plain""#,
        table: "text_messages",
        cells: &[("text", "plain"), ("character_count", "5"), ("line_count", "1"), ("format", "plain")],
        time: (MADE, "id"),
        characters: Some("5"),
    },
    Case {
        fields: r#""type":"reasoning","text":"Hm.","time":{"start":1795309382980,"end":1795309383021},"metadata":{"anthropic":{"signature":"s"}}"#,
        table: "thinking_blocks",
        cells: &[
            ("text", "Hm."),
            ("character_count", "3"),
            ("duration_ms", "41"),
            ("metadata", r#"{"anthropic":{"signature":"s"}}"#),
            ("time_start", "1795309382980000"),
            ("time_end", "1795309383021000"),
        ],
        time: ("1795309382980000", "field"),
        characters: Some("3"),
    },
    Case {
        fields: r#""type":"step-start","snapshot":"475b14ba""#,
        table: "step_events",
        cells: &[("event", "start"), ("snapshot", "475b14ba"), ("time_created", MADE)],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"step-finish","reason":"stop","snapshot":"475b","cost":0.004973875,"tokens":{"total":3265,"input":2022,"output":174,"reasoning":58,"cache":{"read":1011,"write":7}}"#,
        table: "step_events",
        cells: &[
            ("event", "finish"),
            ("snapshot", "475b"),
            ("reason", "stop"),
            ("cost", "0.004973875"),
            ("tokens_input", "2022"),
            ("tokens_output", "174"),
            ("tokens_reasoning", "58"),
            ("tokens_cache_read", "1011"),
            ("tokens_cache_write", "7"),
            ("tokens_total", "3265"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"patch","hash":"475b","files":["/a/b.rs","/a/c.rs"]"#,
        table: "patches",
        cells: &[
            ("tree_hash", "475b"),
            ("files", r#"["/a/b.rs","/a/c.rs"]"#),
            ("file_count", "2"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"snapshot","snapshot":"475b""#,
        table: "snapshots",
        cells: &[("snapshot", "475b"), ("time_created", MADE)],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"file","mime":"image/png","filename":"a.png","url":"data:image/png;base64,QUJDRA==","source":{"type":"file","path":"/w/a.png","text":{"value":"@a.png","start":0,"end":6}}"#,
        table: "attachments",
        cells: &[
            ("mime", "image/png"),
            ("filename", "a.png"),
            ("url", "data:image/png;base64,QUJDRA=="),
            ("url_scheme", "data"),
            ("byte_count", "4"),
            ("source", r#"{"type":"file","path":"/w/a.png","text":{"value":"@a.png","start":0,"end":6}}"#),
            ("source_path", "/w/a.png"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"file","mime":"text/plain","url":"mcp:x","source":{"type":"resource","clientName":"c","uri":"mcp://c/x","text":{"value":"@x","start":1,"end":3}}"#,
        table: "attachments",
        cells: &[
            ("mime", "text/plain"),
            ("url", "mcp:x"),
            ("url_scheme", "mcp"),
            (
                "source",
                r#"{"type":"resource","clientName":"c","uri":"mcp://c/x","text":{"value":"@x","start":1,"end":3}}"#,
            ),
            ("source_path", "mcp://c/x"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"agent","name":"explore","source":{"value":"@explore","start":2,"end":10}"#,
        table: "agent_mentions",
        cells: &[
            ("name", "explore"),
            ("source", r#"{"value":"@explore","start":2,"end":10}"#),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"retry","attempt":3,"error":{"name":"APIError","data":{"message":"Overloaded","statusCode":529,"isRetryable":true,"responseHeaders":{"retry-after":"7"},"responseBody":"{}","metadata":{"x":1}}},"time":{"created":1795309382985}"#,
        table: "retries",
        cells: &[
            ("attempt", "3"),
            (
                "error",
                r#"{"name":"APIError","data":{"message":"Overloaded","statusCode":529,"isRetryable":true,"responseHeaders":{"retry-after":"7"},"responseBody":"{}","metadata":{"x":1}}}"#,
            ),
            ("time_created", "1795309382985000"),
        ],
        time: ("1795309382985000", "field"),
        characters: None,
    },
    Case {
        fields: r#""type":"subtask","prompt":"Look","description":"in short","agent":"explore","command":"/look","model":{"providerID":"mock","modelID":"gpt-5"}"#,
        table: "subtasks",
        cells: &[
            ("prompt", "Look"),
            ("description", "in short"),
            ("agent", "explore"),
            ("command", "/look"),
            ("provider", "mock"),
            ("model", "gpt-5"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: Some("4"),
    },
    Case {
        fields: r#""type":"compaction","auto":true,"overflow":false,"tail_start_id":"msg_9""#,
        table: "compactions",
        cells: &[
            ("automatic", "true"),
            ("overflow", "false"),
            ("tail_start_id", "msg_9"),
            ("time_created", MADE),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"tool","callID":"call_1","tool":"webfetch","metadata":{"google":{"sig":"x"}},"state":{"status":"completed","input":{"url":"http://x"},"output":"done","title":"http://x","metadata":{"truncated":false},"time":{"start":1795309382980,"end":1795309383000,"compacted":1795309384000},"attachments":[{"id":"p","type":"file","mime":"image/png","url":"data:,x"}]}"#,
        table: "tool_calls",
        cells: &[
            ("call_id", "call_1"),
            ("tool", "webfetch"),
            ("tool_name", "webfetch"),
            ("status", "completed"),
            ("title", "http://x"),
            ("input", r#"{"url":"http://x"}"#),
            ("output", "done"),
            ("output_character_count", "4"),
            ("state_metadata", r#"{"truncated":false}"#),
            ("part_metadata", r#"{"google":{"sig":"x"}}"#),
            ("attachments", r#"[{"id":"p","type":"file","mime":"image/png","url":"data:,x"}]"#),
            ("time_start", "1795309382980000"),
            ("time_end", "1795309383000000"),
            ("time_compacted", "1795309384000000"),
            ("execution_time_ms", "20"),
            ("is_failure", "false"),
            ("is_aborted", "false"),
        ],
        time: ("1795309382980000", "field"),
        characters: Some("4"),
    },
    Case {
        fields: r#""type":"tool","callID":"call_1","tool":"webfetch","state":{"status":"pending","input":{},"raw":"{\"url\":\"ht"}"#,
        table: "tool_calls",
        cells: &[
            ("call_id", "call_1"),
            ("tool", "webfetch"),
            ("tool_name", "webfetch"),
            ("status", "pending"),
            ("input", "{}"),
            ("raw", r#"{"url":"ht"#),
            ("is_failure", "false"),
            ("is_aborted", "false"),
        ],
        time: (MADE, "id"),
        characters: None,
    },
    Case {
        fields: r#""type":"tool","callID":"call_1","tool":"task","state":{"status":"running","input":{"prompt":"x"},"title":"t","metadata":{"sessionId":"ses_child"},"time":{"start":1795309382980}}"#,
        table: "tool_calls",
        cells: &[
            ("call_id", "call_1"),
            ("tool", "task"),
            ("tool_name", "task"),
            ("status", "running"),
            ("title", "t"),
            ("input", r#"{"prompt":"x"}"#),
            ("state_metadata", r#"{"sessionId":"ses_child"}"#),
            ("child_session_id", "ses_child"),
            ("time_start", "1795309382980000"),
            ("is_failure", "false"),
            ("is_aborted", "false"),
        ],
        time: ("1795309382980000", "field"),
        characters: None,
    },
    Case {
        fields: r#""type":"tool","callID":"call_1","tool":"read","state":{"status":"error","input":{"filePath":"/w/a.rs"},"error":"Error: File not found: /w/a.rs","metadata":{"m":1},"time":{"start":1795309382980,"end":1795309382990}}"#,
        table: "tool_calls",
        cells: &[
            ("call_id", "call_1"),
            ("tool", "read"),
            ("tool_name", "read"),
            ("status", "error"),
            ("input", r#"{"filePath":"/w/a.rs"}"#),
            ("error", "Error: File not found: /w/a.rs"),
            ("state_metadata", r#"{"m":1}"#),
            ("time_start", "1795309382980000"),
            ("time_end", "1795309382990000"),
            ("execution_time_ms", "10"),
            ("is_failure", "true"),
            ("is_aborted", "false"),
            ("file_path", "/w/a.rs"),
        ],
        time: ("1795309382980000", "field"),
        characters: Some("30"),
    },
];

/// A document of every type.
pub(crate) fn examples() -> impl Iterator<Item = String> {
    CASES.iter().map(|case| format!("{{{}}}", case.fields))
}

fn check(case: &Case, stored: &Stored, generation: &str, time: (&str, &str)) {
    assert!(stored.unknown.is_empty(), "{}: {:?}", case.fields, stored.unknown);
    let mut cells = vec![("part_id", ID), ("message_id", MESSAGE), ("session_id", SESSION)];
    cells.extend(case.cells);
    stored.expect(case.table, &[], &cells);
    let kind: Json = serde_json::from_str(&format!("{{{}}}", case.fields)).unwrap();
    let mut cells = vec![
        ("id", ID),
        ("message_id", MESSAGE),
        ("session_id", SESSION),
        ("part_type", kind["type"].as_str().unwrap()),
        ("time_created", time.0),
        ("time_source", time.1),
        ("generation", generation),
    ];
    cells.extend(case.characters.map(|characters| ("character_count", characters)));
    stored.expect("parts", &[], &cells);
}

#[test]
fn every_field_of_every_type_becomes_a_cell_of_a_file() {
    for case in CASES {
        let text =
            format!(r#"{{"id":"{ID}","sessionID":"{SESSION}","messageID":"{MESSAGE}",{}}}"#, case.fields);
        check(case, &read_file(PATH, &text).unwrap(), "json", case.time);
    }
}

#[test]
fn every_field_of_every_type_becomes_a_cell_of_a_row() {
    for case in CASES {
        let columns = [
            ("id", Value::text(ID)),
            ("message_id", Value::text(MESSAGE)),
            ("session_id", Value::text(SESSION)),
            // Rows that OpenCode moved from files have the time of the move.
            ("time_created", Value::Integer(1_795_310_661_528)),
            ("time_updated", Value::Integer(1_795_310_661_528)),
            ("data", Value::text(format!("{{{}}}", case.fields))),
        ];
        check(case, &read_row("part", &columns).unwrap(), "sqlite-v1", case.time);
    }
}

#[test]
fn a_part_of_the_oldest_layout_is_read_alike() {
    let text =
        format!(r#"{{"id":"{ID}","sessionID":"{SESSION}","messageID":"{MESSAGE}","type":"step-start"}}"#);
    let path = format!("project/home-x/storage/session/part/{SESSION}/{MESSAGE}/{ID}.json");
    let stored = read_file(&path, &text).unwrap();
    stored.expect(
        "step_events",
        &[],
        &[
            ("part_id", ID),
            ("message_id", MESSAGE),
            ("session_id", SESSION),
            ("event", "start"),
            ("time_created", MADE),
        ],
    );
}

#[test]
fn a_part_of_an_unknown_type_is_kept_whole() {
    let text = r#"{"id":"prt_200c72d43001FXNalKtNyYz3mu","type":"hologram","depth":[1,2]}"#;
    let stored = read_file(PATH, text).unwrap();
    assert_eq!(stored.filled(), ["parts"]);
    stored.expect(
        "parts",
        &[],
        &[
            ("id", ID),
            ("message_id", MESSAGE),
            ("part_type", "hologram"),
            ("time_created", MADE),
            ("time_source", "id"),
            ("generation", "json"),
            ("extra", r#"{"id":"prt_200c72d43001FXNalKtNyYz3mu","type":"hologram","depth":[1,2]}"#),
        ],
    );
    assert_eq!(stored.unknown.keys().collect::<Vec<_>>(), ["part.hologram"]);
}

#[test]
fn a_field_of_another_shape_is_kept_and_refuses_nothing() {
    let text = r#"{"type":"tool","tool":["x"],"state":{"status":"completed","output":{"a":1},"time":"soon","new":{"b":2}},"messageID":"msg_other"}"#;
    let stored = read_file(PATH, text).unwrap();
    let part = stored.only("parts");
    let extra =
        r#"{"state":{"output":{"a":1},"time":"soon","new":{"b":2}},"tool":["x"],"messageID":"msg_other"}"#;
    assert_eq!(crate::support::text(&part["extra"]), extra);
    assert_eq!(crate::support::text(&part["message_id"]), MESSAGE);
    let places: Vec<&str> = stored.unknown.keys().map(String::as_str).collect();
    assert_eq!(
        places,
        [
            "part.tool.messageID",
            "part.tool.state.new",
            "part.tool.state.output",
            "part.tool.state.time",
            "part.tool.tool"
        ]
    );
}

/// Calls of tools: fields of the state and input, and what has to come of them.
fn tool(tool: &str, state: &str) -> Stored {
    let text =
        format!(r#"{{"type":"tool","callID":"c","tool":"{tool}","sessionID":"{SESSION}","state":{state}}}"#);
    read_file(PATH, &text).unwrap()
}

fn cell(stored: &Stored, table: &str, column: &str) -> Option<String> {
    stored.only(table).get(column).map(crate::support::text)
}

#[test]
fn a_command_that_fails_is_completed_and_a_failure() {
    let state = |exit: &str, output: &str| {
        format!(
            r#"{{"status":"completed","input":{{"command":"make"}},"output":"{output}","metadata":{{"exit":{exit}}},"time":{{"start":1795309382980,"end":1795309382990}}}}"#
        )
    };
    let timeout = "x\\n<bash_metadata>\\nbash tool terminated command after exceeding timeout 120000 ms\\n</bash_metadata>";
    let aborted = "x\\n<bash_metadata>\\nUser aborted the command\\n</bash_metadata>";
    for (exit, output, failure, abort, time, origin) in [
        ("0", "ok", "false", "false", Some("10"), None),
        ("2", "no rule", "true", "false", Some("10"), Some("command")),
        ("null", "ok", "false", "false", Some("10"), None),
        ("null", timeout, "true", "false", Some("10"), Some("command")),
        ("null", aborted, "true", "true", None, Some("command")),
        ("143", aborted, "true", "true", None, Some("command")),
    ] {
        let stored = tool("bash", &state(exit, output));
        assert_eq!(cell(&stored, "tool_calls", "is_failure").as_deref(), Some(failure), "{exit} {output}");
        assert_eq!(cell(&stored, "tool_calls", "is_aborted").as_deref(), Some(abort), "{exit} {output}");
        assert_eq!(cell(&stored, "tool_calls", "execution_time_ms").as_deref(), time, "{exit} {output}");
        assert_eq!(cell(&stored, "tool_calls", "command").as_deref(), Some("make"));
        let exit = (exit != "null").then_some(exit);
        assert_eq!(cell(&stored, "tool_calls", "exit_code").as_deref(), exit);
        match origin {
            None => assert!(stored.rows("errors").is_empty()),
            Some(origin) => {
                assert_eq!(cell(&stored, "errors", "origin").as_deref(), Some(origin));
                assert_eq!(cell(&stored, "errors", "tool_name").as_deref(), Some("bash"));
                let data: Json =
                    serde_json::from_str(&cell(&stored, "errors", "error_data").unwrap()).unwrap();
                assert_eq!(data["code"].as_i64().map(|code| code.to_string()).as_deref(), exit);
                assert!(data["type"].is_string() && data["text"].is_string());
            }
        }
    }
}

#[test]
fn an_aborted_tool_has_no_execution_time() {
    let stored = tool(
        "webfetch",
        r#"{"status":"error","input":{},"error":"Tool execution aborted","time":{"start":1795309382980,"end":1795309382980}}"#,
    );
    assert_eq!(cell(&stored, "tool_calls", "is_aborted").as_deref(), Some("true"));
    assert_eq!(cell(&stored, "tool_calls", "execution_time_ms"), None);
    assert_eq!(cell(&stored, "errors", "origin").as_deref(), Some("tool"));
}

#[test]
fn files_that_tools_work_on_are_told() {
    let time = r#""time":{"start":1795309382980,"end":1795309382990}"#;
    type Operation<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let cases: &[Operation<'_>] = &[
        (
            "read",
            r#""status":"completed","input":{"filePath":"/w/a.rs"},"output":"x""#,
            &[("operation", "read"), ("path", "/w/a.rs"), ("language", "Rust"), ("succeeded", "true")],
        ),
        (
            "read",
            r#""status":"error","input":{"filePath":"/w/a.rs"},"error":"File not found""#,
            &[("operation", "read"), ("path", "/w/a.rs"), ("language", "Rust"), ("succeeded", "false")],
        ),
        (
            "write",
            r#""status":"completed","input":{"filePath":"/w/a.py","content":"a\nb\n"},"output":"","metadata":{"exists":false,"filepath":"/w/a.py"}"#,
            &[
                ("operation", "write"),
                ("path", "/w/a.py"),
                ("language", "Python"),
                ("additions", "2"),
                ("deletions", "0"),
                ("byte_count", "4"),
                ("succeeded", "true"),
            ],
        ),
        (
            "write",
            r#""status":"completed","input":{"filePath":"/w/a.py","content":"a\nb\n"},"output":"","metadata":{"exists":true}"#,
            &[
                ("operation", "write"),
                ("path", "/w/a.py"),
                ("language", "Python"),
                ("byte_count", "4"),
                ("succeeded", "true"),
            ],
        ),
        (
            "edit",
            r#""status":"completed","input":{"filePath":"/w/a","oldString":"x","newString":"y"},"output":"","metadata":{"diff":"d","filediff":{"file":"/w/a","before":"x","after":"y","additions":3,"deletions":1},"diagnostics":{}}"#,
            &[
                ("operation", "edit"),
                ("path", "/w/a"),
                ("additions", "3"),
                ("deletions", "1"),
                ("succeeded", "true"),
            ],
        ),
        (
            "edit",
            r#""status":"completed","input":{"filePath":"/w/a"},"output":"","metadata":{"diff":"--- a\n+++ a\n@@ -1 +1,2 @@\n-x\n+y\n+z\n"}"#,
            &[
                ("operation", "edit"),
                ("path", "/w/a"),
                ("additions", "2"),
                ("deletions", "1"),
                ("succeeded", "true"),
            ],
        ),
        (
            "grep",
            r#""status":"completed","input":{"pattern":"x","path":"/w"},"output":"""#,
            &[("operation", "search"), ("path", "/w"), ("succeeded", "true")],
        ),
        (
            "glob",
            r#""status":"completed","input":{"pattern":"*.rs"},"output":"""#,
            &[("operation", "search"), ("succeeded", "true")],
        ),
        (
            "list",
            r#""status":"completed","input":{"path":"/w"},"output":"""#,
            &[("operation", "list"), ("path", "/w"), ("succeeded", "true")],
        ),
    ];
    for (name, state, expected) in cases {
        let stored = tool(name, &format!("{{{state},{time}}}"));
        let mut cells = vec![
            ("part_id", ID),
            ("ordinal", "0"),
            ("message_id", MESSAGE),
            ("session_id", SESSION),
            ("tool_name", *name),
            ("time_created", "1795309382980000"),
        ];
        cells.extend(*expected);
        stored.expect("file_operations", &[], &cells);
    }
    let running =
        tool("read", r#"{"status":"running","input":{"filePath":"/w/a.rs"},"time":{"start":1795309382980}}"#);
    assert!(running.rows("file_operations").is_empty());
}

#[test]
fn a_patch_of_several_files_is_told_file_by_file() {
    let state = r#"{"status":"completed","input":{"patchText":"*** Begin Patch\n*** End Patch"},"output":"Success","metadata":{"files":[
        {"filePath":"/w/a.rs","relativePath":"a.rs","type":"add","diff":"","additions":5,"deletions":0},
        {"filePath":"/w/b.rs","relativePath":"b.rs","type":"delete","additions":0,"deletions":9}]}}"#;
    let stored = tool("apply_patch", state);
    let found: Vec<Vec<Option<String>>> = stored
        .rows("file_operations")
        .iter()
        .map(|row| {
            ["ordinal", "operation", "path", "additions", "deletions"]
                .map(|name| row.get(name).map(crate::support::text))
                .to_vec()
        })
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        found,
        [
            vec![some("0"), some("write"), some("/w/a.rs"), some("5"), some("0")],
            vec![some("1"), some("delete"), some("/w/b.rs"), some("0"), some("9")],
        ]
    );
}

#[test]
fn a_patch_that_was_refused_is_told_by_its_text() {
    let state = r#"{"status":"error","error":"no match","input":{"patchText":"*** Begin Patch\n*** Update File: src/a.rs\n*** Move to: src/b.rs\n@@\n-x\n+y\n+z\n*** Add File: c\n+1\n*** Delete File: d\n*** End Patch"}}"#;
    let stored = tool("patch", state);
    let found: Vec<String> = stored
        .rows("file_operations")
        .iter()
        .map(|row| {
            let names = ["tool_name", "operation", "path", "additions", "deletions", "succeeded"];
            names.map(|name| row.get(name).map_or("-".to_owned(), crate::support::text)).join(" ")
        })
        .collect();
    assert_eq!(
        found,
        [
            "apply_patch move src/b.rs 2 1 false",
            "apply_patch write c 1 0 false",
            "apply_patch delete d - - false",
        ]
    );
}

#[test]
fn commands_tell_git_facts_and_risks() {
    let stored = tool(
        "bash",
        r#"{"status":"completed","input":{"command":"git commit -m 'fix it' && sudo rm -rf /"},"output":"[main 1a2b3c4] fix it\n 2 files changed, 3 insertions(+), 1 deletion(-)","metadata":{"exit":0},"time":{"start":1795309382980,"end":1795309382990}}"#,
    );
    stored.expect(
        "git_facts",
        &[],
        &[
            ("part_id", ID),
            ("ordinal", "0"),
            ("message_id", MESSAGE),
            ("session_id", SESSION),
            ("kind", "commit"),
            ("branch", "main"),
            ("commit_hash", "1a2b3c4"),
            ("commit_message", "fix it"),
            ("files_changed", "2"),
            ("insertions", "3"),
            ("deletions", "1"),
            ("succeeded", "true"),
            ("time_created", "1795309382980000"),
        ],
    );
    let findings = stored.rows("security_findings");
    assert!(!findings.is_empty());
    for (ordinal, finding) in findings.iter().enumerate() {
        assert_eq!(crate::support::text(&finding["ordinal"]), ordinal.to_string());
        for column in
            ["part_id", "message_id", "session_id", "tool_name", "rule", "severity", "explanation", "excerpt"]
        {
            assert!(finding.contains_key(column), "{column}");
        }
    }
    let quiet =
        tool("bash", r#"{"status":"completed","input":{"command":"ls"},"output":"","metadata":{"exit":0}}"#);
    assert_eq!(quiet.filled(), ["parts", "tool_calls"]);
}

#[test]
fn failures_are_classified() {
    let stored = tool(
        "read",
        r#"{"status":"error","input":{"filePath":"/w/a.rs"},"error":"Error: File not found: /w/a.rs"}"#,
    );
    let error = stored.only("errors");
    for column in ["category", "severity", "retryable", "rule"] {
        assert!(error.contains_key(column), "{column}");
    }
    assert_ne!(crate::support::text(&error["category"]), "unknown");
}
