//! Digests: what approval, receipts and table comparison bind to.
//!
//! Owns how rows, plans and receipts are hashed (BLAKE3). Two rules make the results comparable between
//! stores and between versions of a table:
//! - a row's digest covers the name, the type and the value of every column that is not null, in the order
//!   of the names, so a new nullable column changes no digest;
//! - a table's digest is the lane-wise sum of its rows' digests, so it does not depend on the order in which
//!   a database returns them, and can be kept up to date by adding and subtracting rows.

use serde::{Deserialize, Serialize};

use crate::table::TableShape;
use crate::value::Value;

/// A running hash over length-prefixed parts, so that no two sequences of parts collide by concatenation.
#[derive(Debug, Clone, Default)]
pub struct Hashing {
    hasher: blake3::Hasher,
    /// Parts not hashed yet: hashing many small parts at once costs a fraction of one by one.
    pending: Vec<u8>,
}

/// How many bytes are gathered before they are hashed.
const GATHER: usize = 4_096;

impl Hashing {
    /// An empty hash, set apart by `purpose`.
    pub fn new(purpose: &str) -> Self {
        let mut hashing = Self::default();
        hashing.part(purpose.as_bytes());
        hashing
    }

    /// Adds one part.
    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.pending.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        if bytes.len() > GATHER {
            self.hasher.update(&self.pending);
            self.pending.clear();
            self.hasher.update(bytes);
        } else {
            self.pending.extend_from_slice(bytes);
            if self.pending.len() > GATHER {
                self.hasher.update(&self.pending);
                self.pending.clear();
            }
        }
        self
    }

    /// Adds a part that may be absent; absent differs from empty.
    pub fn optional(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.part(b"+").part(text.as_bytes()),
            None => self.part(b"-"),
        }
    }

    /// The digest of everything so far, as lower-case hexadecimal.
    pub fn hex(&self) -> String {
        self.finalize().to_hex().to_string()
    }

    fn finalize(&self) -> blake3::Hash {
        if self.pending.is_empty() {
            return self.hasher.finalize();
        }
        if self.hasher.count() == 0 {
            return blake3::hash(&self.pending);
        }
        let mut hasher = self.hasher.clone();
        hasher.update(&self.pending);
        hasher.finalize()
    }

    fn lanes(&self) -> [u64; 4] {
        let mut lanes = [0_u64; 4];
        let hash = self.finalize();
        for (lane, bytes) in lanes.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let mut eight = [0_u8; 8];
            eight.copy_from_slice(bytes);
            *lane = u64::from_le_bytes(eight);
        }
        lanes
    }
}

/// The digest of a whole table and its row count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDigest {
    /// The table's name.
    pub table: String,
    /// How many rows it has.
    pub rows: u64,
    /// Hexadecimal digest of its content.
    pub digest: String,
}

/// The digest of one row in the form that is summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct RowHash([u64; 4]);

impl RowHash {
    /// The four lanes, as they are stored.
    pub fn lanes(self) -> [u64; 4] {
        self.0
    }

    /// The digest that was stored as these lanes.
    pub fn from_lanes(lanes: [u64; 4]) -> Self {
        Self(lanes)
    }
}

/// The digest of one row. `order` is [`name_order`] of the shape.
pub fn row_hash(shape: &TableShape, order: &[usize], image: &[Value]) -> RowHash {
    RowHash(row_hashing(shape, order, image).lanes())
}

/// Sums row digests into a table digest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableHashing {
    lanes: [u64; 4],
    rows: u64,
}

impl TableHashing {
    /// Adds one row. `order` is [`name_order`] of the shape.
    pub fn add(&mut self, shape: &TableShape, order: &[usize], image: &[Value]) {
        self.add_hash(row_hash(shape, order, image));
    }

    /// Adds a row whose digest is known.
    pub fn add_hash(&mut self, row: RowHash) {
        for (lane, part) in self.lanes.iter_mut().zip(row.0) {
            *lane = lane.wrapping_add(part);
        }
        self.rows = self.rows.wrapping_add(1);
    }

