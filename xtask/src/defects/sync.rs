//! The defects of the earlier two-way sync, P1 to P11, as reference/sync.md numbers them.
//!
//! Owns for each the edit of our source that puts it back and the test that must notice.

use super::{Defect, Edit, Test};

const WORKER: &str = "crates/engine/src/sync/worker.rs";
const PACE: &str = "crates/engine/src/sync/pace.rs";

const fn link(name: &'static str) -> Test {
    Test { package: "plimsoll-pfa", program: "sync", name }
}

/// The list.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        system: "sync",
        number: "1",
        what: "a conflict was not seen, and the local value written over the other one",
        edits: &[Edit {
            file: "crates/core/src/sync/merge.rs",
            from: "        Policy::Manual => UnitMerge::Clash,\n",
            to: "        Policy::Manual => mine(),\n",
        }],
        tests: &[link("conflicts::defect_p1")],
    },
    Defect {
        system: "sync",
        number: "2",
        what: "a write sent the newest version instead of the one that the edit was made on",
        edits: &[
            Edit {
                file: "systems/pfa/src/remote.rs",
                from: "        let operation = dispatch.operation.to_string();\n",
                to: "        let newest = self.read(key)?.map_or(0, |row| row.version.0);\n        \
                     let operation = dispatch.operation.to_string();\n",
            },
            Edit {
                file: "systems/pfa/src/remote.rs",
                from: "json!({\"version\": version.0, \"fields\"",
                to: "json!({\"version\": newest, \"fields\"",
            },
        ],
        tests: &[link("conflicts::defect_p1"), link("conflicts::each_answer")],
    },
    Defect {
        system: "sync",
        number: "3",
        what: "a request without an answer was taken for one that was not applied",
        edits: &[Edit {
            file: "crates/engine/src/sync/http.rs",
            from: "        _ => Trouble::Unknown(what),\n",
            to: "        _ => Trouble::NotSent(what),\n",
        }],
        tests: &[link("send::defect_p3")],
    },
    Defect {
        system: "sync",
        number: "4",
        what: "what was being sent when the worker died was never looked at again",
        edits: &[Edit {
            file: WORKER,
            from: "            kept.due_ms = Some(kept.lease.until_ms);\n",
            to: "            kept.due_ms = None;\n",
        }],
        tests: &[link("send::defect_p4")],
    },
    Defect {
        system: "sync",
        number: "5",
        what: "two workers took the same record",
        edits: &[
            Edit { file: WORKER, from: "AND lease_until_ms <= $2 ORDER BY", to: "ORDER BY" },
            Edit { file: WORKER, from: "\" FOR UPDATE SKIP LOCKED\"", to: "\"\"" },
            Edit {
                file: WORKER,
                from: "            kept.lease.guard(epoch, now_ms)?;\n            let need = loop {\n",
                to: "            let need = loop {\n",
            },
        ],
        tests: &[link("send::defect_p5")],
    },
    Defect {
        system: "sync",
        number: "6",
        what: "a remote that was down was asked again at once, and again",
        edits: &[
            Edit {
                file: WORKER,
                from: "                        _ => put_off(kept.failures, retry_after_ms),\n",
                to: "                        _ => put_off(kept.failures, retry_after_ms).min(100),\n",
            },
            Edit {
                file: WORKER,
                from: "                Outcome::Unread => wait = Some(put_off(kept.failures, None)),\n",
                to: "                Outcome::Unread => wait = Some(100),\n",
            },
            Edit {
                file: PACE,
                from: "                breaker.after_failure(rule, now_ms)\n",
                to: "                breaker\n",
            },
        ],
        tests: &[link("send::defect_p6")],
    },
    Defect {
        system: "sync",
        number: "7",
        what: "far fewer requests were sent than the remote allows",
        edits: &[Edit {
            file: PACE,
            from: "..RateRule::per_second(most)",
            to: "..RateRule::per_second(most.div_ceil(6))",
        }],
        tests: &[link("send::defect_p7")],
    },
    Defect {
        system: "sync",
        number: "8",
        what: "where an edit stands was written in one place and read in another",
        edits: &[Edit {
            file: "crates/engine/src/sync/take.rs",
            from: "    tell_edits(store, link, &before, kept, now)?;\n",
            to: "    let _ = tell_edits;\n",
        }],
        tests: &[link("send::defect_p3")],
    },
    Defect {
        system: "sync",
        number: "9",
        what: "the edit replaced the row instead of being laid over it",
        edits: &[Edit {
            file: "crates/core/src/sync/record.rs",
            from: "        fields.extend(self.values());\n        Some(fields)\n",
            to: "        fields.clear();\n        fields.extend(self.values());\n        Some(fields)\n",
        }],
        tests: &[link("send::a_broken_rule")],
    },
    Defect {
        system: "sync",
        number: "10",
        what: "the rules judged the edit alone, not the row as it would be",
        edits: &[Edit {
            file: "crates/core/src/sync/plan/local.rs",
            from: "            let checked = self.rules.check(self.record.mirror.fields(), &whole);\n            \
                   checked.map_err(|broken| PlanError::Broken(broken.message))?;\n        }\n        draft.state",
            to: "            let _ = whole;\n            \
                 let checked = self.rules.check(self.record.mirror.fields(), &draft.intent.values());\n            \
                 checked.map_err(|broken| PlanError::Broken(broken.message))?;\n        }\n        draft.state",
        }],
        tests: &[link("send::a_broken_rule")],
    },
    Defect {
        system: "sync",
        number: "11",
        what: "deletions did not travel",
        edits: &[Edit {
            file: "crates/engine/src/sync/pull.rs",
            from: "        for key in missing {\n",
            to: "        for key in missing.into_iter().take(0) {\n",
        }],
        tests: &[link("pull::defect_p11")],
    },
];
