//! Following a stream that somebody else is still writing.
//!
//! [`drive_while`](crate::drive_while) reads until its source has nothing more, and asks before each read whether it
//! should go on. A file that grows has an end that is not the end; so the source waits there, until the writer is done:
//!
//! ```
//! use std::fs::File;
//! use std::io::{self, Read, Write};
//! use std::sync::atomic::{AtomicBool, Ordering};
//! use std::thread;
//! use std::time::Duration;
//!
//! use streamresult::{DriveError, Summary, drive_while};
//!
//! /// A file that grows, until whoever writes it is done.
//! struct Growing<'a> {
//!     file: File,
//!     is_done: &'a AtomicBool,
//! }
//!
//! impl Read for Growing<'_> {
//!     fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
//!         loop {
//!             // Asked first: what was written before it was done is read below.
//!             let is_done = self.is_done.load(Ordering::Acquire);
//!             let count = self.file.read(into)?;
//!             if count > 0 || is_done {
//!                 return Ok(count);
//!             }
//!             thread::sleep(Duration::from_millis(10));
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("stream");
//! # let mut writer = File::create(&path)?;
//! let is_done = AtomicBool::new(false);
//! let growing = Growing { file: File::open(&path)?, is_done: &is_done };
//! let mut summary = Summary::new();
//! # let driven = thread::scope(|scope| {
//! #     scope.spawn(|| {
//! #         let packet = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
//! #         // In two pieces, cut within the packet.
//! #         writer.write_all(&packet[..5]).and_then(|()| writer.write_all(&packet[5..])).unwrap();
//! #         is_done.store(true, Ordering::Release);
//! #     });
//! #     Ok::<bool, DriveError>({
//! let is_whole = drive_while(growing, &mut summary, |bytes| {
//!     eprint!("\r{bytes} bytes");
//!     // Nobody has pressed a button.
//!     true
//! })?;
//! #         is_whole
//! #     })
//! # })?;
//! # assert!(driven);
//! assert_eq!(summary.announced(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Events reach the sink as soon as their packet is complete, and it is flushed before each read, so what is shown is
//! never behind. Where bytes are handed to you instead, by an event loop, [`subunit::PushReader`] takes them, and
//! [`deliver`](crate::deliver) brings its frames to a sink.
