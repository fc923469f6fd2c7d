//! One record, brought to where both sides say the same, in one transaction of the new side's store.
//!
//! Owns the comparison of three forms of a record: what the new side's rows are now, what they were when the two were
//! last agreed, and what the link sees (the legacy row with the edits over it). A difference between the first two is an
//! edit that somebody made on the new side, and goes to the planner of sync with what its author saw; a difference between
//! the first and the last is written to the new side's rows, signed. It merges nothing: [`plimsoll_core::sync`] does.
//!
//! Doing it twice changes nothing, because it works from what is there and not from what happened.
//!
//! Invariants: an edit is taken before anything is written over it, in the same transaction; nothing is written to rows
//! of a customer whose changes do not travel at this stage; what cannot be carried is kept with its reason and left as it
//! is on both sides.

use plimsoll_core::pilot::cutover::{Cutover, Side, standing};
use plimsoll_core::pilot::mapping::{NewRows, References};
use plimsoll_core::sync::hybrid::HybridTime;
use plimsoll_core::sync::plan::Event;
use plimsoll_core::sync::record::{Edit, Fields};
use plimsoll_core::table::RowKey;
use plimsoll_core::value::Value;
use plimsoll_store::{DatabaseKind, Store};

use super::declare::{Pilot, PilotEntity, TROUBLE};
use super::member;
use super::record::SideStore;
use super::remote::{SCOPE, code_of_born_new, words};
use super::repair::Codes;
use crate::change::cells::Cells;
use crate::clock::new_id;
use crate::error::EngineError;
use crate::sync::record::{self, Kept};
use crate::sync::take::{Because, advance};
use crate::sync::{edit, milliseconds};

/// Whose records are carried, beside those of the pilot's members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Nobody's but those that the new side has already.
    #[default]
    Members,
    /// Everybody's: dual write of the whole company.
    Everyone,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// Both sides say the same, or will when what was queued is sent.
    Done,
    /// Nothing can be done before something else is; what.
    Waits(String),
    /// It cannot be carried; why.
    Held(String),
}

/// The name under which edits of the new side stand in the histories.
const AUTHOR: &str = "new side";

const BECAUSE: Because<'static> = Because { actor: AUTHOR, why: "captured" };

pub(super) struct Reconcile<'a> {
    pub(super) pilot: &'static dyn Pilot,
    pub(super) entity: &'static PilotEntity,
    pub(super) reach: Reach,
    pub(super) store: &'a mut dyn Store,
    pub(super) now: &'a str,
    /// When the oldest change of the record at hand was captured.
    pub(super) since: String,
}

/// What is kept of a record between two times.
struct Agreed {
    code: String,
    form: Option<Fields>,
}

/// Which way the changes of a record's owner travel.
#[derive(Clone, Copy)]
struct Travels {
    forward: bool,
    reverse: bool,
}

