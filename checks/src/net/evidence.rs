//! What was said, for people: `http-exchange.txt`.

use std::fmt::Write as _;

use super::{Exchange, Trace, url::hide};
use crate::probe::show_duration;

/// Bytes of a body to show.
const BODY: usize = 4 * 1024;

/// The exchange, and those that it was redirected from.
pub(super) fn text(exchange: &Exchange) -> String {
    exchange.hops().map(one).collect::<Vec<_>>().join("\n")
}

fn one(exchange: &Exchange) -> String {
    let mut text = format!("* {}\n", exchange.url);
    way(&exchange.trace, &mut text);
    let (head, body) = split(&exchange.sent);
    marked('>', head, &mut text);
    shown(body, &mut text);
    let (head, raw) = split(&exchange.received);
    marked('<', head, &mut text);
    match &exchange.result {
        Ok(response) => shown(&response.body, &mut text),
        Err(fault) => {
            shown(raw, &mut text);
            let _infallible = writeln!(text, "* {fault}");
        }
    }
    let phase = |(name, seconds): (&str, f64)| {
        let time = std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default();
        format!("{} {}", name.trim_end_matches("_seconds"), show_duration(time))
    };
    let phases: Vec<_> = exchange.trace.phases.seconds().map(phase).collect();
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
    message.split_at_checked(end).unwrap_or((message, &[]))
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
