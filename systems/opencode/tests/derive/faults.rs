//! The faults that these tables are made to avoid, put back one by one: each must be seen.

use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{
    AnalyticTable, Derivation, Document, DocumentKind, FileIdentity, ForeignTable, How, Refusal, Rows,
    Settings,
};
use plimsoll_opencode::derive::{DERIVATIONS, SPREAD};
use plimsoll_opencode::documents::OpenCode;

use crate::model;
use crate::run::{Tables, assert_same, computed, empty, note, tables};
use crate::story::{Body, Story};

/// The system with other statements.
struct Faulty {
    derivations: &'static [Derivation],
    spread: &'static [&'static str],
}

impl Documents for Faulty {
    fn name(&self) -> &'static str {
        OpenCode.name()
    }

    fn tables(&self) -> &'static [&'static AnalyticTable] {
        OpenCode.tables()
    }

    fn kinds(&self) -> &'static [DocumentKind] {
        OpenCode.kinds()
    }

    fn folders(&self) -> &'static [&'static str] {
        OpenCode.folders()
    }

    fn identify(&self, path: &str) -> Option<FileIdentity> {
        OpenCode.identify(path)
    }

    fn is_database(&self, name: &str) -> bool {
        OpenCode.is_database(name)
    }

    fn foreign_tables(&self) -> &'static [ForeignTable] {
        OpenCode.foreign_tables()
    }

    fn read(&self, document: &Document<'_>, rows: &mut Rows) -> Result<(), Refusal> {
        OpenCode.read(document, rows)
    }

    fn derivations(&self) -> &'static [Derivation] {
        self.derivations
    }

    fn scopes(&self) -> &'static str {
        OpenCode.scopes()
    }

    fn spread(&self) -> &'static [&'static str] {
        self.spread
    }
}

/// The statements with one text replaced in the statement of one table.
fn with(table: &str, right: &str, wrong: &str) -> Faulty {
    let mut replaced = 0;
    let mut replace = |query: &'static str| -> &'static str {
        replaced += query.matches(right).count();
        Box::leak(query.replace(right, wrong).into_boxed_str())
    };
    let derivations: Vec<Derivation> = DERIVATIONS
        .iter()
        .map(|derivation| {
            let mut changed = *derivation;
            if derivation.table.name == table {
                changed.how = match derivation.how {
                    How::Query(query) => How::Query(replace(query)),
                    How::Rows { query, each } => How::Rows { query: replace(query), each },
                };
            }
            changed
        })
        .collect();
    assert!(replaced > 0, "{table} does not say `{right}`");
    Faulty { derivations: Box::leak(derivations.into_boxed_slice()), spread: SPREAD }
}

/// A store in which everything happened at least once.
fn eventful() -> Story {
    let mut story = Story::default();
    story.session("ses_a", None);
    story.session("ses_b", Some("ses_a"));
    story.session("ses_x", Some("ses_y"));
    story.session("ses_y", Some("ses_x"));
    let first = story.message("ses_a", "user", 0);
    story.text(&first, "fix it");
    let answer = story.message("ses_a", "assistant", 100);
    story.at(&answer).parent = Some(first.clone());
    for input in [150_000, 120_000] {
        story.part(&answer, Body::Start);
        let tokens = [Some(input), Some(40), Some(0), Some(0), Some(0), None];
        story.part(&answer, Body::Finish { cost: Some(77), tokens });
    }
    let tool = |status: &str, ms, aborted| Body::Tool {
        name: "bash".into(),
        status: status.into(),
        ms,
        failure: false,
        aborted,
        child: None,
    };
    story.part(&answer, tool("completed", Some(30), false));
    story.part(&answer, tool("completed", Some(5_000), true));
    story.part(&answer, tool("error", Some(9_000), false));
    let marker = story.message("ses_a", "user", 900);
    story.part(&marker, Body::Compaction);
    let summary = story.message("ses_a", "assistant", 950);
    story.at(&summary).parent = Some(marker);
    story.at(&summary).is_summary = Some(true);
    story.text(&summary, "what was done");
    // Ids begin again from zero between these two turns, and within the answer of the first.
    let late = story.message("ses_a", "user", 1_900);
    let across = story.message("ses_a", "assistant", 1_970);
    for _ in 0..40 {
        story.part(&across, Body::Start);
    }
    let after = story.message("ses_a", "user", 3_000);
    let unknown = story.message("ses_a", "assistant", 3_100);
    story.at(&unknown).model = Some(("acme".into(), "mystery".into()));
    story.at(&unknown).parent = Some(late.clone());
    let tokens = [Some(7), Some(3), Some(0), Some(0), Some(0), None];
    story.part(&unknown, Body::Finish { cost: Some(5), tokens });
    story.at(&across).parent = Some(after);
    story.message("ses_b", "assistant", 50);
    // Its copies keep the parents of the originals, as early forks did.
    story.fork("ses_a", "ses_c", 90_000, 20, false, false);
    story.message("ses_c", "user", 95_000);
    story
}

