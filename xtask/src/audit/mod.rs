//! `cargo xtask audit`: what our dependencies oblige us to, and what they bring twice.
//!
//! Owns the licence check against the allow-list of deny.toml, which needs no tool but cargo, and the
//! list of doubled packages. Advisories need a database that is fetched from the network, so they are
//! cargo-deny's or cargo-audit's work; this command says plainly when nobody has checked them.

mod licenses;

use std::collections::BTreeMap;

use crate::failure::Failure;
use crate::metadata::{self, Package};
use crate::{process, project};

/// Judges every dependency; fails on a licence that is not allowed or a C library linked twice.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    if let Some(argument) = arguments.first() {
        return Err(Failure::usage(format!("audit takes no argument, got `{argument}`")));
    }
    let path = project::root().join("deny.toml");
    let policy = project::read_text(&path)?
        .ok_or_else(|| Failure::new(format!("{} is not text", path.display())))
        .and_then(|text| licenses::Policy::parse(&text))?;
    let packages = metadata::with_dependencies()?;

    let mut refused = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for package in &packages {
        match policy.judge(package) {
            Ok(()) => {
                let license = package.license.as_deref().unwrap_or("(named in deny.toml)");
                *counts.entry(license).or_default() += 1;
            }
            Err(reason) => refused.push(format!("{} {}: {reason}", package.name, package.version)),
        }
    }
    println!("licenses of {} packages:", packages.len());
    for (license, count) in &counts {
        println!("  {count:>4}  {license}");
    }

    let doubled_links = doubled(packages.iter().filter(|package| package.links.is_some()));
    let doubled_others = doubled(packages.iter().filter(|package| package.links.is_none()));
    for (name, versions) in &doubled_others {
        println!("warning: {name} comes in {} versions: {}", versions.len(), versions.join(", "));
    }
    for (name, versions) in &doubled_links {
        refused.push(format!(
            "{name} links a C library and comes in {} versions: {}",
            versions.len(),
            versions.join(", ")
        ));
    }

    cargo_deny()?;
    if refused.is_empty() {
        println!("audit: {} packages, all licenses allowed, no C library linked twice", packages.len());
        return Ok(());
    }
    Err(Failure::new(refused.join("\n"))
        .hinted("choose another crate, or allow it in deny.toml with the reason beside it"))
}

/// Packages of one name in several versions.
fn doubled<'a>(packages: impl Iterator<Item = &'a Package>) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.into_iter().filter(|(_, versions)| versions.len() > 1).collect()
}

/// Runs cargo-deny where it is installed, and says what nobody checked.
fn cargo_deny() -> Result<(), Failure> {
    if !process::works("cargo", &["deny", "--version"]) {
        println!("note: cargo-deny is not installed; its checks of bans and sources were not run");
        println!("note: security advisories were not checked (cargo-deny and its database are needed)");
        return Ok(());
    }
    process::run(process::cargo().args([
        "deny",
        "--offline",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))?;
    if process::works("cargo", &["deny", "--offline", "check", "advisories"]) {
        println!("security advisories: none for these packages in the database at hand");
        return Ok(());
    }
    // Offline, a missing database and a found advisory look alike; the output tells them apart.
    let output = process::capture(process::cargo().args(["deny", "--offline", "check", "advisories"]));
    match output {
        Ok(_) => Ok(()),
        Err(failure) if failure.to_string().contains("advisories FAILED") => Err(failure),
        Err(_) => {
            println!("note: security advisories were not checked: no advisory database at hand");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_versions_of_one_package_are_found() {
        let package = |name: &str, version: &str| Package {
            name: name.into(),
            version: version.into(),
            links: Some(format!("{name}_{version}")),
            ..Package::default()
        };
        let packages = [package("ring", "0.17.1"), package("zlib", "1.0.0"), package("ring", "0.18.0")];
        assert_eq!(doubled(packages.iter()), [("ring", vec!["0.17.1", "0.18.0"])]);
        assert_eq!(doubled(packages[1..].iter()), []);
    }
}
