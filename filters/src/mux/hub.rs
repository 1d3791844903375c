//! What the sources share: the output queue, whose turn it is, when to stop, and what went wrong.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cli::value::RouteNames;
use streamresult::{TagChange, failure};
use subunit::EncodeError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::control::Input;
use super::output_queue::OutputQueue;
use super::rewrite::Rewrite;

/// The length of the buffer that sources read into: as much as a pipe holds.
pub(crate) const SCRATCH: usize = 64 * 1024;

/// How many sources may be in the middle of a packet that is longer than that: together they hold 64 MiB.
const LONG_PACKETS: usize = 16;

/// What the command line says for all sources.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Stands before every name.
    pub(crate) route: Option<String>,
    /// Whether names are put before routes.
    pub(crate) has_names: bool,
    pub(crate) tags: Option<Arc<TagChange>>,
    pub(crate) stamp: bool,
    pub(crate) grace: Duration,
    pub(crate) stall: Option<Duration>,
    /// How many connections each listener has at a time.
    pub(crate) connections: usize,
}

impl Settings {
    /// What becomes of the packets of the source with this name.
    ///
    /// # Errors
    ///
    /// When its route cannot be written.
    pub(crate) fn rewrite(&self, name: &str) -> Result<Rewrite, EncodeError> {
        let route = match (&self.route, self.has_names) {
            (Some(route), true) => Some(format!("{route}/{name}")),
            (Some(route), false) => Some(route.clone()),
            (None, true) => Some(name.to_owned()),
            (None, false) => None,
        };
        Rewrite::new(route, self.tags.clone(), self.stamp)
    }
}

/// What the sources share.
#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) settings: Settings,
    pub(crate) output_queue: Arc<OutputQueue>,
    /// One source at a time reads and writes, in the order of asking: so no source is held back by another,
    /// one buffer does for all, and all wait when the queue is full.
    turn: tokio::sync::Mutex<TurnBuffers>,
    /// Room for a packet that is longer than the buffer of all.
    room: Arc<Semaphore>,
    /// How many sources wait for that.
    crowd: AtomicUsize,
    stop: watch::Receiver<bool>,
    /// How many sources have not ended.
    open: watch::Sender<usize>,
    names: Mutex<RouteNames>,
    tally: Mutex<Tally>,
    inputs: Mutex<HashMap<String, mpsc::Sender<Input>>>,
}

/// What belongs to the source whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct TurnBuffers {
    /// What was read.
    pub(crate) scratch: Vec<u8>,
    /// What is to be handed on.
    pub(crate) batch: Vec<u8>,
}

/// How it went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// What could not be done, one line each.
    pub(crate) errors: Vec<String>,
    pub(crate) children: usize,
    /// Children that ended otherwise than with exit code 0.
    pub(crate) failed: usize,
}

impl Hub {
    pub(crate) fn new(
        settings: Settings,
        output_queue: Arc<OutputQueue>,
        stop: watch::Receiver<bool>,
        names: RouteNames,
    ) -> Self {
        Hub {
            settings,
            output_queue,
            turn: tokio::sync::Mutex::default(),
            room: Arc::new(Semaphore::new(LONG_PACKETS)),
            crowd: AtomicUsize::new(0),
            stop,
            open: watch::Sender::new(0),
            names: Mutex::new(names),
            tally: Mutex::default(),
            inputs: Mutex::default(),
        }
    }

    /// Waits for the turn of the source that asks.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, TurnBuffers> {
        self.turn.lock().await
    }

    /// Waits for room for a long packet.
    pub(crate) async fn room(&self) -> Option<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.room);
        if let Ok(room) = Arc::clone(&free).try_acquire_owned() {
            return Some(room);
        }
        self.crowd.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.crowd);
        let room = free.acquire_owned().await.ok();
        drop(waiting);
        room
    }

    /// Whether sources wait for room.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowd.load(Ordering::Relaxed) > 0
    }

    /// Tells, once it is true, that sources shall end.
    pub(crate) fn stop(&self) -> watch::Receiver<bool> {
        self.stop.clone()
    }

    /// A source that has not ended, until this is dropped.
    pub(crate) fn open_source(self: &Arc<Self>) -> Open {
        self.open.send_modify(|count| *count += 1);
        Open(Arc::clone(self))
    }

    /// Waits until no source is open.
    pub(crate) async fn all_ended(&self) {
        let _ = self.open.subscribe().wait_for(|count| *count == 0).await;
    }

    /// A name for a source that came later.
    pub(crate) fn next_name(&self) -> String {
        lock(&self.names).give(None)
    }

    /// Makes events and hands them on.
    pub(crate) async fn write(&self, make: impl FnOnce(&mut Vec<u8>)) {
        let mut turn = self.turn().await;
        make(&mut turn.batch);
        self.output_queue.push(&mut turn.batch).await;
    }

    /// Leaves a failing event that says what happened to the source.
    pub(crate) async fn fail(&self, name: &str, rewrite: &mut Rewrite, reason: &str) {
        let test_id = failure_id(name);
        self.write(|out| rewrite.event(&failure(&test_id, reason), out)).await;
    }

    /// Says that a source could not be read: in the stream, and in the end to the user.
    pub(crate) async fn give_up(&self, name: &str, rewrite: &mut Rewrite, reason: &str) {
        self.fail(name, rewrite, reason).await;
        self.tally().errors.push(reason.to_owned());
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        lock(&self.tally)
    }

    /// The inputs of the children, by their names.
    pub(crate) fn inputs(&self) -> MutexGuard<'_, HashMap<String, mpsc::Sender<Input>>> {
        lock(&self.inputs)
    }
}

/// The test that fails when something happened to the source of this name.
pub(crate) fn failure_id(name: &str) -> String {
    format!("subunit-mux.{name}")
}

/// A source that waits, until this is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A source that has not ended; see [`Hub::open_source`].
#[derive(Debug)]
pub(crate) struct Open(Arc<Hub>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Waits until this signal is given; for ever, when it can no longer be.
pub(crate) async fn given(signal: &mut watch::Receiver<bool>) {
    if signal.wait_for(|given| *given).await.is_err() {
        std::future::pending().await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
