//! What was said, for people: `http-exchange.txt`.

use std::fmt::Write as _;

use formats::human::show_duration;
use net::{Exchange, Response, Trace, hide};
use probe::Finding;
use serde::de::DeserializeOwned;
use subunit::split_part;

use super::{FaultFinding as _, measure};

/// Bytes of a body to show.
const BODY: usize = 4 * 1024;

/// An exchange, as what a check finds.
pub trait Evidence {
    /// The answer.
    ///
    /// # Errors
    ///
    /// The finding when there is no answer, with the evidence.
    fn answer(&self) -> Result<&Response, Box<Finding>>;

    /// The answer's body as JSON, where the answer has this status.
    ///
    /// # Errors
    ///
    /// The finding when the answer is another one, with the evidence.
    fn json<T: DeserializeOwned>(&self, status: u16) -> Result<T, Box<Finding>>;

    /// The finding with what was said, as `http-exchange.txt`. Secrets in headers are hidden when it is told, as
    /// are those that the target names.
    #[must_use]
    fn witness(&self, finding: Finding) -> Finding;

    /// The finding with the seconds of each phase as metrics.
    #[must_use]
    fn measure(&self, finding: Finding) -> Finding;
}

impl Evidence for Exchange {
    fn answer(&self) -> Result<&Response, Box<Finding>> {
        self.result.as_ref().map_err(|fault| Box::new(self.witness(fault.finding())))
    }

    fn json<T: DeserializeOwned>(&self, status: u16) -> Result<T, Box<Finding>> {
        let response = self.answer()?;
        let read = match response.status == status {
            true => response.json().map_err(|error| format!("{}: {error}", self.url)),
            false => Err(format!("{} answers {}", self.url, response.describe())),
        };
        read.map_err(|reason| Box::new(self.witness(Finding::broken(reason))))
    }

    fn witness(&self, finding: Finding) -> Finding {
        finding.with_text("http-exchange.txt", text(self))
    }

    fn measure(&self, finding: Finding) -> Finding {
        measure(&self.phases(), finding)
    }
}

/// The exchange, and those that it was redirected from.
fn text(exchange: &Exchange) -> String {
    exchange.hops().map(one).collect::<Vec<_>>().join("\n")
}

fn one(exchange: &Exchange) -> String {
    let mut text = format!("* {}\n", exchange.url);
    way(&exchange.trace, &mut text);
    let (head, body) = split(exchange.sent());
    marked('>', head, &mut text);
    shown(body, &mut text);
    let (head, raw) = split(exchange.received());
    marked('<', head, &mut text);
    match &exchange.result {
        Ok(response) => shown(&response.body, &mut text),
        Err(fault) => {
            shown(raw, &mut text);
            let _infallible = writeln!(text, "* {fault}");
        }
    }
    let phase = |(name, time)| format!("{name} {}", show_duration(time));
    let phases: Vec<_> = exchange.trace.phases.each().map(phase).collect();
    let _infallible = writeln!(text, "* {}", phases.join(", "));
    text
}

/// Where it went, and what the other side showed.
fn way(trace: &Trace, text: &mut String) {
    if let Some(address) = trace.address {
        let _infallible = writeln!(text, "* address {address}");
    }
    let Some(peer) = &trace.peer else { return };
    for line in peer.protocol.iter().chain(&peer.objection) {
        let _infallible = writeln!(text, "* {line}");
    }
    for certificate in &peer.certificates {
        let _infallible = writeln!(text, "* certificate {certificate}");
    }
}

/// The head of a message and what follows it.
fn split(message: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(message, b"\r\n\r\n").map_or(message.len(), |end| end + 4);
    split_part(message, end)
}

fn marked(mark: char, head: &[u8], text: &mut String) {
    for line in String::from_utf8_lossy(head).lines() {
        // Secrets may stand in what is asked for, and in where one is sent to.
        let line = if line.contains('?') { hide(line) } else { line.to_owned() };
        let _infallible = writeln!(text, "{mark} {line}");
    }
}

fn shown(body: &[u8], text: &mut String) {
    let beginning = body.get(..BODY).unwrap_or(body);
    if !beginning.is_empty() {
        text.push_str(&String::from_utf8_lossy(beginning));
        text.push_str(if beginning.ends_with(b"\n") { "" } else { "\n" });
    }
    if body.len() > beginning.len() {
        let _infallible = writeln!(text, "* and {} bytes more", body.len() - beginning.len());
    }
}

#[cfg(test)]
mod tests {
    use net::testing::{Server, client, patience};
    use net::{Exchange, Request};
    use probe::Redactor;

    use super::*;

    fn send(request: &Request) -> Exchange {
        client().send(request, &patience())
    }

    #[test]
    fn evidence_shows_what_was_said_and_no_secret() {
        let server = Server::saying("HTTP/1.1 500 Oops\r\nset-cookie: a=b\r\ncontent-length: 4\r\n\r\nbody");
        let request = Request::get(server.url("/?token=abc")).header("authorization", "token hunter2");
        let finding = send(&request).witness(Finding::broken("x".to_owned()));
        let file = finding.attachments.first().unwrap();
        assert_eq!(file.name, "http-exchange.txt");
        let text = Redactor::new(&[]).redact_text(&String::from_utf8_lossy(&file.bytes));
        for line in
            ["> GET /?token=[redacted]", "> authorization: [redacted]", "< HTTP/1.1 500 Oops", "body\n"]
        {
            assert!(text.contains(line), "{text}");
        }
        assert!(!text.contains("hunter2") && !text.contains("a=b") && !text.contains("abc"), "{text}");
    }

    #[test]
    fn an_answer_that_never_came_is_a_finding() {
        let url = format!("http://127.0.0.1:{}/", net::testing::free_port());
        let exchange = send(&Request::get(url.parse().unwrap()));
        let finding = exchange.answer().unwrap_err();
        let reason = finding.level.reason().unwrap();
        assert!(reason.contains("nothing listens there (ECONNREFUSED"), "{finding:?}");
    }
}
