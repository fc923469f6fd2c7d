//! Where things are: the project's folder, its files, and temporary folders.
//!
//! Owns the list of the project's own files as git sees them. It does not read what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::failure::Failure;

/// The project's folder.
///
/// Asked of cargo at run time, not fixed at build time: a build folder shared by two checkouts must
/// not make one of them work on the other.
pub(crate) fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    match manifest.as_deref().and_then(Path::parent) {
        Some(root) => root.to_owned(),
        // Started without cargo: the folder we stand in.
        None => PathBuf::from("."),
    }
}

/// The project's files relative to its folder, sorted: those that git tracks or would add.
///
/// Without git (an unpacked archive) every file outside `target` and hidden folders.
pub(crate) fn files() -> Result<Vec<String>, Failure> {
    let root = root();
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .stderr(Stdio::null())
        .output();
    let mut files: Vec<String> = match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            // Deleted but not yet committed files are still listed.
            .filter(|path| root.join(path).is_file())
            .map(str::to_owned)
            .collect(),
        _ => {
            let mut found = Vec::new();
            walk(&root, "", &mut found)?;
            found
        }
    };
    files.sort();
    files.dedup();
    Ok(files)
}

fn walk(root: &Path, below: &str, found: &mut Vec<String>) -> Result<(), Failure> {
    let folder = root.join(below);
    let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(&folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|error| unreadable(&folder, &error))?;
        if kind.is_file() {
            found.push(path);
        } else if kind.is_dir() && name != "target" && name != "node_modules" && !name.starts_with('.') {
            walk(root, &path, found)?;
        }
    }
    Ok(())
}

/// Reads a text file, or `None` if it is not text.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, Failure> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("{} could not be read: {error}", path.display()))
}

/// Creates a new folder for one command's temporary files, which every user may enter.
///
/// It is not removed by itself: a command removes it when it ends well and names it when it does not.
pub(crate) fn temporary_folder(purpose: &str) -> Result<PathBuf, Failure> {
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let folder = std::env::temp_dir().join(format!("plimsoll-{purpose}-{}-{moment}", process::id()));
    fs::create_dir(&folder)
        .map_err(|error| Failure::new(format!("{} could not be created: {error}", folder.display())))?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_files_are_found_with_and_without_git() {
        let files = files().unwrap();
        assert!(files.iter().any(|path| path == "xtask/src/project.rs"), "{files:?}");
        let mut walked = Vec::new();
        walk(&root(), "", &mut walked).unwrap();
        assert!(walked.iter().any(|path| path == "xtask/src/project.rs"));
        assert!(!walked.iter().any(|path| path.starts_with(".git/")));
    }
}
