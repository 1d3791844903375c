//! Many sources at once: a thread that reads them all, beside the one that writes.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::Context as _;
use cli::PathError;
use cli::value::RouteNames;
use process::Interrupt;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::retry_on_intr;
use tokio::net::unix::pipe;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::child;
use super::control::{self, WAITING};
use super::feed::Feed;
use super::hub::{Hub, Open, SCRATCH, Settings, Tally, given};
use super::listen::{self, BoundSocket};
use super::names::Kind;
use super::output_queue::OutputQueue;
use super::rewrite::Rewrite;
use super::source::{Content, Source};

/// All blocks that files are read by take no more than this together.
const BLOCKS: usize = 2 * 1024 * 1024;
/// The stack of a thread that reads a file.
const STACK: usize = 128 * 1024;

/// A source with its name.
#[derive(Debug)]
pub(crate) struct PlannedSource {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) rewrite: Rewrite,
}

/// What to do.
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) sources: Vec<PlannedSource>,
    pub(crate) bound: Vec<BoundSocket>,
    pub(crate) names: RouteNames,
    pub(crate) input: Box<dyn Read + Send>,
    /// Whether the input is control, not a source.
    pub(crate) is_control: bool,
}

/// Reads all sources to their ends, and writes what they bring.
///
/// # Errors
///
/// When writing fails; children were ended then.
pub(crate) fn run(plan: Plan, output: &mut dyn Write, interrupt: &Interrupt) -> anyhow::Result<Tally> {
    let output_queue = Arc::new(OutputQueue::default());
    let runtime = runtime(plan.sources.len(), &output_queue).context("cannot start")?;
    let stop = watch::Sender::new(false);
    thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let _ending = Ending(&output_queue);
            let tally = runtime.block_on(serve(plan, &output_queue, &stop, interrupt));
            // What hangs in a read is not waited for.
            runtime.shutdown_background();
            tally
        });
        let written = output_queue.drain(output);
        stop.send_if_modified(|stop| written.is_err() && !std::mem::replace(stop, true));
        let tally = reading.join().ok().context("the sources could not be read to their ends")?;
        Ok(written.map(|()| tally)?)
    })
}

fn runtime(sources: usize, output_queue: &Arc<OutputQueue>) -> io::Result<Runtime> {
    let output_queue = Arc::clone(output_queue);
    let threads = 64 + 2 * sources;
    Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(threads)
        .thread_stack_size(STACK)
        .on_thread_park(move || output_queue.flush())
        .build()
}

/// Tells the writer that reading has ended, in whatever way.
struct Ending<'a>(&'a OutputQueue);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn serve(
    plan: Plan,
    output_queue: &Arc<OutputQueue>,
    stop: &watch::Sender<bool>,
    interrupt: &Interrupt,
) -> Tally {
    let Plan { settings, sources, bound, names, input, is_control } = plan;
    let hub = Arc::new(Hub::new(settings, Arc::clone(output_queue), stop.subscribe(), names));
    let mut starting =
        Starting { hub: &hub, tasks: JoinSet::new(), input: Some(input), block: block(&sources) };
    let is_alone = sources.is_empty();
    sources.into_iter().for_each(|source| starting.start(source, is_control));
    bound
        .into_iter()
        .for_each(|bound| drop(starting.tasks.spawn(listen::run(Arc::clone(&hub), bound, is_alone))));
    if is_control {
        starting.start_control();
    }
    let mut tasks = starting.tasks;
    watch_signals(interrupt, stop);
    watch_reader(output_queue, stop);
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            hub.tally().errors.push(format!("a source was lost: {error}"));
        }
    }
    hub.tally().clone()
}

/// How much of a file to read at a time.
fn block(sources: &[PlannedSource]) -> usize {
    let files = sources.iter().filter(|source| !matches!(source.kind, Kind::Exec(_))).count();
    (BLOCKS / files.max(1)).clamp(8 * 1024, 4 * SCRATCH)
}

struct Starting<'a> {
    hub: &'a Arc<Hub>,
    tasks: JoinSet<()>,
    input: Option<Box<dyn Read + Send>>,
    block: usize,
}

