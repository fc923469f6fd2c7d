//! The derived tables, computed from the rows in plain loops.
//!
//! Deliberately slow and literal, and without a line of SQL. What stored tokens mean and what they cost is taken from the
//! library, which has tests of its own.

mod answers;
mod exchanges;
mod places;
mod sessions;
mod sums;

use std::collections::BTreeSet;

use plimsoll_engine::ingest::OwnedCell;
use plimsoll_opencode::tokens::Tokens;

use crate::run::{Tables, sorted};
use crate::story::{Body, Message, Session, Story};
use answers::usage_row;
use places::{parts_of, places};

const DAY_MS: i64 = 86_400_000;

fn text(value: impl Into<String>) -> OwnedCell {
    OwnedCell::Text(value.into())
}

fn number(value: i64) -> OwnedCell {
    OwnedCell::Integer(value)
}

fn moment(ms: i64) -> OwnedCell {
    number(ms * 1000)
}

fn optional<T>(value: Option<T>, make: impl Fn(T) -> OwnedCell) -> OwnedCell {
    value.map_or(OwnedCell::Null, make)
}

fn maybe(value: &Option<String>) -> OwnedCell {
    optional(value.as_ref(), text)
}

fn truth(value: bool) -> OwnedCell {
    OwnedCell::Boolean(value)
}

/// Where a message stands.
#[derive(Debug, Clone)]
struct Place {
    message: Message,
    root: String,
    position: i64,
    exchange: Option<String>,
    original: Option<(String, String)>,
}

/// What an answer used.
#[derive(Debug, Clone)]
struct Usage {
    place: Place,
    project: Option<String>,
    agent: Option<String>,
    root_path: Option<String>,
    steps: Vec<(String, i64)>,
    step_count: i64,
    tokens: Tokens,
    stored_output: Option<i64>,
    rule: String,
    cost: Option<i64>,
    recomputed: Option<i64>,
    listed: Option<i64>,
    source: Option<String>,
    response: Option<i64>,
    calls: Calls,
}

#[derive(Debug, Clone, Copy, Default)]
struct Calls {
    all: i64,
    failed: i64,
    ms: i64,
}

impl Usage {
    fn is_copy(&self) -> bool {
        self.place.original.is_some()
    }

    fn day(&self) -> i64 {
        self.place.message.created.div_euclid(DAY_MS)
    }
}

/// Sums over answers.
#[derive(Debug, Clone, Default)]
struct Sum {
    answers: i64,
    tokens: Tokens,
    cost: i64,
    listed: i64,
    priced: i64,
    errors: i64,
    timed: i64,
    response: i64,
    timed_tokens: i64,
    calls: Calls,
    sessions: BTreeSet<String>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Sum {
    fn add(&mut self, used: &Usage) {
        self.answers += 1;
        self.tokens = self.tokens.saturating_add(&used.tokens);
        self.cost += used.cost.unwrap_or(0);
        if let Some(listed) = used.listed {
            self.listed += listed;
            self.priced += 1;
        }
        self.errors += i64::from(used.place.message.error.is_some());
        if let Some(response) = used.response {
            self.timed += 1;
            self.response += response;
            if response > 0 {
                self.timed_tokens += used.tokens.output_with_reasoning();
            }
        }
        self.calls.all += used.calls.all;
        self.calls.failed += used.calls.failed;
        self.sessions.insert(used.place.message.session.clone());
        let created = used.place.message.created;
        self.first = Some(self.first.map_or(created, |first| first.min(created)));
        self.last = Some(self.last.map_or(created, |last| last.max(created)));
    }

    fn five(&self) -> [OwnedCell; 5] {
        five(&self.tokens)
    }

    fn some_listed(&self) -> OwnedCell {
        if self.priced > 0 { number(self.listed) } else { OwnedCell::Null }
    }

    fn all_listed(&self) -> Option<i64> {
        (self.priced == self.answers).then_some(self.listed)
    }

    fn mean(&self) -> OwnedCell {
        if self.timed > 0 {
            OwnedCell::Double(self.response as f64 / self.timed as f64)
        } else {
            OwnedCell::Null
        }
    }
}

fn five(tokens: &Tokens) -> [OwnedCell; 5] {
    [
        number(tokens.input),
        number(tokens.output_without_reasoning),
        number(tokens.reasoning),
        number(tokens.cache_read),
        number(tokens.cache_write),
    ]
}

struct Model<'a> {
    story: &'a Story,
    places: Vec<Place>,
    usage: Vec<Usage>,
}

/// What every derived table must hold.
pub(crate) fn expected(story: &Story) -> Tables {
    let mut model = Model { story, places: Vec::new(), usage: Vec::new() };
    model.places = places(story);
    model.usage = model.answers();
    let exchanges = model.exchanges();
    let traces = model.traces();
    let metrics = model.metrics(&exchanges);
    let session_traces = model.session_traces(&metrics);
    let exchange_rows = exchanges.into_iter().map(|(row, _, _)| row).collect();
    let metric_rows = metrics.into_values().map(|metric| metric.row).collect();
    [
        ("message_places", model.place_rows()),
        ("message_usage", model.usage.iter().map(usage_row).collect()),
        ("exchanges", exchange_rows),
        ("exchange_traces", traces),
        ("session_resource_metrics", metric_rows),
        ("session_traces", session_traces),
        ("session_usage", model.session_usage()),
        ("daily_stats", model.daily()),
        ("agents", model.agents()),
        ("models", model.models()),
        ("tools", model.tools()),
    ]
    .into_iter()
    .map(|(name, rows)| (name, sorted(rows)))
    .collect()
}

impl Model<'_> {
    fn session(&self, id: &str) -> Option<&Session> {
        self.story.sessions.iter().find(|session| session.id == id)
    }

    fn calls(&self, message: &str) -> Calls {
        let mut calls = Calls::default();
        for part in parts_of(self.story, message) {
            if let Body::Tool { ms, failure, .. } = &part.body {
                calls.all += 1;
                calls.failed += i64::from(*failure);
                calls.ms += ms.unwrap_or(0);
            }
        }
        calls
    }

    fn place_rows(&self) -> Vec<Vec<OwnedCell>> {
        let row = |place: &Place| {
            vec![
                text(&place.message.id),
                text(&place.message.session),
                text(&place.root),
                text(&place.message.role),
                number(place.position),
                maybe(&place.exchange),
                truth(place.original.is_some()),
                optional(place.original.as_ref(), |(message, _)| text(message)),
                optional(place.original.as_ref(), |(_, session)| text(session)),
            ]
        };
        self.places.iter().map(row).collect()
    }
}
