//! Handovers: how the right to write changes sides.
//!
//! Owns the parts of a handover: close both sides, carry what they wrote, compare, open one. It does not decide that there
//! is one.
//!
//! Both sides are closed although one of them should be closed already: a former handover that was broken off may have
//! opened it, and its messages may still be on their way. Where the side that gets the right is also the side that was
//! right all along - a handover that was broken off before it opened the other - there is nothing to compare.

use super::event::Order;
use super::fence::Side;
use super::state::{Cutover, Handover, Part, Stage};

fn at(side: Side) -> usize {
    match side {
        Side::Legacy => 0,
        Side::New => 1,
    }
}

impl Cutover {
    /// Begins a handover to `to`, in place of one that may be under way.
    pub(super) fn hand_over(&mut self, to: Side, then: Stage) {
        let truth = match &self.handover {
            // It may be open already, and have written.
            Some(former) if former.part == Part::Opening => former.to,
            Some(former) => former.truth,
            None => self.writer.unwrap_or(Side::Legacy),
        };
        self.stage = if to == Side::New { Stage::WriteSwitch } else { Stage::GoingBack };
        self.epoch += 1;
        self.turn += 1;
        self.writer = None;
        self.handover =
            Some(Handover { to, truth, then, part: Part::Closing, stopped: [None, None], differing: 0 });
    }

    pub(super) fn handover_orders(&self, handover: &Handover) -> Vec<Order> {
        let (turn, epoch) = (self.turn, self.epoch);
        match handover.part {
            Part::Closing => {
                let open = Side::BOTH.into_iter().filter(|side| handover.stopped[at(*side)].is_none());
                open.map(|side| Order::Close { turn, side, epoch }).collect()
            }
            Part::Carrying => {
                let behind = Side::BOTH.into_iter().filter_map(|from| {
                    let through = handover.stopped[at(from)]?;
                    (self.carried[at(from)] < through).then_some(Order::Carry { turn, from, through })
                });
                behind.collect()
            }
            Part::Comparing if handover.differing > 0 => {
                vec![Order::Repair { turn, truth: handover.truth }]
            }
            Part::Comparing => vec![Order::Compare { turn }],
            Part::Opening => vec![Order::Open { turn, side: handover.to, epoch }],
        }
    }

    pub(super) fn closed(&mut self, side: Side, position: u64) {
        let Some(handover) = self.handover.as_mut().filter(|handover| handover.part == Part::Closing) else {
            return;
        };
        // The first answer counts: the side is closed, so a second one says the same.
        handover.stopped[at(side)].get_or_insert(position);
        if handover.stopped.iter().all(Option::is_some) {
            handover.part = Part::Carrying;
            self.turn += 1;
            self.carried_all();
        }
    }

    pub(super) fn carried(&mut self, from: Side, through: u64) {
        let Some(handover) = self.handover.as_ref().filter(|handover| handover.part == Part::Carrying) else {
            return;
        };
        let limit = handover.stopped[at(from)].unwrap_or(0);
        self.carried[at(from)] = self.carried[at(from)].max(through.min(limit));
        self.carried_all();
    }

    /// Goes on when nothing is left to carry.
    fn carried_all(&mut self) {
        let Some(handover) = &mut self.handover else { return };
        let all = handover
            .stopped
            .iter()
            .zip(self.carried)
            .all(|(stopped, carried)| stopped.is_some_and(|stopped| carried >= stopped));
        if !all {
            return;
        }
        if handover.truth == handover.to {
            self.open_next();
        } else {
            handover.part = Part::Comparing;
            self.turn += 1;
        }
    }

    pub(super) fn compared_in_handover(&mut self, differing: u64, pending: u64) {
        let Some(handover) = self.handover.as_mut().filter(|handover| handover.part == Part::Comparing)
        else {
            return;
        };
        if handover.differing > 0 {
            return;
        }
        if differing == 0 && pending == 0 {
            return self.open_next();
        }
        if differing == 0 {
            // Everything was carried, so what is on its way will have arrived: compare again.
            self.turn += 1;
        } else if handover.to == Side::New {
            // Not now: the legacy side writes on, and the rows are repaired meanwhile.
            self.hand_over(Side::Legacy, Stage::Canary);
        } else {
            handover.differing = differing;
            self.turn += 1;
        }
    }

    /// Opens the side that is to write.
    pub(super) fn open_next(&mut self) {
        if let Some(handover) = &mut self.handover {
            handover.part = Part::Opening;
            self.turn += 1;
        }
    }

    pub(super) fn opened(&mut self, at_ms: u64) {
        if self.handover.as_ref().is_none_or(|handover| handover.part != Part::Opening) {
            return;
        }
        let Some(handover) = self.handover.take() else { return };
        self.writer = Some(handover.to);
        self.enter(handover.then, at_ms);
    }
}
