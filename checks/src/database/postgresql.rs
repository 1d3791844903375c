//! PostgreSQL: a server that others write to while it is asked.

use std::error::Error as _;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::{Client, NoTls, SimpleQueryMessage};
use probe::{Finding, Level, failure, listed};
use process::helper::Stop;

use super::fact::Reporter;
use super::fault::{Fault, Kind, step};
use super::store::{Row, Store, number, text};
use super::task::Credentials;

/// Who holds locks that keep readers out.
const HOLDERS: &str = "SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'), a.state, \
     round(extract(epoch FROM clock_timestamp() - a.xact_start)) FROM pg_stat_activity a WHERE a.pid IN \
     (SELECT l.pid FROM pg_locks l WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation' \
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())) LIMIT 5";
/// The tables that a hub cannot do without.
const TABLES: [&str; 4] = ["users", "spawners", "servers", "api_tokens"];
/// How many rows are reported, at most.
const MOST: usize = 100;

/// A session that only reads.
pub(super) struct Postgres {
    client: Client,
    url: String,
}

impl Postgres {
    /// Connects to the server at this address.
    pub(super) fn connect(
        url: &str,
        credentials: &Credentials,
        patience: Duration,
        operation: Duration,
    ) -> Result<Self, Fault> {
        let mut config: postgres::Config = url.parse().map_err(|error| fault(&error, url))?;
        if let Some(password) = credentials
            .password
            .password(&config)
            .map_err(|error| Fault::unknown(process::chain(error.as_ref())))?
        {
            config.password(password.reveal());
        }
        config.connect_timeout(operation).application_name("check-database");
        // What stays on this host is encrypted only when the address demands it.
        let is_plain = credentials.is_here && config.get_ssl_mode() == SslMode::Prefer;
        let client = if is_plain || config.get_ssl_mode() == SslMode::Disable {
            config.connect(NoTls)
        } else {
            config.connect(credentials.tls.connector().map_err(Fault::unknown)?)
        };
        let client = client.map_err(|error| fault(&error, url))?;
        let mut server = Postgres { client, url: url.to_owned() };
        let (statement, lock) = (operation.mul_f64(0.8).as_millis().max(1), patience.as_millis().max(1));
        server.execute(&format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {statement}; SET lock_timeout = {lock}; \
             SET datestyle = 'ISO'"
        ))?;
        Ok(server)
    }

    fn execute(&mut self, sql: &str) -> Result<(), Fault> {
        self.client.batch_execute(sql).map_err(|error| self.fault(&error))
    }

    fn one(&mut self, sql: &str) -> Result<Row, Fault> {
        self.rows(sql)?.into_iter().next().ok_or_else(|| Fault::broken("it gives no answer"))
    }

    /// What an error says; of a lock also who holds it.
    fn fault(&mut self, error: &postgres::Error) -> Fault {
        let fault = fault(error, &self.url);
        if fault.kind != Kind::Locked {
            return fault;
        }
        // Nothing can be asked before the transaction is over.
        let asked = self.client.batch_execute("ROLLBACK").and_then(|()| self.client.simple_query(HOLDERS));
        let holders: Vec<_> = rows(asked.unwrap_or_default()).iter().map(holder).collect();
        let by = if holders.is_empty() { String::new() } else { format!(" by {}", holders.join(", ")) };
        Fault::new(Kind::Locked, format!("it is locked{by}: {}", fault.message))
    }
}

fn holder(row: &Row) -> String {
    let [pid, name, state, seconds] = [0, 1, 2, 3].map(|index| text(row, index));
    format!("{name} (pid {pid}, {state}, in a transaction for {seconds} s)")
}

impl Store for Postgres {
    fn rows(&mut self, sql: &str) -> Result<Vec<Row>, Fault> {
        match self.client.simple_query(sql) {
            Ok(messages) => Ok(rows(messages)),
            Err(error) => Err(self.fault(&error)),
        }
    }

