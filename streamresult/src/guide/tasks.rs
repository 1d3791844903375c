//! A test runner with tasks: of tokio here, of any runtime as well.
//!
//! Tasks send with [`Sender::send`](crate::channel::Sender::send), which waits without blocking; the sink is driven in
//! a thread that may block, or by [`forward`](crate::channel::Receiver::forward) in a task, if it does not.
//!
//! ```
//! use std::io;
//!
//! use streamresult::{Summary, channel};
//! use subunit::{Event, Status};
//! use tokio::task::{JoinSet, spawn_blocking};
//!
//! # fn main() -> io::Result<()> {
//! # let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
//! # runtime.block_on(run())
//! # }
//! async fn run() -> io::Result<()> {
//!     let (sender, receiver) = channel::channel(16);
//!     let sink = spawn_blocking(move || {
//!         let mut summary = Summary::new();
//!         receiver.drive(&mut summary).map(|()| summary)
//!     });
//!
//!     let mut tests = JoinSet::new();
//!     for number in 0..100 {
//!         let sender = sender.clone();
//!         tests.spawn(async move {
//!             let id = format!("task{number}");
//!             sender.send(&Event::status(&id, Status::InProgress)).await?;
//!             tokio::task::yield_now().await;
//!             sender.send(&Event::status(&id, Status::Success).with_text("log", "done\n")).await
//!         });
//!     }
//!     // The run ends when all senders are gone.
//!     drop(sender);
//!     while let Some(told) = tests.join_next().await {
//!         told??;
//!     }
//!     let summary = sink.await??;
//!     assert_eq!(summary.to_string(), "100 tests: 100 passed");
//!     Ok(())
//! }
//! ```
//!
//! A task that is cancelled leaves its test unfinished. Forwarding can be given up at any time without a loss; then
//! [`drain`](crate::channel::Receiver::drain) takes what has come, and ends the run:
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//!
//! use streamresult::{Summary, channel};
//! use subunit::{Event, Status};
//!
//! # fn main() -> io::Result<()> {
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run())
//! # }
//! async fn run() -> io::Result<()> {
//!     let (sender, mut receiver) = channel::channel(16);
//!     sender.send(&Event::status("boot", Status::InProgress)).await?;
//!     let mut summary = Summary::new();
//!     tokio::select! {
//!         told = receiver.forward(&mut summary) => told?,
//!         () = tokio::time::sleep(Duration::from_millis(1)) => {}
//!     }
//!     receiver.drain(&mut summary)?;
//!     assert_eq!(summary.to_string(), "1 test: 1 unfinished");
//!     Ok(())
//! }
//! ```
//!
//! Where tasks read a stream, `subunit::codec` (feature `codec`) makes frames of it; what is kept of them for long
//! should be compacted (`PacketBuf::compact`), since a packet otherwise keeps the buffer that it was read into.
