//! What a hearing is about: bills and the links to them.
//!
//! Owns the set of links of one hearing. Of a bill that the store knows nothing is changed.
//!
//! Invariant: links are a set by (congress, type, number). The source does not say how a bill is related; a new link says
//! `markup` where the meeting is one and `related` otherwise, and a known link keeps what it says.

use plimsoll_core::value::Value;
use plimsoll_engine::EngineError;
use plimsoll_engine::change::context::PlanContext;

use super::{Hearing, children, key, now};

pub(super) fn propose(hearing: &Hearing<'_>, context: &mut PlanContext<'_>) -> Result<(), EngineError> {
    let Some(stated) = &hearing.meeting.bills else { return Ok(()) };
    let links = children(hearing, "hearing_bills", context)?;
    let relationship =
        if hearing.meeting.meeting_type.as_deref() == Some("Markup") { "markup" } else { "related" };
    let mut wanted = Vec::with_capacity(stated.len());
    for bill in stated {
        let identity = [
            ("congress", Value::Integer(bill.congress)),
            ("bill_type", Value::text(&bill.bill_type)),
            ("bill_number", Value::Integer(bill.number)),
        ];
        let now = now(context);
        let url = Value::optional_text(bill.url.as_deref());
        let rest = [("url", url), ("created_at", now.clone()), ("updated_at", now)];
        let row = context.find_or_insert("bills", "bill_id", &identity, &rest)?;
        wanted.push(key(&row, "bill_id")?);
    }
    let mut kept = Vec::new();
    for link in &links {
        let bill = key(link, "bill_id")?;
        if wanted.contains(&bill) {
            kept.push(bill);
        } else {
            context.delete(link)?;
        }
    }
    for bill in wanted.into_iter().filter(|bill| !kept.contains(bill)) {
        let link = [
            ("hearing_bill_id", Value::Integer(context.next_id("hearing_bills")?)),
            ("hearing_id", Value::Integer(hearing.id)),
            ("bill_id", Value::Integer(bill)),
            ("relationship_type", Value::text(relationship)),
            ("created_at", now(context)),
        ];
        context.insert("hearing_bills", &link)?;
    }
    Ok(())
}
