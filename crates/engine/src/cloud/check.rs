//! The connectivity test: every part of the cloud set-up tried once, in the order in which the parts need each other.
//!
//! Owns the steps and their wording. A step that fails ends it: what comes after would fail for the same reason.

use serde::Serialize;

use super::{Bucket, put_and_compare};
use crate::clock::new_id;
use crate::error::EngineError;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was tried.
    pub what: String,
    /// Whether it worked.
    pub works: bool,
    /// What was found, or what is wrong and what to do.
    pub detail: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Whether everything works.
    pub works: bool,
    /// The steps that were tried.
    pub steps: Vec<Step>,
}

/// Below this name probes are written; each is taken away again.
const PROBES: &str = "plimsoll-probe/";

/// Tries the credential, looking, writing, reading back, and taking away.
pub fn check(bucket: &mut dyn Bucket) -> Checked {
    let name = format!("{PROBES}{}", new_id());
    let body = format!("written by `plimsoll cloud check` as {name}; it may be deleted\n");
    let mut checked = Checked { works: true, steps: Vec::new() };
    let mut step = |what: &str, done: Result<String, EngineError>| {
        let (works, detail) = match done {
            Ok(detail) => (true, detail),
            Err(error) => (false, error.message),
        };
        checked.works &= works;
        checked.steps.push(Step { what: what.to_owned(), works, detail });
        works
    };
    let seconds = bucket.credential_seconds().map(|seconds| format!("good for {seconds} s"));
    if !step("a credential", seconds) {
        return checked;
    }
    let looked = bucket.look();
    let found = bucket.name();
    if !step("the bucket", looked.map(|()| found)) {
        return checked;
    }
    let written = put_and_compare(bucket, &name, body.as_bytes());
    let is_there = written.is_ok();
    let went = step("writing and reading back", written.map(|()| format!("{} bytes, the same", body.len())));
    if is_there {
        step("taking away", bucket.delete(&name).map(|()| "nothing is left behind".to_owned()));
    }
    if went {
        let left = bucket.list(&name).map(|found| format!("{} objects of that name", found.len()));
        step("listing", left);
    }
    checked
}
