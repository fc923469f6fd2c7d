//! `token`: the secrets with which programs call the server.
//!
//! Owns making one. The secret is printed once, to standard output; what is kept is its digest.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_engine::clock::new_id;
use plimsoll_server::Token;
use serde_json::json;

use super::Context;
use crate::args::TokenCommand;

/// Runs one command.
pub(crate) fn execute(context: &Context, command: TokenCommand) -> Result<ExitCode, EngineError> {
    let TokenCommand::Create { name, scope, file } = command;
    // Two random ids of 122 bits each.
    let random = format!("{}{}", new_id(), new_id());
    let (token, secret) = Token::create(&name, scope, &random).map_err(EngineError::usage)?;
    if let Some(file) = &file {
        append(file, &token)?;
        context.ui.say(&format!(
            "{token}\nadded to {0}; let PLIMSOLL_TOKENS_FILE name it, and start `serve` again",
            file.display()
        ));
    } else {
        context.ui.say(&format!(
            "{token}\nhint: put this line into the file that PLIMSOLL_TOKENS_FILE names for `serve`"
        ));
    }
    let document =
        json!({ "name": token.name, "scope": scope.as_str(), "token": secret, "line": token.to_string() });
    context.ui.print(&document, || secret.clone())?;
    Ok(ExitCode::SUCCESS)
}

/// Adds a line to a file that only its owner may read.
fn append(file: &Path, token: &Token) -> Result<(), EngineError> {
    let failed = |error| EngineError::usage(format!("{}: {error}\nhint: --file FILE", file.display()));
    let mut open = OpenOptions::new().append(true).create(true).mode(0o600).open(file).map_err(failed)?;
    writeln!(open, "{token}").map_err(failed)
}
