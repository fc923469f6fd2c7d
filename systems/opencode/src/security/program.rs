//! Conditions for programs that do many things: Git, databases, containers, transfers, packages.
//!
//! Owns what in their arguments matters. It deliberately is only called by [`super::command`], which knows when.

use crate::shell::Command;

/// Options that name another registry; put together so that no setting stands here as such.
const OTHER_REGISTRY: &[&str] = &[
    concat!("--index", "-url"),
    concat!("--extra-index", "-url"),
    "--registry",
    "-i",
    "--source",
    "--find-links",
    "-f",
];

/// Whether an address is that of a cloud machine's metadata.
pub(super) fn is_metadata_service(address: &str) -> bool {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split(['/', '?', ':']).next().unwrap_or_default();
    matches!(host, "169.254.169.254" | "metadata.google.internal" | "169.254.170.2" | "metadata.azure.com")
}

pub(super) fn git(command: &Command) -> Vec<&'static str> {
    let mut rules = Vec::new();
    let has = |argument: &str| command.has(argument);
    let short = |letter| command.has_option(letter, "");
    if command.arguments.iter().any(|word| word.to_lowercase() == "http.sslverify=false")
        || (has("http.sslVerify") && has("false"))
    {
        rules.push("no-tls-check");
    }
    // The first word that is neither an option nor the value of `-C` or `-c`.
    let mut words = command.arguments.iter().map(String::as_str);
    let mut name = "";
    while let Some(word) = words.next() {
        match word {
            "-C" | "-c" => drop(words.next()),
            option if option.starts_with('-') => {}
            subcommand => {
                name = subcommand;
                break;
            }
        }
    }
    let rest: Vec<_> = words.collect();
    let moves_by_force = rest.iter().any(|word| word.starts_with('+') || *word == "--mirror");
    match name {
        "push" if has("--force") || short('f') || moves_by_force => rules.push("git-force-push"),
        "reset" if has("--hard") => rules.push("git-discard"),
        "clean" if short('f') || has("--force") => rules.push("git-discard"),
        "checkout" | "restore" if rest.contains(&".") => rules.push("git-discard"),
        "stash" if rest.first().is_some_and(|word| matches!(*word, "drop" | "clear")) => {
            rules.push("git-discard");
        }
        _ => {}
    }
    if matches!(name, "commit" | "push" | "merge")
        && (has("--no-verify") || (name == "commit" && rest.contains(&"-n")))
    {
        rules.push("git-no-verify");
    }
    rules
}

/// Whether SQL drops something, empties a table, or deletes without saying which rows.
pub(super) fn destroys_data(sql: &str) -> bool {
    sql.split(';').any(|statement| {
        let words: Vec<_> = statement.split_whitespace().map(str::to_uppercase).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        match &words[..] {
            ["DROP", "TABLE" | "DATABASE" | "SCHEMA", ..] | ["TRUNCATE", ..] => true,
            ["DELETE", "FROM", _, rest @ ..] => !rest.contains(&"WHERE"),
            _ => false,
        }
    })
}

pub(super) fn container(command: &Command) -> Option<&'static str> {
    let mounts_machine = command.arguments.iter().any(|word| {
        let mount = word.trim_start_matches("--volume=").trim_start_matches("-v");
        mount.starts_with("/:/") || mount.contains("docker.sock")
    });
    let shares_machine = ["--privileged", "--pid=host", "--cap-add=ALL", "--cap-add=SYS_ADMIN"];
    let is_open = shares_machine.iter().any(|option| command.has(option)) || mounts_machine;
    (is_open && command.operands().any(|word| matches!(word, "run" | "create" | "exec")))
        .then_some("container-escape")
}

pub(super) fn transfer(command: &Command) -> Vec<&'static str> {
    let mut rules = Vec::new();
    if command.operands().any(is_metadata_service) {
        rules.push("cloud-metadata");
    }
    if command.program == "curl" && command.has_option('k', "insecure")
        || command.has("--no-check-certificate")
    {
        rules.push("no-tls-check");
    }
    let sends_file = command.arguments.iter().zip(command.arguments.iter().skip(1)).any(|(option, value)| {
        match option.as_str() {
            "-T" | "--upload-file" | "--post-file" | "--body-file" => true,
            "-d" | "--data" | "--data-binary" | "--data-raw" => value.starts_with('@') && value != "@-",
            "-F" | "--form" => value.contains("=@"),
            _ => false,
        }
    });
    let joined = |word: &String| {
        word.starts_with("--post-file=")
            || word.starts_with("--upload-file=")
            || word.starts_with("--data-binary=@")
    };
    if sends_file || command.arguments.iter().any(joined) {
        rules.push("upload-file");
    }
    rules
}

pub(super) fn connection(command: &Command) -> Option<&'static str> {
    let starts_shell = command.has_option('e', "exec")
        || command.has_option('c', "sh-exec")
        || command.arguments.iter().any(|word| word.to_uppercase().starts_with("EXEC:"));
    if starts_shell {
        return Some("reverse-shell");
    }
    let scans = command.has_option('z', "");
    if scans {
        return Some("network-scan");
    }
    command.redirects.iter().any(|redirect| redirect.operator == "<").then_some("upload-file")
}

pub(super) fn opens_connection(command: &Command) -> bool {
    command
        .redirects
        .iter()
        .any(|redirect| redirect.target.starts_with("/dev/tcp/") || redirect.target.starts_with("/dev/udp/"))
}

pub(super) fn scripted_shell(command: &Command) -> bool {
    command.arguments.iter().any(|script| {
        let connects = script.contains("socket") && script.contains("connect");
        connects
            && (script.contains("dup2")
                || script.contains("pty.spawn")
                || script.contains("/bin/sh")
                || script.contains("/bin/bash"))
    })
}

pub(super) fn is_remote(operand: &str) -> bool {
    let host = operand.split('/').next().unwrap_or_default();
    host.contains(':') || operand.starts_with("rsync://")
}

pub(super) fn package(command: &Command) -> Vec<&'static str> {
    let first = command.operands().next().unwrap_or_default();
    let installs =
        matches!(first, "install" | "add" | "i" | "get") || (first == "pip" && command.has("install"));
    let mut rules = Vec::new();
    if first == "publish" {
        rules.push("publish-package");
    }
    if installs {
        let named = command.operands().any(|word| {
            word.starts_with("git+")
                || word.starts_with("http://")
                || word.starts_with("https://")
                || word.starts_with("git://")
        });
        let elsewhere = command.arguments.iter().any(|word| {
            OTHER_REGISTRY.iter().any(|option| {
                word.split('=').next() == Some(option)
                    && (option.len() > 2 || command.program.starts_with("pip"))
            })
        });
        if named || elsewhere || command.has("--git") {
            rules.push("foreign-package");
        }
        if command.has("--trusted-host") {
            rules.push("no-tls-check");
        }
    }
    rules
}
