//! Through a proxy of HTTP, as caches are: it is told the whole address.

use std::io::{Read as _, Write as _};

use super::{Fault, FaultCause, Patience, Place, Response, Route, Stage, Trace, Url};

/// Bytes of an answer.
const ANSWER: u64 = 1 << 20;

/// Asks a proxy for what is at an address.
///
/// # Errors
///
/// When the proxy does not answer in time, or as HTTP has it.
pub fn get_through(proxy: &Place, url: &Url, patience: &Patience) -> Result<Response, Fault> {
    let route = Route { place: proxy.clone(), tls: None, protocols: &[] };
    let mut connection = route.open(patience, &mut Trace::begin())?;
    // To the older version answers come as they are, and end with the connection.
    let request = format!(
        "GET {} HTTP/1.0\r\nhost: {}\r\nuser-agent: subunit-checks/{}\r\nconnection: close\r\n\r\n",
        url.text(),
        url.authority(),
        env!("CARGO_PKG_VERSION")
    );
    let sent = connection.write_all(request.as_bytes()).and_then(|()| connection.flush());
    sent.map_err(|error| connection.fault(Stage::Send, &error))?;
    let mut answer = Vec::new();
    let read = (&mut connection).take(ANSWER).read_to_end(&mut answer);
    let stage = if answer.is_empty() { Stage::FirstByte } else { Stage::Transfer };
    read.map_err(|error| connection.fault(stage, &error))?;
    if answer.is_empty() {
        return Err(Fault::new(stage, FaultCause::Closed, proxy));
    }
    parse(&answer)
        .ok_or_else(|| Fault::new(stage, FaultCause::Protocol("it has no status".to_owned()), proxy))
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = memchr::memmem::find(answer, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(answer.get(..end)?).into_owned();
    let mut lines = head.lines();
    let mut words = lines.next()?.splitn(3, ' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    let status = words.next()?.parse().ok()?;
    let reason = words.next().unwrap_or_default().to_owned();
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    let body = answer.get(end + 4..)?.to_vec();
    let mut response =
        Response { status, reason, headers: lines.filter_map(header).collect(), body, is_cut: false };
    let told = response.header("content-length").and_then(|length| length.parse().ok());
    response.is_cut = told.is_some_and(|length: usize| response.body.len() < length);
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Server, answer, patience};

    fn ask(server: &Server) -> Result<Response, Fault> {
        let url = "http://stratum.example:8000/cvmfs/it/.cvmfspublished".parse().unwrap();
        get_through(&server.place(), &url, &patience())
    }

    #[test]
    fn a_proxy_is_told_the_whole_address() {
        let response = ask(&Server::answering(|head| answer("200 OK", "x-a: b\r\n", head))).unwrap();
        assert_eq!((response.status, response.header("x-a")), (200, Some("b")));
        let text = response.text();
        assert!(
            text.starts_with("GET http://stratum.example:8000/cvmfs/it/.cvmfspublished HTTP/1.0\r\n"),
            "{text}"
        );
        assert!(text.contains("host: stratum.example:8000\r\n"), "{text}");
    }

    #[test]
    fn proxies_that_do_not_answer_are_faults() {
        let check = |server: &Server, words: &str| {
            let fault = ask(server).unwrap_err().to_string();
            assert!(fault.contains(words), "{fault}");
        };
        check(&Server::silent(), "did not answer within 500 ms");
        check(&Server::saying(""), "without an answer");
        check(&Server::saying("SSH-2.0-x\r\n\r\n"), "does not speak HTTP");
    }

    #[test]
    fn what_ends_early_is_known_for_it() {
        let response = ask(&Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc")).unwrap();
        assert!(response.is_cut);
    }
}
