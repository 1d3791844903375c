//! The helper's side: all that touches a database.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, TimeDelta, Utc};
use formats::human::show_duration;
use probe::helper::{self, assist, tell_metric};
use probe::{Finding, Level};
use process::helper::Stop;
use serde::{Deserialize, Serialize};

use super::args::Expected;
use super::fact::{DatabaseFact, Fact, Reporter};
use super::fault::{Fault, Kind, give_up, step, tell};
use super::listening::{View, listening, reach};
use super::password::PasswordArgs;
use super::postgresql::{self, Postgres};
use super::sqlite::{self, Budget, Found, Sqlite};
use super::state::{Hub, State, orphans};
use super::store::Store;
use super::tls::TlsOptions;
use super::{revision, tokens, users};

/// How long a reader waited for a lock.
const LOCK_WAIT: &str = "lock_wait_seconds";
/// For so long after its start a server may not listen yet, in seconds.
const STARTING: i64 = 120;
/// How long to wait before something is looked at again that may be about to change.
const SETTLE: Duration = Duration::from_secs(1);
/// How long a connection to a server may take.
const CONNECT: Duration = Duration::from_secs(1);

/// What a helper is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) work: Work,
    /// How to be let in by a server, where the database is not a file.
    pub(super) remote: Option<Credentials>,
    pub(super) patience: Duration,
    pub(super) operation: Duration,
    pub(super) max_copy: u64,
}

/// How to be let in by a server. The password itself is not in it: others can see the arguments of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) password: PasswordArgs,
    pub(super) is_here: bool,
    pub(super) tls: TlsOptions,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Work {
    Open,
    LockWait,
    Schema { accepted: Vec<String> },
    Integrity,
    ForeignKeys,
    Size,
    Connections,
    Users { names: Vec<String>, server: String, stopped: bool },
    Orphans,
    Listening,
    Tokens,
    Rows,
}

impl helper::Task for Task {
    type Fact = DatabaseFact;

    fn title(&self) -> &'static str {
        match &self.work {
            Work::Open => "open",
            Work::LockWait => "wait for a lock of",
            Work::Schema { .. } => "look at the schema of",
            Work::Integrity => "check the integrity of",
            Work::ForeignKeys => "check the foreign keys of",
            Work::Size => "measure",
            Work::Connections => "count the connections of",
            Work::Users { .. } => "look for users in",
            Work::Orphans => "look for orphans in",
            Work::Listening => "look for servers of",
            Work::Tokens => "look at the tokens of",
            Work::Rows => "read",
        }
    }
}

/// Does the task, as a helper.
pub(super) fn help(task: &OsStr) -> anyhow::Result<()> {
    assist(task, |task: &Task, operand, reporter| match &task.remote {
        None => with_file(task, Path::new(operand), reporter),
        Some(credentials) => with_server(task, credentials, &operand.to_string_lossy(), reporter),
    })
}

impl Task {
    fn view(&self) -> View {
        let is_here = self.remote.as_ref().is_none_or(|credentials| credentials.is_here);
        View { is_here, patience: CONNECT.min(self.operation / 2) }
    }
}

