//! Programs that only start another: who really runs, and which texts are scripts.
//!
//! Owns the list of such programs and how their own options are skipped. It deliberately is generous: an option that is
//! not known counts as one without a value.

use super::Command;

/// A program that starts the program in its arguments.
struct Wrapper {
    name: &'static str,
    /// Options whose value is the next argument.
    with_value: &'static [&'static str],
    /// Arguments of its own after the options.
    own_arguments: usize,
}

const fn wrapper(name: &'static str, with_value: &'static [&'static str], own_arguments: usize) -> Wrapper {
    Wrapper { name, with_value, own_arguments }
}

const WRAPPERS: &[Wrapper] = &[
    wrapper("sudo", &["-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "--user", "--group", "--chdir"], 0),
    wrapper("doas", &["-u", "-C"], 0),
    wrapper("env", &["-u", "--unset", "-C", "--chdir"], 0),
    wrapper("nohup", &[], 0),
    wrapper("time", &["-o", "-f"], 0),
    wrapper("command", &[], 0),
    wrapper("builtin", &[], 0),
    wrapper("exec", &["-a"], 0),
    wrapper("nice", &["-n"], 0),
    wrapper("ionice", &["-c", "-n"], 0),
    wrapper("setsid", &[], 0),
    wrapper("stdbuf", &["-i", "-o", "-e"], 0),
    wrapper("timeout", &["-k", "-s", "--kill-after", "--signal"], 1),
    wrapper("xargs", &["-n", "-P", "-I", "-L", "-d", "-a", "-s", "-E"], 0),
    wrapper("watch", &["-n"], 0),
];

/// Programs that read a script.
pub(crate) const SHELLS: &[&str] = &["sh", "bash", "zsh", "dash", "ksh", "fish"];

/// Finds the program behind its wrappers, and the scripts that it is given.
pub(super) fn unwrap(mut command: Command) -> (Command, Vec<String>) {
    let mut words: std::collections::VecDeque<String> = std::mem::take(&mut command.arguments).into();
    while let Some(first) = words.pop_front() {
        let name = base_name(&first);
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            command.program = name.to_owned();
            break;
        };
        // A wrapper that starts nothing is a program like any other: `env`, `command -v git`.
        let arguments: Vec<String> = words.iter().cloned().collect();
        if is_question(name, &arguments) || !skip_own(wrapper, &mut words, &mut command.assignments) {
            name.clone_into(&mut command.program);
            words = arguments.into();
            break;
        }
        command.wrappers.push(name.to_owned());
    }
    command.arguments = words.into();
    let scripts = scripts(&command);
    (command, scripts)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// Whether a wrapper is only asked about a program.
fn is_question(name: &str, arguments: &[String]) -> bool {
    let first = arguments.first().map(String::as_str);
    match name {
        "command" => matches!(first, Some("-v" | "-V")),
        "sudo" => matches!(first, Some("-l" | "-v" | "-k")),
        _ => false,
    }
}

/// Skips a wrapper's own options and arguments; whether a program follows.
fn skip_own(
    wrapper: &Wrapper,
    words: &mut std::collections::VecDeque<String>,
    assignments: &mut Vec<(String, String)>,
) -> bool {
    while words.front().is_some_and(|word| word.starts_with('-') && word.len() > 1) {
        let Some(option) = words.pop_front() else { break };
        if option == "--" {
            break;
        }
        if wrapper.with_value.contains(&option.as_str()) {
            words.pop_front();
        }
    }
    for _ in 0..wrapper.own_arguments {
        words.pop_front();
    }
    if matches!(wrapper.name, "env" | "sudo") {
        while let Some((name, value)) = words.front().and_then(|word| word.split_once('=')) {
            assignments.push((name.to_owned(), value.to_owned()));
            words.pop_front();
        }
    }
    !words.is_empty()
}

/// Texts that the command runs as a script, or the command that `find -exec` starts.
fn scripts(command: &Command) -> Vec<String> {
    let mut scripts = Vec::new();
    let arguments = &command.arguments;
    if SHELLS.contains(&command.program.as_str()) {
        let is_script = |option: &String| {
            option.starts_with('-') && !option.starts_with("--") && option.ends_with('c') && option.len() <= 4
        };
        if let Some(at) = arguments.iter().position(is_script) {
            scripts.extend(arguments.get(at + 1).cloned());
        } else if arguments.iter().all(|argument| argument.starts_with('-')) {
            let here = command.redirects.iter().filter(|redirect| redirect.operator.starts_with("<<"));
            scripts.extend(here.map(|redirect| redirect.target.clone()));
        }
    }
    if command.program == "eval" {
        scripts.push(arguments.join(" "));
    }
    if command.program == "find" {
        for (at, _) in
            arguments.iter().enumerate().filter(|(_, word)| matches!(word.as_str(), "-exec" | "-execdir"))
        {
            let inner = arguments[at + 1..].iter().take_while(|word| !matches!(word.as_str(), ";" | "+"));
            scripts.push(inner.map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
        }
    }
    scripts
}

/// A word as a shell reads it back.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}
