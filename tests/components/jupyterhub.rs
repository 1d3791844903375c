//! `check-jupyterhub` against a real hub behind a real proxy, with users whose servers do as their names say.

mod hub;

pub(crate) use self::hub::{Hub, environment};

use std::ffi::OsStr;
use std::fs;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use process::Signal;
use subunit::Status::{Fail, Skip, Success};

use crate::fixtures::eventually;
use crate::pipeline::{Pipeline, signal, terminate};
use crate::servers::{Authority, Server, proxy};
use crate::{Need, Scenario};

/// One hub is shared by most; the last ones take theirs away.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.jupyterhub.healthy", healthy),
    scenario("components.jupyterhub.own-token", own_token),
    scenario("components.jupyterhub.bad-token", bad_token),
    scenario("components.jupyterhub.missing-scope", missing_scope),
    scenario("components.jupyterhub.no-token", no_token),
    scenario("components.jupyterhub.thresholds", thresholds),
    scenario("components.jupyterhub.wrong-base-path", wrong_base_path),
    scenario("components.jupyterhub.no-such-user", no_such_user),
    scenario("components.jupyterhub.refused-spawn", refused_spawn),
    scenario("components.jupyterhub.late-failure", late_failure),
    scenario("components.jupyterhub.slow-spawn", slow_spawn),
    scenario("components.jupyterhub.hanging-spawn", hanging_spawn),
    scenario("components.jupyterhub.terminated", terminated),
    scenario("components.jupyterhub.killed-check", killed_check),
    scenario("components.jupyterhub.already-running", already_running),
    scenario("components.jupyterhub.similar-name", similar_name),
    scenario("components.jupyterhub.nothing-to-stop", nothing_to_stop),
    scenario("components.jupyterhub.dead-server", dead_server),
    scenario("components.jupyterhub.may-not-stop", may_not_stop),
    scenario("components.jupyterhub.clinging-server", clinging_server),
    scenario("components.jupyterhub.lost-route", lost_route),
    scenario("components.jupyterhub.stale-route", stale_route),
    scenario("components.jupyterhub.self-signed", self_signed),
    scenario("components.jupyterhub.frozen", frozen),
    scenario("components.jupyterhub.service-down", service_down),
    scenario("components.jupyterhub.dead", dead),
];

const fn scenario(id: &'static str, run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs: HUB, run }
}

const HUB: &[Need] = &[
    Need::Program("node"),
    Need::Program("npm"),
    Need::Program("python3"),
    Need::Program("openssl"),
    Need::Program("timeout"),
    Need::Brought(missing),
];

pub(crate) fn missing() -> Option<String> {
    let brought = proxy().and_then(|_| environment());
    brought.err().map(|error| format!("there is no hub: {error:#}"))
}

const DEEP: [&str; 2] = ["--probe", "deep"];
const CHAIN: [&str; 4] = ["--probe", "deep", "--only", "server.*"];
const LIMIT: Duration = Duration::from_secs(60);
/// A real server takes seconds to start, on a busy machine many.
const PATIENT: [&str; 2] = ["--timeout", "50s"];

fn healthy() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let scope = ["--scope", "servers!user=probe", "--user", "probe", "--page-size", "5"];
    let ended = hub.check(&[&DEEP[..], &PATIENT, &scope, &["--min-version", "6.1"]].concat())?;
    for aspect in ["health", "version", "token", "users", "services", "proxy-routes", "metrics", "latency"] {
        ended.expect(aspect, Success, "")?;
    }
    for aspect in ["server.start", "server.ready", "server.api", "server.stop", "server.gone"] {
        ended.expect(aspect, Success, "")?;
    }
    ended.expect_attachment("users", "metrics.json")?.expect_attachment("token", "scopes.txt")?;
    ended.expect_end(0, LIMIT)?;
    hub.expect_no_server("probe")
}

fn own_token() -> anyhow::Result<()> {
    // Of a user: its end is known, and whose server it is for.
    let hub = Hub::shared()?;
    let said = hub.ask("POST", "api/users/owner/tokens", "{\"expires_in\": 600}")?;
    let (_, rest) = said.split_once("\"token\": \"").with_context(|| format!("no token in {said}"))?;
    fs::write(hub.path("owner"), rest.split('"').next().unwrap_or_default())?;
    let ended = hub
        .check_with("owner", &[&CHAIN[..], &["--only", "token", "--scope", "servers!user=owner"]].concat())?;
    ended.expect("token", Success, "token_days = ")?.expect_tag("token", "warning")?;
    ended.expect("server.api", Success, "")?.expect("server.gone", Success, "")?.expect_end(0, LIMIT)?;
    hub.expect_no_server("owner")
}

