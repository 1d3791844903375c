//! A hub, its proxy and a service, in one process group that ends with this process.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use process::{Child, Deadline, Signal};
use rustix::process::{Pid, kill_process};

use crate::pipeline::{Ended, Pipeline, complete_within, target};
use crate::servers::{free_ports, proxy};

/// The release that is checked, and the smallest server that it starts.
const PACKAGES: [&str; 2] = ["jupyterhub==6.1.1", "jupyter_server==2.21.1"];
/// After how many seconds all of it is ended, whatever became of this test.
const WATCHDOG: &str = "240";
/// How long it is shared: a scenario that begins then is over before the watchdog comes.
const SHARED_FOR: Duration = Duration::from_secs(120);
/// How long a hub may take to come up, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);
/// How often other ports are tried when somebody else was faster.
const TRIES: usize = 3;

const CHECKER: &str = "token-of-the-checker-0123456789";
const POOR: &str = "token-without-scopes-0123456789";
const STARTER: &str = "token-that-stops-nothing-0123456789";
const PROXY: &str = "token-of-the-proxy-0123456789";

/// A hub and what belongs to it.
pub(crate) struct Hub {
    leader: Child,
    /// All ends with it.
    input: Option<ChildStdin>,
    hub: Pid,
    service: Pid,
    folder: PathBuf,
    since: Instant,
    port: u16,
    api: u16,
    /// Of the hub itself, behind the proxy.
    pub(crate) hub_port: u16,
}

/// The one that scenarios share: what they do to it, they undo.
static SHARED: Mutex<Option<Arc<Hub>>> = Mutex::new(None);

impl Hub {
    /// One that is running, and that goes on when the scenario is over.
    pub(crate) fn shared() -> anyhow::Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let hub = match shared.take() {
            Some(hub) if hub.is_fresh() => hub,
            _ => Arc::new(Hub::start()?),
        };
        *shared = Some(Arc::clone(&hub));
        Ok(hub)
    }

    /// One that is running, and that nobody else has afterwards.
    pub(crate) fn own() -> anyhow::Result<Arc<Self>> {
        let hub = Hub::shared()?;
        SHARED.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(hub)
    }

    fn start() -> anyhow::Result<Self> {
        for _ in 1..TRIES {
            if let Some(hub) = Hub::try_start()? {
                return Ok(hub);
            }
        }
        Hub::try_start()?.context("the hub does not come up")
    }

    /// A hub, unless one of its processes has ended: its port may be another's.
    fn try_start() -> anyhow::Result<Option<Self>> {
        let python = environment()?.join("bin/python");
        let folder = tempfile::tempdir()?.keep();
        for (name, text) in [
            ("config.py", include_str!("config.py")),
            ("small.py", include_str!("small.py")),
            ("group.py", include_str!("group.py")),
            ("checker", CHECKER),
            ("poor", POOR),
            ("starter", STARTER),
            ("wrong", "token-of-nobody-0123456789"),
        ] {
            fs::write(folder.join(name), text)?;
        }
        fs::create_dir(folder.join("home"))?;
        let ports: [u16; 4] = free_ports()?;
        let [port, api, hub_port, service] = ports;
        let commands = commands(&python, &folder, ports)?;
        let mut command = Command::new(&python);
        command.arg(folder.join("group.py")).arg(&folder).arg(WATCHDOG).args(commands);
        command.env("CONFIGPROXY_AUTH_TOKEN", PROXY).env("LAB_FOLDER", &folder);
        command.env("LAB_PORTS", format!("{port} {api} {hub_port} {service}"));
        let mut leader = Child::spawn(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let input = leader.take_stdin();
        let mut line = String::new();
        BufReader::new(leader.take_stdout().context("an output")?).read_line(&mut line)?;
        let pids: Vec<_> =
            line.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
        let [proxy, service, pid] = pids.as_slice() else { bail!("the group says {line:?}") };
        let since = Instant::now();
        let hub = Hub { leader, input, hub: *pid, service: *service, folder, since, port, api, hub_port };
        Ok(hub.comes_up(&[*proxy, *service, *pid])?.then_some(hub))
    }

    fn is_fresh(&self) -> bool {
        self.since.elapsed() < SHARED_FOR && self.is_well()
    }

    fn is_well(&self) -> bool {
        self.ask("GET", "health", "").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// Waits until it answers; false when one of these processes has ended.
    fn comes_up(&self, pids: &[Pid]) -> anyhow::Result<bool> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.is_well() {
                return Ok(true);
            }
            if pids.iter().any(|pid| has_ended(*pid)) {
                return Ok(false);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        bail!("the hub does not come up: {log}")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/base", self.port)
    }

    /// Where the proxy takes orders, from who has its token.
    pub(crate) fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api)
    }

    pub(crate) fn proxy_token(&self) -> &'static str {
        PROXY
    }

    /// A file in its folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The file of a token: `checker`, `starter`, `poor`, `wrong`.
    pub(crate) fn token(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Checks it with the token that allows everything.
    pub(crate) fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        self.check_with("checker", arguments)
    }

    /// Checks it with one of the tokens.
    pub(crate) fn check_with(&self, token: &str, arguments: &[&str]) -> anyhow::Result<Ended> {
        self.pipeline(token, arguments)?.run()
    }

    pub(crate) fn pipeline(&self, token: &str, arguments: &[&str]) -> anyhow::Result<Pipeline> {
        let (token, url) = (self.token(token), self.url());
        let arguments = [&["--token-file", token.as_str()], arguments, &[url.as_str()]].concat();
        Ok(Pipeline::of("jupyterhub", &self.folder, &arguments))
    }

    /// Asks the hub for `api/users/x`, with a token that allows everything.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        ask(self.port, method, &format!("/base/hub/{path}"), CHECKER, body)
    }

    /// Gives the proxy an order.
    pub(crate) fn order(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        ask(self.api, method, &format!("/api/routes{path}"), PROXY, body)
    }

    /// Starts the server of a user.
    pub(crate) fn start_server(&self, user: &str) -> anyhow::Result<()> {
        self.ask("POST", &format!("api/users/{user}/server"), "{}")?;
        crate::fixtures::eventually("the server is ready", || {
            Ok(self.user(user)?.contains("\"ready\": true"))
        })
    }

    pub(crate) fn user(&self, name: &str) -> anyhow::Result<String> {
        self.ask("GET", &format!("api/users/{name}"), "")
    }

    /// Whether nothing is left of a server.
    pub(crate) fn expect_no_server(&self, user: &str) -> anyhow::Result<()> {
        let said = self.user(user)?;
        ensure!(said.contains("\"servers\": {}"), "a server is left: {said}");
        let routes = self.order("GET", "", "")?;
        ensure!(!routes.contains(&format!("/base/user/{user}/")), "a route is left: {routes}");
        Ok(())
    }

    /// Sends the hub itself a signal.
    pub(crate) fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        Ok(kill_process(self.hub, signal)?)
    }

    pub(crate) fn kill_service(&self) -> anyhow::Result<()> {
        Ok(kill_process(self.service, Signal::KILL)?)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.input.take());
        // What does not end by itself is killed when it is dropped.
        let _ended = self.leader.wait_until(Deadline::after(Duration::from_secs(10)));
    }
}

