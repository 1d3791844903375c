//! Files in every state that a hub, a crash or a copy can leave them in; none of them may be touched.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use probe::Level;
use rusqlite::Connection;
use tempfile::TempDir;

use super::testing::HUB;
use super::*;
use crate::database::fact::Reporter;
use crate::database::state::Hub;

const PATIENCE: Duration = Duration::from_millis(100);
const BUDGET: Budget =
    Budget { max_copy: 1 << 30, operation: Duration::from_secs(5), patience: Duration::from_millis(100) };

/// A hub's database in a folder of its own, with a table that is large enough to be damaged.
fn database(prepare: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // A name that is not valid in a URI.
    let path = folder.path().join("hub 100%?#.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    connection.execute_batch(prepare).unwrap();
    connection.execute_batch(HUB).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE filler (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
             INSERT INTO filler SELECT printf('%0200d', i) FROM n;",
        )
        .unwrap();
    (folder, path)
}

/// What is in a folder, byte for byte.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn open(path: &Path) -> Result<Sqlite, Fault> {
    let found = Found::look(path)?;
    let mut database = Sqlite::open(path, &found, PATIENCE)?;
    database.tables()?;
    database.verify()?;
    Ok(database)
}

/// Opens a file, reads all of it, and looks whether the folder is as it was.
fn read(path: &Path) -> Result<Hub, Fault> {
    let folder = path.parent().unwrap();
    let before = contents(folder);
    let hub = open(path).and_then(|mut database| Hub::read(&mut database));
    assert!(contents(folder) == before, "the folder has changed: {:?}", contents(folder).keys());
    hub
}

fn check(path: &Path, expected: Result<usize, (Kind, &str)>) {
    match (read(path), expected) {
        (Ok(hub), Ok(users)) => assert_eq!(hub.users.len(), users),
        (Err(fault), Err((kind, words))) => {
            assert!(fault.kind == kind && fault.message.contains(words), "{fault:?}");
        }
        (hub, _) => panic!("{hub:?}"),
    }
}

fn looked(
    path: &Path,
    budget: Budget,
    look: impl Fn(&mut Sqlite, Budget, &mut Reporter) -> Result<probe::Finding, process::helper::Stop>,
) -> Result<probe::Finding, String> {
    let before = contents(path.parent().unwrap());
    let mut database = open(path).unwrap();
    let finding = look(&mut database, budget, &mut Reporter::new(Vec::new()));
    drop(database);
    assert!(contents(path.parent().unwrap()) == before);
    finding.map_err(|stop| stop.to_string())
}

#[test]
fn what_is_not_there_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    check(&folder.path().join("nope.sqlite"), Err((Kind::Broken, "it does not exist (ENOENT")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn anything_but_a_database_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    fs::write(&path, "").unwrap();
    check(&path, Err((Kind::Broken, "it is empty")));
    fs::write(&path, "hello world\n".repeat(100)).unwrap();
    check(&path, Err((Kind::Broken, "it is not an SQLite database")));
    assert_eq!(Found::look(folder.path()).unwrap_err(), Fault::broken("it is not a file"));
    // It begins as one does.
    fs::write(&path, [b"SQLite format 3\0".as_slice(), &[7; 4096]].concat()).unwrap();
    check(&path, Err((Kind::Broken, "it is not an SQLite database")));
}

#[test]
fn a_file_is_read_and_nothing_is_written() {
    let (_folder, path) = database("");
    check(&path, Ok(5));
}

#[test]
fn a_damaged_page_is_found_in_a_copy_and_in_place() {
    let (_folder, path) = database("");
    let mut file = OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    file.seek(SeekFrom::Start(length - 8 * 4096 + 10)).unwrap();
    file.write_all(&[0xff; 600]).unwrap();
    // It opens, and the rows of users are there: that proves nothing.
    check(&path, Ok(5));
    for budget in [BUDGET, Budget { max_copy: 0, ..BUDGET }] {
        let finding = looked(&path, budget, integrity).unwrap();
        assert!(matches!(&finding.level, Level::Broken(why) if why.contains("it is damaged")), "{finding:?}");
        assert_eq!(finding.attachments.len(), 1);
    }
}

#[test]
fn a_whole_file_is_found_whole() {
    for prepare in ["", "PRAGMA journal_mode = wal"] {
        let (_folder, path) = database(prepare);
        for budget in [BUDGET, Budget { max_copy: 0, ..BUDGET }] {
            let finding = looked(&path, budget, integrity).unwrap();
            assert_eq!(finding.level, Level::Fine, "{prepare} {finding:?}");
            let finding = looked(&path, budget, foreign_keys).unwrap();
            assert_eq!((finding.level, finding.metrics.first().unwrap().value), (Level::Fine, 0.0));
        }
    }
}

#[test]
fn rows_that_refer_to_nothing_are_found() {
    let (_folder, path) = database("");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE name = 'alice'").unwrap();
    drop(writer);
    let finding = looked(&path, BUDGET, foreign_keys).unwrap();
    assert_eq!(finding.metrics.first().unwrap().value, 2.0, "{finding:?}");
}

#[test]
fn looking_in_place_ends_in_time() {
    let (_folder, path) = database("");
    let hasty = Budget { max_copy: 0, operation: Duration::ZERO, ..BUDGET };
    let ended = looked(&path, hasty, integrity).unwrap_err();
    assert!(ended.contains("no fault was found so far"), "{ended}");
}

#[test]
fn a_truncated_file_is_damaged() {
    let (_folder, path) = database("");
    let file = OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2 / 4096 * 4096).unwrap();
    check(&path, Err((Kind::Broken, "it is damaged")));
}

