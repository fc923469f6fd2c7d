//! What other users of the simulated PEMS do, and how its schema drifts.
//!
//! Owns the choice of their edits, which hold the rules like everybody's. Each is an effect of
//! [`super::ledger::Author::Another`].
//!
//! Invariant: what is chosen depends on the seed, the rows and the number of earlier strikes only.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::faults::FaultKind;
use super::generate::{AREAS, CATEGORIES, CLASSES, MANUFACTURERS, amount, fields, organization};
use super::ledger::Writer;
use super::model::{FIELDS, FieldKind, FieldSpec, Fields, Row};
use super::refusal::Refusal;
use super::remote::Remote;
use super::schema::Drift;
use crate::random::Random;

/// The fields that a seeded drift may take: those that no rule needs.
const DRIFTING: [&str; 7] = [
    "pfs_f_area",
    "pfs_f_category",
    "pfs_f_class",
    "pfs_f_manufacturer",
    "pfs_f_model",
    "pfs_p_projcode",
    "pfs_equipment_tag",
];

/// How many edits are tried before the one that no rule can refuse.
const TRIES: usize = 8;

impl Remote {
    /// Another user edits the row that a PUT of `sent` is about, half the time one of the same fields.
    pub(crate) fn edited_meanwhile(&mut self, id: &str, sent: &Fields) {
        let mut random = self.strikes.random(FaultKind::ConcurrentEdit);
        let same_field = random.percent(50);
        let eligible = |spec: &&FieldSpec| spec.writable && (!same_field || sent.contains_key(spec.name));
        let specs: Vec<&FieldSpec> = FIELDS.iter().filter(eligible).collect();
        for _ in 0..TRIES {
            if specs.is_empty() {
                break;
            }
            let spec = *random.pick(&specs);
            let Some(value) = self.row(id).and_then(|row| other_value(spec, row, &mut random)) else {
                continue;
            };
            let change = Fields::from_iter([(spec.name.to_owned(), value)]);
            if self.update(id, None, &change, &Writer::another()).is_ok() {
                return;
            }
        }
        let model = json!(format!("Demo N-{}", random.below(100_000)));
        let change = Fields::from_iter([("pfs_f_model".to_owned(), model)]);
        // It can only fail when the row is not there, and then there is nobody to meet.
        let _ = self.update(id, None, &change, &Writer::another());
    }

    /// A row vanishes where that fault strikes, half the time the one that the request is about.
    pub(crate) fn let_rows_vanish(&mut self, asked_for: Option<&str>) {
        if self.is_empty() || !self.strikes.strikes(FaultKind::Deleted) {
            return;
        }
        let mut random = self.strikes.random(FaultKind::Deleted);
        let ids: Vec<String> = self.rows(None).map(|row| row.id.clone()).collect();
        let asked_for = asked_for.filter(|id| self.row(id).is_some() && random.percent(50));
        let id = asked_for.unwrap_or_else(|| &ids[random.below(ids.len())]);
        self.deleted_by_another(id);
    }

    /// Another user deletes a row, if it is still there.
    pub(crate) fn deleted_by_another(&mut self, id: &str) {
        // An error means that it is gone already.
        let _ = self.delete(id, None, &Writer::another());
    }

    /// Another user creates a row whose id sorts in front of the generated ones; tells its id.
    pub(crate) fn created_by_another(
        &mut self,
        wanted: Option<&str>,
        random: &mut Random,
    ) -> Result<String, Refusal> {
        let owner = wanted.map_or_else(|| organization(0), str::to_owned);
        let number = self.ledger.all().len() + 1;
        let id = format!("{owner}-000000.{number:06}");
        self.create(&id, &owner, &fields(random), &Writer::another())?;
        Ok(id)
    }

    /// The schema drifts where that fault strikes, or goes back to what it was.
    pub(crate) fn let_schema_drift(&mut self) {
        if !self.strikes.strikes(FaultKind::SchemaDrift) {
            return;
        }
        let mut random = self.strikes.random(FaultKind::SchemaDrift);
        let field = random.word(&DRIFTING).to_owned();
        let drift = if !self.schema.is_original() {
            Drift::Restore
        } else {
            match random.below(3) {
                0 => Drift::Rename { to: format!("{field}_v2"), field },
                1 => Drift::Add { field: "pfs_f_demo_extra".to_owned() },
                _ => Drift::Remove { field },
            }
        };
        // From the original schema each of these is possible.
        let _ = self.schema.drift(&drift);
    }
}

/// A value that the field does not have now; nothing where there is none to be had.
fn other_value(spec: &FieldSpec, row: &Row, random: &mut Random) -> Option<Value> {
    let now = row.text(spec.name);
    let value = match spec.kind {
        FieldKind::Text => match spec.name {
            "pfs_f_area" => random.word(&AREAS).to_owned(),
            "pfs_f_category" => random.word(&CATEGORIES).to_owned(),
            "pfs_f_class" => random.word(&CLASSES).to_owned(),
            "pfs_f_manufacturer" => random.word(&MANUFACTURERS).to_owned(),
            _ => format!("Demo {}", random.below(100_000)),
        },
        FieldKind::Date => {
            (now?.parse::<Date>().ok()? + (random.between(1, 20) as i64 - 10).days()).to_string()
        }
        FieldKind::Decimal => now.map(|_| amount(random, 200, 9_000))?,
        FieldKind::Flag => if now == Some("Y") { "N" } else { "Y" }.to_owned(),
        FieldKind::Choice(choices) => random.word(choices).to_owned(),
        FieldKind::Instant | FieldKind::Integer => return None,
    };
    (now != Some(value.as_str())).then(|| json!(value))
}
