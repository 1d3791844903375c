//! `check-http` against web servers in every state.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use subunit::Status::{Fail, Skip, Success};
use tempfile::TempDir;

use crate::pipeline::{Ended, Pipeline, terminate};
use crate::servers::{Authority, Server, free_ports};
use crate::{Need, Scenario};

const WEB: &[Need] = &[Need::Program("python3"), Need::Program("timeout")];
const TLS: &[Need] = &[Need::Program("openssl"), Need::Program("timeout")];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.http.healthy", WEB, healthy),
    scenario("components.http.nobody-listens", &[], nobody_listens),
    scenario("components.http.no-such-name", &[], no_such_name),
    scenario("components.http.not-found", WEB, not_found),
    scenario("components.http.wrong-body", WEB, wrong_body),
    scenario("components.http.too-slow", WEB, too_slow),
    scenario("components.http.frozen", WEB, frozen),
    scenario("components.http.killed", WEB, killed),
    scenario("components.http.terminated", WEB, terminated),
    scenario("components.http.tls-healthy", TLS, tls_healthy),
    scenario("components.http.tls-untrusted", TLS, tls_untrusted),
    scenario("components.http.tls-expired", TLS, tls_expired),
    scenario("components.http.tls-expires-soon", TLS, tls_expires_soon),
    scenario("components.http.tls-other-name", TLS, tls_other_name),
    scenario("components.http.tls-self-signed", TLS, tls_self_signed),
    scenario("components.http.tls-too-old", TLS, tls_too_old),
    scenario("components.http.tls-none", WEB, tls_none),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// Short limits for what hangs: half a second for an operation, two for a test.
const SHORT: [&str; 4] = ["--op-timeout", "500ms", "--timeout", "2s"];
/// The usual limit for all tests.
const LIMIT: Duration = Duration::from_secs(20);

fn check(arguments: &[&str]) -> anyhow::Result<Ended> {
    Pipeline::of("http", tempfile::tempdir()?.path(), arguments).run()
}

/// A web server with one file, `/health`.
fn web() -> anyhow::Result<(TempDir, Server)> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("health"), "{\"status\": \"ok\"}\n")?;
    let server = Server::of_files(folder.path())?;
    Ok((folder, server))
}

fn healthy() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    let ended = check(&["--match", "\"status\": *\"ok\"", &server.url("http", "/health")])?;
    for aspect in ["resolve", "connect", "status", "body", "latency"] {
        ended.expect(aspect, Success, "")?;
    }
    ended
        .expect_attachment("status", "http-exchange.txt")?
        .expect_attachment("status", "metrics.json")?
        .expect_attachment("latency", "samples.csv")?
        .expect_end(0, LIMIT)
}

fn nobody_listens() -> anyhow::Result<()> {
    let [port] = free_ports()?;
    let ended = check(&[&format!("http://127.0.0.1:{port}/")])?;
    ended.expect("connect", Fail, "nothing listens there (ECONNREFUSED")?;
    ended.expect("status", Skip, "http.it.connect")?.expect("body", Skip, "")?.expect_end(1, LIMIT)
}

fn no_such_name() -> anyhow::Result<()> {
    let ended = check(&[&SHORT[..], &["http://no-such-name.invalid/"]].concat())?;
    ended.expect("resolve", Fail, "the name no-such-name.invalid")?.expect(
        "connect",
        Skip,
        "http.it.resolve",
    )?;
    ended.expect_end(1, Duration::from_secs(2))
}

fn not_found() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    let url = server.url("http", "/nothing");
    let ended = check(&[&url])?;
    ended.expect("connect", Success, "")?.expect("status", Fail, "answers 404")?;
    ended.expect_attachment("status", "http-exchange.txt")?.expect("body", Skip, "http.it.status")?;
    ended.expect_end(1, LIMIT)?;
    check(&["--status", "404", &url])?.expect("status", Success, "")?.expect_end(0, LIMIT)
}

fn wrong_body() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    let url = server.url("http", "/health");
    let body = |arguments: &[&str], reason: &str| {
        let ended = check(&[arguments, &["--only", "body", url.as_str()]].concat())?;
        ended.expect("body", Fail, reason)?.expect_end(1, LIMIT)
    };
    body(&["--match", "up", "--match", "status"], "the body does not match `up`")?;
    body(&["--no-match", "stat.s"], "the body matches `stat.s`")?;
    body(&["-c", "body_bytes=1kB:"], "body_bytes = 17 B is outside of the critical range 1kB:")?;
    body(&["--max-body", "4B"], "longer than 4 bytes")
}

fn too_slow() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    let url = server.url("http", "/health");
    let ended = check(&["-w", "total_seconds=1ns", "-c", "request_seconds_p50=1ns", &url])?;
    ended.expect("status", Success, "outside of the warning range 1ns")?.expect_tag("status", "warning")?;
    ended.expect("latency", Fail, "request_seconds_p50 = ")?.expect_end(1, LIMIT)
}

fn frozen() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    server.freeze()?;
    let ended = check(&[&SHORT[..], &[&server.url("http", "/health")]].concat())?;
    // The kernel takes connections for it.
    ended.expect("connect", Success, "")?;
    ended.expect("status", Fail, "accepts connections, but did not answer within 500 ms")?;
    ended.expect("latency", Skip, "http.it.status")?.expect_end(1, Duration::from_secs(1))
}

fn killed() -> anyhow::Result<()> {
    let (_folder, mut server) = web()?;
    server.kill()?;
    let ended = check(&[&server.url("http", "/health")])?;
    ended.expect("connect", Fail, "nothing listens there")?.expect_end(1, LIMIT)
}

