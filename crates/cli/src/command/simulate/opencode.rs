//! `simulate opencode`: writes a generated store of the OpenCode coding agent.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_simulator::opencode::{self, Earlier, Error, Generation, Manifest, Settings};

use crate::args::{OpencodeArguments, OpencodeGeneration};
use crate::command::Context;
use crate::ui::{duration, grouped, plural};

/// Generates the store and prints its manifest.
pub(super) fn execute(context: &Context, arguments: &OpencodeArguments) -> Result<ExitCode, EngineError> {
    if let Some(file) = &arguments.earlier_database {
        return earlier(context, arguments, file);
    }
    let Some(to) = &arguments.to else { return Err(EngineError::usage("where to?\nhint: --to DIR")) };
    let usual = Settings::of(arguments.sessions, arguments.seed);
    let messages = arguments.messages.unwrap_or(usual.messages);
    let settings = Settings {
        messages,
        parts: arguments.parts.unwrap_or_else(|| Settings::usual_parts(messages, arguments.sessions)),
        mean_part_bytes: arguments.mean_part_bytes,
        generation: match arguments.generation {
            OpencodeGeneration::Json => Generation::Json,
            OpencodeGeneration::Sqlite => Generation::Sqlite,
            OpencodeGeneration::SqliteV2 => Generation::SqliteV2,
            OpencodeGeneration::Mixed => Generation::Mixed,
        },
        bad: arguments.bad,
        ordinary: arguments.ordinary,
        ..usual
    };
    let begun = Instant::now();
    let manifest = opencode::generate(&settings, to).map_err(failed)?;
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    context.ui.say(&format!("generated in {}", duration(took)));
    context.ui.print(&manifest, || text(&manifest))?;
    Ok(ExitCode::SUCCESS)
}

/// Generates the database of an earlier monitor.
fn earlier(context: &Context, arguments: &OpencodeArguments, file: &Path) -> Result<ExitCode, EngineError> {
    let parts = arguments.parts.unwrap_or(Earlier::default().parts as usize) as u64;
    // Text is about a third of what a part's file holds.
    let mean_characters = (arguments.mean_part_bytes as u64 / 3).max(1);
    let settings = Earlier { parts, seed: arguments.seed, mean_characters, latest: false };
    opencode::generate_earlier(&settings, file).map_err(failed)?;
    let document =
        serde_json::json!({"file": file, "parts": parts, "seed": arguments.seed, "generated": true});
    context.ui.print(&document, || {
        format!("demo database, seed {}: {} in one wide table", arguments.seed, plural(parts, "part"))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn failed(error: Error) -> EngineError {
    let kind = match error {
        Error::TooFew { .. } | Error::Exists { .. } => ErrorKind::Usage,
        _ => ErrorKind::Source,
    };
    EngineError::new(kind, error.to_string())
}

fn text(manifest: &Manifest) -> String {
    let mut lines = vec![format!(
        "demo store, seed {}: {}, {}, {}",
        manifest.seed,
        plural(manifest.sessions, "session"),
        plural(manifest.messages, "message"),
        plural(manifest.parts, "part"),
    )];
    for source in &manifest.sources {
        let bytes =
            if source.bytes > 0 { format!(", {} bytes", grouped(source.bytes)) } else { String::new() };
        lines.push(format!(
            "  {} ({}): {}, {}, {}{bytes}",
            source.path,
            source.generation,
            plural(source.sessions, "session"),
            plural(source.messages, "message"),
            plural(source.parts, "part"),
        ));
    }
    lines.push(format!(
        "total cost ${}, without fork copies ${}",
        manifest.opencode_way.total_cost, manifest.deduplicated.total_cost
    ));
    if !manifest.bad.is_empty() {
        lines.push(plural(manifest.bad.len() as u64, "bad file"));
    }
    lines.join("\n")
}
