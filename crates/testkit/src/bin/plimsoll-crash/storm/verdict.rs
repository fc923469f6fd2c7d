//! Calm, and what must hold after it.
//!
//! Owns the checks. They look at PEMS, which knows what was done to it, and at the store through the command and its
//! tables; no check asks the engine whether it thinks that it did well.

use std::collections::BTreeMap;

use plimsoll_core::value::Value;
use plimsoll_simulator::pems::Drift;
use plimsoll_store::Store;
use serde_json::Value as Json;

use super::turn::FIELDS;
use super::{Round, SCOPE};
use crate::Failure;

/// So many times everything is sent, read and decided; conflicts beget no conflicts without end.
const CALM_TURNS: u32 = 20;

impl Round<'_> {
    /// Nothing fails any more; what waits for a person is decided.
    pub(super) fn calm(&mut self) -> Result<(), Failure> {
        self.pems.turn_faults(false);
        // There may be no drift to take back.
        drop(self.pems.drift(&Drift::Restore));
        for _ in 0..CALM_TURNS {
            let synced =
                self.sync("campaign", &["--drain", "--complete", "--confirm-missing", "1000"])?.finish()?;
            let status = &synced["status"];
            let failed = status["edits"]["failed"].as_u64().unwrap_or(0);
            if status["conflicts"] == 0 && failed == 0 && status["due"] == 0 && synced["sent"]["sent"] == 0 {
                return Ok(());
            }
            self.plimsoll("campaign", &["conflicts", "resolve", "pfa", "--all", "--take", "mine"])?
                .finish()?;
            self.plimsoll("campaign", &["dead-letters", "retry", "pfa", "--all"])?.finish()?;
        }
        Err(format!("no rest after {CALM_TURNS} turns of calm").into())
    }

    /// What must hold.
    pub(super) fn judge(&mut self) -> Result<(), Failure> {
        self.sides_agree()?;
        let effects = self.pems.effects();
        if let Some((operation, times)) = effects.operations.iter().find(|(_, times)| **times != 1) {
            return Err(format!("operation {operation} had {times} effects").into());
        }
        if effects.unnamed > 0 {
            return Err(format!("{} effects without an operation", effects.unnamed).into());
        }
        let mut store = plimsoll_store::open(&self.at.url.parse()?)?;
        self.edits_ended(store.as_mut())?;
        self.figures_agree()
    }

    /// Every row here is at PEMS with the same values of the fields that people edit here, and the other way round (I1).
    fn sides_agree(&self) -> Result<(), Failure> {
        let words = ["records", "pfa", "--scope", SCOPE, "--limit", "0"];
        let here = self.plimsoll("nobody", &words)?.finish()?;
        let mine: BTreeMap<String, Vec<Json>> = here
            .as_array()
            .ok_or("records are no list")?
            .iter()
            .map(|row| {
                let values = FIELDS.iter().map(|(field, _)| row[*field].clone()).collect();
                (row["key"].as_str().unwrap_or_default().to_owned(), values)
            })
            .collect();
        let theirs: BTreeMap<String, Vec<Json>> = self
            .pems
            .rows(Some(SCOPE))
            .iter()
            .map(|row| {
                let values = FIELDS.iter().map(|(_, wire)| row[*wire].clone()).collect();
                (row["pfs_id"].as_str().unwrap_or_default().to_owned(), values)
            })
            .collect();
        if let Some((key, values)) = mine.iter().find(|(key, values)| theirs.get(*key) != Some(values)) {
            return Err(format!("{key} is {values:?} here and {:?} at PEMS", theirs.get(key)).into());
        }
        if let Some(key) = theirs.keys().find(|key| !mine.contains_key(*key)) {
            return Err(format!("{key} is at PEMS and not here").into());
        }
        Ok(())
    }

    /// Every edit that was told as committed is stored and came to an end; its value was at PEMS, or what became of it is
    /// written down (I2, I8).
    fn edits_ended(&self, store: &mut dyn Store) -> Result<(), Failure> {
        let rows = store.query("SELECT edit, state FROM plimsoll_sync_edit WHERE link = 'pfa'", &[])?;
        let text = |value: &Value| value.as_text().unwrap_or_default().to_owned();
        let states: BTreeMap<String, String> =
            rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect();
        if let Some((edit, state)) =
            states.iter().find(|(_, state)| !["synced", "discarded", "draft"].contains(&state.as_str()))
        {
            return Err(format!("edit {edit} is still {state}").into());
        }
        let log = self.pems.log();
        for told in &self.told {
            match states.get(&told.edit).map(String::as_str) {
                Some("synced" | "discarded") => {}
                other => {
                    return Err(format!("edit {} was told as committed and is {other:?}", told.edit).into());
                }
            }
            let value = Json::from(told.value.clone());
            let arrived = log
                .iter()
                .any(|effect| effect.id == told.key && effect.fields.get(told.wire) == Some(&value));
            if arrived {
                continue;
            }
            let sql =
                "SELECT kind, detail FROM plimsoll_sync_happening WHERE link = 'pfa' AND record_key = $1";
            let happened = store.query(sql, &[Value::text(told.key.as_str())])?;
            let is_explained = happened.iter().any(|row| {
                let (kind, detail) = (text(&row[0]), text(&row[1]));
                kind == "coalesced" || (kind.starts_with("lost_") && detail.contains(&told.value))
            });
            if !is_explained {
                return Err(format!("edit {} of {} vanished: {}", told.edit, told.key, told.value).into());
            }
        }
        Ok(())
    }

    /// The figures of the merged rows are the same without Redis, through it, and from it.
    fn figures_agree(&mut self) -> Result<(), Failure> {
        let words = ["records", "pfa", "--figures", "--scope", SCOPE];
        let through = self.plimsoll("reader", &words)?.finish()?;
        let from = self.plimsoll("reader", &words)?.finish()?;
        let redis = self.redis.take();
        let without = self.plimsoll("reader", &words)?.finish();
        self.redis = redis;
        let without = without?;
        if through != without || from != without {
            return Err(
                format!("figures differ: {without} without Redis, {through} and {from} with it").into()
            );
        }
        Ok(())
    }
}
