//! Configuration: defaults < TOML file < environment < arguments.
//!
//! Owns every setting of the command and is the only place that reads the environment. The file is
//! `plimsoll.toml` in the working folder, or the one that `--config` or `PLIMSOLL_CONFIG` names. Unknown
//! keys are errors, so that a misspelt setting is never silently ignored. Secrets come from the environment
//! or from a file that the environment names, never from the configuration file or the command line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll_engine::EngineError;
use plimsoll_engine::alert::{Address, QuietHours};
use plimsoll_engine::cache::Cache;
use plimsoll_engine::change::run::{DEFAULT_BATCH_SIZE, RunSettings};
use plimsoll_engine::cloud::google::{METADATA, STORAGE};
use plimsoll_engine::cloud::{Credential, GoogleSettings};
use plimsoll_server::Tokens;
use serde::Deserialize;

/// The setting, and the flag, that chooses between the batch path and one transaction.
pub(crate) const BATCH_SWITCH: &str = "ENABLE_BATCH_PROCESSING";

/// The id of the server's request that a command line is run for; set by the server for the processes that it starts.
pub(crate) const REQUEST: &str = "PLIMSOLL_REQUEST";

/// The configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ConfigFile {
    /// The folder of the embedded stores.
    pub(crate) data: Option<PathBuf>,
    /// Who acts, in events.
    pub(crate) actor: Option<String>,
    /// Store addresses by system.
    pub(crate) stores: BTreeMap<String, String>,
    /// The address of the control store: flags, gates, playbooks, alerts, schedules.
    pub(crate) control_store: Option<String>,
    /// Sources by system.
    pub(crate) sources: BTreeMap<String, String>,
    /// Whether runs go in batches (`ENABLE_BATCH_PROCESSING`).
    pub(crate) enable_batch_processing: Option<bool>,
    /// Items in one batch (`BATCH_SIZE`).
    pub(crate) batch_size: Option<u64>,
    /// Refuse to apply a plan that is not approved.
    pub(crate) approval_required: Option<bool>,
    /// Alerts.
    pub(crate) alerts: AlertsFile,
    /// Where copies go off this machine.
    pub(crate) cloud: Option<CloudFile>,
}

/// The part of the configuration file about a cloud.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloudFile {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// The storage's address, where it is not Google's.
    pub(crate) storage: Option<String>,
    /// The address of the machine's metadata, where it is not Google's.
    pub(crate) metadata: Option<String>,
}

/// The part of the configuration file about alerts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AlertsFile {
    /// Hours in which only P0 is told, such as `22:00-07:00 Europe/Berlin`.
    pub(crate) quiet_hours: Option<String>,
}

/// The settings in force.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The configuration file that was named, which a program that this one starts is given too.
    pub(crate) file: Option<PathBuf>,
    /// The folder of the embedded stores and backups.
    pub(crate) data: PathBuf,
    /// The user's data folder, in which other programs keep theirs.
    pub(crate) user_data: PathBuf,
    /// Who acts.
    pub(crate) actor: String,
    /// The request of the server that this command line is run for.
    pub(crate) request: Option<Arc<str>>,
    /// The cache, when there is one.
    pub(crate) cache: Option<Arc<Cache>>,
    /// Store addresses by system.
    pub(crate) stores: BTreeMap<String, String>,
    /// The address of the control store, when it is not the embedded one.
    pub(crate) control_store: Option<String>,
    /// Sources by system.
    pub(crate) sources: BTreeMap<String, String>,
    /// A store address for every command, from `PLIMSOLL_STORE`.
    pub(crate) store: Option<String>,
    /// Whether runs go in batches, when it is set; else the flag of that name decides (HB-03, HB-05).
    pub(crate) enable_batch_processing: Option<bool>,
    /// Items in one batch (HB-02).
    pub(crate) batch_size: u64,
    /// Refuse to apply a plan that is not approved.
    pub(crate) approval_required: bool,
    /// The key of the congress.gov API, when there is one.
    pub(crate) api_key: Option<String>,
    /// The token for the remote of a link, when it wants one.
    pub(crate) remote_token: Option<String>,
    /// The tokens that `serve` accepts.
    pub(crate) tokens: Tokens,
    /// The token with which commands ask a running server.
    pub(crate) token: Option<String>,
    /// The webhook that notices go to, when there is one.
    pub(crate) alert_webhook: Option<Address>,
    /// Hours in which only P0 is told.
    pub(crate) quiet_hours: Option<QuietHours>,
    /// Where copies go off this machine, when that is set up.
    pub(crate) cloud: Option<GoogleSettings>,
}

/// One environment variable that the command reads.
pub(crate) struct EnvironmentVariable {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) help: &'static str,
}