impl Starting<'_> {
    fn start(&mut self, source: PlannedSource, is_control: bool) {
        let PlannedSource { name, kind, rewrite } = source;
        let (hub, open, block) = (Arc::clone(self.hub), self.hub.open_source(), self.block);
        match kind {
            Kind::Exec(command) => {
                let (sender, receiver) = mpsc::channel(WAITING);
                if is_control {
                    hub.inputs().insert(name.clone(), sender);
                }
                let input = is_control.then_some(receiver);
                self.tasks.spawn(async move {
                    child::run(hub, name, rewrite, command, input).await;
                    drop(open);
                });
            }
            Kind::File(path) => drop(self.tasks.spawn(pass_file(hub, open, name, rewrite, path, block))),
            Kind::Stdin => {
                // Given twice, it is at its end the second time.
                let input = self.input.take().unwrap_or_else(|| Box::new(io::empty()));
                self.tasks.spawn(pass_feed(
                    hub,
                    open,
                    name,
                    rewrite,
                    Feed::blocking(input, block),
                    PathBuf::from("stdin"),
                ));
            }
        }
    }

    fn start_control(&mut self) {
        let (Some(input), Ok(rewrite)) =
            (self.input.take(), Rewrite::new(self.hub.settings.route.clone(), None, self.hub.settings.stamp))
        else {
            return;
        };
        // Not among the tasks: it is not waited for.
        tokio::spawn(control::run(Arc::clone(self.hub), rewrite, input));
    }
}

async fn pass_file(
    hub: Arc<Hub>,
    open: Open,
    name: String,
    mut rewrite: Rewrite,
    path: PathBuf,
    block: usize,
) {
    let mut stop = hub.stop();
    let opened = tokio::select! {
        opened = Feed::open(path.clone(), block) => opened,
        () = given(&mut stop) => return,
    };
    match opened {
        Ok(feed) => pass_feed(hub, open, name, rewrite, feed, path).await,
        Err(error) => {
            let error = anyhow::Error::from(PathError::wrap("open", &path, error));
            hub.give_up(&name, &mut rewrite, &process::chain(error.as_ref())).await;
        }
    }
}

async fn pass_feed(
    hub: Arc<Hub>,
    _open: Open,
    name: String,
    mut rewrite: Rewrite,
    feed: Feed,
    path: PathBuf,
) {
    let source = Source { feed, content: Content::stream(), rewrite: rewrite.clone(), close: hub.stop() };
    if let Err(error) = source.run(Arc::clone(&hub)).await {
        let error = anyhow::Error::from(PathError::wrap("read", &path, error));
        hub.give_up(&name, &mut rewrite, &process::chain(error.as_ref())).await;
    }
}

/// Tells all to stop when a signal comes.
fn watch_signals(interrupt: &Interrupt, stop: &watch::Sender<bool>) {
    let wake = interrupt.wake().and_then(|fd| fd.try_clone_to_owned().ok());
    let Some(Ok(wake)) = wake.map(pipe::Receiver::from_owned_fd) else { return };
    let stop = stop.clone();
    tokio::spawn(async move {
        if wake.readable().await.is_ok() {
            stop.send_replace(true);
        }
    });
}

/// Tells all to stop when the reader of our output goes away, which writing would tell only when something
/// comes.
fn watch_reader(output_queue: &Arc<OutputQueue>, stop: &watch::Sender<bool>) {
    let Ok(output) = io::stdout().as_fd().try_clone_to_owned() else { return };
    let is_pipe = fstat(&output)
        .is_ok_and(|stat| matches!(FileType::from_raw_mode(stat.st_mode), FileType::Fifo | FileType::Socket));
    if is_pipe {
        let (output_queue, stop) = (Arc::clone(output_queue), stop.clone());
        // On a thread that is left behind: to have the runtime wait for it, the pipe would have to be changed
        // for all that share it.
        tokio::task::spawn_blocking(move || {
            if wait_for_error(output.as_fd()) {
                output_queue.break_off();
                stop.send_replace(true);
            }
        });
    }
}

fn wait_for_error(fd: BorrowedFd<'_>) -> bool {
    let polled = &mut [PollFd::from_borrowed_fd(fd, PollFlags::empty())];
    retry_on_intr(|| poll(polled, None)).is_ok()
}
