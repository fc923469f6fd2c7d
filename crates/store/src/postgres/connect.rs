//! Connecting: the address, what it may ask for, and the settings of a session.
//!
//! Owns the server's minimum version and the session settings on which the texts of values depend.
//!
//! Invariants: a password is used for connecting and never printed; a connection that the address wants
//! encrypted is refused, not made in the clear.

use std::time::Duration;

use ::postgres::config::{Host, SslMode};
use ::postgres::{Client, Config, NoTls};

use super::fault::explain;
use crate::error::{ErrorClass, StoreError};
use crate::url::StoreUrl;

/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The oldest server that is used, as `server_version_num` says it.
const OLDEST_SERVER: i64 = 130_000;

/// What every session sets. Times, intervals, money and bytes are printed in one form whatever the server's
/// own settings are; a dead peer is noticed within a minute and a half, so that its locks do not stay; the
/// compiler of long queries is off, because it costs more than the short statements made here.
const SETTINGS: &str = "\
    SET TimeZone = 'UTC';
    SET DateStyle = 'ISO, YMD';
    SET IntervalStyle = 'postgres';
    SET bytea_output = 'hex';
    SET extra_float_digits = 1;
    SET lc_monetary = 'C';
    SET client_min_messages = 'warning';
    SET lock_timeout = '10s';
    SET tcp_keepalives_idle = 30;
    SET tcp_keepalives_interval = 10;
    SET tcp_keepalives_count = 6;
    SET jit = off;";

/// A parsed address.
#[derive(Debug, Clone)]
pub(super) struct Address {
    url: String,
    config: Config,
}

impl Address {
    /// Parses an address.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let shown = StoreUrl::Postgres { url: url.to_owned() };
        let refuse = |problem: String| StoreError::new(ErrorClass::Refused, format!("{shown}: {problem}"));
        let encrypted = "the address asks for an encrypted connection, which this version cannot make\n\
            hint: connect over a unix socket, loopback or a tunnel, and leave `sslmode` out";
        if url.contains("sslmode=verify") {
            return Err(refuse(encrypted.into()));
        }
        let mut config: Config = url.parse().map_err(|error: ::postgres::Error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            let hint = "hint: use postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE";
            refuse(format!("{error}{}\n{hint}", source.unwrap_or_default()))
        })?;
        if config.get_ssl_mode() == SslMode::Require {
            return Err(refuse(encrypted.into()));
        }
        if config.get_application_name().is_none() {
            config.application_name("plimsoll");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        Ok(Self { url: url.to_owned(), config })
    }

    /// The address as a store address.
    pub(super) fn url(&self) -> StoreUrl {
        StoreUrl::Postgres { url: self.url.clone() }
    }

    /// The address of another database of the same server.
    pub(super) fn of_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// What PostgreSQL's own programs need in their environment to connect to the same place.
    pub(super) fn environment(&self) -> Vec<(&'static str, String)> {
        let config = &self.config;
        let hosts: Vec<String> = config
            .get_hosts()
            .iter()
            .map(|host| match host {
                Host::Tcp(name) => name.clone(),
                Host::Unix(path) => path.display().to_string(),
            })
            .collect();
        let ports: Vec<String> = config.get_ports().iter().map(u16::to_string).collect();
        let mut environment = vec![("PGHOST", hosts.join(",")), ("PGPORT", ports.join(","))];
        let named = [("PGUSER", config.get_user()), ("PGDATABASE", config.get_dbname())];
        environment.extend(named.into_iter().filter_map(|(name, value)| Some((name, value?.to_owned()))));
        let password = config.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        environment.extend(password.map(|password| ("PGPASSWORD", password)));
        environment.push(("PGOPTIONS", config.get_options().unwrap_or_default().to_owned()));
        environment
    }

    /// Opens a session.
    pub(super) fn connect(&self) -> Result<Client, StoreError> {
        let opening = |error: ::postgres::Error| {
            let mut error = explain(&error).during(&format!("opening {}", self.url()));
            if error.class == ErrorClass::Other {
                error.class = ErrorClass::Connection;
            }
            error
        };
        #[expect(clippy::disallowed_methods, reason = "this crate is the one that opens databases")]
        let mut client = self.config.connect(NoTls).map_err(opening)?;
        client.batch_execute(SETTINGS).map_err(opening)?;
        let row = client.query_one("SELECT current_setting('server_version_num')::bigint", &[]);
        let version: i64 = row.and_then(|row| row.try_get(0)).map_err(opening)?;
        if version < OLDEST_SERVER {
            let message = format!(
                "{} is PostgreSQL {}, and {} is the oldest that is supported\nhint: use a newer server",
                self.url(),
                version / 10_000,
                OLDEST_SERVER / 10_000
            );
            return Err(StoreError::new(ErrorClass::Refused, message));
        }
        Ok(client)
    }
}
