//! `check-database` against files of SQLite in every state, a real PostgreSQL, and the database of a real hub.

mod hub;
mod server;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rusqlite::Connection;
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::fixtures::{Faulty, Small};
use crate::pipeline::{Ended, Pipeline};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.database.sqlite.healthy", &[], healthy),
    scenario("components.database.sqlite.missing", &[], missing),
    scenario("components.database.sqlite.no-database", &[], no_database),
    scenario("components.database.sqlite.damaged", &[], damaged),
    scenario("components.database.sqlite.truncated", &[], truncated),
    scenario("components.database.sqlite.locked", &[], locked),
    scenario("components.database.sqlite.read-only", &[Need::Root], read_only),
    scenario("components.database.sqlite.write-ahead-log", &[], write_ahead_log),
    scenario("components.database.sqlite.crashed-writer", &[], crashed_writer),
    scenario("components.database.sqlite.schema", &[], schema),
    scenario("components.database.sqlite.users", &[], users),
    scenario("components.database.sqlite.left-over", &[], left_over),
    scenario("components.database.sqlite.hung", &[Need::Fuse], hung),
    scenario("components.database.server.healthy", server::NEEDS, server::healthy),
    scenario("components.database.server.password", server::NEEDS, server::password),
    scenario("components.database.server.tls", server::WITH_TLS, server::tls),
    scenario("components.database.server.down", server::NEEDS, server::down),
    scenario("components.database.server.frozen", server::NEEDS, server::frozen),
    scenario("components.database.server.locked", server::NEEDS, server::locked),
    scenario("components.database.server.no-hub", server::NEEDS, server::no_hub),
    scenario("components.database.server.left-over", server::NEEDS, server::left_over),
    scenario("components.database.hub", hub::NEEDS, hub::lives_and_dies),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// The tables of a hub, and rows of three servers that run: of alice, of dora, and `gpu` of bob.
const HUB: &str = include_str!("../../checks/src/database/fixtures/jupyterhub-6.1.sql");
/// How full the disk of this machine is, is its own affair.
const ANY_ROOM: [&str; 4] = ["-w", "free_percent=0:", "-c", "free_percent=0:"];
const SHORT: [&str; 4] = ["--op-timeout", "1s", "--timeout", "3s"];
const LIMIT: Duration = Duration::from_secs(30);

/// A hub's database in a folder of its own. Something listens where it says that servers run.
struct Fixture {
    folder: TempDir,
    path: PathBuf,
    listener: TcpListener,
}

impl Fixture {
    fn new(prepare: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("hub.sqlite");
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let fixture = Fixture { folder, path, listener };
        fixture.change(&format!("{prepare}; {HUB}; {}", fixture.listening()?))?;
        // Enough to be damaged.
        fixture.change(
            "CREATE TABLE filler (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
             INSERT INTO filler SELECT printf('%0200d', i) FROM n;",
        )?;
        Ok(fixture)
    }

    fn listening(&self) -> anyhow::Result<String> {
        Ok(format!("UPDATE servers SET port = {}", self.listener.local_addr()?.port()))
    }

    fn open(&self) -> anyhow::Result<Connection> {
        Ok(Connection::open(&self.path)?)
    }

    fn change(&self, changes: &str) -> anyhow::Result<()> {
        let connection = self.open()?;
        // The disk may be busy, and what is written is for nobody else.
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")?;
        Ok(connection.execute_batch(changes)?)
    }

    /// Checks it, and looks whether everything is as it was.
    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        let path = self.path.to_str().context("a path")?;
        unchanged(self.folder.path(), || check(&[&ANY_ROOM[..], arguments, &[path]].concat()))
    }
}

fn check(arguments: &[&str]) -> anyhow::Result<Ended> {
    Pipeline::of("database", tempfile::tempdir()?.path(), arguments).run()
}

/// Whether nothing in a folder is changed.
fn unchanged<T>(folder: &Path, action: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let before = contents(folder)?;
    let done = action()?;
    let after = contents(folder)?;
    ensure!(before == after, "the folder has changed: {:?} to {:?}", before.keys(), after.keys());
    Ok(done)
}

