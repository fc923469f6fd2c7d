//! The wide `parts` table of an earlier monitor, and the focused tables that it becomes.
//!
//! Owns which of its columns goes where. That monitor kept every part of every type in one table of 29 columns, to which
//! later versions added seven about risk. The store that Plimsoll itself fills never had such a table; this is for
//! people who bring their old database along. How it is split, checked and taken back is the engine's.

use plimsoll_engine::change::split::{Addition, Focused, FocusedColumn, Split, WideColumn, same, wider};

const TEXT: &[&str] = &["VARCHAR"];
const MOMENT: &[&str] = &["TIMESTAMP"];
const WHOLE: &[&str] = &["INTEGER", "BIGINT"];

const fn known(name: &'static str, types: &'static [&'static str]) -> WideColumn {
    WideColumn { name, types, required: true }
}

const fn later(name: &'static str, types: &'static [&'static str]) -> WideColumn {
    WideColumn { name, types, required: false }
}

/// The split of `parts`.
pub static SPLIT_PARTS: Split = Split {
    name: "split-parts",
    help: "Split the wide parts table of an earlier monitor's database into focused tables",
    drop_name: "drop-parts-legacy",
    drop_help: "Drop parts_legacy, a week after the split and only if every check is green",
    table: "parts",
    key: "id",
    reference: "part_id",
    columns: &[
        known("id", TEXT),
        known("session_id", TEXT),
        known("message_id", TEXT),
        known("part_type", TEXT),
        known("content", TEXT),
        known("tool_name", TEXT),
        known("tool_status", TEXT),
        known("created_at", MOMENT),
        known("call_id", TEXT),
        known("ended_at", MOMENT),
        known("duration_ms", WHOLE),
        known("arguments", TEXT),
        known("result_summary", TEXT),
        known("error_message", TEXT),
        known("error_data", &["VARCHAR", "JSON"]),
        known("child_session_id", TEXT),
        known("reasoning_text", TEXT),
        known("anthropic_signature", TEXT),
        known("compaction_auto", &["BOOLEAN"]),
        known("file_mime", TEXT),
        known("file_name", TEXT),
        known("file_url", TEXT),
        known("cost", &["DECIMAL(10,6)", "DECIMAL(18,10)"]),
        known("tokens_input", WHOLE),
        known("tokens_output", WHOLE),
        known("tokens_reasoning", WHOLE),
        known("tokens_cache_read", WHOLE),
        known("tokens_cache_write", WHOLE),
        known("tool_title", TEXT),
        later("risk_score", WHOLE),
        later("risk_level", TEXT),
        later("risk_reason", TEXT),
        later("mitre_techniques", TEXT),
        later("security_enriched_at", MOMENT),
        later("scope_verdict", TEXT),
        later("scope_resolved_path", TEXT),
    ],
    core: &["id", "session_id", "message_id", "part_type", "created_at", "ended_at", "duration_ms"],
    repeated: &["message_id", "session_id"],
    focused: &[
        Focused {
            table: "tool_calls",
            help: "One call of a tool.",
            columns: &[
                same("call_id"),
                same("tool_name"),
                same("tool_status"),
                same("tool_title"),
                same("arguments"),
                same("result_summary"),
                same("child_session_id"),
            ],
        },
        Focused {
            table: "file_operations",
            help: "One file attached to a message.",
            columns: &[same("file_mime"), same("file_name"), same("file_url")],
        },
        Focused {
            table: "errors",
            help: "One failure. Details that are no JSON are kept as they are, beside.",
            columns: &[
                same("error_message"),
                FocusedColumn {
                    name: "error_data",
                    kind: Some("JSON"),
                    otherwise: Some("malformed_error_data"),
                },
            ],
        },
        Focused {
            table: "thinking_blocks",
            help: "What the model thought.",
            columns: &[same("reasoning_text"), same("anthropic_signature")],
        },
        Focused {
            table: "text_messages",
            help: "What a user or the model wrote.",
            columns: &[same("content")],
        },
        Focused {
            table: "step_events",
            help: "Cost and tokens of one step. Counts are 64 bits wide, money has ten decimals.",
            columns: &[
                wider("cost", "DECIMAL(18,10)"),
                wider("tokens_input", "BIGINT"),
                wider("tokens_output", "BIGINT"),
                wider("tokens_reasoning", "BIGINT"),
                wider("tokens_cache_read", "BIGINT"),
                wider("tokens_cache_write", "BIGINT"),
            ],
        },
        Focused {
            table: "compactions",
            help: "One compaction of a session.",
            columns: &[same("compaction_auto")],
        },
        Focused {
            table: "part_risks",
            help: "What was found about the risk of a part.",
            columns: &[
                same("risk_score"),
                same("risk_level"),
                same("risk_reason"),
                same("mitre_techniques"),
                same("security_enriched_at"),
                same("scope_verdict"),
                same("scope_resolved_path"),
            ],
        },
    ],
    additions: &[Addition {
        table: "errors",
        column: "error_type",
        kind: "VARCHAR",
        backfill: Some("coalesce(error_data->>'$.type', error_data->>'$.name', error_data->>'$.error_type')"),
        complete: Some("json_exists(error_data, '$.type') AND (error_data->>'$.type') IS NOT NULL"),
    }],
    keep_days: 7,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_goes_to_exactly_one_place() {
        for column in SPLIT_PARTS.columns {
            let in_core = SPLIT_PARTS.core.iter().filter(|name| **name == column.name).count();
            let in_focused = SPLIT_PARTS
                .focused
                .iter()
                .flat_map(|focused| focused.columns)
                .filter(|found| found.name == column.name)
                .count();
            assert_eq!(in_core + in_focused, 1, "{}", column.name);
        }
        assert_eq!(SPLIT_PARTS.columns.iter().filter(|column| column.required).count(), 29);
        assert!((7..=10).contains(&(SPLIT_PARTS.focused.len() + 1)));
    }
}