    fn columns(&mut self, table: &str) -> Result<Vec<String>, Fault> {
        let rows = self.rows(&format!(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('\"{table}\"') AND attnum > 0 \
             AND NOT attisdropped"
        ))?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    fn begin(&mut self) -> Result<(), Fault> {
        self.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.execute("ROLLBACK")
    }
}

fn rows(messages: Vec<SimpleQueryMessage>) -> Vec<Row> {
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => {
            Some((0..row.len()).map(|index| row.try_get(index).ok().flatten().map(str::to_owned)).collect())
        }
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}

/// Which server it is, and whether it can be written to.
pub(super) fn version(server: &mut Postgres) -> Result<Finding, Fault> {
    let row = server.one(
        "SELECT current_setting('server_version'), pg_is_in_recovery(), \
         extract(epoch FROM now() - pg_last_xact_replay_timestamp())",
    )?;
    let version = text(&row, 0);
    if text(&row, 1) != "t" {
        return Ok(Finding::fine(format!("PostgreSQL {version}")));
    }
    let finding = Finding::warning(format!("PostgreSQL {version} is a standby: a hub cannot write to it"));
    Ok(number(&row, 2)
        .into_iter()
        .fold(finding, |finding, seconds| finding.with_metric("replication_lag_seconds", seconds)))
}

/// Waits for the tables, as one who reads them does.
pub(super) fn lock(server: &mut Postgres) -> Result<(), Fault> {
    server.begin()?;
    for table in TABLES {
        if !server.columns(table)?.is_empty() {
            server.execute(&format!("LOCK TABLE \"{table}\" IN ACCESS SHARE MODE"))?;
        }
    }
    server.end()
}

/// The damage that the server knows of.
pub(super) fn integrity(server: &mut Postgres) -> Result<Finding, Fault> {
    let row = server.one(
        "SELECT current_setting('data_checksums'), checksum_failures, pg_database_size(datname) \
         FROM pg_stat_database WHERE datname = current_database()",
    )?;
    let failures: Option<f64> = number(&row, 1);
    let indexes = server.rows("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")?;
    let names: Vec<_> = indexes.iter().map(|row| format!("{} is not valid\n", text(row, 0))).collect();
    let checksums =
        if text(&row, 0) == "on" { "" } else { "; damage on the disk goes unseen: checksums are off" };
    let known = match (failures, indexes.len()) {
        (None | Some(0.0), 0) => "no damage is known".to_owned(),
        (failures, count) => format!(
            "{} pages did not have their checksums, {count} indexes are not valid{}",
            failures.unwrap_or_default(),
            listed(&names)
        ),
    };
    let finding = Finding::fine(format!("{known}{checksums}"))
        .with_metric("invalid_indexes", indexes.len() as f64)
        .with_text("indexes.txt", names.concat());
    Ok(failures.into_iter().fold(finding, |finding, count| finding.with_metric("checksum_failures", count)))
}

/// Looks for rows that refer to rows that are not there: what a constraint keeps from happening, unless it was
/// added later, or switched off to load a dump.
pub(super) fn foreign_keys(server: &mut Postgres, reporter: &mut Reporter) -> Result<Finding, Stop> {
    let keys = step(reporter, "read the foreign keys", || {
        server.rows(
            "SELECT c.conname, c.conrelid::regclass, c.confrelid::regclass, \
             string_agg(format('p.%I = c.%I', p.attname, a.attname), ' AND '), \
             string_agg(format('c.%I IS NOT NULL', a.attname), ' AND ') FROM pg_constraint c \
             CROSS JOIN LATERAL unnest(c.conkey, c.confkey) AS k(own, other) \
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.own \
             JOIN pg_attribute p ON p.attrelid = c.confrelid AND p.attnum = k.other \
             WHERE c.contype = 'f' GROUP BY c.oid, c.conname, c.conrelid, c.confrelid ORDER BY c.conname",
        )
    })?;
    let (mut violations, mut lines) = (0.0, String::new());
    for key in &keys {
        let [name, own, other, is_same, is_set] = [0, 1, 2, 3, 4].map(|index| text(key, index));
        let question = format!(
            "SELECT count(*) FROM {own} c WHERE {is_set} AND NOT EXISTS (SELECT 1 FROM {other} p WHERE {is_same})"
        );
        let answer = step(reporter, "look for rows without", || server.one(&question))?;
        let count: f64 = number(&answer, 0).unwrap_or_default();
        violations += count;
        if count > 0.0 && lines.lines().count() < MOST {
            lines += &format!("{count} rows of {own} refer to rows of {other} that are not there ({name})\n");
        }
    }
    let sentence = match violations > 0.0 {
        false => format!("all rows refer to rows that are there, by {} foreign keys", keys.len()),
        true => {
            let lines: Vec<_> = lines.lines().collect();
            format!("{violations} rows refer to rows that are not there{}", listed(&lines))
        }
    };
    Ok(Finding::fine(sentence)
        .with_metric("foreign_key_violations", violations)
        .with_text("foreign-keys.txt", lines))
}

/// How large it is.
pub(super) fn size(server: &mut Postgres) -> Result<Finding, Fault> {
    let row = server.one("SELECT pg_database_size(current_database())")?;
    let bytes: f64 = number(&row, 0).unwrap_or_default();
    Ok(Finding::fine(format!("{:.1} MB", bytes / 1e6)).with_metric("database_bytes", bytes))
}

/// How many connections there are, and who keeps a transaction open without doing anything.
pub(super) fn connections(server: &mut Postgres) -> Result<Finding, Fault> {
    let row = server.one(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), \
         current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int",
    )?;
    let idle = server.rows(
        "SELECT extract(epoch FROM clock_timestamp() - state_change), pid, application_name, usename \
         FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND datname = current_database() ORDER BY 1 DESC",
    )?;
    let used: f64 = number(&row, 0).unwrap_or_default();
    let most: f64 = number::<f64>(&row, 1).unwrap_or_default().max(1.0);
    let line = |row: &Row| {
        let [seconds, pid, name, user] = [0, 1, 2, 3].map(|index| text(row, index));
        format!("pid {pid}, {name} of {user}: idle in a transaction for {seconds} s\n")
    };
    let oldest = idle.first().and_then(|row| number(row, 0)).unwrap_or(0.0);
    let lines: Vec<_> = idle.iter().take(MOST).map(line).collect();
    let (count, who) = (idle.len(), listed(&lines));
    Ok(Finding::fine(format!("{used} of {most} connections, {count} idle in a transaction{who}"))
        .with_metric("connections", used)
        .with_metric("connections_percent", 100.0 * used / most)
        .with_metric("idle_in_transaction_seconds", oldest)
        .with_text("idle-in-transaction.txt", lines.concat()))
}

