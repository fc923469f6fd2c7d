//! Rules over a single command.
//!
//! Owns the conditions of those rules, program by program. It deliberately does not see what stands before and after;
//! pipes are judged in [`super::pipe`], files in [`super::path`].

use super::path::{is_disk, normalized};
use super::program::{
    connection, container, destroys_data, git, is_remote, opens_connection, package, scripted_shell, transfer,
};
use crate::shell::Command;

/// Folders that a machine or a person cannot do without.
const VITAL: &[&str] = &[
    "/",
    "/*",
    "~",
    "~/*",
    "/etc",
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/boot",
    "/var",
    "/opt",
    "/sys",
    "/proc",
    "/dev",
    "/home",
    "/root",
    "/Users",
    "/System",
    "/Library",
    "/Applications",
    "C:\\",
    "/.",
    "~/.",
];
const HARMLESS: &[&str] = &["/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/"];
const PACKAGE_INSTALLERS: &[&str] =
    &["pip", "pip3", "npm", "pnpm", "yarn", "bun", "uv", "cargo", "gem", "go"];

/// The rules that a command breaks.
pub(super) fn of(command: &Command) -> Vec<&'static str> {
    let mut rules = Vec::new();
    if command.wrappers.iter().any(|wrapper| matches!(wrapper.as_str(), "sudo" | "doas"))
        || command.program == "su"
    {
        rules.push("elevated");
    }
    for (name, value) in &command.assignments {
        match (name.as_str(), value.as_str()) {
            ("LD_PRELOAD" | "DYLD_INSERT_LIBRARIES", value) if !value.is_empty() => rules.push("preload"),
            ("HISTFILE", "" | "/dev/null") | ("HISTSIZE" | "HISTFILESIZE", "0") => {
                rules.push("history-cleared");
            }
            ("NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY", "0")
            | ("GIT_SSL_NO_VERIFY", "1" | "true") => {
                rules.push("no-tls-check");
            }
            _ => {}
        }
    }
    let has = |argument: &str| command.has(argument);
    let first = command.operands().next().unwrap_or_default();
    match command.program.as_str() {
        "rm" | "shred" | "unlink" | "rmdir" | "srm" => rules.extend(deletes(command)),
        "find" if has("-delete") => rules.extend(deletes(command)),
        "dd" if command.arguments.iter().any(|word| word.strip_prefix("of=").is_some_and(is_disk)) => {
            rules.push("overwrite-disk");
        }
        "wipefs" | "blkdiscard" | "fdisk" | "parted" | "sgdisk" if command.operands().any(is_disk) => {
            rules.push("overwrite-disk");
        }
        program if program.starts_with("mkfs") && command.operands().any(is_disk) => {
            rules.push("overwrite-disk");
        }
        "chmod" => rules.extend(chmod(first)),
        "crontab" if !has("-l") => rules.push("scheduled"),
        "at" | "batch" if !has("-l") => rules.push("scheduled"),
        "systemctl" | "service" | "launchctl" => rules.extend(service(command)),
        "ufw" if has("disable") => rules.push("firewall-off"),
        "iptables" | "ip6tables" | "nft" if has("-F") || has("--flush") || has("flush") => {
            rules.push("firewall-off");
        }
        "setenforce" if first == "0" => rules.push("firewall-off"),
        "history" if command.has_option('c', "") => rules.push("history-cleared"),
        "unset" if has("HISTFILE") => rules.push("history-cleared"),
        "journalctl" if command.arguments.iter().any(|word| word.starts_with("--vacuum")) => {
            rules.push("logs-deleted");
        }
        "truncate" if command.operands().any(|file| file.starts_with("/var/log")) => {
            rules.push("logs-deleted");
        }
        "git" => rules.extend(git(command)),
        "psql" | "mysql" | "mariadb" | "sqlite3" | "sqlcmd" | "duckdb" | "clickhouse-client" => {
            let texts = command.arguments.iter().map(String::as_str);
            let here = command.redirects.iter().filter(|redirect| redirect.operator.starts_with("<<"));
            if texts.chain(here.map(|redirect| redirect.target.as_str())).any(destroys_data) {
                rules.push("database-drop");
            }
        }
        "dropdb" => rules.push("database-drop"),
        "redis-cli"
            if command
                .arguments
                .iter()
                .any(|word| matches!(word.to_lowercase().as_str(), "flushall" | "flushdb")) =>
        {
            rules.push("database-drop");
        }
        "docker" | "podman" | "nerdctl" => rules.extend(container(command)),
        "curl" | "wget" | "http" => rules.extend(transfer(command)),
        "nc" | "ncat" | "netcat" | "socat" => rules.extend(connection(command)),
        "scp" | "rsync" | "sftp" if command.operands().last().is_some_and(is_remote) => {
            rules.push("upload-file");
        }
        "bash" | "sh" | "zsh" if opens_connection(command) => rules.push("reverse-shell"),
        "python" | "python3" | "perl" | "ruby" | "php" if scripted_shell(command) => {
            rules.push("reverse-shell");
        }
        "useradd" | "adduser" | "usermod" | "passwd" | "chpasswd" | "visudo" | "userdel" | "dscl" => {
            rules.push("account-change");
        }
        "insmod" | "modprobe" | "rmmod" | "kextload" => rules.push("kernel"),
        "sysctl" if command.has_option('w', "write") => rules.push("kernel"),
        "terraform" | "tofu" | "pulumi" if matches!(first, "destroy") => rules.push("cloud-destroy"),
        "kubectl" | "oc" if first == "delete" => rules.push("cloud-destroy"),
        "helm" if matches!(first, "uninstall" | "delete") => rules.push("cloud-destroy"),
        "aws" | "gcloud" | "az" | "gsutil" | "doctl" if destroys_resources(command) => {
            rules.push("cloud-destroy");
        }
        "killall" | "pkill" => rules.push("stop-processes"),
        "kill"
            if command
                .arguments
                .last()
                .is_some_and(|target| target == "-1" && command.arguments.len() > 1) =>
        {
            rules.push("stop-processes");
        }
        "nmap" | "masscan" | "zmap" | "arp-scan" => rules.push("network-scan"),
        "twine" if first == "upload" => rules.push("publish-package"),
        _ => {}
    }
    if PACKAGE_INSTALLERS.contains(&command.program.as_str()) {
        rules.extend(package(command));
    }
    if command
        .redirects
        .iter()
        .any(|redirect| redirect.operator.contains('>') && redirect.target.starts_with("/var/log/"))
    {
        rules.push("logs-deleted");
    }
    rules
}

