//! Who may depend on whom: core <- store <- engine <- { systems, server } <- the command.
//!
//! Owns the table of allowed edges and the list of libraries that belong to one crate. It reads what
//! manifests declare, so an unused dependency counts too.
//!
//! Invariants: a crate that is in no layer is a violation, not an exception; a dependency for tests
//! only follows the same table, plus what tests of that layer may use besides.

use super::Violation;
use crate::metadata::Package;

/// A crate's place in the direction of dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layer {
    Core,
    Store,
    Engine,
    System,
    Server,
    Simulator,
    Command,
    TestKit,
    Xtask,
}

impl Layer {
    fn of(folder: &str) -> Option<Self> {
        match folder {
            "crates/core" => Some(Self::Core),
            "crates/store" => Some(Self::Store),
            "crates/engine" => Some(Self::Engine),
            "crates/server" => Some(Self::Server),
            "crates/simulator" => Some(Self::Simulator),
            "crates/cli" => Some(Self::Command),
            "crates/testkit" => Some(Self::TestKit),
            "xtask" => Some(Self::Xtask),
            _ => folder.strip_prefix("systems/").filter(|name| !name.contains('/')).map(|_| Self::System),
        }
    }

    /// The layers that this one may be built on.
    fn may_use(self) -> &'static [Self] {
        match self {
            Self::Core | Self::Xtask => &[],
            Self::Store => &[Self::Core],
            Self::Engine | Self::Simulator => &[Self::Core, Self::Store],
            // Not the store: a system declares, it never opens a connection.
            Self::System => &[Self::Core, Self::Engine],
            Self::Server => &[Self::Core, Self::Store, Self::Engine],
            Self::Command => {
                &[Self::Core, Self::Store, Self::Engine, Self::System, Self::Server, Self::Simulator]
            }
            Self::TestKit => &[Self::Core, Self::Store, Self::Engine, Self::Simulator],
        }
    }

    /// The layers that its tests may use besides.
    fn tests_may_use(self) -> &'static [Self] {
        match self {
            Self::Core | Self::Xtask => &[],
            Self::Store => &[Self::TestKit],
            // A test opens the store that the engine opens in a real run.
            _ => &[Self::TestKit, Self::Simulator, Self::Store],
        }
    }
}

/// The systems: package name of every crate in `systems/`.
pub(super) fn systems(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| Layer::of(&package.folder) == Some(Layer::System))
        .map(|package| package.name.clone())
        .collect()
}