fn has_ended(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

/// The proxy, the service and the hub.
fn commands(python: &Path, folder: &Path, ports: [u16; 4]) -> anyhow::Result<[String; 3]> {
    let [port, api, hub, service] = ports.map(|port| port.to_string());
    let python = python.display().to_string();
    let error_target = format!("http://127.0.0.1:{hub}/base/hub/error");
    let proxy = proxy()?.display().to_string();
    let at = |name: &str| folder.join(name).display().to_string();
    let line = |words: &[&str]| {
        format!("[{}]", words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", "))
    };
    Ok([
        line(&[
            "node",
            &proxy,
            "--ip",
            "127.0.0.1",
            "--port",
            &port,
            "--api-ip",
            "127.0.0.1",
            "--api-port",
            &api,
            "--error-target",
            &error_target,
        ]),
        line(&[&python, &at("small.py"), &service]),
        line(&[&python, "-m", "jupyterhub", "-f", &at("config.py")]),
    ])
}

/// Asks for something as it is: the whole answer.
fn ask(port: u16, method: &str, path: &str, token: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(15)))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: token {token}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    std::io::read_to_string(stream).context("an answer")
}

/// The folder of a hub from PyPI, which is fetched once and kept with what was built.
pub(crate) fn environment() -> anyhow::Result<PathBuf> {
    let folder = target().join("components").join("jupyterhub");
    fs::create_dir_all(&folder)?;
    // Two runs at a time do not fetch it twice.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    // What was made for other packages, or not to its end, is made anew.
    let (environment, made) = (folder.join("environment"), folder.join("made"));
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&made).is_ok_and(|found| found == wanted) && environment.join("bin/python").exists()
    {
        return Ok(environment);
    }
    crate::may_fetch()?;
    let mut python = Command::new("python3");
    finish(python.args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PACKAGES);
    finish(&mut pip)?;
    fs::write(made, wanted)?;
    Ok(environment)
}

fn finish(command: &mut Command) -> anyhow::Result<()> {
    let finished = complete_within(Duration::from_secs(400), command.stdin(Stdio::null()))?;
    ensure!(finished.ending.is_success(), "{command:?}: {}", finished.stderr.text());
    Ok(())
}
