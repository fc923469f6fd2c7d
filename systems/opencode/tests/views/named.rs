//! The five views that requirement OC-76 names, and a few more, against loops over the world.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_engine::view::Table;
use plimsoll_store::analytics::OwnedCell;

use crate::world::{Call, DAY, World, ask};

fn text<'a>(table: &'a Table, row: usize, column: &str) -> &'a str {
    table.cell(row, column).as_text().unwrap_or_else(|| panic!("{column}: {:?}", table.cell(row, column)))
}

fn whole(table: &Table, row: usize, column: &str) -> i64 {
    table.cell(row, column).as_integer().unwrap_or_else(|| panic!("{column}: {:?}", table.cell(row, column)))
}

fn money(table: &Table, row: usize, column: &str) -> i64 {
    table.cell(row, column).as_money().unwrap_or_else(|| panic!("{column}: {:?}", table.cell(row, column)))
}

#[test]
fn agents_by_name() {
    let world = World::new();
    let table = ask(&world.store(), "agents-by-name", &[]);
    assert_eq!(
        (0..3).map(|row| text(&table, row, "agent")).collect::<Vec<_>>(),
        ["build", "general", "plan"]
    );
    for row in 0..3 {
        let own = || world.answers().filter(|message| message.agent == text(&table, row, "agent"));
        assert_eq!(whole(&table, row, "messages"), own().count() as i64);
        assert_eq!(money(&table, row, "stored_cost"), own().map(|message| message.stored_cost).sum::<i64>());
        assert_eq!(table.cell(row, "failure_percent"), &OwnedCell::Double(12.5));
        assert_eq!(table.cell(row, "average_response_ms"), &OwnedCell::Double(1_234.6));
    }
}

#[test]
fn tools_by_session() {
    let world = World::new();
    let mut expected: BTreeMap<(&str, &str), Vec<&Call>> = BTreeMap::new();
    for call in &world.calls {
        expected.entry((&world.session_of(call).id, call.tool)).or_default().push(call);
    }
    let table = ask(&world.store(), "tools-by-session", &[]);
    assert_eq!(table.rows.len(), expected.len());
    let mut last = i64::MAX;
    for row in 0..table.rows.len() {
        let calls = &expected[&(text(&table, row, "session_id"), text(&table, row, "tool_name"))];
        let timed = || calls.iter().filter(|call| !call.aborted).map(|call| call.milliseconds);
        assert_eq!(whole(&table, row, "calls"), calls.len() as i64);
        assert_eq!(whole(&table, row, "failures"), calls.iter().filter(|call| call.failed).count() as i64);
        assert_eq!(whole(&table, row, "aborted"), calls.iter().filter(|call| call.aborted).count() as i64);
        assert_eq!(whole(&table, row, "execution_ms"), timed().sum::<i64>());
        assert_eq!(table.cell(row, "slowest_ms").as_integer(), timed().max());
        assert!(whole(&table, row, "calls") <= last);
        last = whole(&table, row, "calls");
    }
}

#[test]
fn error_breakdown() {
    let world = World::new();
    let failed: Vec<&Call> = world.calls.iter().filter(|call| call.failed).collect();
    let table = ask(&world.store(), "error-breakdown", &[]);
    let mut total = 0;
    for row in 0..table.rows.len() {
        let bash = text(&table, row, "category") == "timeout";
        let own: Vec<&&Call> = failed.iter().filter(|call| (call.tool == "bash") == bash).collect();
        let sessions: BTreeSet<&str> = own.iter().map(|call| world.session_of(call).id.as_str()).collect();
        assert_eq!(whole(&table, row, "errors"), own.len() as i64);
        assert_eq!(whole(&table, row, "sessions"), sessions.len() as i64);
        assert_eq!(whole(&table, row, "retryable"), if bash { own.len() as i64 } else { 0 });
        assert_eq!(text(&table, row, "severity"), if bash { "high" } else { "low" });
        total += own.len();
    }
    assert_eq!(total, failed.len());
    assert_eq!(table.rows.len(), 2);
}

#[test]
fn cost_trends() {
    let world = World::new();
    let mut days: BTreeMap<i64, i64> = BTreeMap::new();
    for message in world.answers() {
        *days.entry(message.created.div_euclid(DAY)).or_default() += message.stored_cost;
    }
    let table = ask(&world.store(), "cost-trends", &[]);
    assert_eq!(table.rows.len(), days.len());
    let mut running = 0;
    for (row, (day, cost)) in days.iter().enumerate() {
        running += cost;
        let week: i64 = days.range(day - 6..=*day).map(|(_, cost)| cost).sum();
        assert_eq!(whole(&table, row, "day"), *day);
        assert_eq!(money(&table, row, "stored_cost"), *cost);
        assert_eq!(money(&table, row, "running_stored_cost"), running);
        assert!((money(&table, row, "seven_day_stored_cost") - week / 7).abs() <= 1);
    }
    assert!(days.len() > 7, "the mean of seven days is seen to leave days behind");
}

