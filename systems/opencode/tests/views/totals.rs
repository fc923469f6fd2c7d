//! `opencode-stats` and `usage` against loops over the world.

use std::collections::BTreeMap;

use plimsoll_engine::view::to_json;
use serde_json::{Value, json};

use crate::world::{DOLLAR, Message, World, ask};

fn object(world: &World, view: &str, parameters: &[(&str, &str)]) -> Value {
    serde_json::from_str(&to_json(&ask(&world.store(), view, parameters))).unwrap()
}

/// Money as JSON reads it: exact to the digits that a test world has.
fn dollars(money: i64) -> f64 {
    money as f64 / DOLLAR as f64
}

fn close(found: &Value, money: i64) {
    assert!((found.as_f64().unwrap() - dollars(money)).abs() < 1e-9, "{found} instead of {}", dollars(money));
}

fn sum(messages: &[&Message], of: impl Fn(&Message) -> i64) -> i64 {
    messages.iter().map(|message| of(message)).sum()
}

#[test]
fn opencode_stats_counts_every_message_as_it_is_stored() {
    let world = World::new();
    let found = object(&world, "opencode-stats", &[]);
    let answers: Vec<&Message> = world.messages.iter().filter(|message| message.answers.is_some()).collect();
    assert_eq!(found["sessions"], json!(world.sessions.len()));
    assert_eq!(found["messages"], json!(world.messages.len()));
    close(&found["total_cost"], sum(&answers, |m| m.stored_cost));
    assert_eq!(
        found["tokens"],
        json!({
            "input": sum(&answers, |m| m.tokens[0]),
            "output": sum(&answers, |m| m.tokens[1] + m.tokens[2]),
            "cache_read": sum(&answers, |m| m.tokens[3]),
            "cache_write": 0,
        })
    );
    let mut models: BTreeMap<&str, Vec<&Message>> = BTreeMap::new();
    for message in &answers {
        models.entry(message.model).or_default().push(message);
    }
    let mut models: Vec<(&str, Vec<&Message>)> = models.into_iter().collect();
    models.sort_by_key(|(name, messages)| (std::cmp::Reverse(messages.len()), *name));
    let listed = found["models"].as_array().unwrap();
    assert_eq!(listed.len(), models.len());
    for (row, (model, messages)) in listed.iter().zip(&models) {
        assert_eq!((&row["provider"], &row["model"]), (&json!("house"), &json!(model)));
        assert_eq!(row["messages"], json!(messages.len()));
        assert_eq!(row["tokens_input"], json!(sum(messages, |m| m.tokens[0])));
        // OpenCode adds reasoning to a model's output once more.
        assert_eq!(row["tokens_output"], json!(sum(messages, |m| m.tokens[1] + 2 * m.tokens[2])));
        assert_eq!(row["cache_read"], json!(sum(messages, |m| m.tokens[3])));
        close(&row["cost"], sum(messages, |m| m.stored_cost));
    }
    assert_eq!(found["tools"], tools(&world));
}

#[test]
fn usage_leaves_copies_out_and_keeps_reasoning_apart() {
    let world = World::new();
    let found = object(&world, "usage", &[]);
    let answers: Vec<&Message> = world.answers().collect();
    let copies = world.messages.iter().filter(|message| message.copy).count();
    assert!(copies > 0);
    assert_eq!(found["fork_copies"], json!(copies));
    assert_eq!(found["messages"], json!(world.messages.len() - copies));
    assert_eq!(found["sessions"], json!(world.sessions.len()));
    close(&found["total_cost"], sum(&answers, |m| m.stored_cost));
    close(&found["list_cost"], sum(&answers, |m| m.list_cost.unwrap_or(0)));
    assert_eq!(found["unpriced_messages"], json!(answers.iter().filter(|m| m.list_cost.is_none()).count()));
    assert_eq!(
        found["tokens"],
        json!({
            "input": sum(&answers, |m| m.tokens[0]),
            "output": sum(&answers, |m| m.tokens[1]),
            "reasoning": sum(&answers, |m| m.tokens[2]),
            "cache_read": sum(&answers, |m| m.tokens[3]),
            "cache_write": 0,
        })
    );
    let models = found["models"].as_array().unwrap();
    assert_eq!(models.iter().map(|row| row["messages"].as_i64().unwrap()).sum::<i64>(), answers.len() as i64);
    assert_eq!(found["tools"], tools(&world));
}

#[test]
fn usage_of_one_project_is_that_of_its_answers() {
    let world = World::new();
    let found = object(&world, "usage", &[("project", "/srv/ada/notes")]);
    let own: Vec<&Message> = world.answers().filter(|m| world.sessions[m.session].project == 1).collect();
    close(&found["total_cost"], sum(&own, |m| m.stored_cost));
    assert_eq!(
        found["messages"],
        json!(world.messages.iter().filter(|m| world.sessions[m.session].project == 1).count())
    );
    assert_eq!(found["fork_copies"], json!(0));
}

/// Money keeps every digit on its way into JSON.
#[test]
fn the_total_is_written_exactly() {
    let world = World::new();
    let text = to_json(&ask(&world.store(), "usage", &[]));
    let money: i64 = world.answers().map(|message| message.stored_cost).sum();
    let exact = format!("{}.{:010}", money / DOLLAR, money % DOLLAR);
    let line = format!("\"total_cost\": {},", exact.trim_end_matches('0'));
    assert!(exact.ends_with(|digit: char| digit != '0'), "the world has a cost with ten digits: {exact}");
    assert!(text.contains(&line), "{line} in {text}");
}

fn tools(world: &World) -> Value {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for call in &world.calls {
        *counts.entry(call.tool).or_default() += 1;
    }
    let mut counts: Vec<(&str, i64)> = counts.into_iter().collect();
    counts.sort_by_key(|(tool, calls)| (-calls, *tool));
    counts.into_iter().map(|(tool, calls)| json!({"tool": tool, "calls": calls})).collect()
}
