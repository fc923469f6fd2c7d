//! Stories in which something is odd.

use crate::model;
use crate::run::{Tables, assert_same, derive, empty, note, tables};
use crate::story::{Body, Story, minted_id};

use plimsoll_engine::error::EngineError;
use plimsoll_engine::ingest::{OwnedCell, Settings};
use plimsoll_opencode::documents::OpenCode;
use plimsoll_store::duckdb::Analytics;

/// Computes the tables, which must be the model's too.
fn told(story: &Story) -> Analytics {
    let store = empty();
    story.write(&store, |_| true);
    note(&store, "*");
    derive(&store);
    let found: Tables = tables(&store);
    assert_same(&found, &model::expected(story), story);
    store
}

/// One row of texts, `-` for null.
pub(crate) fn ask(store: &Analytics, sql: &str) -> Vec<Vec<String>> {
    let rows = store.query(sql, &[]).unwrap().rows;
    let cell = |cell: &OwnedCell| match cell {
        OwnedCell::Null => "-".to_owned(),
        OwnedCell::Text(text) => text.clone(),
        OwnedCell::Integer(number) => number.to_string(),
        OwnedCell::Decimal(digits, _) => digits.to_string(),
        OwnedCell::Boolean(value) => value.to_string(),
        OwnedCell::Double(number) => number.to_string(),
    };
    rows.iter().map(|row| row.iter().map(cell).collect()).collect()
}

fn finish(cost: i64, input: i64, output: i64) -> Body {
    Body::Finish { cost: Some(cost), tokens: [Some(input), Some(output), Some(0), Some(0), Some(0), None] }
}

fn tool(name: &str, status: &str, ms: Option<i64>, failure: bool, aborted: bool) -> Body {
    Body::Tool { name: name.into(), status: status.into(), ms, failure, aborted, child: None }
}

/// A user message and its answer.
fn turn(story: &mut Story, session: &str, at: i64) -> (String, String) {
    let asked = story.message(session, "user", at);
    story.text(&asked, "fix it");
    let answer = story.message(session, "assistant", at + 100);
    story.at(&answer).parent = Some(asked.clone());
    (asked, answer)
}

/// Opencode.md 1.8, trap 1: the message keeps the tokens of its last step only.
#[test]
fn steps_are_the_truth_about_an_answer() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let (_, answer) = turn(&mut story, "ses_a", 0);
    story.at(&answer).tokens = [Some(300), Some(30), Some(0), Some(0), Some(0), None];
    story.at(&answer).cost = Some(60);
    for (cost, input, output) in [(10, 100, 10), (20, 200, 20), (30, 300, 30)] {
        story.part(&answer, Body::Start);
        story.part(&answer, finish(cost, input, output));
    }
    let store = told(&story);
    let sql = "SELECT steps, tokens_input, tokens_output, stored_cost FROM message_usage";
    assert_eq!(ask(&store, sql), [["3", "600", "60", "60"]]);
    let sql = "SELECT tokens, duration_ms FROM exchange_traces WHERE status = 'finish' ORDER BY event_order";
    assert_eq!(ask(&store, sql), [["110", "1"], ["220", "1"], ["330", "1"]]);
}

/// Ten requests of 50,000 tokens are not one of 500,000: the rates for a long context do not apply.
#[test]
fn the_length_of_a_context_is_that_of_one_request() {
    let mut story = Story::default();
    story.session("ses_a", None);
    for at in [0, 1000] {
        let (_, answer) = turn(&mut story, "ses_a", at);
        let steps = if at == 0 { 10 } else { 1 };
        for _ in 0..steps {
            story.part(&answer, finish(1, 500_000 / steps, 0));
        }
    }
    let store = told(&story);
    // gemini-2.5-pro: 1.25 dollars a million, 2.50 over 200,000.
    let sql = "SELECT list_cost, recomputed_cost FROM message_usage ORDER BY steps DESC";
    assert_eq!(ask(&store, sql), [["6250000000", "6250000000"], ["12500000000", "12500000000"]]);
}

