//! Owners of runs: which process works on a run, and whether it is still there.
//!
//! Owns the owner's text form `host/pid/start` and the question whether that process lives. On another host
//! only the lease can answer.

use std::fs;

/// How long an owner's claim holds without a sign of life, in milliseconds.
pub(crate) const LEASE_MS: i64 = 60_000;

/// This process as an owner.
pub(crate) fn current() -> String {
    of(std::process::id())
}

/// A process of this host as an owner.
pub(crate) fn of(pid: u32) -> String {
    format!("{}/{pid}/{}", host(), start_of(pid).unwrap_or_default())
}

/// Whether the owner's process is known to be gone. `None` when it runs on another host.
pub(crate) fn is_gone(owner: &str) -> Option<bool> {
    let mut parts = owner.split('/');
    let (Some(name), Some(pid), Some(start)) = (parts.next(), parts.next(), parts.next()) else {
        return Some(true);
    };
    if name != host() {
        return None;
    }
    let found = pid.parse().ok().and_then(start_of);
    Some(found.as_deref() != Some(start))
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "localhost".into(), |name| name.trim().into())
}

/// The start time of a process in clock ticks since boot: field 22 of `/proc/PID/stat` (proc(5)). A zombie
/// counts as gone.
fn start_of(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    if state == "Z" || state == "X" {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_a_recycled_pid_does_not_count() {
        let me = current();
        assert_eq!(is_gone(&me), Some(false));
        let recycled = me.rsplit_once('/').unwrap().0.to_owned() + "/1";
        assert_eq!(is_gone(&recycled), Some(true));
        assert_eq!(is_gone("elsewhere/1/1"), None);
    }
}
