//! Memory growth of planning, applying and verifying a run, in a process of its own for each size.

use std::process::Command;

use plimsoll_engine::change::apply::{self, StartRun};
use plimsoll_engine::change::verify;
use plimsoll_store::{Durability, StoreUrl};

use crate::{Failure, rows};

/// Measures each size in a child process.
pub(crate) fn run(sizes: &[i64]) -> Result<(), Failure> {
    println!("\nmemory: growth of the process's peak over the prepared store (asked < 100 MB, aim < 50 MB)");
    for size in sizes {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("memory.db");
        let url = StoreUrl::Sqlite { path: path.clone(), durability: Durability::Normal };
        drop(rows::prepare(&url, *size)?);
        let output = Command::new(std::env::current_exe()?)
            .args(["memory", &size.to_string(), "--child"])
            .arg(&path)
            .output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stdout).into_owned().into());
        }
        println!("  {size:>9} rows: {}", String::from_utf8_lossy(&output.stdout).trim());
    }
    Ok(())
}

/// Makes a store for [`child`], so that a profiler can look at that alone.
pub(crate) fn prepare(rows: &str, path: &str) -> Result<(), Failure> {
    let url = StoreUrl::Sqlite { path: path.into(), durability: Durability::Normal };
    drop(rows::prepare(&url, rows.parse()?)?);
    Ok(())
}

/// Plans, applies and verifies in this process, and prints by how much its peak grew.
pub(crate) fn child(rows: &str, path: &str) -> Result<(), Failure> {
    let count: i64 = rows.parse()?;
    let url = StoreUrl::Sqlite { path: path.into(), durability: Durability::Normal };
    let mut session = plimsoll_engine::Session::new(plimsoll_store::open(&url)?, "bench");
    let before = peak_kb()?;
    let started = std::time::Instant::now();
    let seconds = || started.elapsed().as_secs_f64();
    let plan = rows::plan(&mut session, count, &[])?;
    let planned_after = seconds();
    let planned = peak_kb()?;
    let run = apply::start(&mut session, &plan, &StartRun::default())?;
    let run = apply::drive(&mut session, &run.id, None)?;
    let applied_after = seconds();
    let applied = peak_kb()?;
    let verified = verify::verify(&mut session, &run.id)?;
    if !verified.ok {
        return Err("the run does not verify".into());
    }
    let mb = |kb: u64| (kb - before) as f64 / 1024.0;
    println!(
        "plan +{:.1} MB ({planned_after:.1} s), apply +{:.1} MB ({:.1} s), verify +{:.1} MB ({:.1} s)",
        mb(planned),
        mb(applied),
        applied_after - planned_after,
        mb(peak_kb()?),
        seconds() - applied_after
    );
    Ok(())
}

/// The peak resident size so far: `VmHWM` of `/proc/self/status` (proc(5)).
fn peak_kb() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