fn with_file(task: &Task, path: &Path, reporter: &mut Reporter) -> Result<(), Stop> {
    // Its journal and log are beside the file itself, not beside a link to it.
    let path = reporter.step("find", || path.canonicalize())?;
    let begin = Instant::now();
    let found = step(reporter, "stat and read", || Found::look(&path))?;
    let mut database = step(reporter, "open", || Sqlite::open(&path, &found, task.patience))?;
    let budget = Budget { max_copy: task.max_copy, operation: task.operation, patience: task.patience };
    let finding = match &task.work {
        Work::Open => {
            let Ok((tables, _)) = wait("open_seconds", reporter, || database.tables())? else {
                return Ok(());
            };
            Finding::fine(format!("{tables} tables and indexes"))
                .with_metric("open_seconds", begin.elapsed().as_secs_f64())
        }
        Work::LockWait => match wait(LOCK_WAIT, reporter, || database.tables())? {
            Ok((_, waited)) => {
                database.verify().or_else(|fault| give_up(reporter, &fault))?;
                drop(database);
                let finding = for_writers(&path, &found, task.patience, waited_for(waited), reporter)?;
                return tell(reporter, &finding);
            }
            Err(()) => return Ok(()),
        },
        Work::Integrity => sqlite::integrity(&mut database, budget, reporter)?,
        Work::ForeignKeys => sqlite::foreign_keys(&mut database, budget, reporter)?,
        Work::Size => sqlite::size(&mut database, reporter)?,
        _ => return with_hub(task, &mut database, reporter),
    };
    database.verify().or_else(|fault| give_up(reporter, &fault))?;
    tell(reporter, &finding)
}

fn with_server(
    task: &Task,
    credentials: &Credentials,
    url: &str,
    reporter: &mut Reporter,
) -> Result<(), Stop> {
    let begin = Instant::now();
    let mut server =
        step(reporter, "connect", || Postgres::connect(url, credentials, task.patience, task.operation))?;
    let connected = begin.elapsed().as_secs_f64();
    let finding = match &task.work {
        Work::Open => {
            let finding = step(reporter, "ask for its version", || postgresql::version(&mut server))?;
            finding.with_metric("open_seconds", connected)
        }
        Work::LockWait => match wait(LOCK_WAIT, reporter, || postgresql::lock(&mut server))? {
            Ok(((), waited)) => waited_for(waited),
            Err(()) => return Ok(()),
        },
        Work::Integrity => step(reporter, "ask for damage", || postgresql::integrity(&mut server))?,
        Work::ForeignKeys => postgresql::foreign_keys(&mut server, reporter)?,
        Work::Size => step(reporter, "ask for its size", || postgresql::size(&mut server))?,
        Work::Connections => step(reporter, "ask for connections", || postgresql::connections(&mut server))?,
        _ => return with_hub(task, &mut server, reporter),
    };
    tell(reporter, &finding)
}

/// Does something that others may keep waiting. When they have kept it for too long, that is all there is to tell.
fn wait<T>(
    metric: &str,
    reporter: &mut Reporter,
    action: impl FnOnce() -> Result<T, Fault>,
) -> Result<Result<(T, Duration), ()>, Stop> {
    let (done, waited) = reporter.timed_step("wait for a lock, and read", || Ok(action()))?;
    match done {
        Ok(read) => Ok(Ok((read, waited))),
        Err(fault) if fault.kind == Kind::Locked => {
            tell_metric(reporter, metric, waited.as_secs_f64())?;
            reporter.tell(Fact::Own(DatabaseFact::Locked))?;
            let reason = format!("{fault}, for longer than {}", show_duration(waited));
            reporter.tell(Fact::Broken(reason))?;
            Ok(Err(()))
        }
        Err(fault) => give_up(reporter, &fault),
    }
}

/// The finding about readers, unless those who write are kept waiting for too long.
fn for_writers(
    path: &Path,
    found: &Found,
    patience: Duration,
    finding: Finding,
    reporter: &mut Reporter,
) -> Result<Finding, Stop> {
    let look = || Ok(sqlite::locks::writer(path, found.access, patience));
    let Some(writer) = reporter.step("look for one who writes", look)? else { return Ok(finding) };
    let reason = format!(
        "{writer} has had it locked for writing for more than {}: others who write are told \"database is locked\"",
        show_duration(patience)
    );
    Ok(Finding { level: Level::Warning(reason), summary: None, ..finding })
}

fn waited_for(waited: Duration) -> Finding {
    Finding::fine(format!("a reader waits for {}", show_duration(waited)))
        .with_metric(LOCK_WAIT, waited.as_secs_f64())
}