#[test]
fn every_fault_that_is_put_back_is_seen() {
    let story = eventful();
    let right = model::expected(&story);
    assert_same(&computed(&story), &right, &story);
    let faults = [
        ("message_places", "ORDER BY time_created, sequence, id", "ORDER BY id"),
        ("message_places", "alike.original_session_id <> alike.session_id", "false"),
        ("message_places", "INTERVAL 1 SECOND", "INTERVAL 1 HOUR"),
        ("message_places", "bits.part_type = 'compaction' OR", "false OR"),
        ("message_places", "asked.session_id = turns.session_id AND", ""),
        ("message_places", "coalesce(asked.turn, turns.turn)", "turns.turn"),
        ("session_traces", "CASE WHEN list_contains(way.path, way.next)", "CASE WHEN false"),
        (
            "message_usage",
            "CASE WHEN steps.steps > 0 THEN steps.tokens_input ELSE answers.tokens_input END",
            "answers.tokens_input",
        ),
        ("message_usage", "steps.each_step", "NULL::VARCHAR AS each_step"),
        ("message_usage", "steps.step_parts", "NULL::VARCHAR AS step_parts"),
        ("exchanges", "turn_is_copy OR NOT is_fork_copy AS counts", "NOT is_fork_copy AS counts"),
        ("exchanges", "own := NOT is_summary, ", ""),
        ("exchange_traces", "substr(bits.id, 5, 1) < '4'", "false"),
        ("exchange_traces", "AND NOT ordered.is_fork_copy", ""),
        (
            "session_resource_metrics",
            "CASE WHEN sum(messages) = sum(priced_messages) THEN sum(list_cost) END",
            "sum(list_cost)",
        ),
        ("session_resource_metrics", "AND NOT is_fork_copy", ""),
        ("session_traces", "unnest(path) AS ancestor", "path[1] AS ancestor"),
        ("daily_stats", "FILTER (NOT is_fork_copy)", ""),
        ("tools", "status = 'completed' AND NOT is_aborted", "true"),
        ("tools", "AND NOT is_aborted", ""),
        ("tools", "message_id NOT IN (SELECT message_id FROM message_places WHERE is_fork_copy)", "true"),
    ];
    let mut unseen = Vec::new();
    for (table, good, bad) in faults {
        let faulty = with(table, good, bad);
        let store = empty();
        story.write(&store, |_| true);
        note(&store, "*");
        // A statement that is refused is a fault that is seen, too.
        let done = plimsoll_engine::ingest::derive(&faulty, &store, &Settings::default());
        let found: Tables = tables(&store);
        let is_seen = done.is_err() || right.iter().any(|(table, rows)| found[table] != *rows);
        if !is_seen {
            unseen.push(format!("`{bad}` in place of `{good}` in {table}"));
        }
    }
    assert!(unseen.is_empty(), "these make no difference: {unseen:#?}");
}

/// Without following what depends on a session, figures of others stay as they were.
#[test]
fn a_change_that_is_not_followed_is_seen() {
    let story = eventful();
    let deaf = Faulty { derivations: DERIVATIONS, spread: &[] };
    for (system, is_right) in [(&OpenCode as &dyn Documents, true), (&deaf, false)] {
        let store = empty();
        story.write(&store, |_| true);
        note(&store, "*");
        plimsoll_engine::ingest::derive(system, &store, &Settings::default()).unwrap();
        for table in ["messages", "parts", "text_messages", "tool_calls", "step_events", "compactions"] {
            store.execute(&format!("DELETE FROM {table} WHERE session_id = 'ses_a'"), &[]).unwrap();
        }
        note(&store, "ses_a");
        plimsoll_engine::ingest::derive(system, &store, &Settings::default()).unwrap();
        let mut now = story.clone();
        now.messages.retain(|message| message.session != "ses_a");
        now.parts.retain(|part| part.session != "ses_a");
        let expected = model::expected(&now);
        let found = tables(&store);
        assert_eq!(expected.iter().all(|(table, rows)| found[table] == *rows), is_right);
    }
}