fn bad_token() -> anyhow::Result<()> {
    let ended = Hub::shared()?.check_with("wrong", &[&DEEP[..], &["--user", "idle"]].concat())?;
    ended.expect("health", Success, "")?.expect("version", Success, "")?;
    ended.expect("token", Fail, "the hub refuses the token: 403")?;
    for aspect in ["users", "services", "proxy-routes", "server.start", "server.gone"] {
        ended.expect(aspect, Skip, "jupyterhub.it.token")?;
    }
    ended.expect_end(1, LIMIT)
}

fn missing_scope() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check_with("poor", &[&DEEP[..], &["--user", "idle"]].concat())?;
    ended.expect("token", Success, "")?;
    ended.expect("users", Fail, "any of the scopes [list:users]")?.expect_tag("users", "unknown")?;
    ended.expect("services", Fail, "[list:services]")?.expect_tag("services", "infrastructure")?;
    ended.expect("proxy-routes", Fail, "scopes")?.expect("metrics", Fail, "read:metrics")?;
    ended.expect("server.start", Fail, "scopes")?.expect_tag("server.start", "unknown")?;
    ended.expect("server.stop", Skip, "server.start")?.expect_end(1, LIMIT)?;
    let ended = hub.check_with("poor", &["--only", "token", "--scope", "list:users"])?;
    ended.expect("token", Fail, "of the service poor lacks the scopes list:users")?.expect_end(1, LIMIT)
}

fn no_token() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let home = tempfile::tempdir()?;
    let ended = Pipeline::of("jupyterhub", home.path(), &[&hub.url()]).run()?;
    ended.expect("health", Success, "")?.expect("version", Success, "")?.expect("latency", Success, "")?;
    ended.expect("token", Skip, "there is no token")?.expect("metrics", Skip, "it takes a token")?;
    ended.expect("users", Skip, "jupyterhub.it.token")?.expect_end(0, LIMIT)
}

fn thresholds() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ranges = ["-c", "request_seconds_p50=1ns", "-w", "users=3", "-c", "running_servers=@0:1000"];
    let ended = hub.check(&[&ranges[..], &["--min-version", "99"]].concat())?;
    ended.expect("version", Fail, "is older than 99")?.expect("latency", Fail, "request_seconds_p50")?;
    ended.expect("users", Success, "outside of the warning range 3")?.expect_tag("users", "warning")?;
    ended.expect("metrics", Fail, "running_servers")?.expect_end(1, LIMIT)
}

fn wrong_base_path() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let (home, url) = (tempfile::tempdir()?, hub.url().replace("/base", ""));
    let ended = Pipeline::of("jupyterhub", home.path(), &[&url]).run()?;
    ended.expect("health", Fail, "another base path")?.expect("version", Skip, "jupyterhub.it.health")?;
    ended.expect_end(1, LIMIT)
}

fn no_such_user() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "nobody"]].concat())?;
    ended.expect("server.start", Fail, "the hub has no user nobody")?.expect("server.gone", Skip, "")?;
    ended.expect_end(1, LIMIT)?;
    // Of a service, and no user is named.
    let ended = hub.check(&CHAIN)?;
    ended.expect("server.start", Fail, "of no user")?.expect_tag("server.start", "unknown")?;
    ended.expect_end(1, LIMIT)
}

fn refused_spawn() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "refused"]].concat())?;
    ended.expect("server.start", Fail, "does not start: 500")?;
    ended.expect_attachment("server.start", "http-exchange.txt")?;
    for aspect in ["server.ready", "server.api", "server.stop", "server.gone"] {
        ended.expect(aspect, Skip, "jupyterhub.it.server.")?;
    }
    ended.expect_end(1, LIMIT)?;
    hub.expect_no_server("refused")
}

fn late_failure() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "late"]].concat())?;
    ended.expect("server.start", Success, "")?;
    ended.expect("server.ready", Fail, "did not start: Spawn failed: there was no room in the end")?;
    ended.expect_attachment("server.ready", "progress.jsonl")?.expect("server.stop", Skip, "server.ready")?;
    ended.expect_end(1, LIMIT)?;
    hub.expect_no_server("late")
}

