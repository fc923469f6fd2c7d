//! Documents to read, and the rows that came of them, fetched back from DuckDB.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll_core::value::Value;
use plimsoll_engine::ingest::declare::Documents;
use plimsoll_engine::ingest::{Body, Document, ForeignTable, Generation, Refusal, Rows};
use plimsoll_opencode::documents::OpenCode;
use plimsoll_store::analytics::OwnedCell;
use plimsoll_store::duckdb::Analytics;
use plimsoll_store::foreign::ForeignDatabase;

/// A row by column; a column that is null is left out.
pub(crate) type Row = BTreeMap<String, OwnedCell>;

/// What was stored.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Stored {
    /// Rows by table, in the order in which they were written.
    pub(crate) tables: BTreeMap<&'static str, Vec<Row>>,
    /// Places that were not known.
    pub(crate) unknown: BTreeMap<String, u64>,
}

impl Stored {
    /// Fetches the rows back from the store.
    pub(crate) fn of(mut rows: Rows) -> Self {
        let analytics = Analytics::open_in_memory().unwrap();
        let mut tables = BTreeMap::new();
        for buffer in rows.buffers_mut().iter_mut().filter(|buffer| !buffer.is_empty()) {
            let table = buffer.table();
            analytics.create_tables(&[table]).unwrap();
            analytics.append(buffer).unwrap();
            let answer = analytics.query(&format!("SELECT * FROM {}", table.name), &[]).unwrap();
            let names: Vec<String> = answer.columns.into_iter().map(|(name, _)| name).collect();
            let rows = answer.rows.into_iter().map(|cells| {
                let filled = names.iter().cloned().zip(cells);
                filled.filter(|(_, cell)| *cell != OwnedCell::Null).collect::<Row>()
            });
            tables.insert(table.name, rows.collect());
        }
        Self { tables, unknown: rows.unknown }
    }

