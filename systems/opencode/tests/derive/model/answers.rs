//! What answers used.

use plimsoll_engine::ingest::OwnedCell;
use plimsoll_opencode::money::Money;
use plimsoll_opencode::price::{Prices, TierRule, list_cost, recomputed_cost};
use plimsoll_opencode::tokens::{Decided, StoredTokens, Tokens, normalize};
use plimsoll_opencode::writer::token_rule;

use super::places::parts_of;
use super::{Model, Place, Usage, five, maybe, moment, number, optional, text, truth};
use crate::story::{Body, Part};

/// The end of a request: its part, cost and tokens.
type Step<'a> = (&'a Part, Option<i64>, [Option<i64>; 6]);

impl Model<'_> {
    pub(super) fn answers(&self) -> Vec<Usage> {
        self.places
            .iter()
            .filter(|place| place.message.role == "assistant")
            .map(|place| self.answer(place))
            .collect()
    }

    pub(super) fn answer(&self, place: &Place) -> Usage {
        let message = &place.message;
        let session = self.session(&message.session);
        let mut steps: Vec<Step<'_>> = Vec::new();
        for part in parts_of(self.story, &message.id) {
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
}

pub(super) fn usage_row(used: &Usage) -> Vec<OwnedCell> {
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