#[test]
fn an_exclusive_lock_is_waited_for_and_a_writer_is_not() {
    let (_folder, path) = database("");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let fault = open(&path).map(drop).unwrap_err();
    assert!(fault.kind == Kind::Locked && fault.message.contains("it is locked"), "{fault:?}");
    writer.execute_batch("ROLLBACK; BEGIN IMMEDIATE; INSERT INTO filler VALUES (1)").unwrap();
    let users = open(&path).and_then(|mut database| Hub::read(&mut database)).unwrap().users;
    assert_eq!(users.len(), 5);
    writer.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn a_lock_that_comes_while_it_is_copied_is_waited_for() {
    let (_folder, path) = database("");
    let mut database = open(&path).unwrap();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let ended = integrity(&mut database, BUDGET, &mut Reporter::new(Vec::new())).unwrap_err();
    assert!(ended.to_string().contains("it is locked"), "{ended}");
}

#[test]
fn a_write_ahead_log_in_use_is_read_and_left_alone() {
    let (_folder, path) = database("PRAGMA journal_mode = wal");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("INSERT INTO users (id, name, cookie_id) VALUES (90, 'new', 'c')").unwrap();
    assert_eq!(Found::look(&path).unwrap().access, Access::Log);
    // What is in the log only counts, too.
    let mut database = open(&path).unwrap();
    assert_eq!(Hub::read(&mut database).unwrap().users.len(), 6);
    let finding = integrity(&mut database, BUDGET, &mut Reporter::new(Vec::new())).unwrap();
    assert_eq!(finding.level, Level::Fine);
}

#[test]
fn a_write_ahead_log_of_a_crash_is_read_and_left_alone() {
    let (folder, path) = database("PRAGMA journal_mode = wal");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("INSERT INTO users (id, name, cookie_id) VALUES (90, 'new', 'c')").unwrap();
    let crashed = copy_all(folder.path());
    check(&crashed.path().join(path.file_name().unwrap()), Ok(6));
}

#[test]
fn no_log_is_made_for_a_database_that_nobody_has_open() {
    let (folder, path) = database("PRAGMA journal_mode = wal");
    assert_eq!(contents(folder.path()).len(), 1);
    assert_eq!(Found::look(&path).unwrap().access, Access::Still);
    check(&path, Ok(5));
    let database = open(&path).unwrap();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("DELETE FROM filler").unwrap();
    // Somebody has opened it meanwhile: what was read may be nonsense.
    assert_eq!(database.verify().unwrap_err().kind, Kind::Unknown);
}

#[test]
fn a_copy_of_the_main_file_alone_is_another_database() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.sqlite");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0").unwrap();
    writer.execute_batch(HUB).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let copied = copy.path().join("x.sqlite");
    fs::copy(&path, &copied).unwrap();
    check(&copied, Err((Kind::Broken, "it has no table users; it is in WAL mode and has no -wal")));
    // With the log, but without its index, it cannot be read without creating one.
    fs::copy(folder.path().join("x.sqlite-wal"), copy.path().join("x.sqlite-wal")).unwrap();
    check(&copied, Err((Kind::Unknown, "it has a -wal and no -shm")));
}

#[test]
fn a_hot_journal_is_not_rolled_back() {
    let (folder, path) = database("");
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE filler SET x = 'z'").unwrap();
    let crashed = copy_all(folder.path());
    assert_eq!(contents(crashed.path()).len(), 2);
    let copied = crashed.path().join(path.file_name().unwrap());
    check(&copied, Err((Kind::Broken, "it needs recovery")));
}

#[test]
fn links_and_odd_names_are_not_an_obstacle() {
    use std::os::unix::ffi::OsStrExt as _;
    let (_folder, path) = database("");
    let other = tempfile::tempdir().unwrap();
    let odd = other.path().join(std::ffi::OsStr::from_bytes(b"\xff?mode=rwc.sqlite"));
    fs::copy(&path, &odd).unwrap();
    check(&odd, Ok(5));
}

fn copy_all(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for path in contents(folder).keys() {
        fs::copy(path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}
