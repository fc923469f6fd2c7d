//! One row of everything that the world does not tell.

use plimsoll_engine::ingest::{Cell, ledger};
use plimsoll_opencode::table::{core, derived, focused};

use crate::rows::Collected;
use crate::world::{DAY, DOLLAR, START, World};

impl World {
    /// One row of everything else, so that no view is empty.
    pub(crate) fn fill_rest(&self, rows: &Collected) {
        let (message, session, at) = ("msg_0_0_0", "ses_0", START + DAY / 2);
        for (number, kind) in
            ["text", "reasoning", "step-finish", "patch", "compaction", "file", "retry"].iter().enumerate()
        {
            let id = format!("prt_rest_{number}");
            rows.put(
                &core::PARTS,
                &[
                    ("id", (&id).into()),
                    ("message_id", message.into()),
                    ("session_id", session.into()),
                    ("part_type", (*kind).into()),
                    ("time_created", at.into()),
                    ("time_source", "id".into()),
                    ("character_count", 40.into()),
                ],
            );
        }
        let part = |number: &'static str| {
            [("part_id", Cell::Text(number)), ("message_id", message.into()), ("session_id", session.into())]
        };
        let add =
            |table, number, more: &[(&str, Cell<'_>)]| rows.put(table, &[&part(number)[..], more].concat());
        add(
            &focused::TEXT_MESSAGES,
            "prt_rest_0",
            &[("text", "The engine is mended; the Engine runs.".into()), ("character_count", 38.into())],
        );
        add(
            &focused::THINKING_BLOCKS,
            "prt_rest_1",
            &[("text", "hm".into()), ("duration_ms", 40.into()), ("time_start", at.into())],
        );
        add(
            &focused::STEP_EVENTS,
            "prt_rest_2",
            &[("event", "finish".into()), ("cost", DOLLAR.into()), ("time_created", at.into())],
        );
        add(
            &focused::PATCHES,
            "prt_rest_3",
            &[("files", r#"["/a.rs"]"#.into()), ("file_count", 1.into()), ("time_created", at.into())],
        );
        let between =
            self.messages.iter().filter(|m| m.session == 0 && m.answers.is_some()).nth(3).unwrap().created;
        add(
            &focused::COMPACTIONS,
            "prt_rest_4",
            &[("automatic", true.into()), ("time_created", (between + 1).into())],
        );
        add(
            &focused::ATTACHMENTS,
            "prt_rest_5",
            &[("mime", "image/png".into()), ("url_scheme", "data".into()), ("byte_count", 9.into())],
        );
        add(&focused::RETRIES, "prt_rest_6", &[("attempt", 2.into()), ("time_created", at.into())]);
        // A part of the fork, with a text that must not be found twice.
        rows.put(
            &core::PARTS,
            &[
                ("id", "prt_copy".into()),
                ("message_id", "msg_0_0_0_copy".into()),
                ("session_id", "ses_7".into()),
                ("part_type", "text".into()),
                ("time_created", at.into()),
            ],
        );
        rows.put(
            &focused::TEXT_MESSAGES,
            &[
                ("part_id", "prt_copy".into()),
                ("message_id", "msg_0_0_0_copy".into()),
                ("session_id", "ses_7".into()),
                ("text", "The engine is mended; the Engine runs.".into()),
            ],
        );
        let fact = |number: i64, kind, branch: Option<&'static str>, hash: Option<&'static str>| {
            add(
                &focused::GIT_FACTS,
                "prt_rest_0",
                &[
                    ("ordinal", number.into()),
                    ("kind", kind),
                    ("branch", branch.into()),
                    ("commit_hash", hash.into()),
                    ("succeeded", true.into()),
                    ("time_created", (at + number).into()),
                ],
            );
        };
        fact(0, Cell::Text("switch"), Some("main"), None);
        fact(1, Cell::Text("commit"), None, Some("1a2b3c4"));
        for (number, operation) in ["read", "edit"].iter().enumerate() {
            add(
                &focused::FILE_OPERATIONS,
                "prt_rest_0",
                &[
                    ("ordinal", (number as i64).into()),
                    ("tool_name", (*operation).into()),
                    ("operation", (*operation).into()),
                    ("path", "/a.rs".into()),
                    ("language", "rust".into()),
                    ("additions", 3.into()),
                    ("succeeded", true.into()),
                    ("time_created", at.into()),
                ],
            );
        }
        add(
            &focused::SECURITY_FINDINGS,
            "prt_rest_0",
            &[
                ("ordinal", 0.into()),
                ("severity", "high".into()),
                ("rule", "pipe-to-shell".into()),
                ("technique", "T1059.004".into()),
                ("tool_name", "bash".into()),
                ("time_created", at.into()),
            ],
        );
        let todo = |position: i64, status| {
            rows.put(
                &core::TODOS,
                &[
                    ("session_id", session.into()),
                    ("position", position.into()),
                    ("status", status),
                    ("content", "x".into()),
                ],
            );
        };
        todo(0, Cell::Text("completed"));
        todo(1, Cell::Text("pending"));
        rows.put(
            &core::SESSION_DIFFS,
            &[("session_id", session.into()), ("position", 0.into()), ("path", "/a.rs".into())],
        );
        rows.put(
            &derived::MODEL_PRICING,
            &[("model_name", "house/gpt-5".into()), ("input_token_cost_per_1k", (DOLLAR / 800).into())],
        );
        rows.put(&ledger::SOURCES, &[("source", 1.into()), ("root", "/data".into()), ("name", "".into())]);
        rows.put(
            &ledger::DOCUMENTS,
            &[
                ("source", 1.into()),
                ("path", "storage/part/a.json".into()),
                ("kind", "part".into()),
                ("outcome", "stored".into()),
                ("size", 10.into()),
                ("modified_ns", (START * 1_000).into()),
                ("ingested_at", (START + 90_000).into()),
            ],
        );
    }
}
