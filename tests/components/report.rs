//! How the results are told: in lines, or as a subunit stream.

use std::io::{self, Stdout, Write};

use subunit::io::Writer;
use subunit::{Event, File, Status, Timestamp};

/// What a scenario came to.
pub(crate) enum Outcome {
    Passed,
    Skipped(String),
    Failed(String),
}

/// Tells the results on stdout.
pub(crate) struct Report {
    stream: Option<Writer<Stdout>>,
    failed: usize,
}

impl Report {
    /// A report, as a stream or in lines.
    pub(crate) fn new(subunit: bool) -> Self {
        Report { stream: subunit.then(|| Writer::new(io::stdout())), failed: 0 }
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed > 0
    }

    pub(crate) fn list(&mut self, id: &str) -> anyhow::Result<()> {
        match &mut self.stream {
            Some(_) => self.event(Event::status(id, Status::Exists)),
            // As the standard harness lists its tests.
            None => Ok(writeln!(io::stdout(), "{id}: test")?),
        }
    }

    pub(crate) fn begin(&mut self, id: &str) -> anyhow::Result<()> {
        self.event(Event::status(id, Status::InProgress))
    }

    pub(crate) fn end(&mut self, id: &str, outcome: &Outcome) -> anyhow::Result<()> {
        let (word, status, reason) = match outcome {
            Outcome::Passed => ("ok", Status::Success, None),
            Outcome::Skipped(reason) => ("skipped", Status::Skip, Some(reason)),
            Outcome::Failed(reason) => ("FAILED", Status::Fail, Some(reason)),
        };
        self.failed += usize::from(status == Status::Fail);
        if self.stream.is_none() {
            let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
            return Ok(writeln!(io::stdout(), "test {id} ... {word}{reason}")?);
        }
        if let Some(reason) = reason {
            let file = Some(File { name: "reason", bytes: reason.as_bytes() });
            let mime_type = Some("text/plain;charset=utf8");
            self.event(Event { test_id: Some(id), file, mime_type, eof: true, ..Event::default() })?;
        }
        self.event(Event::status(id, status))
    }

    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        match &mut self.stream {
            Some(stream) => Ok(stream.flush()?),
            None => Ok(writeln!(io::stdout(), "{} failed", self.failed)?),
        }
    }

    fn event(&mut self, event: Event<'_>) -> anyhow::Result<()> {
        if let Some(stream) = &mut self.stream {
            stream.write(&Event { timestamp: Some(Timestamp::now()), ..event })?;
            stream.flush()?;
        }
        Ok(())
    }
}