    pub(crate) fn rows(&self, table: &str) -> &[Row] {
        self.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// The only row of a table.
    pub(crate) fn only(&self, table: &str) -> &Row {
        let rows = self.rows(table);
        assert_eq!(rows.len(), 1, "{table}: {rows:?}");
        &rows[0]
    }

    /// The rows that each document became, by its identifier.
    pub(crate) fn by_document(&self) -> BTreeMap<String, Vec<(&'static str, &Row)>> {
        let mut documents: BTreeMap<String, Vec<(&'static str, &Row)>> = BTreeMap::new();
        for (table, rows) in &self.tables {
            for row in rows {
                let id =
                    ["document_id", "part_id", "id", "session_id"].into_iter().find_map(|name| row.get(name));
                documents.entry(text(id.unwrap())).or_default().push((table, row));
            }
        }
        documents
    }

    /// Names of the tables that have rows.
    pub(crate) fn filled(&self) -> Vec<&'static str> {
        self.tables.keys().copied().collect()
    }

    /// The only row of a table has exactly these cells, besides those named in `besides`.
    pub(crate) fn expect(&self, table: &str, besides: &[&str], expected: &[(&str, &str)]) {
        let row = self.only(table);
        same(table, row, besides, expected);
    }
}

/// Compares a row with what is expected of it, cell by cell as text.
pub(crate) fn same(table: &str, row: &Row, besides: &[&str], expected: &[(&str, &str)]) {
    let found: BTreeMap<&str, String> = row
        .iter()
        .filter(|(name, _)| !besides.contains(&name.as_str()))
        .map(|(name, cell)| (name.as_str(), text(cell)))
        .collect();
    let expected: BTreeMap<&str, String> =
        expected.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
    assert_eq!(found, expected, "{table}");
}

/// A cell as text; moments in microseconds, money with its decimals.
pub(crate) fn text(cell: &OwnedCell) -> String {
    match cell {
        OwnedCell::Null => "null".to_owned(),
        OwnedCell::Text(text) => text.clone(),
        OwnedCell::Integer(number) => number.to_string(),
        OwnedCell::Boolean(value) => value.to_string(),
        OwnedCell::Double(number) => number.to_string(),
        OwnedCell::Decimal(digits, scale) => {
            let unit = 10_i128.pow(u32::from(*scale));
            let decimals = format!("{:0width$}", (digits % unit).abs(), width = usize::from(*scale));
            let decimals = decimals.trim_end_matches('0');
            let sign = if *digits < 0 { "-" } else { "" };
            let point = if decimals.is_empty() { "" } else { "." };
            format!("{sign}{}{point}{decimals}", (digits / unit).abs())
        }
    }
}

/// Empty buffers.
pub(crate) fn buffers() -> Rows {
    Rows::new(OpenCode.tables())
}

/// Reads a file into `rows`.
pub(crate) fn read_file_into(path: &str, content: &str, rows: &mut Rows) -> Result<(), Refusal> {
    let identity = OpenCode.identify(path).unwrap_or_else(|| panic!("{path} is no document"));
    let document = Document {
        kind: identity.kind,
        id: &identity.id,
        parent: identity.parent.as_deref(),
        generation: Generation::Json,
        body: Body::File(content),
    };
    OpenCode.read(&document, rows)
}

/// Reads a file.
pub(crate) fn read_file(path: &str, content: &str) -> Result<Stored, Refusal> {
    let mut rows = buffers();
    read_file_into(path, content, &mut rows).map(|()| Stored::of(rows))
}

/// Reads a row into `rows`.
pub(crate) fn read_row_into(
    table: &ForeignTable,
    id: &str,
    columns: &[(&'static str, Value)],
    rows: &mut Rows,
) -> Result<(), Refusal> {
    let document = Document {
        kind: table.kind,
        id,
        parent: None,
        generation: table.generation,
        body: Body::Row(columns),
    };
    OpenCode.read(&document, rows)
}

/// Reads a row; its first column is the identifier, or `session_id` and `position`.
pub(crate) fn read_row(table: &str, columns: &[(&'static str, Value)]) -> Result<Stored, Refusal> {
    let mut rows = buffers();
    let table = foreign(table);
    for (name, _) in columns {
        assert!(table.columns.contains(name), "{}.{name} is not fetched", table.table);
    }
    let id = match columns[0].1.as_text() {
        Some(id) if table.table != "todo" => id.to_owned(),
        _ => "ses_1/0".to_owned(),
    };
    read_row_into(table, &id, columns, &mut rows).map(|()| Stored::of(rows))
}

/// A table of a foreign database, by its name.
pub(crate) fn foreign(table: &str) -> &'static ForeignTable {
    OpenCode.foreign_tables().iter().find(|found| found.table == table).unwrap()
}

/// A real corpus, unpacked; `None`, and a word about it, where it is absent.
pub(crate) fn corpus(name: &str) -> Option<(tempfile::TempDir, PathBuf)> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(format!("{name}.tar.gz"));
    if !archive.exists() {
        println!("skipped: ../shared/data/{name}.tar.gz is absent");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let done = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder.path()).status().unwrap();
    assert!(done.success(), "tar could not unpack {}", archive.display());
    let root = find_root(folder.path()).unwrap_or_else(|| panic!("{name} has no OpenCode folder"));
    Some((folder, root))
}

fn find_root(folder: &Path) -> Option<PathBuf> {
    if folder.join("storage").is_dir() || folder.join("opencode.db").is_file() {
        return Some(folder.to_owned());
    }
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders.iter().filter(|path| path.is_dir()).find_map(|path| find_root(path))
}

/// Files below a folder, by their path below it, sorted.
pub(crate) fn files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push((plimsoll_engine::ingest::relative(root, &path).unwrap(), text));
            }
        }
    }
    found.sort();
    found
}

/// What is done with a row: its table, identifier and columns.
type EachRow<'a> = dyn FnMut(&'static ForeignTable, &str, &[(&'static str, Value)]) + 'a;

/// Hands over every row of a database that is a document: table, identifier, columns.
pub(crate) fn each_row(database: &Path, each: &mut EachRow<'_>) {
    let database = ForeignDatabase::open(database).unwrap();
    for table in OpenCode.foreign_tables() {
        let there = database.columns(table.table).unwrap();
        if there.is_empty() {
            continue;
        }
        let columns: Vec<&'static str> = table
            .columns
            .iter()
            .copied()
            .filter(|column| there.iter().any(|found| found == column))
            .collect();
        // The listing has to be a query too.
        database
            .query_each(&format!("SELECT {} FROM {}", table.listing, table.table), &[], &mut |_| Ok(()))
            .unwrap();
        let sql = format!("SELECT {}, {} FROM {}", table.key, columns.join(", "), table.table);
        database
            .query_each(&sql, &[], &mut |mut row| {
                let id = row.remove(0);
                let cells: Vec<(&'static str, Value)> = columns.iter().copied().zip(row).collect();
                each(table, id.as_text().unwrap(), &cells);
                Ok(())
            })
            .unwrap();
    }
}

/// Everything below a root: files, then the rows of `opencode.db`.
pub(crate) fn read_root(root: &Path, files_too: bool) -> Stored {
    let mut rows = buffers();
    if files_too {
        for (path, content) in files(root) {
            if OpenCode.identify(&path).is_some() {
                read_file_into(&path, &content, &mut rows).unwrap();
            }
        }
    }
    let database = root.join("opencode.db");
    if database.exists() {
        each_row(&database, &mut |table, id, columns| read_row_into(table, id, columns, &mut rows).unwrap());
    }
    Stored::of(rows)
}