/// Trap 3, and a fork of the fork: each copy is kept, flagged and left out.
#[test]
fn a_fork_of_a_fork_counts_once() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let (_, answer) = turn(&mut story, "ses_a", 0);
    story.part(&answer, tool("bash", "completed", Some(40), false, false));
    story.fork("ses_a", "ses_b", 90_000, 9, false, false);
    story.fork("ses_b", "ses_c", 90_000, 9, false, true);
    let store = told(&story);
    let sql = "SELECT session_id, is_fork_copy, original_session_id FROM message_places ORDER BY session_id, position";
    let expected = [
        ["ses_a", "false", "-"],
        ["ses_a", "false", "-"],
        ["ses_b", "true", "ses_a"],
        ["ses_b", "true", "ses_a"],
        ["ses_c", "true", "ses_a"],
        ["ses_c", "true", "ses_a"],
    ];
    assert_eq!(ask(&store, sql), expected);
    let sql = "SELECT messages, tool_calls, stored_cost, fork_copies FROM session_resource_metrics ORDER BY session_id";
    assert_eq!(ask(&store, sql), [["2", "1", "1000000", "0"], ["0", "0", "0", "2"], ["0", "0", "0", "2"]]);
    let sql = "SELECT messages, fork_copies, stored_cost FROM daily_stats";
    assert_eq!(ask(&store, sql), [["1", "2", "1000000"]]);
    assert_eq!(ask(&store, "SELECT calls FROM tools"), [["1"]]);
    // A copied turn keeps what it cost, flagged; in the copies that kept the original's parent too.
    let sql =
        "SELECT session_id, is_fork_copy, assistant_messages, stored_cost FROM exchanges ORDER BY session_id";
    let expected = [
        ["ses_a", "false", "1", "1000000"],
        ["ses_b", "true", "1", "1000000"],
        ["ses_c", "true", "1", "1000000"],
    ];
    assert_eq!(ask(&store, sql), expected);
}

#[test]
fn the_first_copy_counts_when_the_original_is_deleted() {
    let mut story = Story::default();
    story.session("ses_a", None);
    turn(&mut story, "ses_a", 0);
    story.fork("ses_a", "ses_b", 90_000, 9, false, true);
    story.fork("ses_a", "ses_c", 180_000, 9, false, true);
    story.sessions.retain(|session| session.id != "ses_a");
    story.messages.retain(|message| message.session != "ses_a");
    story.parts.retain(|part| part.session != "ses_a");
    let store = told(&story);
    let sql = "SELECT session_id, fork_copies, stored_cost FROM session_resource_metrics ORDER BY session_id";
    assert_eq!(ask(&store, sql), [["ses_b", "0", "1000000"], ["ses_c", "2", "0"]]);
}

/// Two programs may ask in the same millisecond; that is no fork.
#[test]
fn two_things_in_one_millisecond_are_not_copies() {
    let mut story = Story::default();
    for session in ["ses_a", "ses_b"] {
        story.session(session, None);
        turn(&mut story, session, 0);
    }
    let store = told(&story);
    assert_eq!(ask(&store, "SELECT count(*) FROM message_places WHERE is_fork_copy"), [["0"]]);
    // Unless the session says that it was forked, whenever its ids were minted.
    story.sessions[1].fork = Some("ses_a".into());
    let store = told(&story);
    let sql = "SELECT DISTINCT session_id FROM message_places WHERE is_fork_copy";
    assert_eq!(ask(&store, sql), [["ses_b"]]);
}

