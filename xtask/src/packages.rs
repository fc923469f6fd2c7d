//! Installing a package of the distribution, where we may.
//!
//! Owns how root is reached: being root, or `sudo` without a password. It never asks for one, so that
//! no command waits for an answer that nobody gives.

use std::process::Command;

use crate::failure::Failure;
use crate::{postgres, process};

/// Installs with apt-get, without recommended packages.
///
/// `before` is a shell script that runs first, in the same shell and as root; it may set a `trap` for
/// what must be undone after the installation.
pub(crate) fn install(package: &str, before: &str) -> Result<(), Failure> {
    if !process::works("apt-get", &["--version"]) {
        return Err(Failure::new("not installed: this machine has no apt-get"));
    }
    let mut command = if postgres::is_root() {
        Command::new("sh")
    } else if process::works("sudo", &["-n", "true"]) {
        let mut command = Command::new("sudo");
        command.args(["-n", "sh"]);
        command
    } else {
        return Err(Failure::new("not installed: neither root nor sudo without a password"));
    };
    let script = format!(
        "set -e\nexport DEBIAN_FRONTEND=noninteractive\n{before}\napt-get update -qq\n\
         apt-get install -qq --yes --no-install-recommends -o Dpkg::Use-Pty=0 {package}\n"
    );
    process::run(command.args(["-c", &script]))
        .map_err(|_| Failure::new("not installed: apt-get did not succeed; its reason is above"))
}
