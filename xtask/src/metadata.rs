//! What cargo says about the workspace and its dependencies.
//!
//! Owns the reading of `cargo metadata`. The rules that judge it are in `invariants` and `audit`, as
//! pure functions over the types below, so that each can be tested with a planted violation.

use std::path::{Path, PathBuf};

use tinyjson::JsonValue;

use crate::failure::Failure;
use crate::{json, process};

/// A package as its manifest declares it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    /// The name, as in `[package] name`.
    pub(crate) name: String,
    /// The version.
    pub(crate) version: String,
    /// Folder of the manifest relative to the workspace, `/`-separated; empty for a foreign package.
    pub(crate) folder: String,
    /// The SPDX expression of `license`, if given.
    pub(crate) license: Option<String>,
    /// The name of the C library it links, if it declares one in `links`.
    pub(crate) links: Option<String>,
    /// What it depends on, of every kind.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency as a manifest declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The name of the package, whatever it is renamed to.
    pub(crate) name: String,
    /// Whether it is for tests, examples and benchmarks only.
    pub(crate) only_for_tests: bool,
}

/// The packages of this workspace.
pub(crate) fn workspace() -> Result<Vec<Package>, Failure> {
    packages(&read(&["--no-deps"])?)
}

/// The packages of this workspace and everything they depend on, on every platform.
pub(crate) fn with_dependencies() -> Result<Vec<Package>, Failure> {
    packages(&read(&["--locked"])?)
}

/// The folder into which cargo builds.
pub(crate) fn target_folder() -> Result<PathBuf, Failure> {
    let metadata = read(&["--no-deps"])?;
    json::text(&metadata, "target_directory")
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("`cargo metadata` names no target_directory"))
}

fn read(arguments: &[&str]) -> Result<JsonValue, Failure> {
    let text =
        process::capture(process::cargo().args(["metadata", "--format-version", "1"]).args(arguments))?;
    json::parse("the output of `cargo metadata`", &text)
}

fn packages(metadata: &JsonValue) -> Result<Vec<Package>, Failure> {
    let root = json::text(metadata, "workspace_root")
        .ok_or_else(|| Failure::new("`cargo metadata` names no workspace_root"))?;
    json::items(metadata, "packages").iter().map(|value| package(Path::new(root), value)).collect()
}

fn package(root: &Path, value: &JsonValue) -> Result<Package, Failure> {
    let owned = |name| json::text(value, name).map(str::to_owned);
    let name = owned("name").ok_or_else(|| Failure::new("`cargo metadata` has a package without a name"))?;
    let manifest = PathBuf::from(owned("manifest_path").unwrap_or_default());
    let ours = json::text(value, "source").is_none();
    let folder = match manifest.parent().and_then(|folder| folder.strip_prefix(root).ok()) {
        Some(folder) if ours => folder.to_string_lossy().replace('\\', "/"),
        _ => String::new(),
    };
    let dependencies = json::items(value, "dependencies")
        .iter()
        .filter_map(|dependency| {
            Some(Dependency {
                name: json::text(dependency, "name")?.to_owned(),
                only_for_tests: json::text(dependency, "kind") == Some("dev"),
            })
        })
        .collect();
    Ok(Package {
        name,
        version: owned("version").unwrap_or_default(),
        folder,
        license: owned("license"),
        links: owned("links"),
        dependencies,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{
        "workspace_root": "/somewhere",
        "packages": [
            {"name": "ours", "version": "0.1.0", "source": null, "license": "MIT", "links": null,
             "manifest_path": "/somewhere/crates/ours/Cargo.toml",
             "dependencies": [{"name": "alpha", "kind": null}, {"name": "beta", "kind": "dev"},
                              {"name": "gamma", "kind": "build"}]},
            {"name": "alpha", "version": "1.2.3", "source": "registry+elsewhere", "license": null,
             "links": "a", "manifest_path": "/cache/alpha/Cargo.toml", "dependencies": []}
        ]}"#;

    #[test]
    fn packages_are_read_with_folder_kind_and_links() {
        let packages = packages(&json::parse("test", METADATA).unwrap()).unwrap();
        assert_eq!(packages[0].folder, "crates/ours");
        let for_tests: Vec<bool> = packages[0].dependencies.iter().map(|d| d.only_for_tests).collect();
        assert_eq!(for_tests, [false, true, false]);
        assert_eq!(packages[1].folder, "");
        assert_eq!((packages[1].license.as_deref(), packages[1].links.as_deref()), (None, Some("a")));
    }
}
