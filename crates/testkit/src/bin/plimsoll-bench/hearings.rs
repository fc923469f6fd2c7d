//! 500 hearings through the real binary: the daily update from a simulated congress.gov, in one
//! transaction and in batches.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use plimsoll_core::value::Value;
use plimsoll_store::{Durability, StoreUrl};
use serde_json::Value as Json;

use crate::Failure;
use crate::table::median;

/// Measures the update with 500 changed hearings, `rounds` times each way.
pub(crate) fn run(rounds: usize) -> Result<(), Failure> {
    let binary = std::env::current_exe()?.with_file_name("plimsoll");
    if !binary.is_file() {
        println!("\n500 hearings: left out, {} is not built", binary.display());
        return Ok(());
    }
    println!("\n500 changed hearings of 1,200, the daily update by the real binary (asked < 5 s to apply)");
    for (what, durability, batch) in [
        ("one transaction (plain path), FULL", Durability::Full, None),
        ("batches of 25, FULL", Durability::Full, Some("25")),
        ("batches of 50, FULL", Durability::Full, Some("50")),
        ("batches of 100, FULL", Durability::Full, Some("100")),
        ("batches of 50, NORMAL", Durability::Normal, Some("50")),
    ] {
        let mut applied = Vec::new();
        let mut batches_us: Vec<f64> = Vec::new();
        for _ in 0..rounds {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("hearings.db");
            let report = update(&binary, &path, durability, batch)?;
            if report["applied"] != 500 {
                return Err(format!("{} of 500 hearings were applied", report["applied"]).into());
            }
            applied.push(report["duration_ms"].as_f64().ok_or("no duration")?);
            batches_us.extend(batch_durations(&path, durability)?);
        }
        let (middle, spread) = median(applied);
        batches_us.sort_by(f64::total_cmp);
        let at = |share: f64| batches_us[((batches_us.len() - 1) as f64 * share) as usize] / 1_000.0;
        println!(
            "  {what:<36} {middle:>6.1} ms to apply (spread {:>3.0} %); a batch with its checkpoint: p50 {:.2} ms, p99 {:.2} ms",
            spread * 100.0,
            at(0.5),
            at(0.99)
        );
    }
    println!("  a batch's time holds its validation, writes, journal and receipt");
    trial(&binary, rounds)
}

/// The parts of a batch, as the trial of the same update measures them.
fn trial(binary: &Path, rounds: usize) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("hearings.db");
    let out = folder.path().join("trial");
    let (mut simulator, address) = simulate(binary, &path)?;
    let url = StoreUrl::Sqlite { path, durability: Durability::Full };
    // The store is set up first: a trial only reads it.
    let prepared = Command::new(binary).args(["log", "--json", "--store", &url.to_string()]).output();
    let output = Command::new(binary)
        .args(["trial", "hearings", "daily-update", "--json", "--quiet", "--source", &address])
        .args(["--store", &url.to_string(), "--rounds", &rounds.to_string(), "--out"])
        .arg(&out)
        .output();
    simulator.kill()?;
    simulator.wait()?;
    prepared?;
    let output = output?;
    // 3 is for the criteria that only a build server can judge.
    if !matches!(output.status.code(), Some(0 | 3)) {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let found: Json = serde_json::from_slice(&output.stdout)?;
    println!("\n  `plimsoll trial` on the same update, FULL:");
    for judged in found["decision"]["criteria"].as_array().ok_or("no criteria")? {
        let of = |name: &str| judged[name].as_str().unwrap_or_default();
        if of("id").starts_with('P') {
            let value =
                judged["value"].as_f64().map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
            println!("  {} {:<72} {value:>8} {}: {}", of("id"), of("text"), of("unit"), of("basis"));
        }
    }
    Ok(())
}

fn update(binary: &Path, path: &Path, durability: Durability, batch: Option<&str>) -> Result<Json, Failure> {
    let (mut simulator, address) = simulate(binary, path)?;
    let url = StoreUrl::Sqlite { path: path.to_owned(), durability };
    let mut command = Command::new(binary);
    command.args(["run", "hearings", "daily-update", "--json", "--quiet", "--source", &address]);
    command.args(["--store", &url.to_string()]);
    if let Some(batch) = batch {
        command.args(["--batch-size", batch]);
    }
    let output = command.env_remove("ENABLE_BATCH_PROCESSING").output();
    simulator.kill()?;
    simulator.wait()?;
    let output = output?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn simulate(binary: &Path, baseline: &Path) -> Result<(Child, String), Failure> {
    let mut child = Command::new(binary)
        .args(["simulate", "congress", "--generate", "1200", "--changes", "500", "--seed", "3"])
        .arg("--write-baseline")
        .arg(baseline)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(child.stdout.take().ok_or("the simulator has no output")?).read_line(&mut address)?;
    Ok((child, address.trim().to_owned()))
}

/// Microseconds of each committed batch, as the journal holds them.
fn batch_durations(path: &Path, durability: Durability) -> Result<Vec<f64>, Failure> {
    let url = StoreUrl::Sqlite { path: path.to_owned(), durability };
    let mut store = plimsoll_store::open(&url)?;
    let rows = store.query("SELECT duration_us FROM plimsoll_batch", &[])?;
    Ok(rows.iter().filter_map(|row| row.first().and_then(Value::as_integer)).map(|us| us as f64).collect())
}
