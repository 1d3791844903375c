//! A command whose output is a source.

use formats::human::show_duration;
use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use process::{Child, Exit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::control::{Input, write_input};
use super::feed::Feed;
use super::hub::{Hub, given};
use super::rewrite::Rewrite;
use super::source::{Content, Source};

/// Runs a command for the shell, and passes on what it writes: its output as a stream, its error output as a
/// file of its route. An end other than exit code 0 leaves a failing event, unless its stream told of a failure.
pub(crate) async fn run(
    hub: Arc<Hub>,
    name: String,
    mut rewrite: Rewrite,
    command: String,
    input: Option<mpsc::Receiver<Input>>,
) {
    hub.tally().children += 1;
    let ended = match Running::start(&hub, &rewrite, &command, input) {
        Ok(running) => running.pass(&hub, &mut rewrite).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok(End { outcome, .. }) if outcome.success() => {}
        Ok(end) if end.is_told() => {
            hub.tally().failed += 1;
            if end.outcome != Exit::Exited(1) {
                hub.write(|out| rewrite.note(&end.reason(&command), out)).await;
            }
        }
        Ok(end) => {
            hub.tally().failed += 1;
            hub.fail(&name, &mut rewrite, &end.reason(&command)).await;
        }
        Err(error) => {
            hub.tally().failed += 1;
            hub.give_up(&name, &mut rewrite, &format!("cannot run {command:?}: {error}")).await;
        }
    }
    hub.inputs().remove(&name);
}

struct End {
    outcome: Exit,
    /// Whether it was ended because the multiplexer was to end.
    was_ended: bool,
    /// Whether a failure was in its stream.
    has_failed: bool,
}

impl End {
    /// Whether its exit code says no more than its stream did.
    fn is_told(&self) -> bool {
        self.has_failed && !self.was_ended && matches!(self.outcome, Exit::Exited(_))
    }

    fn reason(&self, command: &str) -> String {
        let why = if self.was_ended { " (ended because subunit-mux was to end)" } else { "" };
        format!("{}{why}: {command}\n", self.outcome)
    }
}

/// A child, and the tasks that read what it writes.
struct Running {
    child: Child,
    readers: Vec<JoinHandle<io::Result<()>>>,
    close: watch::Sender<bool>,
    has_failed: Arc<AtomicBool>,
}

impl Running {
    fn start(
        hub: &Arc<Hub>,
        rewrite: &Rewrite,
        command: &str,
        input: Option<mpsc::Receiver<Input>>,
    ) -> io::Result<Self> {
        let stdin = if input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Child::spawn(&mut shell)?;
        if let (Some(input), Some(stdin)) = (input, child.take_stdin()) {
            tokio::spawn(write_input(stdin, input));
        }
        let close = watch::Sender::new(false);
        let mut readers = Vec::new();
        let has_failed = Arc::default();
        let mut read = |feed, content| {
            let rewrite = rewrite.watching(&has_failed);
            let source = Source { feed, content, rewrite, close: close.subscribe() };
            readers.push(tokio::spawn(source.run(Arc::clone(hub))));
        };
        if let Some(stdout) = child.take_stdout() {
            read(Feed::pipe(stdout)?, Content::stream());
        }
        if let Some(stderr) = child.take_stderr() {
            read(Feed::pipe(stderr)?, Content::File("stderr"));
        }
        Ok(Running { child, readers, close, has_failed })
    }

    /// Waits for the child and all that it wrote.
    async fn pass(mut self, hub: &Arc<Hub>, rewrite: &mut Rewrite) -> io::Result<End> {
        let mut stop = hub.stop();
        let exited = tokio::select! {
            outcome = exit(&mut self.child) => Some(outcome?),
            () = given(&mut stop) => None,
        };
        let Some(outcome) = exited else { return self.terminate(hub).await };
        let read = tokio::select! {
            read = self.read_to_the_end(hub.settings.grace) => read,
            () = given(&mut stop) => return self.terminate(hub).await,
        };
        if !read? {
            let note = format!(
                "what the command left running still held its output {} after its end: closed\n",
                show_duration(hub.settings.grace)
            );
            hub.write(|out| rewrite.note(&note, out)).await;
            self.close().await?;
        }
        Ok(End { outcome, was_ended: false, has_failed: self.has_failed.load(Ordering::Relaxed) })
    }

    /// Ends it with all of its group, and takes what it still writes.
    async fn terminate(mut self, hub: &Arc<Hub>) -> io::Result<End> {
        let grace = hub.settings.grace;
        let mut child = self.child;
        let (child, outcome) = spawn_blocking(move || {
            let outcome = child.terminate(grace);
            (child, outcome)
        })
        .await
        .map_err(io::Error::other)?;
        self.child = child;
        self.close().await?;
        Ok(End { outcome: outcome?, was_ended: true, has_failed: self.has_failed.load(Ordering::Relaxed) })
    }

    /// Waits until both outputs have ended; false when time is up.
    async fn read_to_the_end(&mut self, limit: Duration) -> io::Result<bool> {
        timeout(limit, join(&mut self.readers)).await.map_or(Ok(false), |joined| joined.map(|()| true))
    }

    /// Takes what is there and reads no more.
    async fn close(&mut self) -> io::Result<()> {
        self.close.send_replace(true);
        join(&mut self.readers).await
    }
}

async fn join(readers: &mut Vec<JoinHandle<io::Result<()>>>) -> io::Result<()> {
    while let Some(reader) = readers.last_mut() {
        let read = reader.await;
        readers.pop();
        read.map_err(io::Error::other)??;
    }
    Ok(())
}

/// Waits for the end of the child itself.
async fn exit(child: &mut Child) -> io::Result<Exit> {
    // In this order: an end that nobody was told of is found by asking.
    let mut ends = signal(SignalKind::child())?;
    loop {
        if let Some(outcome) = child.try_wait()? {
            return Ok(outcome);
        }
        ends.recv().await;
    }
}