/// `:(){ :|:& };:` in any spelling.
pub(super) fn is_fork_bomb(command_line: &str) -> bool {
    // Most texts hold no function; those are told without a copy.
    let opens_function = |(at, _): (usize, &str)| {
        let mut after = command_line[at..].chars().filter(|character| !character.is_whitespace());
        after.by_ref().take(3).eq(['(', ')', '{'])
    };
    if !command_line.match_indices('(').any(opens_function) {
        return false;
    }
    let dense: String = command_line.chars().filter(|character| !character.is_whitespace()).collect();
    let Some((before, after)) = dense.split_once("(){") else { return false };
    let name: String = before.chars().rev().take_while(|letter| !matches!(letter, ';' | '&' | '|')).collect();
    let name: String = name.chars().rev().collect();
    !name.is_empty() && after.starts_with(&format!("{name}|{name}&"))
}

fn deletes(command: &Command) -> Vec<&'static str> {
    let is_deep =
        command.program == "find" || command.has_option('r', "recursive") || command.has_option('R', "");
    let mut rules = Vec::new();
    for operand in command.operands() {
        let path = normalized(operand);
        if path.ends_with("_history") && path.contains("/.") {
            rules.push("history-cleared");
        } else if path.starts_with("/var/log/") || path == "/var/log" {
            rules.push("logs-deleted");
        } else if is_deep && VITAL.contains(&path.as_str()) {
            rules.push("delete-root-or-home");
        } else if is_disk(&path) {
            rules.push("overwrite-disk");
        } else if is_deep && is_outside(&path) {
            rules.push("delete-outside");
        }
    }
    rules
}

fn is_outside(path: &str) -> bool {
    let is_absolute = path.starts_with('/') || path.starts_with('~');
    let is_above = path == ".." || path.starts_with("../") || path.contains("/../");
    (is_absolute || is_above) && !HARMLESS.iter().any(|folder| path.starts_with(folder))
}

fn chmod(mode: &str) -> Vec<&'static str> {
    let mut rules = Vec::new();
    if !mode.is_empty() && mode.bytes().all(|byte| byte.is_ascii_digit()) {
        let digit = |from_end: usize| mode.bytes().rev().nth(from_end).map_or(0, |byte| byte - b'0');
        if digit(0) & 2 != 0 {
            rules.push("world-writable");
        }
        if digit(3) & 6 != 0 {
            rules.push("set-user-id");
        }
        return rules;
    }
    for part in mode.split(',') {
        let Some((who, what)) = part.split_once(['+', '=']) else { continue };
        if what.contains('w') && (who.contains(['a', 'o'])) {
            rules.push("world-writable");
        }
        if what.contains('s') {
            rules.push("set-user-id");
        }
    }
    rules
}

fn service(command: &Command) -> Option<&'static str> {
    let words: Vec<_> = command.operands().collect();
    let stops = words.iter().any(|word| matches!(*word, "stop" | "disable" | "mask"));
    let guards = ["ufw", "firewalld", "apparmor", "auditd", "iptables", "nftables"];
    if stops && words.iter().any(|word| guards.contains(&word.trim_end_matches(".service"))) {
        return Some("firewall-off");
    }
    words.iter().any(|word| matches!(*word, "enable" | "load" | "bootstrap" | "link")).then_some("service")
}

fn destroys_resources(command: &Command) -> bool {
    let is_deletion =
        |word: &str| matches!(word, "delete" | "rb" | "terminate-instances") || word.starts_with("delete-");
    let removes_all = command.operands().any(|word| word == "rm") && command.has_option('r', "recursive");
    command.operands().any(is_deletion) || removes_all
}
