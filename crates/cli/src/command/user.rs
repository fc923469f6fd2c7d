//! `user`: people who log in to the web app.
//!
//! Owns reading a password, from standard input or a file; it is never an argument and never printed.

use std::io::Read as _;
use std::process::ExitCode;

use plimsoll_engine::EngineError;
use plimsoll_server::Role;
use plimsoll_server::user::{self as users, User};

use super::Context;
use crate::args::{PasswordArguments, UserCommand};
use crate::ui::table;

/// Runs one command.
pub(crate) fn execute(context: &Context, command: UserCommand) -> Result<ExitCode, EngineError> {
    let mut session = context.control_session()?;
    users::prepare(&mut session)?;
    let (changed, says) = match command {
        UserCommand::List => {
            let known = users::list(&mut session)?;
            context.ui.print(&known, || {
                let row =
                    |user: &User| vec![user.name.clone(), user.roles.to_string(), user.changed_at.clone()];
                table(&["user", "roles", "changed"], &known.iter().map(row).collect::<Vec<_>>())
            })?;
            return Ok(ExitCode::SUCCESS);
        }
        UserCommand::Add { name, roles, password, reason } => {
            let added = users::add(&mut session, &name, &read(&password)?, &roles, &reason)?;
            context.ui.say(&format!("to take it back: plimsoll user remove {name} --reason .."));
            (added, "is added")
        }
        UserCommand::Password { name, password, reason } => {
            (users::set_password(&mut session, &name, &read(&password)?, &reason)?, "has a new password")
        }
        UserCommand::Grant { name, role, system, reason } => {
            let role = match role.as_str() {
                "none" => None,
                word => Some(word.parse::<Role>().map_err(EngineError::usage)?),
            };
            (users::grant(&mut session, &name, &system, role, &reason)?, "has other roles")
        }
        UserCommand::Remove { name, reason } => (users::remove(&mut session, &name, &reason)?, "is removed"),
    };
    context.ui.print(&changed, || format!("user {} {says}: {}", changed.name, changed.roles))?;
    Ok(ExitCode::SUCCESS)
}

fn read(from: &PasswordArguments) -> Result<String, EngineError> {
    let text = match &from.password_file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?,
        None => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| EngineError::usage(format!("standard input: {error}")))?;
            text
        }
    };
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
