//! Sessions, and their trees.

use std::collections::BTreeMap;

use plimsoll_engine::ingest::OwnedCell;

use super::places::way;
use super::{Calls, Model, Place, Sum, maybe, moment, number, optional, text};
use crate::story::{Body, Session};

impl Model<'_> {
    pub(super) fn metrics(&self, exchanges: &[(Vec<OwnedCell>, String, bool)]) -> BTreeMap<String, Metric> {
        self.story
            .sessions
            .iter()
            .map(|session| (session.id.clone(), self.metric(session, exchanges)))
            .collect()
    }

    pub(super) fn metric(&self, session: &Session, exchanges: &[(Vec<OwnedCell>, String, bool)]) -> Metric {
        let places: Vec<&Place> =
            self.places.iter().filter(|place| place.message.session == session.id).collect();
        let own: Vec<&&Place> = places.iter().filter(|place| place.original.is_none()).collect();
        let mut sum = Sum::default();
        let answers = self.usage.iter().filter(|used| used.place.message.session == session.id);
        answers.filter(|used| !used.is_copy()).for_each(|used| sum.add(used));
        let mut calls = Calls::default();
        let mut last_call = None;
        for part in self.story.parts.iter().filter(|part| part.session == session.id) {
            let is_copy =
                places.iter().any(|place| place.message.id == part.message && place.original.is_some());
            let Body::Tool { ms, failure, .. } = part.body else { continue };
            if !is_copy {
                calls.all += 1;
                calls.failed += i64::from(failure);
                calls.ms += ms.unwrap_or(0);
                last_call = last_call.max(ms.map(|ms| part.created + 3 + ms));
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

    pub(super) fn session_traces(&self, metrics: &BTreeMap<String, Metric>) -> Vec<Vec<OwnedCell>> {
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
}

/// A session's figures, for its tree.
pub(super) struct Metric {
    pub(super) row: Vec<OwnedCell>,
    pub(super) tokens: i64,
    pub(super) cost: i64,
    pub(super) listed: Option<i64>,
    pub(super) calls: i64,
    pub(super) status: Option<String>,
    pub(super) time_last: Option<i64>,
}
