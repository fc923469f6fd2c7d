//! The derived tables, computed from the rows in plain loops.
//!
//! Deliberately slow and literal, and without a line of SQL. What stored tokens mean and what they cost is taken from the
//! library, which has tests of its own.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_engine::ingest::OwnedCell;
use plimsoll_opencode::money::Money;
use plimsoll_opencode::price::{Prices, TierRule, list_cost, recomputed_cost};
use plimsoll_opencode::tokens::{Decided, StoredTokens, Tokens, normalize};
use plimsoll_opencode::writer::token_rule;

use crate::run::{Tables, sorted};
use crate::story::{Body, Message, Part, Session, Story};

const DAY_MS: i64 = 86_400_000;
const SHELL: &str = "The following tool was executed by the user";

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
    optional(value.as_ref(), |value| text(value))
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

/// The session's way up to its root.
fn way(story: &Story, session: &str) -> Vec<String> {
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

fn in_order(story: &Story, session: &str) -> Vec<Message> {
    let mut messages: Vec<Message> =
        story.messages.iter().filter(|message| message.session == session).cloned().collect();
    messages
        .sort_by_key(|message| (message.created, message.sequence.unwrap_or(i64::MAX), message.id.clone()));
    messages
}

fn parts_of<'a>(story: &'a Story, message: &str) -> Vec<&'a Part> {
    let mut parts: Vec<&Part> = story.parts.iter().filter(|part| part.message == message).collect();
    parts.sort_by_key(|part| part.order);
    parts
}

/// Whether a user message only steers.
fn steers(story: &Story, message: &str) -> bool {
    let parts = parts_of(story, message);
    !parts.is_empty()
        && parts.iter().all(|part| match &part.body {
            Body::Compaction => true,
            Body::Text { text, synthetic, .. } => *synthetic && !text.starts_with(SHELL),
            _ => false,
        })
}

