//! `check-proxy` against a configurable-http-proxy in every state.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use process::Signal;
use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::fixtures::eventually;
use crate::pipeline::{Ended, Pipeline, signal};
use crate::servers::{Authority, Pair, Server, free_ports, proxy};
use crate::{Need, Scenario};

const PROXY: &[Need] =
    &[Need::Program("node"), Need::Program("python3"), Need::Program("timeout"), Need::Brought(missing)];
const WITH_TLS: &[Need] = &[
    Need::Program("openssl"),
    Need::Program("node"),
    Need::Program("python3"),
    Need::Program("timeout"),
    Need::Brought(missing),
];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.proxy.healthy", PROXY, healthy),
    scenario("components.proxy.hub-dead", PROXY, hub_dead),
    scenario("components.proxy.hub-frozen", PROXY, hub_frozen),
    scenario("components.proxy.no-hub-route", PROXY, no_hub_route),
    scenario("components.proxy.wrong-token", PROXY, wrong_token),
    scenario("components.proxy.no-token", PROXY, no_token),
    scenario("components.proxy.open-to-all", PROXY, open_to_all),
    scenario("components.proxy.stale-route", PROXY, stale_route),
    scenario("components.proxy.canary-lost", PROXY, canary_lost),
    scenario("components.proxy.left-behind", PROXY, left_behind),
    scenario("components.proxy.terminated", PROXY, terminated),
    scenario("components.proxy.killed-check", PROXY, killed_check),
    scenario("components.proxy.frozen", PROXY, frozen),
    scenario("components.proxy.killed", PROXY, killed),
    scenario("components.proxy.slow-event-loop", PROXY, slow_event_loop),
    scenario("components.proxy.tls", WITH_TLS, tls),
    scenario("components.proxy.not-a-proxy", PROXY, not_a_proxy),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

const TOKEN: &str = "a-token-of-the-proxy";
const SHORT: [&str; 4] = ["--op-timeout", "500ms", "--timeout", "3s"];
const LIMIT: Duration = Duration::from_secs(20);

fn missing() -> Option<String> {
    proxy().err().map(|error| format!("there is no configurable-http-proxy: {error:#}"))
}

/// A proxy, and a hub behind it: a web server that has a file `/hub/health`.
struct Fixture {
    folder: TempDir,
    hub: Server,
    proxy: Server,
    api: u16,
    metrics: u16,
    scheme: &'static str,
}

impl Fixture {
    fn start() -> anyhow::Result<Self> {
        Fixture::with(None, TOKEN, true)
    }

    fn with(tls: Option<&Pair>, token: &str, has_hub: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("hub"))?;
        fs::write(folder.path().join("hub/health"), "")?;
        fs::write(folder.path().join("token"), TOKEN)?;
        let hub = Server::of_files(folder.path())?;
        let program = proxy()?;
        let (proxy, [_, api, metrics]) = Server::start("node", |command, [port, api, metrics]: [u16; 3]| {
            command.arg(&program).env("CONFIGPROXY_AUTH_TOKEN", token);
            command.args(["--ip", "127.0.0.1", "--api-ip", "127.0.0.1", "--metrics-ip", "127.0.0.1"]);
            command.args([
                "--log-level",
                "error",
                "--port",
                &port.to_string(),
                "--api-port",
                &api.to_string(),
            ]);
            command.args(["--metrics-port", &metrics.to_string()]);
            if has_hub {
                command.args(["--default-target", &hub.url("http", "")]);
            }
            if let Some(Pair { certificate, key }) = tls {
                command.arg("--ssl-cert").arg(certificate).arg("--ssl-key").arg(key);
            }
        })?;
        for port in [api, metrics] {
            eventually("the proxy listens everywhere", || {
                Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok())
            })?;
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Fixture { folder, hub, proxy, api, metrics, scheme })
    }

    fn token(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn check(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        let token = self.token().display().to_string();
        self.check_with(&[&["--token-file", token.as_str()], arguments].concat())
    }

    /// As the runs do that know of each other by this folder.
    fn check_at(&self, home: &Path, arguments: &[&str]) -> anyhow::Result<Ended> {
        let token = self.token().display().to_string();
        self.run(home, &[&["--token-file", token.as_str()], arguments].concat())
    }

    fn check_with(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        self.run(tempfile::tempdir()?.path(), arguments)
    }

    fn run(&self, home: &Path, arguments: &[&str]) -> anyhow::Result<Ended> {
        let api = format!("http://127.0.0.1:{}", self.api);
        let metrics = format!("http://127.0.0.1:{}/metrics", self.metrics);
        let url = self.proxy.url(self.scheme, "");
        let fixed = ["--api-url", &api, "--metrics-url", &metrics, &url];
        Pipeline::of("proxy", home, &[arguments, &fixed].concat()).run()
    }

    /// Adds a route, with more that the proxy shall know of it.
    fn add(&self, path: &str, target: &str, more: &str) -> anyhow::Result<()> {
        let body = format!("{{\"target\": \"{target}\"{more}}}");
        let answer = self.ask("POST", path, &body)?;
        ensure!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        Ok(())
    }

    /// The routes that are not the hub's.
    fn expect_no_route(&self) -> anyhow::Result<()> {
        let answer = self.ask("GET", "", "")?;
        ensure!(!answer.contains(".probe-"), "a route is left: {answer}");
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
        ask(self.api, method, path, body)
    }
}

