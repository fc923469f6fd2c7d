//! Users: who may log in, and with which roles.
//!
//! Owns the table of users in the control store and the digests of their passwords (argon2id). Sessions of people who
//! logged in are `login`'s. A change of a user is an event of the control store and commits with it.
//!
//! Invariants: no password is kept, logged or printed; checking the password of a user that does not exist takes as
//! long as of one that does.

use std::sync::OnceLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use plimsoll_core::value::Value;
use plimsoll_engine::clock::new_id;
use plimsoll_engine::system::{Dialect, Schema, SchemaAction, SchemaStep};
use plimsoll_engine::{EngineError, Session, event};
use plimsoll_store::{Access, schema};
use serde::Serialize;
use serde_json::json;

use crate::role::{Role, Roles};

/// The tables of the server in the control store: users, and the audit of what they did.
pub const SCHEMA: Schema = Schema {
    component: "server",
    steps: &[SchemaStep { version: 1, name: "users and audit", actions: &[SchemaAction::Script(TABLES)] }],
    current: TABLES,
};

const TABLES: Dialect = Dialect::both(
    "CREATE TABLE IF NOT EXISTS plimsoll_user (
    name text NOT NULL PRIMARY KEY,
    password text NOT NULL,
    roles text NOT NULL,
    created_at text NOT NULL,
    changed_at text NOT NULL
);
CREATE TABLE IF NOT EXISTS plimsoll_audit (
    id text NOT NULL PRIMARY KEY,
    at text NOT NULL,
    actor text NOT NULL,
    method text NOT NULL,
    route text NOT NULL,
    path text NOT NULL,
    status bigint NOT NULL,
    request_id text NOT NULL,
    reason text NOT NULL
);
CREATE INDEX IF NOT EXISTS plimsoll_audit_at ON plimsoll_audit (at);",
);

/// The shortest password that is taken.
const SHORTEST: usize = 10;
/// The longest; argon2 would take more, at a price that a stranger chooses.
const LONGEST: usize = 1_024;

/// A user, without the password's digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct User {
    /// The name.
    pub name: String,
    /// What is allowed, by system.
    pub roles: Roles,
    /// When the user was added.
    pub created_at: String,
    /// When anything was changed last.
    pub changed_at: String,
}

/// Brings the server's tables in the control store up to date.
///
/// # Errors
/// Refused when the store is newer than this program.
pub fn prepare(session: &mut Session) -> Result<(), EngineError> {
    let now = session.clock.now();
    schema::upgrade(session.store.as_mut(), &SCHEMA, &now)?;
    Ok(())
}

/// Every user by name.
///
/// # Errors
/// When the store fails.
pub fn list(session: &mut Session) -> Result<Vec<User>, EngineError> {
    let sql = "SELECT name, roles, created_at, changed_at FROM plimsoll_user ORDER BY name";
    session.store.query(sql, &[])?.iter().map(|row| from_row(row)).collect()
}

fn from_row(row: &[Value]) -> Result<User, EngineError> {
    let text = |at: usize| row.get(at).and_then(Value::as_text).unwrap_or_default().to_owned();
    let roles = text(1);
    let roles =
        if roles.is_empty() { Roles::default() } else { roles.parse().map_err(EngineError::integrity)? };
    Ok(User { name: text(0), roles, created_at: text(2), changed_at: text(3) })
}

/// One user.
///
/// # Errors
/// Usage when there is none of this name.
pub fn find(session: &mut Session, name: &str) -> Result<User, EngineError> {
    let sql = "SELECT name, roles, created_at, changed_at FROM plimsoll_user WHERE name = $1";
    let rows = session.store.query(sql, &[Value::text(name)])?;
    rows.first()
        .map(|row| from_row(row))
        .transpose()?
        .ok_or_else(|| EngineError::usage(format!("there is no user `{name}`\nhint: plimsoll user list")))
}

/// Adds a user.
///
/// # Errors
/// Usage for a name or a password that is not taken; refused when the name is taken.
pub fn add(
    session: &mut Session,
    name: &str,
    password: &str,
    roles: &Roles,
    reason: &str,
) -> Result<User, EngineError> {
    crate::access::check_name(name).map_err(EngineError::usage)?;
    let digest = digest(password)?;
    in_write(session, |session| {
        if find(session, name).is_ok() {
            return Err(EngineError::refused(format!("there is a user `{name}` already")));
        }
        let now = session.clock.now();
        let row = [name, &digest, &roles.to_string(), &now, &now].map(Value::text);
        let sql = "INSERT INTO plimsoll_user (name, password, roles, created_at, changed_at) VALUES ($1, $2, $3, $4, $5)";
        session.store.execute(sql, &row)?;
        event::record(session, "user.added", name, reason, &json!({ "roles": roles }))?;
        find(session, name)
    })
}

