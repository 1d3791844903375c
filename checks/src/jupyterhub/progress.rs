//! The way to a server, event by event.

use std::io::{self, BufRead, BufReader, Read};

use net::BodyStream;

use super::model::Event;

/// Bytes of events to read, at most.
const MOST: u64 = 1 << 20;

/// What became of a start, as its events say.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    Ready,
    /// With the hub's words.
    Failed(String),
    /// The events ended without a word about it.
    Unknown,
    /// The time was up, or a signal came.
    Late,
}

/// The events that came.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// As the hub wrote them, one a line.
    pub(super) lines: String,
    /// The last one that said how far it is.
    pub(super) last: Option<Event>,
}

impl Progress {
    /// Follows the events to their end.
    pub(super) fn follow(&mut self, body: BodyStream) -> End {
        self.read(body)
    }

    fn read(&mut self, body: impl Read) -> End {
        let mut reader = BufReader::new(body.take(MOST));
        let mut line = Vec::new();
        loop {
            line.clear();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) => return End::Unknown,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return End::Late,
                Err(_) => return End::Unknown,
            }
            if let Some(end) = self.take(&String::from_utf8_lossy(&line)) {
                return end;
            }
        }
    }

    /// Notes a line; the end, where it says that. Empty lines only keep the connection open.
    fn take(&mut self, line: &str) -> Option<End> {
        let data = line.trim_end().strip_prefix("data:")?.trim();
        self.lines.push_str(data);
        self.lines.push('\n');
        let event: Event = serde_json::from_str(data).ok()?;
        if event.ready == Some(true) {
            return Some(End::Ready);
        }
        if event.failed == Some(true) {
            let words = event.message.filter(|message| !message.is_empty());
            return Some(End::Failed(words.unwrap_or_else(|| "the hub does not say why".to_owned())));
        }
        self.last = Some(event);
        None
    }

    /// How far it got, in words.
    pub(super) fn shown(&self) -> String {
        match &self.last {
            Some(Event { progress, message, .. }) => {
                let percent = progress.map_or_else(String::new, |percent| format!(" ({percent} %)"));
                format!("the last word was: {}{percent}", message.as_deref().unwrap_or("nothing"))
            }
            None => "there was no word of how far it is".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends as a connection does whose time is up.
    struct Late;

    impl Read for Late {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::TimedOut.into())
        }
    }

    fn check(text: &str, expected: End, last: &str) {
        let mut progress = Progress::default();
        assert_eq!(progress.read(text.as_bytes()), expected, "{text}");
        assert!(progress.shown().contains(last), "{}", progress.shown());
    }

    #[test]
    fn events_are_followed_to_their_end() {
        let half = "\n\ndata: {\"progress\": 50, \"message\": \"half\"}\n\n\n\n";
        let ready = "data: {\"progress\": 100, \"ready\": true, \"message\": \"there\"}\n\n";
        let failed = "data: {\"progress\": 100, \"failed\": true, \"message\": \"Spawn failed: no\"}\n\n";
        check(&format!("{half}{ready}ignored"), End::Ready, "half (50 %)");
        check(&format!("{half}{failed}"), End::Failed("Spawn failed: no".to_owned()), "half");
        check(
            "data: {\"failed\": true, \"message\": \"\"}\n",
            End::Failed("the hub does not say why".into()),
            "no word",
        );
        check(half, End::Unknown, "half");
        check("", End::Unknown, "no word");
        check("data: no json\ndata:\n: comment\nevent: x\n", End::Unknown, "no word");
    }

    #[test]
    fn a_way_that_does_not_end_is_late() {
        let mut progress = Progress::default();
        assert_eq!(progress.read("data: {\"progress\": 7}\n".as_bytes().chain(Late)), End::Late);
        assert_eq!(progress.lines, "{\"progress\": 7}\n");
    }
}