impl Reconcile<'_> {
    /// Brings one record there. `since` is when its oldest change was captured.
    pub(super) fn record(&mut self, key: &str, since: &str) -> Result<Ended, EngineError> {
        let link = self.pilot.link(self.entity.name);
        since.clone_into(&mut self.since);
        let mut kept = record::lock(self.store, link, key, self.now)?;
        if kept.scope.is_empty() {
            SCOPE.clone_into(&mut kept.scope);
        }
        // After the record's own lines: a pull takes them in this order too.
        let sql = "DELETE FROM plimsoll_pilot_due WHERE entity = $1 AND record_key = $2";
        self.store.execute(sql, &[Value::text(self.entity.name), Value::text(key)])?;
        let agreed = self.agreed(key)?;
        let code = match &agreed {
            Some(agreed) => Some(agreed.code.clone()),
            None => self.code_of(key)?,
        };
        let rows = match &code {
            Some(code) => self.rows(code)?,
            None => None,
        };
        let form = match &rows {
            None => None,
            Some(rows) => match self.form_of(rows)? {
                Ok(form) => Some(form),
                Err(ended) => return self.ends(key, code.as_deref(), ended),
            },
        };
        let was = agreed.and_then(|agreed| agreed.form);
        let travels = self.travels(&kept, form.as_ref().or(was.as_ref()), rows.is_some())?;
        if travels.reverse
            && self.entity.both_ways
            && let Some(ended) = self.take_edit(&mut kept, was.as_ref(), form.as_ref(), since)?
        {
            return self.ends(key, code.as_deref(), ended);
        }
        if !travels.forward && !travels.reverse {
            record::keep(self.store, link, &kept, self.now)?;
            return Ok(Ended::Done);
        }
        if rows.is_none() && !travels.forward && kept.record.view().is_some() {
            // It is nobody's on the new side yet.
            record::keep(self.store, link, &kept, self.now)?;
            return Ok(Ended::Done);
        }
        if rows.is_some() && was.is_none() && kept.record.view().is_none() {
            // Nothing is known of it but that it is here: nobody deleted it, and its way to the other side is not open.
            record::keep(self.store, link, &kept, self.now)?;
            return Ok(Ended::Done);
        }
        let ended = self.write(key, &kept, code, rows, form)?;
        record::keep(self.store, link, &kept, self.now)?;
        Ok(ended)
    }

    fn agreed(&mut self, key: &str) -> Result<Option<Agreed>, EngineError> {
        let sql = "SELECT code, form FROM plimsoll_pilot_record WHERE entity = $1 AND record_key = $2";
        let rows = self.store.query(sql, &[Value::text(self.entity.name), Value::text(key)])?;
        let Some(cells) = rows.into_iter().next().map(Cells) else { return Ok(None) };
        let form = cells.optional_text(1)?.map(|text| serde_json::from_str(&text)).transpose()?;
        Ok(Some(Agreed { code: cells.text(0)?, form }))
    }

    /// The code of a record that was never agreed: of one that began here, the one in its key; else the one of the row
    /// that names its legacy number.
    fn code_of(&mut self, key: &str) -> Result<Option<String>, EngineError> {
        if let Some(code) = code_of_born_new(key) {
            return Ok(Some(code.to_owned()));
        }
        let Ok(number) = key.parse::<i64>() else { return Ok(None) };
        let mut codes = Codes::default();
        let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
        codes.find(&mut side, self.pilot, self.entity.name, Some(number))?;
        Ok(codes.code_of(self.entity.name, number))
    }

    fn rows(&mut self, code: &str) -> Result<Option<NewRows>, EngineError> {
        let key = RowKey(vec![Value::text(code)]);
        let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
        if side.store.kind() == DatabaseKind::Postgres {
            let root = self.entity.root();
            let shape = side.shape(root)?;
            let column = shape.key_columns().next().unwrap_or("id").to_owned();
            let sql = format!("SELECT 1 FROM {root} WHERE {column} = $1 FOR UPDATE");
            side.store.query(&sql, &[Value::text(code)])?;
        }
        Ok(side.new_rows(self.entity, std::slice::from_ref(&key))?.pop().flatten())
    }

    /// The new side's rows in the form of the mirror.
    fn form_of(&mut self, rows: &NewRows) -> Result<Result<Fields, Ended>, EngineError> {
        let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
        let references = side.references_of(self.entity, std::iter::once(rows))?;
        for reference in self.entity.references {
            let code = rows.get(reference.table).and_then(|row| row.get(reference.column));
            if let Some(code) = code.and_then(Value::as_text)
                && references.legacy_id_of(reference.entity, code).is_none()
            {
                return Ok(Err(Ended::Waits(format!("{} {code}", reference.entity))));
            }
        }
        let mut numbered = rows.clone();
        if let Some(root) = numbered.get_mut(self.entity.root())
            && root.get("legacy_id").is_none_or(Value::is_null)
        {
            // A number is needed to map at all; the link gives it none.
            root.insert("legacy_id".into(), Value::Integer(0));
        }
        let legacy = match self.pilot.to_legacy(self.entity.name, &numbered, &references) {
            Ok(legacy) => legacy,
            Err(problems) => return Ok(Err(Ended::Held(words(&problems)))),
        };
        let mut form = self.pilot.shown(self.entity.name, &legacy);
        form.remove("id");
        form.remove(TROUBLE);
        Ok(Ok(form))
    }

    fn travels(
        &mut self,
        kept: &Kept,
        form: Option<&Fields>,
        is_there: bool,
    ) -> Result<Travels, EngineError> {
        let always = Travels { forward: true, reverse: true };
        let Some(owner) = self.entity.owner else { return Ok(always) };
        let view = kept.record.view();
        let number =
            view.as_ref().and_then(|view| view.get(owner)).or_else(|| form.and_then(|form| form.get(owner)));
        let known = match number.and_then(Value::as_integer) {
            Some(number) => member::by_number(self.store, number)?,
            None => None,
        };
        Ok(match known {
            Some(cutover) => travels_of(&cutover),
            None if self.reach == Reach::Everyone || is_there => always,
            // A record that began here and is gone from here is still to be deleted there.
            None => Travels { forward: false, reverse: true },
        })
    }

    /// Takes what somebody changed on the new side. `Some` when it has to end there.
    fn take_edit(
        &mut self,
        kept: &mut Kept,
        was: Option<&Fields>,
        is: Option<&Fields>,
        since: &str,
    ) -> Result<Option<Ended>, EngineError> {
        let view = kept.record.view();
        let fields = match (was, is) {
            (None, None) => return Ok(None),
            (None, Some(is)) => match &view {
                None => Some(is.clone()),
                Some(view) if differing(view, is, self.entity).is_empty() => return Ok(None),
                Some(_) => {
                    let why = "both sides have it, they differ, and they were never agreed\nhint: `plimsoll parity --repair` makes one side what the other is";
                    return Ok(Some(Ended::Held(why.into())));
                }
            },
            (Some(was), Some(is)) => {
                let names = differing(was, is, self.entity);
                if names.is_empty() {
                    return Ok(None);
                }
                let value = |name: &str| is.get(name).cloned().unwrap_or_default();
                Some(names.into_iter().map(|name| (name.to_owned(), value(name))).collect())
            }
            (Some(_), None) => None,
        };
        let made = Edit { id: new_id().to_string(), author: AUTHOR.into() };
        // Of a change that no line of the outbox told of, nothing better is known than now.
        let at = milliseconds(if since.is_empty() { self.now } else { since });
        let at = HybridTime { ms: at, tick: 0, node: AUTHOR.into() };
        let link = self.pilot.link(self.entity.name);
        edit::note_made(self.store, link, kept, &made, fields.as_ref(), self.now)?;
        // What only the legacy side writes was seen as it is.
        let seen = was.map(|was| {
            let mut seen = was.clone();
            for name in ["id", TROUBLE] {
                let value = view.as_ref().and_then(|view| view.get(name)).cloned();
                seen.insert(name.to_owned(), value.unwrap_or_default());
            }
            seen
        });
        let event = Event::Made { edit: made, at, seen, fields };
        let before = kept.record.clone();
        match advance(self.store, link, kept, event, BECAUSE, self.now) {
            Ok(_) => Ok(None),
            Err(error) if error.class.is_none() => {
                kept.record = before;
                Ok(Some(Ended::Waits(error.message.lines().next().unwrap_or_default().to_owned())))
            }
            Err(error) => Err(error),
        }
    }

    /// Writes what the link sees to the new side's rows.
    fn write(
        &mut self,
        key: &str,
        kept: &Kept,
        code: Option<String>,
        rows: Option<NewRows>,
        form: Option<Fields>,
    ) -> Result<Ended, EngineError> {
        let view = kept.record.view();
        if let Some(letter) = kept.record.dead_letters.first() {
            let why = letter.reason.clone().unwrap_or_default();
            return self.ends(key, code.as_deref(), Ended::Held(why));
        }
        let Some(view) = view else {
            let Some((rows, code)) = rows.zip(code) else {
                self.forget(key)?;
                return Ok(Ended::Done);
            };
            let changes = self.deletions(&code, &rows)?;
            return match self.signed(&changes)? {
                Some(ended) => self.ends(key, Some(&code), ended),
                None => {
                    self.forget(key)?;
                    Ok(Ended::Done)
                }
            };
        };
        if let Some(trouble) = view.get(TROUBLE).and_then(Value::as_text) {
            let ended = Ended::Held(trouble.to_owned());
            return self.ends(key, code.as_deref(), ended);
        }
        let names = form.as_ref().map(|form| differing(form, &view, self.entity));
        let number = view.get("id").cloned().unwrap_or_default();
        let is_numbered = rows.as_ref().is_none_or(|rows| {
            let root = rows.get(self.entity.root());
            number.is_null() || root.and_then(|root| root.get("legacy_id")) == Some(&number)
        });
        if let (Some(names), Some(form), Some(code)) = (&names, form.as_ref(), &code)
            && names.is_empty()
            && is_numbered
        {
            self.agree(key, code, form)?;
            return Ok(Ended::Done);
        }
        let wanted = match self.new_rows_of(key, &view, code.as_deref())? {
            Ok(wanted) => wanted,
            Err(ended) => return self.ends(key, code.as_deref(), ended),
        };
        let root_key = |rows: &NewRows, shape_key: &str| {
            rows.get(self.entity.root())
                .and_then(|root| root.get(shape_key))
                .and_then(Value::as_text)
                .map(str::to_owned)
        };
        let mut side = SideStore { side: Side::New, store: &mut *self.store, pilot: self.pilot };
        let shape = side.shape(self.entity.root())?;
        let key_column = shape.key_columns().next().unwrap_or_default().to_owned();
        let Some(new_code) = root_key(&wanted, &key_column) else {
            return self.ends(key, code.as_deref(), Ended::Held("it has no code".into()));
        };
        if let Some(code) = &code
            && *code != new_code
            && rows.is_some()
        {
            let why = format!("its code is `{code}` on the new side and `{new_code}` on the legacy side");
            return self.ends(key, Some(code), Ended::Held(why));
        }
        // A code that another record has is never given away.
        let taken = match &rows {
            Some(_) => None,
            None => self.rows(&new_code)?,
        };
        if taken.is_some() {
            let why = format!("its code `{new_code}` is another record's on the new side");
            return self.ends(key, None, Ended::Held(why));
        }
        let changes = self.changes(rows.as_ref(), &wanted, names.as_deref(), !number.is_null())?;
        match self.signed(&changes)? {
            Some(ended) => self.ends(key, code.as_deref(), ended),
            None => {
                let after = self.rows(&new_code)?;
                let form = match &after {
                    Some(rows) => self.form_of(rows)?,
                    None => Ok(Fields::new()),
                };
                match form {
                    Ok(form) => {
                        self.agree(key, &new_code, &form)?;
                        Ok(Ended::Done)
                    }
                    Err(ended) => self.ends(key, Some(&new_code), ended),
                }
            }
        }
    }

    fn agree(&mut self, key: &str, code: &str, form: &Fields) -> Result<(), EngineError> {
        self.put(key, code, Some(&serde_json::to_string(form)?), None)
    }

    /// Notes why a record goes no further. What was agreed stays.
    fn ends(&mut self, key: &str, code: Option<&str>, ended: Ended) -> Result<Ended, EngineError> {
        match &ended {
            Ended::Done => {}
            Ended::Waits(what) => {
                let sql = "INSERT INTO plimsoll_pilot_due (entity, record_key, waits, since) VALUES ($1, $2, $3, $4)
                    ON CONFLICT (entity, record_key) DO UPDATE SET waits = excluded.waits";
                let parameters = [
                    Value::text(self.entity.name),
                    Value::text(key),
                    Value::text(what.as_str()),
                    Value::text(self.since.as_str()),
                ];
                self.store.execute(sql, &parameters)?;
            }
            Ended::Held(why) => {
                let code = code.map_or_else(|| format!("(none) {key}"), str::to_owned);
                self.put(key, &code, None, Some(why))?;
            }
        }
        Ok(ended)
    }

    fn put(
        &mut self,
        key: &str,
        code: &str,
        form: Option<&str>,
        held: Option<&str>,
    ) -> Result<(), EngineError> {
        let sql = "INSERT INTO plimsoll_pilot_record (entity, record_key, code, form, held, changed_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (entity, record_key) DO UPDATE SET code = excluded.code,
            form = coalesce(excluded.form, plimsoll_pilot_record.form), held = excluded.held,
            changed_at = excluded.changed_at";
        let parameters = [
            Value::text(self.entity.name),
            Value::text(key),
            Value::text(code),
            Value::optional_text(form),
            Value::optional_text(held),
            Value::text(self.now),
        ];
        self.store.execute(sql, &parameters)?;
        Ok(())
    }

    fn forget(&mut self, key: &str) -> Result<(), EngineError> {
        let sql = "DELETE FROM plimsoll_pilot_record WHERE entity = $1 AND record_key = $2";
        self.store.execute(sql, &[Value::text(self.entity.name), Value::text(key)])?;
        Ok(())
    }
}

/// Who signs writes to the new side's rows.
pub(super) const SIGNATURE: &str = "plimsoll carry";

fn travels_of(cutover: &Cutover) -> Travels {
    let standing = standing(cutover);
    Travels { forward: standing.forward, reverse: standing.reverse }
}

/// The fields in which two forms differ.
pub(super) fn differing<'a>(one: &Fields, other: &Fields, entity: &'a PilotEntity) -> Vec<&'a str> {
    let names = entity.mirror.fields.iter().copied().filter(|name| *name != "id" && *name != TROUBLE);
    let null = Value::Null;
    names.filter(|name| one.get(*name).unwrap_or(&null) != other.get(*name).unwrap_or(&null)).collect()
}
