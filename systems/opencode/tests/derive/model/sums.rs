//! Days, agents, models and tools.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_engine::ingest::OwnedCell;

use super::{Model, Sum, Usage, maybe, moment, number, optional, text, truth};
use crate::story::{Body, Part};

/// Day, project, agent, provider and model.
type Key = (i64, Option<String>, Option<String>, Option<(String, String)>);

impl Model<'_> {
    /// Sums by something about an answer.
    pub(super) fn sums<K: Ord>(&self, key: impl Fn(&Usage) -> Option<K>) -> BTreeMap<K, Sum> {
        let mut sums: BTreeMap<K, Sum> = BTreeMap::new();
        for used in &self.usage {
            if let Some(key) = key(used) {
                sums.entry(key).or_default().add(used);
            }
        }
        sums
    }

    pub(super) fn session_usage(&self) -> Vec<Vec<OwnedCell>> {
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

    pub(super) fn daily(&self) -> Vec<Vec<OwnedCell>> {
        let key = |used: &Usage| {
            (used.day(), used.project.clone(), used.agent.clone(), used.place.message.model.clone())
        };
        let counted = self.sums(|used| (!used.is_copy()).then(|| key(used)));
        let copied = self.sums(|used| used.is_copy().then(|| key(used)));
        let keys: BTreeSet<_> = counted.keys().chain(copied.keys()).cloned().collect();
        let row = |key: Key| {
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

    pub(super) fn agents(&self) -> Vec<Vec<OwnedCell>> {
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

    pub(super) fn models(&self) -> Vec<Vec<OwnedCell>> {
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

    pub(super) fn tools(&self) -> Vec<Vec<OwnedCell>> {
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

/// The percentile of sorted times, between two of them in proportion.
pub(super) fn percentile(times: &[i64], share: f64) -> Option<f64> {
    let at = (times.len().checked_sub(1)?) as f64 * share;
    let (below, above) = (times[at.floor() as usize] as f64, times[at.ceil() as usize] as f64);
    Some(below + (above - below) * (at - at.floor()))
}
