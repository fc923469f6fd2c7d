//! Where messages stand.

use std::collections::{BTreeMap, BTreeSet};

use super::Place;
use crate::story::{Body, Message, Part, Story};

const SHELL: &str = "The following tool was executed by the user";

/// The session's way up to its root.
pub(super) fn way(story: &Story, session: &str) -> Vec<String> {
    let parent = |id: &str| -> Option<&str> {
        let parent = story.sessions.iter().find(|session| session.id == id)?.parent.as_deref()?;
        story.sessions.iter().any(|session| session.id == parent).then_some(parent)
    };
    let mut way = vec![session.to_owned()];
    while let Some(next) = parent(way.last().unwrap()) {
        if let Some(begin) = way.iter().position(|id| id == next) {
            // A circle: everyone below stops at its smallest member.
            let smallest = way[begin..].iter().min().unwrap().clone();
            let end = way.iter().position(|id| *id == smallest).unwrap();
            way.truncate(end + 1);
            break;
        }
        way.push(next.to_owned());
    }
    way
}

pub(super) fn in_order(story: &Story, session: &str) -> Vec<Message> {
    let mut messages: Vec<Message> =
        story.messages.iter().filter(|message| message.session == session).cloned().collect();
    messages
        .sort_by_key(|message| (message.created, message.sequence.unwrap_or(i64::MAX), message.id.clone()));
    messages
}

pub(super) fn parts_of<'a>(story: &'a Story, message: &str) -> Vec<&'a Part> {
    let session = story.messages.iter().find(|found| found.id == message).map(|found| found.session.as_str());
    let is_of = |part: &&Part| part.message == message && Some(part.session.as_str()) == session;
    let mut parts: Vec<&Part> = story.parts.iter().filter(is_of).collect();
    parts.sort_by_key(|part| part.order);
    parts
}

/// Whether a user message only steers.
pub(super) fn steers(story: &Story, message: &str) -> bool {
    let parts = parts_of(story, message);
    !parts.is_empty()
        && parts.iter().all(|part| match &part.body {
            Body::Compaction => true,
            Body::Text { text, synthetic, .. } => *synthetic && !text.starts_with(SHELL),
            _ => false,
        })
}

pub(super) fn original_of(story: &Story, message: &Message) -> Option<(String, String)> {
    let same = |other: &&Message| {
        let facts = |message: &Message| {
            let [a, b, c, d, e, _] = message.tokens;
            let model = message.model.clone();
            (message.role == "assistant").then_some((message.completed, model, message.cost, [a, b, c, d, e]))
        };
        other.created == message.created && other.role == message.role && facts(other) == facts(message)
    };
    let first = story
        .messages
        .iter()
        .filter(same)
        .min_by_key(|other| (other.minted.unwrap_or(other.created), other.id.clone()))?;
    let forked = story.sessions.iter().any(|session| session.id == message.session && session.fork.is_some());
    let is_late = message.minted.is_some_and(|minted| minted - message.created > 1000);
    (first.session != message.session && (is_late || forked))
        .then(|| (first.id.clone(), first.session.clone()))
}

pub(super) fn places(story: &Story) -> Vec<Place> {
    let sessions: BTreeSet<&str> = story.messages.iter().map(|message| message.session.as_str()).collect();
    let mut places = Vec::new();
    for session in sessions {
        let messages = in_order(story, session);
        let mut turn = None;
        let mut turns = BTreeMap::new();
        let mut openers = BTreeSet::new();
        let mut seen_user = false;
        for message in &messages {
            if message.role == "user" {
                if !seen_user || !steers(story, &message.id) {
                    turn = Some(message.id.clone());
                    openers.insert(message.id.clone());
                }
                seen_user = true;
            }
            turns.insert(message.id.clone(), turn.clone());
        }
        for (at, message) in messages.iter().enumerate() {
            let own = turns[&message.id].clone();
            let asked = message.parent.as_ref().and_then(|parent| {
                let parent = messages.iter().find(|found| found.id == *parent && found.role == "user")?;
                turns[&parent.id].clone()
            });
            let exchange = if openers.contains(&message.id) { own } else { asked.or(own) };
            places.push(Place {
                message: message.clone(),
                root: way(story, session).pop().unwrap(),
                position: at as i64 + 1,
                exchange,
                original: original_of(story, message),
            });
        }
    }
    places
}