/// What is asked of a hub's tables, in whatever database.
fn with_hub(task: &Task, store: &mut dyn Store, reporter: &mut Reporter) -> Result<(), Stop> {
    let finding = match &task.work {
        Work::Schema { accepted } => step(reporter, "read the schema", || revision::schema(store, accepted))?,
        Work::Users { names, server, stopped } => {
            let expected = if *stopped { Expected::Stopped } else { Expected::Active };
            look_at_users(task, store, (names, server, expected), reporter)?
        }
        Work::Orphans => {
            let (hub, left) = settled(task, store, reporter, |store| {
                let hub = Hub::read(store)?;
                let left = hub.leftovers();
                Ok((hub, left))
            })?;
            orphans(&hub, &left)
        }
        Work::Listening => {
            let hub = step(reporter, "read the tables", || Hub::read(store))?;
            listening(&hub, task.view(), just_now, reporter)?
        }
        Work::Tokens => {
            let (all, mismatches) = settled(task, store, reporter, |store| {
                let hub = Hub::read(store)?;
                let all = tokens::read(store)?;
                let mismatches = tokens::mismatches(&hub, &all);
                Ok((all, mismatches))
            })?;
            tokens::tokens(&all, &mismatches, &time(TimeDelta::zero()))
        }
        _ => return rows(store, reporter),
    };
    tell(reporter, &finding)
}

/// What is found twice: between two moments the hub may be about to write the other half of it.
fn settled<T, P: Ord + Clone>(
    task: &Task,
    store: &mut dyn Store,
    reporter: &mut Reporter,
    read: impl Fn(&mut dyn Store) -> Result<(T, BTreeSet<P>), Fault>,
) -> Result<(T, BTreeSet<P>), Stop> {
    let (found, problems) = step(reporter, "read the tables", || read(store))?;
    if problems.is_empty() {
        return Ok((found, problems));
    }
    reporter.step("wait a moment", || {
        thread::sleep(SETTLE.min(task.operation / 2));
        Ok(())
    })?;
    let (found, again) = step(reporter, "read the tables again", || read(store))?;
    Ok((found, problems.intersection(&again).cloned().collect()))
}

fn look_at_users(
    task: &Task,
    store: &mut dyn Store,
    (names, server_name, expected): (&[String], &str, Expected),
    reporter: &mut Reporter,
) -> Result<Finding, Stop> {
    let hub = step(reporter, "read the tables", || Hub::read(store))?;
    let mut reached = BTreeMap::new();
    if expected == Expected::Active {
        for name in names {
            if let State::Active(_, server) = hub.state(name, server_name) {
                reached.insert(server.base_url.as_str(), reach(server, task.view(), reporter)?);
            }
        }
    }
    let reach = |server: &super::state::Server| match reached.get(server.base_url.as_str()) {
        Some(reached) => reached.clone(),
        None => super::listening::Reached::CannotTell("it was not looked at".to_owned()),
    };
    Ok(users::users(&hub, names, server_name, expected, just_now, reach))
}

/// Tells who has which servers.
fn rows(store: &mut dyn Store, reporter: &mut Reporter) -> Result<(), Stop> {
    let hub = step(reporter, "read the tables", || Hub::read(store))?;
    let mut running: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for name in hub.users.values() {
        running.entry(name).or_default();
    }
    for (user, server) in hub.active().into_keys() {
        running.entry(user).or_default().insert(server.to_owned());
    }
    for (user, servers) in running {
        reporter.tell(Fact::Own(DatabaseFact::Running { user: user.to_owned(), servers }))?;
    }
    Ok(())
}

/// Whether a time, as databases have it, is so recent that what was started then may still be starting.
fn just_now(text: &str) -> bool {
    text > time(TimeDelta::seconds(-STARTING)).as_str()
}

/// A time from now, as databases have it.
fn time(from_now: TimeDelta) -> String {
    (DateTime::<Utc>::from(SystemTime::now()) + from_now).format("%Y-%m-%d %H:%M:%S").to_string()
}