fn terminated() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/health", listener.local_addr()?);
    let home = tempfile::tempdir()?;
    let target = url.clone();
    let pipeline = Pipeline::of("http", home.path(), &["--op-timeout", "15s", &url]).beside(move || {
        // Once it has asked, it waits for an answer; nobody gives one.
        let asks = |connection: &TcpStream| {
            BufReader::new(connection).lines().map_while(Result::ok).any(|line| line.is_empty())
        };
        let _asking = listener.incoming().map_while(Result::ok).find(asks);
        terminate("http", OsStr::new(&target))
    });
    let ended = pipeline.run()?;
    ended.expect("status", Fail, "a signal ended the check")?.expect_tag("status", "interrupted")?;
    ended.expect_end(143, Duration::from_secs(3))
}

fn tls_healthy() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", 60)?, &[])?;
    let ended = check(&["--ca", &authority.trusted(), &server.url("https", "/")])?;
    for aspect in ["connect", "tls", "status", "body", "latency"] {
        ended.expect(aspect, Success, "")?;
    }
    // The authority's own certificate is not sent.
    ended.expect_attachment("tls", "certificates.txt")?.expect_end(0, LIMIT)
}

fn tls_untrusted() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", 60)?, &[])?;
    let url = server.url("https", "/");
    let refused = |arguments: &[&str], reason: &str| {
        let ended = check(&[arguments, &[url.as_str()]].concat())?;
        ended.expect("connect", Success, "")?.expect("tls", Fail, reason)?;
        ended.expect("status", Fail, reason)?.expect_end(1, LIMIT)
    };
    let own = authority.self_signed()?.certificate.display().to_string();
    refused(&["--ca", &own], "the certificate's issuer (CN=Authority) is not trusted; --ca FILE")?;
    let other = Authority::new()?;
    refused(&["--ca", &other.trusted()], "is not trusted: another one of that name is")?;
    refused(&[], "trust")?;
    let ended = check(&["--insecure", &url])?;
    ended.expect("tls", Success, "")?.expect("status", Success, "")?;
    ended.expect_tag("tls", "insecure")?.expect_tag("connect", "insecure")?.expect_end(0, LIMIT)
}

fn tls_expired() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", -3)?, &[])?;
    let ended = check(&["--ca", &authority.trusted(), &server.url("https", "/")])?;
    ended.expect("tls", Fail, "the certificate has expired, on 20")?;
    ended.expect_attachment("tls", "metrics.json")?.expect_end(1, LIMIT)?;
    // That nobody verifies it makes it no younger.
    let ended = check(&["--insecure", "--only", "tls", &server.url("https", "/")])?;
    ended.expect("tls", Fail, "certificate_days = -3")?.expect_end(1, LIMIT)
}

fn tls_expires_soon() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", 14)?, &[])?;
    let (ca, url) = (authority.trusted(), server.url("https", "/"));
    let tls =
        |arguments: &[&str]| check(&[&["--ca", &ca, "--only", "tls"], arguments, &[url.as_str()]].concat());
    let ended = tls(&[])?;
    ended.expect("tls", Success, "is outside of the warning range 21:")?.expect_tag("tls", "warning")?;
    tls(&["-c", "certificate_days=15:"])?.expect("tls", Fail, "critical range 15:")?.expect_end(1, LIMIT)?;
    tls(&["-w", "certificate_days=13:"])?.expect("tls", Success, "")?.expect_end(0, LIMIT)
}

fn tls_other_name() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("DNS:hub.example", 60)?, &[])?;
    let ca = authority.trusted();
    let ended = check(&["--ca", &ca, &server.url("https", "/")])?;
    ended.expect("tls", Fail, "the certificate is not for 127.0.0.1, but for hub.example")?;
    ended.expect_end(1, LIMIT)?;
    let place = format!("127.0.0.1:{}", server.port);
    let ended = check(&["--ca", &ca, "--connect-to", &place, "https://hub.example/"])?;
    ended.expect("tls", Success, "")?.expect("status", Success, "")?.expect_end(0, LIMIT)
}

fn tls_self_signed() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let own = authority.self_signed()?;
    let server = Server::of_tls(&own, &[])?;
    let url = server.url("https", "/");
    check(&["--ca", &authority.trusted(), &url])?.expect("tls", Fail, "--ca FILE")?.expect_end(1, LIMIT)?;
    let trusted = own.certificate.display().to_string();
    check(&["--ca", &trusted, &url])?.expect("tls", Success, "")?.expect_end(0, LIMIT)?;
    let place = format!("127.0.0.1:{}", server.port);
    let ended = check(&["--ca", &trusted, "--connect-to", &place, "https://hub.example/"])?;
    ended.expect("tls", Fail, "the certificate is not for hub.example")?.expect_end(1, LIMIT)
}

fn tls_too_old() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", 60)?, &["-tls1_2"])?;
    let (ca, url) = (authority.trusted(), server.url("https", "/"));
    check(&["--ca", &ca, &url])?.expect("tls", Success, "")?.expect_end(0, LIMIT)?;
    let ended = check(&["--ca", &ca, "--min-tls", "1.3", &url])?;
    ended.expect("tls", Fail, "TLS with 127.0.0.1")?.expect_end(1, LIMIT)
}

fn tls_none() -> anyhow::Result<()> {
    let (_folder, server) = web()?;
    let ended = check(&[&SHORT[..], &[&server.url("https", "/health")]].concat())?;
    ended.expect("connect", Success, "")?.expect("tls", Fail, "TLS")?.expect_end(1, LIMIT)
}
