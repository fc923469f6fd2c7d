//! Lines of source, and which of them ran.
//!
//! Owns reading `llvm-cov export --format=lcov` (records `SF:` and `DA:line,count`, as geninfo(1) describes them)
//! and telling test code from the rest: modules under `#[cfg(test)]`, whether they stand in the file
//! or in one of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::failure::Failure;
use crate::project;

/// The lines of one file that are not test code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Figures {
    /// The file, relative to the project.
    pub(super) path: String,
    /// The folder of its crate, such as `crates/core`.
    pub(super) folder: String,
    /// Lines that can run.
    pub(super) lines: usize,
    /// Those that did not.
    pub(super) uncovered: Vec<usize>,
}

/// The figures of every source file of the workspace.
pub(super) fn read(report: &str, root: &Path) -> Result<Vec<Figures>, Failure> {
    let counts = counts(report, root);
    let mut sources = BTreeMap::new();
    for path in counts.keys() {
        sources.insert(path.clone(), project::read_text(&root.join(path))?.unwrap_or_default());
    }
    // A file that only declares modules has no line that runs, and still may declare a test module.
    for path in project::files()? {
        if path.ends_with(".rs") && crate_folder(&path).is_some() && !sources.contains_key(&path) {
            let text = project::read_text(&root.join(&path))?.unwrap_or_default();
            sources.insert(path, text);
        }
    }
    Ok(judge(&counts, &sources))
}

/// The lines that did not run, `path:line` each, for an editor.
pub(super) fn uncovered(figures: &[Figures]) -> String {
    let mut text = String::new();
    for file in figures {
        for line in &file.uncovered {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}:{line}", file.path);
        }
    }
    text
}

/// How often each line ran, by file below `root`.
fn counts(report: &str, root: &Path) -> BTreeMap<String, BTreeMap<usize, u64>> {
    let mut counts: BTreeMap<String, BTreeMap<usize, u64>> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in report.lines() {
        if let Some(file) = line.strip_prefix("SF:") {
            let file = Path::new(file);
            let relative = file.strip_prefix(root).unwrap_or(file).to_string_lossy().replace('\\', "/");
            current = crate_folder(&relative).map(|_| relative.clone());
        } else if let (Some(file), Some(data)) = (&current, line.strip_prefix("DA:")) {
            let mut parts = data.split(',');
            let number = parts.next().and_then(|part| part.parse().ok());
            let count: Option<u64> = parts.next().and_then(|part| part.parse().ok());
            if let (Some(number), Some(count)) = (number, count) {
                let seen = counts.entry(file.clone()).or_default().entry(number).or_default();
                *seen = seen.saturating_add(count);
            }
        }
    }
    counts
}

/// The folder of the crate that a file below `src` belongs to.
fn crate_folder(path: &str) -> Option<&str> {
    let (folder, _) = path.split_once("/src/")?;
    let nested = folder.strip_prefix("crates/").or_else(|| folder.strip_prefix("systems/"));
    (folder == "xtask" || nested.is_some_and(|name| !name.contains('/'))).then_some(folder)
}

fn judge(
    counts: &BTreeMap<String, BTreeMap<usize, u64>>,
    sources: &BTreeMap<String, String>,
) -> Vec<Figures> {
    let mut elsewhere: Vec<String> = Vec::new();
    let mut own: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (path, text) in sources {
        let found = test_code(text);
        let folder = module_folder(path);
        elsewhere.extend(found.modules.iter().map(|name| format!("{folder}/{name}")));
        own.insert(path, found.lines);
    }
    let is_test_file = |path: &str| {
        elsewhere.iter().any(|module| {
            path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        })
    };
    counts
        .iter()
        .filter(|(path, _)| !is_test_file(path))
        .filter_map(|(path, lines)| {
            let tests = own.get(path.as_str());
            let counted = lines.iter().filter(|(line, _)| tests.is_none_or(|tests| !tests.contains(line)));
            let (mut all, mut uncovered) = (0, Vec::new());
            for (&line, &count) in counted {
                all += 1;
                if count == 0 {
                    uncovered.push(line);
                }
            }
            let folder = crate_folder(path)?.to_owned();
            Some(Figures { path: path.clone(), folder, lines: all, uncovered })
        })
        .collect()
}

/// The folder in which a file's modules lie.
fn module_folder(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "mod.rs" | "lib.rs" | "main.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", file.trim_end_matches(".rs")),
    }
}

/// Test code of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct TestCode {
    /// Its lines, from 1.
    lines: BTreeSet<usize>,
    /// Test modules in files of their own.
    modules: Vec<String>,
}

/// Finds items under `#[cfg(test)]`. The source is formatted: an item of the file begins and ends in the
/// first column.
fn test_code(text: &str) -> TestCode {
    let mut found = TestCode::default();
    let mut within = false;
    let mut opened = false;
    for (at, line) in text.lines().enumerate() {
        if !within && line == "#[cfg(test)]" {
            (within, opened) = (true, false);
            found.lines.insert(at + 1);
            continue;
        }
        if !within {
            continue;
        }
        found.lines.insert(at + 1);
        if !opened && line.starts_with("#[") {
            continue;
        }
        if !opened && line.ends_with(';') {
            let name = line.trim_end_matches(';').rsplit(' ').next().unwrap_or_default();
            if line.contains("mod ") {
                found.modules.push(name.to_owned());
            }
            within = false;
        }
        opened = true;
        if line == "}" {
            within = false;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
//! A module.
#[cfg(test)]
mod apart;

fn one() {
    two();
}

#[cfg(test)]
#[expect(unused)]
mod tests {
    fn three() {
    }
}

fn four() {}
";

    #[test]
    fn test_code_is_told_from_the_rest() {
        let found = test_code(SOURCE);
        assert_eq!(found.modules, ["apart"]);
        assert_eq!(found.lines.into_iter().collect::<Vec<_>>(), [2, 3, 9, 10, 11, 12, 13, 14]);
        assert_eq!(module_folder("crates/a/src/b/mod.rs"), "crates/a/src/b");
        assert_eq!(module_folder("crates/a/src/b.rs"), "crates/a/src/b");
    }

    #[test]
    fn lines_are_counted_by_crate_without_tests_and_foreign_files() {
        let report = "\
SF:/project/crates/a/src/lib.rs
DA:5,0
DA:6,3
DA:12,9
DA:16,0
end_of_record
SF:/project/crates/a/src/lib.rs
DA:16,2
end_of_record
SF:/project/crates/a/src/apart.rs
DA:1,0
end_of_record
SF:/project/crates/a/tests/all.rs
DA:1,1
end_of_record
SF:/elsewhere/src/lib.rs
DA:1,1
end_of_record
SF:xtask/src/main.rs
DA:7,1
end_of_record
";
        let counts = counts(report, Path::new("/project"));
        let sources = BTreeMap::from([("crates/a/src/lib.rs".to_owned(), SOURCE.to_owned())]);
        let figures = judge(&counts, &sources);
        let seen: Vec<_> =
            figures.iter().map(|f| (f.folder.as_str(), f.lines, f.uncovered.clone())).collect();
        assert_eq!(seen, [("crates/a", 3, vec![5]), ("xtask", 1, vec![])]);
        assert_eq!(uncovered(&figures), "crates/a/src/lib.rs:5\n");
    }
}
