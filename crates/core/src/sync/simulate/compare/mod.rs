//! The same histories through two earlier systems' algorithms and through the planner.
//!
//! Owns [`compare`], which plays one seeded history to every [`System`] and counts what became of the edits. `script`
//! fixes the history, `master` is the remote and the network, `referee` judges, `vanguard` and `lucky` are the two
//! earlier algorithms in our own words, `planner` is the real one. It does not judge the planner's inner invariants;
//! [`super::simulate`] does.
//!
//! The earlier algorithms are here to be measured, defects included; nothing of the product calls them. They are
//! written from a description of their behavior, not from their code. Where the description leaves something open,
//! the choice that loses less was made; each module names its choices.
//!
//! Invariants: the script does not depend on the system; the referee sees rows and edits only, never what a system
//! believes.

mod lucky;
mod master;
mod planner;
mod referee;
mod script;
mod vanguard;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::lucky::Lucky;
use self::master::{Master, Reply, Request};
use self::planner::Ours;
use self::referee::Party;
use self::script::{CALM, Change, Choice, Happening, INBOX_EVERY, MINUTES, ROWS, Row, Script};
use self::vanguard::Vanguard;

/// Whose algorithm a history is played to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// The earlier write-back of equipment records: a mirror, edits as deltas, a queue, a version with each write.
    EarlierPfa,
    /// The earlier dual write of a gas supplier: whole rows both ways, by the time of their change.
    EarlierLuckyGas,
    /// The planner, with a remote that knows neither idempotency keys nor origins: the same as the earlier ones have.
    Plimsoll,
    /// The planner, with a remote that keeps idempotency keys and tells who made a version.
    PlimsollWithKeys,
}

impl System {
    /// All systems, in the order of the table.
    pub const ALL: [Self; 4] =
        [Self::EarlierPfa, Self::EarlierLuckyGas, Self::Plimsoll, Self::PlimsollWithKeys];

    /// The name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EarlierPfa => "earlier PFA",
            Self::EarlierLuckyGas => "earlier Lucky Gas",
            Self::Plimsoll => "Plimsoll",
            Self::PlimsollWithKeys => "Plimsoll, remote with keys",
        }
    }
}

/// What became of the edits of one history, or of many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Histories.
    pub histories: u64,
    /// Edits and deletions committed here.
    pub edits_here: u64,
    /// Edits and deletions at the remote.
    pub edits_there: u64,
    /// Edits that were refused when their author saved them; the author is told.
    pub refused: u64,
    /// Committed edits that are on neither side at the end, were shown to nobody, and were replaced by no later edit
    /// of the same field on the same side nor by an author who had seen them.
    pub lost_updates: u64,
    /// Values that a machine replaced although the new value's author had not seen them and nobody was shown them.
    pub silent_overwrites: u64,
    /// Questions to a person although the sides differ in no field that both changed.
    pub conflicts_false: u64,
    /// Questions to a person where the sides do.
    pub conflicts_true: u64,
    /// Edits given up and shown as failed.
    pub given_up: u64,
    /// Requests to write that left the program, repeated ones included.
    pub writes_sent: u64,
    /// Applied a second time, under the same operation.
    pub writes_doubled: u64,
    /// Applied, and changed nothing.
    pub writes_idle: u64,
    /// Histories in which the sides differ, or something is still open, after the faults stopped.
    pub not_converged: u64,
    /// Histories with at least one lost update.
    pub histories_with_loss: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.histories += other.histories;
        self.edits_here += other.edits_here;
        self.edits_there += other.edits_there;
        self.refused += other.refused;
        self.lost_updates += other.lost_updates;
        self.silent_overwrites += other.silent_overwrites;
        self.conflicts_false += other.conflicts_false;
        self.conflicts_true += other.conflicts_true;
        self.given_up += other.given_up;
        self.writes_sent += other.writes_sent;
        self.writes_doubled += other.writes_doubled;
        self.writes_idle += other.writes_idle;
        self.not_converged += other.not_converged;
        self.histories_with_loss += other.histories_with_loss;
    }

    /// Each figure with its name, in the order of the table.
    pub fn named(&self) -> [(&'static str, u64); 13] {
        [
            ("lost updates", self.lost_updates),
            ("histories with a lost update", self.histories_with_loss),
            ("silent overwrites", self.silent_overwrites),
            ("false conflicts", self.conflicts_false),
            ("true conflicts shown", self.conflicts_true),
            ("edits shown as failed", self.given_up),
            ("edits refused on saving", self.refused),
            ("writes sent", self.writes_sent),
            ("writes applied twice", self.writes_doubled),
            ("writes that changed nothing", self.writes_idle),
            ("histories not converged", self.not_converged),
            ("edits committed here", self.edits_here),
            ("edits at the remote", self.edits_there),
        ]
    }
}