fn contents(folder: &Path) -> anyhow::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let path = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.path());
    let paths: Vec<_> = fs::read_dir(folder)?.map(path).collect::<std::io::Result<_>>()?;
    // Of the file itself only its size and time: to read and close it here would end our own locks on it.
    let contents = |path: PathBuf| {
        let (metadata, is_main) = (fs::metadata(&path)?, path.extension().is_some_and(|end| end == "sqlite"));
        let bytes = match is_main {
            true => format!("{} {:?}", metadata.len(), metadata.modified()?).into_bytes(),
            false => fs::read(&path)?,
        };
        Ok((path, bytes))
    };
    paths.into_iter().map(contents).collect()
}

fn healthy() -> anyhow::Result<()> {
    let ended = Fixture::new("")?.check(&["--user", "alice", "--user", "dora@cern.ch"])?;
    for aspect in ["open", "lock-wait", "schema", "integrity", "foreign-keys", "size", "user.active"] {
        ended.expect(aspect, Success, "")?;
    }
    for aspect in ["orphans", "listening", "tokens"] {
        ended.expect(aspect, Success, "")?.expect_attachment(aspect, "metrics.json")?;
    }
    ended.expect_end(0, LIMIT)
}

fn missing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("nope.sqlite");
    let ended = check(&[path.to_str().context("a path")?])?;
    ended.expect("open", Fail, "it does not exist (ENOENT")?.expect("tokens", Skip, "database.it.open")?;
    ensure!(fs::read_dir(folder.path())?.count() == 0, "something was created");
    ended.expect_end(1, LIMIT)
}

fn no_database() -> anyhow::Result<()> {
    for (text, reason) in [("", "it is empty"), ("hello world\n", "it is not an SQLite database")] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("x.sqlite");
        fs::write(&path, text.repeat(100))?;
        let ended = unchanged(folder.path(), || check(&[path.to_str().context("a path")?]))?;
        ended.expect("open", Fail, reason)?.expect("schema", Skip, "database.it.open")?;
        ended.expect_end(1, LIMIT)?;
    }
    Ok(())
}

fn damaged() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let mut file = OpenOptions::new().write(true).open(&fixture.path)?;
    file.seek(SeekFrom::Start(file.metadata()?.len() - 8 * 4096 + 10))?;
    file.write_all(&[0xff; 600])?;
    drop(file);
    for arguments in [&[][..], &["--max-copy", "1kB"]] {
        let ended = fixture.check(arguments)?;
        // What everybody looks at is there: that tells nothing.
        ended.expect("open", Success, "")?.expect("schema", Success, "")?.expect("orphans", Success, "")?;
        ended.expect("integrity", Fail, "it is damaged")?.expect_attachment("integrity", "integrity.txt")?;
        ended.expect_end(1, LIMIT)?;
    }
    Ok(())
}

fn truncated() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let file = OpenOptions::new().write(true).open(&fixture.path)?;
    file.set_len(50 * 4096)?;
    drop(file);
    fixture.check(&[])?.expect("open", Fail, "it is damaged")?.expect_end(1, LIMIT)
}

fn locked() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let writer = fixture.open()?;
    writer.execute_batch("BEGIN EXCLUSIVE")?;
    let held = format!("(pid {})", std::process::id());
    let ended = fixture.check(&["--lock-timeout", "300ms"])?;
    ended.expect("open", Fail, &held)?.expect("lock-wait", Skip, "database.it.open")?;
    ended.expect("schema", Skip, "database.it.open")?.expect_end(1, LIMIT)?;
    let ended = fixture.check(&["--lock-timeout", "300ms", "--only", "lock-wait"])?;
    ended.expect("lock-wait", Fail, &held)?.expect_end(1, LIMIT)?;
    let ended = fixture.check(&["--lock-timeout", "300ms", "--only", "tokens"])?;
    ended.expect("tokens", Fail, &held)?.expect_tag("tokens", "unknown")?.expect_end(1, LIMIT)?;
    writer.execute_batch("ROLLBACK; BEGIN IMMEDIATE; DELETE FROM users")?;
    // Who only prepares to write keeps no reader out, but all others who write.
    let ended = fixture.check(&["--lock-timeout", "300ms", "--only", "open", "--only", "lock-wait"])?;
    ended.expect("open", Success, "")?.expect(
        "lock-wait",
        Success,
        "has had it locked for writing for more than ",
    )?;
    ended.expect("lock-wait", Success, &held)?.expect_tag("lock-wait", "warning")?.expect_end(0, LIMIT)?;
    drop(writer);
    let writer = fixture.open()?;
    writer.execute_batch("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; DELETE FROM users")?;
    // To read the log's index and close it here would end our own locks on it.
    let path = fixture.path.to_str().context("a path")?;
    let quick = ["--lock-timeout", "300ms", "--only", "lock-wait", path];
    let ended = check(&quick)?;
    ended.expect("lock-wait", Success, &held)?.expect_tag("lock-wait", "warning")?;
    writer.execute_batch("ROLLBACK")?;
    check(&quick)?.expect_summary("lock-wait", "a reader waits for")?.expect_end(0, LIMIT)
}

