//! `cloud`: copies off this machine, and whether the set-up works.
//!
//! Owns from the configuration to a bucket, and reading and writing the files at this end. What a bucket does is the
//! engine's.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use plimsoll_core::clock::Clock;
use plimsoll_engine::EngineError;
use plimsoll_engine::clock::MachineClock;
use plimsoll_engine::cloud::{self, Bucket, GoogleBucket, GoogleSettings};
use serde_json::json;

use super::Context;
use crate::args::CloudCommand;
use crate::exit;
use crate::ui::{grouped, plural, table};

/// Runs one of the commands.
pub(crate) fn execute(context: &Context, command: CloudCommand) -> Result<ExitCode, EngineError> {
    let clock: Arc<dyn Clock> = Arc::new(MachineClock::new());
    let mut bucket = GoogleBucket::new(settings(context)?, clock.as_ref())?;
    match command {
        CloudCommand::Check => check(context, &mut bucket),
        CloudCommand::Put { file, name, dry_run } => put(context, &mut bucket, &file, name, dry_run),
        CloudCommand::Get { name, file } => get(context, &mut bucket, &name, &file),
        CloudCommand::List { prefix } => list(context, &mut bucket, &prefix),
        CloudCommand::Delete { name, dry_run } => {
            if !dry_run {
                bucket.delete(&name)?;
            }
            context.ui.print(&json!({ "name": name, "dry_run": dry_run }), || name.clone())?;
            context.ui.say(if dry_run { "dry run: nothing was taken away" } else { "it is gone for good" });
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn settings(context: &Context) -> Result<GoogleSettings, EngineError> {
    context.config.cloud.clone().ok_or_else(|| {
        EngineError::usage(
            "no cloud is set up\nhint: `bucket = \"NAME\"` in [cloud] of plimsoll.toml; docs/guide/cloud.md goes through it",
        )
    })
}

fn check(context: &Context, bucket: &mut dyn Bucket) -> Result<ExitCode, EngineError> {
    let found = cloud::check(bucket);
    context.ui.print(&found, || {
        let row = |step: &cloud::Step| {
            vec![
                step.what.clone(),
                if step.works { "works" } else { "FAILS" }.to_owned(),
                step.detail.replace('\n', "; "),
            ]
        };
        table(&["step", "", "detail"], &found.steps.iter().map(row).collect::<Vec<_>>())
    })?;
    Ok(if found.works { ExitCode::SUCCESS } else { exit::incomplete() })
}

fn put(
    context: &Context,
    bucket: &mut dyn Bucket,
    file: &Path,
    name: Option<String>,
    dry_run: bool,
) -> Result<ExitCode, EngineError> {
    let bytes = std::fs::read(file).map_err(|error| wrong(file, &error))?;
    let own = file.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.or(own).ok_or_else(|| EngineError::usage("a name is wanted\nhint: --name NAME"))?;
    if !dry_run {
        cloud::put_and_compare(bucket, &name, &bytes)?;
    }
    let document = json!({ "name": name, "bytes": bytes.len(), "dry_run": dry_run });
    context.ui.print(&document, || format!("{name} {} B", grouped(bytes.len() as u64)))?;
    context.ui.say(&if dry_run {
        "dry run: nothing was written".to_owned()
    } else {
        format!("written and read back, the same; take it back: plimsoll cloud delete {name}")
    });
    Ok(ExitCode::SUCCESS)
}

fn get(context: &Context, bucket: &mut dyn Bucket, name: &str, file: &Path) -> Result<ExitCode, EngineError> {
    if file.exists() {
        return Err(EngineError::refused(format!(
            "{} exists already, and nothing is overwritten\nhint: give another name",
            file.display()
        )));
    }
    let bytes = bucket.get(name)?;
    std::fs::write(file, &bytes).map_err(|error| wrong(file, &error))?;
    let document = json!({ "name": name, "file": file, "bytes": bytes.len() });
    context.ui.print(&document, || format!("{} {} B", file.display(), grouped(bytes.len() as u64)))?;
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context, bucket: &mut dyn Bucket, prefix: &str) -> Result<ExitCode, EngineError> {
    let found = bucket.list(prefix)?;
    context.ui.print(&found, || {
        let row = |one: &cloud::Object| vec![one.name.clone(), grouped(one.bytes), one.updated.clone()];
        let rows: Vec<_> = found.iter().map(row).collect();
        format!("{}\n{}", table(&["name", "bytes", "updated"], &rows), plural(found.len() as u64, "object"))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn wrong(file: &Path, error: &std::io::Error) -> EngineError {
    EngineError::usage(format!("{}: {error}", file.display()))
}
