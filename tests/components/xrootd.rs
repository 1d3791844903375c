//! `check-eos` against a server as EOS has it: XRootD, mounted by its own FUSE daemon, and without a mount.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use nix::mount::{MntFlags, umount2};
use process::{Child, Signal};
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::fixtures::{eventually, mountinfo};
use crate::pipeline::{Ended, Pipeline, complete};
use crate::{Need, Scenario};

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.xrootd.healthy", MOUNT, healthy),
    scenario("components.xrootd.stopped-server", MOUNT, stopped_server),
    scenario("components.xrootd.killed-server", MOUNT, killed_server),
    scenario("components.xrootd.killed-daemon", MOUNT, killed_daemon),
    scenario("components.xrootd.corrupted", MOUNT, corrupted),
    scenario("components.xrootd.native", NATIVE, native),
    scenario("components.xrootd.native-missing", NATIVE, native_missing),
    scenario("components.xrootd.native-stopped", NATIVE, native_stopped),
    scenario("components.xrootd.native-killed", NATIVE, native_killed),
    scenario("components.xrootd.native-read-only", NATIVE, native_read_only),
    scenario("components.xrootd.native-corrupted", NATIVE, native_corrupted),
    scenario("components.xrootd.no-client", &[], no_client),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// The server does not run as root, and only root can have it run as someone else.
const NATIVE: &[Need] =
    &[Need::Root, Need::Program("xrootd"), Need::Program("xrdfs"), Need::Program("xrdcp")];
const MOUNT: &[Need] =
    &[Need::Fuse, Need::Program("xrootd"), Need::Program("xrdfs"), Need::Program("xrootdfs")];

const SHORT: [&str; 6] = ["--op-timeout", "2s", "--timeout", "4s", "--plan-timeout", "6s"];
const SHORT_LIMIT: Duration = Duration::from_secs(6);
const LIMIT: Duration = Duration::from_secs(45);
const DEEP: [&str; 2] = ["--probe", "deep"];
/// After how many seconds servers end by themselves.
const WATCHDOG: &str = "100";
/// The limits of the client's programs, which are minutes otherwise.
const CLIENT: [(&str, &str); 4] = [
    ("XRD_CONNECTIONWINDOW", "1"),
    ("XRD_CONNECTIONRETRY", "1"),
    ("XRD_REQUESTTIMEOUT", "30"),
    ("XRD_TIMEOUTRESOLUTION", "1"),
];