/// What an error says of the database.
fn fault(error: &postgres::Error, url: &str) -> Fault {
    let Some(told) = error.as_db_error() else { return broken_connection(error, url) };
    let message = format!("{} ({})", told.message(), told.code().code());
    let code = told.code();
    if *code == SqlState::LOCK_NOT_AVAILABLE {
        return Fault::new(Kind::Locked, message);
    }
    if *code == SqlState::QUERY_CANCELED {
        return Fault::new(Kind::Late, message);
    }
    // Class 28: who it is; 42501: what they may do.
    if code.code().starts_with("28") || *code == SqlState::INSUFFICIENT_PRIVILEGE {
        return Fault::unknown(format!("it does not let the check in: {message}"));
    }
    Fault::broken(message)
}

fn broken_connection(error: &postgres::Error, url: &str) -> Fault {
    let mut message = process::chain(error);
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(number) = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error) {
            let finding = failure("connect", url, Some(number), &message);
            let reason = finding.level.reason().unwrap_or_default().to_owned();
            let kind = if matches!(finding.level, Level::Unknown(_)) { Kind::Unknown } else { Kind::Broken };
            return Fault::new(kind, reason);
        }
        source = cause.source();
    }
    if message.contains("peer certificate") {
        message += " (--ca names whom to trust, --insecure trusts everybody)";
    }
    if message.contains("password missing") {
        return Fault::unknown(
            "it wants a password, and there is none (--password-file, --password-env, ~/.pgpass)",
        );
    }
    Fault::broken(message)
}
