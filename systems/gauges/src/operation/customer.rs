//! The two other ends of a gauge's life: back to the customer who owns it, and deleted because it was registered by mistake.
//!
//! Owns both decisions. Rows stay in either case; the ID of a set that ends here is used up.

use super::membership::{close_all, end, leave, listed};
use super::{Operation, Undo, set_of, whom};
use crate::ask::Ask;
use crate::draft::Draft;
use crate::facts::Facts;
use crate::model::{Gauge, Ownership, Role};
use crate::rules::machine::Step;
use crate::rules::{Refusals, Refused};

/// Returns to the customer.
pub static RETURN_TO_CUSTOMER: Operation = Operation {
    name: "return-to-customer",
    help: "Return a customer's gauge, or both of a set; a partner that stays becomes a spare",
    role: Role::Qc,
    fields: &["set?", "serial?"],
    plan: return_to_customer,
    undo: Undo::Never("it is at the customer's; register what comes back"),
};

/// Deletes.
pub static DELETE: Operation = Operation {
    name: "delete",
    help: "Delete a spare or a set that was registered by mistake; the reason says `clerical error`",
    role: Role::Supervisor,
    fields: &["set?", "serial?"],
    plan: delete,
    undo: Undo::Never("register it anew"),
};

fn return_to_customer(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let (set, gauges) = whom(ask, facts, false)?;
    let mut draft = Draft::default();
    let mut refused = Refusals::new();
    for gauge in &gauges {
        if gauge.ownership != Ownership::Customer {
            refused.push(Refused::new(
                "customer.owner",
                format!("gauge {} belongs to the {}", gauge.serial, gauge.ownership),
            ));
        }
        refused.extend(goes(facts, &mut draft, gauge, Step::ReturnToCustomer));
    }
    if let Some(set) = set {
        for member in facts.members(set) {
            let Some(side) = member.side() else { continue };
            if !gauges.iter().any(|gauge| gauge.serial == member.serial) {
                refused.extend(Step::Leave.of(&member.serial, member.status).err());
                refused.extend(listed(facts, member));
            }
            leave(&mut draft, set, side, member);
        }
        end(&mut draft, facts, set, "returned");
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}

fn goes(facts: &Facts, draft: &mut Draft, gauge: &Gauge, step: Step) -> Refusals {
    let mut refused = Refusals::new();
    refused.extend(listed(facts, gauge));
    match step.of(&gauge.serial, gauge.status) {
        Ok(status) => draft.gauge(gauge).status = status,
        Err(why) => refused.push(why),
    }
    close_all(draft, facts, &gauge.serial);
    refused
}

fn delete(ask: &Ask, facts: &Facts) -> Result<Draft, Refusals> {
    let reason = ask.reason().unwrap_or_default();
    let mut refused = Refusals::new();
    if !reason.to_lowercase().contains("clerical error") {
        refused.push(Refused::new("delete.reason", "the reason says `clerical error`, and which"));
    }
    let mut draft = Draft::default();
    if ask.text("set").is_some() {
        let set = set_of(ask, facts)?;
        for member in facts.members(set) {
            refused.extend(goes(facts, &mut draft, member, Step::Delete));
            if let Some(side) = member.side() {
                leave(&mut draft, set, side, member);
            }
            draft.gauge(member).deleted_reason = Some(reason.clone());
        }
        end(&mut draft, facts, set, "deleted");
    } else {
        let (set, gauges) = whom(ask, facts, false)?;
        if let Some(set) = set {
            refused.push(Refused::new(
                "delete.member",
                format!("it is in set {}: delete the set, or unpair it first", set.set_id),
            ));
        }
        for gauge in gauges {
            refused.extend(goes(facts, &mut draft, gauge, Step::Delete));
            draft.gauge(gauge).deleted_reason = Some(reason.clone());
        }
    }
    if refused.is_empty() { Ok(draft) } else { Err(refused) }
}
