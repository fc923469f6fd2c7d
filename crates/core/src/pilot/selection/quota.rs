//! Quotas: how many seats each stratum gets.
//!
//! Owns the sharing of a fixed number of seats among strata that have a population, seats that are taken already, and caps
//! over rows (regions) and columns (customer types). It draws nobody.
//!
//! The seats minimize the sum over the strata of (seats - exact share)^2. Without caps and taken seats that is the method of
//! the largest remainder (Hamilton). All arithmetic is in whole numbers, so no machine decides otherwise; ties fall by the
//! stratum's `tie`, which the salt gives.
//!
//! Without a cap that binds, seats are handed out one by one to the stratum whose cost rises least, which is optimal for
//! separable convex costs. Where a cap binds, rows and columns cross, so the seats are a flow from rows to columns, and
//! each seat takes the cheapest path that may move earlier ones: seats x rows x strata steps at worst.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A stratum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// Who could have a seat, those with one included.
    pub(super) population: u64,
    /// Seats that are taken and stay so.
    pub(super) least: u64,
    /// Which row it belongs to.
    pub(super) row: usize,
    /// Which column it belongs to.
    pub(super) column: usize,
    /// The lower one gets the seat where the costs are equal.
    pub(super) tie: u32,
}

/// Costs are shifted by this many bits, so that the ties of one path never reach them.
const TIE_BITS: u32 = 48;

/// The seats of each stratum: `seats` in all. A cap of `None` is none.
///
/// # Errors
/// The largest number of seats that the caps and the populations allow, when that is less than `seats`.
pub(super) fn allocate(
    rooms: &[Room],
    seats: u64,
    rows: &[Option<u64>],
    columns: &[Option<u64>],
) -> Result<Vec<u64>, u64> {
    let sharing = Sharing::new(rooms, seats);
    if let Some(free) = sharing.without_caps() {
        let keeps = |caps: &[Option<u64>], line: fn(&Room) -> usize| {
            caps.iter().enumerate().all(|(at, cap)| cap.is_none_or(|cap| used(rooms, &free, line, at) <= cap))
        };
        if keeps(rows, |room| room.row) && keeps(columns, |room| room.column) {
            return Ok(free);
        }
    }
    sharing.within(rows, columns)
}

fn used(rooms: &[Room], taken: &[u64], line: fn(&Room) -> usize, at: usize) -> u64 {
    rooms.iter().zip(taken).filter(|(room, _)| line(room) == at).map(|(_, taken)| taken).sum()
}

struct Sharing<'a> {
    rooms: &'a [Room],
    seats: u64,
    population: u64,
    least: Vec<u64>,
}

impl<'a> Sharing<'a> {
    fn new(rooms: &'a [Room], seats: u64) -> Self {
        let population = rooms.iter().map(|room| room.population).sum();
        Self { rooms, seats, population, least: rooms.iter().map(|room| room.least).collect() }
    }

    /// What the next seat of a stratum that has `taken` adds to the sum of squares, times the population, with the tie.
    fn cost(&self, room: &Room, taken: u64) -> i128 {
        let (all, seats) = (i128::from(self.population), i128::from(self.seats));
        let marginal = (2 * i128::from(taken) + 1) * all - 2 * seats * i128::from(room.population);
        (marginal << TIE_BITS) + i128::from(room.tie)
    }

    /// `None` when the populations are too small.
    fn without_caps(&self) -> Option<Vec<u64>> {
        let mut taken = self.least.clone();
        let mut heap: BinaryHeap<Reverse<(i128, usize)>> = BinaryHeap::new();
        let next = |at: usize, taken: u64| {
            let room = &self.rooms[at];
            (taken < room.population).then(|| Reverse((self.cost(room, taken), at)))
        };
        heap.extend((0..self.rooms.len()).filter_map(|at| next(at, taken[at])));
        let before: u64 = taken.iter().sum();
        for _ in before..self.seats {
            let Reverse((_, at)) = heap.pop()?;
            taken[at] += 1;
            heap.extend(next(at, taken[at]));
        }
        Some(taken)
    }

    fn within(&self, rows: &[Option<u64>], columns: &[Option<u64>]) -> Result<Vec<u64>, u64> {
        let mut taken = self.least.clone();
        let open = |caps: &[Option<u64>], line: fn(&Room) -> usize| -> Vec<u64> {
            let left = |(at, cap): (usize, &Option<u64>)| {
                cap.map_or(u64::MAX, |cap| cap.saturating_sub(used(self.rooms, &self.least, line, at)))
            };
            caps.iter().enumerate().map(left).collect()
        };
        let mut rows_left = open(rows, |room| room.row);
        let mut columns_left = open(columns, |room| room.column);
        let before: u64 = taken.iter().sum();
        for given in before..self.seats {
            let Some(path) = self.cheapest_path(&taken, &rows_left, &columns_left) else { return Err(given) };
            for (at, more) in &path {
                if *more { taken[*at] += 1 } else { taken[*at] -= 1 }
            }
            // A path begins at the row of its first stratum and ends at the column of its last.
            if let (Some((first, _)), Some((last, _))) = (path.first(), path.last()) {
                rows_left[self.rooms[*first].row] -= 1;
                columns_left[self.rooms[*last].column] -= 1;
            }
        }
        Ok(taken)
    }