fn slow_spawn() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "slow", "-w", "spawn_seconds=1"]].concat())?;
    ended.expect("server.ready", Success, "spawn_seconds = ")?.expect_tag("server.ready", "warning")?;
    ended.expect_attachment("server.ready", "progress.jsonl")?;
    ended.expect("server.api", Success, "")?.expect("server.gone", Success, "")?.expect_end(0, LIMIT)?;
    hub.expect_no_server("slow")
}

fn hanging_spawn() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "hang", "--timeout", "3s"]].concat())?;
    ended.expect("server.start", Success, "")?.expect(
        "server.ready",
        Fail,
        "(spawn); the last word was: step",
    )?;
    ended.expect_attachment("server.ready", "progress.jsonl")?.expect("server.stop", Skip, "server.ready")?;
    ended.expect_end(1, Duration::from_secs(9))?;
    hub.expect_no_server("hang")
}

fn terminated() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let (url, seen) = (hub.url(), hub.clone());
    let arguments = [&CHAIN[..], &["--user", "interrupted", "--timeout", "40s"]].concat();
    let pipeline = hub.pipeline("checker", &arguments)?.beside(move || {
        eventually("the start has begun", || {
            Ok(seen.user("interrupted")?.contains("\"pending\": \"spawn\""))
        })?;
        terminate("jupyterhub", OsStr::new(&url))
    });
    let ended = pipeline.run()?;
    // It waits for the answer of the hub, or for the events that follow.
    let told = |aspect| ended.expect(aspect, Fail, "a signal ended the check while it waited for ");
    let told = told("server.start").or_else(|_| told("server.ready"))?;
    told.expect_tag("server.start", "interrupted")
        .or_else(|_| told.expect_tag("server.ready", "interrupted"))?;
    ended.expect_end(143, Duration::from_secs(15))?;
    hub.expect_no_server("interrupted")
}

/// Runs a check that is killed once the hub says this of the user's server.
fn kill_at(hub: &std::sync::Arc<Hub>, user: &'static str, word: &'static str) -> anyhow::Result<()> {
    let (url, seen) = (hub.url(), hub.clone());
    let arguments = [&CHAIN[..], &["--user", user, "--timeout", "40s"]].concat();
    let pipeline = hub.pipeline("checker", &arguments)?.beside(move || {
        eventually("the server is so far", || Ok(seen.user(user)?.contains(word)))?;
        signal("jupyterhub", OsStr::new(&url), Signal::KILL)
    });
    pipeline.run()?.expect_end(137, LIMIT)?;
    let said = hub.user(user)?;
    ensure!(said.contains(word), "the killed check has stopped the server: {said}");
    Ok(())
}

fn killed_check() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    // The start is not over: it is that of a killed run, and is begun anew.
    kill_at(&hub, "interrupted", "\"pending\": \"spawn\"")?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "interrupted", "--timeout", "3s"]].concat())?;
    ended.expect_summary(
        "server.start",
        "one that an earlier run of this check had left behind was stopped",
    )?;
    ended.expect("server.ready", Fail, "is not ready")?.expect_end(1, LIMIT)?;
    hub.expect_no_server("interrupted")?;
    // Only to be stopped.
    kill_at(&hub, "interrupted", "\"pending\": \"spawn\"")?;
    let ended = hub.check(&["--only", "stop_session", "--user", "interrupted"])?;
    ended.expect_summary("server.stop", "an earlier run had started it")?;
    ended.expect("server.gone", Success, "")?.expect_end(0, LIMIT)?;
    hub.expect_no_server("interrupted")?;
    // What the user has started since is the user's.
    hub.start_server("running")?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "running"]].concat())?;
    ended.expect("server.start", Fail, "has a server already")?.expect_end(1, LIMIT)?;
    hub.ask("DELETE", "api/users/running/server", "")?;
    Ok(())
}

