//! A PostgreSQL of its own for each scenario.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Child, Signal};
use rustix::process::{Pid, kill_process};
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use super::{HUB, LIMIT, SHORT};
use crate::Need;
use crate::fixtures::eventually;
use crate::pipeline::{Ended, Pipeline, complete};
use crate::servers::{Authority, Pair, free_ports};

pub(crate) const WITH_TLS: &[Need] = &[
    Need::Program("openssl"),
    Need::Program("timeout"),
    Need::Program("setpriv"),
    Need::Program("psql"),
    Need::Brought(missing),
];
pub(crate) const NEEDS: &[Need] =
    &[Need::Program("timeout"), Need::Program("setpriv"), Need::Program("psql"), Need::Brought(missing)];

/// After how many seconds it is killed, whatever became of this test.
const WATCHDOG: &str = "120";
const PASSWORD: &str = "a-password-of-the-hub";
const TRIES: usize = 3;

fn missing() -> Option<String> {
    binaries().is_none().then(|| "there is no PostgreSQL below /usr/lib/postgresql".to_owned())
}

/// Where the newest release's programs are.
fn binaries() -> Option<PathBuf> {
    let releases = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let folders = releases.map(|entry| entry.path().join("bin"));
    let mut folders: Vec<_> = folders.filter(|folder| folder.join("initdb").exists()).collect();
    folders.sort();
    folders.pop()
}

/// A server with the database of a hub.
struct Server {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let server = Server::empty(None)?;
        let text = HUB.replace("DATETIME", "TIMESTAMP").replace("BLOB", "BYTEA");
        server.tell(&text)?;
        Ok(server)
    }

    /// One whose database is empty, with a certificate or without.
    fn empty(tls: Option<&Pair>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("password"), PASSWORD)?;
        if let Some(Pair { certificate, key }) = tls {
            fs::copy(certificate, folder.path().join("server.crt"))?;
            fs::copy(key, folder.path().join("server.key"))?;
            fs::set_permissions(folder.path().join("server.key"), fs::Permissions::from_mode(0o600))?;
        }
        if rustix::process::geteuid().is_root() {
            finish(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()))?;
        }
        let data = folder.path().join("data");
        let mut make = as_postgres("initdb")?;
        make.args(["--no-sync", "-k", "-A", "scram-sha-256", "-U", "hub", "-D"]).arg(&data);
        finish(make.arg("--pwfile").arg(folder.path().join("password")))?;
        let mut server = Server { child: None, folder, port: 0 };
        for _ in 0..TRIES {
            if server.comes_up()? {
                server.psql("postgres", "CREATE DATABASE jh")?;
                return Ok(server);
            }
        }
        bail!("PostgreSQL does not stay: {}", fs::read_to_string(server.folder.path().join("log"))?)
    }

    /// Starts it on a port that nobody has; false when somebody else was faster.
    fn comes_up(&mut self) -> anyhow::Result<bool> {
        let [port] = free_ports()?;
        let folder = self.folder.path();
        let log = fs::File::create(folder.join("log"))?;
        let mut command = as_postgres("postgres")?;
        command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
        command.args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]);
        command.args(["-c", "dynamic_shared_memory_type=mmap", "-c", "shared_buffers=16MB"]);
        if folder.join("server.crt").exists() {
            command.args(["-c", "ssl=on"]);
            for (option, name) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
                command.arg("-c").arg(format!("{option}={}", folder.join(name).display()));
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let mut child = Child::spawn(&mut command)?;
        eventually("PostgreSQL listens, or has ended", || {
            let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            Ok(listens || child.try_wait()?.is_some())
        })?;
        let stays = child.try_wait()?.is_none();
        (self.child, self.port) = (Some(child), port);
        if stays {
            eventually("PostgreSQL takes connections", || Ok(self.psql("postgres", "SELECT 1").is_ok()))?;
        }
        Ok(stays)
    }

    fn url(&self) -> String {
        format!("postgresql+psycopg2://hub@127.0.0.1:{}/jh", self.port)
    }

    fn socket_url(&self) -> String {
        format!("postgresql://hub@/jh?host={}&port={}", self.folder.path().display(), self.port)
    }

    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        self.check_at(&self.url(), arguments)
    }

    fn check_at(&self, url: &str, arguments: &[&str]) -> anyhow::Result<Ended> {
        let password = self.folder.path().join("password").display().to_string();
        // The rows of the fixture say that servers run, where nothing may listen.
        let fixed = ["--password-file", &password, "--skip", "listening"];
        Pipeline::of("database", tempfile::tempdir()?.path(), &[&fixed[..], arguments, &[url]].concat()).run()
    }

    /// Changes the hub's database.
    fn tell(&self, sql: &str) -> anyhow::Result<()> {
        self.psql("jh", sql)
    }

    fn psql(&self, database: &str, sql: &str) -> anyhow::Result<()> {
        let script = self.folder.path().join("script.sql");
        fs::write(&script, sql)?;
        finish(self.client(database).arg("-f").arg(script))
    }

    fn client(&self, database: &str) -> Command {
        let mut command = Command::new("psql");
        command.args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-U", "hub", "-d", database, "-h"]);
        command.arg(self.folder.path()).args(["-p", &self.port.to_string()]).env("PGPASSWORD", PASSWORD);
        command
    }

    /// A client that holds what it has locked until it is dropped.
    fn hold(&self, sql: &str) -> anyhow::Result<Holder> {
        let mut command = self.client("jh");
        command.env("PGAPPNAME", "forgetful").stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = Child::spawn(&mut command)?;
        let mut input = child.take_stdin().context("an input")?;
        let done = self.folder.path().join("done");
        std::io::Write::write_all(
            &mut input,
            format!("BEGIN; {sql};\n\\! touch {}\n", done.display()).as_bytes(),
        )?;
        eventually("the transaction has begun", || Ok(done.exists()))?;
        Ok(Holder { _child: child, _input: input })
    }

    /// Of the server itself.
    fn pid(&self) -> anyhow::Result<Pid> {
        let file = fs::read_to_string(self.folder.path().join("data/postmaster.pid"))?;
        let pid = file.lines().next().and_then(|line| line.parse().ok()).and_then(Pid::from_raw);
        pid.context("a process id")
    }

    fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(self.pid()?, signal)?)
    }

    /// Shuts it down, as it wants to be: it takes its shared memory with it.
    fn stop(&mut self) -> anyhow::Result<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        if child.try_wait()?.is_none() {
            self.signal(Signal::INT)?;
            self.signal(Signal::CONT)?;
        }
        if let Some(child) = &mut self.child {
            child.wait_until(process::Deadline::after(Duration::from_secs(5)))?;
        }
        self.child = None;
        Ok(())
    }
}

