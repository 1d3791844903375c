//! One source, from its first byte to its last.

use formats::human::show_duration;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use subunit::{Event, File, TEXT_TYPE, part};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep_until};

use super::feed::Feed;
use super::hub::{Hub, SCRATCH, TurnBuffers, given};
use super::rewrite::Rewrite;
use super::stream::{InputState, StopReason, Stream};

/// How much of what is ready is still read from a source that is closed, in turns, since others may go on writing.
const LAST_TURNS: usize = 32;

/// How long a long packet may take while others wait for its room.
const OVERSTAYED: Duration = Duration::from_secs(30);

/// How often it is looked whether others wait, after that.
const CROWD_INTERVAL: Duration = Duration::from_secs(1);

/// Room for a long packet.
#[derive(Debug)]
struct Room {
    _permit: OwnedSemaphorePermit,
    since: Instant,
}

/// A source of events.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) feed: Feed,
    pub(crate) content: Content,
    pub(crate) rewrite: Rewrite,
    /// Tells when to read no more.
    pub(crate) close: watch::Receiver<bool>,
}

/// What the bytes of a source are.
#[derive(Debug)]
pub(crate) enum Content {
    /// A stream of packets.
    Stream(Box<Stream>),
    /// A file of the run.
    File(&'static str),
}

impl Content {
    pub(crate) fn stream() -> Self {
        Content::Stream(Box::default())
    }
}

/// What a source waited for.
enum WakeReason {
    Ready(io::Result<()>),
    Closed,
    /// At this position a packet has taken too long.
    Stalled(u64, Duration),
}

impl Source {
    /// Reads to the end, or until told to close.
    ///
    /// # Errors
    ///
    /// When reading fails; what came before was passed on.
    pub(crate) async fn run(mut self, hub: Arc<Hub>) -> io::Result<()> {
        let mut stall = Stall { after: hub.settings.stall, ..Stall::default() };
        let mut room = None;
        loop {
            if !self.is_long() {
                room = None;
            } else if room.is_none() {
                room = self.room(&hub).await;
            }
            match self.wait(&stall, room.as_ref(), &hub).await {
                WakeReason::Ready(ready) => {
                    match self.take_turn(&hub, ready, InputState::Open, room.is_some()).await {
                        Ok(Read::End) => return Ok(()),
                        Ok(_) => {}
                        Err(error) => return self.end(&hub).await.and(Err(error)),
                    }
                }
                WakeReason::Closed => {
                    self.take_the_rest(&hub).await?;
                    return self.end(&hub).await;
                }
                WakeReason::Stalled(offset, after) => self.give_up(&hub, offset, after).await,
            }
            stall.look_at(&self.content);
            // Whoever else has something to say comes first.
            tokio::task::yield_now().await;
        }
    }

    async fn wait(&mut self, stall: &Stall, room: Option<&Room>, hub: &Hub) -> WakeReason {
        let deadline = stall.deadline();
        let offset = self.offset();
        tokio::select! {
            biased;
            () = given(&mut self.close) => WakeReason::Closed,
            () = overstayed(room, hub) => WakeReason::Stalled(offset, OVERSTAYED),
            ready = self.feed.readable() => WakeReason::Ready(ready),
            (offset, after) = past(deadline) => WakeReason::Stalled(offset, after),
        }
    }

    /// Whether a packet is under way that needs room of its own.
    fn is_long(&self) -> bool {
        matches!(&self.content, Content::Stream(stream) if stream.is_long())
    }

    fn offset(&self) -> u64 {
        match &self.content {
            Content::Stream(stream) => stream.offset(),
            Content::File(_) => 0,
        }
    }

    /// Waits for room for a long packet, or until it is told to close.
    async fn room(&mut self, hub: &Hub) -> Option<Room> {
        tokio::select! {
            biased;
            () = given(&mut self.close) => None,
            permit = hub.room() => permit.map(|permit| Room { _permit: permit, since: Instant::now() }),
        }
    }

    /// Reads once, and passes on what came; a long packet is read on as long as its bytes are there, so that few
    /// of them are in the making at a time.
    async fn take_turn(
        &mut self,
        hub: &Hub,
        ready: io::Result<()>,
        ending: InputState,
        has_room: bool,
    ) -> io::Result<Read> {
        ready?;
        let Source { feed, content, rewrite, close } = self;
        let mut turn = hub.turn().await;
        match content {
            Content::Stream(stream) => loop {
                let read = stream_turn(stream, Some(&mut *feed), rewrite, hub, &mut turn, ending).await?;
                if read != Read::Some || !stream.is_long() || !has_room || *close.borrow() {
                    return Ok(read);
                }
                // The turn is kept, but signals are heard.
                tokio::task::yield_now().await;
            },
            Content::File(name) => file_turn(name, feed, rewrite, hub, &mut turn).await,
        }
    }