/// Edges between our crates that the table does not allow.
pub(super) fn direction(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let place = format!("{}/Cargo.toml", package.folder);
        let Some(layer) = Layer::of(&package.folder) else {
            violations.push(Violation::new(
                place,
                format!("`{}` is in no layer; give it one in xtask/src/invariants/layers.rs", package.name),
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let Some(used) = packages.iter().find(|other| other.name == dependency.name) else { continue };
            let Some(used_layer) = Layer::of(&used.folder) else { continue };
            let allowed = layer.may_use().contains(&used_layer)
                || (dependency.only_for_tests && layer.tests_may_use().contains(&used_layer));
            if !allowed {
                let kind = if dependency.only_for_tests { "for tests " } else { "" };
                violations.push(Violation::new(
                    &place,
                    format!("{layer:?} `{}` depends {kind}on {used_layer:?} `{}`", package.name, used.name),
                ));
            }
        }
    }
    violations
}

/// Libraries that stand for an outside interface, and the only crates that may name them.
const RESERVED: &[(&[&str], &[Layer])] = &[
    (
        &[
            "rusqlite",
            "libsqlite3-sys",
            "postgres",
            "tokio-postgres",
            "postgres-types",
            "duckdb",
            "libduckdb-sys",
        ],
        &[Layer::Store],
    ),
    (&["axum", "hyper", "tower", "tower-http"], &[Layer::Server, Layer::Simulator]),
    // The only cache there is lies behind the flags' snapshot.
    (&["redis"], &[Layer::Engine]),
    (&["clap"], &[Layer::Command, Layer::TestKit]),
];

/// Manifests that name a library reserved to another crate.
pub(super) fn reserved(packages: &[Package]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for package in packages {
        let layer = Layer::of(&package.folder);
        for dependency in &package.dependencies {
            let Some((_, owners)) =
                RESERVED.iter().find(|(names, _)| names.contains(&dependency.name.as_str()))
            else {
                continue;
            };
            if !layer.is_some_and(|layer| owners.contains(&layer)) {
                violations.push(Violation::new(
                    format!("{}/Cargo.toml", package.folder),
                    format!("names `{}`, which only {owners:?} may", dependency.name),
                ));
            }
        }
    }
    violations
}

/// Dependencies of xtask beyond the few that keep it building in seconds.
pub(super) fn xtask(packages: &[Package]) -> Vec<Violation> {
    const MOST: usize = 2;
    packages
        .iter()
        .filter(|package| {
            Layer::of(&package.folder) == Some(Layer::Xtask) && package.dependencies.len() > MOST
        })
        .map(|package| {
            let count = package.dependencies.len();
            Violation::new(
                "xtask/Cargo.toml",
                format!("{count} dependencies, at most {MOST} tiny ones are allowed"),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::Dependency;

    fn package(folder: &str, name: &str, uses: &[&str], tests_use: &[&str]) -> Package {
        let dependency =
            |only_for_tests| move |name: &&str| Dependency { name: (*name).to_owned(), only_for_tests };
        let dependencies =
            uses.iter().map(dependency(false)).chain(tests_use.iter().map(dependency(true))).collect();
        Package { name: name.into(), folder: folder.into(), dependencies, ..Package::default() }
    }

    /// A workspace in order, in which the tests plant one violation each.
    fn in_order() -> Vec<Package> {
        vec![
            package("crates/core", "core", &[], &[]),
            package("crates/store", "store", &["core", "rusqlite", "postgres"], &["testkit"]),
            package("crates/engine", "engine", &["core", "store"], &["testkit", "simulator"]),
            package("crates/server", "server", &["core", "engine", "axum"], &[]),
            package("crates/simulator", "simulator", &["core", "store", "axum"], &[]),
            package("crates/testkit", "testkit", &["core", "store", "engine", "simulator"], &[]),
            package("crates/cli", "cli", &["core", "server", "first", "second", "simulator"], &["testkit"]),
            package("systems/first", "first", &["core", "engine"], &["testkit", "simulator", "store"]),
            package("systems/second", "second", &["core", "engine"], &[]),
            package("xtask", "xtask", &["tiny"], &[]),
        ]
    }

    /// Adds a dependency to a package of [`in_order`].
    fn planted(folder: &str, name: &str, only_for_tests: bool) -> Vec<Package> {
        let mut packages = in_order();
        let package = packages.iter_mut().find(|package| package.folder == folder).unwrap();
        package.dependencies.push(Dependency { name: name.into(), only_for_tests });
        packages
    }

    #[test]
    fn a_workspace_in_order_has_no_violation() {
        let packages = in_order();
        assert_eq!(direction(&packages), []);
        assert_eq!(reserved(&packages), []);
        assert_eq!(xtask(&packages), []);
        assert_eq!(systems(&packages), ["first", "second"]);
    }

    #[test]
    fn every_wrong_edge_is_found() {
        let wrong = [
            ("crates/core", "store", false),
            ("crates/core", "testkit", true),
            ("crates/store", "simulator", true),
            ("crates/store", "engine", false),
            ("crates/engine", "server", false),
            ("crates/engine", "first", false),
            ("crates/engine", "testkit", false),
            ("crates/server", "first", false),
            ("crates/server", "simulator", false),
            ("crates/simulator", "engine", false),
            ("crates/testkit", "first", true),
            ("crates/cli", "testkit", false),
            ("systems/first", "second", false),
            ("systems/first", "second", true),
            ("systems/first", "store", false),
            ("xtask", "core", false),
            ("xtask", "testkit", true),
        ];
        for (folder, name, only_for_tests) in wrong {
            let found = direction(&planted(folder, name, only_for_tests));
            assert_eq!(found.len(), 1, "{folder} -> {name}: {found:?}");
            assert!(found[0].what.contains(name), "{found:?}");
        }
    }

    #[test]
    fn a_crate_without_a_layer_is_found() {
        for folder in ["crates/extra", "systems/first/inner", "tools"] {
            let mut packages = in_order();
            packages.push(package(folder, "extra", &[], &[]));
            assert_eq!(direction(&packages).len(), 1, "{folder}");
        }
    }

    #[test]
    fn a_reserved_library_elsewhere_is_found() {
        for (folder, name) in [
            ("crates/engine", "rusqlite"),
            ("crates/testkit", "postgres"),
            ("systems/first", "duckdb"),
            ("crates/cli", "axum"),
            ("crates/engine", "clap"),
        ] {
            for only_for_tests in [false, true] {
                assert_eq!(reserved(&planted(folder, name, only_for_tests)).len(), 1, "{folder} -> {name}");
            }
        }
    }

    #[test]
    fn an_xtask_that_grows_is_found() {
        let mut packages = planted("xtask", "one", false);
        assert_eq!(xtask(&packages), []);
        packages
            .last_mut()
            .unwrap()
            .dependencies
            .push(Dependency { name: "two".into(), only_for_tests: false });
        assert_eq!(xtask(&packages).len(), 1);
    }
}