/// Every environment variable that the command reads.
pub(crate) const ENVIRONMENT: &[EnvironmentVariable] = &[
    EnvironmentVariable {
        name: "PLIMSOLL_CONFIG",
        help: "The configuration file; equivalent to `--config`.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_DATA",
        help: "The folder of the embedded stores and backups; equivalent to `--data`.",
    },
    EnvironmentVariable { name: "PLIMSOLL_STORE", help: "The store address; equivalent to `--store`." },
    EnvironmentVariable {
        name: "PLIMSOLL_CONTROL_STORE",
        help: "The address of the control store, which holds flags, gates, playbooks, alerts and schedules. Default: `control.db` in the data folder.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_ACTOR",
        help: "Who acts, as recorded in events. Default: the user's login name.",
    },
    EnvironmentVariable {
        name: REQUEST,
        help: "The id of the request of `serve` that a command line is run for, as recorded in events and edits; the server sets it for what it starts.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_APPROVAL_REQUIRED",
        help: "`true` refuses to apply a plan that is not approved. Default: false.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_CLOUD_TOKEN",
        help: "An access token for the bucket of `[cloud]`, in place of the service account that is attached to this machine.",
    },
    EnvironmentVariable { name: "PLIMSOLL_CLOUD_TOKEN_FILE", help: "A file with that token." },
    EnvironmentVariable {
        name: "PLIMSOLL_LOG",
        help: "What is logged to standard error, such as `warn` (items not applied) or `plimsoll_engine=debug` (every batch). Default: error.",
    },
    EnvironmentVariable {
        name: BATCH_SWITCH,
        help: "`true` applies runs in batches with a checkpoint each; `false` applies them in one transaction. Default: what the flag of the same name in the control store says of the system (its targeting key), else false.",
    },
    EnvironmentVariable { name: "BATCH_SIZE", help: "Items in one batch. Default: 50." },
    EnvironmentVariable {
        name: "PLIMSOLL_REDIS",
        help: "The address of a Redis that caches what is read often, such as `redis://127.0.0.1:6379/0`; losing it loses nothing. It may hold a password, and is a secret. Default: no cache.",
    },
    EnvironmentVariable { name: "PLIMSOLL_REDIS_FILE", help: "A file that holds the address of Redis." },
    EnvironmentVariable {
        name: "PLIMSOLL_ALERT_WEBHOOK",
        help: "The address of the Slack-compatible webhook that notices go to. It is a secret.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_ALERT_WEBHOOK_FILE",
        help: "A file that holds the address of the webhook.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_QUIET_HOURS",
        help: "Hours in which only P0 is told, such as `22:00-07:00 Europe/Berlin`, with `weekends` after it when those are quiet too.",
    },
    EnvironmentVariable { name: "CONGRESS_API_KEY", help: "The key of the congress.gov API." },
    EnvironmentVariable {
        name: "CONGRESS_API_KEY_FILE",
        help: "A file that holds the key of the congress.gov API.",
    },
    EnvironmentVariable { name: "PFA_TOKEN", help: "The token for PEMS." },
    EnvironmentVariable { name: "PFA_TOKEN_FILE", help: "A file that holds the token for PEMS." },
    EnvironmentVariable {
        name: "PLIMSOLL_TOKENS_FILE",
        help: "A file with the tokens that `serve` accepts, each as the line that `token create` prints.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_TOKENS",
        help: "Further tokens that `serve` accepts: such lines, separated by `;`.",
    },
    EnvironmentVariable {
        name: "PLIMSOLL_TOKEN",
        help: "The token with which commands ask a running server, where it wants one.",
    },
    EnvironmentVariable { name: "PLIMSOLL_TOKEN_FILE", help: "A file that holds that token." },
    EnvironmentVariable {
        name: KILL_AT,
        help: "For crash campaigns; builds for users ignore it. The point at which the process kills itself with SIGKILL, such as `sync:answered`, or `sync:answered:3` for the third time that it comes there.",
    },
];

/// See [`crate::fail_point`].
const KILL_AT: &str = "PLIMSOLL_KILL_AT";

