//! Rules over the text and the names of source files.
//!
//! Owns: the names of systems, module headers, file sizes, grab-bag names. They read text, not syntax,
//! so each is written to err on the side of a clear message rather than of cleverness.

use super::{TextFile, Violation};

/// A file longer than this must be split.
const HARD_LIMIT: usize = 800;
/// A file longer than this is named in a warning.
const SOFT_LIMIT: usize = 400;

/// The only file outside the systems themselves that may name them.
const REGISTRY: &str = "crates/cli/src/registry.rs";

/// Names that say nothing about what is inside.
const GRAB_BAGS: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc"];

/// Crate names of systems in code that must not know them.
///
/// Free to name them: the systems, the simulators, tests, and xtask.
pub(super) fn system_names(files: &[TextFile], systems: &[String]) -> Vec<Violation> {
    let names: Vec<String> = systems.iter().map(|system| system.replace('-', "_")).collect();
    let mut violations = Vec::new();
    for file in files.iter().filter(|file| must_not_name_systems(&file.path)) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for name in names.iter().filter(|name| has_word(line, name)) {
                violations.push(Violation::new(
                    format!("{}:{number}", file.path),
                    format!("names the system `{name}`; only {REGISTRY} may"),
                ));
            }
        }
    }
    violations
}

fn must_not_name_systems(path: &str) -> bool {
    path != REGISTRY
        && path.starts_with("crates/")
        && !path.starts_with("crates/simulator/")
        && !path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// Whether `word` stands in `line` as an identifier of its own.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(inside) && !line[at + word.len()..].starts_with(inside))
}

/// Files that do not begin by saying what they are.
pub(super) fn headers(files: &[TextFile]) -> Vec<Violation> {
    files
        .iter()
        .filter(|file| {
            let first = file.text.lines().next().unwrap_or_default();
            first.strip_prefix("//!").is_none_or(|header| header.trim().is_empty())
        })
        .map(|file| Violation::new(&file.path, "does not begin with a `//!` header that says what it owns"))
        .collect()
}

/// Files over the hard limit.
pub(super) fn too_long(files: &[TextFile]) -> Vec<Violation> {
    longer_than(files, HARD_LIMIT, usize::MAX)
}

/// Files over the soft limit but not over the hard one.
pub(super) fn rather_long(files: &[TextFile]) -> Vec<Violation> {
    longer_than(files, SOFT_LIMIT, HARD_LIMIT)
}

fn longer_than(files: &[TextFile], limit: usize, and_at_most: usize) -> Vec<Violation> {
    files
        .iter()
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > limit && *lines <= and_at_most)
        .map(|(file, lines)| Violation::new(&file.path, format!("{lines} lines, over {limit}")))
        .collect()
}

/// Entries of clippy.toml that systems/clippy.toml does not repeat.
///
/// Clippy reads the nearest clippy.toml only, so a root entry left out below would not hold for systems.
pub(super) fn unrepeated_lints(files: &[TextFile]) -> Vec<Violation> {
    let entries = |path: &str| -> Vec<&str> {
        let text = files.iter().find(|file| file.path == path).map_or("", |file| file.text.as_str());
        text.lines().map(str::trim).filter(|line| is_lint_entry(line)).collect()
    };
    let repeated = entries("systems/clippy.toml");
    entries("clippy.toml")
        .into_iter()
        .filter(|entry| !repeated.contains(entry))
        .map(|entry| Violation::new("systems/clippy.toml", format!("does not repeat the root's `{entry}`")))
        .collect()
}

fn is_lint_entry(line: &str) -> bool {
    line.starts_with("{ path") || (line.contains('=') && !line.starts_with('#') && !line.ends_with('['))
}

/// Folders, files and modules with a grab-bag name.
pub(super) fn names(paths: &[String], rust: &[TextFile]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for path in paths {
        let mut parts = path.split('/').peekable();
        while let Some(part) = parts.next() {
            let is_folder = parts.peek().is_some();
            let name = if is_folder { part } else { part.strip_suffix(".rs").unwrap_or_default() };
            if GRAB_BAGS.contains(&name) {
                violations.push(Violation::new(path, format!("`{name}` says nothing about what is inside")));
            }
        }
    }
    for file in rust {
        for (number, line) in (1..).zip(file.text.lines()) {
            // A module in a file of its own is found by that file's name.
            let Some(name) = inline_module(line) else { continue };
            if GRAB_BAGS.contains(&name) {
                violations.push(Violation::new(
                    format!("{}:{number}", file.path),
                    format!("module `{name}` says nothing about what is inside"),
                ));
            }
        }
    }
    violations
}

