//! Both ends of a tokio channel of events.
//!
//! The sending end is a [`StreamResult`]: a test runs in its thread and pushes, and waits when the reader is
//! behind. The receiving end hands on what comes from all senders, in one place. What travels owns its bytes.
//!
//! ```
//! use streamresult::{StreamResult, StreamResultExt, Summary, channel};
//! use subunit::{Event, Status};
//!
//! let (sender, receiver) = channel::channel(16);
//! let workers: Vec<_> = ["0", "1"]
//!     .into_iter()
//!     .map(|code| {
//!         let mut result = sender.clone().routed(code);
//!         std::thread::spawn(move || {
//!             result.start_run()?;
//!             result.status(&Event::status("boot", Status::Success))?;
//!             result.stop_run()
//!         })
//!     })
//!     .collect();
//! drop(sender);
//! let mut summary = Summary::new();
//! receiver.drive(&mut summary)?;
//! assert_eq!(summary.total(), 2);
//! # workers.into_iter().try_for_each(|worker| worker.join().unwrap())?;
//! # Ok::<(), std::io::Error>(())
//! ```

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use subunit::{Event, Packet, PacketBuf, chunks};
use tokio::sync::mpsc;

use crate::StreamResult;

/// What travels. Closed: these are the calls of a [`StreamResult`] that a reader can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A sender's run begins.
    Start,
    /// An event.
    Event(PacketBuf),
    /// A sender's run ends.
    Stop,
}

/// A channel in which at most this many messages (at least one) may wait.
#[must_use]
pub fn channel(capacity: usize) -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(capacity.clamp(1, tokio::sync::Semaphore::MAX_PERMITS));
    (Sender(sender), Receiver(receiver))
}

/// The sending end; a clone sends to the same receiver.
///
/// As a [`StreamResult`] it blocks its thread while the channel is full, so it belongs in a thread of its own
/// or in `spawn_blocking`; tasks use [`send`](Sender::send).
#[derive(Clone, Debug)]
pub struct Sender(mpsc::Sender<Message>);

impl Sender {
    /// Sends an event, as several packets where one cannot hold its file content.
    ///
    /// # Errors
    ///
    /// When the receiver is gone (`BrokenPipe`), or the event cannot be written as a packet.
    pub async fn send(&self, event: &Event<'_>) -> io::Result<()> {
        for piece in chunks(event)? {
            self.send_message(Message::Event(PacketBuf::encode(&piece)?)).await?;
        }
        Ok(())
    }

    /// Sends any message.
    ///
    /// # Errors
    ///
    /// When the receiver is gone (`BrokenPipe`).
    pub async fn send_message(&self, message: Message) -> io::Result<()> {
        self.0.send(message).await.map_err(|_| gone())
    }

    /// Sends a message, if need be by blocking the thread.
    fn push(&self, message: Message) -> io::Result<()> {
        match self.0.try_send(message) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(gone()),
            Err(mpsc::error::TrySendError::Full(message)) => block_on(self.send_message(message)),
        }
    }
}

impl StreamResult for Sender {
    fn start_run(&mut self) -> io::Result<()> {
        self.push(Message::Start)
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        chunks(event)?.try_for_each(|piece| self.push(Message::Event(PacketBuf::encode(&piece)?)))
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.push(Message::Event(packet.to_owned()))
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.push(Message::Stop)
    }
}

/// The receiving end.
#[derive(Debug)]
pub struct Receiver(mpsc::Receiver<Message>);

impl Receiver {
    /// The next message; `None` when all senders are gone and all messages were received.
    pub async fn recv(&mut self) -> Option<Message> {
        self.0.recv().await
    }

    /// Pushes all events into a sink, from a thread that may block: one run, however many senders there are.
    /// It is flushed when no message waits.
    ///
    /// # Errors
    ///
    /// When the sink fails. Its run is stopped all the same.
    pub fn drive<S: StreamResult + ?Sized>(self, sink: &mut S) -> io::Result<()> {
        block_on(self.forward(sink))
    }

    /// Pushes all events into a sink that does not block, from a task.
    ///
    /// # Errors
    ///
    /// See [`drive`](Receiver::drive).
    pub async fn forward<S: StreamResult + ?Sized>(mut self, sink: &mut S) -> io::Result<()> {
        let passed = match sink.start_run() {
            Ok(()) => self.pass(sink).await,
            failed => failed,
        };
        passed.and(sink.stop_run())
    }

    async fn pass<S: StreamResult + ?Sized>(&mut self, sink: &mut S) -> io::Result<()> {
        loop {
            let message = match self.0.try_recv() {
                Ok(message) => message,
                Err(mpsc::error::TryRecvError::Disconnected) => return Ok(()),
                Err(mpsc::error::TryRecvError::Empty) => {
                    sink.flush()?;
                    let Some(message) = self.0.recv().await else { return Ok(()) };
                    message
                }
            };
            if let Message::Event(packet) = message {
                sink.packet(&packet.packet())?;
            }
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the receiver of the events is gone")
}

/// Waits for a future in this thread. Tokio's own ways to block panic where a runtime is near; this one waits
/// there too.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use subunit::Status;

    use super::*;
    use crate::testing::CallLog;

    #[test]
    fn a_full_channel_holds_the_sender_back_and_loses_nothing() {
        let (mut sender, receiver) = channel(1);
        let producer = thread::spawn(move || {
            sender.start_run()?;
            (0..1000).try_for_each(|number| {
                sender.status(&Event::status(&format!("test {number}"), Status::Success))
            })?;
            sender.stop_run()
        });
        let mut seen = CallLog::default();
        receiver.drive(&mut seen).unwrap();
        producer.join().unwrap().unwrap();
        let events: Vec<String> = seen.lines().into_iter().filter(|line| line.starts_with("test")).collect();
        let expected: Vec<String> = (0..1000).map(|number| format!("test {number} success")).collect();
        assert_eq!(events, expected);
        assert_eq!(seen.lines().first().map(String::as_str), Some("start"));
        assert_eq!(seen.lines().last().map(String::as_str), Some("stop"));
    }

    #[test]
    fn without_a_receiver_sending_is_a_broken_pipe() {
        let (mut sender, receiver) = channel(1);
        drop(receiver);
        assert_eq!(sender.start_run().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[tokio::test]
    async fn tasks_send_and_receive() {
        let (sender, mut receiver) = channel(4);
        let event = Event::status("boot", Status::Fail);
        sender.send(&event).await.unwrap();
        drop(sender);
        assert_eq!(receiver.recv().await, Some(Message::Event(PacketBuf::encode(&event).unwrap())));
        assert_eq!(receiver.recv().await, None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_task_that_pushes_blocks_and_does_not_panic() {
        let (mut sender, receiver) = channel(1);
        let task = tokio::spawn(async move {
            (0..50).try_for_each(|_| sender.status(&Event::status("boot", Status::Success)))
        });
        let mut summary = crate::Summary::new();
        receiver.forward(&mut summary).await.unwrap();
        task.await.unwrap().unwrap();
        assert_eq!(summary.total(), 50);
    }
}
