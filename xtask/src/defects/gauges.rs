//! The defects D1 to D16 of the earlier gauge tracker, numbered as in the requirements map.
//!
//! Owns for each the edit of our source that puts it back and the tests that must notice.

use super::{Defect, Edit, Test};

const fn system(name: &'static str) -> Test {
    Test { package: "plimsoll-gauges", program: "gauges", name }
}

/// The list.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        system: "gauges",
        number: "1",
        what: "the next number was found by looking for gaps, so a used ID was proposed for ever",
        edits: &[Edit {
            file: "systems/gauges/src/operation/registration.rs",
            from: "    let automatic = SetId { prefix: category.clone(), number: next, left };",
            to: "    let automatic = SetId { prefix: category.clone(), number: (next - 1).max(1), left };",
        }],
        tests: &[system("defects::d1_")],
    },
    Defect {
        system: "gauges",
        number: "2",
        what: "pairing spares never asked the history",
        edits: &[Edit {
            file: "systems/gauges/src/operation/registration.rs",
            from: "    if issues > 0 && checked {",
            to: "    if issues > 0 && checked && origin != \"paired\" {",
        }],
        tests: &[system("defects::d2_")],
    },
    Defect {
        system: "gauges",
        number: "3",
        what: "the history was searched without an index",
        edits: &[Edit {
            file: "systems/gauges/schema/tables.sql",
            from: "    PRIMARY KEY (subject, entry)\n",
            to: "    PRIMARY KEY (entry, subject)\n",
        }],
        tests: &[system("defects::d3_")],
    },
    Defect {
        system: "gauges",
        number: "4a",
        what: "replace did not compare thread specifications",
        edits: &[Edit {
            file: "systems/gauges/src/rules/pairing.rs",
            from: "    if let Some(wanted) = wanted {",
            to: "    if let Some(wanted) = wanted.filter(|_| name.is_empty()) {",
        }],
        tests: &[system("defects::d4_"), system("rules::d4_"), system("sequences::random_")],
    },
    Defect {
        system: "gauges",
        number: "4b",
        what: "two GOs could form a set",
        edits: &[Edit {
            file: "systems/gauges/src/rules/pairing.rs",
            from: "    if thread.side != side {",
            to: "    if thread.side != side && name.is_empty() {",
        }],
        tests: &[system("defects::d4_"), system("rules::d4_")],
    },
    Defect {
        system: "gauges",
        number: "4c",
        what: "replace did not ask whether a member is out",
        edits: &[Edit {
            file: "systems/gauges/src/operation/membership.rs",
            from: "filter(|member| member.status == Status::CheckedOut) {",
            to: "filter(|member| member.status == Status::CheckedOut && member.serial.is_empty()) {",
        }],
        tests: &[system("defects::d4_")],
    },
    Defect {
        system: "gauges",
        number: "5",
        what: "replace needed exactly two members",
        edits: &[Edit {
            file: "systems/gauges/src/operation/membership.rs",
            from: "    for member in members.iter().filter(|member| member.status == Status::CheckedOut) {",
            to: "    if members.len() != 2 {\n        return Err(vec![Refused::new(\"replace.two\", \"two members are needed\")]);\n    }\n    for member in members.iter().filter(|member| member.status == Status::CheckedOut) {",
        }],
        tests: &[system("defects::d5_")],
    },
    Defect {
        system: "gauges",
        number: "6",
        what: "a lost gauge took its partner out of the set",
        edits: &[Edit {
            file: "systems/gauges/src/operation/membership.rs",
            from: "        draft.note(\"incomplete\", json!({ \"set\": set.set_id, \"missing\": side }));\n",
            to: "        for other in facts.members(set).into_iter().filter(|other| other.serial != gauge.serial) {\n            if let Some(side) = other.side() {\n                leave(&mut draft, set, side, other);\n            }\n        }\n",
        }],
        tests: &[system("defects::d5_")],
    },
    Defect {
        system: "gauges",
        number: "7",
        what: "unpair was possible while a member is out",
        edits: &[Edit {
            file: "systems/gauges/src/operation/membership.rs",
            from: "    for member in &members {\n        refused.extend(Step::Leave.of(&member.serial, member.status).err());\n",
            to: "    for member in &members {\n",
        }],
        tests: &[system("defects::d7_")],
    },
    Defect {
        system: "gauges",
        number: "8",
        what: "one member could be taken without the other",
        edits: &[Edit {
            file: "systems/gauges/src/operation/desk.rs",
            from: "    let (set, gauges) = whom(ask, facts, true)?;\n    let holder =",
            to: "    let (set, gauges) = whom(ask, facts, false)?;\n    let holder =",
        }],
        tests: &[system("defects::d8_"), system("sequences::random_")],
    },
    Defect {
        system: "gauges",
        number: "9",
        what: "a move that failed for one gauge was made for the other",
        edits: &[Edit {
            file: "systems/gauges/src/operation/service.rs",
            from: "    if let Err(more) = all_step(&mut draft, &gauges, Step::Move) {\n        refused.extend(more);\n    }\n",
            to: "    let _ = all_step(&mut draft, &gauges, Step::Move);\n",
        }],
        tests: &[system("defects::d9_")],
    },
    Defect {
        system: "gauges",
        number: "10",
        what: "every gauge passed for a spare",
        edits: &[Edit {
            file: "systems/gauges/src/rules/pairing.rs",
            from: "filter(|_| !gauge.status.is_final())",
            to: "filter(|_| gauge.serial.is_empty())",
        }],
        tests: &[system("defects::d10_"), system("rules::d4_")],
    },
    Defect {
        system: "gauges",
        number: "11",
        what: "a return put a wrong status right in passing",
        edits: &[Edit {
            file: "systems/gauges/src/operation/desk.rs",
            from: "    all_step(&mut draft, &gauges, Step::Return)?;\n",
            to: "    for gauge in &gauges {\n        draft.gauge(gauge).status = crate::model::Status::PendingQc;\n    }\n",
        }],
        tests: &[system("defects::d11_")],
    },
    Defect {
        system: "gauges",
        number: "12a",
        what: "lines of the history could be changed",
        edits: &[Edit {
            file: "systems/gauges/schema/sqlite/guards.sql",
            from: "gauge_history_guard_update BEFORE UPDATE ON gauge_history BEGIN",
            to: "gauge_history_guard_update BEFORE UPDATE ON gauge_history WHEN FALSE BEGIN",
        }],
        tests: &[system("schema::d12_")],
    },
    Defect {
        system: "gauges",
        number: "12b",
        what: "a changed line was not noticed",
        edits: &[Edit {
            file: "systems/gauges/src/audit.rs",
            from: "if line.digest != line.computed() {",
            to: "if line.digest.is_empty() {",
        }],
        tests: &[system("history::whatever_")],
    },
    Defect {
        system: "gauges",
        number: "13",
        what: "the partner was looked up by the ID of the set",
        edits: &[Edit {
            file: "systems/gauges/src/operation/mod.rs",
            from: "        Some(set) if both => Ok((Some(set), facts.members(set))),",
            to: "        Some(set) if both => {\n            Ok((Some(set), facts.gauges.get(&set.set_id).into_iter().chain([gauge]).collect()))\n        }",
        }],
        tests: &[system("defects::d13_")],
    },
    Defect {
        system: "gauges",
        number: "14a",
        what: "GO and NO-GO were told by the order of ids",
        edits: &[
            Edit {
                file: "systems/gauges/src/backfill.rs",
                from: "    let go = members.iter().find(|gauge| gauge.is_go)?;",
                to: "    let go = members.iter().min_by_key(|gauge| gauge.id)?;",
            },
            Edit {
                file: "systems/gauges/src/backfill.rs",
                from: "    let nogo = members.iter().find(|gauge| !gauge.is_go)?;",
                to: "    let nogo = members.iter().max_by_key(|gauge| gauge.id)?;",
            },
        ],
        tests: &[system("backfill::a_backfill_runs_once")],
    },
    Defect {
        system: "gauges",
        number: "14b",
        what: "sets with one or three members were counted as good",
        edits: &[Edit {
            file: "systems/gauges/src/backfill.rs",
            from: "        if members.len() != 2 {",
            to: "        if members.is_empty() {",
        }],
        tests: &[system("backfill::d14_")],
    },
    Defect {
        system: "gauges",
        number: "15",
        what: "nothing told which sets are incomplete",
        edits: &[Edit {
            file: "systems/gauges/src/register.rs",
            from: "AND m.until_entry IS NULL) < 2",
            to: "AND m.until_entry IS NULL) < 0",
        }],
        tests: &[system("defects::d15_"), system("registers::incomplete_")],
    },
    Defect {
        system: "gauges",
        number: "16",
        what: "pairing wrote the ID of the set over the serial",
        edits: &[Edit {
            file: "systems/gauges/src/draft.rs",
            from: "        context.update(row, &gauge.mutable())?;",
            to: "        let engraved = gauge.set_id.as_ref().map_or(serial.clone(), |set_id| format!(\"{set_id}-A\"));\n        context.update(row, &[(\"serial\", Value::text(engraved))])?;",
        }],
        tests: &[system("defects::d16_")],
    },
];
