//! Looking through a file: in a copy, so that nobody has to wait; or in place, for no longer than a moment.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use formats::human::show_duration;
use probe::{Finding, Level, Mounts, listed};
use process::helper::Stop;
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use rustix::fs::{StatVfsMountFlags, statvfs};

use super::{Sqlite, each_row, fault};
use crate::database::fact::Reporter;
use crate::database::fault::{Fault, Kind, give_up, step};
use crate::database::store::{Row, Store as _, number, text};

/// How many errors are reported, at most.
const MOST: usize = 100;
/// How many pages are copied at a time, while nobody can write.
const PAGES: i32 = 1024;
/// How long a file that is too large to be copied is looked through: for so long nobody can write to it.
const HOLD: Duration = Duration::from_secs(1);
/// How many instructions pass before the time is looked at.
const INSTRUCTIONS: i32 = 1000;

/// What may be spent on it.
#[derive(Clone, Copy, Debug)]
pub(in crate::database) struct Budget {
    /// Bytes to copy.
    pub(in crate::database) max_copy: u64,
    /// How long a single operation may take.
    pub(in crate::database) operation: Duration,
    /// How long to wait for those who write.
    pub(in crate::database) patience: Duration,
}

/// What was found before the end, or before a fault ended it.
struct Scan {
    rows: Vec<Row>,
    fault: Option<Fault>,
    how: &'static str,
}

/// Looks through all pages.
pub(in crate::database) fn integrity(
    database: &mut Sqlite,
    budget: Budget,
    reporter: &mut Reporter,
) -> Result<Finding, Stop> {
    let questions = [format!("PRAGMA integrity_check({MOST})"), format!("PRAGMA quick_check({MOST})")];
    let Scan { rows, fault, how } =
        ask(database, budget, questions.each_ref().map(String::as_str), reporter)?;
    let mut errors: Vec<_> =
        rows.iter().map(|row| text(row, 0).to_owned()).filter(|line| line != "ok").collect();
    match fault {
        // Damage is reported in rows, and can end the query as well.
        Some(fault) if fault.kind == Kind::Broken => errors.push(fault.message),
        Some(fault) if errors.is_empty() => return give_up(reporter, &fault),
        _ => {}
    }
    let lines = errors.iter().map(|line| format!("{line}\n")).collect();
    let finding = match errors.first() {
        None => Finding::fine(format!("all of it is whole, {how}")),
        Some(first) => {
            let first = first.lines().find(|line| !line.starts_with("***")).unwrap_or(first);
            Finding::broken(format!("it is damaged: {}", first.trim_start_matches("it is damaged: ")))
        }
    };
    Ok(finding
        .with_metric("integrity_errors", errors.len() as f64)
        .with_metric("checked_bytes", database.found.len as f64)
        .with_text("integrity.txt", lines))
}

/// Looks for rows that refer to rows that are not there.
pub(in crate::database) fn foreign_keys(
    database: &mut Sqlite,
    budget: Budget,
    reporter: &mut Reporter,
) -> Result<Finding, Stop> {
    const QUESTION: &str = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check";
    let Scan { rows, fault, how } = ask(database, budget, [QUESTION, QUESTION], reporter)?;
    if let Some(fault) = fault.filter(|_| rows.is_empty()) {
        return give_up(reporter, &fault);
    }
    let line = |row: &Row| {
        let [table, number, parent] = [0, 1, 2].map(|index| text(row, index));
        format!("row {number} of {table} refers to a row of {parent} that is not there\n")
    };
    let lines: Vec<_> = rows.iter().take(MOST).map(line).collect();
    let sentence = match rows.len() {
        0 => format!("all rows refer to rows that are there, {how}"),
        count => format!("{count} rows refer to rows that are not there{}", listed(&lines)),
    };
    Ok(Finding::fine(sentence)
        .with_metric("foreign_key_violations", rows.len() as f64)
        .with_text("foreign-keys.txt", lines.concat()))
}

/// Asks a question of a copy, or, where the file is too large, a quicker one of the file itself.
fn ask(
    database: &mut Sqlite,
    budget: Budget,
    [of_copy, of_file]: [&str; 2],
    reporter: &mut Reporter,
) -> Result<Scan, Stop> {
    let len = database.found.len.max(database.found.wal.unwrap_or_default());
    let most = budget.operation.mul_f64(0.8);
    let looked = if len <= budget.max_copy {
        let mut copy = copy(database, budget, reporter)?;
        let looked = timed(&mut copy, of_copy, most, &database.path, reporter)?;
        Scan { how: "in a copy", ..looked }
    } else {
        timed(&mut database.connection, of_file, most.min(HOLD), &database.path, reporter)?
    };
    database.verify().or_else(|fault| give_up(reporter, &fault))?;
    Ok(looked)
}

