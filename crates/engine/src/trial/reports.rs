//! The three reports of a trial: validation, trial, decision (HB-45), as Markdown and as JSON.
//!
//! Owns their content and their files. Every number in them was computed by the trial; the text around the
//! numbers states no result.

use std::path::{Path, PathBuf};

use plimsoll_core::decision::{Decision, Standing, with_unit};
use serde_json::{Value as Json, json};

use super::markdown::{Document, number, p50, p50_p99, share, yes};
use super::speed::PathSpeed;
use super::{About, Trial};
use crate::error::EngineError;

/// Writes `validation`, `trial` and `decision`, each as `.md` and `.json`, into a folder that is made when
/// absent. Returns the files.
///
/// # Errors
/// Usage when a file cannot be written.
pub fn write(trial: &Trial, folder: &Path) -> Result<Vec<PathBuf>, EngineError> {
    std::fs::create_dir_all(folder).map_err(|error| {
        EngineError::usage(format!("the folder {} cannot be made: {error}", folder.display()))
    })?;
    let documents = [
        ("validation", validation(trial), validation_json(trial)),
        ("trial", speeds(trial), trial_json(trial)),
        ("decision", decision(trial), decision_json(trial)),
    ];
    let mut files = Vec::new();
    for (name, text, data) in documents {
        let data = serde_json::to_string_pretty(&data)? + "\n";
        for (ending, content) in [("md", text), ("json", data)] {
            let file = folder.join(format!("{name}.{ending}"));
            std::fs::write(&file, content).map_err(|error| {
                EngineError::usage(format!("{} cannot be written: {error}", file.display()))
            })?;
            files.push(file);
        }
    }
    Ok(files)
}

/// The decision report as JSON.
pub fn decision_json(trial: &Trial) -> Json {
    json!({
        "about": trial.about,
        "decision": trial.decision,
        "evidence": trial.evidence,
        "measures": trial.measures,
    })
}

/// What goes on record of a trial: the decision, with the other two reports as members of it.
pub fn record_json(trial: &Trial) -> Json {
    let mut whole = decision_json(trial);
    for (name, mut report) in [("validation", validation_json(trial)), ("trial", trial_json(trial))] {
        // All three are about the same.
        report.as_object_mut().map(|report| report.remove("about"));
        whole[name] = report;
    }
    whole
}

fn validation_json(trial: &Trial) -> Json {
    json!({
        "about": trial.about,
        "counted": trial.ledger,
        "injections": trial.injections,
        "interruptions": trial.interruptions,
        "switched": trial.switched,
    })
}

fn trial_json(trial: &Trial) -> Json {
    json!({
        "about": trial.about,
        "speed": trial.speed,
        "memory": trial.memory,
        "observation": trial.observation,
    })
}

fn about(document: &mut Document, about: &About) {
    document.list([
        format!("change: {} {}", about.system, about.change),
        format!("store: {} (copied; never written)", about.store),
        format!("source: {} ({} questions, asked once)", about.source, about.source_requests),
        format!(
            "plan: {} items ({} good, {} bad), {} row changes, {} records unchanged; digest {}",
            about.items, about.good, about.bad, about.changes, about.unchanged, about.plan_digest
        ),
        format!(
            "trial: {} to {}, {:.1} s, plimsoll {}, SQLite scratch stores with durability {}",
            about.started_at,
            about.finished_at,
            about.duration_ms as f64 / 1_000.0,
            about.version,
            about.durability
        ),
    ]);
    document.list(about.notes.iter().map(|note| format!("note: {note}")));
}

fn validation(trial: &Trial) -> String {
    let mut document = Document::new("Validation report");
    about(&mut document, &trial.about);
    document.heading("What held, of how often it was looked at");
    let ledger = &trial.ledger;
    let counted = [
        ("batches of the asked sizes, equal totals of both paths", &ledger.cut_as_asked),
        ("good items committed by the batch path", &ledger.committed),
        ("injected failures without effect on other items", &ledger.neighbours),
        ("failed items on record, figures equal to the journal", &ledger.recorded),
        ("runs the way the switch asked for", &ledger.switched),
        ("fallbacks by switching off", &ledger.fell_back),
        ("rows still there", &ledger.kept),
        ("exact undos", &ledger.undone),
        ("requirements after interruptions", &ledger.recovered),
        ("integrity, foreign keys, receipts, tables", &ledger.sound),
        ("refusals with class, reason and hint", &ledger.clear),
    ];
    let rows: Vec<Vec<String>> =
        counted.iter().map(|(what, counted)| vec![(*what).to_owned(), share(counted)]).collect();
    document.table(&["what", "held"], &rows);
    let problems: Vec<&String> = counted.iter().flat_map(|(_, counted)| &counted.problems).collect();
    if !problems.is_empty() {
        document.heading("What did not hold");
        document.list(problems);
    }
    injected(&mut document, trial);
    document.heading("Interruptions");
    let rows: Vec<Vec<String>> = trial
        .interruptions
        .iter()
        .map(|found| {
            vec![
                found.point.to_owned(),
                found.committed_batches.to_string(),
                yes(found.nothing_half_done),
                yes(found.resumed_to_the_same),
                yes(found.undone_exactly),
            ]
        })
        .collect();
    let heads =
        ["ended at", "batches committed before", "nothing half done", "resumed to the same", "undone"];
    document.table(&heads, &rows);
    document.heading("The switch between runs");
    let rows: Vec<Vec<String>> = trial
        .switched
        .iter()
        .map(|run| {
            vec![
                if run.on { format!("on, size {}", run.batch_size) } else { "off".to_owned() },
                run.batches.to_string(),
                yes(run.as_asked),
                yes(run.same_tables),
            ]
        })
        .collect();
    document.table(&["switch", "batches", "as asked", "tables of the plain path"], &rows);
    document.finish()
}

