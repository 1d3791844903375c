//! Taking streams from sockets: a thread for each connection, one pipeline for all.
//!
//! ```
//! use std::io::{self, Write};
//! use std::net::{TcpListener, TcpStream};
//! use std::sync::{Arc, Mutex};
//! use std::thread;
//!
//! use streamresult::{DriveError, StreamResult, StreamResultExt, Summary, drive_while, failure};
//!
//! /// Reads one connection to its end. A connection that breaks is a failing test of its own, so that the run cannot
//! /// look complete without it.
//! fn serve(connection: TcpStream, name: &str, pipeline: impl StreamResult) -> io::Result<()> {
//!     // The pipeline starts and stops for all, not with one of them.
//!     let mut result = pipeline.routed(name).events_only();
//!     match drive_while(connection, &mut result, |_| true) {
//!         Ok(_) => Ok(()),
//!         Err(DriveError::Read(error)) => result.status(&failure("connection", &format!("{error}\n"))),
//!         Err(DriveError::Sink(error)) => Err(error),
//!     }
//! }
//!
//! fn main() -> io::Result<()> {
//!     let listener = TcpListener::bind("127.0.0.1:0")?;
//!     let pipeline = Arc::new(Mutex::new(Summary::new().stamped()));
//!     pipeline.clone().start_run()?;
//! #   let address = listener.local_addr()?;
//! #   for _ in 0..2 {
//! #       thread::spawn(move || {
//! #           let packet = b"\xb3\x29\x01\x0c\x03foo\x08\x55\x5f\x1b";
//! #           TcpStream::connect(address).unwrap().write_all(packet).unwrap();
//! #       });
//! #   }
//!     thread::scope(|scope| {
//!         // As many as are expected; or `listener.incoming()`, for ever.
//!         for number in 0..2 {
//!             let (connection, _) = listener.accept()?;
//!             let pipeline = pipeline.clone();
//!             scope.spawn(move || serve(connection, &number.to_string(), pipeline));
//!         }
//!         Ok::<(), io::Error>(())
//!     })?;
//!     pipeline.clone().stop_run()?;
//! #   assert_eq!(pipeline.lock().unwrap().get_ref().announced(), 2);
//!     Ok(())
//! }
//! ```
//!
//! The lock is held for one event at a time, so one slow connection keeps no other from being read. What comes from
//! outside may be anything: damage and text are told as what they are, memory does not grow with what a packet claims,
//! and ids and texts are to be escaped where they are shown.
