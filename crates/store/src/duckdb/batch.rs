//! Collected rows as an Arrow batch, the form in which the appender takes many rows at once.
//!
//! Owns the mapping of column types to Arrow. Texts are moved, not copied.

use std::sync::Arc;

use ::duckdb::arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray,
};
use ::duckdb::arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use ::duckdb::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use ::duckdb::arrow::error::ArrowError;
use ::duckdb::arrow::record_batch::RecordBatch;

use crate::analytics::{ColumnBuffer, ColumnType, RowBuffer};
use crate::error::{ErrorClass, StoreError};

/// The rows as a batch; the buffer is empty after.
pub(super) fn record_batch(rows: &mut RowBuffer) -> Result<RecordBatch, StoreError> {
    let wrong = |error: ArrowError| {
        StoreError::new(ErrorClass::Other, format!("rows of `{}` make no batch: {error}", rows.table.name))
    };
    let mut fields = Vec::with_capacity(rows.columns.len());
    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(rows.columns.len());
    for (column, buffer) in rows.table.columns.iter().zip(&mut rows.columns) {
        fields.push(Field::new(column.name, arrow_type(column.kind), true));
        arrays.push(match buffer {
            ColumnBuffer::Text { bytes, ends, present } => {
                let text = Buffer::from_vec(std::mem::take(bytes).into_bytes());
                let mut offsets = Vec::with_capacity(ends.len() + 1);
                offsets.push(0_i32);
                offsets.append(ends);
                let nulls = NullBuffer::from(std::mem::take(present));
                let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
                Arc::new(StringArray::try_new(offsets, text, Some(nulls)).map_err(wrong)?)
            }
            ColumnBuffer::Boolean(values) => Arc::new(BooleanArray::from(std::mem::take(values))),
            ColumnBuffer::Double(values) => Arc::new(Float64Array::from(std::mem::take(values))),
            ColumnBuffer::Integer(values) => {
                let values = std::mem::take(values);
                match column.kind {
                    ColumnType::Timestamp => Arc::new(TimestampMicrosecondArray::from(values)),
                    ColumnType::Date => Arc::new(Date32Array::from_iter(
                        values.into_iter().map(|day| day.and_then(|day| i32::try_from(day).ok())),
                    )),
                    ColumnType::Money => Arc::new(
                        Decimal128Array::from_iter(values.into_iter().map(|value| value.map(i128::from)))
                            .with_precision_and_scale(18, 10)
                            .map_err(wrong)?,
                    ),
                    _ => Arc::new(Int64Array::from(values)),
                }
            }
        });
    }
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(wrong)?;
    rows.clear();
    Ok(batch)
}

fn arrow_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Text | ColumnType::Json => DataType::Utf8,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Money => DataType::Decimal128(18, 10),
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Date => DataType::Date32,
        ColumnType::Double => DataType::Float64,
    }
}
