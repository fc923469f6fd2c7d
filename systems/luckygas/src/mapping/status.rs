//! Order statuses only move forward.
//!
//! Owns the order: pending, confirmed, assigned, in delivery, and then one of two ends. What the legacy side cannot say
//! (confirmed) is therefore not undone by its echo, which says pending. An order that one side calls delivered and the
//! other cancelled is a question for a person.
//!
//! Source: the statuses of the earlier system's orders.

use plimsoll_core::sync::field::Rules;
use plimsoll_core::value::Value;

/// How far on a status is; the two ends are as far.
fn rank(status: &str) -> Option<u8> {
    Some(match status {
        "pending" => 0,
        "confirmed" => 1,
        "assigned" => 2,
        "in_delivery" => 3,
        "delivered" | "cancelled" => 4,
        _ => return None,
    })
}

/// The status that is further on; none where there are two ends, or a word that is no status.
pub fn further<'status>(one: &'status str, other: &'status str) -> Option<&'status str> {
    let (first, second) = (rank(one)?, rank(other)?);
    match first.cmp(&second) {
        std::cmp::Ordering::Less => Some(other),
        std::cmp::Ordering::Greater => Some(one),
        std::cmp::Ordering::Equal => (one == other).then_some(one),
    }
}

/// The name under which a change unit asks for this merge.
pub const FURTHER: &str = "further";

/// The merges of an order.
#[derive(Debug, Clone, Copy)]
pub struct OrderRules;

impl Rules for OrderRules {
    fn merge(&self, name: &str, _base: &[Value], mine: &[Value], theirs: &[Value]) -> Option<Vec<Value>> {
        match (name, mine, theirs) {
            (FURTHER, [mine], [theirs]) => {
                further(mine.as_text()?, theirs.as_text()?).map(|status| vec![Value::text(status)])
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 6] = ["pending", "confirmed", "assigned", "in_delivery", "delivered", "cancelled"];

    #[test]
    fn a_status_never_goes_back_and_sides_do_not_matter() {
        for (at, one) in ALL.iter().enumerate() {
            for (other_at, other) in ALL.iter().enumerate() {
                let merged = further(one, other);
                assert_eq!(merged, further(other, one), "{one} {other}");
                let ends = at.min(other_at) == 4 && at != other_at;
                let expected = (!ends).then(|| ALL[at.max(other_at)]);
                assert_eq!(merged, expected, "{one} {other}");
                for third in ALL {
                    let left = further(one, other).and_then(|both| further(both, third));
                    let right = further(other, third).and_then(|both| further(one, both));
                    assert_eq!(left, right, "{one} {other} {third}");
                }
            }
        }
        assert_eq!(further("pending", "lost"), None);
        let merged = OrderRules.merge(FURTHER, &[], &[Value::text("confirmed")], &[Value::text("pending")]);
        assert_eq!(merged, Some(vec![Value::text("confirmed")]));
        assert_eq!(OrderRules.merge("other", &[], &[Value::Null], &[Value::Null]), None);
    }
}
