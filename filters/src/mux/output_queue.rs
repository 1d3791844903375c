//! The output queue: bytes between the sources and the thread that writes.
//!
//! The reader of our output may be slow, so writing blocks; signals, children and their deadlines must go on
//! meanwhile. The queue holds little: when it is full, the sources wait, and so do their writers.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The queue takes no more when it holds this many bytes.
const LIMIT: usize = 512 * 1024;
/// The writer is woken when the queue holds this many bytes, or when nothing more is ready.
const ENOUGH: usize = 256 * 1024;
/// Batches are joined up to this length.
const JOINED: usize = 128 * 1024;
/// How many buffers are kept to be used again, of either kind.
const SPARE: usize = 2;

/// A queue of bytes to write.
#[derive(Debug, Default)]
pub(crate) struct OutputQueue {
    state: Mutex<State>,
    /// Wakes the writer.
    filled: Condvar,
    /// Wakes the source whose turn it is.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Piece>,
    /// Bytes in the queue or being written.
    queued: usize,
    batches: Vec<Vec<u8>>,
    buffers: Vec<Vec<u8>>,
    is_writer_idle: bool,
    has_ended: bool,
    is_broken: bool,
}

#[derive(Debug)]
enum Piece {
    Batch(Vec<u8>),
    /// A part of a source's own buffer.
    Buffer(Vec<u8>, Range<usize>),
}

impl OutputQueue {
    /// Hands on what is in `batch`, and leaves it empty; waits while the queue is full.
    pub(crate) async fn push(&self, batch: &mut Vec<u8>) {
        if !batch.is_empty() {
            self.wait_for_room(|state| state.add_batch(batch)).await;
            batch.clear();
        }
    }

    /// Hands on a part of a buffer, without a copy; waits while the queue is full.
    pub(crate) async fn push_buffer(&self, buffer: Vec<u8>, part: Range<usize>) {
        let mut piece = Some(Piece::Buffer(buffer, part));
        self.wait_for_room(|state| piece.take().into_iter().for_each(|piece| state.add(piece))).await;
    }

    async fn wait_for_room(&self, mut add: impl FnMut(&mut State)) {
        loop {
            let notified = self.emptied.notified();
            {
                let mut state = self.lock();
                if state.is_broken {
                    return;
                }
                if state.queued < LIMIT {
                    add(&mut state);
                    if state.is_writer_idle && state.queued >= ENOUGH {
                        self.filled.notify_one();
                    }
                    return;
                }
            }
            notified.await;
        }
    }

    /// Nothing more is ready: what is in the queue is written now.
    pub(crate) fn flush(&self) {
        let state = self.lock();
        if state.is_writer_idle && !state.queue.is_empty() {
            self.filled.notify_one();
        }
    }

    /// A buffer that was used before, if there is one.
    pub(crate) fn spare_buffer(&self) -> Vec<u8> {
        self.lock().buffers.pop().unwrap_or_default()
    }

    /// Nothing comes after what is in the queue.
    pub(crate) fn end(&self) {
        self.lock().has_ended = true;
        self.filled.notify_one();
    }

    /// Nobody reads our output any more: whatever is pushed from now on is dropped.
    pub(crate) fn break_off(&self) {
        let mut state = self.lock();
        state.is_broken = true;
        state.queue.clear();
        drop(state);
        self.filled.notify_one();
        self.emptied.notify_one();
    }

    /// Writes all that comes until the end, and flushes when nothing more is there.
    ///
    /// # Errors
    ///
    /// When writing fails, or it was broken off.
    pub(crate) fn drain(&self, output: &mut dyn Write) -> io::Result<()> {
        let drained = self.write_pieces(output);
        if drained.is_err() {
            self.break_off();
        }
        drained
    }

    fn write_pieces(&self, output: &mut dyn Write) -> io::Result<()> {
        loop {
            let next = self.lock().queue.pop_front();
            match next {
                Some(piece) => {
                    output.write_all(piece.bytes())?;
                    self.written(piece);
                }
                None => {
                    output.flush()?;
                    if !self.wait_for_pieces()? {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn written(&self, piece: Piece) {
        let mut state = self.lock();
        state.queued -= piece.bytes().len().min(state.queued);
        state.keep(piece);
        drop(state);
        self.emptied.notify_one();
    }

    /// Waits until there is something to write; false when nothing follows.
    fn wait_for_pieces(&self) -> io::Result<bool> {
        let mut state = self.lock();
        loop {
            if state.is_broken {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if !state.queue.is_empty() || state.has_ended {
                return Ok(!state.queue.is_empty());
            }
            state.is_writer_idle = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.is_writer_idle = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds a batch, to the last one where that is short.
    fn add_batch(&mut self, batch: &mut Vec<u8>) {
        match self.queue.back_mut() {
            Some(Piece::Batch(last)) if last.len() + batch.len() <= JOINED => {
                self.queued += batch.len();
                last.append(batch);
            }
            _ => {
                let next = self.batches.pop().unwrap_or_default();
                self.add(Piece::Batch(std::mem::replace(batch, next)));
            }
        }
    }

    fn add(&mut self, piece: Piece) {
        self.queued += piece.bytes().len();
        self.queue.push_back(piece);
    }

    /// Keeps a buffer for later, unless it is one of unusual size.
    fn keep(&mut self, piece: Piece) {
        let (spare, mut used, most) = match piece {
            Piece::Batch(used) => (&mut self.batches, used, 2 * JOINED),
            Piece::Buffer(used, _) => (&mut self.buffers, used, usize::MAX),
        };
        if spare.len() < SPARE && used.capacity() <= most {
            if most < usize::MAX {
                used.clear();
            }
            spare.push(used);
        }
    }
}

impl Piece {
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Batch(bytes) => bytes,
            Piece::Buffer(bytes, part) => subunit::part(bytes, part.clone()),
        }
    }
}