/// Asks the API on this port.
fn ask(port: u16, method: &str, path: &str, body: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let length = body.len();
    write!(
        stream,
        "{method} /api/routes{path} HTTP/1.1\r\nhost: x\r\nauthorization: token {TOKEN}\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    std::io::read_to_string(stream).context("the proxy's answer")
}

fn healthy() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let ended = fixture.check(&["--probe", "deep"])?;
    for aspect in ["health", "api", "hub-route", "routes", "latency", "eventloop-lag", "canary", "websocket"]
    {
        ended.expect(aspect, Success, "")?;
    }
    ended
        .expect_attachment("canary", "http-exchange.txt")?
        .expect_attachment("eventloop-lag", "metrics.json")?;
    ended.expect_end(0, LIMIT)?;
    fixture.expect_no_route()
}

fn hub_dead() -> anyhow::Result<()> {
    let mut fixture = Fixture::start()?;
    fixture.hub.kill()?;
    let ended = fixture.check(&["--probe", "deep"])?;
    ended.expect("health", Success, "")?.expect("api", Success, "")?.expect("canary", Success, "")?;
    ended.expect("hub-route", Fail, "answers 503")?.expect(
        "hub-route",
        Fail,
        "the hub itself: connect failed",
    )?;
    ended.expect("routes", Fail, "stale_routes = 1 is outside of the critical range 0")?;
    ended.expect_attachment("routes", "stale-routes.txt")?.expect_end(1, LIMIT)
}

fn hub_frozen() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    fixture.hub.freeze()?;
    let ended = fixture.check(&SHORT)?;
    ended.expect("health", Success, "")?.expect("hub-route", Fail, "did not answer within 500 ms")?;
    ended.expect_end(1, LIMIT)
}

fn no_hub_route() -> anyhow::Result<()> {
    let fixture = Fixture::with(None, TOKEN, false)?;
    let ended = fixture.check(&[])?;
    ended.expect("health", Success, "")?.expect("hub-route", Fail, "no route leads to a hub")?;
    ended.expect_end(1, LIMIT)
}

fn wrong_token() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    fs::write(fixture.token(), "another-token")?;
    let ended = fixture.check(&["--probe", "deep"])?;
    ended.expect("health", Success, "")?.expect("api", Fail, "refuses the token (403)")?;
    for aspect in ["hub-route", "routes", "canary", "websocket"] {
        ended.expect(aspect, Skip, "proxy.it.api")?;
    }
    ended.expect_end(1, LIMIT)
}

fn no_token() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let ended = fixture.check_with(&[])?;
    ended.expect("health", Success, "")?.expect("api", Skip, "there is no token")?;
    ended.expect("routes", Skip, "proxy.it.api")?.expect_end(0, LIMIT)
}