    /// The strata that get one more (`true`) or one less seat, in order, so that one seat more is given at the least cost.
    fn cheapest_path(&self, taken: &[u64], rows: &[u64], columns: &[u64]) -> Option<Vec<(usize, bool)>> {
        // Nodes: the rows, then the columns. By Bellman and Ford, because moving a seat away has a negative cost.
        let mut reached: Vec<Option<i128>> = rows.iter().map(|left| (*left > 0).then_some(0)).collect();
        reached.resize(rows.len() + columns.len(), None);
        let mut came_by: Vec<Option<(usize, bool)>> = vec![None; reached.len()];
        for _ in 0..reached.len() {
            let mut changed = false;
            for (at, room) in self.rooms.iter().enumerate() {
                let (row, column) = (room.row, rows.len() + room.column);
                let more =
                    (taken[at] < room.population).then(|| (row, column, self.cost(room, taken[at]), true));
                let less =
                    (taken[at] > room.least).then(|| (column, row, -self.cost(room, taken[at] - 1), false));
                for (from, to, cost, direction) in more.into_iter().chain(less) {
                    let Some(here) = reached[from] else { continue };
                    if reached[to].is_none_or(|there| here + cost < there) {
                        reached[to] = Some(here + cost);
                        came_by[to] = Some((at, direction));
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        let ends = columns.iter().enumerate().filter(|(_, left)| **left > 0);
        let ends = ends.filter_map(|(at, _)| reached[rows.len() + at].map(|cost| (cost, rows.len() + at)));
        let (_, mut node) = ends.min()?;
        let mut path = Vec::new();
        while let Some((at, more)) = came_by[node] {
            path.push((at, more));
            node = if more { self.rooms[at].row } else { rows.len() + self.rooms[at].column };
        }
        path.reverse();
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rooms() -> impl Strategy<Value = Vec<Room>> {
        let room = (0_u64..6, 0_u64..3, any::<u32>());
        prop::collection::vec(room, 6).prop_map(|rooms| {
            let room = |(at, (population, least, tie)): (usize, (u64, u64, u32))| Room {
                population,
                least: least.min(population),
                row: at / 2,
                column: at % 2,
                tie,
            };
            rooms.into_iter().enumerate().map(room).collect()
        })
    }

    fn squares(rooms: &[Room], seats: u64, taken: &[u64]) -> i128 {
        let all: i128 = rooms.iter().map(|room| i128::from(room.population)).sum();
        let off = |(room, taken): (&Room, &u64)| {
            (i128::from(*taken) * all - i128::from(seats) * i128::from(room.population)).pow(2)
        };
        rooms.iter().zip(taken).map(off).sum()
    }

    /// Every way to share the seats.
    fn every(rooms: &[Room], seats: u64) -> Vec<Vec<u64>> {
        let Some((room, rest)) = rooms.split_first() else {
            return if seats == 0 { vec![Vec::new()] } else { Vec::new() };
        };
        let mut found = Vec::new();
        for own in room.least..=room.population.min(seats) {
            found.extend(every(rest, seats - own).into_iter().map(|mut ways| {
                ways.insert(0, own);
                ways
            }));
        }
        found
    }

    fn keeps(rooms: &[Room], taken: &[u64], rows: &[Option<u64>], columns: &[Option<u64>]) -> bool {
        let line = |caps: &[Option<u64>], line: fn(&Room) -> usize| {
            let least: Vec<u64> = rooms.iter().map(|room| room.least).collect();
            caps.iter().enumerate().all(|(at, cap)| {
                let floor = used(rooms, &least, line, at);
                cap.is_none_or(|cap| used(rooms, taken, line, at) <= cap.max(floor))
            })
        };
        line(rows, |room| room.row) && line(columns, |room| room.column)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// The sum of squares is the least of all ways to share, under crossing caps; and an error names the most there can be.
        #[test]
        fn no_other_sharing_is_closer(
            rooms in rooms(), more in 0_u64..14,
            rows in prop::collection::vec(prop::option::of(0_u64..7), 3),
            columns in prop::collection::vec(prop::option::of(0_u64..9), 2),
        ) {
            let seats = rooms.iter().map(|room| room.least).sum::<u64>() + more;
            let possible = |seats| {
                let mut ways = every(&rooms, seats);
                ways.retain(|taken| keeps(&rooms, taken, &rows, &columns));
                ways
            };
            let best = possible(seats).iter().map(|taken| squares(&rooms, seats, taken)).min();
            match allocate(&rooms, seats, &rows, &columns) {
                Ok(taken) => {
                    prop_assert!(possible(seats).contains(&taken), "{taken:?}");
                    prop_assert_eq!(Some(squares(&rooms, seats, &taken)), best);
                }
                Err(most) => {
                    prop_assert_eq!(best, None);
                    prop_assert!(most < seats && !possible(most).is_empty());
                    prop_assert!(possible(most + 1).is_empty());
                }
            }
        }

        /// Without caps and taken seats it is the largest remainder.
        #[test]
        fn without_bounds_it_is_the_largest_remainder(
            populations in prop::collection::vec(0_u64..5_000, 1..12), percent in 1_u64..=100,
        ) {
            let room = |(at, population): (usize, &u64)| {
                Room { population: *population, least: 0, row: 0, column: 0, tie: at as u32 }
            };
            let rooms: Vec<Room> = populations.iter().enumerate().map(room).collect();
            let all: u64 = populations.iter().sum();
            prop_assume!(all > 0);
            let seats = all * percent / 100;
            let mut hamilton: Vec<u64> = populations.iter().map(|one| seats * one / all).collect();
            let mut by_rest: Vec<usize> = (0..populations.len()).collect();
            by_rest.sort_by_key(|at| (Reverse(seats * populations[*at] % all), *at));
            let left = seats - hamilton.iter().sum::<u64>();
            by_rest.iter().take(left as usize).for_each(|at| hamilton[*at] += 1);
            prop_assert_eq!(allocate(&rooms, seats, &[None], &[None]), Ok(hamilton));
        }
    }
}
