//! Vectors of a store's texts, and the texts nearest to a question.
//!
//! Owns the table `text_embeddings`. A vector belongs to the text it was made of, by digest: a text that changed has none
//! until it is embedded again, and is not found by what it said before.
//!
//! Invariant: filling may end at any moment; what is committed is not done again.

use plimsoll_store::duckdb::{Analytics, Parameter};
use serde::Serialize;

use super::{DIMENSIONS, MODEL, Model};
use crate::analytic::TextSource;
use crate::error::EngineError;
use crate::session::{Progress, ProgressSink};

/// Texts embedded in one transaction.
const BATCH: usize = 64;

/// What filling the index came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexReport {
    /// Texts embedded now.
    pub embedded: u64,
    /// Vectors of texts that are gone or changed, taken out.
    pub removed: u64,
    /// Texts with a vector.
    pub indexed: u64,
}

/// A text found by meaning.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// Its key.
    pub id: String,
    /// The conversation it is part of.
    pub session_id: String,
    /// How near it is: the cosine, 1 for the same text.
    pub similarity: f64,
    /// Its beginning.
    pub begins: String,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS text_embeddings
    (id VARCHAR, digest VARCHAR, model VARCHAR, vector FLOAT[384]);";

fn number(store: &Analytics, sql: &str) -> Result<u64, EngineError> {
    let rows = store.query(sql, &[])?.rows;
    Ok(rows[0][0].as_integer().and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Embeds the texts that have no vector yet.
///
/// # Errors
/// When the store fails.
pub fn fill(
    store: &Analytics,
    texts: &TextSource,
    model: &Model,
    progress: &ProgressSink,
) -> Result<IndexReport, EngineError> {
    let TextSource { table, key, text, .. } = *texts;
    store.run_script(TABLE)?;
    let removed = store.execute(
        &format!(
            "DELETE FROM text_embeddings e WHERE e.model = '{MODEL}' AND NOT EXISTS
             (SELECT 1 FROM {table} t WHERE t.{key} = e.id AND md5(t.{text}) = e.digest)"
        ),
        &[],
    )?;
    let without = format!(
        "FROM {table} t WHERE trim(coalesce(t.{text}, '')) <> '' AND NOT EXISTS
         (SELECT 1 FROM text_embeddings e WHERE e.id = t.{key} AND e.model = '{MODEL}')"
    );
    let total = number(store, &format!("SELECT count(*) {without}"))?;
    let mut embedded = 0;
    loop {
        let sql = format!("SELECT t.{key}, t.{text} {without} ORDER BY 1 LIMIT {BATCH}");
        let rows = store.query(&sql, &[])?.rows;
        if rows.is_empty() {
            break;
        }
        let made: Vec<(&str, &str, String)> = rows
            .iter()
            .filter_map(|row| Some((row[0].as_text()?, row[1].as_text()?)))
            .map(|(id, text)| (id, text, listed(&model.embed(text))))
            .collect();
        store.in_transaction(|store| {
            for (id, text, vector) in &made {
                let sql = format!(
                    "INSERT INTO text_embeddings SELECT $1, md5($2), '{MODEL}', CAST($3 AS FLOAT[{DIMENSIONS}])"
                );
                store.execute(&sql, &[(*id).into(), (*text).into(), vector.as_str().into()])?;
            }
            Ok::<(), EngineError>(())
        })?;
        embedded += made.len() as u64;
        progress(&Progress { phase: "embedding", done: embedded, total: Some(total), eta_ms: None });
    }
    store.checkpoint()?;
    Ok(IndexReport { embedded, removed, indexed: number(store, "SELECT count(*) FROM text_embeddings")? })
}

/// The texts nearest to a question, nearest first.
///
/// # Errors
/// Usage when nothing is indexed yet.
pub fn search(
    store: &Analytics,
    texts: &TextSource,
    model: &Model,
    question: &str,
    limit: u32,
) -> Result<Vec<Hit>, EngineError> {
    let TextSource { table, key, text, session } = *texts;
    if !store.table_names()?.contains("text_embeddings") {
        return Err(EngineError::usage("no text is indexed yet\nhint: plimsoll meaning index"));
    }
    let sql = format!(
        "SELECT t.{key}, t.{session}, array_cosine_similarity(e.vector, CAST($1 AS FLOAT[{DIMENSIONS}])) AS near,
            left(t.{text}, 200)
         FROM text_embeddings e JOIN {table} t ON t.{key} = e.id AND md5(t.{text}) = e.digest
         WHERE e.model = '{MODEL}' ORDER BY near DESC, 1 LIMIT {limit}"
    );
    let rows = store.query(&sql, &[Parameter::Text(listed(&model.embed(question)))])?.rows;
    let cell = |cell: &plimsoll_store::analytics::OwnedCell| cell.as_text().unwrap_or_default().to_owned();
    Ok(rows
        .iter()
        .map(|row| Hit {
            id: cell(&row[0]),
            session_id: cell(&row[1]),
            similarity: match row[2] {
                plimsoll_store::analytics::OwnedCell::Double(near) => near,
                _ => 0.0,
            },
            begins: cell(&row[3]),
        })
        .collect())
}

/// A vector as the database reads it.
fn listed(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    const TEXTS: TextSource =
        TextSource { table: "text_messages", key: "part_id", text: "text", session: "session_id" };

    /// OC-57.
    #[test]
    fn a_planted_neighbor_is_found_though_it_shares_no_word() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/models").join(MODEL);
        if !folder.is_dir() {
            println!("skipped: the model is not at hand; cargo xtask fetch-model");
            return;
        }
        let model = Model::load(&folder).unwrap();
        let store = Analytics::open_in_memory().unwrap();
        store
            .run_script(
                "CREATE TABLE text_messages (part_id VARCHAR, session_id VARCHAR, text VARCHAR);
                 INSERT INTO text_messages VALUES
                    ('planted', 's1', 'Roll the database change back'),
                    ('weather', 's1', 'The weather is nice today'),
                    ('ci', 's2', 'The test suite fails on CI'),
                    ('css', 's2', 'Center this button with flexbox'),
                    ('empty', 's3', '  '), ('null', 's3', NULL);",
            )
            .unwrap();
        let silent: ProgressSink = Arc::new(|_| {});
        assert!(search(&store, &TEXTS, &model, "x", 3).unwrap_err().message.contains("indexed"));
        let filled = fill(&store, &TEXTS, &model, &silent).unwrap();
        assert_eq!(filled, IndexReport { embedded: 4, removed: 0, indexed: 4 });
        let hits = search(&store, &TEXTS, &model, "How do I undo a migration?", 2).unwrap();
        assert_eq!((hits.len(), hits[0].id.as_str()), (2, "planted"));
        assert!((hits[0].similarity - 0.46557).abs() < 1e-3, "{hits:?}");
        let same = search(&store, &TEXTS, &model, "The test suite fails on CI", 1).unwrap();
        assert!(same[0].id == "ci" && same[0].similarity > 0.999, "{same:?}");
        // Again: nothing to do. A text that changed is embedded again, one that went is taken out.
        assert_eq!(fill(&store, &TEXTS, &model, &silent).unwrap().embedded, 0);
        store
            .run_script(
                "UPDATE text_messages SET text = 'Bake bread' WHERE part_id = 'planted';
                 DELETE FROM text_messages WHERE part_id = 'css';",
            )
            .unwrap();
        assert!(search(&store, &TEXTS, &model, "undo", 9).unwrap().iter().all(|hit| hit.id != "planted"));
        let filled = fill(&store, &TEXTS, &model, &silent).unwrap();
        assert_eq!(filled, IndexReport { embedded: 1, removed: 2, indexed: 3 });
    }
}
