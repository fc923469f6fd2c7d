//! The demo's second story: what a coding agent left on disk, read in once and asked.
//!
//! Owns a generated OpenCode store of files and databases that overlap, with some files that cannot be read, and the
//! questions put to it. All sessions are generated and nobody's.
//!
//! Invariant: the totals must be those that the generator counted, and the second ingest must find nothing to do.

use std::path::Path;

use tinyjson::JsonValue;

use super::{DONE, DONE_WITH_QUARANTINE, Demo, heading, show};
use crate::failure::Failure;
use crate::json;

/// Sessions in the generated store.
const SESSIONS: &str = "60";
/// Files in it that cannot be read.
const BAD: &str = "5";
/// Makes every demo the same.
const SEED: &str = "11";

/// Tells the story.
pub(super) fn tell(plimsoll: &Path, folder: &Path) -> Result<(), Failure> {
    let store = format!("duckdb:{}", folder.join("opencode.duckdb").display());
    let demo = Demo { plimsoll, folder, store: &store };
    let home = folder.join("agent");
    let from = home.display().to_string();

    heading("8. A coding agent's sessions");
    let arguments = [
        "simulate",
        "opencode",
        "--to",
        &from,
        "--sessions",
        SESSIONS,
        "--seed",
        SEED,
        "--generation",
        "mixed",
        "--bad",
        BAD,
    ];
    let manifest = demo.json(&arguments, DONE)?;
    println!("Generated demo data: {SESSIONS} sessions in JSON files and databases that overlap.");

    heading("9. Ingest, once and once more");
    print!("{}", demo.output(&["ingest", "opencode", "--from", &from], DONE_WITH_QUARANTINE)?);
    let again = demo.json(&["ingest", "opencode", "--from", &from], DONE_WITH_QUARANTINE)?;
    if json::number(&again, "stored") != Some(0.0) {
        return Err(Failure::new("the second ingest stored something again"));
    }
    println!("The second time nothing was stored. What could not be read:");
    let told = demo.json(&["doctor", "opencode"], DONE_WITH_QUARANTINE)?;
    for line in json::items(&told, "not_read") {
        println!(
            "  {}: {}",
            json::text(line, "path").unwrap_or("?"),
            json::text(line, "reason").unwrap_or("?")
        );
    }

    heading("10. Totals as OpenCode counts them");
    let stats = demo.json(&["view", "opencode", "opencode-stats"], DONE)?;
    show::members(&stats, &["sessions", "messages", "total_cost"]);
    agree(&manifest, &stats, "sessions")?;
    agree(&manifest, &stats, "messages")?;
    println!("They are those that the generator counted.");

    heading("11. Cost by model and day");
    first_lines(&demo.output(&["view", "opencode", "cost-by-model"], DONE)?, 9);
    first_lines(&demo.output(&["view", "opencode", "cost-by-day"], DONE)?, 8);
    heading("12. The slowest tools, and errors by category");
    first_lines(&demo.output(&["view", "opencode", "tool-performance"], DONE)?, 9);
    first_lines(&demo.output(&["view", "opencode", "error-breakdown"], DONE)?, 9);

    heading("13. One exchange, step by step");
    let exchanges = demo.json(&["view", "opencode", "exchanges", "--limit", "1"], DONE)?;
    let exchange = exchanges
        .get::<Vec<JsonValue>>()
        .and_then(|rows| rows.first())
        .and_then(|row| json::text(row, "exchange_id").or_else(|| json::text(row, "id")))
        .ok_or_else(|| Failure::new("the view `exchanges` has no row with an exchange"))?;
    let timeline = ["view", "opencode", "exchange-timeline", "--session", exchange];
    first_lines(&demo.output(&timeline, DONE)?, 14);
    Ok(())
}

/// Prints the beginning of a table.
fn first_lines(text: &str, count: usize) {
    let shorten = |line: &str| line.chars().take(150).collect::<String>();
    for line in text.lines().take(count) {
        println!("{}", shorten(line));
    }
    let more = text.lines().count().saturating_sub(count);
    if more > 0 {
        println!(".. and {more} more");
    }
}

/// Holds a figure to the generator's.
fn agree(manifest: &JsonValue, stats: &JsonValue, name: &str) -> Result<(), Failure> {
    let counted = json::member(manifest, "opencode_way").and_then(|way| json::number(way, name));
    let told = json::number(stats, name);
    if counted.is_some() && counted == told {
        return Ok(());
    }
    Err(Failure::new(format!("{name}: the view says {told:?}, the generator counted {counted:?}")))
}