fn open_to_all() -> anyhow::Result<()> {
    // A web server in the place of the API accepts every token.
    let fixture = Fixture::start()?;
    let folder = tempfile::tempdir()?;
    fs::create_dir(folder.path().join("api"))?;
    fs::write(folder.path().join("api/routes"), "{\"/\": {\"target\": \"http://127.0.0.1:1\"}}")?;
    let open = Server::of_files(folder.path())?;
    let ended = Fixture { api: open.port, ..fixture }.check(&["--only", "api"])?;
    ended.expect("api", Fail, "it accepts a wrong token")?.expect_end(1, LIMIT)
}

fn stale_route() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let [nobody] = free_ports()?;
    fixture.add("/user/gone", &format!("http://127.0.0.1:{nobody}"), "")?;
    let ended = fixture.check(&[])?;
    ended.expect("hub-route", Success, "")?;
    ended.expect("routes", Fail, "stale_routes = 1 is outside of the critical range 0")?;
    ended.expect_attachment("routes", "stale-routes.txt")?.expect_end(1, LIMIT)?;
    let ended = fixture.check(&["-c", "stale_routes=1"])?;
    ended.expect("routes", Success, "")?.expect_end(0, LIMIT)
}

fn canary_lost() -> anyhow::Result<()> {
    // Orders go to one proxy, requests to another one: what was ordered is not done.
    let (fixture, other) = (Fixture::start()?, Fixture::start()?);
    let crossed = Fixture { api: other.api, ..fixture };
    let ended = crossed.check(&["--only", "canary", "--only", "websocket"])?;
    ended.expect("canary", Fail, "through the new route, ")?.expect("canary", Fail, "answers 404")?;
    ended.expect("websocket", Fail, "the proxy opens no WebSocket")?.expect_end(1, LIMIT)?;
    crossed.expect_no_route()
}

fn left_behind() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let target = fixture.hub.url("http", "");
    // One that an earlier run has left, one of a run that may still be at it, one of somebody else.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    fixture.add("/.probe-old", &target, ", \"subunit_check\": 1")?;
    fixture.add("/.probe-new", &target, &format!(", \"subunit_check\": {now}"))?;
    fixture.add("/.probe-other", &target, "")?;
    let ended = fixture.check(&["--only", "canary"])?;
    ended.expect("canary", Success, "")?.expect_end(0, LIMIT)?;
    let routes = fixture.ask("GET", "", "")?;
    let is_there = |path: &str| routes.contains(path);
    ensure!(!is_there("probe-old") && is_there("probe-new") && is_there("probe-other"), "{routes}");
    Ok(())
}

/// A check that is at its canary when it gets a signal: orders go to one proxy, requests to another one, which says
/// nothing.
fn signalled(home: &Path, sent: Signal) -> anyhow::Result<(Fixture, Ended)> {
    let (frozen, other) = (Fixture::start()?, Fixture::start()?);
    frozen.proxy.freeze()?;
    let (token, api) = (other.token().display().to_string(), format!("http://127.0.0.1:{}", other.api));
    let url = frozen.proxy.url("http", "");
    let arguments = ["--only=canary", "--op-timeout=15s", "--token-file", &token, "--api-url", &api, &url];
    let (word, port) = (url.clone(), other.api);
    let pipeline = Pipeline::of("proxy", home, &arguments).beside(move || {
        eventually("the route is there", || Ok(ask(port, "GET", "", "")?.contains("/.probe-")))?;
        signal("proxy", OsStr::new(&word), sent)
    });
    Ok((other, pipeline.run()?))
}

fn terminated() -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let (other, ended) = signalled(home.path(), Signal::TERM)?;
    ended.expect("canary", Fail, "a signal ended the check")?.expect_tag("canary", "interrupted")?;
    ended.expect_end(143, Duration::from_secs(5))?;
    other.expect_no_route()
}

