//! What happens in a compared history, fixed by its seed before any system runs.
//!
//! Owns the people's edits on both sides, the moods of the network, and the answers that people give. Nothing in it
//! depends on the system that the history is played to: the same seed brings every system the same edits at the same
//! minutes, and a request in the same minute, for the same row, with the same count meets the same fault.

use std::collections::BTreeMap;

/// A row: every field holds a number, and a number names one edit of one field (see [`Script::new`]).
pub(super) type Row = BTreeMap<&'static str, i64>;

pub(super) const ROWS: usize = 3;
pub(super) const FIELDS: [&str; 4] = ["cost", "owner", "start", "note"];
/// Minutes with edits and faults.
pub(super) const MINUTES: u64 = 120;
/// Minutes after them, without either, in which everything may come to rest.
pub(super) const CALM: u64 = 90;
/// How often people look after what waits for them, in minutes.
pub(super) const INBOX_EVERY: u64 = 10;

/// What a person wants of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Write(Row),
    Delete,
}

/// One thing that people do.
#[derive(Debug, Clone)]
pub(super) enum Happening {
    /// Somebody at the remote changes a row at once.
    There { row: usize, change: Change },
    /// Somebody here opens the row and begins to edit it.
    Draft { id: usize, row: usize, change: Change },
    /// The same person saves.
    Commit { id: usize },
}

/// What the network and the program do to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Applied or judged, then no answer.
    LostAnswer,
    /// A 5xx before anything was applied.
    ServerError,
    /// A 429.
    TooMany,
    /// The program ends before it sent the request.
    CrashBefore,
    /// The program ends after the request was taken and before it noted the answer.
    CrashAfter,
    /// The request is delivered once more, so many minutes later.
    Doubled(u64),
}

/// Which side a person takes when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Mine,
    Theirs,
}

/// SplitMix64's finish (Steele, Lea, Flood 2014) over several numbers: a chance without a state, so that it cannot
/// depend on what was asked before.
fn mixed(numbers: &[u64]) -> u64 {
    numbers.iter().fold(0x9e37_79b9_7f4a_7c15, |sum, number| {
        let mut mixed = (sum ^ number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    })
}

/// A whole history.
pub(super) struct Script {
    seed: u64,
    /// The rows that both sides agree on at the beginning.
    pub(super) start: Vec<Row>,
    /// What people do, by minute.
    pub(super) minutes: Vec<Vec<Happening>>,
    /// How far the remote's clock is ahead of ours, in milliseconds.
    pub(super) skew_ms: i64,
}

impl Script {
    /// The history of a seed. Every edit of a field gets a number of its own; only where both sides are to write the
    /// same, they get the same one.
    pub(super) fn new(seed: u64) -> Self {
        let mut writer = Writer { seed, drawn: 0, value: 0, id: 0, minutes: Vec::new() };
        writer.minutes.resize_with(usize::try_from(MINUTES).unwrap_or(0), Vec::new);
        let start = (0..ROWS).map(|_| FIELDS.map(|field| (field, writer.value())).into()).collect();
        let skew_ms = [0, 0, 20_000, -20_000, 180_000, -180_000, 1_200_000, -1_200_000];
        let skew_ms = skew_ms[writer.pick(8)];
        for minute in 0..MINUTES {
            writer.minute(minute);
        }
        Self { seed, start, minutes: writer.minutes, skew_ms }
    }

    /// What happens to a request: the `count`-th of this minute for this row.
    pub(super) fn fault(&self, minute: u64, row: usize, count: u64) -> Fault {
        if minute >= MINUTES {
            return Fault::None;
        }
        let drawn = mixed(&[self.seed, 1, minute, row as u64, count]);
        match drawn % 100 {
            0..70 => Fault::None,
            70..78 => Fault::LostAnswer,
            78..85 => Fault::ServerError,
            85..92 => Fault::TooMany,
            92..94 => Fault::CrashBefore,
            94..96 => Fault::CrashAfter,
            _ => Fault::Doubled(1 + (drawn >> 32) % 6),
        }
    }

    /// Whether a reading fails.
    pub(super) fn reading_fails(&self, minute: u64, row: usize) -> bool {
        minute < MINUTES && mixed(&[self.seed, 2, minute, row as u64]).is_multiple_of(5)
    }

    /// Which side the person takes who looks at the row's question in this minute.
    pub(super) fn choice(&self, minute: u64, row: usize) -> Choice {
        let even = mixed(&[self.seed, 3, minute, row as u64]).is_multiple_of(2);
        if even { Choice::Mine } else { Choice::Theirs }
    }
}

struct Writer {
    seed: u64,
    drawn: u64,
    value: i64,
    id: usize,
    minutes: Vec<Vec<Happening>>,
}

impl Writer {
    fn pick(&mut self, below: usize) -> usize {
        self.drawn += 1;
        usize::try_from(mixed(&[self.seed, 0, self.drawn]) % below as u64).unwrap_or(0)
    }

    fn value(&mut self) -> i64 {
        self.value += 1;
        self.value
    }

    /// New values for one field, or now and then for two.
    fn change(&mut self) -> Change {
        let mut row = Row::new();
        for _ in 0..=usize::from(self.pick(3) == 0) {
            row.insert(FIELDS[self.pick(FIELDS.len())], self.value());
        }
        Change::Write(row)
    }

    fn minute(&mut self, minute: u64) {
        let row = self.pick(ROWS);
        match self.pick(300) {
            0..40 => {
                let change = self.change();
                self.here(minute, row, change);
            }
            40..80 => {
                let change = self.change();
                self.there(minute, row, change);
            }
            // Both sides within a few minutes, the same field: the one case that has to be asked.
            80..86 => {
                let field = FIELDS[self.pick(FIELDS.len())];
                let (mine, theirs) = (self.value(), self.value());
                self.here(minute, row, Change::Write(Row::from([(field, mine)])));
                let later = minute + self.pick(4) as u64;
                self.there(later, row, Change::Write(Row::from([(field, theirs)])));
            }
            // Both sides the same: nothing to ask.
            86..90 => {
                let change = self.change();
                self.here(minute, row, change.clone());
                let later = minute + self.pick(4) as u64;
                self.there(later, row, change);
            }
            90..91 => self.here(minute, row, Change::Delete),
            91..92 => self.there(minute, row, Change::Delete),
            _ => {}
        }
    }

    fn there(&mut self, minute: u64, row: usize, change: Change) {
        self.put(minute, Happening::There { row, change });
    }

    /// Half of the people save at once, the others have the form open for up to twenty minutes.
    fn here(&mut self, minute: u64, row: usize, change: Change) {
        let id = self.id;
        self.id += 1;
        let open = if self.pick(2) == 0 { 0 } else { 1 + self.pick(20) as u64 };
        self.put(minute, Happening::Draft { id, row, change });
        self.put(minute + open, Happening::Commit { id });
    }

    fn put(&mut self, minute: u64, happening: Happening) {
        let minute = usize::try_from(minute.min(MINUTES - 1)).unwrap_or(0);
        self.minutes[minute].push(happening);
    }
}