/// A client in the middle of a transaction: it waits for more to do, and is killed when it is dropped.
struct Holder {
    _child: Child,
    _input: ChildStdin,
}

impl Drop for Server {
    fn drop(&mut self) {
        // What does not end by itself is killed with its group when it is dropped.
        let _stopped = self.stop();
    }
}

/// One of the server's programs, which refuse to be root.
fn as_postgres(program: &str) -> anyhow::Result<Command> {
    let program = binaries().context("PostgreSQL")?.join(program);
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", WATCHDOG]);
    if rustix::process::geteuid().is_root() {
        command.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg(program);
    Ok(command)
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let finished = complete(command.stdin(Stdio::null()))?;
    ensure!(finished.ending.is_success(), "{:?}: {}", command.get_program(), finished.stderr.text());
    Ok(())
}

pub(crate) fn healthy() -> anyhow::Result<()> {
    let server = Server::start()?;
    for url in [server.url(), server.socket_url()] {
        let ended = server.check_at(&url, &["--user", "carol", "--expect", "stopped"])?;
        for aspect in ["open", "lock-wait", "schema", "integrity", "foreign-keys", "size", "connections"] {
            ended.expect(aspect, Success, "")?;
        }
        for aspect in ["orphans", "tokens", "user.stopped"] {
            ended.expect(aspect, Success, "")?;
        }
        ended.expect_end(0, LIMIT)?;
    }
    Ok(())
}

pub(crate) fn password() -> anyhow::Result<()> {
    let server = Server::start()?;
    let home = tempfile::tempdir()?;
    let ended = Pipeline::of("database", home.path(), &["--only", "open", &server.url()]).run()?;
    ended.expect("open", Fail, "it wants a password")?.expect_tag("open", "unknown")?.expect_end(1, LIMIT)?;
    let wrong = home.path().join("wrong").display().to_string();
    fs::write(&wrong, "wrong")?;
    let arguments = ["--only", "open", "--password-file", &wrong, &server.url()];
    let ended = Pipeline::of("database", home.path(), &arguments).run()?;
    ended.expect("open", Fail, "(28P01)")?.expect_tag("open", "unknown")?.expect_end(1, LIMIT)?;
    let url = server.url().replace("hub@", &format!("hub:{PASSWORD}@"));
    Pipeline::of("database", home.path(), &[&url]).run()?.expect_end(2, LIMIT)
}

pub(crate) fn down() -> anyhow::Result<()> {
    let mut server = Server::start()?;
    let socket = server.socket_url();
    server.stop()?;
    let ended = server.check(&SHORT)?;
    ended.expect("open", Fail, "nothing listens there")?.expect("tokens", Skip, "database.it.open")?;
    ended.expect_end(1, LIMIT)?;
    let ended = server.check_at(&socket, &SHORT)?;
    ended.expect("open", Fail, "it does not exist (ENOENT")?.expect_end(1, LIMIT)
}

pub(crate) fn frozen() -> anyhow::Result<()> {
    let server = Server::start()?;
    server.signal(Signal::STOP)?;
    for url in [server.url(), server.socket_url()] {
        let ended = server.check_at(&url, &SHORT)?;
        ended.expect("open", Fail, "connect")?.expect("tokens", Skip, "database.it.open")?;
        ended.expect_end(1, Duration::from_secs(3))?;
    }
    Ok(())
}

pub(crate) fn locked() -> anyhow::Result<()> {
    let server = Server::start()?;
    let holder = server.hold("LOCK TABLE spawners IN ACCESS EXCLUSIVE MODE")?;
    let quick = ["--lock-timeout", "300ms"];
    let ended = server.check(&quick)?;
    ended.expect("open", Success, "")?;
    ended.expect("lock-wait", Fail, "it is locked by forgetful (pid ")?;
    ended.expect("schema", Skip, "it was locked")?.expect_end(1, LIMIT)?;
    let ended = server.check(&[&quick[..], &["--only", "orphans"]].concat())?;
    ended.expect("orphans", Fail, "idle in transaction")?.expect_tag("orphans", "unknown")?;
    let ended = server.check(&["--only", "connections", "-c", "idle_in_transaction_seconds=1ms"])?;
    ended.expect("connections", Fail, "idle_in_transaction_seconds = ")?;
    ended.expect_attachment("connections", "idle-in-transaction.txt")?.expect_end(1, LIMIT)?;
    drop(holder);
    let ended = server.check(&["-c", "connections_percent=1"])?;
    ended.expect("lock-wait", Success, "")?.expect("connections", Fail, "connections_percent = ")?;
    ended.expect_end(1, LIMIT)
}

pub(crate) fn no_hub() -> anyhow::Result<()> {
    let server = Server::empty(None)?;
    let ended = server.check(&[])?;
    ended.expect("open", Success, "")?.expect("schema", Fail, "it has no table users")?;
    ended.expect("orphans", Skip, "database.it.schema")?.expect_end(1, LIMIT)?;
    let nowhere = server.url().replace("/jh", "/nowhere");
    server.check_at(&nowhere, &[])?.expect("open", Fail, "does not exist (3D000)")?.expect_end(1, LIMIT)
}

pub(crate) fn left_over() -> anyhow::Result<()> {
    let server = Server::start()?;
    // As when a dump is loaded that was made from a damaged database.
    server.tell(
        "SET session_replication_role = replica; DELETE FROM servers WHERE id = 3; \
         UPDATE spawners SET server_id = NULL WHERE user_id = 2; DELETE FROM api_tokens WHERE user_id = 5; \
         UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_api_tokens_prefix'::regclass",
    )?;
    let ended = server.check(&["--user", "alice"])?;
    ended.expect("orphans", Fail, "orphan_servers = 1")?.expect("orphans", Fail, "dangling_servers = 1")?;
    ended.expect("tokens", Fail, "missing_tokens = 1")?.expect_attachment("tokens", "tokens.txt")?;
    ended.expect("foreign-keys", Fail, "foreign_key_violations = 1")?;
    ended.expect_attachment("foreign-keys", "foreign-keys.txt")?;
    ended.expect("integrity", Fail, "invalid_indexes = 1")?;
    ended.expect("user.active", Fail, "alice: no server runs")?.expect_end(1, LIMIT)
}

pub(crate) fn tls() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::empty(Some(&authority.issue("IP:127.0.0.1", 60)?))?;
    let (plain, url) = (server.url(), format!("{}?sslmode=require", server.url()));
    let open = ["--only", "open"];
    let authorities = authority.trusted();
    let trusted = [&open[..], &["--ca", &authorities]].concat();
    server.check_at(&url, &trusted)?.expect("open", Success, "")?.expect_end(0, LIMIT)?;
    let verified = url.replace("require", "verify-full");
    server.check_at(&verified, &trusted)?.expect("open", Success, "")?.expect_end(0, LIMIT)?;
    // The system does not trust it.
    let ended = server.check_at(&url, &open)?;
    ended.expect("open", Fail, "UnknownIssuer")?.expect("open", Fail, "--insecure")?.expect_end(1, LIMIT)?;
    let ended = server.check_at(&url, &[&open[..], &["--insecure"]].concat())?;
    ended.expect("open", Success, "")?.expect_tag("open", "insecure")?.expect_end(0, LIMIT)?;
    // On the way to this host itself nobody listens in.
    server.check_at(&plain, &open)?.expect("open", Success, "")?.expect_end(0, LIMIT)?;
    let other = Server::empty(Some(&authority.issue("DNS:example.org", 60)?))?;
    let ended = other.check_at(&format!("{}?sslmode=require", other.url()), &trusted)?;
    ended.expect("open", Fail, "certificate")?.expect_end(1, LIMIT)?;
    let without = Server::empty(None)?;
    let ended = without.check_at(&format!("{}?sslmode=require", without.url()), &trusted)?;
    ended.expect("open", Fail, "server does not support TLS")?.expect_end(1, LIMIT)
}