fn already_running() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    hub.start_server("running")?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "running"]].concat())?;
    ended.expect("server.start", Fail, "has a server already, it is ready since")?;
    ended.expect_tag("server.start", "unknown")?.expect("server.stop", Skip, "server.start")?;
    ended.expect_end(1, LIMIT)?;
    // By their old names: one looks at it, the other does not stop it.
    let ended = hub.check(&["--only", "check_session", "--user", "running"])?;
    ended.expect("server.ready", Success, "")?.expect("server.api", Success, "")?.expect_end(0, LIMIT)?;
    let ended = hub.check(&["--only", "stop_session", "--user", "running"])?;
    ended.expect("server.stop", Skip, "has not started the server")?.expect_end(4, LIMIT)?;
    let ended = hub.check(&["--only", "server.gone", "--user", "running"])?;
    ended.expect("server.gone", Fail, "running has a server")?.expect_end(1, LIMIT)?;
    let said = hub.user("running")?;
    ensure!(said.contains("\"ready\": true"), "the server was touched: {said}");
    hub.ask("DELETE", "api/users/running/server", "")?;
    Ok(())
}

/// `idler` has a server: that is none of `idle`.
fn similar_name() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    hub.start_server("idler")?;
    let ended = hub.check(&["--only", "check_session", "--user", "idle"]);
    let other = hub.check(&["--only", "check_session", "--user", "idler"]);
    hub.ask("DELETE", "api/users/idler/server", "")?;
    ended?.expect("server.ready", Fail, "idle has no server")?.expect_end(1, LIMIT)?;
    other?.expect("server.ready", Success, "")?.expect_end(0, LIMIT)
}

fn nothing_to_stop() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    // The hub itself says yes to this.
    let said = hub.ask("DELETE", "api/users/idle/server", "")?;
    ensure!(said.starts_with("HTTP/1.1 204"), "{said}");
    let ended = hub.check(&["--only", "stop_session", "--user", "idle"])?;
    ended.expect("server.stop", Skip, "idle has no server")?.expect_end(4, LIMIT)?;
    let ended = hub.check(&["--only", "check_session", "--user", "idle"])?;
    ended.expect("server.ready", Fail, "idle has no server")?.expect_end(1, LIMIT)
}

fn dead_server() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "mortal"]].concat())?;
    hub.expect_no_server("mortal")?;
    ended.expect("server.start", Success, "")?.expect("server.ready", Success, "")?;
    ended.expect("server.api", Fail, "is ready, but it does not answer: 503")?;
    ended.expect("server.stop", Skip, "was not running any more")?.expect_end(1, LIMIT)
}

fn may_not_stop() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check_with("starter", &[&CHAIN[..], &["--user", "kept"]].concat())?;
    ended.expect("server.api", Success, "")?.expect(
        "server.stop",
        Fail,
        "any of the scopes [delete:servers]",
    )?;
    ended.expect_tag("server.stop", "unknown")?.expect("server.gone", Skip, "server.stop")?;
    ended.expect("clean-up", Fail, "of kept that this check has started could not be stopped: 403")?;
    ended.expect_end(1, LIMIT)?;
    hub.ask("DELETE", "api/users/kept/server", "")?;
    eventually("the server is gone", || Ok(hub.user("kept")?.contains("\"servers\": {}")))
}

fn clinging_server() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let ended = hub.check(&[&CHAIN[..], &["--user", "clinging", "--timeout", "4s"]].concat())?;
    fs::write(hub.path("let-go"), "")?;
    eventually("the server is gone", || Ok(hub.user("clinging")?.contains("\"servers\": {}")))?;
    fs::remove_file(hub.path("let-go"))?;
    ended.expect("server.stop", Success, "")?;
    ended.expect("server.gone", Fail, "is not gone: it is pending (stop)")?;
    ended.expect_end(1, Duration::from_secs(20))
}

fn lost_route() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    hub.start_server("routed")?;
    let only = ["--only", "proxy-routes"];
    hub.check(&only)?.expect("proxy-routes", Success, "")?.expect_end(0, LIMIT)?;
    hub.order("DELETE", "/base/user/routed", "")?;
    let ended = hub.check(&only)?;
    ended.expect("proxy-routes", Fail, "missing_routes = 1 is outside of the critical range 0")?;
    ended.expect_attachment("proxy-routes", "routes.txt")?.expect_end(1, LIMIT)?;
    hub.ask("DELETE", "api/users/routed/server", "")?;
    Ok(())
}

