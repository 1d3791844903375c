//! A report: a record of each test as it ends, with attachments of any length.
//!
//! ```
//! use std::io::{self, Write};
//!
//! use streamresult::{Record, RecordSink, Records, drive};
//! use subunit::Event;
//!
//! /// Writes a line for each test, and for each that failed the end of its output.
//! struct Lines<W>(W);
//!
//! impl<W: Write> RecordSink for Lines<W> {
//!     fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
//!         write!(self.0, "{} {}", record.test_id(), record.outcome())?;
//!         match record.duration() {
//!             Some(duration) => writeln!(self.0, " in {} ms", duration.as_millis())?,
//!             None => writeln!(self.0)?,
//!         }
//!         if record.outcome().is_failure() {
//!             for file in record.attachments() {
//!                 // However long it is, and wherever it waits: 100 MB are no more than this in memory.
//!                 let end = file.tail(1000)?;
//!                 writeln!(self.0, "  {} ({} bytes): …{}", file.name(), file.len(), end.escape_ascii())?;
//!             }
//!         }
//!         Ok(())
//!     }
//!
//!     /// What belongs to no test: output of the run as a whole.
//!     fn global(&mut self, event: &Event<'_>) -> io::Result<()> {
//!         let Some(file) = event.file else { return Ok(()) };
//!         writeln!(self.0, "{}: {}", file.name, file.bytes.escape_ascii())
//!     }
//!
//!     fn flush(&mut self) -> io::Result<()> {
//!         self.0.flush()
//!     }
//! }
//!
//! # let mut stream = subunit::io::Writer::new(Vec::new());
//! # stream.write_bytes(b"starting\n")?;
//! # streamresult::RunningTest::start(&mut stream, "boot")?.fail("refused")?;
//! # let input = &stream.into_inner()?[..];
//! let mut report = Vec::new();
//! drive(input, &mut Records::new(Lines(&mut report)))?;
//! assert_eq!(report, "stdout: starting\\n\nboot fail\n  traceback (7 bytes): …refused\n".as_bytes());
//! # Ok::<(), io::Error>(())
//! ```
//!
//! What a report has to reckon with, and gets for nothing here: damage is a failing test
//! ([`DAMAGE_ID`](crate::DAMAGE_ID)), text between packets an event of the file `stdout`; a test without an end is a
//! record when the run stops; one id may have several records, by route code or because it ran again; an attachment may
//! come after its test has ended ([`late`](crate::RecordSink::late)). Whether the run was a success is the
//! [`Summary`](crate::Summary)'s to say: put both in a pair, `Records::new((summary, report))`.
