//! The process itself: memory, processor time, files.
//!
//! Owns reading `/proc/self` (proc(5)). Where there is none, there are no samples.

use std::fs;

use super::{PROCESS_CPU, PROCESS_FILES, PROCESS_MAX_FILES, PROCESS_MEMORY, PROCESS_START, Sample};

/// Ticks of a second in `/proc`: the kernel's user-visible constant on every Linux architecture that Rust knows.
const TICKS: f64 = 100.0;
const KIBIBYTE: f64 = 1_024.0;

/// Samples of this process.
pub fn process() -> Vec<Sample> {
    let mut samples = Vec::new();
    if let Some((cpu, start)) = times() {
        samples.push(PROCESS_CPU.sample(&[], cpu));
        samples.extend(start.map(|start| PROCESS_START.sample(&[], start)));
    }
    if let Some(memory) = memory() {
        samples.push(PROCESS_MEMORY.sample(&[], memory));
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        samples.push(PROCESS_FILES.count(&[], u64::try_from(files.count()).unwrap_or(u64::MAX)));
    }
    if let Some(most) = max_files() {
        samples.push(PROCESS_MAX_FILES.sample(&[], most));
    }
    samples
}

/// Processor time, and the moment of the start when the boot's is known.
fn times() -> Option<(f64, Option<f64>)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program may hold anything; the fields begin after its last bracket, with number 3.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
    let cpu = (field(14)? + field(15)?) / TICKS;
    let boot = fs::read_to_string("/proc/stat").ok();
    let boot = boot.as_deref().and_then(|stat| {
        stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse::<f64>().ok())
    });
    Some((cpu, boot.and_then(|boot| Some(boot + field(22)? / TICKS))))
}

fn memory() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? * KIBIBYTE)
}

fn max_files() -> Option<f64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}