fn injected(document: &mut Document, trial: &Trial) {
    document.heading("Injected failures");
    let rows: Vec<Vec<String>> = trial
        .injections
        .cases
        .iter()
        .map(|case| {
            vec![
                case.kind.to_owned(),
                case.case.clone(),
                case.batch_size.to_string(),
                case.batches.to_string(),
                case.injected.to_string(),
                format!("{} of {}", case.committed, case.good),
                yes(case.exactly_the_bad),
                yes(case.tables_as_without),
            ]
        })
        .collect();
    let heads = [
        "kind",
        "case",
        "size",
        "batches",
        "injected",
        "good committed",
        "exactly the bad refused",
        "tables as without them",
    ];
    document.table(&heads, &rows);
    document.list(trial.injections.left_out.iter().map(|case| format!("left out: {case}")));
}

fn speeds(trial: &Trial) -> String {
    let mut document = Document::new("Trial report");
    about(&mut document, &trial.about);
    let speed = &trial.speed;
    document.heading("The plain path and the batch path");
    document.paragraph(format!(
        "Medians of {} rounds, in milliseconds where nothing else is said. In a round every path applies the same plan to an equal store.",
        speed.rounds
    ));
    let row = |path: &PathSpeed| {
        vec![
            path.batch_size.map_or_else(|| "off (plain path)".to_owned(), |size| format!("on, {size}")),
            path.batches.to_string(),
            path.applied.to_string(),
            path.quarantined.to_string(),
            path.rows_written.to_string(),
            p50(Some(path.apply_ms)),
            format!("{:.0}", path.rows_per_second),
            p50(Some(path.verify_ms)),
            p50(path.slower_than_plain_percent),
            p50(path.apply_slower_than_plain_percent),
            p50_p99(path.batch_ms),
            p50_p99(path.checkpoint_ms),
            p50_p99(path.journal_batch_ms),
            p50_p99(path.validation_ms),
            number(path.memory_mb),
            number(path.undo_ms),
        ]
    };
    let rows: Vec<Vec<String>> = std::iter::once(&speed.plain).chain(&speed.sizes).map(row).collect();
    let heads = [
        "switch, size",
        "batches",
        "applied",
        "quarantined",
        "rows",
        "apply",
        "rows/s",
        "verify",
        "update slower than plain, %",
        "applying slower than plain, %",
        "batch p50 / p99",
        "checkpoint p50 / p99",
        "batch in the journal p50 / p99",
        "validation p50 / p99",
        "memory growth, MB",
        "undo",
    ];
    document.table(&heads, &rows);
    document.list([
        format!("reading the source and planning: {:.1} ms", speed.reading_ms),
        format!("planning again from the saved answers p50 / p99: {} ms", p50_p99(Some(speed.planning_ms))),
        format!("storing the plan with its prior images: {:.1} ms", speed.prior_images_ms),
        format!(
            "highest peak of memory over the beginning of the trial: {} MB{}",
            number(trial.memory.growth_mb),
            if trial.memory.single_runs_told_apart { "" } else { "; single runs could not be told apart" }
        ),
    ]);
    observed(&mut document, trial);
    document.finish()
}

fn observed(document: &mut Document, trial: &Trial) {
    let seen = &trial.observation;
    document.heading("Observation period");
    document.paragraph(format!(
        "{} hours of a simulated calendar, {} to {}, with the switch on and batches of {}: one update an hour, every second one with the whole work to do.",
        seen.hours, seen.from, seen.until, seen.batch_size
    ));
    document.list([
        format!("updates: {}, with work {}", seen.updates, seen.with_work),
        format!("success rate: {}", share(&seen.success)),
        format!("errors: {}", seen.errors.len()),
        format!("exact undos: {}", share(&seen.undone)),
        format!("figures of reports that equal the journal: {}", share(&seen.metrics)),
        format!("planning p50 / p99: {} ms", p50_p99(seen.planning_ms)),
        format!("applying p50 / p99: {} ms", p50_p99(seen.apply_ms)),
        format!(
            "applying slower than the plain path in the same situation: {} %",
            number(seen.slower_than_plain_percent)
        ),
        format!("last third slower than the first third: {} %", number(seen.drift_percent)),
    ]);
    document.list(seen.errors.iter().map(|error| format!("error: {error}")));
}

fn decision(trial: &Trial) -> String {
    let Decision { verdict, met, not_met, unknown, criteria, blocking } = &trial.decision;
    let mut document = Document::new(&format!("Decision report: {verdict}"));
    about(&mut document, &trial.about);
    document.heading("Verdict");
    document.paragraph(format!("**{verdict}**: {met} criteria met, {not_met} not met, {unknown} unknown."));
    document.list(blocking);
    document.heading("Criteria");
    let rows: Vec<Vec<String>> = criteria
        .iter()
        .map(|judged| {
            let criterion = &judged.criterion;
            let value = judged.value.map_or_else(|| "-".to_owned(), |value| with_unit(value, criterion.unit));
            vec![
                criterion.id.to_owned(),
                criterion.text.to_owned(),
                format!("{} {}", criterion.comparison.sign(), with_unit(criterion.threshold, criterion.unit)),
                value,
                match judged.standing {
                    Standing::Met => "met".to_owned(),
                    other => format!("**{other}**"),
                },
                judged.basis.clone(),
            ]
        })
        .collect();
    document.table(&["id", "criterion", "asked", "measured", "standing", "from"], &rows);
    document.paragraph(
        "Proceed needs every criterion met. Abort: a criterion that guards data is not met. Iterate: anything else that is not met or not known.",
    );
    document.finish()
}