fn killed_check() -> anyhow::Result<()> {
    let home = tempfile::tempdir()?;
    let only = ["--only", "routes", "--only", "canary"];
    for aspects in [&only[..], &only[2..]] {
        let (fixture, killed) = signalled(home.path(), Signal::KILL)?;
        killed.expect_end(137, LIMIT)?;
        ensure!(fixture.ask("GET", "", "")?.contains("/.probe-"), "it had time to remove its route");
        // Of another user or host it may be at work: it is not stale, and nobody else's to remove.
        let ended = fixture.check(&["--only", "routes"])?;
        ended.expect_summary("routes", "1 routes, 0 stale")?.expect_end(0, LIMIT)?;
        ensure!(fixture.ask("GET", "", "")?.contains("/.probe-"), "the route of another was removed");
        let ended = fixture.check_at(home.path(), aspects)?;
        ended.expect("canary", Success, "")?;
        if aspects.contains(&"routes") {
            ended.expect_summary(
                "routes",
                "removed what a killed run of this check had left behind: /.probe-",
            )?;
        }
        ended.expect_end(0, LIMIT)?;
        fixture.expect_no_route()?;
    }
    Ok(())
}

fn frozen() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    fixture.proxy.freeze()?;
    let ended = fixture.check(&[&SHORT[..], &["--probe", "deep"]].concat())?;
    ended.expect("health", Fail, "accepts connections, but did not answer within 500 ms")?;
    ended.expect("api", Fail, "did not answer")?;
    for aspect in ["hub-route", "routes", "latency", "eventloop-lag", "canary", "websocket"] {
        ended.expect(aspect, Skip, "proxy.it.")?;
    }
    ended.expect_end(1, Duration::from_secs(2))
}

fn killed() -> anyhow::Result<()> {
    let mut fixture = Fixture::start()?;
    fixture.proxy.kill()?;
    let ended = fixture.check(&["--probe", "deep"])?;
    ended.expect("health", Fail, "nothing listens there")?.expect("api", Fail, "nothing listens there")?;
    ended.expect("canary", Skip, "proxy.it.")?.expect_end(1, LIMIT)
}

fn slow_event_loop() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let ended = fixture.check(&["-w", "eventloop_lag_p99_seconds=1ns", "-c", "request_seconds_p50=1ns"])?;
    ended
        .expect("eventloop-lag", Success, "outside of the warning range 1ns")?
        .expect_tag("eventloop-lag", "warning")?;
    ended.expect("latency", Fail, "request_seconds_p50 = ")?.expect_end(1, LIMIT)?;
    let health = fixture.proxy.url("http", "/_chp_healthz");
    let ended = fixture.check_with(&["--only", "eventloop-lag"])?;
    ended.expect("eventloop-lag", Success, "")?;
    let arguments = ["--only", "eventloop-lag", "--metrics-url", health.as_str(), health.as_str()];
    let ended = Pipeline::of("proxy", tempfile::tempdir()?.path(), &arguments).run()?;
    ended
        .expect("eventloop-lag", Fail, "does not tell nodejs_eventloop_lag_p99_seconds")?
        .expect_end(1, LIMIT)
}

fn tls() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let pair = authority.issue("IP:127.0.0.1", 60)?;
    let fixture = Fixture::with(Some(&pair), TOKEN, true)?;
    let ended = fixture.check(&["--probe", "deep", "--ca", &authority.trusted()])?;
    for aspect in ["tls", "health", "hub-route", "canary", "websocket"] {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect_end(0, LIMIT)?;
    let other = Authority::new()?;
    let ended = fixture.check(&["--ca", &other.trusted()])?;
    ended.expect("tls", Fail, "is not trusted")?.expect("health", Fail, "is not trusted")?;
    ended.expect_end(1, LIMIT)?;
    let expired = authority.issue("IP:127.0.0.1", -3)?;
    let fixture = Fixture::with(Some(&expired), TOKEN, true)?;
    let ended = fixture.check(&["--ca", &authority.trusted()])?;
    ended.expect("tls", Fail, "the certificate has expired")?.expect_end(1, LIMIT)
}

fn not_a_proxy() -> anyhow::Result<()> {
    let fixture = Fixture::start()?;
    let arguments = ["--only", "health", &fixture.hub.url("http", "")];
    let ended = Pipeline::of("proxy", tempfile::tempdir()?.path(), &arguments).run()?;
    ended.expect("health", Fail, "answers 404")?.expect_end(1, LIMIT)
}
