//! Lists in pages.
//!
//! Owns the query `limit` and `offset` and the shape `{"items", "total", "offset", "limit"}` of every long list.

use serde::{Deserialize, Serialize};

/// How many items a page holds unless the caller says so.
const DEFAULT: usize = 100;
/// How many it holds at most.
const MOST: usize = 1_000;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Window {
    limit: Option<usize>,
    offset: Option<usize>,
}

/// A part of a list, as the document of the API describes it: what its items hold is each route's.
#[derive(Debug, utoipa::ToSchema)]
#[schema(as = Page)]
#[expect(dead_code, reason = "only its shape is used")]
pub(crate) struct AnyPage {
    items: Vec<serde_json::Value>,
    total: u64,
    offset: u64,
    limit: u64,
}

/// A part of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    items: Vec<T>,
    total: usize,
    offset: usize,
    limit: usize,
}

impl Window {
    /// A window of a query that asks for more.
    pub(crate) fn new(limit: Option<usize>, offset: Option<usize>) -> Self {
        Self { limit, offset }
    }

    /// Where it ends: of several lists, so many of each may be on the page.
    pub(crate) fn end(self) -> u64 {
        self.offset().saturating_add(self.limit()) as u64
    }

    /// The page of the beginning of a list, which has so many in all.
    pub(crate) fn of<T>(self, beginning: Vec<T>, total: u64) -> Page<T> {
        let items = beginning.into_iter().skip(self.offset()).take(self.limit()).collect();
        self.page(items, usize::try_from(total).unwrap_or(usize::MAX))
    }

    /// How many at most.
    pub(crate) fn limit(self) -> usize {
        self.limit.unwrap_or(DEFAULT).clamp(1, MOST)
    }

    /// How many are left out before.
    pub(crate) fn offset(self) -> usize {
        self.offset.unwrap_or(0)
    }

    /// The page of a whole list.
    pub(crate) fn cut<T>(self, all: Vec<T>) -> Page<T> {
        let total = all.len();
        let items = all.into_iter().skip(self.offset()).take(self.limit()).collect();
        self.page(items, total)
    }

    /// A page that was read as such.
    pub(crate) fn page<T>(self, items: Vec<T>, total: usize) -> Page<T> {
        Page { items, total, offset: self.offset(), limit: self.limit() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_within_bounds() {
        let cut = |limit, offset| Window { limit, offset }.cut((0..10).collect::<Vec<u8>>());
        assert_eq!(cut(Some(3), Some(8)).items, [8, 9]);
        assert_eq!((cut(None, None).items.len(), cut(None, None).total), (10, 10));
        assert_eq!(cut(Some(0), Some(99)).items, [0; 0]);
        assert_eq!(cut(Some(usize::MAX), None).limit, MOST);
    }
}