    async fn take_the_rest(&mut self, hub: &Hub) -> io::Result<()> {
        for _ in 0..LAST_TURNS {
            match self.take_turn(hub, Ok(()), InputState::Open, true).await? {
                Read::Some => {}
                Read::End | Read::Nothing => break,
            }
        }
        Ok(())
    }

    /// Passes on what is left: a packet that was cut.
    async fn end(&mut self, hub: &Hub) -> io::Result<()> {
        self.pass_on(hub, InputState::Eof).await
    }

    async fn pass_on(&mut self, hub: &Hub, ending: InputState) -> io::Result<()> {
        let Content::Stream(stream) = &mut self.content else { return Ok(()) };
        let mut turn = hub.turn().await;
        stream_turn(stream, None, &mut self.rewrite, hub, &mut turn, ending).await.map(drop)
    }

    async fn give_up(&mut self, hub: &Hub, offset: u64, after: Duration) {
        let note = format!(
            "what begins like a packet at offset {offset} was not complete after {}: taken as text\n",
            show_duration(after)
        );
        hub.write(|out| self.rewrite.note(&note, out)).await;
        // Without a feed nothing is read, so nothing can fail.
        let _ = self.pass_on(hub, InputState::Stalled).await;
    }
}

/// What reading gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Some,
    Nothing,
    End,
}

impl Read {
    fn of(read: io::Result<usize>) -> io::Result<Self> {
        match read {
            Ok(0) => Ok(Read::End),
            Ok(_) => Ok(Read::Some),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Read::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// Reads once, if there is something to read from, and passes the frames on.
async fn stream_turn(
    stream: &mut Stream,
    feed: Option<&mut Feed>,
    rewrite: &mut Rewrite,
    hub: &Hub,
    turn: &mut TurnBuffers,
    mut ending: InputState,
) -> io::Result<Read> {
    let mut buffer = stream.buffer(&mut turn.scratch, || hub.output_queue.spare_buffer());
    let read = feed.map_or(Ok(Read::Nothing), |feed| Read::of(stream.read(&mut buffer, feed)));
    if let Ok(Read::End) = read {
        ending = InputState::Eof;
    }
    loop {
        let flow = stream.frames(&mut buffer, &mut ending, rewrite, &mut turn.batch);
        hub.output_queue.push(&mut turn.batch).await;
        match flow {
            StopReason::Full => {}
            StopReason::Long(part, tail) => {
                hub.output_queue.push_buffer(buffer.detach(), part).await;
                turn.batch.extend_from_slice(&tail);
            }
            StopReason::Waiting => break,
        }
    }
    stream.put_by(buffer, &mut turn.scratch);
    read
}

/// Reads once, and passes it on as a piece of a file of the run.
async fn file_turn(
    name: &str,
    feed: &mut Feed,
    rewrite: &mut Rewrite,
    hub: &Hub,
    turn: &mut TurnBuffers,
) -> io::Result<Read> {
    turn.scratch.resize(SCRATCH, 0);
    let read = feed.try_read(&mut turn.scratch);
    if let Ok(count @ 1..) = read {
        let bytes = part(&turn.scratch, ..count);
        let file = Event { file: Some(File { name, bytes }), mime_type: Some(TEXT_TYPE), ..Event::default() };
        rewrite.event(&file, &mut turn.batch);
        hub.output_queue.push(&mut turn.batch).await;
    }
    Read::of(read)
}

/// Since when a source waits for the rest of a packet.
#[derive(Debug, Default)]
struct Stall {
    after: Option<Duration>,
    since: Option<(u64, Instant)>,
}

impl Stall {
    fn look_at(&mut self, content: &Content) {
        let (Some(_), Content::Stream(stream)) = (self.after, content) else { return };
        let offset = stream.offset();
        match self.since {
            _ if !stream.is_waiting() => self.since = None,
            Some((seen, _)) if seen == offset => {}
            _ => self.since = Some((offset, Instant::now())),
        }
    }

    /// When it has taken too long, and where it began.
    fn deadline(&self) -> Option<(Instant, u64, Duration)> {
        let (after, (offset, since)) = (self.after?, self.since?);
        Some((since.checked_add(after)?, offset, after))
    }
}

/// Waits until the room was taken for too long while others wait for it.
async fn overstayed(room: Option<&Room>, hub: &Hub) {
    let Some(end) = room.and_then(|room| room.since.checked_add(OVERSTAYED)) else {
        return std::future::pending().await;
    };
    sleep_until(end).await;
    while !hub.is_crowded() {
        sleep_until(Instant::now() + CROWD_INTERVAL).await;
    }
}

async fn past(deadline: Option<(Instant, u64, Duration)>) -> (u64, Duration) {
    match deadline {
        Some((deadline, offset, after)) => {
            sleep_until(deadline).await;
            (offset, after)
        }
        None => std::future::pending().await,
    }
}
