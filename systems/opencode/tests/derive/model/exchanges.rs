//! Turns, and what happened in them.

use std::collections::BTreeMap;

use plimsoll_engine::ingest::OwnedCell;

use super::places::parts_of;
use super::{Model, Place, Sum, Usage, maybe, moment, number, optional, text, truth};
use crate::story::{Body, Part};

impl Model<'_> {
    /// The row, its session, and whether it is a copy.
    pub(super) fn exchanges(&self) -> Vec<(Vec<OwnedCell>, String, bool)> {
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
}

impl Model<'_> {
    pub(super) fn traces(&self) -> Vec<Vec<OwnedCell>> {
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

    pub(super) fn event(
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
}
