//! Rules over commands that are joined by a pipe: what comes out of the network and into a shell, or the other way.
//!
//! Owns those conditions. It deliberately sees only one pipe at a time; a file in between is not followed.

use crate::shell::{Command, SHELLS};

const DOWNLOADERS: &[&str] = &["curl", "wget", "fetch", "http", "https"];
const INTERPRETERS: &[&str] = &["python", "python3", "node", "perl", "ruby", "php", "pwsh"];
const SENDERS: &[&str] = &["curl", "wget", "nc", "ncat", "netcat", "socat", "telnet"];

/// The rules that pipes break, with the command that completes each.
pub(super) fn of(commands: &[Command]) -> Vec<(&'static str, &Command)> {
    let mut found = Vec::new();
    for (at, command) in commands.iter().enumerate() {
        let before = || commands[..at].iter().filter(|earlier| earlier.pipeline == command.pipeline);
        if runs_its_input(command) {
            if before().any(|earlier| DOWNLOADERS.contains(&earlier.program.as_str())) {
                found.push(("download-to-shell", command));
            }
            if before().any(decodes) {
                found.push(("decoded-to-shell", command));
            }
        }
        let sends = SENDERS.contains(&command.program.as_str());
        if sends && before().any(shows_environment) {
            found.push(("send-environment", command));
        }
    }
    // `bash <(curl ..)`, `bash -c "$(curl ..)"` and `eval "$(curl ..)"`: the substitution stands before its user.
    for pair in commands.windows(2) {
        let [inner, outer] = pair else { continue };
        let takes = SHELLS.contains(&outer.program.as_str())
            || matches!(outer.program.as_str(), "eval" | "source" | ".");
        let substituted = outer.arguments.iter().any(|argument| argument == "$()");
        if takes && substituted && DOWNLOADERS.contains(&inner.program.as_str()) {
            found.push(("download-to-shell", outer));
        }
    }
    found
}

/// Whether a command runs what it reads.
fn runs_its_input(command: &Command) -> bool {
    let program = command.program.as_str();
    let only_options = || command.operands().all(|operand| operand == "-");
    if SHELLS.contains(&program) {
        // `bash script.sh` reads the script; `bash -s -- arguments` reads its input.
        return only_options() || command.has_option('s', "");
    }
    INTERPRETERS.contains(&program)
        && only_options()
        && !command.has_option('m', "")
        && !command.has_option('c', "")
        && !command.has_option('e', "eval")
}

fn decodes(command: &Command) -> bool {
    match command.program.as_str() {
        "base64" | "base32" => command.has_option('d', "decode") || command.has_option('D', ""),
        "xxd" => command.has_option('r', ""),
        "openssl" => command.has("-d"),
        _ => false,
    }
}

fn shows_environment(command: &Command) -> bool {
    match command.program.as_str() {
        "env" | "printenv" => true,
        "export" => command.has("-p") || command.arguments.is_empty(),
        "set" => command.arguments.is_empty(),
        _ => false,
    }
}
