//! Changing flags: the only way to write one.
//!
//! Owns the transaction in which a flag, its members, the version of all flags and the event are written together, the
//! refusals - a reason is mandatory, errors of the analysis refuse, a live pilot's members are not swapped unasked - and
//! the dry run, which does everything and takes it back. Every event holds the whole definition before and after.

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_core::digest::Hashing;
use plimsoll_core::flag::analysis::{self, Finding, Severity};
use plimsoll_core::flag::cohort::{self, Members};
use plimsoll_core::flag::{Difference, Flag, Segment, State};
use plimsoll_core::value::Value;
use plimsoll_store::Access;
use serde::Serialize;
use serde_json::json;

use super::store::{self, StoredFlag};
use super::{explain, key_list};
use crate::clock::new_id;
use crate::error::EngineError;
use crate::event;
use crate::session::Session;

/// How a change is made.
#[derive(Debug, Clone, Copy, Default)]
pub struct How<'a> {
    /// Why; never empty.
    pub reason: &'a str,
    /// Say what would happen, and do nothing.
    pub dry_run: bool,
    /// Swap members of a live pilot.
    pub override_swap: bool,
    /// Keep a definition that the analysis finds wrong, as another system's document may hold it. Such a flag is off.
    pub keep_faults: bool,
}

impl<'a> How<'a> {
    /// Do it, for a reason.
    pub fn because(reason: &'a str) -> Self {
        Self { reason, ..Self::default() }
    }
}

/// What a change did, or would do.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    /// What kind of change: `flag.created`, `flag.changed`, ...
    pub kind: String,
    /// The flag before; absent when it was created.
    pub before: Option<StoredFlag>,
    /// The flag after.
    pub after: StoredFlag,
    /// What it does to the members.
    pub difference: Difference,
    /// What the analysis says about it.
    pub findings: Vec<Finding>,
    /// The version of all flags after it.
    pub version: i64,
    /// True when nothing was written.
    pub dry_run: bool,
}

impl Changed {
    /// True when the definition is what it was.
    pub fn is_noop(&self) -> bool {
        self.before.as_ref().is_some_and(|before| {
            before.flag == self.after.flag
                && before.archived == self.after.archived
                && self.kind != "flag.keys"
        })
    }
}

/// Creates a flag. The salt becomes the name, or the name with a number where another flag has that salt.
///
/// # Errors
/// Usage when the name is taken or the definition is wrong.
pub fn create(session: &mut Session, flag: Flag, how: &How<'_>) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        if store::lookup(session.store.as_mut(), &flag.name)?.is_some_and(|stored| !stored.archived) {
            return Err(EngineError::usage(format!(
                "there is a flag `{0}` already\nhint: `plimsoll flag show {0}`, or `flag set` to change it",
                flag.name
            )));
        }
        create_within(session, version, flag, "flag.created", how)
    })
}

fn create_within(
    session: &mut Session,
    version: i64,
    mut flag: Flag,
    kind: &'static str,
    how: &How<'_>,
) -> Result<Changed, EngineError> {
    let salts: BTreeSet<String> =
        store::list(session.store.as_mut(), true)?.into_iter().map(|stored| stored.flag.salt).collect();
    let wanted = flag.salt.clone();
    let mut number = 1;
    while salts.contains(&flag.salt) {
        number += 1;
        flag.salt = format!("{wanted}-{number}");
    }
    if let Some(rollout) = flag.rollout.as_mut().filter(|rollout| rollout.salt == wanted) {
        rollout.salt.clone_from(&flag.salt);
    }
    Write { kind, version, before: None, archived: false, keys: None }.save(session, how, flag)
}

/// Takes over segments and flags from a document: creates what is not there and changes what is, all or nothing. A flag
/// that is there keeps its salt.
///
/// # Errors
/// As [`create`] and [`update`].
pub fn put_all(
    session: &mut Session,
    flags: Vec<Flag>,
    segments: &[Segment],
    how: &How<'_>,
) -> Result<Vec<Changed>, EngineError> {
    in_transaction(session, how, |session, version| {
        for segment in segments {
            put_segment_within(session, version, segment, how)?;
        }
        // Flags that others require come first, so that those find them.
        let (first, second): (Vec<Flag>, Vec<Flag>) =
            flags.into_iter().partition(|flag| flag.requires.is_empty());
        let mut done = Vec::new();
        for mut flag in first.into_iter().chain(second) {
            let known = store::lookup(session.store.as_mut(), &flag.name)?.filter(|stored| !stored.archived);
            let Some(before) = known else {
                done.push(create_within(session, version, flag, "flag.imported", how)?);
                continue;
            };
            flag.salt.clone_from(&before.flag.salt);
            if flag == before.flag {
                continue;
            }
            let write =
                Write { kind: "flag.imported", version, before: Some(before), archived: false, keys: None };
            done.push(write.save(session, how, flag)?);
        }
        Ok(done)
    })
}

