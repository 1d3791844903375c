//! Both ends of a channel of events, for threads and for tasks of any runtime.
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
//!
//! In tasks, [`Sender::send`] and [`Receiver::forward`] wait without blocking. Forwarding can be given up at any time,
//! as `tokio::select!` does, and nothing is lost: it goes on where it was, or [`Receiver::drain`] takes what has come
//! and ends the run.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use subunit::{Event, Packet, PacketBuf, chunks};

use crate::{Lasting, StreamResult};

/// So long does a thread wait for room when, as far as can be seen, it is the one that has to make it.
const PATIENCE: Duration = Duration::from_secs(1);
/// After so many messages forwarding gives way to other tasks, once.
const TURN: usize = 128;

/// What travels. Closed: these are the calls of a [`StreamResult`] that a reader can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// This sender's run begins.
    Start(SenderId),
    /// An event.
    Event(PacketBuf),
    /// This sender's run ends.
    Stop(SenderId),
}

/// Which of the senders of a channel: each clone is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SenderId(u64);

/// A channel in which at most this many messages (at least one) may wait.
#[must_use]
pub fn channel(capacity: usize) -> (Sender, Receiver) {
    let state = State { capacity: capacity.max(1), senders: 1, ids: 1, ..State::default() };
    let shared = Arc::new(Shared { state: Mutex::new(state), ..Shared::default() });
    (Sender { shared: Arc::clone(&shared), id: SenderId(0) }, Receiver { shared, has_started: false })
}

/// What both ends share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// For threads that wait until there is room.
    room: Condvar,
    /// For a thread that waits until there is a message.
    news: Condvar,
    /// Whether the sink at the other end wants no more tests.
    should_stop: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Message>,
    capacity: usize,
    senders: usize,
    /// How many senders there have been.
    ids: u64,
    /// Whether nothing more is taken.
    is_closed: bool,
    /// The task that waits for a message, and the thread that it was last seen on.
    receiver: Option<Waker>,
    receiver_thread: Option<ThreadId>,
    /// Tasks that wait until there is room.
    waiting: Vec<Waker>,
    /// How many messages were taken out.
    taken: u64,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message in the queue, unless it is full: then it comes back.
    fn try_push(&self, state: &mut State, message: Message) -> io::Result<Option<Message>> {
        if state.is_closed {
            return Err(gone());
        }
        if state.queue.len() >= state.capacity {
            return Ok(Some(message));
        }
        state.queue.push_back(message);
        self.tell_receiver(state);
        Ok(None)
    }

    fn tell_receiver(&self, state: &mut State) {
        self.news.notify_one();
        if let Some(waker) = state.receiver.take() {
            waker.wake();
        }
    }

    /// Takes a message: `Some(None)` when there will be none.
    fn try_pop(&self, state: &mut State) -> Option<Option<Message>> {
        let Some(message) = state.queue.pop_front() else {
            return (state.is_closed || state.senders == 0).then_some(None);
        };
        state.taken += 1;
        self.room.notify_one();
        state.waiting.drain(..).for_each(Waker::wake);
        Some(Some(message))
    }

    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        self.room.notify_all();
        state.waiting.drain(..).for_each(Waker::wake);
    }
}

/// The sending end; a clone sends to the same receiver.
///
/// As a [`StreamResult`] it blocks its thread while the channel is full, so it belongs in a thread of its own
/// or in `spawn_blocking`; tasks use [`send`](Sender::send). A task that blocks the thread on which the receiver is to
/// run waits for itself: where that seems to be so for a second, it gets an error (`Deadlock`).
#[derive(Debug)]
pub struct Sender {
    shared: Arc<Shared>,
    id: SenderId,
}

impl Sender {
    /// Which one this is.
    #[must_use]
    pub fn id(&self) -> SenderId {
        self.id
    }