/// The name in `mod name {`, with any visibility before it.
fn inline_module(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let before = before.trim();
    let is_item = before.is_empty() || before.starts_with("pub");
    let name = after.trim_end().strip_suffix('{')?.trim();
    is_item.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn a_system_named_outside_the_registry_is_found() {
        let systems = vec!["plimsoll-first".to_owned()];
        let line = "use plimsoll_first::SYSTEM;\n";
        let free = [
            REGISTRY,
            "systems/first/src/lib.rs",
            "crates/simulator/src/lib.rs",
            "crates/cli/tests/undo.rs",
            "crates/engine/src/change/tests.rs",
            "xtask/src/demo.rs",
        ];
        for path in free {
            assert_eq!(system_names(&[file(path, line)], &systems), [], "{path}");
        }
        for path in ["crates/cli/src/main.rs", "crates/server/src/routes.rs", "crates/engine/src/system.rs"] {
            let found = system_names(&[file(path, &format!("//! Header.\n{line}"))], &systems);
            assert_eq!(found.len(), 1, "{path}");
            assert_eq!(found[0].place, format!("{path}:2"));
        }
        let longer = "let x = plimsoll_first_draft; my_plimsoll_first()";
        assert_eq!(system_names(&[file("crates/cli/src/main.rs", longer)], &systems), []);
    }

    #[test]
    fn a_file_without_a_header_is_found() {
        assert_eq!(headers(&[file("a.rs", "//! Owns a thing.\n")]), []);
        for text in ["", "//!\n", "// Owns.\n", "\n//! Late.\n", "use std::fs;\n"] {
            assert_eq!(headers(&[file("a.rs", text)]).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn long_files_are_found_at_the_limits() {
        let of = |lines: usize| [file("a.rs", &"x\n".repeat(lines))];
        assert_eq!((rather_long(&of(400)), too_long(&of(400))), (vec![], vec![]));
        assert_eq!((rather_long(&of(401)).len(), too_long(&of(401)).len()), (1, 0));
        assert_eq!((rather_long(&of(800)).len(), too_long(&of(800)).len()), (1, 0));
        assert_eq!((rather_long(&of(801)).len(), too_long(&of(801)).len()), (0, 1));
    }

    #[test]
    fn a_lint_that_systems_do_not_repeat_is_found() {
        let root = file("clippy.toml", "# a = b\nallow = true\nmethods = [\n    { path = \"x\" },\n]\n");
        let whole = file(
            "systems/clippy.toml",
            "allow = true\nmethods = [\n  { path = \"x\" },\n  { path = \"y\" },\n]\n",
        );
        assert_eq!(unrepeated_lints(&[root.clone(), whole]), []);
        let without = file("systems/clippy.toml", "allow = true\nmethods = [\n  { path = \"y\" },\n]\n");
        assert_eq!(unrepeated_lints(&[root.clone(), without]).len(), 1);
        assert_eq!(unrepeated_lints(&[root]).len(), 2);
    }

    #[test]
    fn grab_bag_names_are_found() {
        let path = |path: &str| [path.to_owned()];
        assert_eq!(names(&path("crates/core/src/common_key.rs"), &[]), []);
        assert_eq!(names(&path("docs/common.md"), &[]), []);
        for bad in ["crates/core/src/utils.rs", "crates/core/tests/common/mod.rs", "web/helpers/a.ts"] {
            assert_eq!(names(&path(bad), &[]).len(), 1, "{bad}");
        }
        for bad in ["mod helpers {", "    pub(crate) mod utils {"] {
            assert_eq!(names(&[], &[file("a.rs", bad)]).len(), 1, "{bad}");
        }
        for good in ["mod key {", "// a mod helpers {", "mod tests {"] {
            assert_eq!(names(&[], &[file("a.rs", good)]), [], "{good}");
        }
    }
}
