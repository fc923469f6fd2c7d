//! Printing: data to standard output, talk to standard error.
//!
//! Owns every byte that the command prints. With `--json` standard output gets exactly one JSON document;
//! without it, plain text that reads well without colour. Progress appears on standard error after a second
//! of work, at most twice a second on a terminal and every five seconds elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use plimsoll_engine::EngineError;
use plimsoll_engine::session::{Progress, ProgressSink};
use serde::Serialize;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    /// One JSON document instead of text.
    pub(crate) json: bool,
    /// No progress.
    pub(crate) quiet: bool,
}

impl Ui {
    /// Prints one result: `document` as JSON, written as it is made, or `text`.
    pub(crate) fn print(
        &self,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), EngineError> {
        if self.json {
            return write_document(document);
        }
        write_out(text().trim_end());
        Ok(())
    }

    /// Prints a line of data.
    pub(crate) fn line(&self, text: &str) {
        write_out(text);
    }

    /// Says something to the person at the terminal.
    pub(crate) fn say(&self, text: &str) {
        if !self.quiet {
            write_err(text);
        }
    }

    /// Where the engine's progress goes.
    pub(crate) fn progress(&self) -> ProgressSink {
        if self.quiet {
            return Arc::new(|_| {});
        }
        let started = Instant::now();
        let terminal = std::io::stderr().is_terminal();
        let last = AtomicU64::new(0);
        Arc::new(move |progress| {
            let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (first, every) = if terminal { (1_000, 500) } else { (5_000, 5_000) };
            let shown = last.load(Ordering::Relaxed);
            if now < first || now < shown + every {
                return;
            }
            last.store(now, Ordering::Relaxed);
            let line = progress_line(progress);
            if terminal {
                write_err_part(&format!("\r{line:<70}"));
            } else {
                write_err(&line);
            }
        })
    }
}

fn progress_line(progress: &Progress) -> String {
    let mut line = match progress.total {
        Some(total) if total > 0 => {
            let percent = progress.done.saturating_mul(100) / total;
            format!("{} {} of {} ({percent} %)", progress.phase, grouped(progress.done), grouped(total))
        }
        _ => format!("{} {}", progress.phase, grouped(progress.done)),
    };
    if let Some(eta) = progress.eta_ms.filter(|eta| *eta > 0) {
        line += &format!(", {} left", duration(eta));
    }
    line
}

/// A number with its thousands separated.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 item`, `2 items`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    let (stem, ending) = match noun.strip_suffix('y') {
        _ if count == 1 => (noun, ""),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => (stem, "ies"),
        _ if noun.ends_with("ch") => (noun, "es"),
        _ => (noun, "s"),
    };
    format!("{} {stem}{ending}", grouped(count))
}

/// Milliseconds for a person.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Rows of cells as aligned columns under their heads.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| columns(cell));
        cells.chain([columns(heads[at])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let cells: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        cells.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(heads.to_vec())];
    lines.extend(rows.iter().map(|row| line(row.iter().map(String::as_str).collect())));
    lines.join("\n")
}

/// How many columns of a terminal a text takes: characters of Chinese, Japanese and Korean take two.
fn columns(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x20000..=0x3FFFD);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// Prints an error with its hint to standard error.
pub(crate) fn print_error(error: &EngineError) {
    write_err(&format!("error: {}", error.message));
}

fn write_document(document: &impl Serialize) -> Result<(), EngineError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document)
        .and_then(|()| writeln!(out).and_then(|()| out.flush()).map_err(serde_json::Error::io));
    match written {
        // A reader that went away ends the output, not the work.
        Err(error) if error.is_io() => tracing::debug!("standard output is closed"),
        written => written?,
    }
    Ok(())
}

fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away (`| head`) ends the output, not the work.
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        tracing::debug!("standard output is closed");
    }
}

fn write_err(text: &str) {
    write_err_part(&format!("{text}\n"));
}

fn write_err_part(text: &str) {
    let mut out = std::io::stderr().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::debug!("standard error is closed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_durations_and_nouns_read_well() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(61_000), "1 min 1 s");
        assert_eq!(plural(1, "batch"), "1 batch");
        assert_eq!(plural(2, "batch"), "2 batches");
        assert_eq!(plural(1_000, "item"), "1,000 items");
        assert_eq!(plural(1, "delivery"), "1 delivery");
        assert_eq!(plural(0, "delivery"), "0 deliveries");
        assert_eq!(plural(2, "day"), "2 days");
    }

    #[test]
    fn columns_align() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "name  n\na     1\nlong  2");
        let wide = vec![vec!["台北".to_owned(), "1".to_owned()], vec!["other".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["name", "n"], &wide), "name   n\n台北   1\nother  2");
    }
}