#[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
fn environment(name: &'static str) -> Option<String> {
    debug_assert!(
        ["HOME", "USER", "LOGNAME", "XDG_DATA_HOME"].contains(&name)
            || ENVIRONMENT.iter().any(|known| known.name == name),
        "every variable is in the documented list"
    );
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Reads the configuration. `file` and `data` are the arguments of those names.
///
/// # Errors
/// Usage, naming the file or variable and what it may hold.
pub(crate) fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Config, EngineError> {
    let named = file.map(Path::to_owned).or_else(|| environment("PLIMSOLL_CONFIG").map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from("plimsoll.toml"));
    let file: ConfigFile = match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text)
            .map_err(|error| EngineError::usage(format!("{}: {error}", path.display())))?,
        Err(_) if named.is_none() => ConfigFile::default(),
        Err(error) => return Err(EngineError::usage(format!("{}: {error}", path.display()))),
    };
    let batch_size = match environment("BATCH_SIZE") {
        Some(text) => text.parse().ok().filter(|size| *size > 0).ok_or_else(|| {
            EngineError::usage(format!("BATCH_SIZE is `{text}`\nhint: it is a number of items, 1 or more"))
        })?,
        None => file.batch_size.unwrap_or(DEFAULT_BATCH_SIZE),
    };
    Ok(Config {
        file: named,
        data: data
            .map(Path::to_owned)
            .or_else(|| environment("PLIMSOLL_DATA").map(PathBuf::from))
            .or(file.data)
            .unwrap_or_else(default_data),
        user_data: user_data(),
        request: environment(REQUEST).map(Arc::from),
        actor: environment("PLIMSOLL_ACTOR")
            .or(file.actor)
            .or_else(|| environment("USER"))
            .or_else(|| environment("LOGNAME"))
            .unwrap_or_else(|| "local".into()),
        stores: file.stores,
        control_store: environment("PLIMSOLL_CONTROL_STORE").or(file.control_store),
        sources: file.sources,
        store: environment("PLIMSOLL_STORE"),
        enable_batch_processing: switch(BATCH_SWITCH)?.or(file.enable_batch_processing),
        batch_size,
        approval_required: switch("PLIMSOLL_APPROVAL_REQUIRED")?.or(file.approval_required).unwrap_or(false),
        api_key: secret("CONGRESS_API_KEY", "CONGRESS_API_KEY_FILE")?,
        remote_token: secret("PFA_TOKEN", "PFA_TOKEN_FILE")?,
        cache: secret("PLIMSOLL_REDIS", "PLIMSOLL_REDIS_FILE")?
            .map(|address| Cache::at(&address).map(Arc::new))
            .transpose()?,
        alert_webhook: secret("PLIMSOLL_ALERT_WEBHOOK", "PLIMSOLL_ALERT_WEBHOOK_FILE")?
            .map(|address| Address::read(&address))
            .transpose()?,
        quiet_hours: environment("PLIMSOLL_QUIET_HOURS")
            .or(file.alerts.quiet_hours)
            .map(|text| QuietHours::read(&text))
            .transpose()?,
        cloud: file.cloud.map(cloud).transpose()?,
        tokens: tokens()?,
        token: secret("PLIMSOLL_TOKEN", "PLIMSOLL_TOKEN_FILE")?,
    })
}

/// Where a campaign wants the process to die.
pub(crate) fn kill_at() -> Option<String> {
    environment(KILL_AT)
}

/// What is logged to standard error.
pub(crate) fn log_filter() -> String {
    environment("PLIMSOLL_LOG").unwrap_or_else(|| "error".into())
}

fn switch(name: &'static str) -> Result<Option<bool>, EngineError> {
    let Some(text) = environment(name) else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Some(true)),
        "false" | "0" | "no" | "off" => Ok(Some(false)),
        _ => Err(EngineError::usage(format!("{name} is `{text}`\nhint: it is true or false"))),
    }
}

/// A secret from the environment, or from the file that the environment names.
fn secret(name: &'static str, file: &'static str) -> Result<Option<String>, EngineError> {
    if let Some(secret) = environment(name) {
        return Ok(Some(secret));
    }
    let Some(path) = environment(file) else { return Ok(None) };
    let text = std::fs::read_to_string(&path)
        .map_err(|error| EngineError::usage(format!("{file} names {path}: {error}")))?;
    Ok(Some(text.trim().to_owned()))
}

/// The cloud's settings, with a token of the caller's or as the machine.
fn cloud(file: CloudFile) -> Result<GoogleSettings, EngineError> {
    let token = secret("PLIMSOLL_CLOUD_TOKEN", "PLIMSOLL_CLOUD_TOKEN_FILE")?;
    let metadata = file.metadata.unwrap_or_else(|| METADATA.to_owned());
    Ok(GoogleSettings {
        bucket: file.bucket,
        storage: file.storage.unwrap_or_else(|| STORAGE.to_owned()),
        credential: token.map_or(Credential::Machine(metadata), Credential::Token),
    })
}

fn tokens() -> Result<Tokens, EngineError> {
    let wrong = |source: &str, problem: String| EngineError::usage(format!("{source}: {problem}"));
    let mut tokens = Tokens::default();
    if let Some(path) = environment("PLIMSOLL_TOKENS_FILE") {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| wrong(&format!("PLIMSOLL_TOKENS_FILE names {path}"), error.to_string()))?;
        tokens = Tokens::parse(&text).map_err(|problem| wrong(&path, problem))?;
    }
    if let Some(text) = environment("PLIMSOLL_TOKENS") {
        tokens = tokens.and(Tokens::parse(&text).map_err(|problem| wrong("PLIMSOLL_TOKENS", problem))?);
    }
    Ok(tokens)
}

fn default_data() -> PathBuf {
    user_data().join("plimsoll")
}

/// The user's data folder, as the XDG base directory specification names it.
fn user_data() -> PathBuf {
    if let Some(data) = environment("XDG_DATA_HOME") {
        return PathBuf::from(data);
    }
    environment("HOME").map_or_else(|| PathBuf::from("."), |home| PathBuf::from(home).join(".local/share"))
}

impl Config {
    /// How runs are applied when the switch stands as given. `batch_size` is the argument of that name, and
    /// chooses the batch path whatever the switch says.
    pub(crate) fn run_settings(&self, switch: bool, batch_size: Option<u64>) -> RunSettings {
        let switched_on = switch.then_some(self.batch_size);
        RunSettings { batch_size: batch_size.or(switched_on), ..RunSettings::default() }
    }
}