/// What every algorithm offers to the history.
trait Link {
    /// The row as everyone here sees it.
    fn view(&self, row: usize) -> Option<Row>;
    /// Somebody begins an edit. False when they cannot.
    fn draft(&mut self, id: usize, row: usize, change: &Change, master: &Master<'_>) -> bool;
    /// They save. False when that is refused; the draft is dropped then.
    fn commit(&mut self, id: usize, master: &mut Master<'_>) -> bool;
    /// The machine's work of this minute.
    fn work(&mut self, master: &mut Master<'_>);
    /// People look after what waits for them.
    fn inbox(&mut self, choice: &dyn Fn(usize) -> Choice, master: &mut Master<'_>);
    /// The answer to the second copy of a request arrives.
    fn late(&mut self, request: &Request, reply: &Reply, master: &mut Master<'_>) {
        let _ = (request, reply, master);
    }
    /// Whether nothing is left to do.
    fn at_rest(&self) -> bool;
}

/// Plays the history of a seed to every system.
pub fn compare(seed: u64) -> BTreeMap<System, Tally> {
    let script = Script::new(seed);
    let play_to = |system| {
        let master = Master::new(&script, system == System::PlimsollWithKeys);
        let tally = match system {
            System::EarlierPfa => play(&script, master, Vanguard::new(&script)),
            System::EarlierLuckyGas => play(&script, master, Lucky::new(&script)),
            System::Plimsoll | System::PlimsollWithKeys => {
                let ours = Ours::new(&master);
                play(&script, master, ours)
            }
        };
        (system, tally)
    };
    System::ALL.into_iter().map(play_to).collect()
}

fn views(link: &impl Link) -> Vec<Option<Row>> {
    (0..ROWS).map(|row| link.view(row)).collect()
}

fn play(script: &Script, mut master: Master<'_>, mut link: impl Link) -> Tally {
    let mut drafts: BTreeMap<usize, Draft> = BTreeMap::new();
    for minute in 0..MINUTES + CALM {
        let late = master.turn(minute);
        let place = usize::try_from(minute).unwrap_or(usize::MAX);
        for happening in script.minutes.get(place).into_iter().flatten() {
            people(happening, &mut master, &mut link, &mut drafts);
        }
        // From here on only machines and answers move values, so whatever is replaced is replaced by them.
        let before = views(&link);
        for (request, reply) in &late {
            link.late(request, reply, &mut master);
        }
        link.work(&mut master);
        if minute % INBOX_EVERY == INBOX_EVERY - 1 {
            link.inbox(&|row| script.choice(minute, row), &mut master);
        }
        for (row, old) in before.iter().enumerate() {
            let new = link.view(row);
            master.tally.silent_overwrites +=
                master.referee.silent(Party::Here, row, old.as_ref(), new.as_ref());
        }
    }
    let (here, there) = (views(&link), master.rows());
    let lost = master.referee.lost(&here, &there);
    let mut tally = master.tally;
    tally.histories = 1;
    tally.lost_updates = lost;
    tally.histories_with_loss = u64::from(lost > 0);
    tally.not_converged = u64::from(here != there || !link.at_rest());
    tally
}

/// An edit that is being made, with what its author saw.
struct Draft {
    row: usize,
    change: Change,
    seen: Row,
}

fn people(
    happening: &Happening,
    master: &mut Master<'_>,
    link: &mut impl Link,
    drafts: &mut BTreeMap<usize, Draft>,
) {
    match happening {
        Happening::There { row, change } => {
            master.tally.edits_there += u64::from(master.people(*row, change));
        }
        // Nobody edits a row that they do not see.
        Happening::Draft { id, row, change } => {
            let Some(seen) = link.view(*row) else { return };
            if !link.draft(*id, *row, change, master) {
                master.tally.refused += 1;
                return;
            }
            if let Change::Write(values) = change {
                for (field, value) in values {
                    master.referee.authored(Party::Here, *value, seen.get(field).copied());
                }
            }
            drafts.insert(*id, Draft { row: *row, change: change.clone(), seen });
        }
        Happening::Commit { id } => {
            let Some(Draft { row, change, seen }) = drafts.remove(id) else { return };
            // What is asked while it is saved is asked about this edit, so it counts first.
            let before = master.referee.mark();
            match change {
                Change::Write(values) => {
                    for (field, value) in values {
                        master.referee.wrote(Party::Here, row, field, value);
                    }
                }
                Change::Delete => master.referee.deleted(Party::Here, row, &seen),
            }
            if link.commit(*id, master) {
                master.tally.edits_here += 1;
            } else {
                master.tally.refused += 1;
                master.referee.forget_since(before);
            }
        }
    }
}