/// A server of its own, on a port of its own.
struct Server {
    folder: TempDir,
    url: String,
    child: Child,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        // Its port may have become another's.
        Server::try_start().or_else(|_| Server::try_start())
    }

    fn try_start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let at = |name: &str| folder.path().join(name);
        for name in ["data/eos/user", "admin", "run", "log"] {
            fs::create_dir_all(at(name))?;
        }
        let place = folder.path().display();
        let configuration = format!(
            "xrd.port {port}\nxrd.adminpath {place}/admin\nall.pidpath {place}/run\nall.export /eos\n\
             oss.localroot {place}/data\nxrootd.chksum max 4 adler32 crc32c md5\n"
        );
        fs::write(at("configuration"), configuration)?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let (user, group) = account("xrootd")?;
        for name in ["data", "data/eos", "data/eos/user", "admin", "run", "log"] {
            chown(at(name), Some(user), Some(group))?;
        }
        let mut command = Command::new("timeout");
        command.args([WATCHDOG, "xrootd", "-R", "xrootd", "-n", "it", "-c"]).arg(at("configuration"));
        command.arg("-l").arg(at("log/it")).current_dir(folder.path());
        let child = Child::spawn(silent(&mut command))?;
        let server = Server { url: format!("root://127.0.0.1:{port}"), folder, child };
        eventually("the server answers", || {
            let mut command = Command::new("xrdfs");
            command.args([&server.url, "query", "config", "version"]).envs(CLIENT);
            Ok(complete(&mut command)?.ending.is_success())
        })?;
        Ok(server)
    }

    /// The folder to check, as the client calls it.
    fn native(&self) -> PathBuf {
        PathBuf::from(format!("{}//eos/user", self.url))
    }

    /// Where the server keeps it.
    fn data(&self) -> PathBuf {
        self.folder.path().join("data/eos/user")
    }

    fn expect_nothing_left(&self) -> anyhow::Result<()> {
        let names: Vec<_> =
            fs::read_dir(self.data())?.map(|entry| entry.map(|entry| entry.file_name())).collect();
        ensure!(names.is_empty(), "{names:?} are left");
        Ok(())
    }

    /// Flips a byte of a file that is being written, behind the server's back.
    fn corrupt(data: &Path) -> anyhow::Result<()> {
        let mut corrupted = None;
        eventually("a file is written", || {
            for entry in fs::read_dir(data)?.flatten() {
                let file = fs::File::options().read(true).write(true).open(entry.path());
                let Ok(file) = file else { continue };
                if file.metadata()?.len() < 2 << 20 {
                    continue;
                }
                let mut byte = [0];
                file.read_exact_at(&mut byte, 1000)?;
                // The first blocks may not all be there yet.
                if byte == [0] {
                    continue;
                }
                file.write_all_at(&[byte.first().copied().unwrap_or_default() ^ 1], 1000)?;
                corrupted = Some(entry.path());
            }
            Ok(corrupted.is_some())
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A stopped one holds up its clients.
        let _gone = self.child.signal(Signal::CONT);
        let _gone = self.child.kill(Duration::from_secs(2));
    }
}

/// A mount of a server.
struct Mounted {
    point: TempDir,
    daemon: Child,
}

impl Mounted {
    fn new(server: &Server) -> anyhow::Result<Self> {
        let point = tempfile::tempdir()?;
        let options = format!("rdr={}//eos,fsname=xrootdfs", server.url);
        let mut command = Command::new("timeout");
        command.args([WATCHDOG, "xrootdfs"]).arg(point.path()).args(["-f", "-o", &options]);
        let daemon = Child::spawn(silent(&mut command))?;
        let mounted = Mounted { point, daemon };
        let line = format!(" {} ", mounted.point.path().display());
        eventually("it is mounted", || Ok(mountinfo()?.contains(&line)))?;
        Ok(mounted)
    }

    fn path(&self) -> PathBuf {
        self.point.path().join("user")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _gone = self.daemon.kill(Duration::from_secs(2));
        let _unmounted = umount2(self.point.path(), MntFlags::MNT_DETACH);
    }
}

fn silent(command: &mut Command) -> &mut Command {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null())
}

/// The numbers of a user and its group.
fn account(name: &str) -> anyhow::Result<(u32, u32)> {
    let text = fs::read_to_string("/etc/passwd")?;
    let line = text.lines().find(|line| line.split(':').next() == Some(name));
    let fields: Vec<_> = line.with_context(|| format!("there is no user {name}"))?.split(':').collect();
    match fields.as_slice() {
        [_, _, user, group, ..] => Ok((user.parse()?, group.parse()?)),
        _ => bail!("{fields:?} is no account"),
    }
}

fn check(path: &Path, arguments: &[&str]) -> anyhow::Result<Ended> {
    let home = tempfile::tempdir()?;
    Pipeline::new(home.path(), path, arguments).run()
}

fn healthy() -> anyhow::Result<()> {
    let server = Server::start()?;
    let (mounted, other) = (Mounted::new(&server)?, Mounted::new(&server)?);
    let through = other.path().display().to_string();
    // On a busy machine the client opens a file twice, and the server takes it for locked (EDEADLK).
    let arguments = ["--visible-through", &through, "--retries", "2"];
    let ended = check(&mounted.path(), &[&DEEP[..], &arguments].concat())?;
    for aspect in [
        "mounted",
        "responsive",
        "space",
        "stale-probes",
        "writable",
        "visible",
        "metadata",
        "throughput.write",
        "throughput.read",
        "integrity",
    ] {
        ended.expect(aspect, Success, "")?;
    }
    server.expect_nothing_left()?;
    ended.expect_end(0, LIMIT)
}

fn stopped_server() -> anyhow::Result<()> {
    let server = Server::start()?;
    let mounted = Mounted::new(&server)?;
    server.child.signal(Signal::STOP)?;
    let ended = check(&mounted.path(), &[&SHORT[..], &DEEP].concat())?;
    server.child.signal(Signal::CONT)?;
    ended.expect("mounted", Success, "")?.expect("responsive", Fail, "hangs")?;
    ended.expect("writable", Skip, "eos.it.responsive")?.expect_attachment("responsive", "proc-state.txt")?;
    ended.expect_end(1, SHORT_LIMIT)
}