    /// Sends an event, as several packets where one cannot hold its file content.
    ///
    /// # Errors
    ///
    /// When the receiver is gone or closed (`BrokenPipe`), or the event cannot be written as a packet.
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
    /// When the receiver is gone or closed (`BrokenPipe`).
    pub fn send_message(&self, message: Message) -> impl Future<Output = io::Result<()>> + Send + '_ {
        let mut message = Some(message);
        poll_fn(move |context| {
            let Some(unsent) = message.take() else { return Poll::Ready(Ok(())) };
            let mut state = self.shared.lock();
            match self.shared.try_push(&mut state, unsent) {
                Ok(None) => Poll::Ready(Ok(())),
                Ok(unsent) => {
                    message = unsent;
                    if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                        state.waiting.push(context.waker().clone());
                    }
                    Poll::Pending
                }
                Err(error) => Poll::Ready(Err(error)),
            }
        })
    }

    /// Sends a message, if need be by blocking the thread.
    fn push(&self, mut message: Message) -> io::Result<()> {
        let mut state = self.shared.lock();
        loop {
            match self.shared.try_push(&mut state, message)? {
                None => return Ok(()),
                Some(unsent) => message = unsent,
            }
            let taken = state.taken;
            let waited = self.shared.room.wait_timeout(state, PATIENCE);
            let (guard, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = guard;
            let is_here = state.receiver_thread == Some(thread::current().id());
            if waited.timed_out() && state.taken == taken && is_here {
                return Err(waits_for_itself());
            }
        }
    }
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        let mut state = self.shared.lock();
        state.senders += 1;
        state.ids += 1;
        Sender { shared: Arc::clone(&self.shared), id: SenderId(state.ids - 1) }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.senders -= 1;
        if state.senders == 0 {
            self.shared.tell_receiver(&mut state);
        }
    }
}

impl StreamResult for Sender {
    fn start_run(&mut self) -> io::Result<()> {
        self.push(Message::Start(self.id))
    }

    fn status(&mut self, event: &Event<'_>) -> io::Result<()> {
        chunks(event)?.try_for_each(|piece| self.push(Message::Event(PacketBuf::encode(&piece)?)))
    }

    fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        self.push(Message::Event(packet.to_owned()))
    }

    fn stop_run(&mut self) -> io::Result<()> {
        self.push(Message::Stop(self.id))
    }

    /// Whether the sink at the other end asked for it, when a message came to it last.
    fn should_stop(&self) -> bool {
        self.shared.should_stop.load(Ordering::Relaxed)
    }
}

/// The receiving end.
///
/// ```
/// use streamresult::{StreamResult, Summary, channel};
/// use subunit::{Event, Status};
///
/// let (mut sender, mut receiver) = channel::channel(16);
/// sender.status(&Event::status("boot", Status::Success))?;
/// // Nobody waits for those who may still send.
/// let mut summary = Summary::new();
/// receiver.drain(&mut summary)?;
/// assert_eq!(summary.total(), 1);
/// assert!(sender.status(&Event::status("login", Status::Success)).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    /// Whether the sink was told of a start, and of no stop yet.
    has_started: bool,
}

