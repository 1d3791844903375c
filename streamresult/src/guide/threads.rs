//! A test runner with threads: a stream, a live line, and the failures in the end.
//!
//! What all threads tell goes through one pipeline behind `Arc<Mutex<_>>`; each has a route code of its own. A
//! [`Stop`](crate::Stop) beside the results ends the run at the first failure. A thread that panics leaves its test
//! unfinished, which fails the run, and keeps nobody else from telling.
//!
//! ```
//! use std::io;
//! use std::sync::atomic::{AtomicUsize, Ordering};
//! use std::sync::{Arc, Mutex};
//! use std::thread;
//!
//! use streamresult::{RecordList, Records, RunningTest, Stop, StreamResult, StreamResultExt, Summary};
//! use subunit::io::Writer;
//!
//! fn main() -> io::Result<()> {
//!     let stop = Stop::new();
//!     // The stream, here into memory; what is wanted of it in the end; and the request to stop.
//!     let results = (Writer::new(Vec::new()), Records::new((Summary::new(), RecordList::new())), stop.clone());
//!     let pipeline = Arc::new(Mutex::new(results.fail_fast(move |_| stop.request()).stamped()));
//!     pipeline.clone().start_run()?;
//!
//!     let next = AtomicUsize::new(0);
//!     thread::scope(|scope| {
//!         for worker in 0..4 {
//!             let (pipeline, next) = (pipeline.clone(), &next);
//!             scope.spawn(move || work(pipeline.routed(worker.to_string()), next));
//!         }
//!     });
//!     pipeline.clone().stop_run()?;
//!
//!     let pipeline = Arc::into_inner(pipeline).expect("all threads have ended").into_inner();
//!     let results = pipeline.expect("no thread panicked in a call").into_inner().into_inner();
//!     let (summary, list) = results.1.into_sink();
//!     eprintln!("{summary}");
//!     for test in list.failures() {
//!         eprintln!("{}: {}", test.test_id, test.text().unwrap_or_default());
//!     }
//! #   assert_eq!(list.failures().next().map(|test| test.text()), Some(Some("broken\n".to_owned())));
//! #   assert!(summary.total() >= 50 && summary.unfinished() == 0 && !results.0.into_inner()?.is_empty());
//!     Ok(())
//! }
//!
//! /// Runs tests until there are no more, or somebody asks to stop.
//! fn work(mut result: impl StreamResult, next: &AtomicUsize) -> io::Result<()> {
//!     while !result.should_stop() {
//!         let number = next.fetch_add(1, Ordering::Relaxed);
//!         if number >= 200 {
//!             break;
//!         }
//!         let mut test = RunningTest::start(&mut result, format!("suite.test{number}"))?;
//!         test.attach_text("log", &format!("log of {number}\n"))?;
//!         match number {
//!             50 => test.fail("broken\n")?,
//!             number if number % 10 == 9 => test.skip("not today")?,
//!             _ => test.succeed()?,
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! - While it goes on, [`Summary::running`](crate::Summary::running) and its `Display` make a line for people.
//! - Where the target cannot tell tests apart that overlap, put
//!   [`whole_tests`](crate::StreamResultExt::whole_tests) before it.
//! - A lock is held while a sink writes. Where that is slow, the [`channel`](crate::channel) takes it out of the
//!   threads' way: each has a [`Sender`](crate::channel::Sender) in place of the `Arc`.
//! - A report that may fail without ending the run is [`isolated`](crate::StreamResultExt::isolated).
