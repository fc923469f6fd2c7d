//! Counting while sessions are written.
//!
//! Owns the running totals behind the manifest. Tallies of several threads are added up; the result does not
//! depend on the order.

use std::collections::BTreeMap;

use super::manifest::{Calls, Failures, ForkCopies, Manifest, ModelTotals, Tokens, ToolTotals, Totals};
use super::message::Message;
use super::money::{Money, Usage};
use super::newest::tool_name;
use super::parts::Part;
use super::plan::Origin;
use super::session::Session;

/// Counts by name.
type Counts = BTreeMap<String, u64>;

/// Totals of one way of counting.
#[derive(Debug, Clone, Default)]
struct Sums {
    messages: u64,
    cost: Money,
    usage: Usage,
    models: BTreeMap<(&'static str, &'static str), (u64, Money, Usage)>,
    tools: BTreeMap<&'static str, u64>,
}

impl Sums {
    fn answer(&mut self, provider: &'static str, model: &'static str, cost: Money, usage: Usage) {
        let of_model = self.models.entry((provider, model)).or_default();
        of_model.0 += 1;
        of_model.1 += cost;
        of_model.2 += usage;
        self.cost += cost;
        self.usage += usage;
    }

    fn add(&mut self, other: Self) {
        self.messages += other.messages;
        self.cost += other.cost;
        self.usage += other.usage;
        for (name, (messages, cost, usage)) in other.models {
            let of_model = self.models.entry(name).or_default();
            of_model.0 += messages;
            of_model.1 += cost;
            of_model.2 += usage;
        }
        for (tool, calls) in other.tools {
            *self.tools.entry(tool).or_default() += calls;
        }
    }

    fn totals(&self, sessions: u64) -> Totals {
        let models = self.models.iter().map(|((provider, model), (messages, cost, usage))| ModelTotals {
            provider: (*provider).to_owned(),
            model: (*model).to_owned(),
            messages: *messages,
            cost: cost.text(),
            tokens: tokens(*usage),
        });
        let tools =
            self.tools.iter().map(|(tool, calls)| ToolTotals { tool: (*tool).to_owned(), calls: *calls });
        Totals {
            sessions,
            messages: self.messages,
            total_cost: self.cost.text(),
            tokens: tokens(self.usage),
            models: models.collect(),
            tools: tools.collect(),
        }
    }
}

fn tokens(usage: Usage) -> Tokens {
    Tokens {
        input: usage.input,
        output: usage.output,
        reasoning: usage.reasoning,
        cache_read: usage.cache_read,
        cache_write: usage.cache_write,
    }
}

fn count(counts: &mut Counts, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

fn merge(counts: &mut Counts, other: Counts) {
    for (name, more) in other {
        *counts.entry(name).or_default() += more;
    }
}

/// Running totals.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sessions: u64,
    parts: u64,
    part_types: Counts,
    versions: Counts,
    every: Sums,
    unique: Sums,
    disjoint: Usage,
    copies: ForkCopies,
    children: u64,
    unfinished: u64,
    calls: Calls,
    failures: Failures,
}

impl Tally {
    /// Counts one session, in the form that wins where several sources hold it.
    pub(super) fn session(&mut self, session: &Session<'_>) {
        let outline = session.outline;
        let newest = outline.placement.newest;
        self.sessions += 1;
        count(&mut self.versions, outline.version.text());
        self.children += u64::from(matches!(outline.origin, Origin::Child { .. }));
        self.copies.sessions += u64::from(matches!(outline.origin, Origin::Fork { .. }));
        for (place, message) in session.messages.iter().enumerate() {
            let copy = place < outline.copied;
            self.message(message, copy, newest);
            for part in &message.parts {
                self.part(part, copy, newest);
            }
        }
    }

    fn message(&mut self, message: &Message, copy: bool, newest: bool) {
        self.every.messages += 1;
        self.unique.messages += u64::from(!copy);
        self.copies.messages += u64::from(copy);
        let Some(answer) = &message.answer else { return };
        self.every.answer(answer.provider, answer.model, answer.cost, answer.stored);
        if copy {
            return;
        }
        let mut usage = Usage::default();
        for (step, _) in &answer.steps {
            usage += *step;
        }
        // The newest tables have no steps.
        if answer.steps.is_empty() || newest {
            usage = answer.stored;
        }
        self.unique.answer(answer.provider, answer.model, answer.cost, usage);
        self.disjoint += answer.used;
        self.unfinished += u64::from(message.unfinished);
        if let Some(family) = answer.failure {
            count(&mut self.failures.answers, family);
        }
    }

    fn part(&mut self, part: &Part, copy: bool, newest: bool) {
        if !newest {
            self.parts += 1;
            count(&mut self.part_types, part.kind);
            self.copies.parts += u64::from(copy);
        }
        let Some(facts) = &part.facts else { return };
        let tool = if newest { tool_name(facts.tool) } else { facts.tool };
        *self.every.tools.entry(tool).or_default() += 1;
        if copy {
            return;
        }
        *self.unique.tools.entry(tool).or_default() += 1;
        let status = match part.status() {
            "pending" if newest => "streaming",
            status => status,
        };
        count(&mut self.calls.status, status);
        self.calls.aborted += u64::from(facts.aborted);
        self.calls.nonzero_exits += u64::from(facts.exit.is_some_and(|exit| exit != 0));
        if let Some(kind) = facts.git {
            count(&mut self.calls.git, kind);
        }
        if let Some(kind) = facts.risk {
            count(&mut self.calls.risks, kind);
        }
        if let Some(family) = facts.failure {
            let failures =
                if status == "error" { &mut self.failures.tools } else { &mut self.failures.commands };
            count(failures, family);
        }
    }

    /// Adds what another thread counted.
    pub(super) fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.parts += other.parts;
        merge(&mut self.part_types, other.part_types);
        merge(&mut self.versions, other.versions);
        self.every.add(other.every);
        self.unique.add(other.unique);
        self.disjoint += other.disjoint;
        self.copies.sessions += other.copies.sessions;
        self.copies.messages += other.copies.messages;
        self.copies.parts += other.copies.parts;
        self.children += other.children;
        self.unfinished += other.unfinished;
        merge(&mut self.calls.status, other.calls.status);
        self.calls.nonzero_exits += other.calls.nonzero_exits;
        self.calls.aborted += other.calls.aborted;
        merge(&mut self.calls.git, other.calls.git);
        merge(&mut self.calls.risks, other.calls.risks);
        merge(&mut self.failures.tools, other.failures.tools);
        merge(&mut self.failures.commands, other.failures.commands);
        merge(&mut self.failures.answers, other.failures.answers);
    }

    /// The manifest of what was counted; sources and bad files are filled in by who wrote them.
    pub(super) fn manifest(self) -> Manifest {
        Manifest {
            label: "demo".to_owned(),
            sessions: self.sessions,
            messages: self.every.messages,
            parts: self.parts,
            part_types: self.part_types,
            versions: self.versions,
            opencode_way: self.every.totals(self.sessions),
            deduplicated: self.unique.totals(self.sessions),
            disjoint_tokens: tokens(self.disjoint),
            fork_copies: self.copies,
            sub_agent_sessions: self.children,
            unfinished_messages: self.unfinished,
            calls: self.calls,
            failures: self.failures,
            ..Manifest::default()
        }
    }
}
