//! A test that is running, for those who run it.

use std::io::{self, Read};

use subunit::{Event, File, Status, TEXT_TYPE, part};

use crate::StreamResult;

/// The type of tracebacks.
const TRACEBACK_TYPE: &str = "text/x-traceback;charset=utf8";
/// How much of an attachment is read at a time.
const PIECE: usize = 64 * 1024;

/// One test while it runs: it has begun, it attaches, and it ends in one of the ways that a test can end.
///
/// It speaks to any [`StreamResult`]: to one that is borrowed, as here; to an `Arc<Mutex<_>>` that several threads
/// share; to a [`Sender`](crate::channel::Sender). The result is flushed when the test has begun and when it has ended,
/// so that whoever looks on sees what is running. Times come from [`stamped`](crate::StreamResultExt::stamped).
///
/// Whatever is dropped without an end, because its thread panicked or somebody forgot, is unfinished: nothing says that
/// it passed, and the run fails.
///
/// ```
/// use streamresult::{Outcome, RunningTest, StreamResult, StreamResultExt, Summary};
///
/// let mut summary = Summary::new();
/// let mut result = (&mut summary).stamped();
/// result.start_run()?;
///
/// let mut test = RunningTest::start(&mut result, "net.boot")?;
/// test.attach_text("log", "starting\nready\n")?;
/// test.subtest("ipv6")?.skip("no address")?;
/// test.succeed()?;
///
/// RunningTest::start(&mut result, "net.login")?.fail("Traceback…\nrefused\n")?;
/// drop(RunningTest::start(&mut result, "net.logout")?);
/// result.stop_run()?;
/// assert_eq!(summary.to_string(), "4 tests: 1 passed, 1 failed, 1 unfinished, 1 skipped");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "a test that is dropped is unfinished"]
pub struct RunningTest<R: StreamResult> {
    result: R,
    id: String,
    tags: Option<Vec<String>>,
    runnable: bool,
}

impl<R: StreamResult> RunningTest<R> {
    /// Begins a test that can be run by its id.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn start(result: R, id: impl Into<String>) -> io::Result<Self> {
        RunningTest::begin(result, id.into(), None, true)
    }

    /// Begins a test with these tags, which all its events have.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn start_tagged<T: Into<String>>(
        result: R,
        id: impl Into<String>,
        tags: impl IntoIterator<Item = T>,
    ) -> io::Result<Self> {
        let tags = tags.into_iter().map(Into::into).collect();
        RunningTest::begin(result, id.into(), Some(tags), true)
    }

    /// Begins what is told as a test but cannot be run by its id: making what tests need, and cleaning up.
    ///
    /// ```
    /// use streamresult::{RunningTest, Summary};
    ///
    /// let mut summary = Summary::new();
    /// RunningTest::start_step(&mut summary, "database.make")?.succeed()?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn start_step(result: R, id: impl Into<String>) -> io::Result<Self> {
        RunningTest::begin(result, id.into(), None, false)
    }

    fn begin(result: R, id: String, tags: Option<Vec<String>>, runnable: bool) -> io::Result<Self> {
        let mut test = RunningTest { result, id, tags, runnable };
        test.tell(Event::default().with_status(Status::InProgress))?;
        test.result.flush()?;
        Ok(test)
    }

    /// The test's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where its events go.
    pub fn result(&mut self) -> &mut R {
        &mut self.result
    }

    /// Whether the run should stop: see [`StreamResult::should_stop`].
    pub fn should_stop(&self) -> bool {
        self.result.should_stop()
    }

    /// Gives the test other tags from now on; none at all clear those that it had. The last ones are the test's.
    pub fn set_tags<T: Into<String>>(&mut self, tags: impl IntoIterator<Item = T>) {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
    }

    /// Attaches a whole file of this MIME type.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn attach(&mut self, name: &str, mime_type: &str, bytes: &[u8]) -> io::Result<()> {
        self.tell(Event { eof: true, ..Event::file(name, bytes).with_mime_type(mime_type) })
    }

    /// Attaches a whole file of text.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn attach_text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.attach(name, TEXT_TYPE, text.as_bytes())
    }

    /// Attaches a file while it is read: as much of it as it has, in memory never more than 64 KiB. Where reading fails,
    /// what came before is attached, and has no end.
    ///
    /// # Errors
    ///
    /// When reading fails, or the result does.
    pub fn attach_from(&mut self, name: &str, mime_type: &str, mut content: impl Read) -> io::Result<()> {
        let mut piece = vec![0; PIECE];
        loop {
            let count = match content.read(&mut piece) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let event = Event::file(name, part(&piece, ..count)).with_mime_type(mime_type);
            self.tell(Event { eof: count == 0, ..event })?;
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// Begins a test within this one, `id/name`; it counts as a test of its own.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn subtest(&mut self, name: &str) -> io::Result<RunningTest<&mut R>> {
        let id = format!("{}/{name}", self.id);
        RunningTest::begin(&mut self.result, id, self.tags.clone(), self.runnable)
    }

    /// The test has passed.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn succeed(self) -> io::Result<()> {
        self.end(Status::Success)
    }

    /// The test has failed. The text, a traceback or a message, is its file `traceback`; an empty one is none.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn fail(self, text: &str) -> io::Result<()> {
        self.end_with(Status::Fail, "traceback", TRACEBACK_TYPE, text)
    }

    /// The test was skipped. The reason is its file `reason`; an empty one is none.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn skip(self, reason: &str) -> io::Result<()> {
        self.end_with(Status::Skip, "reason", TEXT_TYPE, reason)
    }

    /// The test has failed, as was expected.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn fail_as_expected(self, text: &str) -> io::Result<()> {
        self.end_with(Status::XFail, "traceback", TRACEBACK_TYPE, text)
    }

    /// The test has passed and was expected to fail: a failure.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn succeed_unexpectedly(self) -> io::Result<()> {
        self.end(Status::UxSuccess)
    }

    /// The test has ended like this; nothing has, as long as it is in progress.
    ///
    /// # Errors
    ///
    /// When the result fails.
    pub fn end(mut self, status: Status) -> io::Result<()> {
        self.tell(Event::default().with_status(status))?;
        self.result.flush()
    }

    fn end_with(mut self, status: Status, name: &str, mime_type: &str, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return self.end(status);
        }
        let file = Some(File { name, bytes: text.as_bytes() });
        self.tell(Event {
            file,
            status: Some(status),
            mime_type: Some(mime_type),
            eof: true,
            ..Event::default()
        })?;
        self.result.flush()
    }

    /// Says something about this test.
    fn tell(&mut self, event: Event<'_>) -> io::Result<()> {
        let (test_id, runnable) = (Some(self.id.as_str()), self.runnable);
        let Some(tags) = &self.tags else {
            return self.result.status(&Event { test_id, runnable, ..event });
        };
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        self.result.status(&Event { test_id, runnable, tags: tags.as_slice().into(), ..event })
    }
}
