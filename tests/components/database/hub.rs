//! The database of a real hub, while it lives and after it was killed.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use subunit::Status::{Fail, Success};
use tempfile::TempDir;

use super::{ANY_ROOM, LIMIT, unchanged};
use crate::Need;
use crate::fixtures::eventually;
use crate::jupyterhub::environment;
use crate::pipeline::{Ended, Pipeline, target};
use crate::servers::{Server, proxy};

pub(crate) const NEEDS: &[Need] =
    &[Need::Program("node"), Need::Program("python3"), Need::Program("timeout"), Need::Brought(missing)];

const TOKEN: &str = "token-of-the-checker-0123456789";
const PROXY: &str = "token-of-the-proxy-0123456789";
/// The servers of users are one that runs already: it ends with the scenario.
const CONFIG: &str = r#"
import os
from jupyterhub.spawner import Spawner

class Given(Spawner):
    async def start(self):
        return "127.0.0.1", int(os.environ["LAB_SERVER"])
    async def poll(self):
        return None
    async def stop(self, now=False):
        pass

c = get_config()
c.JupyterHub.bind_url = os.environ["LAB_PUBLIC"]
c.JupyterHub.hub_bind_url = os.environ["LAB_HUB"]
c.ConfigurableHTTPProxy.api_url = os.environ["LAB_API"]
c.ConfigurableHTTPProxy.should_start = False
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = Given
c.JupyterHub.allow_named_servers = True
c.JupyterHub.services = [{"name": "checker", "api_token": os.environ["LAB_TOKEN"]}]
c.JupyterHub.load_roles = [{"name": "checker", "scopes": ["admin:users", "admin:servers"], "services": ["checker"]}]
"#;

fn missing() -> Option<String> {
    let brought = proxy().and_then(|_| environment());
    brought.err().map(|error| format!("there is no hub: {error:#}"))
}

fn python() -> PathBuf {
    target().join("components/jupyterhub/environment/bin/python")
}

/// A hub, its proxy, and what stands for the servers of all users.
struct Lab {
    hub: Server,
    server: Server,
    _proxy: Server,
    port: u16,
    folder: TempDir,
}

impl Lab {
    fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("config.py"), CONFIG)?;
        fs::write(folder.path().join("token"), TOKEN)?;
        let server = Server::of_files(folder.path())?;
        let program = proxy()?;
        let (proxy, [port, api]) = Server::start("node", |command, [port, api]: [u16; 2]| {
            command.arg(&program).env("CONFIGPROXY_AUTH_TOKEN", PROXY);
            command.args(["--ip", "127.0.0.1", "--api-ip", "127.0.0.1", "--log-level", "error"]);
            command.args(["--port", &port.to_string(), "--api-port", &api.to_string()]);
        })?;
        let (hub, _) = Server::start(python().to_str().context("a path")?, |command, [hub]: [u16; 1]| {
            command.args(["-m", "jupyterhub", "-f", "config.py"]).current_dir(folder.path());
            command.env("CONFIGPROXY_AUTH_TOKEN", PROXY).env("LAB_TOKEN", TOKEN);
            command.env("LAB_PUBLIC", format!("http://127.0.0.1:{port}/base/"));
            command.env("LAB_HUB", format!("http://127.0.0.1:{hub}/"));
            command.env("LAB_API", format!("http://127.0.0.1:{api}"));
            command.env("LAB_SERVER", server.port.to_string());
        })?;
        let lab = Lab { hub, server, _proxy: proxy, port, folder };
        eventually("the hub answers", || {
            Ok(lab.ask("GET", "").is_ok_and(|answer| answer.contains("200 OK")))
        })?;
        Ok(lab)
    }

    /// Asks the hub's API, as it is: the whole answer.
    fn ask(&self, method: &str, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(15)))?;
        write!(
            stream,
            "{method} /base/hub/api/{path} HTTP/1.1\r\nhost: x\r\nauthorization: token {TOKEN}\r\n\
             connection: close\r\ncontent-length: 0\r\n\r\n"
        )?;
        std::io::read_to_string(stream).context("an answer")
    }

    /// Has it done, now or soon.
    fn order(&self, method: &str, path: &str) -> anyhow::Result<()> {
        let answer = self.ask(method, path)?;
        ensure!(answer.starts_with("HTTP/1.1 20"), "{method} {path}: {answer}");
        Ok(())
    }

    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        let (path, token) = (self.database(), self.folder.path().join("token"));
        let hub = format!("http://127.0.0.1:{}/base", self.port);
        let fixed = ["--hub", &hub, "--token-file", token.to_str().context("a path")?];
        let path = [path.to_str().context("a path")?];
        let arguments = [&ANY_ROOM[..], &fixed, arguments, &path].concat();
        Pipeline::of("database", tempfile::tempdir()?.path(), &arguments).run()
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("jupyterhub.sqlite")
    }

    /// Writes to the database, behind the hub's back.
    fn change(&self, sql: &str) -> anyhow::Result<()> {
        let connection = rusqlite::Connection::open(self.database())?;
        connection.busy_timeout(Duration::from_secs(5))?;
        Ok(connection.execute_batch(sql)?)
    }
}

