//! PostgreSQL as a store.

use crate::error::StoreError;

pub(crate) struct PostgresStore;