fn read_only() -> anyhow::Result<()> {
    let (folder, small) = (tempfile::tempdir()?, Small::mount()?);
    let path = small.path().join("hub.sqlite");
    Connection::open(&path)?.execute_batch("CREATE TABLE x(y)")?;
    let only_size =
        |path: &Path| check(&[&ANY_ROOM[..], &["--only", "size", path.to_str().context("a path")?]].concat());
    only_size(&path)?.expect("size", Success, "")?.expect_end(0, LIMIT)?;
    let point = folder.path().join("bound");
    fs::create_dir(&point)?;
    let bound = small.bind_read_only(&point)?;
    let ended = only_size(&point.join("hub.sqlite"))?;
    ended.expect("size", Success, "through a mount that is read-only")?.expect_tag("size", "warning")?;
    drop(bound);
    small.make_read_only()?;
    let ended = only_size(&path)?;
    ended.expect("size", Fail, "its file system is mounted read-only")?.expect_end(1, LIMIT)
}

fn write_ahead_log() -> anyhow::Result<()> {
    let fixture = Fixture::new("PRAGMA journal_mode = wal")?;
    // Nobody has it open: it has no log, and gets none.
    let arguments = ["--user", "alice"];
    fixture.check(&arguments)?.expect("user.active", Success, "")?.expect_end(0, LIMIT)?;
    let writer = fixture.open()?;
    writer.execute_batch("UPDATE spawners SET server_id = NULL; DELETE FROM servers")?;
    ensure!(contents(fixture.folder.path())?.len() == 3, "there is no log");
    // What the log says counts.
    let ended = fixture.check(&arguments)?;
    ended.expect("user.active", Fail, "alice: no server runs")?.expect("integrity", Success, "")?;
    ended.expect("tokens", Success, "leftover_tokens = 3")?.expect_tag("tokens", "warning")?;
    ended.expect_end(1, LIMIT)?;
    // A copy without the log is another database; one with it alone is none yet.
    let copy = tempfile::tempdir()?;
    for name in ["hub.sqlite", "hub.sqlite-wal"] {
        fs::copy(fixture.folder.path().join(name), copy.path().join(name))?;
    }
    let path = copy.path().join("hub.sqlite");
    let ended = unchanged(copy.path(), || check(&[path.to_str().context("a path")?]))?;
    ended.expect("open", Fail, "it has a -wal and no -shm")?.expect_tag("open", "unknown")?;
    drop(writer);
    ended.expect_end(1, LIMIT)
}

fn crashed_writer() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let writer = fixture.open()?;
    writer.execute_batch("PRAGMA cache_size = 5; BEGIN IMMEDIATE; UPDATE filler SET x = 'z'")?;
    let copy = tempfile::tempdir()?;
    for name in ["hub.sqlite", "hub.sqlite-journal"] {
        fs::copy(fixture.folder.path().join(name), copy.path().join(name))?;
    }
    let path = copy.path().join("hub.sqlite");
    let ended = unchanged(copy.path(), || check(&[path.to_str().context("a path")?]))?;
    ended.expect("open", Fail, "it needs recovery")?.expect_end(1, LIMIT)
}

