//! `check-tcp` against ports in every state.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use subunit::Status::{Fail, Skip, Success};

use crate::pipeline::{Ended, Pipeline};
use crate::servers::{Authority, Server, free_ports};
use crate::{Need, Scenario};

const TLS: &[Need] = &[Need::Program("openssl"), Need::Program("timeout")];

pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("components.tcp.greeting", &[], greeting),
    scenario("components.tcp.other-greeting", &[], other_greeting),
    scenario("components.tcp.silent", &[], silent),
    scenario("components.tcp.hangs-up", &[], hangs_up),
    scenario("components.tcp.asked", &[], asked),
    scenario("components.tcp.nobody-listens", &[], nobody_listens),
    scenario("components.tcp.tls", TLS, tls),
];

const fn scenario(id: &'static str, needs: &'static [Need], run: fn() -> anyhow::Result<()>) -> Scenario {
    Scenario { id, needs, run }
}

/// A second for an operation.
const LIMIT: Duration = Duration::from_secs(4);

fn check(arguments: &[&str]) -> anyhow::Result<Ended> {
    let arguments = [&["--op-timeout", "500ms"], arguments].concat();
    Pipeline::of("tcp", tempfile::tempdir()?.path(), &arguments).run()
}

/// A port where every connection is treated like this, for as long as this process lives.
fn port(serve: fn(TcpStream)) -> anyhow::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let place = listener.local_addr()?.to_string();
    std::thread::spawn(move || listener.incoming().flatten().for_each(serve));
    Ok(place)
}

fn greet(mut stream: TcpStream) {
    let _gone = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n");
}

fn greeting() -> anyhow::Result<()> {
    let ended = check(&["--expect", "^SSH-2", &port(greet)?])?;
    ended.expect("connect", Success, "")?.expect("banner", Success, "")?;
    ended.expect_attachment("banner", "banner.txt")?.expect_end(0, LIMIT)
}

fn other_greeting() -> anyhow::Result<()> {
    let ended = check(&["--expect", "^220 ", &port(greet)?])?;
    ended.expect("banner", Fail, "says `SSH-2.0-OpenSSH_9.2p1 Debian-2`, which does not match `^220 `")?;
    ended.expect_end(1, LIMIT)
}

fn silent() -> anyhow::Result<()> {
    let place = port(|mut stream| {
        let _closed = stream.read_to_end(&mut Vec::new());
    })?;
    let ended = check(&["--expect", "^220 ", &place])?;
    ended.expect("connect", Success, "")?.expect("banner", Fail, "did not answer within 500 ms")?;
    ended.expect_end(1, LIMIT)
}

fn hangs_up() -> anyhow::Result<()> {
    let ended = check(&["--expect", ".", &port(drop)?])?;
    ended.expect("banner", Fail, "closed the connection without an answer")?.expect_end(1, LIMIT)
}

fn asked() -> anyhow::Result<()> {
    let place = port(|mut stream| {
        let mut said = [0; 6];
        let answer: &[u8] =
            if stream.read_exact(&mut said).is_ok() && &said == b"PING\r\n" { b"+PONG\r\n" } else { b"?" };
        let _gone = stream.write_all(answer);
    })?;
    let ended = check(&["--send", "PING\\r\\n", "--expect", "^\\+PONG", &place])?;
    ended.expect("banner", Success, "")?.expect_end(0, LIMIT)?;
    let ended = check(&["--send", "HELP\\r\\n", "--expect", "^\\+PONG", &place])?;
    ended.expect("banner", Fail, "says `?`")?.expect_end(1, LIMIT)
}

fn nobody_listens() -> anyhow::Result<()> {
    let [port] = free_ports()?;
    let ended = check(&["--expect", ".", &format!("127.0.0.1:{port}")])?;
    ended.expect("connect", Fail, "nothing listens there")?.expect("banner", Skip, "tcp.it.connect")?;
    ended.expect_end(1, LIMIT)
}

fn tls() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = Server::of_tls(&authority.issue("IP:127.0.0.1", 60)?, &[])?;
    let place = format!("127.0.0.1:{}", server.port);
    let ca = authority.trusted();
    check(&["--tls", "--ca", &ca, &place])?.expect("tls", Success, "")?.expect_end(0, LIMIT)?;
    let ended = check(&["--tls", "--ca", &ca, "--server-name", "hub.example", &place])?;
    ended.expect("tls", Fail, "not for hub.example")?.expect_end(1, LIMIT)?;
    let ended = check(&["--tls", "--expect", ".", &port(greet)?])?;
    ended.expect("tls", Fail, "what answers there is not TLS")?.expect_end(1, LIMIT)
}