fn killed_server() -> anyhow::Result<()> {
    let mut server = Server::start()?;
    let mounted = Mounted::new(&server)?;
    server.child.kill(Duration::from_secs(2))?;
    let ended = check(&mounted.path(), &[&SHORT[..], &DEEP].concat())?;
    ended.expect("mounted", Success, "")?.expect("responsive", Fail, "")?;
    ended.expect("integrity", Skip, "eos.it.responsive")?.expect_end(1, SHORT_LIMIT)
}

fn killed_daemon() -> anyhow::Result<()> {
    let server = Server::start()?;
    let mut mounted = Mounted::new(&server)?;
    mounted.daemon.kill(Duration::from_secs(2))?;
    let ended = check(&mounted.path(), &SHORT)?;
    ended.expect("responsive", Fail, "the daemon behind the mount is gone")?.expect_end(1, SHORT_LIMIT)
}

fn corrupted() -> anyhow::Result<()> {
    let server = Server::start()?;
    let mounted = Mounted::new(&server)?;
    let (home, data) = (tempfile::tempdir()?, server.data());
    let arguments = ["--only", "integrity", "--size", "32MiB"];
    let ended = Pipeline::new(home.path(), &mounted.path(), &arguments)
        .beside(move || Server::corrupt(&data))
        .run()?;
    ended.expect("integrity", Fail, "the first difference is at byte 1000")?.expect_end(1, LIMIT)?;
    server.expect_nothing_left()
}

fn native() -> anyhow::Result<()> {
    let server = Server::start()?;
    let ended = check(&server.native(), &DEEP)?;
    for aspect in ["responsive", "space", "writable", "throughput.write", "throughput.read", "integrity"] {
        ended.expect(aspect, Success, "")?;
    }
    server.expect_nothing_left()?;
    ended.expect_end(0, LIMIT)
}

fn native_missing() -> anyhow::Result<()> {
    let server = Server::start()?;
    let ended = check(&PathBuf::from(format!("{}//eos/none", server.url)), &[])?;
    ended.expect("responsive", Fail, "no such file or directory")?.expect("space", Skip, "")?;
    ended.expect_end(1, LIMIT)
}

fn native_stopped() -> anyhow::Result<()> {
    let server = Server::start()?;
    server.child.signal(Signal::STOP)?;
    let ended = check(&server.native(), &[&SHORT[..], &DEEP].concat())?;
    server.child.signal(Signal::CONT)?;
    ended.expect("responsive", Fail, "xrdfs stat")?.expect("writable", Skip, "")?.expect_end(1, SHORT_LIMIT)
}

fn native_killed() -> anyhow::Result<()> {
    let mut server = Server::start()?;
    server.child.kill(Duration::from_secs(2))?;
    let ended = check(&server.native(), &SHORT)?;
    ended.expect("responsive", Fail, "xrdfs stat failed")?.expect_end(1, SHORT_LIMIT)
}

fn native_read_only() -> anyhow::Result<()> {
    let server = Server::start()?;
    chown(server.data(), Some(0), Some(0))?;
    let ended = check(&server.native(), &DEEP)?;
    ended.expect("responsive", Success, "")?.expect("writable", Fail, "permission denied")?;
    ended.expect_tag("writable", "unknown")?;
    server.expect_nothing_left()?;
    ended.expect_end(1, LIMIT)
}

fn native_corrupted() -> anyhow::Result<()> {
    let server = Server::start()?;
    let (home, data) = (tempfile::tempdir()?, server.data());
    let arguments = ["--only", "integrity", "--size", "32MiB"];
    let ended = Pipeline::new(home.path(), &server.native(), &arguments)
        .beside(move || Server::corrupt(&data))
        .run()?;
    ended.expect("integrity", Fail, "the first difference is at byte 1000")?.expect_end(1, LIMIT)?;
    server.expect_nothing_left()
}

/// Without the client's programs nothing can be told.
fn no_client() -> anyhow::Result<()> {
    let mut command = Command::new(crate::pipeline::check_eos());
    command.args(["--format=human", "--native", "root://127.0.0.1:1//eos/user"]).env("PATH", "/nowhere");
    let finished = complete(&mut command)?;
    let text = finished.stdout.text();
    ensure!(finished.ending.exit == process::Exit::Exited(1), "{}: {text}", finished.ending.exit);
    ensure!(text.starts_with("FAIL      eos.user.responsive: xrdfs is not installed"), "{text}");
    Ok(())
}