fn schema() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let ended = fixture.check(&["--revision", "ff1860e38070"])?;
    ended.expect("schema", Fail, "newer than the hub")?.expect("tokens", Skip, "database.it.schema")?;
    ended.expect_end(1, LIMIT)?;
    fixture.change("UPDATE alembic_version SET version_num = '0123456789ab'")?;
    let ended = fixture.check(&[])?;
    ended.expect("schema", Success, "newer than this check")?.expect_tag("schema", "warning")?;
    fixture.change("DROP TABLE spawners")?;
    let ended = fixture.check(&[])?;
    ended.expect("schema", Fail, "it has no table spawners")?.expect(
        "orphans",
        Skip,
        "database.it.schema",
    )?;
    ended.expect_end(1, LIMIT)
}

fn users() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    // The servers of others, and the row that each user has, make nobody active.
    fixture.check(&["--user", "carol"])?.expect("user.active", Fail, "carol: no server runs")?;
    fixture.check(&["--user", "alic"])?.expect("user.active", Fail, "no user of that name")?;
    fixture.check(&["--user", "bob"])?.expect("user.active", Fail, "no server runs")?;
    fixture.check(&["--user", "bob", "--server-name", "gpu"])?.expect("user.active", Success, "")?;
    fixture.check(&["--user", "carol", "--expect", "stopped"])?.expect("user.stopped", Success, "")?;
    let ended = fixture.check(&["--user", "alice", "--only", "user.stopped"])?;
    ended.expect("user.stopped", Fail, "/user/alice/ is active since")?.expect_end(1, LIMIT)?;
    let ended = fixture.check(&["--user", "nobody", "--expect", "stopped"])?;
    ended.expect("user.stopped", Fail, "no user of that name")?.expect_end(1, LIMIT)?;
    // The rows say that it runs, and nothing listens.
    let Fixture { folder: _folder, path, listener } = fixture;
    drop(listener);
    let ended = check(&[&ANY_ROOM[..], &["--user", "alice", path.to_str().context("a path")?]].concat())?;
    ended.expect("user.active", Fail, "nothing listens on 127.0.0.1:")?;
    ended.expect("listening", Fail, "dead_servers = 3")?.expect_attachment("listening", "listening.txt")?;
    ended.expect_end(1, LIMIT)
}

fn left_over() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    fixture
        .change("UPDATE spawners SET server_id = NULL WHERE user_id = 2; DELETE FROM servers WHERE id = 3")?;
    fixture.change("DELETE FROM users WHERE name = 'dora@cern.ch'")?;
    let ended = fixture.check(&[])?;
    ended.expect("orphans", Fail, "orphan_servers = 1")?.expect("orphans", Fail, "dangling_servers = 1")?;
    ended.expect_attachment("orphans", "orphans.txt")?;
    ended.expect("tokens", Success, "leftover_tokens = 2")?.expect_tag("tokens", "warning")?;
    ended.expect("foreign-keys", Fail, "foreign_key_violations = ")?;
    ended.expect_attachment("foreign-keys", "foreign-keys.txt")?;
    ended.expect_end(1, LIMIT)?;
    fixture.change(
        "UPDATE spawners SET server_id = 1 WHERE user_id = 2; DELETE FROM api_tokens WHERE user_id = 2",
    )?;
    let ended = fixture.check(&["--only", "tokens", "-c", "expired_tokens=0", "-c", "tokens=3:"])?;
    ended.expect("tokens", Fail, "missing_tokens = 1")?.expect_end(1, LIMIT)
}

fn hung() -> anyhow::Result<()> {
    let fixture = Fixture::new("")?;
    let mount = Faulty::mount("")?;
    fs::copy(&fixture.path, mount.backing().join("hub.sqlite"))?;
    let path = mount.path().join("hub.sqlite");
    mount.set("read hang\n")?;
    let ended = check(&[&SHORT[..], &[path.to_str().context("a path")?]].concat())?;
    ended.expect("open", Fail, "hangs on")?.expect("tokens", Skip, "database.it.open")?;
    ended.expect_attachment("open", "proc-state.txt")?.expect_end(1, Duration::from_secs(3))?;
    mount.set("")
}