impl Receiver {
    /// The next message; `None` when all senders are gone, or the channel is closed, and all messages were received.
    /// Nothing is lost when it is given up.
    pub fn recv(&mut self) -> impl Future<Output = Option<Message>> + Send + '_ {
        poll_fn(|context| self.poll_recv(context))
    }

    fn poll_recv(&mut self, context: &Context<'_>) -> Poll<Option<Message>> {
        let mut state = self.shared.lock();
        if let Some(received) = self.shared.try_pop(&mut state) {
            return Poll::Ready(received);
        }
        state.receiver = Some(context.waker().clone());
        state.receiver_thread = Some(thread::current().id());
        Poll::Pending
    }

    /// The next message, for which the thread is blocked; see [`recv`](Receiver::recv).
    pub fn recv_blocking(&mut self) -> Option<Message> {
        let mut state = self.shared.lock();
        // It may have been a task before.
        state.receiver_thread = None;
        loop {
            if let Some(received) = self.shared.try_pop(&mut state) {
                return received;
            }
            state = self.shared.news.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes nothing more: who sends gets an error (`BrokenPipe`). What has come can be received.
    pub fn close(&mut self) {
        self.shared.close();
    }

    /// Pushes all events into a sink, from a thread that may block: one run, however many senders there are.
    /// It is flushed when no message waits.
    ///
    /// # Errors
    ///
    /// When the sink fails. Its run is stopped all the same, and the channel is closed. Where one of several in the sink
    /// fails, the others get all events: see [`StreamResult::outlives_errors`].
    pub fn drive<S: StreamResult + ?Sized>(mut self, sink: &mut S) -> io::Result<()> {
        let mut sink = Lasting::new(sink);
        let mut passed = self.start(&mut sink);
        while passed.is_ok() {
            let waiting = self.try_recv();
            let received = match waiting {
                Some(received) => received,
                None => {
                    passed = sink.flush();
                    if passed.is_err() {
                        break;
                    }
                    self.recv_blocking()
                }
            };
            let Some(message) = received else { break };
            passed = self.pass(message, &mut sink);
        }
        self.end(sink, passed)
    }

    /// Pushes all events into a sink that does not block, from a task; see [`drive`](Receiver::drive).
    ///
    /// It can be given up: what has not been pushed stays, and the next call goes on with the run, without another
    /// start. The run ends when all senders are gone, or with [`drain`](Receiver::drain).
    ///
    /// # Errors
    ///
    /// See [`drive`](Receiver::drive).
    pub async fn forward<S: StreamResult + ?Sized>(&mut self, sink: &mut S) -> io::Result<()> {
        let mut sink = Lasting::new(sink);
        let mut passed = self.start(&mut sink);
        let mut turn = 0;
        while passed.is_ok() {
            let received = match self.try_recv() {
                Some(received) => received,
                None => {
                    passed = sink.flush();
                    if passed.is_err() {
                        break;
                    }
                    turn = 0;
                    self.recv().await
                }
            };
            let Some(message) = received else { break };
            passed = self.pass(message, &mut sink);
            turn += 1;
            if turn == TURN {
                turn = 0;
                give_way().await;
            }
        }
        self.end(sink, passed)
    }

    /// Closes the channel, pushes what has come into a sink, and ends the run, without waiting for anybody.
    ///
    /// # Errors
    ///
    /// See [`drive`](Receiver::drive).
    pub fn drain<S: StreamResult + ?Sized>(&mut self, sink: &mut S) -> io::Result<()> {
        self.close();
        let mut sink = Lasting::new(sink);
        let mut passed = self.start(&mut sink);
        while let (true, Some(Some(message))) = (passed.is_ok(), self.try_recv()) {
            passed = self.pass(message, &mut sink);
        }
        self.end(sink, passed)
    }

    fn try_recv(&mut self) -> Option<Option<Message>> {
        let mut state = self.shared.lock();
        self.shared.try_pop(&mut state)
    }

    fn start<S: StreamResult + ?Sized>(&mut self, sink: &mut Lasting<'_, S>) -> io::Result<()> {
        if std::mem::replace(&mut self.has_started, true) { Ok(()) } else { sink.start_run() }
    }

    fn pass<S: StreamResult + ?Sized>(&self, message: Message, sink: &mut Lasting<'_, S>) -> io::Result<()> {
        let Message::Event(packet) = message else { return Ok(()) };
        let passed = sink.packet(&packet.packet());
        self.shared.should_stop.store(sink.should_stop(), Ordering::Relaxed);
        passed
    }

    fn end<S: StreamResult + ?Sized>(
        &mut self,
        mut sink: Lasting<'_, S>,
        passed: io::Result<()>,
    ) -> io::Result<()> {
        self.has_started = false;
        if passed.is_err() {
            self.close();
        }
        let passed = passed.and(sink.stop_run());
        sink.finish(passed)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.close();
        self.shared.lock().queue.clear();
    }
}

/// Lets other tasks of the thread run.
async fn give_way() {
    let mut has_given = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_given, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cold]
fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the receiver of the events is gone")
}

#[cold]
fn waits_for_itself() -> io::Error {
    io::Error::new(
        io::ErrorKind::Deadlock,
        "the channel is full, and the task that receives waits for this thread: send with Sender::send, or from a thread of its own",
    )
}