/// Changes a flag's definition.
///
/// # Errors
/// Usage when there is no such flag or the definition becomes wrong; refused when members of a live pilot would be
/// swapped without `override_swap`; the error of `edit`.
pub fn update(
    session: &mut Session,
    name: &str,
    kind: &'static str,
    how: &How<'_>,
    edit: impl FnOnce(&mut Flag) -> Result<(), EngineError>,
) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        let before = store::find(session.store.as_mut(), name)?;
        let mut flag = before.flag.clone();
        edit(&mut flag)?;
        if flag.name != before.flag.name {
            return Err(EngineError::usage("a flag is renamed with `plimsoll flag rename`"));
        }
        Write { kind, version, before: Some(before), archived: false, keys: None }.save(session, how, flag)
    })
}

/// Pulls the kill switch: off for everybody, until an explicit `on`.
///
/// # Errors
/// As [`update`].
pub fn kill(session: &mut Session, name: &str, how: &How<'_>) -> Result<Changed, EngineError> {
    update(session, name, "flag.killed", how, |flag| {
        flag.state = State::Killed;
        Ok(())
    })
}

/// Renames a flag. Nobody moves: what is hashed is the salt. Flags that require it follow the name.
///
/// # Errors
/// Usage when there is no such flag or the new name is taken.
pub fn rename(session: &mut Session, name: &str, new: &str, how: &How<'_>) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        let before = store::find(session.store.as_mut(), name)?;
        if store::lookup(session.store.as_mut(), new)?.is_some_and(|stored| !stored.archived) {
            return Err(EngineError::usage(format!("there is a flag `{new}` already")));
        }
        let flag = Flag { name: new.to_owned(), ..before.flag.clone() };
        let changed =
            Write { kind: "flag.renamed", version, before: Some(before), archived: false, keys: None }
                .save(session, how, flag)?;
        let quiet = How { override_swap: true, keep_faults: true, ..*how };
        for child in store::list(session.store.as_mut(), false)? {
            let mut flag = child.flag.clone();
            for required in flag.requires.iter_mut().filter(|required| required.flag == name) {
                new.clone_into(&mut required.flag);
            }
            if flag != child.flag {
                Write { kind: "flag.changed", version, before: Some(child), archived: false, keys: None }
                    .save(session, &quiet, flag)?;
            }
        }
        Ok(changed)
    })
}

/// Deletes a flag: it is archived, with its whole history, and its name is free.
///
/// # Errors
/// Refused when another flag requires it.
pub fn archive(session: &mut Session, name: &str, how: &How<'_>) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        let before = store::find(session.store.as_mut(), name)?;
        let others = store::list(session.store.as_mut(), false)?;
        let requires = |other: &&StoredFlag| other.flag.requires.iter().any(|required| required.flag == name);
        if let Some(child) = others.iter().find(requires) {
            return Err(EngineError::refused(format!(
                "`{}` requires `{name}`\nhint: change that flag first; without `{name}` nobody would get it",
                child.flag.name
            )));
        }
        let flag = before.flag.clone();
        Write { kind: "flag.archived", version, before: Some(before), archived: true, keys: None }
            .save(session, how, flag)
    })
}

/// Brings a flag back to one of its earlier versions, name and life included.
///
/// # Errors
/// Usage when there is no such flag or version.
pub fn restore(session: &mut Session, name: &str, to: i64, how: &How<'_>) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        let Some(before) = store::lookup(session.store.as_mut(), name)? else {
            return Err(EngineError::usage(format!("there is and was no flag `{name}`")));
        };
        let (flag, archived) = explain::version_of(session, &before.id, to)?;
        if let Some(other) = store::lookup(session.store.as_mut(), &flag.name)?
            && other.id != before.id
            && !other.archived
            && !archived
        {
            return Err(EngineError::usage(format!("there is another flag `{}` now", flag.name)));
        }
        Write { kind: "flag.restored", version, before: Some(before), archived, keys: None }
            .save(session, how, flag)
    })
}

/// Tells a flag the keys there are, so that its members are known one by one.
///
/// # Errors
/// As [`update`].
pub fn set_keys(
    session: &mut Session,
    name: &str,
    keys: BTreeSet<String>,
    how: &How<'_>,
) -> Result<Changed, EngineError> {
    in_transaction(session, how, |session, version| {
        let before = store::find(session.store.as_mut(), name)?;
        let flag = before.flag.clone();
        Write { kind: "flag.keys", version, before: Some(before), archived: false, keys: Some(keys) }
            .save(session, how, flag)
    })
}