/// What a fork's session goes on to do counts, also where it belongs to a copied turn.
#[test]
fn what_happens_after_a_fork_counts() {
    let mut story = Story::default();
    story.session("ses_a", None);
    turn(&mut story, "ses_a", 0);
    story.fork("ses_a", "ses_b", 90_000, 9, false, true);
    let marker = story.message("ses_b", "user", 100_000);
    story.part(&marker, Body::Compaction);
    let summary = story.message("ses_b", "assistant", 100_100);
    story.at(&summary).parent = Some(marker);
    story.at(&summary).is_summary = Some(true);
    let store = told(&story);
    let sql =
        "SELECT session_id, assistant_messages, stored_cost, is_fork_copy FROM exchanges ORDER BY session_id";
    assert_eq!(ask(&store, sql), [["ses_a", "1", "1000000", "false"], ["ses_b", "1", "1000000", "false"]]);
    sums_agree(&store);
}

/// OC-49: the same money at every level.
pub(crate) fn sums_agree(store: &Analytics) {
    let sums = ask(
        store,
        "SELECT
            (SELECT sum(stored_cost) FROM message_usage WHERE NOT is_fork_copy),
            (SELECT sum(stored_cost) FROM exchanges WHERE NOT is_fork_copy),
            (SELECT sum(stored_cost) FROM session_resource_metrics),
            (SELECT sum(total_stored_cost) FROM session_traces WHERE depth = 0),
            (SELECT sum(stored_cost) FROM daily_stats),
            (SELECT sum(stored_cost) FROM models),
            (SELECT sum(stored_cost) FROM agents)",
    );
    assert!(sums[0].iter().all(|sum| *sum == sums[0][0]), "{sums:?}");
}

#[test]
fn a_compaction_belongs_to_the_turn_that_it_interrupts() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let (asked, answer) = turn(&mut story, "ses_a", 0);
    story.text(&answer, "working on it");
    let marker = story.message("ses_a", "user", 1000);
    story.part(&marker, Body::Compaction);
    let summary = story.message("ses_a", "assistant", 1100);
    story.at(&summary).parent = Some(marker);
    story.at(&summary).is_summary = Some(true);
    story.text(&summary, "what was done");
    let go_on = story.message("ses_a", "user", 1200);
    story.synthetic(&go_on, "Continue if you have next steps");
    let rest = story.message("ses_a", "assistant", 1300);
    story.at(&rest).parent = Some(go_on);
    story.text(&rest, "done");
    let store = told(&story);
    let sql = "SELECT id, exchange_number, assistant_messages, prompt_input, prompt_output FROM exchanges";
    assert_eq!(ask(&store, sql), [[asked.as_str(), "1", "3", "fix it", "done"]]);
    let sql = "SELECT string_agg(event_type, ' ' ORDER BY event_order) FROM exchange_traces";
    assert_eq!(ask(&store, sql), [["prompt text compaction text context text"]]);
}

#[test]
fn a_command_of_the_user_is_a_turn() {
    let mut story = Story::default();
    story.session("ses_a", None);
    turn(&mut story, "ses_a", 0);
    let shell = story.message("ses_a", "user", 1000);
    story.synthetic(&shell, "The following tool was executed by the user");
    let ran = story.message("ses_a", "assistant", 1100);
    story.at(&ran).parent = Some(shell);
    story.part(&ran, tool("bash", "completed", Some(5), true, false));
    let store = told(&story);
    let sql = "SELECT exchange_number, prompt_input, tool_calls, tool_failures FROM exchanges ORDER BY 1";
    assert_eq!(ask(&store, sql), [["1", "fix it", "0", "0"], ["2", "-", "1", "1"]]);
    let sql = "SELECT event_type, status FROM exchange_traces WHERE event_type = 'tool'";
    assert_eq!(ask(&store, sql), [["tool", "failed"]]);
}

#[test]
fn answers_without_a_parent_belong_to_the_turn_before() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let lost = story.message("ses_a", "assistant", 0);
    let (_, first) = turn(&mut story, "ses_a", 100);
    let second = story.message("ses_a", "assistant", 300);
    let (_, third) = turn(&mut story, "ses_a", 400);
    for answer in [&first, &second, &third] {
        story.at(answer).parent = None;
    }
    let store = told(&story);
    let sql = "SELECT exchange_number, assistant_messages FROM exchanges ORDER BY 1";
    assert_eq!(ask(&store, sql), [["1", "2"], ["2", "1"]]);
    let sql = "SELECT message_id FROM message_places WHERE exchange_id IS NULL";
    assert_eq!(ask(&store, sql), [[lost]]);
}