fn original_of(story: &Story, message: &Message) -> Option<(String, String)> {
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

fn places(story: &Story) -> Vec<Place> {
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

fn usage_row(used: &Usage) -> Vec<OwnedCell> {
    let message = &used.place.message;
    let [input, output, reasoning, cache_read, cache_write] = five(&used.tokens);
    let steps = (used.steps.len() > 1).then(|| {
        let written: Vec<String> =
            used.steps.iter().map(|(part, tokens)| format!("{part:?}:{tokens}")).collect();
        format!("{{{}}}", written.join(","))
    });
    vec![
        text(&message.id),
        text(&message.session),
        text(&used.place.root),
        maybe(&used.project),
        maybe(&used.root_path),
        maybe(&used.agent),
        optional(message.model.as_ref(), |(provider, _)| text(provider)),
        optional(message.model.as_ref(), |(_, model)| text(model)),
        moment(message.created),
        optional(message.completed, moment),
        number(used.day()),
        truth(used.is_copy()),
        truth(message.is_summary.unwrap_or(false)),
        number(used.step_count),
        input,
        output,
        reasoning,
        cache_read,
        cache_write,
        optional(used.stored_output, number),
        text(&used.rule),
        optional(used.cost, number),
        optional(used.recomputed, number),
        optional(used.listed, number),
        maybe(&used.source),
        optional(used.response, number),
        maybe(&message.error),
        number(used.calls.all),
        number(used.calls.failed),
        number(used.calls.ms),
        maybe(&steps),
    ]
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

    fn answers(&self) -> Vec<Usage> {
        self.places
            .iter()
            .filter(|place| place.message.role == "assistant")
            .map(|place| self.answer(place))
            .collect()
    }

    fn answer(&self, place: &Place) -> Usage {
        let message = &place.message;
        let session = self.session(&message.session);
        let mut steps: Vec<(&Part, Option<i64>, [Option<i64>; 6])> = Vec::new();
        for part in self.story.parts.iter().filter(|part| part.message == message.id) {
            if let Body::Finish { cost, tokens } = &part.body {
                steps.push((part, *cost, *tokens));
            }
        }
        steps.sort_by_key(|(part, ..)| part.id.clone());
        let stored =
            |[input, output, reasoning, cache_read, cache_write, total]: [Option<i64>; 6]| StoredTokens {
                input: input.unwrap_or(0),
                output: output.unwrap_or(0),
                reasoning: reasoning.unwrap_or(0),
                cache_read: cache_read.unwrap_or(0),
                cache_write: cache_write.unwrap_or(0),
                total,
            };
        let requests: Vec<StoredTokens> = if steps.is_empty() {
            vec![stored(message.tokens)]
        } else {
            steps.iter().map(|(_, _, tokens)| stored(*tokens)).collect()
        };
        let outputs: Vec<i64> = if steps.is_empty() {
            message.tokens[1].into_iter().collect()
        } else {
            steps.iter().filter_map(|(_, _, tokens)| tokens[1]).collect()
        };
        let costs: Vec<i64> = steps.iter().filter_map(|(_, cost, _)| *cost).collect();
        let version = session.and_then(|session| session.version.as_deref()).unwrap_or("");
        let (provider, name) =
            message.model.as_ref().map_or(("", ""), |(provider, name)| (provider.as_str(), name.as_str()));
        let normalized: Vec<_> =
            requests.iter().map(|request| normalize(version, provider, name, request)).collect();
        let by_record = normalized.iter().any(|one| one.decided == Decided::ByRecord);
        let prices = Prices::embedded();
        let found = prices.find(provider, name);
        let mut tokens = Tokens::default();
        for one in &normalized {
            tokens = tokens.saturating_add(&one.tokens);
        }
        let units = |costs: Vec<Option<Money>>| Money::sum(costs).map(Money::units);
        Usage {
            project: session.and_then(|session| session.project.clone()),
            agent: message.agent.clone().or_else(|| message.mode.clone()),
            root_path: message
                .root_path
                .clone()
                .or_else(|| session.and_then(|session| session.project.as_ref()).map(|_| "/work".to_owned())),
            steps: steps
                .iter()
                .zip(&normalized)
                .map(|((part, ..), one)| (part.id.clone(), one.tokens.total()))
                .collect(),
            step_count: steps.len() as i64,
            tokens,
            stored_output: (!outputs.is_empty()).then(|| outputs.iter().sum()),
            rule: format!("{}{}", token_rule(version).name(), if by_record { ", by the record" } else { "" }),
            cost: if costs.is_empty() { message.cost } else { Some(costs.iter().sum()) },
            recomputed: found.and_then(|found| {
                units(requests.iter().map(|one| recomputed_cost(version, one, found.price, None)).collect())
            }),
            listed: found.and_then(|found| {
                let cost = |one: &Tokens| list_cost(one, found.price, TierRule::Tiers);
                units(normalized.iter().map(|one| cost(&one.tokens)).collect())
            }),
            source: found.map(|found| found.source.to_owned()),
            response: message.completed.map(|end| end - message.created).filter(|ms| *ms >= 0),
            calls: self.calls(&message.id),
            place: place.clone(),
        }
    }

    /// The row, its session, and whether it is a copy.
    fn exchanges(&self) -> Vec<(Vec<OwnedCell>, String, bool)> {
        let mut found = Vec::new();
        let mut counters: BTreeMap<String, i64> = BTreeMap::new();
        let openers = self.places.iter().filter(|place| place.exchange.as_ref() == Some(&place.message.id));
        for opener in openers {
            let id = &opener.message.id;
            let counter = counters.entry(opener.message.session.clone()).or_default();
            *counter += 1;
            let members: Vec<&Place> =
                self.places.iter().filter(|place| place.exchange.as_ref() == Some(id)).collect();
            let answers: Vec<&Usage> =
                self.usage.iter().filter(|used| used.place.exchange.as_ref() == Some(id)).collect();
            let is_copy = opener.original.is_some() && answers.iter().all(|used| used.is_copy());
            let counts = |place: &Place| is_copy || place.original.is_none();
            let mut sum = Sum::default();
            answers.iter().filter(|used| counts(&used.place)).for_each(|used| sum.add(used));
            let (mut calls, mut failures, mut thoughts) = (0, 0, 0);
            for member in members.iter().filter(|member| counts(member)) {
                let of_member = self.calls(&member.message.id);
                calls += of_member.all;
                failures += of_member.failed;
                let parts = parts_of(self.story, &member.message.id);
                thoughts +=
                    parts.iter().filter(|part| matches!(part.body, Body::Reasoning { .. })).count() as i64;
            }
            let last = answers
                .iter()
                .max_by_key(|used| (!used.place.message.is_summary.unwrap_or(false), used.place.position));
            let time_end = answers
                .iter()
                .max_by_key(|used| used.place.position)
                .and_then(|used| used.place.message.completed);
            let words = |message: &str| -> Vec<String> {
                let own = |part: &&Part| match &part.body {
                    Body::Text { text, synthetic, ignored } => {
                        (!synthetic && !ignored && !text.is_empty()).then(|| text.clone())
                    }
                    _ => None,
                };
                parts_of(self.story, message).iter().filter_map(own).collect()
            };
            let prompt = words(id);
            let reply = last.and_then(|used| words(&used.place.message.id).pop());
            let model = last.and_then(|used| used.place.message.model.clone());
            let asked_agent = opener.message.agent.clone().or_else(|| opener.message.mode.clone());
            let [input, output, reasoning, cache_read, cache_write] = sum.five();
            let row = vec![
                text(id),
                text(&opener.message.session),
                number(*counter),
                text(id),
                optional(last, |used| text(&used.place.message.id)),
                number(sum.answers),
                maybe(&last.and_then(|used| used.agent.clone()).or(asked_agent)),
                optional(model.clone(), |(provider, _)| text(provider)),
                optional(model, |(_, model)| text(model)),
                optional((!prompt.is_empty()).then(|| prompt.join("\n\n")), text),
                maybe(&reply),
                moment(opener.message.created),
                optional(time_end, moment),
                optional(time_end.map(|end| end - opener.message.created).filter(|ms| *ms >= 0), number),
                input,
                output,
                reasoning,
                cache_read,
                cache_write,
                number(sum.cost),
                optional(sum.all_listed(), number),
                number(calls),
                number(failures),
                number(thoughts),
                truth(is_copy),
            ];
            found.push((row, opener.message.session.clone(), is_copy));
        }
        found
    }

    fn traces(&self) -> Vec<Vec<OwnedCell>> {
        let mut rows = Vec::new();
        let mut orders: BTreeMap<&str, i64> = BTreeMap::new();
        let mut members: Vec<&Place> = self.places.iter().filter(|place| place.exchange.is_some()).collect();
        members.sort_by_key(|place| (place.exchange.clone(), place.position));
        for member in members {
            let exchange = member.exchange.as_deref().unwrap();
            let order = orders.entry(exchange).or_default();
            let mut begun = None;
            for part in parts_of(self.story, &member.message.id) {
                *order += 1;
                if matches!(part.body, Body::Start) {
                    begun = Some(part.created);
                }
                rows.push(self.event(member, part, exchange, *order, begun));
            }
            if let Some(error) = &member.message.error {
                *order += 1;
                let nothing = || OwnedCell::Null;
                rows.push(vec![
                    text(exchange),
                    text(&member.message.session),
                    number(*order),
                    text("error"),
                    nothing(),
                    text(&member.message.id),
                    text(error),
                    nothing(),
                    nothing(),
                    moment(member.message.completed.unwrap_or(member.message.created)),
                    nothing(),
                    nothing(),
                    nothing(),
                    nothing(),
                ]);
            }
        }
        rows
    }

    fn event(
        &self,
        member: &Place,
        part: &Part,
        exchange: &str,
        order: i64,
        begun: Option<i64>,
    ) -> Vec<OwnedCell> {
        let nothing = || OwnedCell::Null;
        let [mut name, mut status, mut child, mut duration, mut tokens, mut data] =
            [nothing(), nothing(), nothing(), nothing(), nothing(), nothing()];
        let mut time = part.created;
        let mut characters = 7;
        let kind = match &part.body {
            Body::Text { text: words, synthetic, ignored } => {
                characters = words.len() as i64;
                match member.message.role.as_str() {
                    "user" if *synthetic || *ignored => "context",
                    "user" => "prompt",
                    _ => "text",
                }
            }
            Body::Reasoning { ms } => {
                (time, characters, duration) = (part.created + 5, 9, optional(*ms, number));
                "reasoning"
            }
            Body::Tool { name: tool, status: state, ms, failure, aborted, child: below } => {
                (time, characters, duration) = (part.created + 3, 11, optional(*ms, number));
                name = text(tool);
                status = text(match (aborted, failure, state.as_str()) {
                    (true, ..) => "aborted",
                    (false, true, "completed") => "failed",
                    (_, _, state) => state,
                });
                child = maybe(below);
                data = text("{\"title\":\"a \\\"title\\\"\",\"file_path\":null,\"exit_code\":null}");
                if below.is_some() { "delegation" } else { "tool" }
            }
            Body::Start => {
                status = text("start");
                "step"
            }
            Body::Finish { cost, .. } => {
                (name, status) = (text("stop"), text("finish"));
                let used = self.usage.iter().find(|used| used.place.message.id == member.message.id);
                tokens = optional(used, |used| {
                    let own = used.steps.iter().find(|(id, _)| *id == part.id);
                    optional(own, |(_, tokens)| number(*tokens))
                });
                let cost = cost.map_or_else(
                    || "null".to_owned(),
                    |cost| {
                        format!(
                            "{}{}.{:010}",
                            if cost < 0 { "-" } else { "" },
                            cost.abs() / 10_000_000_000,
                            cost.abs() % 10_000_000_000
                        )
                    },
                );
                data = text(format!("{{\"cost\":{cost}}}"));
                let lasted = begun.filter(|_| member.original.is_none()).map(|begun| part.created - begun);
                duration = optional(lasted, number);
                "step"
            }
            Body::Patch => {
                data = text("{\"tree_hash\":\"abc\",\"file_count\":2}");
                "patch"
            }
            Body::Compaction => {
                data = text("{\"automatic\":true,\"overflow\":null}");
                "compaction"
            }
            Body::File => {
                name = text("a.png");
                data = text("{\"mime\":\"image/png\",\"byte_count\":null}");
                "file"
            }
            Body::Unknown => "hologram",
        };
        vec![
            text(exchange),
            text(&member.message.session),
            number(order),
            text(kind),
            text(&part.id),
            text(&member.message.id),
            name,
            status,
            child,
            moment(time),
            duration,
            tokens,
            number(characters),
            data,
        ]
    }

    fn metrics(&self, exchanges: &[(Vec<OwnedCell>, String, bool)]) -> BTreeMap<String, Metric> {
        self.story
            .sessions
            .iter()
            .map(|session| (session.id.clone(), self.metric(session, exchanges)))
            .collect()
    }

    fn metric(&self, session: &Session, exchanges: &[(Vec<OwnedCell>, String, bool)]) -> Metric {
        let places: Vec<&Place> =
            self.places.iter().filter(|place| place.message.session == session.id).collect();
        let own: Vec<&&Place> = places.iter().filter(|place| place.original.is_none()).collect();
        let mut sum = Sum::default();
        let answers = self.usage.iter().filter(|used| used.place.message.session == session.id);
        answers.filter(|used| !used.is_copy()).for_each(|used| sum.add(used));
        let mut calls = Calls::default();
        let mut last_call = None;
        for place in &own {
            let of_message = self.calls(&place.message.id);
            calls.all += of_message.all;
            calls.failed += of_message.failed;
            calls.ms += of_message.ms;
            for part in parts_of(self.story, &place.message.id) {
                if let Body::Tool { ms: Some(ms), .. } = part.body {
                    last_call = last_call.max(Some(part.created + 3 + ms));
                }
            }
        }
        let last_message = places
            .iter()
            .filter(|place| matches!(place.message.role.as_str(), "user" | "assistant"))
            .max_by_key(|place| place.position);
        let status = last_message.map(|place| {
            let message = &place.message;
            match (message.role.as_str(), &message.error, message.completed) {
                ("user", ..) | (_, None, None) => "running",
                (_, Some(_), _) => "error",
                _ => "completed",
            }
        });
        let time_last = places
            .iter()
            .map(|place| place.message.completed.unwrap_or(place.message.created))
            .chain(last_call)
            .max();
        let root_path = places
            .iter()
            .filter(|place| place.message.root_path.is_some())
            .min_by_key(|place| place.position)
            .and_then(|place| place.message.root_path.clone())
            .or_else(|| session.project.as_ref().map(|_| "/work".to_owned()));
        let [input, output, reasoning, cache_read, cache_write] = sum.five();
        let turns = exchanges.iter().filter(|(_, of, is_copy)| *of == session.id && !is_copy).count() as i64;
        let row = vec![
            text(&session.id),
            maybe(&session.project),
            text(&session.id),
            maybe(&root_path),
            input,
            output,
            reasoning,
            cache_read,
            cache_write,
            number(sum.tokens.input + sum.tokens.output_without_reasoning),
            number(sum.cost),
            optional(sum.all_listed(), number),
            number(own.len() as i64),
            number(own.iter().filter(|place| place.message.role == "user").count() as i64),
            number(turns),
            number(calls.all),
            number(calls.failed),
            number(own.iter().filter(|place| place.message.error.is_some()).count() as i64),
            number((places.len() - own.len()) as i64),
            sum.mean(),
            number(calls.ms),
            moment(session.created),
            moment(session.created + 7),
            optional(status, text),
            optional(time_last, moment),
        ];
        Metric {
            row,
            tokens: sum.tokens.total(),
            cost: sum.cost,
            listed: sum.all_listed(),
            calls: calls.all,
            status: status.map(str::to_owned),
            time_last,
        }
    }

    fn session_traces(&self, metrics: &BTreeMap<String, Metric>) -> Vec<Vec<OwnedCell>> {
        let mut rows = Vec::new();
        for session in &self.story.sessions {
            let own = &metrics[&session.id];
            let way_up = way(self.story, &session.id);
            let below =
                self.story.sessions.iter().filter(|other| way(self.story, &other.id).contains(&session.id));
            let tree: Vec<&Metric> = below.map(|other| &metrics[&other.id]).collect();
            let listed: Option<Vec<i64>> = tree.iter().map(|metric| metric.listed).collect();
            rows.push(vec![
                text(&session.id),
                text(way_up.last().unwrap()),
                maybe(&session.parent),
                number(way_up.len() as i64 - 1),
                number(tree.len() as i64 - 1),
                maybe(&own.status),
                moment(session.created),
                optional(own.time_last, moment),
                number(own.tokens),
                number(own.cost),
                optional(own.listed, number),
                number(tree.iter().map(|metric| metric.tokens).sum()),
                number(tree.iter().map(|metric| metric.cost).sum()),
                optional(listed, |listed| number(listed.iter().sum())),
                number(tree.iter().map(|metric| metric.calls).sum()),
            ]);
        }
        rows
    }

    /// Sums by something about an answer.
    fn sums<K: Ord>(&self, key: impl Fn(&Usage) -> Option<K>) -> BTreeMap<K, Sum> {
        let mut sums: BTreeMap<K, Sum> = BTreeMap::new();
        for used in &self.usage {
            if let Some(key) = key(used) {
                sums.entry(key).or_default().add(used);
            }
        }
        sums
    }

    fn session_usage(&self) -> Vec<Vec<OwnedCell>> {
        let sums = self.sums(|used| {
            let message = &used.place.message;
            let key = (message.session.clone(), used.day(), used.project.clone(), used.agent.clone());
            Some((key, message.model.clone(), used.is_copy()))
        });
        let row = |(((session, day, project, agent), model, is_copy), sum): (_, Sum)| {
            let (session, day, project, agent): (String, i64, Option<String>, Option<String>) =
                (session, day, project, agent);
            let model: Option<(String, String)> = model;
            let [input, output, reasoning, cache_read, cache_write] = sum.five();
            vec![
                text(session),
                number(day),
                maybe(&project),
                maybe(&agent),
                optional(model.clone(), |(provider, _)| text(provider)),
                optional(model, |(_, model)| text(model)),
                truth(is_copy),
                number(sum.answers),
                input,
                output,
                reasoning,
                cache_read,
                cache_write,
                number(sum.cost),
                sum.some_listed(),
                number(sum.priced),
                number(sum.errors),
                number(sum.timed),
                number(sum.response),
                number(sum.timed_tokens),
                number(sum.calls.all),
                number(sum.calls.failed),
                optional(sum.first, moment),
                optional(sum.last, moment),
            ]
        };
        sums.into_iter().map(row).collect()
    }

    fn daily(&self) -> Vec<Vec<OwnedCell>> {
        let key = |used: &Usage| {
            (used.day(), used.project.clone(), used.agent.clone(), used.place.message.model.clone())
        };
        let counted = self.sums(|used| (!used.is_copy()).then(|| key(used)));
        let copied = self.sums(|used| used.is_copy().then(|| key(used)));
        let keys: BTreeSet<_> = counted.keys().chain(copied.keys()).cloned().collect();
        let row = |key: (i64, Option<String>, Option<String>, Option<(String, String)>)| {
            let sum = counted.get(&key).cloned().unwrap_or_default();
            let copies = copied.get(&key).map_or(0, |sum| sum.answers);
            let (day, project, agent, model) = key;
            let [input, output, reasoning, cache_read, cache_write] = sum.five();
            vec![
                number(day),
                maybe(&project),
                maybe(&agent),
                optional(model.clone(), |(provider, _)| text(provider)),
                optional(model, |(_, model)| text(model)),
                number(sum.sessions.len() as i64),
                number(sum.answers),
                number(copies),
                input,
                output,
                reasoning,
                cache_read,
                cache_write,
                number(sum.cost),
                sum.some_listed(),
                number(sum.answers - sum.priced),
                number(sum.errors),
                number(sum.response),
            ]
        };
        keys.into_iter().map(row).collect()
    }

    fn agents(&self) -> Vec<Vec<OwnedCell>> {
        let sums = self.sums(|used| used.agent.clone().filter(|_| !used.is_copy()));
        let row = |(agent, sum): (String, Sum)| {
            vec![
                text(agent),
                number(sum.sessions.len() as i64),
                number(sum.answers),
                number(sum.tokens.total()),
                number(sum.cost),
                sum.some_listed(),
                number(sum.calls.all),
                number(sum.calls.failed),
                sum.mean(),
                optional(sum.first, moment),
                optional(sum.last, moment),
            ]
        };
        sums.into_iter().map(row).collect()
    }

    fn models(&self) -> Vec<Vec<OwnedCell>> {
        let sums = self.sums(|used| used.place.message.model.clone().filter(|_| !used.is_copy()));
        let row = |((provider, model), sum): ((String, String), Sum)| {
            let [input, output, reasoning, cache_read, cache_write] = sum.five();
            let speed = (sum.response > 0).then(|| sum.timed_tokens as f64 * 1000.0 / sum.response as f64);
            // The stories' three models: two are named after who made them.
            let vendor = if model.starts_with("gemini") { "google".to_owned() } else { provider.clone() };
            vec![
                text(provider),
                text(model),
                text(vendor),
                number(sum.sessions.len() as i64),
                number(sum.answers),
                input,
                output,
                reasoning,
                cache_read,
                cache_write,
                number(sum.cost),
                sum.some_listed(),
                truth(sum.priced > 0),
                sum.mean(),
                optional(speed, OwnedCell::Double),
                number(sum.errors),
                optional(sum.first, moment),
                optional(sum.last, moment),
            ]
        };
        sums.into_iter().map(row).collect()
    }

    fn tools(&self) -> Vec<Vec<OwnedCell>> {
        let copied: BTreeSet<&str> = self
            .places
            .iter()
            .filter(|place| place.original.is_some())
            .map(|place| place.message.id.as_str())
            .collect();
        let mut tools: BTreeMap<String, Vec<&Part>> = BTreeMap::new();
        for part in self.story.parts.iter().filter(|part| !copied.contains(part.message.as_str())) {
            if let Body::Tool { name, .. } = &part.body {
                tools.entry(name.clone()).or_default().push(part);
            }
        }
        let mut rows = Vec::new();
        for (tool, parts) in tools {
            let (mut failures, mut stopped, mut times) = (0, 0, Vec::new());
            for part in &parts {
                let Body::Tool { status, ms, failure, aborted, .. } = &part.body else { continue };
                failures += i64::from(*failure);
                stopped += i64::from(*aborted);
                if status == "completed" && !aborted {
                    times.extend(*ms);
                }
            }
            times.sort_unstable();
            let sessions: BTreeSet<&str> = parts.iter().map(|part| part.session.as_str()).collect();
            let percentile = |share: f64| optional(percentile(&times, share), OwnedCell::Double);
            rows.push(vec![
                text(tool),
                number(parts.len() as i64),
                number(failures),
                number(stopped),
                number(sessions.len() as i64),
                number(times.iter().sum()),
                percentile(0.5),
                percentile(0.95),
                percentile(0.99),
                optional(times.last().copied(), number),
                number(11 * parts.len() as i64),
                optional(parts.iter().map(|part| part.created + 3).max(), moment),
            ]);
        }
        rows
    }
}

/// A session's figures, for its tree.
struct Metric {
    row: Vec<OwnedCell>,
    tokens: i64,
    cost: i64,
    listed: Option<i64>,
    calls: i64,
    status: Option<String>,
    time_last: Option<i64>,
}

/// The percentile of sorted times, between two of them in proportion.
fn percentile(times: &[i64], share: f64) -> Option<f64> {
    let at = (times.len().checked_sub(1)?) as f64 * share;
    let (below, above) = (times[at.floor() as usize] as f64, times[at.ceil() as usize] as f64);
    Some(below + (above - below) * (at - at.floor()))
}
