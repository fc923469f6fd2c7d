//! Tool calls, whatever generation they come from.
//!
//! Owns the row of `tool_calls`, and what is read out of a call: whether it failed, and for a command or a file what
//! [`super::commands`] and [`super::file_operations`] make of it.
//!
//! A command that ended with another exit code than 0 is `completed` for OpenCode and a failure here; so is one that
//! was stopped after its time. A call that the user aborted, or that never ended, has no execution time.

use std::borrow::Cow;

use plimsoll_engine::ingest::{Refusal, Rows};

use super::cells::push_row;
use super::failures::{self, Failure, Origin, ending};
use super::json::Json;
use super::part::{Outline, Part, characters};
use super::{commands, file_operations};
use crate::table::focused::TOOL_CALLS;

/// How far from the end of an output OpenCode's own remarks are looked for, in characters.
const REMARK_CHARACTERS: usize = 400;

/// A tool call.
#[derive(Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) call_id: Option<Cow<'a, str>>,
    pub(super) tool: Option<Cow<'a, str>>,
    pub(super) status: Option<Cow<'a, str>>,
    pub(super) title: Option<Cow<'a, str>>,
    pub(super) input: Option<Json<'a>>,
    pub(super) raw: Option<Cow<'a, str>>,
    pub(super) output: Option<Cow<'a, str>>,
    pub(super) error: Option<Cow<'a, str>>,
    pub(super) metadata: Option<Json<'a>>,
    pub(super) part_metadata: Option<Json<'a>>,
    pub(super) attachments: Option<Json<'a>>,
    pub(super) executed: Option<bool>,
    pub(super) start: Option<i64>,
    pub(super) end: Option<i64>,
    pub(super) compacted: Option<i64>,
    /// The exit code, where it is not in the metadata.
    pub(super) exit: Option<i64>,
    /// The command line, where it is not in the input.
    pub(super) command: Option<Cow<'a, str>>,
    /// What the writer says of the error besides its text.
    pub(super) error_data: Option<Json<'a>>,
}