#[test]
fn an_answer_goes_to_the_message_it_answers_not_to_the_latest() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let first = story.message("ses_a", "user", 0);
    let second = story.message("ses_a", "user", 50);
    let answer = story.message("ses_a", "assistant", 100);
    story.at(&answer).parent = Some(first.clone());
    let store = told(&story);
    let sql = "SELECT id, assistant_messages, duration_ms FROM exchanges ORDER BY exchange_number";
    assert_eq!(ask(&store, sql), [[first.as_str(), "1", "500"], [second.as_str(), "0", "-"]]);
}

#[test]
fn sub_agents_three_deep_add_up_at_the_top() {
    let mut story = Story::default();
    let names = ["ses_a", "ses_b", "ses_c", "ses_d"];
    for (at, session) in names.iter().enumerate() {
        story.session(session, at.checked_sub(1).map(|above| names[above]));
        let (_, answer) = turn(&mut story, session, at as i64 * 1000);
        if let Some(child) = names.get(at + 1) {
            let child = Some((*child).to_owned());
            let (name, status) = ("task".to_owned(), "completed".to_owned());
            story.part(
                &answer,
                Body::Tool { name, status, ms: Some(9), failure: false, aborted: false, child },
            );
        }
    }
    let store = told(&story);
    let sql = "SELECT session_id, root_session_id, depth, descendants, stored_cost, total_stored_cost, total_tool_calls
        FROM session_traces ORDER BY session_id";
    let expected = [
        ["ses_a", "ses_a", "0", "3", "1000000", "4000000", "3"],
        ["ses_b", "ses_a", "1", "2", "1000000", "3000000", "2"],
        ["ses_c", "ses_a", "2", "1", "1000000", "2000000", "1"],
        ["ses_d", "ses_a", "3", "0", "1000000", "1000000", "0"],
    ];
    assert_eq!(ask(&store, sql), expected);
    let sql = "SELECT child_session_id FROM exchange_traces WHERE event_type = 'delegation' ORDER BY 1";
    assert_eq!(ask(&store, sql), [["ses_b"], ["ses_c"], ["ses_d"]]);
    assert_eq!(ask(&store, "SELECT DISTINCT root_session_id FROM message_usage"), [["ses_a"]]);
    sums_agree(&store);
}

#[test]
fn a_circle_of_delegation_is_cut_at_one_place() {
    let mut story = Story::default();
    story.session("ses_a", Some("ses_a"));
    story.session("ses_b", Some("ses_d"));
    story.session("ses_c", Some("ses_b"));
    story.session("ses_d", Some("ses_c"));
    story.session("ses_e", Some("ses_d"));
    let store = told(&story);
    let sql =
        "SELECT session_id, root_session_id, depth, descendants FROM session_traces ORDER BY session_id";
    let expected = [
        ["ses_a", "ses_a", "0", "0"],
        ["ses_b", "ses_b", "0", "3"],
        ["ses_c", "ses_b", "1", "2"],
        ["ses_d", "ses_b", "2", "1"],
        ["ses_e", "ses_b", "3", "0"],
    ];
    assert_eq!(ask(&store, sql), expected);
}

#[test]
fn calls_that_were_stopped_or_failed_leave_the_percentiles() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let (_, answer) = turn(&mut story, "ses_a", 0);
    for ms in 1..=100 {
        story.part(&answer, tool("bash", "completed", Some(ms), ms == 100, false));
    }
    story.part(&answer, tool("bash", "error", None, true, true));
    story.part(&answer, tool("bash", "error", Some(90_000), true, false));
    story.part(&answer, tool("bash", "running", None, false, false));
    story.part(&answer, tool("edit", "error", None, true, true));
    let store = told(&story);
    let sql =
        "SELECT tool_name, calls, failures, aborted, p50_ms, p95_ms, p99_ms, max_ms FROM tools ORDER BY 1";
    let expected = [
        ["bash", "103", "3", "1", "50.5", "95.05", "99.01", "100"],
        ["edit", "1", "1", "1", "-", "-", "-", "-"],
    ];
    assert_eq!(ask(&store, sql), expected);
}

