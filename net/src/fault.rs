//! What went wrong on the network, in words that say where to look.

use std::fmt;
use std::io;
use std::time::Duration;

use super::Patience;

/// How far an exchange got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The name becomes addresses.
    Resolve,
    /// The connection is made.
    Connect,
    /// The TLS handshake.
    Tls,
    /// The request is sent.
    Send,
    /// The answer is waited for.
    FirstByte,
    /// The answer comes.
    Transfer,
}

/// Why an exchange ended early.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultCause {
    /// It took longer than this.
    Timeout(Duration),
    /// A signal ended the check.
    Interrupted,
    /// The name has no address, as the resolver says.
    NoSuchHost(String),
    /// The system says no: an error number, where there is one, and its words.
    System(Option<i32>, String),
    /// The other side closed the connection.
    Closed,
    /// TLS: the certificate is not to be trusted, or the two do not understand each other.
    Tls(String),
    /// What was said is not what the protocol allows.
    Protocol(String),
    /// It could not even be tried, for a reason at this end.
    Local(String),
}

impl FaultCause {
    /// What an I/O error means.
    pub(super) fn of(error: &io::Error, patience: &Patience) -> Self {
        match error.kind() {
            // Only our own waiting ends without an error number.
            io::ErrorKind::TimedOut if error.raw_os_error().is_none() => FaultCause::over(patience),
            io::ErrorKind::UnexpectedEof => FaultCause::Closed,
            io::ErrorKind::InvalidData => FaultCause::Protocol(error.to_string()),
            _ => FaultCause::System(error.raw_os_error(), error.to_string()),
        }
    }

    /// That the patience is over.
    pub(super) fn over(patience: &Patience) -> Self {
        if patience.is_interrupted() { FaultCause::Interrupted } else { FaultCause::Timeout(patience.time()) }
    }
}

/// What went wrong with an exchange, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// How far it got.
    pub stage: Stage,
    /// Why it got no further.
    pub cause: FaultCause,
    /// the peer: an address, a host and port, a path.
    pub place: String,
}

impl Fault {
    /// This went wrong there.
    pub fn new(stage: Stage, cause: FaultCause, place: impl fmt::Display) -> Self {
        Fault { stage, cause, place: place.to_string() }
    }

    fn late(&self, time: Duration) -> String {
        let (place, time) = (&self.place, shown_limit(time));
        match self.stage {
            Stage::Resolve => format!("the name {place} was not resolved within {time}"),
            Stage::Connect => format!("{place} accepted no connection within {time}"),
            Stage::Tls => format!("{place} accepts connections, but did no TLS handshake within {time}"),
            Stage::Send => {
                format!("{place} accepts connections, but did not take the request within {time}")
            }
            Stage::FirstByte => format!("{place} accepts connections, but did not answer within {time}"),
            Stage::Transfer => format!("{place} began to answer, but was not done within {time}"),
        }
    }
}

/// A time limit as people write it: `1.5 s`, `300 ms`.
#[must_use]
pub fn shown_limit(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    let text = format!("{:.3}", time.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

impl Stage {
    /// What was being done then, in a word or two.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Stage::Resolve => "resolve",
            Stage::Connect => "connect",
            Stage::Tls => "TLS handshake",
            Stage::Send => "send",
            Stage::FirstByte | Stage::Transfer => "receive",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { stage, cause, place } = self;
        match cause {
            FaultCause::Timeout(time) => formatter.write_str(&self.late(*time)),
            FaultCause::Interrupted => {
                let what = match stage {
                    Stage::Resolve => "looked up",
                    Stage::Connect => "waited for a connection to",
                    Stage::Tls => "waited for the TLS handshake with",
                    Stage::Send => "sent a request to",
                    Stage::FirstByte => "waited for an answer from",
                    Stage::Transfer => "read the answer from",
                };
                write!(formatter, "a signal ended the check while it {what} {place}")
            }
            FaultCause::NoSuchHost(reason) => write!(formatter, "the name {place} has no address: {reason}"),
            FaultCause::System(errno, message) => {
                formatter.write_str(&process::explain(stage.verb(), place, *errno, message))
            }
            FaultCause::Closed => match stage {
                Stage::Transfer => write!(formatter, "{place} closed the connection before the answer's end"),
                Stage::Tls => write!(formatter, "{place} closed the connection during the TLS handshake"),
                _ => write!(formatter, "{place} closed the connection without an answer"),
            },
            FaultCause::Tls(reason) => write!(formatter, "TLS with {place} failed: {reason}"),
            FaultCause::Protocol(reason) => {
                write!(formatter, "{place} does not speak HTTP as it should: {reason}")
            }
            FaultCause::Local(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stage: Stage, cause: FaultCause, words: &str) {
        let shown = Fault::new(stage, cause, "h:1").to_string();
        assert!(shown.contains(words), "{shown}");
    }

    #[test]
    fn faults_say_how_far_it_came() {
        let late = || FaultCause::Timeout(Duration::from_secs(1));
        check(Stage::Resolve, late(), "the name h:1 was not resolved within 1 s");
        check(Stage::Connect, late(), "accepted no connection");
        check(Stage::FirstByte, late(), "accepts connections, but did not answer within 1 s");
        check(Stage::Transfer, FaultCause::Closed, "before the answer's end");
        check(Stage::FirstByte, FaultCause::Closed, "without an answer");
        check(
            Stage::FirstByte,
            FaultCause::Interrupted,
            "a signal ended the check while it waited for an answer from h:1",
        );
    }
}
