//! Offset paging over lists that the server keeps.
//!
//! Owns the grids of each session: lists of ids, made when the first page is asked for. A later page shows the
//! values that its rows have by then; a row that was deleted since is missing from its page, and a row that
//! was created since is in no page.
//!
//! Invariants:
//! - A session has at most [`KEPT_GRIDS`] grids; the oldest goes first.
//! - `total` is the length of the list, whatever became of its rows.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::faults::FaultKind;
use super::refusal::Refusal;
use super::remote::Remote;

/// How many grids of one session are kept.
pub const KEPT_GRIDS: usize = 3;

#[derive(Debug)]
struct Grid {
    number: u64,
    organization: Option<String>,
    ids: Vec<String>,
}

/// The grids of all sessions.
#[derive(Debug, Default)]
pub(crate) struct Grids {
    opened: u64,
    sessions: BTreeMap<String, VecDeque<Grid>>,
}

/// What is asked of a grid.
#[derive(Debug)]
pub(crate) struct GridRequest<'a> {
    pub(crate) session: &'a str,
    pub(crate) organization: Option<&'a str>,
    /// The grid, on later pages.
    pub(crate) grid: Option<u64>,
    pub(crate) offset: usize,
    pub(crate) limit: usize,
}

impl Remote {
    /// A page of a grid: `{"grid", "total", "rows"}`.
    pub(crate) fn grid_page(&mut self, request: &GridRequest<'_>) -> Result<Value, Refusal> {
        let number = match request.grid {
            Some(number) => {
                self.disturb(request, number)?;
                number
            }
            None if request.offset == 0 => self.open_grid(request),
            None => {
                return Err(Refusal::malformed(
                    "a page behind the first needs the `grid` that the first named",
                ));
            }
        };
        let grid = self.grids.find(request.session, number).ok_or_else(|| gone(number))?;
        let page = grid.ids.iter().skip(request.offset).take(request.limit);
        let rows: Vec<Value> =
            page.filter_map(|id| self.row(id)).map(|row| self.schema.render(row)).collect();
        Ok(json!({ "grid": number, "total": grid.ids.len(), "rows": rows }))
    }

    fn open_grid(&mut self, request: &GridRequest<'_>) -> u64 {
        let ids = self.rows(request.organization).map(|row| row.id.clone()).collect();
        self.grids.opened += 1;
        let number = self.grids.opened;
        let session = self.grids.sessions.entry(request.session.to_owned()).or_default();
        session.push_back(Grid { number, organization: request.organization.map(str::to_owned), ids });
        if session.len() > KEPT_GRIDS {
            session.pop_front();
        }
        number
    }

    /// Lets the faults of grids strike before a later page.
    fn disturb(&mut self, request: &GridRequest<'_>, number: u64) -> Result<(), Refusal> {
        let known = self.grids.find(request.session, number).ok_or_else(|| gone(number))?;
        let (before, organization) = (known.ids.clone(), known.organization.clone());
        if self.strikes.strikes(FaultKind::GridLost) {
            if let Some(session) = self.grids.sessions.get_mut(request.session) {
                session.retain(|grid| grid.number != number);
            }
            return Err(gone(number));
        }
        if before.len() < 2 || !self.strikes.strikes(FaultKind::GridMoved) {
            return Ok(());
        }
        let mut random = self.strikes.random(FaultKind::GridMoved);
        let variant = random.below(4);
        // What happens in front of the offset is what moves rows over the edge of a page.
        let seen = &before[..request.offset.clamp(1, before.len())];
        if matches!(variant, 1 | 3) {
            self.deleted_by_another(&seen[random.below(seen.len())]);
        }
        if matches!(variant, 2 | 3) {
            // Refused only where the organization has a name that no id can begin with, and no rows then.
            let _ = self.created_by_another(organization.as_deref(), &mut random);
        }
        let mut ids: Vec<String> = self.rows(organization.as_deref()).map(|row| row.id.clone()).collect();
        if variant == 0 && ids.len() > 1 {
            let by = random.between(1, ids.len() - 1);
            ids.rotate_left(by);
        }
        if let Some(grid) = self.grids.find_mut(request.session, number) {
            grid.ids = ids;
        }
        Ok(())
    }
}

impl Grids {
    fn find(&self, session: &str, number: u64) -> Option<&Grid> {
        self.sessions.get(session)?.iter().find(|grid| grid.number == number)
    }

    fn find_mut(&mut self, session: &str, number: u64) -> Option<&mut Grid> {
        self.sessions.get_mut(session)?.iter_mut().find(|grid| grid.number == number)
    }
}

fn gone(number: u64) -> Refusal {
    Refusal::new(410, "grid_gone", format!("grid {number} is gone; begin again with the first page"))
}