fn timed(
    connection: &mut Connection,
    sql: &str,
    most: Duration,
    path: &Path,
    reporter: &mut Reporter,
) -> Result<Scan, Stop> {
    let end = Instant::now() + most;
    step(reporter, "look through it", || {
        let mut rows = Vec::new();
        let looked = connection
            .progress_handler(INSTRUCTIONS, Some(move || Instant::now() > end))
            .and_then(|()| each_row(connection, sql, |row| rows.push(row)));
        let fault = looked.err().map(|error| match fault(&error, path) {
            Fault { kind: Kind::Late, .. } => late(most),
            other => other,
        });
        Ok(Scan { rows, fault, how: "in place, quickly" })
    })
}

fn late(most: Duration) -> Fault {
    let message = format!(
        "it was looked through for {}, and is larger than that; no fault was found so far (--max-copy, --op-timeout)",
        show_duration(most)
    );
    Fault::new(Kind::Late, message)
}

/// A copy in memory, made some pages at a time.
fn copy(database: &Sqlite, budget: Budget, reporter: &mut Reporter) -> Result<Connection, Stop> {
    let failed = |error: rusqlite::Error| fault(&error, &database.path);
    let mut copy = step(reporter, "make room", || Connection::open_in_memory().map_err(failed))?;
    let mut waiting: Option<Instant> = None;
    let backup = Backup::new(&database.connection, &mut copy).map_err(failed);
    let backup = backup.or_else(|fault| give_up(reporter, &fault))?;
    loop {
        match step(reporter, "copy", || backup.step(PAGES).map_err(failed))? {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked => {
                if waiting.get_or_insert_with(Instant::now).elapsed() > budget.patience {
                    let text = format!("it is locked{}", super::locks::holders(&database.path));
                    return give_up(reporter, &Fault::new(Kind::Locked, text));
                }
                thread::sleep(Duration::from_millis(20));
            }
            _ => waiting = None,
        }
    }
    drop(backup);
    Ok(copy)
}

/// That nothing can be written there: through this mount, or at all.
fn read_only(path: &Path, flags: StatVfsMountFlags) -> Option<Level> {
    if !flags.contains(StatVfsMountFlags::RDONLY) {
        return None;
    }
    let mount = Mounts::read().ok().and_then(|mounts| mounts.covering(path).cloned());
    Some(match mount {
        Some(mount) if !mount.is_read_only_everywhere() => Level::Warning(format!(
            "it is looked at through a mount that is read-only ({}): a hub that has it there cannot write to it",
            mount.point.display()
        )),
        mount => {
            let at = mount.map_or_else(String::new, |mount| format!(" at {}", mount.point.display()));
            Level::Broken(format!("its file system is mounted read-only{at}: nobody can write to it"))
        }
    })
}

/// How large it is, what of it is unused, and how much room is left.
pub(in crate::database) fn size(database: &mut Sqlite, reporter: &mut Reporter) -> Result<Finding, Stop> {
    let found = database.found.clone();
    let mut pragma = |name: &str| {
        step(reporter, name, || {
            let rows = database.rows(&format!("PRAGMA {name}"))?;
            Ok(rows.first().and_then(|row| number::<f64>(row, 0)).unwrap_or_default())
        })
    };
    let pages = pragma("page_count")?;
    let unused = pragma("freelist_count")?;
    let room = reporter.step("statfs", || statvfs(&database.path).map_err(Into::into))?;
    let free = room.f_bavail as f64 * room.f_frsize as f64;
    let all = room.f_blocks as f64 * room.f_frsize as f64;
    let finding = Finding::fine(format!(
        "{:.1} MB, {}; {:.1} GB are free on its file system",
        found.len as f64 / 1e6,
        if found.is_wal { "with a write-ahead log" } else { "with a rollback journal" },
        free / 1e9
    ));
    let finding = finding
        .with_metric("database_bytes", found.len as f64)
        .with_metric("freelist_percent", 100.0 * unused / pages.max(1.0))
        .with_metric("free_bytes", free)
        .with_metric("free_percent", 100.0 * free / all.max(1.0));
    let finding = match read_only(&database.path, room.f_flag) {
        Some(level) => Finding { level, summary: None, ..finding },
        None => finding,
    };
    Ok(found.wal.into_iter().fold(finding, |finding, bytes| finding.with_metric("wal_bytes", bytes as f64)))
}
