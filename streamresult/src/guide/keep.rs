//! Keeping what is needed, for as long as it is needed.
//!
//! | to keep | use |
//! |---|---|
//! | an event, or all of them | [`PacketBuf`](subunit::PacketBuf): its packet, which can be cloned and sent |
//! | one test with all that it had | [`RecordBuf`](crate::RecordBuf), by [`to_buf`](crate::Record::to_buf) |
//! | tests of some outcomes, with their texts | [`RecordList`](crate::RecordList) |
//! | how many there were of each | [`Summary`](crate::Summary), which can be cloned and added up |
//! | the stream | [`subunit::io::Writer`] in a pair with what else looks at it |
//! | some value of your own with each test | [`Records::with_values`](crate::Records::with_values) |
//!
//! An event and a [`Record`](crate::Record) are lent: they are gone after the call. So what is wanted is taken out of
//! them there, and nothing else is copied:
//!
//! ```
//! use streamresult::{Records, drive, record_fn};
//!
//! # let mut stream = subunit::io::Writer::new(Vec::new());
//! # streamresult::RunningTest::start(&mut stream, "boot")?.fail("refused")?;
//! # let input = &stream.into_inner()?[..];
//! let mut slowest = None;
//! let mut failed = Vec::new();
//! drive(input, &mut Records::new(record_fn(|record| {
//!     slowest = slowest.max(record.duration());
//!     if record.outcome().is_failure() {
//!         failed.push(record.to_buf(10_000)?);
//!     }
//!     Ok(())
//! })))?;
//! assert_eq!(failed[0].text().as_deref(), Some("refused"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! To go through the records of a stream without a sink, there is an iterator, [`records`](crate::records):
//!
//! ```
//! # let input = &b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b"[..];
//! let ids: Vec<String> =
//!     streamresult::records(input).map(|record| Ok(record?.test_id)).collect::<std::io::Result<_>>()?;
//! assert_eq!(ids, ["foo"]);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Memory stays flat in all of this but for what you keep: files of tests in flight that are long wait in a temporary
//! file, whose folder and limits are [`Spool`](crate::Spool)'s.