    /// The sum as it is stored: four lanes and the number of rows.
    pub fn parts(&self) -> ([u64; 4], u64) {
        (self.lanes, self.rows)
    }

    /// The sum that was stored as these parts.
    pub fn from_parts(lanes: [u64; 4], rows: u64) -> Self {
        Self { lanes, rows }
    }

    /// Takes a row out that was added.
    pub fn remove_hash(&mut self, row: RowHash) {
        for (lane, part) in self.lanes.iter_mut().zip(row.0) {
            *lane = lane.wrapping_sub(part);
        }
        self.rows = self.rows.wrapping_sub(1);
    }

    /// The digest of the rows added so far.
    pub fn finish(&self, table: &str) -> TableDigest {
        let digest = self.lanes.iter().map(|lane| format!("{lane:016x}")).collect();
        TableDigest { table: table.to_owned(), rows: self.rows, digest }
    }
}

/// Positions of the columns in the order of their names.
pub fn name_order(shape: &TableShape) -> Vec<usize> {
    let mut order: Vec<usize> = (0..shape.columns.len()).collect();
    order.sort_by(|&a, &b| shape.columns[a].name.cmp(&shape.columns[b].name));
    order
}

/// The digest of one row, as lower-case hexadecimal.
pub fn row_digest(shape: &TableShape, image: &[Value]) -> String {
    row_hashing(shape, &name_order(shape), image).hex()
}

fn row_hashing(shape: &TableShape, order: &[usize], image: &[Value]) -> Hashing {
    let mut hashing = Hashing::new("row");
    for &at in order {
        let (Some(column), Some(value)) = (shape.columns.get(at), image.get(at)) else { continue };
        if value.is_null() {
            continue;
        }
        hashing.part(column.name.as_bytes()).part(value.type_name().as_bytes());
        match value {
            Value::Null => {}
            Value::Boolean(value) => drop(hashing.part(&[u8::from(*value)])),
            Value::Integer(value) => drop(hashing.part(&value.to_le_bytes())),
            Value::Float(value) => drop(hashing.part(&value.to_bits().to_le_bytes())),
            Value::Bytes(bytes) => drop(hashing.part(bytes)),
            Value::Decimal(text)
            | Value::Text(text)
            | Value::Timestamp(text)
            | Value::Date(text)
            | Value::Json(text) => drop(hashing.part(text.as_bytes())),
        }
    }
    hashing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Column, ColumnType};

    fn shape(names: &[&str]) -> TableShape {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            column_type: ColumnType::Text,
            declared: "text".into(),
            nullable: true,
        };
        TableShape { name: "t".into(), columns: names.iter().map(column).collect(), key: vec![0] }
    }

    #[test]
    fn a_new_null_column_and_the_order_of_rows_change_nothing() {
        let (old, new) = (shape(&["id", "b"]), shape(&["id", "a", "b"]));
        let mut forward = TableHashing::default();
        let mut backward = TableHashing::default();
        let rows = [["1", "x"], ["2", "y"], ["3", "x"]];
        for row in rows {
            forward.add(&old, &name_order(&old), &[Value::text(row[0]), Value::text(row[1])]);
        }
        for row in rows.iter().rev() {
            let image = [Value::text(row[0]), Value::Null, Value::text(row[1])];
            backward.add(&new, &name_order(&new), &image);
        }
        assert_eq!(forward.finish("t"), backward.finish("t"));
        backward.add(&new, &name_order(&new), &[Value::text("4"), Value::Null, Value::Null]);
        assert_ne!(forward.finish("t").digest, backward.finish("t").digest);
    }

    #[test]
    fn type_and_value_both_count() {
        let shape = shape(&["id"]);
        assert_ne!(row_digest(&shape, &[Value::Integer(1)]), row_digest(&shape, &[Value::text("1")]));
        assert_ne!(row_digest(&shape, &[Value::text("a")]), row_digest(&shape, &[Value::text("b")]));
    }
}