/// The name that a tool has in all generations.
pub(super) fn common_name(tool: &str) -> &str {
    match tool {
        "shell" => "bash",
        "patch" => "apply_patch",
        other => other,
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It has not, as far as is written.
    None,
    /// With a result.
    Success,
    /// With an error that the tool reported.
    Error,
    /// A command with another exit code than 0, or stopped after its time.
    Command,
    /// Stopped by the user.
    Aborted,
}

impl<'a> Call<'a> {
    /// The tool, under the name that it has in all generations.
    pub(super) fn name(&self) -> &str {
        self.tool.as_deref().map_or("", common_name)
    }

    /// A text of the input.
    pub(super) fn argument(&self, key: &str) -> Option<Cow<'a, str>> {
        self.input?.text_of(key)
    }

    /// The file that a call works on.
    pub(super) fn file_path(&self) -> Option<Cow<'a, str>> {
        let path = match self.name() {
            "read" | "write" | "edit" | "multiedit" | "lsp" => {
                self.argument("filePath").or_else(|| self.argument("path")).or_else(|| self.argument("file"))
            }
            _ => self.argument("filePath"),
        };
        path.filter(|path| !path.is_empty())
    }

    /// The command line of a shell tool.
    fn command(&self) -> Option<Cow<'a, str>> {
        if self.name() == "bash" { self.command.clone().or_else(|| self.argument("command")) } else { None }
    }

    /// The exit code of a command.
    pub(super) fn exit_code(&self) -> Option<i64> {
        self.exit.or_else(|| self.metadata?.integer_of("exit"))
    }

    /// How it ended.
    pub(super) fn ending(&self) -> Ending {
        let remark = || ending(self.output.as_deref().unwrap_or_default(), REMARK_CHARACTERS);
        match self.status.as_deref() {
            Some("error") if self.error.as_deref().is_some_and(is_abort) => Ending::Aborted,
            Some("error") => Ending::Error,
            Some("completed") if self.name() == "bash" => match self.exit_code() {
                Some(0) => Ending::Success,
                _ if remark().contains("User aborted the command") => Ending::Aborted,
                Some(_) => Ending::Command,
                None if is_stopped(remark()) => Ending::Command,
                None => Ending::Success,
            },
            Some("completed") => Ending::Success,
            _ => Ending::None,
        }
    }

    /// Adds the rows of the call.
    pub(super) fn store(&self, part: &Part<'_>, rows: &mut Rows) -> Result<Outline, Refusal> {
        let how = self.ending();
        let moment = part.moment(self.start);
        let exit = self.exit_code();
        let command = self.command();
        let path = self.file_path();
        let output = self.output.as_deref();
        let child = self
            .metadata
            .and_then(|metadata| metadata.text_of("sessionId").or_else(|| metadata.text_of("sessionID")))
            .filter(|id| id.starts_with("ses_"));
        let ran = matches!(how, Ending::Success | Ending::Error | Ending::Command);
        let duration =
            self.start.zip(self.end).filter(|_| ran).map(|(start, end)| (end - start).div_euclid(1000));
        let length = output.map(characters);
        push_row!(rows, TOOL_CALLS, {
            part_id: &*part.id,
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            call_id: self.call_id.as_deref(),
            tool: self.tool.as_deref(),
            tool_name: self.tool.as_deref().map(common_name),
            status: self.status.as_deref(),
            title: self.title.as_deref(),
            input: self.input.map(Json::raw),
            raw: self.raw.as_deref(),
            output: output,
            output_character_count: length,
            error: self.error.as_deref(),
            state_metadata: self.metadata.map(Json::raw),
            part_metadata: self.part_metadata.map(Json::raw),
            attachments: self.attachments.map(Json::raw),
            executed: self.executed,
            time_start: self.start,
            time_end: self.end,
            time_compacted: self.compacted,
            execution_time_ms: duration,
            exit_code: exit,
            is_failure: matches!(how, Ending::Error | Ending::Command | Ending::Aborted),
            is_aborted: how == Ending::Aborted,
            command: command.as_deref(),
            file_path: path.as_deref(),
            child_session_id: child.as_deref(),
            document_id: part.document,
        })?;
        self.store_failure(part, how, exit, moment.at, rows)?;
        file_operations::store(self, part, how, moment.at, rows)?;
        commands::store(self, command.as_deref(), part, how, moment.at, rows)?;
        let characters = length.or_else(|| self.error.as_deref().map(characters));
        Ok(Outline { moment, characters })
    }

    fn store_failure(
        &self,
        part: &Part<'_>,
        how: Ending,
        exit: Option<i64>,
        created: Option<i64>,
        rows: &mut Rows,
    ) -> Result<(), Refusal> {
        let of_command = || (Origin::Command, self.output.as_deref().unwrap_or_default());
        let (origin, text) = match how {
            Ending::None | Ending::Success => return Ok(()),
            Ending::Command => of_command(),
            Ending::Error => (Origin::Tool, self.error.as_deref().unwrap_or_default()),
            Ending::Aborted => self.error.as_deref().map_or_else(of_command, |error| (Origin::Tool, error)),
        };
        let failure = Failure {
            id: &part.id,
            origin,
            part_id: Some(&part.id),
            message_id: part.message.as_deref(),
            session_id: part.session.as_deref(),
            tool: self.tool.as_deref().map(common_name),
            code: exit,
            text: text.into(),
            stored: self.error_data,
            created: self.end.or(created),
            document_id: part.document,
            ..Failure::default()
        };
        failures::store(&failure, rows)
    }
}

/// The error of a call that the user stopped.
fn is_abort(error: &str) -> bool {
    error.starts_with("Tool execution aborted") || error == "Aborted" || error.starts_with("AbortError")
}

/// OpenCode's remark under the output of a command that it stopped, after its time or otherwise.
fn is_stopped(remark: &str) -> bool {
    remark.contains("<bash_metadata>")
        || remark.contains("<shell_metadata>")
        || remark.contains("terminated command after exceeding timeout")
        || remark.contains("Command timed out after")
}
