//! Values between the database and the program.
//!
//! Owns which types may leave a query. Numbers of any width come as whole numbers or decimals; nested types are an
//! error, so that a view casts them to JSON and says how they are to be read.

use ::duckdb::Statement;
use ::duckdb::core::LogicalTypeId;
use ::duckdb::types::{TimeUnit, ToSqlOutput, Value, ValueRef};
use ::duckdb::{ParamsFromIter, ToSql, params_from_iter};

use super::Parameter;
use crate::analytics::OwnedCell;
use crate::error::{ErrorClass, StoreError};

impl ToSql for Parameter {
    fn to_sql(&self) -> ::duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self {
            Self::Null => Value::Null,
            Self::Text(text) => Value::Text(text.clone()),
            Self::Integer(number) => Value::BigInt(*number),
            Self::Boolean(value) => Value::Boolean(*value),
            Self::Timestamp(moment) => Value::Timestamp(TimeUnit::Microsecond, *moment),
        }))
    }
}

pub(super) fn bound(parameters: &[Parameter]) -> ParamsFromIter<&[Parameter]> {
    params_from_iter(parameters)
}

/// Name and SQL type of each column.
pub(super) fn columns(statement: &Statement<'_>) -> Vec<(String, String)> {
    let names = statement.column_names();
    let types = (0..names.len()).map(|at| {
        let kind = statement.column_logical_type(at);
        if let Some(alias) = kind.get_alias() {
            return alias;
        }
        match kind.id() {
            LogicalTypeId::Varchar => "VARCHAR".to_owned(),
            LogicalTypeId::Decimal => format!("DECIMAL({},{})", kind.decimal_width(), kind.decimal_scale()),
            other => format!("{other:?}").to_uppercase(),
        }
    });
    let types: Vec<String> = types.collect();
    names.into_iter().zip(types).collect()
}

/// One cell, owned.
pub(super) fn owned(cell: ValueRef<'_>, column: &str) -> Result<OwnedCell, StoreError> {
    Ok(match cell {
        ValueRef::Null => OwnedCell::Null,
        ValueRef::Boolean(value) => OwnedCell::Boolean(value),
        ValueRef::TinyInt(number) => OwnedCell::Integer(number.into()),
        ValueRef::SmallInt(number) => OwnedCell::Integer(number.into()),
        ValueRef::Int(number) => OwnedCell::Integer(number.into()),
        ValueRef::BigInt(number) => OwnedCell::Integer(number),
        ValueRef::HugeInt(number) => whole(number),
        ValueRef::UTinyInt(number) => OwnedCell::Integer(number.into()),
        ValueRef::USmallInt(number) => OwnedCell::Integer(number.into()),
        ValueRef::UInt(number) => OwnedCell::Integer(number.into()),
        ValueRef::UBigInt(number) => whole(number.into()),
        ValueRef::Float(number) => OwnedCell::Double(number.into()),
        ValueRef::Double(number) => OwnedCell::Double(number),
        ValueRef::Decimal(decimal) => OwnedCell::Decimal(decimal.value(), decimal.scale()),
        ValueRef::Timestamp(unit, moment) => OwnedCell::Integer(unit.to_micros(moment)),
        ValueRef::Date32(days) => OwnedCell::Integer(days.into()),
        ValueRef::Text(text) => OwnedCell::Text(String::from_utf8_lossy(text).into_owned()),
        other => {
            let message = format!("column `{column}` has a nested type ({other:?}); cast it to JSON");
            return Err(StoreError::new(ErrorClass::Schema, message));
        }
    })
}

/// Sums are wider than 64 bits in the database; most fit.
fn whole(number: i128) -> OwnedCell {
    i64::try_from(number).map_or(OwnedCell::Decimal(number, 0), OwnedCell::Integer)
}