fn stale_route() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    let target = format!("http://127.0.0.1:{}", hub.hub_port);
    let body = format!(
        "{{\"target\": \"{target}\", \"user\": \"ghost\", \"server_name\": \"\", \"jupyterhub\": true}}"
    );
    let said = hub.order("POST", "/base/user/ghost", &body)?;
    ensure!(said.starts_with("HTTP/1.1 201"), "{said}");
    let ended = hub.check(&["--only", "proxy-routes"]);
    hub.order("DELETE", "/base/user/ghost", "")?;
    let ended = ended?;
    ended.expect("proxy-routes", Success, "stale_routes = 1 is outside of the warning range 0")?;
    ended.expect_tag("proxy-routes", "warning")?.expect_end(0, LIMIT)
}

fn service_down() -> anyhow::Result<()> {
    let hub = Hub::own()?;
    hub.kill_service()?;
    let ended = hub.check(&["--only", "services"])?;
    ended.expect("services", Fail, "a service is down: page: ")?.expect("services", Fail, "answers 503")?;
    ended.expect_attachment("services", "services-down.txt")?.expect_end(1, LIMIT)?;
    let ended = hub.check(&["--only", "services", "-c", "services_down=1"])?;
    ended.expect("services", Success, "a service is down")?.expect_tag("services", "warning")?;
    ended.expect_end(0, LIMIT)
}

fn self_signed() -> anyhow::Result<()> {
    // Another proxy in front of the same hub.
    let (hub, authority, program) = (Hub::shared()?, Authority::new()?, proxy()?);
    let pair = authority.self_signed()?;
    let (server, _) = Server::start("node", |command, [port, api]: [u16; 2]| {
        command.arg(&program).args(["--ip", "127.0.0.1", "--api-ip", "127.0.0.1", "--log-level", "error"]);
        command.args(["--port", &port.to_string(), "--api-port", &api.to_string()]);
        command.args(["--default-target", &format!("http://127.0.0.1:{}", hub.hub_port)]);
        command.arg("--ssl-cert").arg(&pair.certificate).arg("--ssl-key").arg(&pair.key);
    })?;
    let url = server.url("https", "/base");
    let check = |arguments: &[&str]| {
        let home = tempfile::tempdir()?;
        let only = ["--only", "tls", "--only", "health", "--only", "version"];
        Pipeline::of("jupyterhub", home.path(), &[&only[..], arguments, &[&url]].concat()).run()
    };
    let ended = check(&[])?;
    ended.expect("tls", Fail, "the certificate is self-signed")?.expect("health", Fail, "self-signed")?;
    ended.expect("version", Skip, "jupyterhub.it.health")?.expect_end(1, LIMIT)?;
    let ended = check(&["--ca", &pair.certificate.display().to_string()])?;
    ended.expect("tls", Success, "")?.expect("version", Success, "")?.expect_end(0, LIMIT)?;
    let ended = check(&["--insecure"])?;
    ended.expect("health", Success, "")?.expect_tag("health", "insecure")?.expect_end(0, LIMIT)
}

fn frozen() -> anyhow::Result<()> {
    let hub = Hub::shared()?;
    hub.signal(Signal::STOP)?;
    let short = ["--op-timeout", "500ms", "--timeout", "3s", "--user", "idle"];
    let ended = hub.check(&[&DEEP[..], &short].concat());
    // Asked directly, too.
    let start = hub.check(&[&short[..], &["--only", "server.start"]].concat());
    hub.signal(Signal::CONT)?;
    let ended = ended?;
    ended.expect("health", Fail, "accepts connections, but did not answer within 500 ms")?;
    for aspect in ["version", "token", "latency", "server.start", "server.gone"] {
        ended.expect(aspect, Skip, "jupyterhub.it.health")?;
    }
    ended.expect_end(1, Duration::from_secs(2))?;
    start?.expect("server.start", Fail, "did not answer")?.expect_end(1, Duration::from_secs(2))
}

fn dead() -> anyhow::Result<()> {
    let hub = Hub::own()?;
    hub.signal(Signal::KILL)?;
    let ended = hub.check(&[&DEEP[..], &["--user", "idle"]].concat())?;
    ended.expect("health", Fail, "the proxy answers, but the hub behind it does not (503")?;
    for aspect in ["version", "token", "metrics", "server.start"] {
        ended.expect(aspect, Skip, "jupyterhub.it.health")?;
    }
    ended.expect_end(1, LIMIT)
}