#[test]
fn session_details() {
    let world = World::new();
    let store = world.store();
    let table = ask(&store, "session-details", &[("session", "ses_2")]);
    let own = || world.answers().filter(|message| message.session == 2);
    assert_eq!(text(&table, 0, "session_id"), "ses_2");
    assert_eq!(text(&table, 0, "root_path"), "/srv/ada/engine");
    assert_eq!(money(&table, 0, "cost.stored"), own().map(|message| message.stored_cost).sum::<i64>());
    assert_eq!(whole(&table, 0, "tokens.input"), own().map(|message| message.tokens[0]).sum::<i64>());
    let models = table.section("models").unwrap();
    let messages: i64 = (0..models.rows.len()).map(|row| whole(models, row, "messages")).sum();
    assert_eq!(messages, own().count() as i64);
    let tools = table.section("tools").unwrap();
    let calls: i64 = (0..tools.rows.len()).map(|row| whole(tools, row, "calls")).sum();
    assert_eq!(calls, world.calls.iter().filter(|call| world.session_of(call).id == "ses_2").count() as i64);
    assert_eq!(table.section("exchanges").unwrap().rows.len(), 6);
    let failed =
        world.calls.iter().filter(|call| call.failed && world.session_of(call).id == "ses_2").count();
    assert_eq!(table.section("errors").unwrap().rows.len(), failed);
    // Without a session: the one that was changed last.
    assert_eq!(text(&ask(&store, "session-details", &[]), 0, "session_id"), "ses_7");
    assert!(ask(&store, "session-details", &[("session", "ses_none")]).rows.is_empty());
}

#[test]
fn tool_performance_has_the_percentiles_of_a_sorted_list() {
    let world = World::new();
    let table = ask(&world.store(), "tool-performance", &[]);
    for row in 0..table.rows.len() {
        let tool = text(&table, row, "tool_name");
        let mut times: Vec<i64> =
            world.calls.iter().filter(|c| c.tool == tool && !c.aborted).map(|c| c.milliseconds).collect();
        times.sort_unstable();
        for (column, share) in [("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99)] {
            let place = share * (times.len() - 1) as f64;
            let (low, high) = (times[place.floor() as usize], times[place.ceil() as usize]);
            let expected = low as f64 + (high - low) as f64 * place.fract();
            let OwnedCell::Double(found) = table.cell(row, column) else { panic!("{column}") };
            assert!((found - expected).abs() < 0.06, "{tool} {column}: {found} instead of {expected}");
        }
    }
}

#[test]
fn costs_by_any_grouping_add_up_to_the_same() {
    let world = World::new();
    let store = world.store();
    let total: i64 = world.answers().map(|message| message.stored_cost).sum();
    for view in [
        "cost-by-day",
        "cost-by-week",
        "cost-by-month",
        "cost-by-model",
        "cost-by-provider",
        "cost-by-agent",
        "cost-by-project",
        "cost-by-session",
        "cost-by-model-and-day",
        "cost-comparison",
        "forecast-input",
        "daily-usage",
        "activity-heatmap",
    ] {
        let table = ask(&store, view, &[]);
        let sum: i64 = (0..table.rows.len()).map(|row| money(&table, row, "stored_cost")).sum();
        assert_eq!(sum, total, "{view}");
    }
    let table = ask(&store, "cost-by-tool", &[]);
    let sum: i64 = (0..table.rows.len()).map(|row| money(&table, row, "attributed_stored_cost")).sum();
    // Each share is rounded to the tenth digit.
    assert!((sum - total).abs() <= world.calls.len() as i64, "{sum} instead of {total}");
}

#[test]
fn a_timeline_holds_the_sub_agents_turns_within_the_turn_that_delegated() {
    let table = ask(&World::new().store(), "exchange-timeline", &[("exchange", "msg_5_0_user")]);
    let rows: Vec<(i64, &str)> = (0..table.rows.len())
        .map(|row| (whole(&table, row, "depth"), text(&table, row, "session_id")))
        .collect();
    assert_eq!(rows[0], (0, "ses_5"));
    assert_eq!(rows.len(), 7);
    assert!(rows[1..].iter().all(|row| *row == (1, "ses_6")), "{rows:?}");
}

#[test]
fn a_tree_of_delegation_has_the_child_below_its_parent() {
    let table = ask(&World::new().store(), "delegation-tree", &[]);
    let rows: Vec<(&str, i64)> = (0..table.rows.len())
        .map(|row| (text(&table, row, "session_id"), whole(&table, row, "depth")))
        .collect();
    assert_eq!(rows, [("ses_5", 0), ("ses_6", 1)]);
}

#[test]
fn a_compaction_is_measured_by_the_answers_around_it() {
    let world = World::new();
    let table = ask(&world.store(), "compaction-efficiency", &[]);
    let own: Vec<i64> =
        world.answers().filter(|m| m.session == 0).map(|m| m.tokens[0] + m.tokens[3] + m.tokens[4]).collect();
    assert_eq!(whole(&table, 0, "tokens_before"), own[3]);
    assert_eq!(whole(&table, 0, "tokens_after"), own[4]);
}

#[test]
fn a_branch_that_was_shown_holds_for_the_commit_after_it() {
    let table = ask(&World::new().store(), "git-by-branch", &[]);
    assert_eq!((text(&table, 0, "branch"), whole(&table, 0, "commits"), table.rows.len()), ("main", 1, 1));
}
