//! Stamps: what tells two states of a link's rows apart without reading them.
//!
//! Owns a few tokens for each scope. Whatever changes what someone may see of a scope replaces one of them by a token that
//! was never used before, in the same transaction; so two readers who see the same tokens see the same rows, in whatever
//! process they are, and also when the store was restored from a backup in between. It does not see what somebody does to
//! the tables behind this program's back.
//!
//! Invariants:
//! - A transaction takes its token last, and those of several scopes in their order, so that no two transactions ever
//!   wait for each other.
//! - Several tokens for a scope, chosen by key, so that workers on different records seldom wait for one.

use plimsoll_core::digest::Hashing;
use plimsoll_core::value::Value;
use plimsoll_store::Store;

use super::declare::Link;
use crate::change::cells::{Cells, number};
use crate::clock;
use crate::error::EngineError;

/// Tokens for each scope.
const SHARDS: u64 = 16;

/// Says that something about a record of `scope` changed.
pub(super) fn touch(
    store: &mut dyn Store,
    link: &dyn Link,
    scope: &str,
    key: &str,
) -> Result<(), EngineError> {
    let shard = key.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % SHARDS;
    let sql = "INSERT INTO plimsoll_sync_stamp (link, scope, shard, token) VALUES ($1, $2, $3, $4)
        ON CONFLICT (link, scope, shard) DO UPDATE SET token = excluded.token";
    let parameters = [
        Value::text(link.name()),
        Value::text(scope),
        number(shard),
        Value::text(clock::new_id().to_string()),
    ];
    store.execute(sql, &parameters)?;
    Ok(())
}

/// The state of what `reader` sees of a scope, or of all: equal texts mean equal rows. `None` while nothing was ever
/// stamped.
pub(super) fn of(
    store: &mut dyn Store,
    link: &dyn Link,
    scope: Option<&str>,
    reader: &str,
) -> Result<Option<String>, EngineError> {
    // Only who has drafts sees other rows than everyone else.
    let sql = "SELECT s.scope, s.shard, s.token,
            CASE WHEN EXISTS (SELECT 1 FROM plimsoll_sync_edit AS e
                WHERE e.link = $1 AND e.state = 'draft' AND e.author = $3) THEN 1 ELSE 0 END
        FROM plimsoll_sync_stamp AS s
        WHERE s.link = $1 AND ($2 = '' OR s.scope IN ($2, '')) ORDER BY s.scope, s.shard";
    let parameters = [Value::text(link.name()), Value::text(scope.unwrap_or_default()), Value::text(reader)];
    let rows = store.query(sql, &parameters)?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut hashing = Hashing::new("sync-stamp");
    for row in rows {
        let cells = Cells(row);
        hashing.part(cells.text(0)?.as_bytes());
        hashing.part(cells.text(2)?.as_bytes());
        hashing.part((if cells.count(3)? == 1 { reader } else { "" }).as_bytes());
    }
    Ok(Some(hashing.hex()))
}