pub(crate) fn lives_and_dies() -> anyhow::Result<()> {
    let mut lab = Lab::start()?;
    for user in ["alice", "al%20ice@cern.ch", "bob", "carol"] {
        lab.order("POST", &format!("users/{user}"))?;
    }
    for path in ["users/alice/server", "users/al%20ice@cern.ch/server", "users/bob/servers/gpu"] {
        lab.order("POST", path)?;
    }
    eventually("all servers are ready", || {
        Ok(lab.ask("GET", "users?state=ready")?.matches("\"ready\": true").count() == 3)
    })?;
    lives(&lab)?;
    disagrees(&lab)?;
    dies(&mut lab)
}

fn lives(lab: &Lab) -> anyhow::Result<()> {
    let ended = lab.check(&["--user", "alice", "--user", "al ice@cern.ch"])?;
    for aspect in ["open", "lock-wait", "schema", "integrity", "foreign-keys", "user.active", "orphans"] {
        ended.expect(aspect, Success, "")?;
    }
    for aspect in ["listening", "tokens", "cross"] {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect_end(0, LIMIT)?;
    let ended = lab.check(&["--user", "bob"])?;
    ended.expect("user.active", Fail, "bob: no server runs")?.expect_end(1, LIMIT)?;
    let stopped = ["--user", "carol", "--only", "user.stopped"];
    lab.check(&stopped)?.expect("user.stopped", Success, "")?.expect_end(0, LIMIT)?;
    lab.order("DELETE", "users/alice/server")?;
    eventually("the server is gone", || Ok(lab.ask("GET", "users/alice")?.contains("\"servers\": {}")))?;
    let ended = lab.check(&["--user", "alice", "--expect", "stopped"])?;
    ended.expect("user.stopped", Success, "")?.expect("cross", Success, "")?;
    ended.expect("tokens", Success, "")?.expect("orphans", Success, "")?.expect_end(0, LIMIT)
}

fn disagrees(lab: &Lab) -> anyhow::Result<()> {
    // The hub knows which servers it has started, whatever others write.
    lab.change(
        "CREATE TABLE kept AS SELECT id, server_id FROM spawners; UPDATE spawners SET server_id = NULL",
    )?;
    let ended = lab.check(&["--only", "cross"])?;
    ended.expect("cross", Fail, "differences = 2")?.expect_attachment("cross", "differences.txt")?;
    lab.change("UPDATE spawners SET server_id = (SELECT server_id FROM kept WHERE kept.id = spawners.id)")?;
    lab.check(&["--only", "cross"])?.expect("cross", Success, "")?.expect_end(0, LIMIT)?;
    fs::write(lab.folder.path().join("token"), "wrong")?;
    let ended = lab.check(&["--only", "cross"])?;
    ended.expect("cross", Fail, "the hub does not tell its users: 403")?.expect_tag("cross", "unknown")?;
    Ok(fs::write(lab.folder.path().join("token"), TOKEN)?)
}

/// Killed: the rows stay, and nothing is there.
fn dies(lab: &mut Lab) -> anyhow::Result<()> {
    lab.hub.kill()?;
    lab.server.kill()?;
    lab.change("UPDATE spawners SET started = '2025-01-01 00:00:00' WHERE started IS NOT NULL")?;
    let arguments = ["--user", "bob", "--server-name", "gpu"];
    let ended = unchanged(lab.folder.path(), || lab.check(&arguments))?;
    ended.expect("user.active", Fail, "nothing listens on 127.0.0.1:")?;
    ended.expect("listening", Fail, "dead_servers = 2")?.expect("cross", Fail, "")?;
    ended.expect("open", Success, "")?.expect_end(1, LIMIT)
}
