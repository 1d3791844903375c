//! `check-database`: the database of a JupyterHub, in SQLite or PostgreSQL: intact, not locked, consistent.
//!
//! Nothing is ever written: SQLite is opened read-only and in a way that creates no files beside it, PostgreSQL is
//! asked in read-only transactions. All of it is done by a helper, since a file may be on a mount that hangs and
//! a server may be frozen; what was read is judged without any of that.

mod args;
mod cross;
mod fact;
mod fault;
mod listening;
mod metrics;
mod password;
mod place;
mod postgresql;
mod revision;
mod sqlite;
mod state;
mod store;
mod target;
mod task;
mod tls;
mod tokens;
mod users;

use std::ffi::OsStr;

use probe::{AnyTarget, Aspect, AspectFacts, Check, Finding, Limits, MetricKind, ProbeArgs, ProbeKind};

pub use args::{CheckDatabase, Expected};
pub use password::PasswordArgs;

use metrics::METRICS;
use target::Database;
use task::Work;

/// How an aspect of a database is looked at.
type Look = fn(&mut Database, Limits<'_>) -> Finding;

/// All that is looked at, in this order. The other names are those of the checks that these replace.
const ASPECTS: &[Aspect<Database>] = &[
    Aspect::new(
        &["open"],
        ProbeKind::Startup,
        "opens it, to read only, and reads what tables it has",
        |database: &mut Database, limits| database.do_work(Work::Open, limits),
    ),
    readiness(
        &["lock-wait"],
        "measures how long a reader waits for those who have it locked",
        |database, limits| database.do_work(Work::LockWait, limits),
    ),
    readiness(
        &["schema"],
        "looks whether it has the tables of a hub, and which revision they are of",
        Database::schema,
    ),
    readiness(
        &["integrity"],
        "looks through all its pages, in a copy, or for damage that the server knows of",
        |database, limits| database.do_work(Work::Integrity, limits),
    ),
    readiness(
        &["foreign-keys"],
        "looks for rows that refer to rows that are not there",
        |database, limits| database.do_work(Work::ForeignKeys, limits),
    ),
    readiness(
        &["size"],
        "measures it, what of it is unused, and the room that is left",
        |database, limits| database.do_work(Work::Size, limits),
    ),
    readiness(
        &["connections"],
        "counts the server's connections, and those that keep a transaction open",
        |database, limits| database.do_work(Work::Connections, limits),
    )
    .when(Database::is_served),
    hub(
        &["user.active", "user", "servers", "spawners"],
        "looks whether the users named have a running server",
        |database, limits| database.users(Expected::Active, limits),
    )
    .when(|database| database.looks_for(Expected::Active)),
    hub(
        &["user.stopped", "user", "servers", "spawners"],
        "looks whether the users named have no server",
        |database, limits| database.users(Expected::Stopped, limits),
    )
    .when(|database| database.looks_for(Expected::Stopped)),
    hub(
        &["orphans"],
        "looks for servers of nobody, and for references to servers that are not there",
        |database, limits| database.do_work(Work::Orphans, limits),
    ),
    hub(&["listening"], "connects to the servers of all users", |database, limits| {
        database.do_work(Work::Listening, limits)
    }),
    hub(
        &["tokens", "token"],
        "looks whether exactly the servers that run have a token, and counts those that expired",
        |database, limits| database.do_work(Work::Tokens, limits),
    ),
    hub(&["cross"], "compares users and servers with what the hub itself says", |database, limits| {
        database.cross(limits).unwrap_or_else(|finding| *finding)
    })
    .when(Database::has_hub),
];

const fn readiness(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Database> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["open"])
}

const fn hub(names: &'static [&'static str], about: &'static str, look: Look) -> Aspect<Database> {
    Aspect::new(names, ProbeKind::Readiness, about, look).after(&["open", "schema"])
}

impl Check for CheckDatabase {
    const NAME: &'static str = "database";
    const METRICS: &'static [MetricKind] = METRICS;
    const VARIABLES: &'static [&'static str] = &[password::VARIABLE];

    fn aspects() -> Vec<AspectFacts> {
        AspectFacts::of(ASPECTS)
    }

    fn shared(&self) -> &ProbeArgs {
        &self.probe
    }

    fn shared_mut(&mut self) -> &mut ProbeArgs {
        &mut self.probe
    }

    fn is_named(&self) -> bool {
        self.all_databases().next().is_some()
    }

    fn targets(&self) -> anyhow::Result<Vec<AnyTarget>> {
        Ok(AnyTarget::all(target::targets(self)?, ASPECTS))
    }

    fn nothing() -> &'static str {
        "no database given; name the one to check, for example: check-database /srv/jupyterhub/jupyterhub.sqlite"
    }

    fn help(&self, task: &OsStr) -> anyhow::Result<()> {
        task::help(task)
    }
}
