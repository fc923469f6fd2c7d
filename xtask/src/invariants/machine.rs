//! Traces of one machine in files that are for everyone: absolute paths, registry hosts.
//!
//! Owns the two lists. The words are put together from halves, so that this file passes its own rule.

use super::{TextFile, Violation};

/// Folders in which somebody's checkout or home lies.
const MACHINE_FOLDERS: &[&str] =
    &[concat!("/", "root/"), concat!("/", "home/"), concat!("/", "work/"), concat!("/", "Users/")];

/// Hosts that serve packages, and settings that name one. A mirror's address in a lock file or a
/// configuration makes a clone unusable elsewhere; the ordinary clients know their own registry.
const REGISTRY_MARKS: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("py", "pi.org"),
    concat!("pythonhosted", ".org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("deb.", "debian.org"),
    concat!("registry+", "http://"),
    concat!("sparse+", "http"),
    concat!("--index", "-url"),
    concat!("--extra-index", "-url"),
    concat!("replace", "-with"),
];

/// How a lock file or deny.toml names the public crate index; any other after it is a mirror.
const CRATE_INDEX_MARK: &str = concat!("registry+", "https://");
const CRATE_INDEX: &str = "github.com/rust-lang/crates.io-index";

/// Absolute paths of somebody's machine.
pub(super) fn paths(files: &[TextFile]) -> Vec<Violation> {
    find(files, |line| {
        MACHINE_FOLDERS
            .iter()
            .find(|folder| line.match_indices(**folder).any(|(at, _)| begins_a_path(&line[..at])))
            .map(|folder| format!("an absolute path under `{folder}`"))
    })
}

/// Whether what follows `before` is the beginning of a path and not its middle.
fn begins_a_path(before: &str) -> bool {
    !before.ends_with(|c: char| {
        c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '~' | '}' | ')' | '>' | '*')
    })
}

/// Host names of package registries, and settings that would name one.
pub(super) fn registries(files: &[TextFile]) -> Vec<Violation> {
    find(files, |line| {
        if let Some(mark) = REGISTRY_MARKS.iter().find(|mark| line.contains(**mark)) {
            return Some(format!("names a package registry: `{mark}`"));
        }
        line.match_indices(CRATE_INDEX_MARK)
            .any(|(at, mark)| !line[at + mark.len()..].starts_with(CRATE_INDEX))
            .then(|| "names a crate index other than the public one".to_owned())
    })
}

fn find(files: &[TextFile], rule: impl Fn(&str) -> Option<String>) -> Vec<Violation> {
    let mut violations = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            if let Some(what) = rule(line) {
                violations.push(Violation::new(format!("{}:{number}", file.path), what));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn absolute_machine_paths_are_found() {
        for folder in MACHINE_FOLDERS {
            for line in [
                format!("{folder}x"),
                format!("see `{folder}x`"),
                format!("PATH=/usr/bin:{folder}bin"),
                format!("file://{folder}x"),
                format!("\"{folder}x\""),
            ] {
                assert_eq!(paths(&[file("a.md", &line)]).len(), 1, "{line}");
            }
            for line in [
                format!("..{folder}x"),
                format!("$HOME{folder}x"),
                format!("https://example.org{folder}x"),
                format!("{{root}}{folder}x"),
            ] {
                assert_eq!(paths(&[file("a.md", &line)]), [], "{line}");
            }
        }
    }

    #[test]
    fn registry_hosts_are_found() {
        for mark in REGISTRY_MARKS {
            let line = format!("resolved = \"https://{mark}/x\"");
            assert_eq!(registries(&[file("package-lock.json", &line)]).len(), 1, "{line}");
        }
        let public = format!("source = \"{CRATE_INDEX_MARK}{CRATE_INDEX}\"");
        assert_eq!(registries(&[file("Cargo.lock", &public)]), []);
        let mirror = format!("source = \"{CRATE_INDEX_MARK}mirror.example/index\"");
        assert_eq!(registries(&[file("Cargo.lock", &mirror)])[0].place, "Cargo.lock:1");
        assert_eq!(registries(&[file("a.md", "https://docs.rs/x and https://crates.io/crates/x")]), []);
    }
}