/// Adds a segment or changes it. Flags that name it are decided by it from then on.
///
/// # Errors
/// Usage when the reason is missing.
pub fn put_segment(session: &mut Session, segment: &Segment, how: &How<'_>) -> Result<i64, EngineError> {
    in_transaction(session, how, |session, version| {
        put_segment_within(session, version, segment, how)?;
        Ok(version)
    })
}

fn put_segment_within(
    session: &mut Session,
    version: i64,
    segment: &Segment,
    how: &How<'_>,
) -> Result<(), EngineError> {
    let known = store::segments(session.store.as_mut())?;
    let before = known.into_iter().find(|other| other.number == segment.number);
    if before.as_ref() == Some(segment) {
        return Ok(());
    }
    let definition = serde_json::to_string(segment)?;
    session.store.execute(
        "INSERT INTO plimsoll_flag_segment (number, name, archived, definition) VALUES ($1, $2, 0, $3)
         ON CONFLICT (number) DO UPDATE SET name = $2, archived = 0, definition = $3",
        &[Value::Integer(segment.number.into()), Value::text(&segment.name), Value::Text(definition)],
    )?;
    let subject = format!("segment {}", segment.number);
    let detail = json!({"version": version, "before": before, "after": segment});
    event::record(session, "flag.segment", &subject, how.reason, &detail)
}

/// Takes a segment away. Rules that name it match nobody from then on.
///
/// # Errors
/// Usage when there is no such segment.
pub fn remove_segment(session: &mut Session, number: i32, how: &How<'_>) -> Result<i64, EngineError> {
    in_transaction(session, how, |session, version| {
        let before =
            store::segments(session.store.as_mut())?.into_iter().find(|other| other.number == number);
        let Some(before) = before else {
            return Err(EngineError::usage(format!("there is no segment {number}")));
        };
        let sql = "UPDATE plimsoll_flag_segment SET archived = 1 WHERE number = $1";
        session.store.execute(sql, &[Value::Integer(number.into())])?;
        let detail = json!({"version": version, "before": before, "after": null});
        event::record(session, "flag.segment", &format!("segment {number}"), how.reason, &detail)?;
        Ok(version)
    })
}

/// One flag to be written.
struct Write {
    kind: &'static str,
    version: i64,
    before: Option<StoredFlag>,
    archived: bool,
    keys: Option<BTreeSet<String>>,
}

