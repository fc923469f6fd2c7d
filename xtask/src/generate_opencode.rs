//! `cargo xtask generate opencode`: a store of the OpenCode coding agent, for tests, demos and measuring.
//!
//! Owns nothing but the way to the product's own command, `plimsoll simulate opencode`; all arguments go
//! there, for example `--sessions 877 --messages 43060 --parts 187331 --seed 1 --to DIR`.

use std::process::Command;

use crate::failure::Failure;
use crate::{campaigns, process};

/// Builds the product and lets it generate.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let plimsoll = campaigns::build_plimsoll(campaigns::Profile::Dev)?;
    process::run(Command::new(plimsoll).args(["simulate", "opencode"]).args(arguments))
}
