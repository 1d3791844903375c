//! Servers and certificates that are made for a scenario, and are gone afterwards.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use process::{Child, ProcessGroup, Signal};
use tempfile::TempDir;

use crate::fixtures::eventually;

/// After how many seconds a server is killed, whatever became of this test.
const WATCHDOG: &str = "60";
/// How often another port is tried when somebody else was faster.
const TRIES: usize = 5;

/// A server in a process of its own.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
}

impl Server {
    /// Starts this command with ports that nobody has, and waits until it listens on the first.
    pub(crate) fn start<const N: usize>(
        program: &str,
        configure: impl Fn(&mut Command, [u16; N]),
    ) -> anyhow::Result<(Self, [u16; N])> {
        for _ in 0..TRIES {
            let ports = free_ports::<N>()?;
            let mut command = Command::new("timeout");
            command.args(["-s", "KILL", WATCHDOG, program]);
            configure(&mut command, ports);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let port = *ports.first().context("a port")?;
            let mut server = Server { child: Child::spawn(&mut command)?, port };
            eventually("the server listens, or has ended", || {
                Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
                    || server.child.try_wait()?.is_some())
            })?;
            if server.child.try_wait()?.is_none() {
                return Ok((server, ports));
            }
        }
        bail!("{program} does not stay")
    }

    /// A web server of the files in a folder.
    pub(crate) fn of_files(folder: &Path) -> anyhow::Result<Self> {
        let (server, _) = Server::start("python3", |command, [port]: [u16; 1]| {
            command.args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"]).arg(folder);
            command.arg(port.to_string());
        })?;
        Ok(server)
    }

    /// A web server with this certificate.
    pub(crate) fn of_tls(pair: &Pair, more: &[&str]) -> anyhow::Result<Self> {
        let (server, _) = Server::start("openssl", |command, [port]: [u16; 1]| {
            command.args(["s_server", "-quiet", "-www", "-accept", &format!("127.0.0.1:{port}"), "-cert"]);
            command.arg(&pair.certificate).arg("-key").arg(&pair.key).args(more);
        })?;
        Ok(server)
    }

    pub(crate) fn url(&self, scheme: &str, path: &str) -> String {
        format!("{scheme}://127.0.0.1:{}{path}", self.port)
    }

    /// Stops it: it takes connections, and says nothing. Its watchdog goes on.
    pub(crate) fn freeze(&self) -> anyhow::Result<()> {
        let group = ProcessGroup::of(self.child.id()).context("a group")?;
        for pid in group.members().into_iter().filter(|pid| *pid != self.child.id()) {
            let pid =
                i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).context("a process")?;
            rustix::process::kill_process(pid, Signal::STOP)?;
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill(Duration::from_secs(5))?;
        Ok(())
    }
}

/// Ports on which nobody listens.
pub(crate) fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    // All at once, so that they differ.
    let listeners: Vec<_> =
        (0..N).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<Result<_, _>>()?;
    let ports: Vec<_> =
        listeners.iter().map(|listener| Ok(listener.local_addr()?.port())).collect::<anyhow::Result<_>>()?;
    ports.try_into().ok().context("as many ports as were asked for")
}

/// A certificate and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// An authority that issues certificates as they are wanted.
pub(crate) struct Authority {
    folder: TempDir,
}

/// As little as `openssl ca` can do with.
const CONFIGURATION: &str = "[ca]\ndefault_ca=here\n[here]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n\
default_md=sha256\npolicy=any\nunique_subject=no\nrand_serial=yes\ncopy_extensions=copy\n\
[any]\ncommonName=supplied\n[req]\ndistinguished_name=none\n[none]\n";

impl Authority {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let authority = Authority { folder: tempfile::tempdir()? };
        fs::write(authority.path("conf"), CONFIGURATION)?;
        File::create(authority.path("index"))?;
        authority.openssl(&format!(
            "req -x509 -config conf {NEW_KEY} -keyout ca.key -out ca.crt -subj /CN=Authority -days 30 \
             -addext basicConstraints=critical,CA:TRUE"
        ))?;
        Ok(authority)
    }

    /// The file that says whom to trust.
    pub(crate) fn trusted(&self) -> String {
        self.path("ca.crt").display().to_string()
    }

    /// A certificate for `IP:127.0.0.1`, `DNS:example.org` …, valid until this many days from now: below zero, it
    /// has expired.
    pub(crate) fn issue(&self, name: &str, days: i64) -> anyhow::Result<Pair> {
        self.openssl(&format!(
            "req -new -config conf {NEW_KEY} -keyout leaf.key -out leaf.csr -subj /CN=leaf -addext subjectAltName={name}"
        ))?;
        let (begin, end) = (date(days.min(0) - 1)?, date(days)?);
        self.openssl(&format!(
            "ca -batch -notext -config conf -cert ca.crt -keyfile ca.key -in leaf.csr -out leaf.crt \
             -startdate {begin} -enddate {end}"
        ))?;
        Ok(Pair { certificate: self.path("leaf.crt"), key: self.path("leaf.key") })
    }

    /// A certificate that vouches for itself, as `openssl req` makes it unless told otherwise.
    pub(crate) fn self_signed(&self) -> anyhow::Result<Pair> {
        self.openssl(&format!(
            "req -x509 -config conf {NEW_KEY} -keyout own.key -out own.crt -subj /CN=own -days 60 \
             -addext basicConstraints=critical,CA:TRUE -addext subjectAltName=IP:127.0.0.1"
        ))?;
        Ok(Pair { certificate: self.path("own.crt"), key: self.path("own.key") })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, line: &str) -> anyhow::Result<()> {
        let mut command = Command::new("openssl");
        command.args(line.split_whitespace()).current_dir(self.folder.path());
        let finished = crate::pipeline::complete(command.stdin(Stdio::null()))?;
        ensure!(finished.ending.is_success(), "openssl {line}: {}", finished.stderr.text());
        Ok(())
    }
}

/// Elliptic curves: their keys are made in no time.
const NEW_KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/// That many days from now, as `openssl` wants it.
fn date(days: i64) -> anyhow::Result<String> {
    let mut command = Command::new("date");
    command.args(["-u", "-d", &format!("{days} days"), "+%Y%m%d%H%M%SZ"]);
    Ok(crate::pipeline::complete(&mut command)?.stdout.text().trim().to_owned())
}

/// The folder of a proxy from npm, which is fetched once and kept with what was built.
pub(crate) fn proxy() -> anyhow::Result<PathBuf> {
    const PACKAGE: &str = "configurable-http-proxy@5.3.0";
    let folder = crate::pipeline::target().join("components").join("proxy");
    fs::create_dir_all(&folder)?;
    // Two runs at a time do not fetch it twice.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    let program = folder.join("node_modules/configurable-http-proxy/bin/configurable-http-proxy");
    if !program.exists() {
        crate::may_fetch()?;
        let mut command = Command::new("npm");
        command.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(PACKAGE);
        let time = Duration::from_secs(120);
        let finished = crate::pipeline::complete_within(time, command.stdin(Stdio::null()))?;
        ensure!(finished.ending.is_success() && program.exists(), "npm install: {}", finished.stderr.text());
    }
    Ok(program)
}