/// OC-46, and trap 4: a price of zero, no price, and a cost of zero are three things.
#[test]
fn no_price_is_not_a_price_of_zero() {
    let mut story = Story::default();
    story.session("ses_a", None);
    story.session("ses_b", None);
    let (_, known) = turn(&mut story, "ses_a", 0);
    story.at(&known).cost = Some(0);
    let (_, unknown) = turn(&mut story, "ses_b", 0);
    story.at(&unknown).model = Some(("acme".into(), "mystery".into()));
    let store = told(&story);
    let sql =
        "SELECT model, stored_cost, list_cost, price_source IS NULL FROM message_usage ORDER BY session_id";
    // 100 of input, 50 of output and 10 of reasoning at 1.25 and 10 dollars a million.
    let expected = [["gemini-2.5-pro", "0", "7250000", "false"], ["mystery", "1000000", "-", "true"]];
    assert_eq!(ask(&store, sql), expected);
    let sql = "SELECT session_id, stored_cost, list_cost FROM session_resource_metrics ORDER BY 1";
    assert_eq!(ask(&store, sql), [["ses_a", "0", "7250000"], ["ses_b", "1000000", "-"]]);
    let sql = "SELECT model, vendor, has_price, list_cost FROM models ORDER BY 1";
    assert_eq!(
        ask(&store, sql),
        [["gemini-2.5-pro", "google", "true", "7250000"], ["mystery", "acme", "false", "-"]]
    );
    let sql = "SELECT model, unpriced_messages FROM daily_stats ORDER BY 1";
    assert_eq!(ask(&store, sql), [["gemini-2.5-pro", "0"], ["mystery", "1"]]);
}

/// OC-43, OC-44.
#[test]
fn prices_are_of_models_that_occur_and_of_four_by_name() {
    let mut story = Story::default();
    story.session("ses_a", None);
    turn(&mut story, "ses_a", 0);
    let (_, unknown) = turn(&mut story, "ses_a", 1000);
    story.at(&unknown).model = Some(("acme".into(), "mystery".into()));
    let store = told(&story);
    let sql = "SELECT model_name, vendor, input_token_cost_per_1k, output_token_cost_per_1k, tiers, updated_at IS NULL
        FROM model_pricing ORDER BY 1";
    let tiers = "[{\"over_tokens\":200000,\"input\":0.0025,\"output\":0.015,\"cache_read\":0.00025}]";
    let expected = [
        ["claude-3-opus", "anthropic", "150000000", "750000000", "-", "true"],
        ["claude-3-sonnet", "anthropic", "30000000", "150000000", "-", "true"],
        ["google/gemini-2.5-pro", "google", "12500000", "100000000", tiers, "false"],
        ["gpt-4-turbo", "openai", "100000000", "300000000", "-", "true"],
        ["gpt-4o", "openai", "50000000", "150000000", "-", "true"],
    ];
    assert_eq!(ask(&store, sql), expected);
}

/// OC-15: input and output together; what is missing counts as nothing.
#[test]
fn root_tokens_are_input_and_output() {
    let mut story = Story::default();
    story.session("ses_a", None);
    story.session("ses_empty", None);
    let (_, first) = turn(&mut story, "ses_a", 0);
    story.at(&first).tokens = [Some(100), Some(20), Some(5), Some(7), Some(9), None];
    let (_, second) = turn(&mut story, "ses_a", 1000);
    story.at(&second).tokens = [None, Some(3), None, None, None, None];
    let (_, third) = turn(&mut story, "ses_a", 2000);
    story.at(&third).tokens = [None; 6];
    let store = told(&story);
    let sql = "SELECT session_id, root_tokens, status FROM session_resource_metrics ORDER BY 1";
    assert_eq!(ask(&store, sql), [["ses_a", "123", "completed"], ["ses_empty", "0", "-"]]);
}

