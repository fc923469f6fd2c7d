//! Measures: the named values that criteria are compared with.
//!
//! Owns the names and how each value is computed from what was seen. Thresholds are the system's.
//!
//! Invariant: a value that was not measured has no value, and says what is missing; nothing is assumed.

use plimsoll_core::decision::{Measured, Measures};

use super::evidence::Evidence;
use super::ledger::Share;
use super::speed::PathSpeed;
use super::{About, Trial};

/// Sizes at which the plan was cut as asked, with the plain path's totals; percent.
pub const CUT_AS_ASKED: &str = "cut_as_asked";
/// Injected failures after which everything else was as if they had not been there; percent.
pub const NEIGHBOURS_UNHARMED: &str = "neighbours_unharmed";
/// The smallest share of good items that one run committed; percent.
pub const LEAST_COMMITTED: &str = "least_committed";
/// Failed items on record with all details, and figures of reports that equal the journal; percent.
pub const RECORDED: &str = "recorded";
/// Runs that went the way that the switch asked for; percent.
pub const SWITCHED: &str = "switched";
/// Applying 500 items at the asked size; seconds.
pub const SECONDS_FOR_500: &str = "seconds_for_500";
/// The checkpoint of a batch at the asked size, 99 of 100; milliseconds.
pub const CHECKPOINT_MS: &str = "checkpoint_ms";
/// Validating a batch, 99 of 100, at the worst size; milliseconds.
pub const VALIDATION_MS: &str = "validation_ms";
/// The process's highest peak over its beginning; megabytes.
pub const MEMORY_GROWTH_MB: &str = "memory_growth_mb";
/// By how much the whole update - planning, applying, verifying - takes longer in batches than on the plain path;
/// percent, negative is faster.
pub const SLOWER_THAN_PLAIN: &str = "slower_than_plain";
/// Lines covered by tests, from the evidence; percent.
pub const COVERAGE: &str = "coverage";
/// Rows that vanished without being deleted by the plan; a count.
pub const ROWS_LOST: &str = "rows_lost";
/// Undone runs after which every table equaled what it was before; percent.
pub const UNDONE_EXACTLY: &str = "undone_exactly";
/// Refusals with a class, a reason and a hint; percent.
pub const CLEAR_REFUSALS: &str = "clear_refusals";
/// Whether the gate passed, from the evidence; 1 or 0.
pub const GATE_PASSED: &str = "gate_passed";
/// Good items that were committed, over all runs; percent.
pub const COMMITTED: &str = "committed";
/// Checks of the database, the journal or the tables that failed; a count.
pub const UNSOUND: &str = "unsound";
/// Interruptions that left nothing half done, resumed to the same end, and were undone; percent.
pub const RECOVERED: &str = "recovered";
/// Times that switching off led back to the plain path, its tables and the same schema; percent.
pub const FELL_BACK: &str = "fell_back";

/// Every name that a trial fills.
pub const NAMES: [&str; 19] = [
    CUT_AS_ASKED,
    NEIGHBOURS_UNHARMED,
    LEAST_COMMITTED,
    RECORDED,
    SWITCHED,
    SECONDS_FOR_500,
    CHECKPOINT_MS,
    VALIDATION_MS,
    MEMORY_GROWTH_MB,
    SLOWER_THAN_PLAIN,
    COVERAGE,
    ROWS_LOST,
    UNDONE_EXACTLY,
    CLEAR_REFUSALS,
    GATE_PASSED,
    COMMITTED,
    UNSOUND,
    RECOVERED,
    FELL_BACK,
];

/// From fewer items than this nothing is scaled up to 500.
const SCALED_FROM: u64 = 100;

/// The values of a trial.
pub(crate) fn of(trial: &Trial) -> Measures {
    let ledger = &trial.ledger;
    let asked = trial.speed.at(trial.about.asked_size);
    let mut measures = Measures::new();
    let mut set = |name: &str, measured| drop(measures.insert(name.to_owned(), measured));
    set(
        CUT_AS_ASKED,
        share(&ledger.cut_as_asked, "batches of a size cover the plan in order, with equal totals"),
    );
    set(NEIGHBOURS_UNHARMED, neighbours(trial));
    set(LEAST_COMMITTED, least_committed(trial));
    set(
        RECORDED,
        share(&ledger.recorded, "failed items with all details, figures of reports equal to the journal"),
    );
    set(SWITCHED, share(&ledger.switched, "runs the way the switch asked for"));
    set(SECONDS_FOR_500, seconds_for_500(&trial.about, asked));
    set(CHECKPOINT_MS, checkpoint(trial.speed.prior_images_ms, asked));
    set(VALIDATION_MS, validation(trial));
    set(MEMORY_GROWTH_MB, memory(trial));
    set(SLOWER_THAN_PLAIN, slower(asked));
    set(ROWS_LOST, failures(&ledger.kept, "rows looked for after runs"));
    set(UNDONE_EXACTLY, share(&ledger.undone, "undone runs with every table as before"));
    set(CLEAR_REFUSALS, share(&ledger.clear, "refusals with class, reason and hint"));
    set(COMMITTED, share(&ledger.committed, "good items committed, over all runs of the batch path"));
    set(UNSOUND, failures(&ledger.sound, "checks of integrity, foreign keys, receipts and tables"));
    set(RECOVERED, share(&ledger.recovered, "things that must hold after interruptions"));
    set(FELL_BACK, share(&ledger.fell_back, "times switched off after on"));
    let (coverage, gate) = stated(trial.evidence.as_ref());
    set(COVERAGE, coverage);
    set(GATE_PASSED, gate);
    measures
}

