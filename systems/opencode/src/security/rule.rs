//! The security rules: their names, how bad they are, and why they matter.
//!
//! Owns the catalog. The techniques are those of MITRE ATT&CK for enterprises (attack.mitre.org); a rule without one
//! has no technique that fits. It deliberately holds no condition; those are in the modules beside it.
//!
//! Invariants:
//! - An id never changes its meaning; findings are stored by it.

use crate::error::Severity;
use crate::error::Severity::{Critical, High, Low, Medium};

/// A security rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// The stored name.
    pub id: &'static str,
    /// How bad it is if it was not meant.
    pub severity: Severity,
    /// What happened, and why a person should look.
    pub explanation: &'static str,
    /// The technique of MITRE ATT&CK, where one fits.
    pub technique: Option<&'static str>,
}

const fn rule(
    id: &'static str,
    severity: Severity,
    technique: &'static str,
    explanation: &'static str,
) -> Rule {
    let technique = if technique.is_empty() { None } else { Some(technique) };
    Rule { id, severity, explanation, technique }
}

/// All rules.
pub const RULES: &[Rule] = &[
    rule("delete-root-or-home", Critical, "T1485", "Deletes a system folder or a whole home folder."),
    rule(
        "delete-outside",
        High,
        "T1485",
        "Deletes a folder by an absolute path or above the project, not below it.",
    ),
    rule("overwrite-disk", Critical, "T1561", "Writes to a disk device, or makes or wipes a file system."),
    rule("fork-bomb", High, "T1499", "Starts processes without end, until the machine stands still."),
    rule(
        "download-to-shell",
        High,
        "T1059.004",
        "Runs a text from the network without anyone having read it.",
    ),
    rule(
        "decoded-to-shell",
        High,
        "T1140",
        "Runs a text that was encoded, so that nobody could read it before.",
    ),
    rule("world-writable", Medium, "T1222.002", "Lets every user of the machine change a file."),
    rule("set-user-id", High, "T1548.001", "Lets whoever runs a program act as its owner."),
    rule("elevated", Medium, "T1548.003", "Runs a command with the rights of another user, usually root."),
    rule("read-credentials", High, "T1552.001", "Reads a file that holds passwords, tokens or keys."),
    rule("read-private-key", High, "T1552.004", "Reads a private key."),
    rule(
        "send-environment",
        High,
        "T1041",
        "Sends the environment, which often holds secrets, over the network.",
    ),
    rule("upload-file", Medium, "T1048", "Sends a file to another machine."),
    rule(
        "reverse-shell",
        Critical,
        "T1059.004",
        "Gives a machine at the other end of a connection a shell here.",
    ),
    rule("authorized-keys", High, "T1098.004", "Changes who may log in with a key."),
    rule("scheduled", High, "T1053.003", "Has a command run again later, after this session is forgotten."),
    rule("shell-startup", Medium, "T1546.004", "Changes what every new shell of the user runs."),
    rule("service", Medium, "T1543.002", "Installs or enables a service that survives the session."),
    rule("firewall-off", High, "T1562.004", "Switches a firewall or an access control off."),
    rule("history-cleared", Medium, "T1070.003", "Hides which commands were run."),
    rule("logs-deleted", High, "T1070.002", "Deletes or empties the logs of the system."),
    rule(
        "git-force-push",
        Medium,
        "T1565.001",
        "Replaces history at a remote; the work of others can be lost.",
    ),
    rule("git-discard", Medium, "T1485", "Throws away changes that were never committed."),
    rule(
        "git-no-verify",
        Low,
        "T1562.001",
        "Skips the checks that the project runs before a commit or a push.",
    ),
    rule("database-drop", High, "T1485", "Deletes tables, a database, or all rows of a table."),
    rule("container-escape", High, "T1611", "Gives a container the rights of the machine around it."),
    rule("no-tls-check", Medium, "T1557", "Accepts any certificate, so that the other end can be anyone."),
    rule(
        "foreign-package",
        Medium,
        "T1195.002",
        "Installs a package from somewhere other than the usual registry.",
    ),
    rule("publish-package", Medium, "", "Publishes a package for everyone."),
    rule("account-change", High, "T1136.001", "Makes an account, or changes its rights or password."),
    rule("kernel", High, "T1547.006", "Loads a module into the kernel, or changes how it works."),
    rule("cloud-destroy", High, "T1485", "Deletes resources in a cloud or a cluster."),
    rule(
        "stop-processes",
        Low,
        "T1489",
        "Stops processes by name or all at once, not only those that it started.",
    ),
    rule(
        "secret-in-text",
        High,
        "T1552",
        "A password, token or key stands in clear text, and is now in the session's record too.",
    ),
    rule(
        "cloud-metadata",
        High,
        "T1552.005",
        "Asks a cloud machine's metadata service, which hands out credentials.",
    ),
    rule("preload", High, "T1574.006", "Has every program load a library of its choice first."),
    rule("system-file", Medium, "T1565.001", "Changes a file of the operating system."),
    rule("network-scan", Medium, "T1046", "Looks for machines and open ports on the network."),
];
