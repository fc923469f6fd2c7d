//! Rows of `message_usage`: tokens made disjoint, and the cost three ways.
//!
//! Owns going from the stored figures of an answer's requests to the row. What the figures mean is [`crate::tokens`]',
//! what they cost [`crate::price`]'s.
//!
//! Invariants:
//! - Meaning and price are decided for every request and then added up, never for the sum: ten requests of 50,000 tokens
//!   are not one of 500,000.
//! - A model without a price has no list cost and no recomputed cost, whatever it used.

use plimsoll_engine::ingest::{Cell, OwnedCell, RowBuffer, Settings};
use plimsoll_engine::ingest::{ErrorClass, StoreError};
use serde_json::value::RawValue;

use super::cells::Cells;
use super::pricing::prices;
use crate::money::Money;
use crate::price::{TierRule, list_cost, recomputed_cost};
use crate::tokens::{Decided, StoredTokens, Tokens, normalize};
use crate::writer::{CostRule, cost_rule, token_rule};

/// Copilot's own figure replaces OpenCode's formula, and is not stored.
const COPILOT: &str = "github-copilot";

/// A row of `message_usage`, from a row of its query.
pub(super) fn row(cells: &[OwnedCell], settings: &Settings, rows: &mut RowBuffer) -> Result<(), StoreError> {
    let table = rows.table().name;
    let mut cells = Cells::new(table, cells);
    let ids = [cells.cell()?, cells.cell()?, cells.cell()?, cells.cell()?, cells.cell()?];
    let (agent, provider, model) = (cells.cell()?, cells.text()?, cells.text()?);
    let (created, completed, day) = (cells.cell()?, cells.cell()?, cells.cell()?);
    let (is_fork_copy, is_summary, steps) = (cells.cell()?, cells.cell()?, cells.cell()?);
    let [input, output, reasoning, cache_read, cache_write, total] = six(&mut cells)?;
    let (step_parts, each_step) = (cells.text()?, cells.text()?);
    let stored_cost = cells.cell()?;
    let version = cells.text()?.unwrap_or_default();
    let (response_ms, error_name) = (cells.cell()?, cells.cell()?);
    let tools = [cells.cell()?, cells.cell()?, cells.cell()?];

    let stored = StoredTokens {
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        reasoning: reasoning.unwrap_or_default(),
        cache_read: cache_read.unwrap_or_default(),
        cache_write: cache_write.unwrap_or_default(),
        total,
    };
    let requests = match each_step {
        Some(text) => text.split(';').map(|step| request(step, table)).collect::<Result<_, _>>()?,
        None => vec![stored],
    };
    let (provider_name, model_name) = (provider.unwrap_or_default(), model.unwrap_or_default());

    let mut used = Tokens::default();
    let mut decided = Decided::ByVersion;
    let mut counted = Vec::with_capacity(requests.len());
    for request in &requests {
        let normalized = normalize(version, provider_name, model_name, request);
        if normalized.decided == Decided::ByRecord {
            decided = Decided::ByRecord;
        }
        used = used.saturating_add(&normalized.tokens);
        counted.push(normalized.tokens);
    }
    let rule = token_rule(version).name();
    let rule = if decided == Decided::ByRecord { format!("{rule}, by the record") } else { rule.to_owned() };

    let prices = prices(settings, rows)?;
    let found = prices.find(provider_name, model_name);
    let listed = found.and_then(|found| {
        Money::sum(counted.iter().map(|tokens| list_cost(tokens, found.price, TierRule::Tiers)))
    });
    let is_reported = provider_name == COPILOT && cost_rule(version) == CostRule::TieredOrReported;
    let recomputed = found.filter(|_| !is_reported).and_then(|found| {
        let costs = requests.iter().map(|step| recomputed_cost(version, step, found.price, None));
        Money::sum(costs)
    });
    let by_step = step_parts.map(|parts| by_step(parts, &counted));

    let [message, session, root, project, root_path] = ids;
    let [tool_calls, tool_failures, tool_ms] = tools;
    rows.push(&[
        message,
        session,
        root,
        project,
        root_path,
        agent,
        provider.into(),
        model.into(),
        created,
        completed,
        day,
        is_fork_copy,
        is_summary,
        steps,
        used.input.into(),
        used.output_without_reasoning.into(),
        used.reasoning.into(),
        used.cache_read.into(),
        used.cache_write.into(),
        output.into(),
        rule.as_str().into(),
        stored_cost,
        money(recomputed),
        money(listed),
        found.map(|found| found.source).into(),
        response_ms,
        error_name,
        tool_calls,
        tool_failures,
        tool_ms,
        by_step.as_deref().into(),
    ])
}

fn six(cells: &mut Cells<'_>) -> Result<[Option<i64>; 6], StoreError> {
    Ok([
        cells.integer()?,
        cells.integer()?,
        cells.integer()?,
        cells.integer()?,
        cells.integer()?,
        cells.integer()?,
    ])
}

fn money(amount: Option<Money>) -> Cell<'static> {
    amount.map(Money::units).into()
}

/// Reads `input,output,reasoning,cache_read,cache_write,total`; what is not stored is empty.
fn request(text: &str, table: &str) -> Result<StoredTokens, StoreError> {
    let misfit = || {
        let message = format!("`{text}` is not expected as a step in the query for table `{table}`");
        StoreError::new(ErrorClass::Schema, message)
    };
    let mut fields = text.split(',');
    let mut numbers = [None; 6];
    for number in &mut numbers {
        let field = fields.next().ok_or_else(misfit)?;
        *number = (!field.is_empty()).then(|| field.parse::<i64>()).transpose().map_err(|_| misfit())?;
    }
    let [input, output, reasoning, cache_read, cache_write, total] = numbers;
    Ok(StoredTokens {
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        reasoning: reasoning.unwrap_or_default(),
        cache_read: cache_read.unwrap_or_default(),
        cache_write: cache_write.unwrap_or_default(),
        total,
    })
}

/// Tokens of each step by its part, as JSON; `parts` is the JSON list of the parts.
fn by_step(parts: &str, counted: &[Tokens]) -> String {
    let parts: Vec<&RawValue> = serde_json::from_str(parts).unwrap_or_default();
    let written: Vec<String> =
        parts.iter().zip(counted).map(|(part, tokens)| format!("{part}:{}", tokens.total())).collect();
    format!("{{{}}}", written.join(","))
}
