//! The defects of the earlier dual write of Lucky Gas (L1 to L13), as far as they can be put back into ours.
//!
//! Owns for each the edit of our source that puts it back and the tests that must notice. Not here: L4 (a hash that changes
//! at every start; the flags' buckets are fixed by a table in their tests), L12 (invented rows on a page) and L13 (a
//! transaction that stays open during the request), for which there is nothing in our source to edit.

use super::{Defect, Edit, Test};

const fn pilot(name: &'static str) -> Test {
    Test { package: "plimsoll-luckygas", program: "luckygas", name }
}

const RECONCILE: &str = "crates/engine/src/pilot/reconcile.rs";
const REMOTE: &str = "crates/engine/src/pilot/remote.rs";
const ROWS: &str = "crates/engine/src/pilot/rows.rs";
const ORDERS: &str = "crates/engine/src/pilot/orders.rs";

/// The list.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        system: "luckygas",
        number: "L1",
        what: "an edit was compared with what the other side had become by then, and not with what its author saw",
        edits: &[Edit {
            file: RECONCILE,
            from: "        let event = Event::Made { edit: made, at, seen, fields };",
            to: "        let event = Event::Made { edit: made, at, seen: seen.and(view.clone()), fields };",
        }],
        tests: &[pilot("carry::what_both_sides_wrote_goes_to_a_person")],
    },
    Defect {
        system: "luckygas",
        number: "L2",
        what: "a conflict that was a person's was tried again by itself, so that the inbox never kept it",
        edits: &[Edit {
            file: "systems/luckygas/src/link.rs",
            from: "            Self::Manual => Policy::Manual,",
            to: "            Self::Manual => Policy::Mine,",
        }],
        tests: &[pilot("carry::what_both_sides_wrote_goes_to_a_person")],
    },
    Defect {
        system: "luckygas",
        number: "L3",
        what: "changes that lay apart in time were no conflict: the later one overwrote the other",
        edits: &[Edit {
            file: "systems/luckygas/src/link.rs",
            from: "            Self::Manual => Policy::Manual,",
            to: "            Self::Manual => Policy::Newest,",
        }],
        tests: &[pilot("carry::what_both_sides_wrote_goes_to_a_person")],
    },
    Defect {
        system: "luckygas",
        number: "L5",
        what: "a page of changes lost rows at its edge, for good",
        edits: &[Edit {
            file: REMOTE,
            from: "            page.next.stamp = stamp(cells.count(0)?);",
            to: "            page.next.stamp = stamp(cells.count(0)? + 1);",
        }],
        tests: &[
            pilot("carry::what_each_side_writes_arrives"),
            pilot("carry::nothing_is_lost_at_the_edge_of_a_page"),
        ],
    },
    Defect {
        system: "luckygas",
        number: "L6",
        what: "the carrier's own writes were taken for a user's",
        edits: &[Edit {
            file: ROWS,
            from: "                outbox.sign(self.store, mark, SIGNATURE)?;",
            to: "                let _ = (mark, SIGNATURE);",
        }],
        tests: &[pilot("carry::the_carriers_own_writes_are_signed")],
    },
    Defect {
        system: "luckygas",
        number: "L7",
        what: "a rollback put nothing back and checked nothing",
        edits: &[
            Edit {
                file: RECONCILE,
                from: "    Travels { forward: standing.forward, reverse: standing.reverse }",
                to: "    Travels { forward: standing.forward, reverse: standing.reverse && cutover.handover.is_none() }",
            },
            Edit {
                file: ORDERS,
                from: "                if self.is_carried(customer, *from, *through)? {",
                to: "                if *through < u64::MAX {",
            },
            Edit {
                file: ORDERS,
                from: "                let parity = self.compare(customer)?;\n                if parity.pending",
                to: "                let parity = CustomerParity::default();\n                if parity.pending",
            },
        ],
        tests: &[pilot("pilot::members_go_forward_stage_by_stage_and_back")],
    },
    Defect {
        system: "luckygas",
        number: "L8",
        what: "where the new side was to win, something else was written",
        edits: &[Edit {
            file: "systems/luckygas/src/link.rs",
            from: "            Self::New => Policy::Mine,",
            to: "            Self::New => Policy::Theirs,",
        }],
        tests: &[pilot("carry::the_new_side_wins_where_it_is_said")],
    },
    Defect {
        system: "luckygas",
        number: "L9",
        what: "a character that Big5 does not have was replaced",
        edits: &[Edit {
            file: "systems/luckygas/src/mapping/rule.rs",
            from: "    big5::encode(text).map(Value::Bytes).map_err(|refused| refused.to_string())",
            to: "    Ok(Value::Bytes(big5::encode(text).unwrap_or_else(|_| b\"?\".to_vec())))",
        }],
        tests: &[pilot("refusals::")],
    },
    Defect {
        system: "luckygas",
        number: "L10",
        what: "deletions never travelled",
        edits: &[Edit {
            file: REMOTE,
            from: "                None => page.gone.push(GoneRow { key: key.clone(), version: self.last(*number)?.0 }),",
            to: "                None => drop(GoneRow { key: key.clone(), version: self.last(*number)?.0 }),",
        }],
        tests: &[pilot("carry::a_customer_that_begins_on_the_new_side")],
    },
    Defect {
        system: "luckygas",
        number: "L11",
        what: "what began on the new side never reached the legacy side",
        edits: &[Edit {
            file: RECONCILE,
            from: "                None => Some(is.clone()),",
            to: "                None => return Ok(None),",
        }],
        tests: &[pilot("carry::a_customer_that_begins_on_the_new_side")],
    },
];