/// Events are in the order in which parts were begun, also while ids begin again from zero.
#[test]
fn events_keep_their_order_when_ids_begin_again() {
    let mut story = Story::default();
    story.session("ses_a", None);
    let (_, answer) = turn(&mut story, "ses_a", 1890);
    for _ in 0..30 {
        story.part(&answer, Body::Start);
    }
    let ids: Vec<&str> = story.parts.iter().map(|part| part.id.as_str()).collect();
    assert!(ids.iter().any(|id| id.starts_with("prt_f")) && ids.iter().any(|id| id.starts_with("prt_0")));
    let store = told(&story);
    let found = ask(&store, "SELECT part_id FROM exchange_traces ORDER BY event_order");
    assert_eq!(found.concat(), ids);
}

/// Damaged files must not stop everyone else's figures.
#[test]
fn figures_beyond_measure_are_unknown_and_stop_nothing() {
    let mut story = Story::default();
    for session in ["ses_a", "ses_b"] {
        story.session(session, None);
        let (_, answer) = turn(&mut story, session, 0);
        story.at(&answer).id = minted_id("msg", 5, story.messages.len());
    }
    for message in story.messages.iter_mut().filter(|message| message.role == "assistant") {
        message.created += message.id.len() as i64 + i64::from(message.session == "ses_b");
        message.tokens = [Some(i64::MAX), Some(i64::MAX), None, Some(i64::MAX), None, None];
        message.cost = Some(999_999_999_999_999_999);
    }
    let store = empty();
    story.write(&store, |_| true);
    note(&store, "*");
    derive(&store);
    assert_eq!(ask(&store, "SELECT count(*), sum(messages) FROM session_resource_metrics"), [["2", "4"]]);
    assert_eq!(ask(&store, "SELECT sessions, tokens, stored_cost FROM agents"), [["2", "-", "-"]]);
}

/// The user's prices come first, are asked for again when they change, and are refused as a whole when unreadable.
#[test]
fn prices_that_the_user_gave_come_first() {
    let mut story = Story::default();
    story.session("ses_a", None);
    turn(&mut story, "ses_a", 0);
    let (_, unknown) = turn(&mut story, "ses_a", 1000);
    story.at(&unknown).model = Some(("acme".into(), "mystery".into()));
    let store = empty();
    story.write(&store, |_| true);
    let found = |prices: Option<&str>| {
        note(&store, "*");
        let settings = Settings { prices: prices.map(Into::into) };
        plimsoll_engine::ingest::derive(&OpenCode, &store, &settings)?;
        let sql = "SELECT model, list_cost, price_source = 'override' FROM message_usage ORDER BY model DESC";
        Ok::<_, EngineError>(ask(&store, sql))
    };
    let without = [["mystery", "-", "-"], ["gemini-2.5-pro", "7250000", "false"]];
    assert_eq!(found(None).unwrap(), without);
    // 100 of input, 60 of output and reasoning.
    let mine = r#"{"acme": {"models": {"mystery": {"cost": {"input": 1, "output": 2}}}}}"#;
    assert_eq!(
        found(Some(mine)).unwrap(),
        [["mystery", "2200000", "true"], ["gemini-2.5-pro", "7250000", "false"]]
    );
    let dearer = r#"{"acme": {"models": {"mystery": {"cost": {"input": 3, "output": 2}}}}}"#;
    assert_eq!(found(Some(dearer)).unwrap()[0], ["mystery", "4200000", "true"]);
    let error = found(Some("{\"acme\": 3}")).unwrap_err().to_string();
    assert!(error.contains("models.dev") && error.contains("hint:"), "{error}");
    assert_eq!(found(None).unwrap(), without);
}
