//! Sessions as an upgrade left them behind: the files of a session that went on in a database.
//!
//! Owns what differs between the two, so that a reader that prefers the wrong one is found out: the files
//! have the first title, lack the last turn, and their last answer looks as if it was still being written.

use super::json::Json;
use super::session::Session;

/// An older state of a session.
pub(super) fn older<'a>(session: &Session<'a>) -> Session<'a> {
    let mut info = session.info.clone();
    let prompts: Vec<usize> =
        (0..session.messages.len()).filter(|&place| session.messages[place].answer.is_none()).collect();
    let keep = if prompts.len() > 1 { prompts[prompts.len() - 1] } else { session.messages.len() };
    let mut messages = session.messages[..keep].to_vec();
    if let Some(last) = messages.iter_mut().rev().find(|message| message.answer.is_some()) {
        last.info.set("cost", 0_u64);
        if let Some(Json::Object(time)) = last.info.get_mut("time") {
            time.remove("completed");
        }
        if let Some(Json::Object(tokens)) = last.info.get_mut("tokens") {
            tokens.set("input", 0_u64);
            tokens.set("output", 0_u64);
        }
        last.info.remove("finish");
        if let Some(tool) = last.parts.iter_mut().rev().find(|part| part.status() == "completed")
            && let Some(Json::Object(state)) = tool.info.get_mut("state")
        {
            state.set("status", "running");
            state.remove("output");
            if let Some(Json::Object(time)) = state.get_mut("time") {
                time.remove("end");
            }
        }
    }
    let updated = messages.last().map_or(session.outline.created, |last| last.updated);
    info.set("title", "Demo: first title, before the upgrade");
    if let Some(Json::Object(time)) = info.get_mut("time") {
        time.set("updated", updated);
    }
    Session {
        outline: session.outline,
        project: session.project,
        info,
        messages,
        todos: session.todos.clone(),
        diffs: session.diffs.clone(),
        updated,
    }
}
