//! `cargo xtask setup`: what building and testing needs, looked for, and installed where we may.
//!
//! Owns the only place that changes the machine: PostgreSQL's server, Redis, Prometheus and Alertmanager from the
//! distribution's packages, as root or by `sudo` without a password. The web app is built in its own folder. Everything else
//! is only looked for.
//!
//! Invariants: what is missing is named with the line that installs it; the distribution's default
//! cluster is not created, so nothing is left running and no port is taken.

use crate::failure::Failure;
use crate::{duckdb, packages, postgres, process, ui};

/// What setup found and the tests want to know.
#[derive(Debug)]
pub(crate) struct Found {
    /// Whether cargo-nextest runs the tests.
    pub(crate) nextest: bool,
}

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), Failure> {
    let install = match arguments {
        [] => true,
        [only] if only == "--no-install" => false,
        _ => return Err(Failure::usage("setup takes only --no-install")),
    };
    prepare(install).map(|_| ())
}

/// Looks for everything, installs servers for tests if `install` and we may, and prints one line for each.
pub(crate) fn prepare(install: bool) -> Result<Found, Failure> {
    rust();
    c_compiler()?;
    duckdb::ensure(install)?;
    postgresql(install);
    other_servers(install);
    say("web app", &ui::ensure(install));
    let nextest = process::works("cargo", &["nextest", "--version"]);
    say("test runner", if nextest { "cargo nextest" } else { "cargo test (cargo-nextest is not installed)" });
    Ok(Found { nextest })
}

fn say(what: &str, found: &str) {
    println!("setup: {what}: {found}");
}

fn rust() {
    match process::capture(process::cargo().arg("--version")) {
        Ok(version) => say("rust", version.trim()),
        Err(failure) => say("rust", &failure.to_string()),
    }
    for (component, command) in [("rustfmt", "fmt"), ("clippy", "clippy")] {
        if !process::works("cargo", &[command, "--version"]) {
            say(component, "missing; `cargo xtask check` needs it: rustup component add rustfmt clippy");
        }
    }
}

/// SQLite is compiled from C; nothing can be built without a compiler.
fn c_compiler() -> Result<(), Failure> {
    let chosen = std::env::var("CC").ok();
    let candidates = chosen.iter().map(String::as_str).chain(["cc", "gcc", "clang"]);
    for candidate in candidates {
        if process::works(candidate, &["--version"]) {
            say("C compiler", candidate);
            return Ok(());
        }
    }
    Err(Failure::new("no C compiler was found (tried $CC, cc, gcc, clang); SQLite is compiled from C")
        .hinted("Debian, Ubuntu: apt-get install gcc libc6-dev    Fedora: dnf install gcc    macOS: xcode-select --install"))
}

/// Never fails: without PostgreSQL its test cases are skipped, each with a message of its own.
fn postgresql(install: bool) {
    const WHAT: &str = "PostgreSQL server";
    let mut found = postgres::server_programs();
    if found.is_none() && install {
        say(WHAT, "missing; installing the distribution's package `postgresql` (no cluster is created)");
        match packages::install("postgresql", NO_CLUSTER) {
            Ok(()) => found = postgres::server_programs(),
            Err(failure) => say(WHAT, &failure.to_string()),
        }
    }
    if let Some(folder) = found {
        say(WHAT, &folder.display().to_string());
        return;
    }
    say(WHAT, "missing: the PostgreSQL cases of the tests are skipped, and each says so");
    say(WHAT, "to run them: apt-get install postgresql, or any package with initdb, pg_ctl and postgres");
}

/// Never fails: without Redis, Prometheus, Alertmanager and faketime their test cases are skipped, each with a message of
/// its own.
fn other_servers(install: bool) {
    for (what, program, package) in [
        ("Redis", "redis-server", "redis-server"),
        ("Prometheus", "promtool", "prometheus"),
        ("Alertmanager", "prometheus-alertmanager", "prometheus-alertmanager"),
        ("wrong clocks", "faketime", "faketime"),
    ] {
        if !process::works(program, &["--version"]) && install {
            say(
                what,
                &format!("missing; installing the distribution's package `{package}` (nothing is started)"),
            );
            if let Err(failure) = packages::install(package, NO_START) {
                say(what, &failure.to_string());
            }
        }
        if process::works(program, &["--version"]) {
            say(what, program);
        } else {
            say(
                what,
                &format!("missing: its tests are skipped, and each says so; apt-get install {package}"),
            );
        }
    }
}

/// Keeps a package from starting its service. The policy is taken away again.
const NO_START: &str = r#"
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
fi
"#;

/// Keeps the package from creating and starting a cluster. The drop-in file is taken away again, so that
/// the machine's own settings are what they were.
const NO_CLUSTER: &str = r#"
settings=/etc/postgresql-common/createcluster.d
mkdir -p "$settings"
trap 'rm -f "$settings/plimsoll.conf"; rmdir --ignore-fail-on-non-empty "$settings" || true' EXIT
echo 'create_main_cluster = false' > "$settings/plimsoll.conf"
"#;
