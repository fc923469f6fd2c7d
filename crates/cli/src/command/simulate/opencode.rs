//! `simulate opencode`: writes a generated store of the OpenCode coding agent.

use std::process::ExitCode;
use std::time::Instant;

use plimsoll_engine::{EngineError, ErrorKind};
use plimsoll_simulator::opencode::{self, Error, Generation, Manifest, Settings};

use crate::args::{OpencodeArguments, OpencodeGeneration};
use crate::command::Context;
use crate::ui::{duration, grouped, plural};

/// Generates the store and prints its manifest.
pub(super) fn execute(context: &Context, arguments: &OpencodeArguments) -> Result<ExitCode, EngineError> {
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
        ..usual
    };
    let begun = Instant::now();
    let manifest = opencode::generate(&settings, &arguments.to).map_err(failed)?;
    let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    context.ui.say(&format!("generated in {}", duration(took)));
    context.ui.print(&manifest, || text(&manifest))?;
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
