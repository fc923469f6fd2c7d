//! Files that matter: what holds secrets, and what changes how the machine behaves.
//!
//! Owns judging a path by its name. It deliberately follows no link and asks no file system; `~` and `$HOME` are the
//! user's home.

use super::Access;

/// Folders in the home, or files, that hold credentials.
const CREDENTIALS: &[&str] = &[
    "/.aws/credentials",
    "/.netrc",
    "/.pgpass",
    "/.kube/config",
    "/.docker/config.json",
    "/.npmrc",
    "/.pypirc",
    "/.git-credentials",
    "/.config/gh/hosts.yml",
    "/.azure/accesstokens.json",
    "/.config/gcloud/application_default_credentials.json",
    "/.vault-token",
    "/.cargo/credentials.toml",
    "/.gem/credentials",
    "/opencode/auth.json",
    "/.my.cnf",
];
const SYSTEM_CREDENTIALS: &[&str] = &["/etc/shadow", "/etc/gshadow", "/etc/sudoers"];
/// Files that begin every shell.
const STARTUP: &[&str] = &[
    "/.bashrc",
    "/.bash_profile",
    "/.bash_login",
    "/.profile",
    "/.zshrc",
    "/.zshenv",
    "/.zprofile",
    "/.config/fish/config.fish",
    "/etc/profile",
    "/etc/bash.bashrc",
    "/etc/environment",
];
const SYSTEM_FOLDERS: &[&str] =
    &["/etc/", "/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/boot/", "/sys/", "/proc/sys/"];

/// The rules that touching `file` breaks.
pub(super) fn touched(file: &str, access: Access) -> Vec<&'static str> {
    let file = normalized(file);
    let lower = file.to_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let mut rules = Vec::new();
    let ends_with_any = |list: &[&str]| list.iter().any(|end| lower.ends_with(end) || lower == end[1..]);
    if access == Access::Read {
        if is_private_key(&lower, name) {
            rules.push("read-private-key");
        } else if ends_with_any(CREDENTIALS)
            || SYSTEM_CREDENTIALS.contains(&lower.as_str())
            || is_environment_file(name)
        {
            rules.push("read-credentials");
        }
        return rules;
    }
    if lower.ends_with("/.ssh/authorized_keys") {
        rules.push("authorized-keys");
    }
    if ends_with_any(STARTUP) || lower.starts_with("/etc/profile.d/") {
        rules.push("shell-startup");
    }
    if lower == "/etc/ld.so.preload" {
        rules.push("preload");
    } else if lower.starts_with("/etc/cron") || lower.starts_with("/var/spool/cron") {
        rules.push("scheduled");
    } else if lower.contains("/systemd/") && (lower.ends_with(".service") || lower.ends_with(".timer")) {
        rules.push("service");
    } else if lower.starts_with("/etc/sudoers") || lower == "/etc/passwd" || lower == "/etc/shadow" {
        rules.push("account-change");
    } else if is_disk(&lower) {
        rules.push("overwrite-disk");
    } else if SYSTEM_FOLDERS.iter().any(|folder| lower.starts_with(folder))
        && !lower.starts_with("/usr/local/")
    {
        rules.push("system-file");
    }
    rules
}

/// Whether a path is a disk or a part of one.
pub(super) fn is_disk(path: &str) -> bool {
    path.strip_prefix("/dev/").is_some_and(|device| {
        ["sd", "hd", "vd", "xvd", "nvme", "mmcblk", "disk", "mapper/", "md"]
            .iter()
            .any(|kind| device.starts_with(kind))
    })
}

/// A path with the home as `~` and without doubled or closing slashes.
pub(super) fn normalized(path: &str) -> String {
    let mut path = path.replace("${HOME}", "~").replace("$HOME", "~");
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    if path.len() > 1 { path.trim_end_matches('/').to_owned() } else { path }
}

fn is_private_key(lower: &str, name: &str) -> bool {
    let in_ssh =
        lower.contains("/.ssh/id_") || name == "id_rsa" || name == "id_ed25519" || name == "id_ecdsa";
    (in_ssh && !is_public(name))
        || (name.ends_with(".pem") && name.contains("key"))
        || name.ends_with(".key")
        || name.ends_with(".p12")
        || name.ends_with(".pfx")
        || lower.contains("/.gnupg/private-keys")
}

fn is_public(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "pub")
}

/// `.env` and its kin, but not the examples that projects publish.
fn is_environment_file(name: &str) -> bool {
    let example = ["example", "sample", "template", "dist", "test"];
    (name == ".env" || name.starts_with(".env.")) && !example.iter().any(|word| name.ends_with(word))
}