fn share(share: &Share, what: &str) -> Measured {
    match share.percent() {
        Some(percent) => Measured::of(percent, format!("{} of {} {what}", share.good, share.of)),
        None => Measured::missing(format!("nothing was seen of: {what}")),
    }
}

fn failures(share: &Share, what: &str) -> Measured {
    if share.of == 0 {
        return Measured::missing(format!("nothing was seen of: {what}"));
    }
    Measured::of(share.failed() as f64, format!("{} of {} {what}", share.failed(), share.of))
}

/// All kinds of cases must have been made: a case that was left out proves nothing.
fn neighbours(trial: &Trial) -> Measured {
    if let Some(first) = trial.injections.left_out.first() {
        return Measured::missing(format!(
            "{} cases were left out: {first}",
            trial.injections.left_out.len()
        ));
    }
    share(&trial.ledger.neighbours, "cases of injected failures with everything else as without them")
}

fn least_committed(trial: &Trial) -> Measured {
    let partial = trial.injections.cases.iter().find(|case| case.kind == "partial success");
    match (partial, trial.ledger.least_committed) {
        (Some(case), Some(least)) => Measured::of(
            least,
            format!(
                "the least of every run, among them {} of {} with {} bad items injected",
                case.committed, case.good, case.injected
            ),
        ),
        _ => Measured::missing("no run with injected failures all over the plan"),
    }
}

fn seconds_for_500(about: &About, asked: Option<&PathSpeed>) -> Measured {
    let Some(path) = asked else { return Measured::missing("the asked size was not measured") };
    if about.items < SCALED_FROM {
        return Measured::missing(format!(
            "the source changes {} items; at least {SCALED_FROM} are needed to speak for 500",
            about.items
        ));
    }
    let seconds = path.apply_ms.p50 / 1_000.0 * 500.0 / about.items as f64;
    Measured::of(
        seconds,
        format!(
            "{:.1} ms for {} items, the median of {}",
            path.apply_ms.p50, about.items, path.apply_ms.count
        ),
    )
}

fn checkpoint(prior_images_ms: f64, asked: Option<&PathSpeed>) -> Measured {
    let Some((path, spread)) = asked.and_then(|path| Some((path, path.checkpoint_ms?))) else {
        return Measured::missing("no batch was measured");
    };
    let prior = prior_images_ms / path.batches.max(1) as f64;
    Measured::of(
        spread.p99 + prior,
        format!(
            "{:.2} ms for journal, receipt and commit (p99 of {} batches, p50 {:.2} ms) and {prior:.2} ms for the prior images",
            spread.p99, spread.count, spread.p50
        ),
    )
}

fn validation(trial: &Trial) -> Measured {
    let worst = trial
        .speed
        .sizes
        .iter()
        .filter_map(|path| Some((path.batch_size?, path.validation_ms?)))
        .max_by(|(_, a), (_, b)| a.p99.total_cmp(&b.p99));
    match worst {
        Some((size, spread)) => {
            Measured::of(spread.p99, format!("p99 of {} batches of {size}, the slowest size", spread.count))
        }
        None => Measured::missing("no batch was validated"),
    }
}

fn memory(trial: &Trial) -> Measured {
    match trial.memory.growth_mb {
        Some(mb) => Measured::of(
            mb,
            "the highest peak of resident memory while planning, applying and undoing, over the beginning of the trial",
        ),
        None => Measured::missing("this system does not tell a process's peak memory in /proc"),
    }
}

fn slower(asked: Option<&PathSpeed>) -> Measured {
    let pairs =
        asked.and_then(|path| Some((path.slower_than_plain_percent?, path.apply_slower_than_plain_percent?)));
    match pairs {
        Some((whole, applying)) => Measured::of(
            whole.p50,
            format!(
                "planning, applying and verifying, the median of {} pairs, {:.1} % to {:.1} %; applying alone {:.1} %",
                whole.count, whole.least, whole.most, applying.p50
            ),
        ),
        None => Measured::missing("no pair of runs was measured"),
    }
}

/// What only a build server can say.
fn stated(evidence: Option<&Evidence>) -> (Measured, Measured) {
    let Some(evidence) = evidence else {
        let missing = |what: &str| Measured::missing(format!("no evidence: --evidence FILE with `{what}`"));
        return (missing("coverage_percent"), missing("check_passed"));
    };
    let basis = format!("stated by {} at {}", evidence.source, evidence.at);
    let of = |value: Option<f64>, member: &str| match value {
        Some(value) => Measured::of(value, basis.clone()),
        None => Measured::missing(format!("the evidence has no `{member}`")),
    };
    let gate = evidence.check_passed.map(|passed| f64::from(u8::from(passed)));
    (of(evidence.coverage_percent, "coverage_percent"), of(gate, "check_passed"))
}