impl Write {
    fn save(self, session: &mut Session, how: &How<'_>, flag: Flag) -> Result<Changed, EngineError> {
        let now = session.clock.now();
        let findings =
            if self.archived { Vec::new() } else { examine(session, &flag, self.before.as_ref(), &now)? };
        let errors: Vec<String> = findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| format!("{}: {}", finding.place, finding.what))
            .collect();
        if !errors.is_empty() && !how.keep_faults {
            return Err(EngineError::usage(format!("flag `{}` is wrong: {}", flag.name, errors.join("; "))));
        }
        let (id, version, created_at) = match &self.before {
            Some(before) => (before.id.clone(), before.version + 1, before.created_at.clone()),
            None => (new_id().0, 1, now.clone()),
        };
        let after = StoredFlag { id, version, archived: self.archived, created_at, changed_at: now, flag };
        let (difference, frozen) = self.effect(session, &after)?;
        self.refuse_swap(&after, &difference, how)?;
        self.write(session, &after)?;
        if let Some(frozen) = &frozen {
            key_list::set_members(session.store.as_mut(), &after.id, frozen, self.version)?;
        }
        let detail = json!({
            "version": self.version,
            "flag_version": after.version,
            "archived": after.archived,
            "before": self.before.as_ref().map(|before| &before.flag),
            "after": after.flag,
            "enter": difference.enter.len(),
            "leave": difference.leave.len(),
            "swap": difference.swaps(),
            "exact": difference.exact,
            "override_swap": how.override_swap,
            "members": frozen.as_ref().map(Members::len),
            "members_digest": frozen.as_ref().map(digest),
        });
        event::record(session, self.kind, &after.id, how.reason, &detail)?;
        let kind = self.kind.to_owned();
        let Self { before, version, .. } = self;
        Ok(Changed { kind, before, after, difference, findings, version, dry_run: how.dry_run })
    }

    /// What it does to the members, and the members of the rollout where the keys are known - whether the flag is on or
    /// not, so that a pilot that is stopped and started again has the same members.
    fn effect(
        &self,
        session: &mut Session,
        after: &StoredFlag,
    ) -> Result<(Difference, Option<Members>), EngineError> {
        let store = session.store.as_mut();
        if let Some(keys) = &self.keys {
            key_list::set_keys(store, &after.id, keys)?;
        }
        let known = key_list::keys(store, &after.id)?;
        let exact = !known.is_empty();
        let earlier: BTreeSet<String> = key_list::members(store, &after.id, None)?.into_keys().collect();
        let keys = if exact { known } else { cohort::sample_keys() };
        let of = |stored: &StoredFlag, at: &str| {
            if stored.archived {
                return Members::new();
            }
            cohort::members(&stored.flag, at, keys.iter().map(String::as_str), &earlier)
        };
        let at = &after.changed_at;
        let before = match &self.before {
            // With a new list of keys, the members so far are those that are kept, not those of the new list.
            Some(before)
                if self.keys.is_some() && exact && before.flag.state == State::On && !earlier.is_empty() =>
            {
                key_list::members(session.store.as_mut(), &after.id, None)?
            }
            Some(before) => of(before, at),
            None => Members::new(),
        };
        let difference = Difference::between(&before, &of(after, at), keys.len(), exact);
        let frozen = exact.then(|| {
            let on = StoredFlag { flag: Flag { state: State::On, ..after.flag.clone() }, ..after.clone() };
            of(&on, at)
        });
        Ok((difference, frozen))
    }

    fn refuse_swap(
        &self,
        after: &StoredFlag,
        difference: &Difference,
        how: &How<'_>,
    ) -> Result<(), EngineError> {
        let live = self.before.as_ref().is_some_and(|before| before.flag.is_live() && !before.archived);
        if !live || difference.swaps() == 0 || how.override_swap {
            return Ok(());
        }
        Err(EngineError::refused(format!(
            "`{}` is live, and this change would swap its members: {difference}\nhint: --dry-run shows the change; --override-swap does it all the same",
            after.flag.name
        )))
    }

    fn write(&self, session: &mut Session, after: &StoredFlag) -> Result<(), EngineError> {
        let definition = serde_json::to_string(&after.flag)?;
        let values = [
            Value::text(&after.id),
            Value::text(&after.flag.name),
            Value::text(&after.flag.salt),
            Value::Integer(after.version),
            Value::Integer(after.archived.into()),
            Value::Text(definition),
            Value::text(&after.created_at),
            Value::text(&after.changed_at),
        ];
        session.store.execute(
            "INSERT INTO plimsoll_flag (id, name, salt, version, archived, definition, created_at, changed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (id) DO UPDATE
             SET name = $2, salt = $3, version = $4, archived = $5, definition = $6, changed_at = $8",
            &values,
        )?;
        Ok(())
    }
}

/// A digest of who the members are, so that the table of members can be checked against the log.
fn digest(members: &Members) -> String {
    let mut hashing = Hashing::new("flag members");
    for (key, variant) in members {
        hashing.part(key.as_bytes()).optional(variant.as_deref());
    }
    hashing.hex()
}

fn examine(
    session: &mut Session,
    flag: &Flag,
    before: Option<&StoredFlag>,
    now: &str,
) -> Result<Vec<Finding>, EngineError> {
    let segments = store::segments(session.store.as_mut())?;
    let others: BTreeMap<String, Flag> = store::list(session.store.as_mut(), false)?
        .into_iter()
        .filter(|stored| before.is_none_or(|before| before.id != stored.id))
        .map(|stored| (stored.flag.name.clone(), stored.flag))
        .collect();
    Ok(analysis::analyze(flag, &others, &segments, now))
}

/// Runs `work` in one transaction, after moving the version of all flags, which also makes writers wait for each other.
/// A dry run is taken back.
fn in_transaction<T>(
    session: &mut Session,
    how: &How<'_>,
    work: impl FnOnce(&mut Session, i64) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    if how.reason.trim().is_empty() {
        return Err(EngineError::usage("a change of a flag needs a reason\nhint: --reason \"why\""));
    }
    session.store.begin(Access::ReadWrite)?;
    let moved = session.store.execute(
        "INSERT INTO plimsoll_flag_version (one, number) VALUES (1, 1)
         ON CONFLICT (one) DO UPDATE SET number = plimsoll_flag_version.number + 1",
        &[],
    );
    let result = moved
        .map_err(EngineError::from)
        .and_then(|_| store::version(session.store.as_mut()))
        .and_then(|version| work(session, version));
    match result {
        Ok(done) if !how.dry_run => {
            session.store.commit()?;
            Ok(done)
        }
        other => {
            // The first error is the one to tell; a failed rollback ends with the connection anyway.
            drop(session.store.rollback());
            other
        }
    }
}