/// Sets a user's password anew.
///
/// # Errors
/// As [`add`] and [`find`].
pub fn set_password(
    session: &mut Session,
    name: &str,
    password: &str,
    reason: &str,
) -> Result<User, EngineError> {
    let digest = digest(password)?;
    in_write(session, |session| {
        find(session, name)?;
        change(session, name, "password", &digest)?;
        event::record(session, "user.password", name, reason, &json!({}))?;
        find(session, name)
    })
}

/// Sets a user's role in a system (`*` for all), or takes it away.
///
/// # Errors
/// As [`find`].
pub fn grant(
    session: &mut Session,
    name: &str,
    system: &str,
    role: Option<Role>,
    reason: &str,
) -> Result<User, EngineError> {
    in_write(session, |session| {
        let mut user = find(session, name)?;
        user.roles.set(system, role);
        set_roles(session, name, &user.roles, reason)
    })
}

/// Sets all roles of a user inside the caller's transaction.
fn set_roles(session: &mut Session, name: &str, roles: &Roles, reason: &str) -> Result<User, EngineError> {
    change(session, name, "roles", &roles.to_string())?;
    event::record(session, "user.granted", name, reason, &json!({ "roles": roles }))?;
    find(session, name)
}

/// Sets all roles of a user.
///
/// # Errors
/// As [`find`].
pub fn replace_roles(
    session: &mut Session,
    name: &str,
    roles: &Roles,
    reason: &str,
) -> Result<User, EngineError> {
    in_write(session, |session| {
        find(session, name)?;
        set_roles(session, name, roles, reason)
    })
}

/// Removes a user; sessions end with it.
///
/// # Errors
/// As [`find`].
pub fn remove(session: &mut Session, name: &str, reason: &str) -> Result<User, EngineError> {
    in_write(session, |session| {
        let user = find(session, name)?;
        session.store.execute("DELETE FROM plimsoll_user WHERE name = $1", &[Value::text(name)])?;
        event::record(session, "user.removed", name, reason, &json!({ "roles": user.roles }))?;
        Ok(user)
    })
}

fn change(session: &mut Session, name: &str, column: &str, text: &str) -> Result<(), EngineError> {
    let now = session.clock.now();
    let sql = format!("UPDATE plimsoll_user SET {column} = $2, changed_at = $3 WHERE name = $1");
    session.store.execute(&sql, &[name, text, &now].map(Value::text))?;
    Ok(())
}

/// The user with this name and password.
///
/// # Errors
/// When the store fails; a wrong name or password is `None`.
pub fn authenticate(session: &mut Session, name: &str, password: &str) -> Result<Option<User>, EngineError> {
    let sql = "SELECT password FROM plimsoll_user WHERE name = $1";
    let rows = session.store.query(sql, &[Value::text(name)])?;
    let known = rows.first().and_then(|row| row.first()).and_then(Value::as_text);
    let matches = verify(password, known.unwrap_or_else(|| nobody()));
    if known.is_none() || !matches {
        return Ok(None);
    }
    find(session, name).map(Some)
}

/// A digest that no password has, checked in place of that of a user who does not exist.
fn nobody() -> &'static str {
    static NOBODY: OnceLock<String> = OnceLock::new();
    NOBODY.get_or_init(|| hash(new_id().as_str()).unwrap_or_default())
}

fn verify(password: &str, digest: &str) -> bool {
    let Ok(parsed) = PasswordHash::new(digest) else { return false };
    password.len() <= LONGEST && Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok()
}

fn digest(password: &str) -> Result<String, EngineError> {
    if password.chars().count() < SHORTEST || password.len() > LONGEST {
        return Err(EngineError::usage(format!(
            "a password has {SHORTEST} signs or more\nhint: three or four words that nobody would guess"
        )));
    }
    hash(password)
}

fn hash(password: &str) -> Result<String, EngineError> {
    // A random id has 122 bits that nobody knows before: more than a salt needs.
    let salt = new_id();
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt.as_str().as_bytes())
        .map(|digest| digest.to_string())
        .map_err(|error| EngineError::usage(format!("the password cannot be kept: {error}")))
}

/// Runs `work` in one transaction.
pub(crate) fn in_write<T>(
    session: &mut Session,
    work: impl FnOnce(&mut Session) -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    session.store.begin(Access::ReadWrite)?;
    match work(session) {
        Ok(done) => {
            session.store.commit()?;
            Ok(done)
        }
        Err(error) => {
            // The first error is the one to tell; the connection is not used again after one.
            drop(session.store.rollback());
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_digest_only() {
        let digest = digest("correct horse battery").unwrap();
        assert!(digest.starts_with("$argon2id$") && !digest.contains("horse"), "{digest}");
        assert!(verify("correct horse battery", &digest) && !verify("correct horse", &digest));
        assert_ne!(super::digest("correct horse battery").unwrap(), digest, "salted");
        assert!(!verify("", nobody()) && super::digest("short").is_err());
    }
}
