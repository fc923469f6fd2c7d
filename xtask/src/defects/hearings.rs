//! The defects of the earlier hearing updater, numbered as in the requirements map.
//!
//! Owns for each the edit of our source that puts it back and the tests that must notice.

use super::{Defect, Edit, Test};

const fn engine(name: &'static str) -> Test {
    Test { package: "plimsoll-engine", program: "change", name }
}

const fn command(name: &'static str) -> Test {
    Test { package: "plimsoll", program: "cli", name }
}

const fn system(name: &'static str) -> Test {
    Test { package: "plimsoll-hearings", program: "hearings", name }
}

/// The list.
pub(super) const DEFECTS: &[Defect] = &[
    Defect {
        system: "hearings",
        number: "1",
        what: "rows were committed apart from the batch that they belong to",
        edits: &[Edit {
            file: "crates/engine/src/change/batch.rs",
            from: "    let mut report = write_items(session.store.as_mut(), &stored, &taken)?;\n",
            to: "    let mut report = write_items(session.store.as_mut(), &stored, &taken)?;\n    \
                 session.store.commit()?;\n    session.store.begin(plimsoll_store::Access::ReadWrite)?;\n",
        }],
        tests: &[
            engine("defects::sqlite::defect_1_a_batch_is_one_transaction"),
            engine("crash::a_death_at_every_pass"),
        ],
    },
    Defect {
        system: "hearings",
        number: "2a",
        what: "an error left the transaction's block, which committed",
        edits: &[Edit {
            file: "crates/engine/src/change/plan.rs",
            from: "            let _: Result<(), StoreError> = session.store.rollback();",
            to: "            let _: Result<(), StoreError> = session.store.commit();",
        }],
        tests: &[engine("defects::sqlite::defect_2_a_failed_item"), engine("crash::a_death_at_every_pass")],
    },
    Defect {
        system: "hearings",
        number: "2b",
        what: "what a failed item had written until it failed was kept",
        edits: &[Edit {
            file: "crates/engine/src/change/attempts.rs",
            from: "which goes anyway.\n                    self.store.rollback_to(self.base())?;\n",
            to: "which goes anyway.\n",
        }],
        tests: &[engine("isolation::")],
    },
    Defect {
        system: "hearings",
        number: "3",
        what: "four columns of the original were kept, and by wrong positions",
        edits: &[
            Edit {
                file: "crates/core/src/change.rs",
                from: "Self { table: Arc::clone(&self.table), before: self.after.clone(), after: self.before.clone() }",
                to: "Self { table: Arc::clone(&self.table), before: self.after.clone(), after: four(&self.before, &self.after) }",
            },
            Edit {
                file: "crates/core/src/change.rs",
                from: "/// Reads a whole image.",
                to: "fn four(before: &Option<Image>, after: &Option<Image>) -> Option<Image> {\n    \
                     let (Some(before), Some(after)) = (before, after) else { return before.clone() };\n    \
                     let cell = |at: usize| if at < 4 { before[at].clone() } else { after[at].clone() };\n    \
                     Some((0..after.len()).map(cell).collect())\n}\n\n/// Reads a whole image.",
            },
        ],
        tests: &[system("mapping::the_inverse_of_an_update_restores_the_whole_row_and_its_parts")],
    },
    Defect {
        system: "hearings",
        number: "3b",
        what: "the undo restored four columns of the original",
        edits: &[Edit {
            file: "crates/engine/src/change/undo.rs",
            from: "                    changes.push(Change::new(shape, before, after)?);",
            to: "                    let after = match (&before, after) {\n                        \
                 (Some(now), Some(row)) => Some(row.into_iter().zip(now).enumerate().map(|(at, (row, now))| \
                 if at < 4 { row } else { now.clone() }).collect()),\n                        \
                 (_, after) => after,\n                    };\n                    \
                 changes.push(Change::new(shape, before, after)?);",
        }],
        tests: &[command("verbs::the_fixed_shapes_of_run_digest_verify_and_undo"), engine("undo::")],
    },
    Defect {
        system: "hearings",
        number: "4",
        what: "an added hearing was deleted before its links",
        edits: &[Edit {
            file: "crates/engine/src/change/undo.rs",
            from: "stored.item.changes.iter().enumerate().rev()",
            to: "stored.item.changes.iter().enumerate()",
        }],
        tests: &[
            engine("defects::sqlite::defect_4_an_addition_is_undone_with_its_children"),
            command("verbs::a_store_filled_by_a_run_is_emptied_by_its_undo"),
        ],
    },
    Defect {
        system: "hearings",
        number: "5",
        what: "columns were compared with their neighbours, so nearly every hearing had changed",
        edits: &[
            Edit {
                file: "crates/engine/src/change/context.rs",
                from: "        if after == row.image {",
                to: "        if after.iter().skip(1).eq(row.image.iter().rev().skip(1).rev()) {",
            },
            Edit {
                file: "crates/engine/src/change/context.rs",
                from: "        Ok(after != row.image)",
                to: "        Ok(!after.iter().skip(1).eq(row.image.iter().rev().skip(1).rev()))",
            },
        ],
        tests: &[
            system("congress::generated_hearings_change_nothing_in_their_own_database"),
            system("mapping::the_same_record_again_changes_nothing"),
            command("scenarios::test_22_full_flow_success"),
        ],
    },
    Defect {
        system: "hearings",
        number: "6",
        what: "the store did not know what was there before",
        edits: &[Edit {
            file: "crates/engine/src/change/plan.rs",
            from: "                Value::optional_text(before),\n                Value::optional_text(after),",
            to: "                Value::optional_text(before.filter(|_| false)),\n                Value::optional_text(after),",
        }],
        tests: &[engine("defects::sqlite::defect_6_the_way_back_survives_the_process")],
    },
    Defect {
        system: "hearings",
        number: "7",
        what: "one bad row dropped its whole batch",
        edits: &[Edit {
            file: "crates/core/src/isolate.rs",
            from: "        let mut suspects = Vec::new();\n        search.halve(&remaining, fault, &mut suspects)?;",
            to: "        if remaining.len() > 1 {\n            bad.push(Bad { items: std::mem::take(&mut remaining), fault });\n            continue;\n        }\n        \
                 let mut suspects = Vec::new();\n        search.halve(&remaining, fault, &mut suspects)?;",
        }],
        tests: &[
            engine("defects::sqlite::defect_7_one_bad_item_costs_no_good_one"),
            command("scenarios::test_23_full_flow_partial_failure"),
        ],
    },
    Defect {
        system: "hearings",
        number: "8",
        what: "the validator took joint meetings and refused those of no chamber, unlike the schema",
        edits: &[Edit {
            file: "systems/hearings/src/rules.rs",
            from: "pub const CHAMBERS: [&str; 3] = [\"House\", \"Senate\", \"NoChamber\"];",
            to: "pub const CHAMBERS: [&str; 3] = [\"House\", \"Senate\", \"Joint\"];",
        }],
        tests: &[system("refusals::the_validator_and_the_schema_accept_the_same_chambers")],
    },
    Defect {
        system: "hearings",
        number: "9a",
        what: "the backup was a copy of a file in use",
        edits: &[Edit {
            file: "crates/store/src/backup/sqlite.rs",
            from: "    source.copy_to(&part.file)?;",
            to: "    std::fs::copy(path, &part.file).map_err(super::file_error(\"copying\"))?;",
        }],
        tests: &[Test { package: "plimsoll-store", program: "backup", name: "sqlite" }],
    },
    Defect {
        system: "hearings",
        number: "9b",
        what: "a backup was checked by its size",
        edits: &[Edit {
            file: "crates/store/src/backup/sqlite.rs",
            from: "    let damaged =\n        |problem: String| BackupError::Damaged { what: file.display().to_string(), problem, hint: HINT };\n    let mut copy",
            to: "    if std::fs::metadata(file).is_ok_and(|found| found.len() > 0) {\n        return Ok(());\n    }\n    \
                 let damaged =\n        |problem: String| BackupError::Damaged { what: file.display().to_string(), problem, hint: HINT };\n    let mut copy",
        }],
        tests: &[Test { package: "plimsoll-store", program: "backup", name: "sqlite" }],
    },
    Defect {
        system: "hearings",
        number: "10",
        what: "a run whose batches failed was a success",
        edits: &[Edit {
            file: "crates/engine/src/change/report.rs",
            from: "        success: run.status == RunStatus::Finished && tally.clean(),",
            to: "        success: run.status == RunStatus::Finished,",
        }],
        tests: &[
            engine("defects::sqlite::defect_10_a_run_with_failures_is_no_success"),
            command("scenarios::test_23_full_flow_partial_failure"),
        ],
    },
    Defect {
        system: "hearings",
        number: "11a",
        what: "the backfill had no dry run",
        edits: &[Edit {
            file: "crates/cli/src/command/apply.rs",
            from: "&session, &arguments.source)?;\n    if arguments.settings.dry_run {",
            to: "&session, &arguments.source)?;\n    if arguments.settings.dry_run && session.actor.is_empty() {",
        }],
        tests: &[command("verbs::dry_runs_change_nothing_at_all")],
    },
    Defect {
        system: "hearings",
        number: "11b",
        what: "the backfill had no checkpoint: whoever went on began anew",
        edits: &[Edit {
            file: "crates/engine/src/change/run.rs",
            from: "                next_item: cells.count(4)?,",
            to: "                next_item: cells.count(2)?,",
        }],
        tests: &[engine("crash::a_death_at_every_pass"), engine("control::")],
    },
];
